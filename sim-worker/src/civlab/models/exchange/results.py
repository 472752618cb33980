"""The exchange model's results: how unequal the holdings are at the end, exactly, and their whole distribution.

Every figure is a whole number worked out in integers from the sorted holdings, so the Gini coefficient has the same
digits on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.results.declaration import Headline, ResultSet, Table, TableColumn
from civlab.results.inequality import gini, share_of_richest, sums_between
from civlab.results.outcome import BatchOutcome
from civlab.runtime.world import World

BINS = 128
"""Bins of the holdings, each an eighth of the mean wide; one more is open."""
PARTS = 100
"""Steps of the Lorenz curve."""

HEADLINES = (
    Headline("gini", "", "Gini coefficient of the holdings at the end", 6),
    Headline("top_tenth", "share", "share of all money that the richest tenth holds at the end", 6),
    Headline("median", "money", "median holding at the end, the lower of two"),
    Headline("richest", "money", "greatest holding at the end"),
    Headline("penniless", "agents", "agents without money at the end"),
    Headline("moved", "money", "money that changed hands, summed over all rounds"),
)


def inequality(world: World, number: int) -> Sequence[NDArray[Any]]:
    """The figures that need the holdings in order: one row."""
    ordered = np.sort(world.member_column("money", number))
    median = int(ordered[(len(ordered) - 1) // 2])
    return [np.array([value]) for value in (gini(ordered), share_of_richest(ordered, 10), median)]


def holdings(world: World, number: int) -> Sequence[NDArray[Any]]:
    """Agents and money by eighths of the mean."""
    mean = int(world.members[number].scenario.record["mean"][0])
    ordered = np.sort(world.member_column("money", number))
    least = np.array([-(-eighths * mean // 8) for eighths in range(BINS + 1)], "u8")
    bounds = np.append(np.searchsorted(ordered, least), len(ordered))
    return [np.arange(BINS + 1), np.diff(bounds), sums_between(ordered, bounds)]


def lorenz(world: World, number: int) -> Sequence[NDArray[Any]]:
    """Agents and money of the poorest 0, 1, … 100 per cent."""
    ordered = np.sort(world.member_column("money", number))
    counts = np.arange(PARTS + 1) * len(ordered) // PARTS
    return [np.arange(PARTS + 1), counts, np.append(0, np.cumsum(sums_between(ordered, counts)))]


def figures(outcome: BatchOutcome) -> Mapping[str, NDArray[Any]]:
    """The HEADLINES of a batch, i64 [members] each."""
    series = outcome.series()
    ordered = outcome.tables["inequality"].columns
    return {
        "gini": ordered[0],
        "top_tenth": ordered[1],
        "median": ordered[2],
        "richest": series["richest"][-1],
        "penniless": series["penniless"][-1],
        "moved": series["moved"].sum(axis=0),
    }


RESULTS = ResultSet(
    size=TableColumn("population", pa.int64(), "agents", "agents of the member"),
    headlines=HEADLINES,
    figures=figures,
    tables=(
        Table(
            "inequality",
            (
                TableColumn("gini", pa.int64(), "millionths", "Gini coefficient of the holdings at the end"),
                TableColumn("top_tenth", pa.int64(), "millionths", "share of all money that the richest tenth holds"),
                TableColumn("median", pa.int64(), "money", "median holding, the lower of two"),
            ),
            rows=inequality,
            meaning="one row a member: what needs the holdings in order",
        ),
        Table(
            "holdings",
            (
                TableColumn("from_eighths", pa.uint16(), "mean/8", "least holding of the bin; the last bin is open"),
                TableColumn("agents", pa.int64(), "agents", "agents of the bin at the end"),
                TableColumn("money", pa.int64(), "money", "what they hold together"),
            ),
            rows=holdings,
            most_rows=lambda _scenario: BINS + 1,
            meaning="one row a member and bin of the holdings at the end, an eighth of the mean wide",
        ),
        Table(
            "lorenz",
            (
                TableColumn("percent", pa.uint8(), "%", "the poorest so many per cent of the agents, at the end"),
                TableColumn("agents", pa.int64(), "agents", "how many they are"),
                TableColumn("money", pa.int64(), "money", "what they hold together"),
            ),
            rows=lorenz,
            most_rows=lambda _scenario: PARTS + 1,
            meaning="one row a member and per cent of its agents, from the poorest: the Lorenz curve at the end",
        ),
    ),
)
