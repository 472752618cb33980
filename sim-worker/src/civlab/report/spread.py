"""Percentiles over all members in one pass, in a memory that does not grow with them.

Ensembles whose values fit a few megabytes are kept and give exact percentiles; of larger ones only counts of values by
their leading bits are kept. Which of the two follows from the run's size alone, and neither depends on how the members
were cut into shards and batches.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.streaming import QuantileSketch

EXACT_VALUES = 1 << 19
"""Most values that are kept one by one (4 MB)."""
MOST_COUNTS = 1 << 20
"""Most counts in place of them (16 MB): of 800 ticks 1,300 each, which at full detail is a factor of two and a half."""
PERCENTILES = (5, 25, 50, 75, 95)
Series = NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Percentiles over members, [columns] each; a column is a tick where nothing else is said."""

    low: Series
    lower: Series
    median: Series
    upper: Series
    high: Series


def band(values: Series) -> Band:
    """Percentiles 5, 25, 50, 75 and 95 by column of [members, columns]; what is no finite number is left out, and
    columns that most members do not have are not a number."""
    known = np.isfinite(values)
    enough = known.sum(axis=0) * 2 >= len(values)
    filled = np.where(enough, np.where(known, values, np.nan), 0.0)
    if known.all() or not filled.size:
        rows = np.percentile(filled, PERCENTILES, axis=0)
    else:
        rows = np.nanpercentile(filled, PERCENTILES, axis=0)
    return Band(*np.where(enough, rows, np.nan))


class Spread:
    """Takes in blocks of members in their order and gives the band over all of them.

    `error` is by what share of itself a percentile may be too small: 0 where they are exact, which are then
    interpolated between ranks; of counts they are the nearest rank's.
    """

    def __init__(self, members: int) -> None:
        self._members = members
        self._taken = 0
        self._kept: Series | None = None
        self._counted: QuantileSketch | None = None

    def add(self, block: NDArray[Any]) -> None:
        """Take in the next members, [members, columns]."""
        if self._kept is None and self._counted is None:
            self._begin(block.shape[1])
        if self._kept is not None:
            self._kept[self._taken : self._taken + len(block)] = block
        elif self._counted is not None:
            self._counted.add(block, known=np.isfinite(block))
        self._taken += len(block)

    def band(self) -> Band:
        """The percentiles of all that was taken in, by column."""
        if self._counted is None:
            return band(np.empty((0, 0)) if self._kept is None else self._kept[: self._taken])
        enough = self._counted.known() * 2 >= self._taken
        rows = (self._counted.quantile(Fraction(percent, 100)) for percent in PERCENTILES)
        return Band(*(np.where(enough, row, np.nan) for row in rows))

    @property
    def error(self) -> float:
        """By what share of itself a percentile may be too small, at most."""
        return 0.0 if self._counted is None else self._counted.error

    def _begin(self, columns: int) -> None:
        if self._members * columns <= EXACT_VALUES:
            self._kept = np.empty((self._members, columns))
        else:
            self._counted = QuantileSketch(columns, most=MOST_COUNTS)
