"""A member's figures in one line, and an ensemble's with their spread.

Everything is an integer (shares in millionths) until it is printed: means are exact fractions rounded half to even,
and percentiles are members that exist (nearest rank), so the figures have the same digits on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from civlab.results.outcome import BatchOutcome

MILLION = 1_000_000


@dataclass(frozen=True)
class Headline:
    """One figure of a member: `places` decimals are implied in its integer."""

    name: str
    unit: str
    meaning: str
    places: int = 0


HEADLINES = (
    Headline("attack_rate", "share", "persons ever infected, as a share of the population", 6),
    Headline("infected", "persons", "persons ever infected"),
    Headline("peak_infectious", "persons", "most persons infectious at a tick's end"),
    Headline("peak_tick", "tick", "first tick of that peak"),
    Headline("peak_hospital", "persons", "most persons in hospital at a tick's end"),
    Headline("bedless_days", "person-ticks", "patients above the number of beds, summed over ticks"),
    Headline("deaths", "persons", "persons who died of the disease"),
    Headline("last_infection", "tick", "last tick with an infection"),
)


@dataclass(frozen=True)
class Spread:
    """One figure over the ensemble as decimal text: the mean, and the 5th and 95th percentile of the members."""

    name: str
    mean: str
    low: str
    high: str
    unit: str


def member_headlines(outcome: BatchOutcome) -> dict[str, NDArray[np.int64]]:
    """The HEADLINES of a batch, i64 [members] each."""
    flow = outcome.metric("new_infections")
    infected = flow.sum(axis=0)
    ticks = flow.shape[0]
    last = ticks - 1 - np.argmax(flow[::-1] > 0, axis=0)
    people = outcome.populations
    return {
        "attack_rate": (2 * infected * MILLION + people) // (2 * people),
        "infected": infected,
        "peak_infectious": outcome.metric("infectious").max(axis=0),
        "peak_tick": outcome.metric("infectious").argmax(axis=0),
        "peak_hospital": outcome.metric("hospital").max(axis=0),
        "bedless_days": outcome.metric("without_bed").sum(axis=0),
        "deaths": outcome.metric("dead")[-1],
        "last_infection": np.where(infected > 0, last, 0),
    }


def spreads(values: Mapping[str, NDArray[np.int64]]) -> tuple[Spread, ...]:
    """The HEADLINES over all members, from i64 [members] each."""
    return tuple(_spread(headline, values[headline.name]) for headline in HEADLINES)


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
