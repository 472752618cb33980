"""What a batch of members came to: the bridge from a world at its end to tables.

It is kept as plain arrays, so that it can wait in the store until the shard's other batches are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from civlab.runtime.columns import Metric, metric_values
from civlab.runtime.world import World

if TYPE_CHECKING:
    from civlab.results.declaration import Table


@dataclass(frozen=True)
class Rows:
    """Rows of one table, member after member: how many each has, int64 [members], and one array a column."""

    counts: NDArray[np.int64]
    columns: tuple[NDArray[Any], ...]

    def of_members(self, start: int, stop: int) -> Rows:
        """The rows of some of the members."""
        first, last = (int(self.counts[:member].sum()) for member in (start, stop))
        return Rows(self.counts[start:stop], tuple(column[first:last] for column in self.columns))

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """One after the other; a single part is itself."""
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part.columns for part in parts), strict=True)
        return cls(np.concatenate([part.counts for part in parts]), tuple(np.concatenate(column) for column in columns))


@dataclass(frozen=True)
class BatchOutcome:
    """Results of the members first, first + 1, …

    `digests` is u8 [members, 32]; `cells` i64 [ticks, members, cells], the metrics as they were recorded; `agents` i64
    [members]; `tables` the rows of the model's own tables.
    """

    first: int
    metrics: tuple[Metric, ...]
    digests: NDArray[np.uint8]
    cells: NDArray[np.int64]
    agents: NDArray[np.int64]
    tables: Mapping[str, Rows]

    @property
    def count(self) -> int:
        """Number of members."""
        return int(self.digests.shape[0])

    def series(self) -> dict[str, NDArray[Any]]:
        """Every metric, [ticks, members] (see `metric_values`)."""
        return metric_values(self.metrics, self.cells)

    def of_members(self, start: int, stop: int) -> BatchOutcome:
        """The outcome of some of the members, by their places."""
        tables = {name: rows.of_members(start, stop) for name, rows in self.tables.items()}
        return BatchOutcome(
            self.first + start,
            self.metrics,
            self.digests[start:stop],
            self.cells[:, start:stop],
            self.agents[start:stop],
            tables,
        )

    @classmethod
    def joined(cls, parts: Sequence[BatchOutcome]) -> BatchOutcome:
        """The outcome of batches that follow each other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].first,
            parts[0].metrics,
            np.concatenate([part.digests for part in parts]),
            np.concatenate([part.cells for part in parts], axis=1),
            np.concatenate([part.agents for part in parts]),
            {name: Rows.joined([part.tables[name] for part in parts]) for name in parts[0].tables},
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays by name, as `from_arrays` takes them."""
        named: dict[str, NDArray[Any]] = {"digests": self.digests, "cells": self.cells, "agents": self.agents}
        for name, rows in self.tables.items():
            named[f"{name}.counts"] = rows.counts
            named.update({f"{name}.{number}": column for number, column in enumerate(rows.columns)})
        return named

    @classmethod
    def from_arrays(
        cls, first: int, metrics: tuple[Metric, ...], tables: Iterable[Table], arrays: Mapping[str, NDArray[Any]]
    ) -> BatchOutcome:
        """The outcome of the batch that begins at member `first`."""
        rows = {
            table.name: Rows(
                arrays[f"{table.name}.counts"],
                tuple(arrays[f"{table.name}.{number}"] for number in range(len(table.columns))),
            )
            for table in tables
        }
        return cls(first, metrics, arrays["digests"], arrays["cells"], arrays["agents"], rows)


def batch_outcome(world: World, tables: Iterable[Table], *, first: int) -> BatchOutcome:
    """What the world's members came to after their last tick."""
    count = len(world.members)
    return BatchOutcome(
        first=first,
        metrics=world.model.metrics,
        digests=np.frombuffer(b"".join(world.member_digests()), dtype=np.uint8).reshape(count, 32),
        cells=world.history(0, world.ticks),
        agents=np.array(world.agents(), dtype=np.int64),
        tables={
            table.name: Rows.joined([_rows(table.rows(world, number)) for number in range(count)]) for table in tables
        },
    )


def _rows(columns: Sequence[NDArray[Any]]) -> Rows:
    """The rows of one member."""
    return Rows(np.array([len(columns[0])], dtype=np.int64), tuple(columns))
