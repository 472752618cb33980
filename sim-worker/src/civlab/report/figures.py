"""The numbers behind the charts: medians and bands by tick, shares by age and layer, effects of parameters.

Ensembles of many thousand members are thinned evenly before they are drawn, because a median over two thousand
members is as good to the eye as one over a million and needs a five-hundredth of the memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from civlab.models.epidemic.layout import LAYERS
from civlab.results.columns import to_numpy
from civlab.results.reader import Results
from civlab.results.schema import AGES, MEMBERS, PARAMETER_PREFIX, TIMESERIES

DRAWN_MEMBERS = 2000
SERIES = (
    "new_infections",
    "susceptible",
    "exposed",
    "infectious",
    "hospital",
    "recovered",
    "dead",
    "introduced",
    "doses",
    *(f"infected_{layer}" for layer in LAYERS),
)
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
    """How one varied parameter moves the attack rate: its values and outcomes by member, and the rank correlation."""

    name: str
    values: Series
    outcomes: Series
    correlation: float


@dataclass(frozen=True)
class Figures:
    """Everything that the charts draw. `series` holds [members drawn, ticks] by metric."""

    ticks: NDArray[np.int64]
    series: Mapping[str, Series]
    members: Mapping[str, Series]
    ages: Mapping[str, Series]
    effects: tuple[Effect, ...]
    drawn: int
    beds: int | None

    def band(self, name: str, *, cumulative: bool = False) -> Band:
        """The percentiles 5, 25, 50, 75 and 95 of a metric over the drawn members."""
        values = self.series[name]
        return band(values.cumsum(axis=1) if cumulative else values)

    def reproduction(self) -> Band:
        """An instantaneous reproduction number by tick.

        New infections (introductions apart) times the mean time spent infectious, over those who were infectious at
        the end of the tick before: the moment estimate of Fraser (PLoS ONE 2, e758, 2007) without smoothing. Ticks
        with fewer than ten infectious persons are left out of a member's series.
        """
        flow = self.series["new_infections"] - self.series["introduced"]
        stock = self.series["infectious"]
        ended = np.maximum(1.0, (self.series["new_infections"].sum(axis=1) - self.series["exposed"][:, -1]))
        duration = stock.sum(axis=1) / ended
        before = np.concatenate([np.zeros((len(stock), 1)), stock[:, :-1]], axis=1)
        ratio = np.full(stock.shape, np.nan)
        np.divide(flow * duration[:, None], before, out=ratio, where=before >= 10)
        return band(ratio)


def band(values: Series) -> Band:
    """Percentiles by column of [members, ticks]; not-a-number entries are left out."""
    with np.errstate(all="ignore"):
        enough = np.isfinite(values).sum(axis=0) * 2 >= len(values)
        filled = np.where(enough, values, 0.0)
        rows = np.where(enough, np.nanpercentile(filled, (5, 25, 50, 75, 95), axis=0), np.nan)
    return Band(*rows)


def collect_figures(results: Results, *, beds: int | None) -> Figures:
    """Read what the charts need from a run's tables."""
    members = results.arrow(MEMBERS)
    step = -(-members.num_rows // DRAWN_MEMBERS)
    series = _series(results, step)
    columns = {
        name: to_numpy(members.column(name)).astype(np.float64) for name in members.column_names if name != "digest"
    }
    return Figures(
        ticks=np.arange(results.manifest.ticks),
        series=series,
        members=columns,
        ages=_ages(results),
        effects=tuple(
            Effect(name, columns[PARAMETER_PREFIX + name], columns["attack_rate"], rank)
            for name in results.manifest.parameters
            for rank in [rank_correlation(columns[PARAMETER_PREFIX + name], columns["attack_rate"])]
        ),
        drawn=len(series["infectious"]),
        beds=beds,
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


def _series(results: Results, step: int) -> dict[str, Series]:
    """Metrics of every `step`-th member, read one row group at a time."""
    parts: list[pa.Table] = []
    for item in results.manifest.files(TIMESERIES):
        with results.store.reader(item.path) as file:
            parquet = pq.ParquetFile(file)
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=["member", *SERIES], use_threads=False)
                remainder = pc.subtract(
                    table.column("member"), pc.multiply(pc.divide(table.column("member"), step), step)
                )
                parts.append(table.filter(pc.equal(remainder, 0)) if step > 1 else table)
    table = pa.concat_tables(parts)
    shape = (-1, results.manifest.ticks)
    return {name: to_numpy(table.column(name)).reshape(shape).astype(np.float64) for name in SERIES}


def _ages(results: Results) -> dict[str, Series]:
    """By age group [groups]: persons, infected and dead over all members, with the spread of the attack rate."""
    table = results.arrow(AGES)
    groups = len(set(table.column("age_from").to_pylist()))
    values: dict[str, Any] = {
        name: to_numpy(table.column(name)).reshape(-1, groups).astype(np.float64)
        for name in ("age_from", "persons", "infected", "dead")
    }
    persons = np.maximum(values["persons"], 1.0)
    shares = values["infected"] / persons
    low, high = np.percentile(shares, (5, 95), axis=0)
    return {
        "age_from": values["age_from"][0],
        "attack": values["infected"].sum(axis=0) / np.maximum(values["persons"].sum(axis=0), 1.0),
        "low": low,
        "high": high,
        "infected": values["infected"].mean(axis=0),
        "dead": values["dead"].mean(axis=0),
    }
