"""Statistics over the members by tick, in one pass over a run's row groups.

Memory does not grow with the members: moments are sums that merge (exact whole numbers where the metric is one), and
quantiles come from counts of values whose last 42 bits are cut off, which merge too and depend on no order. A sketch by
the bits of the number was chosen over t-digest and the like because its result is the same whatever the row groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.results.columns import to_floats, to_numpy
from civlab.results.parquet import open_parquet
from civlab.results.reader import Results
from civlab.results.schema import TIMESERIES

CUT_BITS = 42
"""Bits of a double that the sketch does not see: what is left keeps 11 significant binary digits."""
KEY_BITS = 64 - CUT_BITS
LEAST_KEY = 1 << (KEY_BITS - 1)
"""What is added to keys, lest any be negative."""
MANTISSA_BITS = 52
COARSEST = MANTISSA_BITS - CUT_BITS
"""Bits that may be cut off besides: what is left tells powers of two apart."""
LIMB_BITS = 21
MOST_ROWS = 1 << (LIMB_BITS - 1)
"""Most members in one exact sum: products of two limbs then stay below 2^63."""
LIMB = (1 << LIMB_BITS) - 1

Series = NDArray[np.float64]


def blocks(results: Results, metric: str) -> Iterator[NDArray[Any]]:
    """A metric, [members of a row group, ticks] at a time in member order; 128-bit numbers as f64.

    Raises CivlabError as `Results.arrow` does, and KeyError for a metric that the run does not have.
    """
    for item in results.manifest.files(TIMESERIES):
        with results.store.reader(item.path) as file:
            parquet = open_parquet(file)
            if metric not in parquet.schema_arrow.names:
                raise KeyError(metric)
            for group in range(parquet.num_row_groups):
                column = parquet.read_row_group(group, columns=[metric], use_threads=False).column(0)
                values = to_floats(column) if pa.types.is_decimal(column.type) else to_numpy(column)
                yield values.reshape(-1, results.manifest.ticks)


class WholeMoments:
    """Exact sums of whole numbers and of their squares, by column."""

    def __init__(self, columns: int) -> None:
        self.count = 0
        self._sums = [0] * columns
        self._squares = [0] * columns

    def add(self, block: NDArray[np.int64]) -> None:
        """Take in rows of int64, [rows, columns]."""
        for first in range(0, len(block), MOST_ROWS):
            rows = block[first : first + MOST_ROWS]
            self.count += len(rows)
            low, middle, high = rows & LIMB, (rows >> LIMB_BITS) & LIMB, rows >> (2 * LIMB_BITS)
            limbs = (low, middle, high)
            for place, limb in enumerate(limbs):
                self._raise(self._sums, limb.sum(axis=0), place * LIMB_BITS)
                for other_place in range(place, 3):
                    products = (limb * limbs[other_place]).sum(axis=0)
                    self._raise(self._squares, products, (place + other_place) * LIMB_BITS + (place < other_place))

    def mean(self) -> Series:
        """The mean of each column, rounded once."""
        return np.array([float(Fraction(total, self.count)) for total in self._sums])

    def variance(self) -> Series:
        """The unbiased variance of each column, rounded once; 0 for a single row."""
        free = max(1, self.count - 1)
        return np.array(
            [
                float((square - Fraction(total * total, self.count)) / free)
                for total, square in zip(self._sums, self._squares, strict=True)
            ]
        )

    @staticmethod
    def _raise(totals: list[int], more: NDArray[np.int64], bits: int) -> None:
        for place, value in enumerate(more.tolist()):
            totals[place] += value << bits


class RealMoments:
    """Mean and sum of squared deviations of real numbers by column, merged by the rule of Chan, Golub and LeVeque
    (Updating formulae and a pairwise algorithm for computing sample variances, COMPSTAT 1982)."""

    def __init__(self, columns: int) -> None:
        self.count = 0
        self._mean = np.zeros(columns)
        self._deviations = np.zeros(columns)

    def add(self, block: Series) -> None:
        """Take in rows of f64, [rows, columns]."""
        if not len(block):
            return
        mean = block.mean(axis=0)
        shift, count = mean - self._mean, self.count + len(block)
        self._deviations += ((block - mean) ** 2).sum(axis=0) + shift**2 * (self.count * len(block) / count)
        self._mean += shift * (len(block) / count)
        self.count = count

    def mean(self) -> Series:
        """The mean of each column."""
        return self._mean.copy()

    def variance(self) -> Series:
        """The unbiased variance of each column; 0 for a single row."""
        return self._deviations / max(1, self.count - 1)


class QuantileSketch:
    """Counts of values by their leading bits, by column.

    A quantile is the nearest-rank one with its last bits cut off towards zero: exact for whole numbers below 2048 and
    for all that have at most 11 significant binary digits, else too small by less than a thousandth of itself.

    With `most`, no more counts than that are kept: where there would be, one more bit is cut off all values, as often
    as it takes, until only powers of two are told apart. That follows from the values alone, so the result still
    depends on no order; `error` says what is left.
    """

    def __init__(self, columns: int, *, most: int | None = None) -> None:
        self.count = 0
        self._columns = columns
        self._most = most
        self._coarser = 0
        self._places = np.empty(0, np.int64)
        self._counts = np.empty(0, np.int64)

    def add(self, block: NDArray[Any], *, known: NDArray[np.bool_] | None = None) -> None:
        """Take in rows of numbers, [rows, columns]; those that are not a number count as beyond all others, those that
        are not `known` do not count at all."""
        self.count += len(block)
        keys = _ordered_bits(block.astype(np.float64) + 0.0) >> (CUT_BITS + self._coarser)  # + 0.0: minus zero is zero
        places = keys + LEAST_KEY + (np.arange(self._columns, dtype=np.int64) << KEY_BITS)
        self._merge(*np.unique(places if known is None else places[known], return_counts=True))
        while self._most is not None and len(self._counts) > self._most and self._coarser < COARSEST:
            self._coarsen()

    def quantile(self, share: Fraction) -> Series:
        """The nearest-rank quantile of each column, not a number where none was known. Raises ValueError before any row
        was taken in."""
        if not self.count:
            raise ValueError("no rows, no quantiles")
        totals = self.known()
        ranks = np.maximum(1, -(-share.numerator * totals // share.denominator))
        found = np.searchsorted(np.cumsum(self._counts), np.cumsum(totals) - totals + ranks, side="left")
        places = np.append(self._places, 0)[np.where(totals > 0, found, -1)]
        keys = (places & ((1 << KEY_BITS) - 1)) - LEAST_KEY
        cut = CUT_BITS + self._coarser
        towards_zero = np.where(keys < 0, (1 << cut) - 1, 0)
        return np.where(totals > 0, _ordered_bits((keys << cut) | towards_zero).view(np.float64), np.nan)

    def known(self) -> NDArray[np.int64]:
        """How many values of each column were taken in."""
        return np.bincount(self._places >> KEY_BITS, self._counts, minlength=self._columns).astype(np.int64)

    @property
    def size(self) -> int:
        """Counts that are kept."""
        return len(self._counts)

    @property
    def error(self) -> float:
        """By what share of itself a quantile may be too small, at most."""
        return float(2.0 ** (CUT_BITS + self._coarser - MANTISSA_BITS))

    def _merge(self, places: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        at = np.searchsorted(self._places, places)
        new = np.append(self._places, -1)[at] != places
        self._counts[at[~new]] += counts[~new]
        self._places = np.insert(self._places, at[new], places[new])
        self._counts = np.insert(self._counts, at[new], counts[new])

    def _coarsen(self) -> None:
        self._coarser += 1
        columns, keys = self._places >> KEY_BITS, (self._places & ((1 << KEY_BITS) - 1)) - LEAST_KEY
        places, first = np.unique((columns << KEY_BITS) + (keys >> 1) + LEAST_KEY, return_index=True)
        self._places, self._counts = places, np.add.reduceat(self._counts, first)


def _ordered_bits(values: NDArray[Any]) -> NDArray[np.int64]:
    """A double's bits as an integer that orders as the doubles do, or such an integer's bits: its own inverse."""
    bits: NDArray[np.int64] = np.ascontiguousarray(values).view(np.int64)
    return np.where(bits < 0, bits ^ np.int64(2**63 - 1), bits)


@dataclass(frozen=True)
class Course:
    """A metric over the members by tick: means and variances, [ticks] each, and the sketch of its quantiles."""

    members: int
    mean: Series
    variance: Series
    quantiles: QuantileSketch


def metric_course(results: Results, metric: str) -> Course:
    """The course of a metric over a run's members, read once. Raises as `blocks` does."""
    ticks = results.manifest.ticks
    sketch = QuantileSketch(ticks)
    moments: WholeMoments | RealMoments | None = None
    for block in blocks(results, metric):
        if moments is None:
            moments = WholeMoments(ticks) if block.dtype.kind == "i" else RealMoments(ticks)
        moments.add(block)
        sketch.add(block)
    assert moments is not None, "a complete run has members"
    return Course(moments.count, moments.mean(), moments.variance(), sketch)
