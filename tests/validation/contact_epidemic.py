"""The epidemic that civlab and its peers simulate alike, and the figures in which their answers are compared.

The shared meaning of a day is fixed here: first, whoever's period has ended moves on; then every infectious person
meets each contact once and infects a susceptible one with the same probability. A person infected on day t is exposed
for `exposed` days, infectious on `infectious` whole days after them, then immune. Adapters translate into this meaning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.int64]


@dataclass(frozen=True)
class DayTable:
    """A distribution over whole days, each at least 1; the weights sum to one."""

    days: tuple[int, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class ContactEpidemic:
    """One disease on a given contact network, without age, waning, birth or death.

    `transmission` is the probability that a contact with an infectious person infects, per contact and day.
    `introductions` persons, drawn without replacement, are infected at the start of day 0.
    """

    agents: int
    days: int
    transmission: float
    exposed: DayTable
    infectious: DayTable
    introductions: int


@dataclass(frozen=True)
class ContactNetwork:
    """Undirected contacts; a pair that stands twice meets twice a day."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """Daily counts of one epidemic, [days]: persons exposed and infectious while that day's contacts happen."""

    exposed: Days
    infectious: Days
    final_size: int

    @classmethod
    def from_times(cls, infected: Days, infectious: Days, recovered: Days, *, days: int) -> Course:
        """The counts from each infected person's first day exposed, infectious and recovered (equal shapes)."""

        def present(begin: Days, end: Days) -> Days:
            change = np.zeros(days + 1, dtype=np.int64)
            np.add.at(change, np.minimum(begin, days), 1)
            np.subtract.at(change, np.minimum(end, days), 1)
            return np.cumsum(change)[:days]

        return cls(present(infected, infectious), present(infectious, recovered), len(infected))

    def figures(self) -> dict[str, float]:
        """What is compared: persons ever infected, day and height of the peak, days until nobody is infected."""
        infected = np.flatnonzero(self.exposed + self.infectious)
        return {
            "final size": float(self.final_size),
            "peak day": float(np.argmax(self.infectious)),
            "peak height": float(np.max(self.infectious)),
            "duration": float(infected[-1] + 1) if len(infected) else 0.0,
        }
