"""A tick is ordered and fused by what its phases declare, and gives the same bits as one barrier after another."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import pytest

from civlab.models import model_of
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, Over, best_level, load
from civlab.runtime.building import library
from civlab.runtime.columns import Column
from civlab.runtime.phases import Phase
from civlab.runtime.schedule import schedule
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

COLUMNS = tuple(
    Column(name, "u8", per, "scratch", "", "")
    for name, per in (("a", "agent"), ("b", "agent"), ("sum", "member"), ("total", "member"), ("far", "agent"))
)
INSIDE = {"tile": frozenset({"tile", "agent"}), "member": frozenset({"member"})}


def phase(name: str, over: str, reads: str, writes: str, beyond: str = "") -> Phase:
    """A phase that does nothing but declare."""
    return Phase(name, name, over, tuple(reads.split()), tuple(writes.split()), "", beyond=tuple(beyond.split()))


def launches(*phases: Phase) -> list[str]:
    """The names of the launches of a tick."""
    return [launch.name for launch in schedule(phases, COLUMNS, INSIDE)]


@pytest.mark.unit
def test_what_stays_within_a_tile_needs_no_barrier() -> None:
    assert launches(phase("p", "tile", "a", "b"), phase("q", "tile", "b", "a")) == ["p + q"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (phase("p", "tile", "a", "sum"), phase("q", "tile", "sum", "b")),
        (phase("p", "tile", "sum", "a"), phase("q", "tile", "a", "sum")),
        (phase("p", "tile", "a", "sum"), phase("q", "tile", "a", "sum")),
        (phase("p", "tile", "a", "b", "b"), phase("q", "tile", "b", "a")),
        (phase("p", "tile", "a", "b"), phase("q", "tile", "b", "a", "b")),
        (phase("p", "tile", "b", "a", "b"), phase("q", "tile", "a", "b")),
        (phase("p", "tile", "a", "b"), phase("q", "member", "b", "total")),
    ],
)
def test_what_passes_between_tiles_does(first: Phase, second: Phase) -> None:
    assert launches(first, second) == ["p", "q"]


@pytest.mark.unit
def test_a_phase_joins_an_earlier_launch_over_whatever_it_does_not_touch_and_not_over_what_it_does() -> None:
    between = phase("m", "member", "sum", "total")
    assert launches(phase("p", "tile", "a", "b"), between, phase("q", "tile", "b", "a")) == ["p + q", "m"]
    assert launches(phase("p", "tile", "a", "b"), between, phase("q", "tile", "b", "sum")) == ["p", "m", "q"]
    assert launches(phase("p", "tile", "a", "b"), between, phase("q", "tile", "total", "a")) == ["p", "m", "q"]


@pytest.mark.unit
def test_a_members_phases_share_a_launch_whatever_they_touch() -> None:
    first, second = phase("p", "member", "sum a", "total"), phase("q", "member", "total", "sum a")
    assert launches(first, second) == ["p + q"]


class Backwards(CpuBackend):
    """Tiles from the last to the first, each through all kernels of its launch: as far from the table as may be."""

    def launch(self, kernels: Sequence[str], world: np.ndarray, tick: int, count: int, *, over: Over) -> None:
        for number in reversed(range(count)):
            for kernel in kernels:
                getattr(self.compiled, f"{kernel}_one")(
                    ctypes.c_void_p(world.ctypes.data), ctypes.c_uint32(tick), ctypes.c_uint32(number)
                )


SCENARIOS = {
    "epidemic": """
population: {size: 9000}
contacts: {household: {weight: 3}}
disease: {r0: 3, exposed: {law: fixed, value: 2}, infectious: {law: poisson, mean: 5}}
introductions: [{tick: 0, count: 20}]
""",
    "exchange": "population: {size: 9001, money: 50}\nexchange: {law: share-of-pair}\n",
    "climate": "pathway: {kind: family, name: high}\n",
    "civilisation": """
population: {size: 20000}
world: {map: {regions: 10}}
people: {mortality: 6, migration: {rate: 2}}
zoom:
  changes:
    - {week: 0, to: aggregated, regions: {kind: listed, regions: [1, 4, 5]}}
    - {week: 25, to: persons, regions: {kind: listed, regions: [4]}}
    - {week: 30, to: aggregated, regions: {kind: largest, number: 2}}
""",
}
TICKS = {"epidemic": 40, "exchange": 20, "climate": 60, "civilisation": 60}


@pytest.mark.kernel
@pytest.mark.parametrize("name", SCENARIOS)
def test_launches_give_the_bits_of_phases_one_by_one(name: str) -> None:
    head = f"apiVersion: civlab/v1\nmodel: {name}\ntitle: t\nticks: {TICKS[name]}\n"
    scenario, model = parse_scenario(head + SCENARIOS[name]), model_of(name)
    assert len(model.launches) < len(model.phases)
    found = []
    for backend, fused in ((Backend.cpu(1), False), (Backwards(load(str(library(best_level()))), 1), True)):
        members = [MemberSpec(number, 5 + number, model.compile(scenario)) for number in range(2)]
        world = World.create(model, members, seed=3, backend=backend)
        world.fused = fused
        world.advance(world.ticks)
        found.append(world.member_digests())
    assert found[0] == found[1]
