"""Plans when each region's people become a crowd and persons again, once the map says which regions there are.

A region's changes alternate, the first to a crowd: what would change nothing is left out, so that kernels need only
know which of its changes a region makes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from civlab.models.civilisation.layout_people import MOST_CHANGES
from parpour_contracts.scenario.civilisation.zoom import (
    AllButLargestRegions,
    Change,
    Choice,
    LargestRegions,
    ListedRegions,
    RegionsOfNation,
    Zoom,
)


def chosen(
    choice: Choice, *, settled: NDArray[np.int64], nation: NDArray[np.int64], names: Sequence[str]
) -> np.ndarray:
    """Which of a member's regions a change is about, bool [regions].

    `settled` are the citizens of each region at the start and `nation` its nation, counted as in `names`.
    """
    rank = np.empty(len(settled), "i8")
    rank[np.argsort(-settled, kind="stable")] = np.arange(len(settled))
    match choice:
        case RegionsOfNation():
            return np.asarray(nation == names.index(choice.nation))
        case LargestRegions():
            return np.asarray(rank < choice.number)
        case AllButLargestRegions():
            return np.asarray(rank >= choice.number)
        case ListedRegions():
            return np.isin(np.arange(len(settled)), choice.regions)
    return np.ones(len(settled), bool)


def switches(
    changes: Sequence[Change], *, settled: NDArray[np.int64], nation: NDArray[np.int64], names: Sequence[str]
) -> list[list[int]]:
    """The weeks in which each region changes its zoom, in order, the first of them to a crowd."""
    found: list[list[int]] = [[] for _ in settled]
    for week in dict.fromkeys(change.week for change in changes):
        aggregated = np.array([len(weeks) % 2 == 1 for weeks in found])
        for change in changes:
            if change.week == week:
                here = chosen(change.regions, settled=settled, nation=nation, names=names)
                aggregated[here] = change.to == "aggregated"
        for weeks, is_crowd in zip(found, aggregated, strict=True):
            if (len(weeks) % 2 == 1) != is_crowd:
                weeks.append(week)
    return found


def fill_zoom(row: np.void, zoom: Zoom) -> None:
    """Writes the weeks in which regions may become crowds, and how unequal persons begin, into a `People` record."""
    weeks = list(dict.fromkeys(change.week for change in zoom.changes if change.to == "aggregated"))
    row["folds"] = len(weeks)
    row["fold_week"] = weeks + [0] * (MOST_CHANGES - len(weeks))
    row["spread"] = round(zoom.spread * (1 << 32))
