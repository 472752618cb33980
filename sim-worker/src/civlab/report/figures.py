"""The numbers behind the charts: medians and bands by tick, figures by member, effects of parameters.

Courses over the ticks stream over all members (see `blocks`). What is drawn or ranked member by member is kept of at
most a hundred thousand evenly chosen ones, because nothing else in a report may grow with the members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from civlab.report.blocks import Blocks, Course, drawn
from civlab.report.spread import Band, Series
from civlab.results.columns import to_numpy
from civlab.results.parquet import open_parquet
from civlab.results.reader import Results
from civlab.results.schema import MEMBERS, PARAMETER_PREFIX

RANKED_MEMBERS = 100_000
"""Most members whose figures are kept, for histograms and rank correlations."""
POINTS = 2000
"""Most points of a chart that has one for each member."""


@dataclass(frozen=True)
class Effect:
    """How one varied parameter moves the outcome: its values and outcomes by member, and the rank correlation."""

    name: str
    values: Series
    outcomes: Series
    correlation: float


@dataclass(frozen=True)
class Figures:
    """What any model's charts draw. `members` holds the figures of the kept members; `fewer` says of what is drawn of
    still fewer ones, and of how many."""

    ticks: NDArray[np.int64]
    """The ticks that are drawn."""
    blocks: Blocks
    members: Mapping[str, Series]
    effects: tuple[Effect, ...]
    fewer: str

    def band(self, course: str | Course) -> Band:
        """The percentiles 5, 25, 50, 75 and 95 over all members of a metric, or of what is made of some."""
        return self.blocks.band(course)

    def extended(self, kind: type[FiguresT], **more: Any) -> FiguresT:
        """These figures and a model's own ones."""
        return kind(**{field.name: getattr(self, field.name) for field in fields(Figures)}, **more)


FiguresT = TypeVar("FiguresT", bound=Figures)


def collect_figures(results: Results, *, outcome: str) -> Figures:
    """Read what the charts need from a run's tables; `outcome` names the headline figure that parameters are held
    against."""
    names = [name for name in results.arrow_schema(MEMBERS).names if name not in ("member", "digest")]
    members = read_thinned(results, MEMBERS, names, most=RANKED_MEMBERS)
    columns = {name: to_numpy(members.column(name)).astype(np.float64) for name in ("member", *names)}
    return Figures(
        ticks=drawn(np.arange(results.manifest.ticks)),
        blocks=Blocks(results),
        members=columns,
        effects=tuple(
            Effect(name, columns[PARAMETER_PREFIX + name], columns[outcome], rank)
            for name in results.manifest.parameters
            for rank in [rank_correlation(columns[PARAMETER_PREFIX + name], columns[outcome])]
        ),
        fewer="",
    )


def points(values: Series) -> Series:
    """Every so-maniest member's value, at most POINTS of them."""
    return values[:: -(-len(values) // POINTS) or 1]


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
