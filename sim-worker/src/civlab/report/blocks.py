"""A run's members some at a time: what charts add up, and the percentiles of whatever they make of the metrics.

A chart says what it draws as a function of one block's metrics; it is called for every block in turn, so the memory
that a report takes does not grow with the members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from civlab.analysis.streaming import WholeMoments
from civlab.analysis.streaming import blocks as blocks_of_metric
from civlab.report.spread import Band, Series, Spread
from civlab.results.columns import to_floats
from civlab.results.parquet import open_parquet
from civlab.results.reader import Results
from civlab.results.schema import MEMBERS, TIMESERIES

Number = TypeVar("Number", bound=np.generic)

MOST_DRAWN = 800
"""Most ticks of a course that are drawn: a chart is not many more points wide."""


def drawn(values: NDArray[Number]) -> NDArray[Number]:
    """Every so-maniest of the values along the last axis, at most MOST_DRAWN of them."""
    return values[..., :: -(-values.shape[-1] // MOST_DRAWN) or 1]


class Block(Mapping[str, Series]):
    """The metrics of the members of one row group, [members, ticks] each, read when they are asked for."""

    def __init__(self, series: pq.ParquetFile, members: pq.ParquetFile, *, group: int, ticks: int) -> None:
        self._series = series
        self._members = members
        self._group = group
        self._ticks = ticks
        self._read: dict[str, Series] = {}

    def __getitem__(self, name: str) -> Series:
        if name not in self._read:
            column = self._series.read_row_group(self._group, columns=[name], use_threads=False)
            self._read[name] = to_floats(column.column(name)).reshape(-1, self._ticks)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._series.schema_arrow.names)

    def __len__(self) -> int:
        return len(self._series.schema_arrow.names)

    def figure(self, name: str) -> Series:
        """A column of the members' table, [members]."""
        column = self._members.read_row_group(self._group, columns=[name], use_threads=False)
        return to_floats(column.column(name))


Course = Callable[[Block], Series]
"""Makes a figure by tick, or by year or quarter, of a block's metrics: [members, columns]."""


class Blocks:
    """The members of a run, block by block. `error` is the largest of all bands that were made so far."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.error = 0.0

    def __iter__(self) -> Iterator[Block]:
        """The blocks in member order. Tables are cut at the same members, so groups of both belong together."""
        manifest, store = self.results.manifest, self.results.store
        for series, members in zip(manifest.files(TIMESERIES), manifest.files(MEMBERS), strict=True):
            with store.reader(series.path) as left, store.reader(members.path) as right:
                files = open_parquet(left), open_parquet(right)
                for group in range(files[0].num_row_groups):
                    yield Block(*files, group=group, ticks=manifest.ticks)

    def band(self, course: str | Course) -> Band:
        """The percentiles over all members of a metric, or of what is made of some; `drawn` of the ticks."""
        make: Course = (lambda block: block[course]) if isinstance(course, str) else course
        return self.spread(drawn(make(block)) for block in self)

    def spread(self, parts: Iterator[NDArray[Any]]) -> Band:
        """The percentiles over all members of [members, columns], which come some members at a time."""
        spread = Spread(self.results.manifest.members)
        for part in parts:
            spread.add(part)
        self.error = max(self.error, spread.error)
        return spread.band()

    def mean(self, metric: str) -> Series:
        """The mean over all members of a metric that counts, exact, by tick; `drawn` of them."""
        ticks = drawn(np.arange(self.results.manifest.ticks))
        moments = WholeMoments(len(ticks))
        for block in blocks_of_metric(self.results, metric):
            moments.add(drawn(block))
        return moments.mean()


def row_groups(results: Results, table: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of a table, one row group at a time in member order."""
    for item in results.manifest.files(table):
        with results.store.reader(item.path) as file:
            parquet = open_parquet(file)
            for group in range(parquet.num_row_groups):
                yield parquet.read_row_group(group, columns=list(columns), use_threads=False)
