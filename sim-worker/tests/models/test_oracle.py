"""The kernels agree with the oracle bit for bit, in what they generate and in every tick."""

from __future__ import annotations

import pytest

from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

from .epidemic_oracle import Oracle

pytestmark = pytest.mark.kernel

HEAD = "apiVersion: civlab/v1\nmodel: epidemic\ntitle: small\n"
FULL = """ticks: 40
population: {size: %d}
contacts:
  community: {degree: {law: negative-binomial, mean: 6, dispersion: 2}}
  household: {weight: 3}
  school: {class_size: 6}
  work: {team_size: 5}
disease: {r0: 4, susceptibility: [{age: 0, value: 0.6}, {age: 20, value: 1}]}
hospital: {beds: 2, surge: 3, severe: [{age: 0, value: 0.3}], fatal: [{age: 0, value: 0.4}]}
introductions: [{tick: 0, count: 3}, {tick: 5, count: 2}]
interventions:
  - {kind: contact-reduction, layers: [school, community], from: 6, until: 25, factor: 0.5}
  - {kind: contact-reduction, layers: [community], from: 10, factor: 0.7}
  - {kind: case-isolation, from: 8, detection: 0.5, factor: 0.25, delay: 2}
  - {kind: vaccination, from: 2, doses_per_day: 4, coverage: 0.8, order: %s, delay: 3}
"""
CONTACT = """ticks: 30
population: {size: %d, pyramid: uniform, households: single}
contacts: {community: {degree: {law: poisson, mean: 7}, mixing: none}}
disease: {probability: 0.08, exposed: {law: fixed, value: 1}, infectious: {law: fixed, value: 3}}
introductions: [{tick: 0, count: %d}]
"""
SCENARIOS = [
    FULL % (200, "oldest-first"),
    FULL % (131, "random"),
    FULL % (64, "oldest-first"),
    CONTACT % (150, 4),
    CONTACT % (1, 1),
    CONTACT % (2, 1),
]


def worlds_and_oracles(texts: list[str], backend: Backend) -> tuple[World, list[Oracle]]:
    """One batch of all the scenarios of a length, and an oracle for each member."""
    scenarios = [compile_scenario(parse_scenario(HEAD + text)) for text in texts]
    specs = [MemberSpec(index, 10 + index, scenario) for index, scenario in enumerate(scenarios)]
    world = World.create(MODEL, specs, seed=0x1234567890ABCDEF, backend=backend)
    oracles = [
        Oracle(spec.scenario, seed=0x1234567890ABCDEF, stream=spec.stream, head=start)
        for spec, start in zip(specs, world.starts, strict=True)
    ]
    return world, oracles


@pytest.mark.parametrize("texts", [SCENARIOS[:3], SCENARIOS[3:]], ids=["all-layers", "contact-layer"])
def test_populations_and_networks_are_those_of_the_oracle(texts: list[str], backend: Backend) -> None:
    world, oracles = worlds_and_oracles(texts, backend)
    for number, oracle in enumerate(oracles):
        for name in ("age", "household_position", "household_size", "vaccination"):
            assert world.member_column(name, number).tolist() == [getattr(p, name) for p in oracle.people], name
        neighbour = world.member_column("neighbour", number)
        slots = world.member_column("place_member", number)
        rows = zip(
            *(world.member_column(name, number) for name in ("row_start", "degree", "place_first", "place_size")),
            oracle.people,
            strict=True,
        )
        for start, degree, first, size, person in rows:
            assert neighbour[start : start + degree].tolist() == person.contacts
            assert slots[first : first + size].tolist() == person.place


@pytest.mark.parametrize("texts", [SCENARIOS[:3], SCENARIOS[3:]], ids=["all-layers", "contact-layer"])
def test_every_tick_is_that_of_the_oracle_and_so_is_the_chain(texts: list[str], backend: Backend) -> None:
    world, oracles = worlds_and_oracles(texts, backend)
    for tick in range(world.ticks):
        world.advance()
        for number, oracle in enumerate(oracles):
            oracle.step()
            for column, expected in zip(MODEL.dynamic, oracle.columns(), strict=True):
                assert world.member_column(column.name, number).tolist() == expected, (tick, number, column.name)
            assert world.history(tick, tick + 1)[0, number].tolist() == oracle.history[-1]
            assert world.download("head").reshape(-1, 8)[number].tobytes() == oracle.head
    digests = world.download("column_digest").reshape(len(oracles), len(MODEL.dynamic), 2)
    assert [[tuple(pair) for pair in member] for member in digests.tolist()] == [o.digests() for o in oracles]
    assert max(sum(row[6] for row in oracle.history) for oracle in oracles) > 50
