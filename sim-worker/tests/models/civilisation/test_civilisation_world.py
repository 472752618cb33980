"""A civilisation does not depend on how it is run, and kernels touch no other columns than the tick's table says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from civlab.models.civilisation.compile import CompiledCivilisation, compile_civilisation
from civlab.models.civilisation.layout import SLOW, WEEKS
from civlab.models.civilisation.model import MODEL
from civlab.models.civilisation.phases import PHASES, STAGES
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.world import World
from civlab.store import open_store
from parpour_contracts.scenario import estimate, parse_scenario
from parpour_contracts.simulation import Ensemble

from .civilisations import compiled, document, specs, world_of
from .kernel_sources import columns_touched

pytestmark = pytest.mark.kernel

TICKS = WEEKS + 2 * SLOW
UNREST = """\
people: {mortality: 10, total_fertility: 3, households: {leave: 2, partner: 0.6}, migration: {rate: 1, abroad: 1}}
economy:
  firms: {dispersion: 1.5, debt: 1, cash: 1, buffer: 1}
  credit: {loan_to_value: 1, spread: 0.5, recovery: 0.3, capital_ratio: 0.01}
  demand: {government: {energy: 0.3, public: 0.7}}
"""
"""Deaths, moves, failures and a government that buys energy: rare things that some kernels are about."""
ZOOMS = """\
zoom:
  changes:
    - {week: 2, to: aggregated, regions: {kind: all-but-largest, number: 2}}
    - {week: 30, to: persons, regions: {kind: nation, nation: Last}}
    - {week: 43, to: aggregated, regions: {kind: listed, regions: [0, 5]}}
    - {week: 47, to: persons}
"""
"""Regions of each zoom side by side, and changes in both directions, before a round of people and in one."""


def civilisations() -> list[CompiledCivilisation]:
    """Several tiles in a region, small nations with quarterly rounds, two members of a scenario, a world in unrest."""
    return [
        compiled(size=12_000, regions=2, nations=1, ticks=TICKS),
        compiled(size=2500, regions=12, nations=4, ticks=TICKS, more="people: {round: 13}\n"),
        *[compiled(ticks=TICKS)] * 2,
        compiled(size=9000, regions=3, nations=3, ticks=TICKS, more=UNREST),
        compiled(ticks=TICKS, more=ZOOMS),
    ]


def digests(backend: Backend) -> list[bytes]:
    """Of all members after the whole run."""
    world = world_of(*civilisations(), backend=backend)
    world.advance(world.ticks)
    return world.member_digests()


@pytest.fixture(scope="module")
def reference() -> list[bytes]:
    """Digests of the members in one batch on one thread."""
    return digests(Backend.cpu(1))


def test_backends_and_threads_give_the_same_digests(reference: list[bytes], backend: Backend) -> None:
    assert digests(backend) == reference


def test_each_compiled_library_gives_the_same_digests(reference: list[bytes], level: str) -> None:
    assert digests(Backend.cpu(2, level=level)) == reference


@pytest.mark.long
def test_several_lanes_a_tile_as_on_a_gpu_give_the_same_digests(reference: list[bytes], lanes_library: Path) -> None:
    assert digests(CpuBackend(load(str(lanes_library)), 2)) == reference


def test_members_of_one_stream_live_alike_and_others_do_not(reference: list[bytes]) -> None:
    members = [MemberSpec(number, stream, compiled(ticks=TICKS)) for number, stream in enumerate((42, 1, 42))]
    world = World.create(MODEL, members, seed=7, backend=Backend.cpu(1))
    world.advance(world.ticks)
    first, second, third = world.member_digests()
    assert first == third == reference[2]
    assert second not in reference


def test_batches_and_their_order_do_not_matter(reference: list[bytes]) -> None:
    members = specs(civilisations())
    found: dict[int, bytes] = {}
    for part in ([members[3], members[1]], [members[4]], [members[2], members[5], members[0]]):
        world = World.create(MODEL, part, seed=7, backend=Backend.cpu(2))
        world.advance(world.ticks)
        found.update(zip((member.index for member in part), world.member_digests(), strict=True))
    assert [found[number] for number in range(len(members))] == reference


def test_interruptions_around_rounds_of_people_and_the_turn_of_the_year_change_nothing(reference: list[bytes]) -> None:
    members = specs(civilisations())
    world = World.create(MODEL, members, seed=7, backend=Backend.cpu(1))
    for tick in (1, SLOW - 1, SLOW, 11, 12, WEEKS - 1, WEEKS, WEEKS + 1, TICKS - 1):
        world.advance(tick - world.tick)
        members = members[2:] + members[:2]
        world = World.restore(MODEL, members, seed=7, backend=Backend.cpu(2), snapshot=world.snapshot())
    world.advance(world.ticks - world.tick)
    found = dict(zip((member.index for member in members), world.member_digests(), strict=True))
    assert [found[number] for number in range(len(members))] == reference


def test_shards_and_memory_change_no_digest_of_a_run() -> None:
    ensemble = Ensemble.model_validate({"members": 3, "design": {"type": "Replicate"}})
    text = document(ticks=SLOW + 1)
    one = estimate(parse_scenario(text)).peak
    ends = []
    for shards, memory in ((1, 10 * one), (1, one), (3, 10 * one)):
        spec = RunSpec.create(text, ensemble=ensemble, seed=11, shards=shards)
        outcome = run_whole(spec, open_store("memory://"), Backend.cpu(1), checkpoint_every=2, memory=memory)
        assert outcome.manifest is not None
        ends.append(outcome.manifest.digest)
    assert len(set(ends)) == 1


def test_memory_stays_within_the_estimate() -> None:
    for size, regions in ((60_000, 20), (3000, 50)):
        scenario = parse_scenario(document(size=size, regions=regions, ticks=200))
        form = compile_civilisation(scenario)
        world = world_of(*[form] * 2)
        assert world.arrays.bytes() <= estimate(scenario, members=2).bytes


PLANNED = {column.name for column in MODEL.columns if column.role == "plan"}


def test_every_kernel_names_the_columns_of_its_row_of_the_tick_and_no_others() -> None:
    declared = {column.name for column in MODEL.columns}
    for phase in PHASES:
        touched = (columns_touched(phase.kernel, phase.over) & declared) - PLANNED
        assert touched == (set(phase.reads) | set(phase.writes)) - PLANNED, phase.name


SEEN_ELSEWHERE = {
    "climate": {"fault", "land"},
    "accept2": {"sought"},
    "accept3": {"sought"},
    "account": {"demanded"},
    "audit": {"fault", "fault_place", "fault_residue"},
}
"""What a run that stops shows, what the second year changes, and cells that are emptied though they often are empty."""
CLOSELY = (SLOW - 1, SLOW, 2 * SLOW - 1, WEEKS)
"""Ticks in which all columns are watched, not only those that a phase says it writes."""


def test_every_phase_writes_only_what_its_row_says_and_the_economys_write_all_of_it() -> None:
    world = world_of(civilisations()[0], *civilisations()[3:])
    every = tuple(name for name in world.arrays.column if name not in PLANNED)
    changed: dict[str, set[str]] = {phase.name: set() for phase in PHASES}
    for _ in range(world.ticks):
        for phase in PHASES:
            names = every if world.tick in CLOSELY else phase.writes
            before = {name: world.arrays.column[name].copy() for name in names}
            world.run_phase(phase)
            changed[phase.name] |= {n for n in names if not np.array_equal(before[n], world.arrays.column[n])}
        world.tick += 1
    assert MODEL.fault(world) is None
    for phase in PHASES:
        assert changed[phase.name] <= set(phase.writes), phase.name
        if phase.stage != "people":
            assert changed[phase.name] | SEEN_ELSEWHERE.get(phase.name, set()) == set(phase.writes), phase.name


def test_what_is_scratch_is_empty_between_ticks_or_written_before_it_is_read() -> None:
    """Cells that are left full may hold anything; all the others are empty after each tick."""
    full: set[str] = set()
    world = world_of(*civilisations()[2:])
    scratch = [c.name for c in MODEL.columns if c.role == "scratch" and c.name in world.arrays.column]
    for _ in range(world.ticks):
        world.advance()
        full |= {name for name in scratch if world.arrays.column[name].any()}
    undisturbed = world.member_digests()
    world = world_of(*civilisations()[2:])
    for _ in range(world.ticks):
        for name in full:
            world.arrays.column[name][:] = 1
        world.advance()
    assert world.member_digests() == undisturbed
    assert full < set(scratch)


def test_the_tick_has_eleven_stages() -> None:
    assert list(dict.fromkeys(phase.stage for phase in PHASES)) == list(STAGES)
    assert len(STAGES) == 11
