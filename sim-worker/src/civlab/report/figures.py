"""The numbers behind the charts: medians and bands by tick, figures by member, effects of parameters.

Ensembles of many thousand members are thinned evenly before they are drawn, because a median over two thousand
members is as good to the eye as one over a million and needs a five-hundredth of the memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from civlab.results.columns import to_floats, to_numpy
from civlab.results.parquet import open_parquet
from civlab.results.reader import Results
from civlab.results.schema import MEMBERS, PARAMETER_PREFIX, TIMESERIES

DRAWN_MEMBERS = 2000
Series = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Percentiles over members by tick, [ticks] each."""

    low: Series
    lower: Series
    median: Series
    upper: Series
    high: Series


@dataclass(frozen=True)
class Effect:
    """How one varied parameter moves the outcome: its values and outcomes by member, and the rank correlation."""

    name: str
    values: Series
    outcomes: Series
    correlation: float


@dataclass(frozen=True)
class Figures:
    """What any model's charts draw. `series` holds [members drawn, ticks] by metric."""

    ticks: NDArray[np.int64]
    series: Mapping[str, Series]
    members: Mapping[str, Series]
    effects: tuple[Effect, ...]
    drawn: int

    def band(self, name: str, *, cumulative: bool = False) -> Band:
        """The percentiles 5, 25, 50, 75 and 95 of a metric over the drawn members."""
        values = self.series[name]
        return band(values.cumsum(axis=1) if cumulative else values)

    def extended(self, kind: type[FiguresT], **more: Any) -> FiguresT:
        """These figures and a model's own ones."""
        return kind(**{field.name: getattr(self, field.name) for field in fields(Figures)}, **more)


FiguresT = TypeVar("FiguresT", bound=Figures)


def band(values: Series) -> Band:
    """Percentiles by column of [members, ticks]; not-a-number entries are left out."""
    with np.errstate(all="ignore"):
        enough = np.isfinite(values).sum(axis=0) * 2 >= len(values)
        filled = np.where(enough, values, 0.0)
        rows = np.where(enough, np.nanpercentile(filled, (5, 25, 50, 75, 95), axis=0), np.nan)
    return Band(*rows)


def collect_figures(results: Results, *, metrics: Sequence[str], outcome: str) -> Figures:
    """Read what the charts need from a run's tables: some metrics, and every member's figures; `outcome` names the
    headline figure that parameters are held against."""
    members = results.arrow(MEMBERS)
    series = read_series(results, metrics)
    columns = {
        name: to_numpy(members.column(name)).astype(np.float64) for name in members.column_names if name != "digest"
    }
    return Figures(
        ticks=np.arange(results.manifest.ticks),
        series=series,
        members=columns,
        effects=tuple(
            Effect(name, columns[PARAMETER_PREFIX + name], columns[outcome], rank)
            for name in results.manifest.parameters
            for rank in [rank_correlation(columns[PARAMETER_PREFIX + name], columns[outcome])]
        ),
        drawn=len(next(iter(series.values()))),
    )


def rank_correlation(left: Series, right: Series) -> float:
    """Spearman's rank correlation, ties sharing their mean rank; 0 when either side does not vary."""
    ranks = [_ranks(left), _ranks(right)]
    centred = [rank - rank.mean() for rank in ranks]
    scale = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / scale) if scale else 0.0


def _ranks(values: Series) -> Series:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks: Series = (ends - (counts - 1) / 2.0)[inverse]
    return ranks


def read_series(results: Results, metrics: Sequence[str]) -> dict[str, Series]:
    """Metrics of evenly chosen members, [members drawn, ticks] each."""
    table = read_thinned(results, TIMESERIES, metrics, most=DRAWN_MEMBERS)
    shape = (-1, results.manifest.ticks)
    return {name: to_floats(table.column(name)).reshape(shape) for name in metrics}


def read_thinned(results: Results, table: str, columns: Sequence[str], *, most: int) -> pa.Table:
    """`member` and some columns of the rows of at most `most` evenly chosen members, read one row group at a time."""
    step = -(-results.manifest.members // most)
    parts: list[pa.Table] = []
    for item in results.manifest.files(table):
        with results.store.reader(item.path) as file:
            parquet = open_parquet(file)
            for group in range(parquet.num_row_groups):
                reach = parquet.metadata.row_group(group).column(0).statistics
                if reach.max // step * step < reach.min:
                    continue
                rows = parquet.read_row_group(group, columns=["member", *columns], use_threads=False)
                remainder = pc.subtract(
                    rows.column("member"), pc.multiply(pc.divide(rows.column("member"), step), step)
                )
                parts.append(rows.filter(pc.equal(remainder, 0)) if step > 1 else rows)
    return pa.concat_tables(parts)
