"""The runtime keeps its promises for a model of several kinds, of wide columns and of histories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from civlab.errors import CivlabError
from civlab.results.declaration import ResultSet, Table, TableColumn
from civlab.results.outcome import BatchOutcome, batch_outcome
from civlab.results.schema import TIMESERIES, WIDE, table_schemas
from civlab.results.tables import write_tables
from civlab.runs.snapshots import decode_snapshot, encode_snapshot
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.columns import Column, Kind, metric_cells
from civlab.runtime.header import header, recount
from civlab.runtime.world import World
from civlab.store import open_store

from .ledger_model import METRICS, MODEL, TICKS, Ledger, built
from .test_nvrtc import ptx_of

pytestmark = pytest.mark.kernel

SIZES = ((300, 2), (64, 1), (1000, 5))
MEMBERS = [MemberSpec(i, i, Ledger(accounts, banks)) for i, (accounts, banks) in enumerate(SIZES)]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """The compiled ledger."""
    return built(tmp_path_factory.mktemp("ledger") / "package")


def world_of(backend: Backend, members: list[MemberSpec[Ledger]] = MEMBERS, ticks: int = TICKS) -> World:
    """A world after so many ticks."""
    world = World.create(MODEL, members, seed=5, backend=backend)
    world.advance(ticks)
    return world


def test_members_come_out_the_same_in_any_batch_and_any_lanes(backend: Backend, tmp_path: Path) -> None:
    digests = world_of(backend).member_digests()
    assert world_of(backend, MEMBERS[::-1]).member_digests() == digests[::-1]
    assert [world_of(backend, [member]).member_digests()[0] for member in MEMBERS] == digests
    assert world_of(built(tmp_path / "lanes", defines=["CIVLAB_LANES=5u"])).member_digests() == digests
    assert len(set(digests)) == 3


@pytest.mark.parametrize("stop", [0, 1, 4, 6])
def test_a_snapshot_resumes_to_the_same_bits_in_other_batches(backend: Backend, stop: int) -> None:
    facts, arrays = encode_snapshot(world_of(backend, ticks=stop).snapshot())
    saved = decode_snapshot(facts, arrays)
    found: dict[int, bytes] = {}
    for part in ([MEMBERS[2], MEMBERS[0]], [MEMBERS[1]]):
        world = World.restore(MODEL, part, seed=5, backend=backend, snapshot=saved)
        world.advance(TICKS - stop)
        found.update(zip((member.index for member in part), world.member_digests(), strict=True))
    assert [found[index] for index in range(3)] == world_of(backend).member_digests()


@pytest.mark.parametrize("column", MODEL.dynamic, ids=lambda column: column.name)
def test_a_change_behind_the_chain_is_caught_in_any_column(backend: Backend, column: Column) -> None:
    world = world_of(backend, ticks=3)
    first, count = world.segment(column.per, 2)
    world.arrays.column[column.name][(first + count) * column.width - 1] += 1
    with pytest.raises(CivlabError) as stopped:
        world.check()
    assert (stopped.value.code, stopped.value.path) == ("CHAIN_BROKEN", f"member 2, column {column.name}")


@pytest.mark.parametrize("kind", MODEL.recounted, ids=lambda kind: kind.name)
def test_generated_recounts_compile_for_cuda(kind: Kind, tmp_path: Path) -> None:
    (tmp_path / "layout.h").write_text(header(MODEL))
    source = tmp_path / "recount.c"
    source.write_text(recount(MODEL, kind))
    assert f"ledger_recount_{kind.name}" in ptx_of(source, "90")


def test_a_fault_names_member_and_place(backend: Backend) -> None:
    world = world_of(backend, ticks=2)
    world.tick = 3
    with pytest.raises(CivlabError) as stopped:
        world.advance(0)
    assert (stopped.value.code, stopped.value.path) == ("CONSERVATION_BROKEN", "member 0, phase sum, bank 0")


def expected_total(banks: int, tick: int) -> int:
    """What a member's banks hold after a tick."""
    return (tick + 1) * sum(2**64 - 1 - bank for bank in range(banks))


def test_metrics_of_f64_and_of_128_bits_come_back_as_they_were(backend: Backend) -> None:
    values = world_of(backend).metrics(0, TICKS)
    assert values["mean_rate"][:, 1].tolist() == [1.0625 ** (tick + 1) for tick in range(TICKS)]
    low, high = (int(limb) for limb in values["total"][4, 2])
    assert (high << 64) + low == expected_total(5, 4)
    assert metric_cells(METRICS) == {"mean_rate": 0, "total": 1, "turns": 3}


def test_histories_hold_a_row_for_every_so_many_ticks(backend: Backend) -> None:
    rows = world_of(backend).member_rows("bank_history", 2)
    assert rows[:, :, 0].tolist() == [[2, 4, 6, 8, 10]] * 3 + [[1, 2, 3, 4, 5]]


def banks(world: World, number: int) -> list[np.ndarray]:
    """The banks of a member at the end."""
    return [world.member_column("total", number), world.member_column("rate", number)]


RESULTS = ResultSet(
    size=TableColumn("accounts", pa.int64(), "", "accounts"),
    headlines=(),
    figures=lambda outcome: {},
    tables=(
        Table(
            "banks",
            (TableColumn("total", WIDE, "cent", "total"), TableColumn("rate", pa.float64(), "", "rate")),
            rows=banks,
        ),
    ),
)


def test_tables_hold_128_bit_numbers_as_decimals(backend: Backend, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    from civlab.design import MemberPoint

    outcome = batch_outcome(world_of(backend), RESULTS.tables, first=0)
    again = BatchOutcome.from_arrays(0, METRICS, RESULTS.tables, outcome.arrays())
    store = open_store(tmp_path / "out", create=True)
    files = write_tables(
        [again.of_members(0, 1), again.of_members(1, 3)],
        [MemberPoint(index, index, ()) for index in range(3)],
        results=RESULTS,
        schemas=table_schemas(METRICS, RESULTS, (), on_request=False),
        store=store,
        shard=0,
        rows_a_member=TICKS,
        parameters=(),
    )
    found = {file.table: pq.read_table(tmp_path / "out" / file.path).to_pydict() for file in files}
    assert [int(value) for value in found["banks"]["total"]] == [
        TICKS * (2**64 - 1 - bank) for _, count in SIZES for bank in range(count)
    ]
    assert found["banks"]["member"] == [0, 0, 1, 2, 2, 2, 2, 2]
    assert [int(value) for value in found[TIMESERIES]["total"]] == [
        expected_total(count, tick) for _, count in SIZES for tick in range(TICKS)
    ]
    assert found["members"]["accounts"] == [300, 64, 1000]
