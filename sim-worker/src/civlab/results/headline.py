"""A member's figures in one line, and an ensemble's with their spread.

Everything is an integer (shares in millionths) until it is printed: means are exact fractions rounded half to even,
and percentiles are members that exist (nearest rank), so the figures have the same digits on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from civlab.results.declaration import Headline


@dataclass(frozen=True)
class Spread:
    """One figure over the ensemble as decimal text: the mean, and the 5th and 95th percentile of the members."""

    name: str
    mean: str
    low: str
    high: str
    unit: str


def spreads(headlines: Iterable[Headline], values: Mapping[str, NDArray[np.int64]]) -> tuple[Spread, ...]:
    """The headline figures over all members, from i64 [members] each."""
    return tuple(_spread(headline, values[headline.name]) for headline in headlines)


def _spread(headline: Headline, values: NDArray[np.int64]) -> Spread:
    ordered = np.sort(values, kind="stable")
    mean = Fraction(sum(int(value) for value in ordered), len(ordered))
    low, high = (int(ordered[_rank(percent, len(ordered))]) for percent in (5, 95))
    places = headline.places
    return Spread(
        headline.name,
        _text(round(mean * 10 ** (max(2, places) - places)), max(2, places)),
        _text(low, places),
        _text(high, places),
        headline.unit,
    )


def _rank(percent: int, count: int) -> int:
    """Position of the nearest-rank percentile among `count` ordered values."""
    return max(0, -(-percent * count // 100) - 1)


def _text(value: int, places: int) -> str:
    text = f"{Decimal(value).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
