"""The climate's results: headline figures, warming by zone and year, and the tipping elements at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.climate.layout import ELEMENTS, METRICS, ZONES
from civlab.results.declaration import Headline, ResultSet, Table, TableColumn
from civlab.results.outcome import BatchOutcome
from civlab.runtime.columns import metric_cells
from civlab.runtime.world import World
from parpour_contracts.scenario import ClimateScenario

GIGATONNE = 10**12
"""kg."""

HEADLINES = (
    Headline("peak_warming", "K", "greatest global mean warming of any year", 3),
    Headline("peak_year", "tick", "first tick of that peak"),
    Headline("final_warming", "K", "global mean warming at the end", 3),
    Headline("final_co2", "ppm", "concentration of CO2 at the end", 1),
    Headline("sea_level", "m", "rise of the sea level at the end", 3),
    Headline("damage", "share", "share of gross output lost at the end", 6),
    Headline("tipped", "elements", "tipping elements that have tipped at the end", 2),
    Headline("emitted", "GtC", "carbon emitted, removals taken off"),
)


def whole(values: NDArray[np.float64], places: int) -> NDArray[np.int64]:
    """Values as integers with so many decimals implied, rounded half to even."""
    rounded: NDArray[np.int64] = np.rint(values * 10**places).astype(np.int64)
    return rounded


def figures(outcome: BatchOutcome) -> Mapping[str, NDArray[Any]]:
    """The HEADLINES of a batch, i64 [members] each."""
    series = outcome.series()
    warming = series["warming"]
    return {
        "peak_warming": whole(warming.max(axis=0), 3),
        "peak_year": warming.argmax(axis=0),
        "final_warming": whole(warming[-1], 3),
        "final_co2": whole(series["co2"][-1], 1),
        "sea_level": whole(series["sea_level"][-1], 3),
        "damage": whole(series["damage"][-1], 6),
        "tipped": whole(series["tipped"][-1], 2),
        "emitted": (series["emissions"].sum(axis=0) + GIGATONNE // 2) // GIGATONNE,
    }


def zones(world: World, number: int) -> Sequence[NDArray[Any]]:
    """Warming of each zone's land in every year: the pattern times the global warming."""
    cells = np.ascontiguousarray(world.member_rows("history", number)[:, 0, metric_cells(METRICS)["warming"]])
    warming = cells.view("f8")
    scenario = world.members[number].scenario
    year = scenario.start + scenario.years_a_tick * np.arange(len(warming))
    return [year, *(factor * warming for factor in scenario.record["zone"][0])]


def elements(world: World, number: int) -> Sequence[NDArray[Any]]:
    """State of each tipping element at the end."""
    state = [world.member_column(f"tipping_{name}", number)[0] for name in ELEMENTS]
    threshold = world.members[number].scenario.record["threshold"][0]
    return [np.arange(len(ELEMENTS)), threshold, np.array(state)]


def ticks(scenario: ClimateScenario) -> int:
    """A row for each tick."""
    return scenario.ticks


RESULTS = ResultSet(
    size=TableColumn("climates", pa.int64(), "", "climates of the member: one"),
    headlines=HEADLINES,
    figures=figures,
    tables=(
        Table(
            "zones",
            (
                TableColumn("year", pa.int32(), "year", "the year"),
                *(TableColumn(name, pa.float64(), "K", f"warming of {name} land") for name in ZONES),
            ),
            rows=zones,
            most_rows=ticks,
            meaning="one row a member and tick: warming of the land by zone",
        ),
        Table(
            "elements",
            (
                TableColumn(
                    "element",
                    pa.uint8(),
                    "",
                    f"which: {', '.join(f'{k} {name}' for k, name in enumerate(ELEMENTS))}",
                ),
                TableColumn("threshold", pa.float64(), "K", "global warming at which it tips"),
                TableColumn("state", pa.float64(), "", "-1 as today, +1 tipped"),
            ),
            rows=elements,
            meaning="one row a member and tipping element, at the end",
        ),
    ),
)
