"""Counts a civilisation's people in NumPy, whether they live one by one or as crowds, for tests of the two zooms."""

from __future__ import annotations

from typing import Any

import numpy as np

from civlab.models.civilisation import layout

YEARS, CLASSES = layout.CROWD_YEARS, layout.CROWD_CLASSES
Columns = dict[str, np.ndarray]
COUNTED = (
    "born", "household", "employer", "traits", "deposit", "income", "size", "generation", "staff", "zoomed",
    "crowd_people", "crowd_homes", "crowd_deposit", "crowd_income",
)  # fmt: skip
PLANNED = ("region_citizen", "region_household", "cluster_begin", "cluster_end")


def columns_of(arrays: Any) -> Columns:
    """Copies of what is counted here, from the arrays of a world on the CPU."""
    return {name: arrays.column[name].copy() for name in (*COUNTED, *PLANNED)}


def cells_of_persons(now: Columns, region: int, tick: int) -> np.ndarray:
    """Citizens by year of birth (place of the ring), sex, minor or skill, and health, [128, 2, 4, 3]."""
    begin, end = now["region_citizen"][2 * region : 2 * region + 2]
    alive = np.flatnonzero(now["household"][begin:end]) + begin
    born, traits = now["born"][alive].astype("i8"), now["traits"][alive].astype("i8")
    year = np.maximum(born // 52, (tick + layout.EPOCH) // 52 - YEARS + 1)
    minor = tick + layout.EPOCH - born < 52 * layout.ADULT
    found = np.zeros((YEARS, 2, 4, 3), "i8")
    np.add.at(found, (year % YEARS, traits & 1, np.where(minor, 0, (traits >> 1 & 3) + 1), traits >> 3 & 3), 1)
    return found


def cells_of_crowd(now: Columns, region: int) -> np.ndarray:
    """The same of a crowd."""
    return np.asarray(now["crowd_people"].reshape(-1, YEARS, 2, 4, 3)[region], "i8")


def totals(now: Columns, region: int, tick: int) -> dict[str, Any]:
    """What a change of zoom must keep in a region: its people by class, households, couples, generations and money."""
    if now["zoomed"][region]:
        homes = now["crowd_homes"].reshape(-1, len(layout.HOMES))[region].tolist()
        money = [int(now[name][region]) for name in ("crowd_deposit", "crowd_income")]
        return {"cells": cells_of_crowd(now, region), "homes": homes[:3], "money": money}
    begin, end = now["region_household"][2 * region : 2 * region + 2]
    first, last = now["region_citizen"][2 * region : 2 * region + 2]
    here = slice(begin, end)
    couples = int((now["traits"][first:last] & 33 == 33).sum())
    homes = [int((now["size"][here] > 0).sum()), couples, int(now["generation"][here].sum())]
    money = [int(now[name][here].sum()) for name in ("deposit", "income")]
    return {"cells": cells_of_persons(now, region, tick), "homes": homes, "money": money}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Names of totals that changed."""
    return [name for name in before if not np.array_equal(before[name], after[name])]


def grown(cells: np.ndarray, tick: int) -> np.ndarray:
    """Cells without what a week's birthdays may change: schooling of those who come of age this year."""
    place = ((tick + layout.EPOCH) // 52 - layout.ADULT) % YEARS
    found = cells.copy()
    found[place] = 0
    found[place, :, 0] = cells[place].sum(axis=1)
    return found
