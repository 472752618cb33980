"""Generated populations: ages, households, classes, teams, graphs and courses are the published ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from civlab.models.epidemic import tables
from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.layout import GROUPS
from civlab.models.epidemic.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, override, parse_scenario

pytestmark = pytest.mark.kernel

SIZE = 60_000


def world_of(text: str, *, run: bool = False, **parameters: str) -> World:
    """A world of one member of 60,000 persons."""
    changes = {"population.size": str(SIZE), **{k.replace("__", "."): v for k, v in parameters.items()}}
    scenario = compile_scenario(override(parse_scenario(text), changes))
    world = World.create(MODEL, [MemberSpec(0, 0, scenario)], seed=2, backend=Backend.cpu(2))
    world.advance(world.ticks if run else 0)
    return world


@pytest.fixture(scope="module")
def town() -> World:
    """The builtin epidemic, before its first tick."""
    return world_of(BUILTIN["epidemic"])


@pytest.fixture(scope="module")
def epidemic() -> World:
    """The builtin epidemic, after its last tick, without a shortage of beds."""
    return world_of(BUILTIN["epidemic"], run=True, hospital__beds="60000")


def test_the_age_pyramid_is_met_to_the_person(town: World) -> None:
    ages = np.bincount(town.member_column("age", 0), minlength=101)
    ideal = np.array([float(weight) for weight in tables.pyramid("united-kingdom-2020")])
    assert np.abs(ages - ideal / ideal.sum() * SIZE).max() < 1


def test_households_have_the_sizes_of_the_census(town: World) -> None:
    heads = town.member_column("household_position", 0) == 0
    sizes = np.bincount(town.member_column("household_size", 0)[heads], minlength=11)[1:]
    shares = np.array([float(share) for share in tables.household_shares("england-wales-2011")])
    assert (sizes * np.arange(1, 11)).sum() == SIZE
    assert np.abs(sizes / sizes.sum() - shares).max() < 0.001


def test_households_are_plausible_by_age(town: World) -> None:
    age = town.member_column("age", 0).astype(int)
    position, size = (town.member_column(f"household_{name}", 0) for name in ("position", "size"))
    assert np.mean(age[position == 0] >= 16) > 0.995, "children do not live alone"
    child = np.flatnonzero((position >= 2) & (age < 18))
    gap = age[child - position[child]] - age[child]
    assert 20 <= np.median(gap) <= 38
    assert np.mean((gap >= 14) & (gap <= 50)) > 0.95
    couples = np.flatnonzero((position == 1) & (size == 2) & (age >= 18))
    apart = np.abs(age[couples] - age[couples - 1])
    assert np.mean(apart <= 12) > 0.8


def test_a_class_holds_pupils_of_one_age_and_a_team_holds_adults(town: World) -> None:
    age = town.member_column("age", 0).astype(int)
    first, size = town.member_column("place_first", 0), town.member_column("place_size", 0)
    slots = town.member_column("place_member", 0)
    pupils = (age >= 5) & (age <= 17)
    assert (size[pupils] > 0).all()
    assert size[pupils].max() == 25
    workers = (age >= 18) & (age <= 64)
    assert abs(np.mean(size[workers] > 0) - 0.75) < 0.01
    assert not size[~pupils & ~workers].any()
    for agent in np.flatnonzero(size)[:: SIZE // 500]:
        members = slots[first[agent] : first[agent] + size[agent]]
        assert agent in members
        assert len(set(age[members])) == 1 if pupils[agent] else (age[members] >= 18).all()
    assert sorted(slots.tolist()) == np.flatnonzero(size).tolist()


def contacts_of(world: World) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of every directed community contact."""
    degree, start = world.member_column("degree", 0), world.member_column("row_start", 0)
    owner = np.zeros(int(degree.sum()), "i8")
    for agent in np.flatnonzero(degree):
        owner[start[agent] : start[agent] + degree[agent]] = agent
    return owner, world.member_column("neighbour", 0).astype("i8")


def test_the_community_graph_is_symmetric_and_nearly_without_loops(town: World) -> None:
    one, other = contacts_of(town)
    forth, back = np.sort(one * SIZE + other), np.sort(other * SIZE + one)
    assert np.array_equal(forth, back)
    assert np.mean(one == other) < 0.002


def test_degrees_follow_the_negative_binomial(town: World) -> None:
    degree = town.member_column("degree", 0).astype(int)
    law = stats.nbinom(4, 4 / (4 + 8))
    most = 30
    seen = np.bincount(np.minimum(degree, most), minlength=most + 1)
    expected = np.append(law.pmf(np.arange(most)), law.sf(most - 1)) * SIZE
    assert stats.chisquare(seen, expected).pvalue > 1e-3


def test_contacts_mix_by_age_as_published(town: World) -> None:
    group = np.minimum(town.member_column("age", 0).astype(int) // 5, GROUPS - 1)
    one, other = contacts_of(town)
    seen = np.bincount(group[one] * GROUPS + group[other], minlength=GROUPS**2).reshape(GROUPS, GROUPS).astype(float)
    published = np.array([[float(cell) for cell in row] for row in tables.mixing("united-kingdom-prem-2021")])
    persons = np.bincount(group, minlength=GROUPS)
    wanted = persons[:, None] * published
    wanted = (wanted + wanted.T) / 2
    for _ in range(500):
        wanted *= (seen.sum(axis=1) / wanted.sum(axis=1))[:, None]
        wanted *= seen.sum(axis=0) / wanted.sum(axis=0)
    assert np.abs(seen - wanted).max() <= 3, "whole numbers nearest to the fitted matrix, but for the last few stubs"


def test_courses_are_as_severe_as_published(epidemic: World) -> None:
    metrics = epidemic.metrics(0, epidemic.ticks)
    age = epidemic.member_column("age", 0).astype(int)
    infected = epidemic.member_column("infected_at", 0) > 0
    severe, fatal = (np.array([float(x) for x in column]) for column in tables.severity("verity-2020"))
    admitted = severe[age[infected]].sum()
    deaths = (severe * fatal)[age[infected]].sum()
    assert abs(metrics["new_admissions"].sum() - admitted) < 4 * np.sqrt(admitted)
    assert abs(metrics["new_deaths"].sum() - deaths) < 4 * np.sqrt(deaths)
    assert not metrics["without_bed"].any()


def test_a_shortage_of_beds_costs_lives(epidemic: World) -> None:
    short = world_of(BUILTIN["epidemic"], run=True, hospital__beds="20", hospital__surge="3")
    assert np.array_equal(short.metrics(0, 180)["new_infections"], epidemic.metrics(0, 180)["new_infections"])
    enough, few = (int(w.metrics(0, 180)["new_deaths"].sum()) for w in (epidemic, short))
    assert 2.2 * enough < few <= 3 * enough
    assert short.metrics(0, 180)["without_bed"].max() > 500


def test_vaccination_goes_from_the_oldest_down(town: World) -> None:
    plan = world_of(BUILTIN["vaccination"])
    age, when = plan.member_column("age", 0).astype(int), plan.member_column("vaccination", 0).astype(int)
    assert (when > 0).sum() == int(0.8 * SIZE)
    assert np.bincount(when[when > 0])[2:].max() == 1000
    order = np.argsort(when[when > 0], kind="stable")
    by_day = [age[when == day].min() for day in sorted(set(when[when > 0].tolist()))]
    assert all(a >= b for a, b in itertools.pairwise(by_day))
    assert len(order)
    assert age[when == 0].max() <= age[when > 0].min() + 1
    assert np.array_equal(age, town.member_column("age", 0))


def test_vaccination_protects_against_infection_and_death(epidemic: World) -> None:
    plan = world_of(BUILTIN["vaccination"], run=True, hospital__beds="60000", interventions__0__doses_per_day="4000")
    with_plan, without = (w.metrics(0, 180) for w in (plan, epidemic))
    assert with_plan["doses"].sum() == int(0.8 * SIZE)
    assert with_plan["new_infections"].sum() < 0.7 * without["new_infections"].sum()
    assert with_plan["new_deaths"].sum() < 0.4 * without["new_deaths"].sum()
