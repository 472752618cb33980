"""Writes a shard's outcomes as Parquet: the same bytes for the same results.

Row groups are cut by the number of members, never by how the work happened to be batched, and all writer settings are
fixed; so interrupted and undisturbed shards leave identical files, and memory holds one row group at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from civlab.design import MemberPoint
from civlab.results.columns import to_arrow, to_texts
from civlab.results.declaration import ResultSet, Table
from civlab.results.outcome import BatchOutcome
from civlab.results.schema import MEMBERS, TIMESERIES
from civlab.store import ByteSink, Store

ROWS_IN_A_GROUP = 1 << 16
"""About how many rows of the longest table stand in one row group (10 MB of timeseries in memory, thrice while it is
written: a worker has room for that whatever its worlds take)."""
SETTINGS: dict[str, Any] = {
    "version": "2.6",
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": False,
    "data_page_size": 1 << 20,
    "write_statistics": True,
}


@dataclass(frozen=True)
class TableFile:
    """One file of a table: where it is below the run's prefix, and what it holds."""

    table: str
    path: str
    rows: int
    size: int
    blake3: str


def table_path(table: str, shard: int) -> str:
    """Where a shard's part of a table lives below the run's prefix."""
    return f"tables/{table}/shard-{shard:05d}.parquet"


def write_tables(
    outcomes: Iterable[BatchOutcome],
    points: Sequence[MemberPoint],
    *,
    results: ResultSet,
    schemas: Mapping[str, pa.Schema],
    store: Store,
    shard: int,
    rows_a_member: int,
    parameters: tuple[str, ...],
) -> tuple[TableFile, ...]:
    """Write all tables of a shard, whose outcomes come in member order; `points` are the ensemble's.

    `rows_a_member` is the most rows that a member may have in any table; row groups follow from it.
    """
    sinks = {table: store.sink(table_path(table, shard)) for table in schemas}
    rows = dict.fromkeys(schemas, 0)
    own = {table.name: table for table in results.tables}
    try:
        with ExitStack() as stack:
            writers = {
                table: stack.enter_context(pq.ParquetWriter(sinks[table], schema, **SETTINGS))
                for table, schema in schemas.items()
            }
            for group in regroup(outcomes, max(1, ROWS_IN_A_GROUP // rows_a_member)):
                for table, schema in schemas.items():
                    if table == TIMESERIES:
                        values = _timeseries(group)
                    elif table == MEMBERS:
                        values = _members(group, results, points, parameters)
                    else:
                        values = _own(group, own[table])
                    columns = zip(values, schema.types, strict=True)
                    content = pa.Table.from_arrays([_arrow(values, kind) for values, kind in columns], schema=schema)
                    writers[table].write_table(content, row_group_size=max(1, content.num_rows))
                    rows[table] += content.num_rows
    except BaseException:
        for sink in sinks.values():
            sink.discard()
        raise
    return tuple(_closed(sinks[table], table, shard, rows[table]) for table in schemas)


def regroup(outcomes: Iterable[BatchOutcome], members: int) -> Iterator[BatchOutcome]:
    """The same outcomes, cut into groups of exactly `members` members (the last may be smaller)."""
    waiting: list[BatchOutcome] = []
    for outcome in outcomes:
        for piece in _pieces(outcome, members - sum(item.count for item in waiting), members):
            waiting.append(piece)
            if sum(item.count for item in waiting) == members:
                yield BatchOutcome.joined(waiting)
                waiting = []
    if waiting:
        yield BatchOutcome.joined(waiting)


def _pieces(outcome: BatchOutcome, first_length: int, length: int) -> Iterator[BatchOutcome]:
    start, stop = 0, first_length
    while start < outcome.count:
        yield outcome.of_members(start, min(stop, outcome.count))
        start, stop = stop, stop + length


def _timeseries(outcome: BatchOutcome) -> list[NDArray[Any]]:
    ticks = len(outcome.cells)
    columns: list[NDArray[Any]] = [
        np.repeat(_indices(outcome), ticks),
        np.tile(np.arange(ticks), outcome.count),
    ]
    for values in outcome.series().values():
        by_member = np.swapaxes(values, 0, 1)
        columns.append(by_member.reshape(outcome.count * ticks, *by_member.shape[2:]))
    return columns


def _members(
    outcome: BatchOutcome, results: ResultSet, points: Sequence[MemberPoint], parameters: tuple[str, ...]
) -> list[NDArray[Any]]:
    own = points[outcome.first : outcome.first + outcome.count]
    figures = results.figures(outcome)
    columns: list[NDArray[Any]] = [np.array([point.index for point in own]), np.array([point.stream for point in own])]
    columns += [np.array([float(dict(point.values)[name]) for point in own]) for name in parameters]
    columns.append(outcome.agents)
    for headline in results.headlines:
        value = figures[headline.name]
        columns.append(value / 10**headline.places if headline.places else value)
    columns.append(outcome.digests)
    return columns


def _own(outcome: BatchOutcome, table: Table) -> list[NDArray[Any] | pa.Array]:
    rows = outcome.tables[table.name]
    columns = zip(table.columns, rows.columns, strict=True)
    values = (to_texts(values, column.labels) if column.labels else values for column, values in columns)
    return [np.repeat(_indices(outcome), rows.counts), *values]


def _arrow(values: NDArray[Any] | pa.Array, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else to_arrow(values, kind)


def _indices(outcome: BatchOutcome) -> NDArray[np.int64]:
    return np.arange(outcome.first, outcome.first + outcome.count)


def _closed(sink: ByteSink, table: str, shard: int, rows: int) -> TableFile:
    sink.close()
    return TableFile(table, table_path(table, shard), rows, sink.size, sink.hexdigest())
