"""The epidemic against mathematics that owes nothing to it: final sizes, Reed and Frost, growth, reproduction.

The final size equation s = 1 - exp(-R0 s) is exact here in the limit of large populations: on a Poisson graph the
excess degree is Poisson too, and with a fixed infectious period contacts transmit independently, so that the outbreak
is the giant component of bond percolation (Newman, Phys. Rev. E 66, 2002, 016128).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.model import MODEL
from civlab.models.epidemic.transmissions import transmissions
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

pytestmark = pytest.mark.kernel

DOCUMENT = """apiVersion: civlab/v1
model: epidemic
title: a truth
ticks: {ticks}
population: {{size: {size}, pyramid: uniform, households: {households}}}
contacts: {{community: {community}, household: {household}}}
disease: {{{rate}, exposed: {{law: fixed, value: {exposed}}}, infectious: {{law: fixed, value: {infectious}}}}}
introductions: [{{tick: 0, count: {seeds}}}]
"""
DEFAULTS = {"households": "single", "household": "null", "exposed": 2, "infectious": 4}


def graph(law: str) -> str:
    """An age-blind community layer."""
    return f"{{degree: {{{law}}}, mixing: none}}"


def finished(members: int = 1, seed: int = 1, **parts: object) -> World:
    """A world of replicates of the document, run to its end."""
    scenario = compile_scenario(parse_scenario(DOCUMENT.format(**{**DEFAULTS, **parts})))
    world = World.create(MODEL, [MemberSpec(i, i, scenario) for i in range(members)], seed=seed, backend=Backend.cpu(2))
    world.advance(world.ticks)
    return world


@pytest.mark.parametrize(("r0", "share"), [(1.5, 0.5828), (2, 0.7968), (2.5, 0.8926), (3, 0.9405), (4, 0.9802)])
def test_the_final_size_is_that_of_the_final_size_equation(r0: float, share: float) -> None:
    size = 150_000
    world = finished(
        community=graph("law: poisson, mean: 12"), size=size, ticks=260 if r0 < 2 else 150, seeds=30, rate=f"r0: {r0}"
    )
    last = {name: int(values[-1, 0]) for name, values in world.metrics(world.ticks - 1, world.ticks).items()}
    assert last["exposed"] + last["infectious"] == 0
    assert math.isclose(share, 1 - math.exp(-r0 * share), abs_tol=2e-4)
    assert abs(last["recovered"] / size - share) < 0.008


@cache
def reed_frost(susceptible: int, infectious: int, chance: float) -> tuple[float, ...]:
    """Probability of 0, 1, … further infections in the chain binomial of Reed and Frost."""
    if infectious == 0 or susceptible == 0:
        return (1.0, *([0.0] * susceptible))
    result = [0.0] * (susceptible + 1)
    escape = (1 - chance) ** infectious
    for struck in range(susceptible + 1):
        here = math.comb(susceptible, struck) * (1 - escape) ** struck * escape ** (susceptible - struck)
        for further, probability in enumerate(reed_frost(susceptible - struck, struck, chance)):
            result[struck + further] += here * probability
    return tuple(result)


@pytest.mark.parametrize(("size", "chance"), [(3, 0.3), (5, 0.25), (8, 0.15)])
def test_small_households_follow_reed_and_frost_exactly(size: int, chance: float) -> None:
    members = 6_000
    world = finished(
        members=members,
        seed=size,
        community="null",
        household="{weight: 1}",
        households=size,
        size=size,
        ticks=size + 3,
        seeds=1,
        rate=f"probability: {chance}",
        exposed=1,
        infectious=1,
    )
    infected = world.metrics(0, world.ticks)["new_infections"].sum(axis=0)
    seen = np.bincount(infected - 1, minlength=size)
    expected = np.array(reed_frost(size - 1, 1, chance)) * members
    assert seen.sum() == members
    assert stats.chisquare(seen, expected).pvalue > 1e-3


def growth_rate(*, contacts: float, chance: float, exposed: int, infectious: int) -> float:
    """Daily growth r from Euler and Lotka: a contact is infected on the k-th infectious day with chance p (1 - p)^k,
    `exposed` + k days after the infector was."""
    low, high = 0.0, 2.0
    for _ in range(80):
        r = (low + high) / 2
        days = range(infectious)
        total = sum(contacts * chance * (1 - chance) ** k * math.exp(-r * (exposed + k)) for k in days)
        low, high = (r, high) if total > 1 else (low, r)
    return low


@pytest.mark.parametrize(("exposed", "infectious"), [(2, 4), (3, 6), (1, 8)])
def test_growth_follows_from_r0_and_the_generation_time(exposed: int, infectious: int) -> None:
    size = 600_000
    world = finished(
        community=graph("law: poisson, mean: 15"),
        size=size,
        ticks=60,
        seeds=400,
        rate="r0: 2.5",
        exposed=exposed,
        infectious=infectious,
    )
    chance = world.members[0].scenario.chance / 2**64
    expected = growth_rate(contacts=15, chance=chance, exposed=exposed, infectious=infectious)
    new = world.metrics(0, world.ticks)["new_infections"][:, 0]
    total = np.cumsum(new)
    window = np.flatnonzero((total > 4_000) & (total < 20_000))
    slope = stats.linregress(window, np.log(new[window])).slope
    assert abs(slope / expected - 1) < 0.05


def test_the_second_generation_infects_r0_each() -> None:
    world = finished(
        community=graph("law: fixed, value: 8"),
        size=400_000,
        ticks=40,
        seeds=1_500,
        rate="r0: 2.5",
        exposed=6,
        infectious=3,
    )
    tree = transmissions(world, 0)
    origin = dict(zip(tree["infected"].tolist(), tree["infector"].tolist(), strict=True))
    first = {agent for agent, infector in origin.items() if infector == -1}
    second = {agent for agent, infector in origin.items() if infector in first}
    third = sum(infector in second for infector in origin.values())
    assert abs(len(second) / len(first) / (2.5 * 8 / 7) - 1) < 0.04, (
        "an introduced case has all eight contacts to infect"
    )
    assert abs(third / len(second) / 2.5 - 1) < 0.04, "later cases have seven"


def test_r0_of_household_contacts_counts_the_mates() -> None:
    world = finished(
        members=3_000,
        community="null",
        household="{weight: 2}",
        households=5,
        size=5,
        ticks=9,
        seeds=1,
        rate="r0: 1.2",
        exposed=4,
        infectious=4,
    )
    first = world.metrics(0, 8)["infected_household"].sum(axis=0)
    assert abs(first.mean() - 1.2) < 4 * first.std() / math.sqrt(len(first))


def test_infectors_are_chosen_evenly_among_those_who_reach_a_person_on_the_same_day() -> None:
    world = finished(
        members=4_000,
        community="null",
        household="{weight: 1}",
        households=6,
        size=6,
        ticks=2,
        seeds=4,
        rate="probability: 0.9",
        exposed=1,
        infectious=1,
    )
    ranks = []
    for number in range(len(world.members)):
        tree = transmissions(world, number)
        introduced = sorted(tree["infected"][tree["infector"] == -1].tolist())
        ranks += [introduced.index(agent) for agent in tree["infector"][tree["infector"] >= 0].tolist()]
    counts = np.bincount(ranks, minlength=4)
    assert counts.sum() > 7_000
    assert stats.chisquare(counts).pvalue > 1e-3
