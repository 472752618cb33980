"""An economy of exchange does not depend on how it is run, and stops where money is lost or a debt appears."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from civlab.errors import CivlabError
from civlab.models.exchange.compile import CompiledExchange
from civlab.models.exchange.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.world import World
from parpour_contracts.scenario import estimate, parse_scenario

from .worlds import LAWS, compiled, document, world_of

pytestmark = pytest.mark.kernel

SIZES = (3, 9001, 64, 8192, 1023)


def economies() -> list[CompiledExchange]:
    """One of each law and size."""
    return [compiled(law, size=size) for law, size in zip(LAWS, SIZES, strict=True)]


def digests(backend: Backend) -> list[bytes]:
    """Of all members after the whole run."""
    world = world_of(economies(), backend)
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


def test_batches_and_snapshots_do_not_matter(reference: list[bytes]) -> None:
    members = [MemberSpec(number, 40 + number, scenario) for number, scenario in enumerate(economies())]
    world = World.create(MODEL, members, seed=7, backend=Backend.cpu(1))
    world.advance(11)
    saved = world.snapshot()
    found: dict[int, bytes] = {}
    for part in (members[3:], members[:1], members[1:3]):
        batch = World.restore(MODEL, part, seed=7, backend=Backend.cpu(2), snapshot=saved)
        batch.advance(batch.ticks - batch.tick)
        found.update(zip((member.index for member in part), batch.member_digests(), strict=True))
    assert [found[number] for number in range(len(members))] == reference


def test_two_economies_of_one_seed_and_two_streams_differ(reference: list[bytes]) -> None:
    members = [MemberSpec(number, stream, compiled()) for number, stream in enumerate((1, 2, 1))]
    world = World.create(MODEL, members, seed=7, backend=Backend.cpu(1))
    world.advance(world.ticks)
    first, second, third = world.member_digests()
    assert first == third != second


def test_money_is_conserved_in_every_round_and_nobody_is_in_debt() -> None:
    world = world_of(economies(), Backend.cpu(2))
    for _ in range(world.ticks):
        world.advance()
        for number, size in enumerate(SIZES):
            held = world.member_column("money", number)
            assert int(held.sum()) == 100 * size
            assert int(held.max()) <= 100 * size
    series = world.metrics(0, world.ticks)["money"]
    assert np.array_equal(series, np.broadcast_to([100 * size for size in SIZES], series.shape))


def test_a_coin_that_is_made_stops_the_run_by_name() -> None:
    world = world_of(economies(), Backend.cpu(1))
    world.advance(5)
    world.arrays.column["money"][world.segment("agent", 3)[0] + 17] += 1
    with pytest.raises(CivlabError) as stopped:
        world.advance(3)
    assert (stopped.value.code, stopped.value.path) == ("CONSERVATION_BROKEN", "member 3")
    assert "tick 5" in stopped.value.message


def test_a_debt_stops_the_run_by_name_though_the_total_is_right() -> None:
    world = world_of([compiled("{law: fixed-amount}", size=400)], Backend.cpu(1))
    world.advance(5)
    first = world.segment("agent", 0)[0]
    money = world.arrays.column["money"]
    lent = int(money[first]) + 50
    money[first] = 2**64 - 50
    money[first + 1] += lent
    with pytest.raises(CivlabError) as stopped:
        world.advance()
    assert stopped.value.code == "DEBT_FOUND"
    assert "tick 5" in stopped.value.message


def test_money_that_moves_behind_the_chain_stops_the_run() -> None:
    world = world_of([compiled()], Backend.cpu(1))
    world.advance(5)
    money = world.arrays.column["money"]
    richest = int(np.argmax(money))
    money[richest] -= 1
    money[0 if richest else 1] += 1
    world.advance()
    with pytest.raises(CivlabError) as stopped:
        world.snapshot()
    assert (stopped.value.code, stopped.value.path) == ("CHAIN_BROKEN", "member 0, column money")


def test_a_phase_writes_only_the_columns_that_it_declares_and_scratch_is_left_empty() -> None:
    world = world_of(economies(), Backend.cpu(1))
    names = list(world.arrays.column)
    changed: dict[str, set[str]] = {phase.name: set() for phase in MODEL.phases}
    for _ in range(3):
        for phase in MODEL.phases:
            before = {name: world.arrays.column[name].copy() for name in names}
            world.run_phase(phase)
            changed[phase.name] |= {n for n in names if not np.array_equal(before[n], world.arrays.column[n])}
        world.tick += 1
        for column in MODEL.columns:
            if column.role == "scratch" and column.name != "column_recount":
                assert not world.download(column.name).any(), column.name
    assert changed == {phase.name: set(phase.writes) - {"fault"} for phase in MODEL.phases}


def test_of_an_odd_number_one_agent_drawn_anew_does_not_trade() -> None:
    world = world_of([compiled("{law: pooled}", size=301, money=10**9)], Backend.cpu(1))
    idle = set()
    for _ in range(20):
        before = world.member_column("money", 0).copy()
        world.advance()
        same = np.flatnonzero(before == world.member_column("money", 0))
        assert len(same) == 1
        idle.add(int(same[0]))
    assert len(idle) > 10


def test_memory_stays_within_the_estimate() -> None:
    scenario = parse_scenario(document(size=60_000, ticks=200))
    compiled_form = MODEL.compile(scenario)
    members = [MemberSpec(number, number, compiled_form) for number in range(3)]
    world = World.create(MODEL, members, seed=1, backend=Backend.cpu(1))
    assert world.arrays.bytes() <= estimate(scenario, members=3).bytes
