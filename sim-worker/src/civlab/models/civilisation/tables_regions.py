"""Tables by region: its people, income, land and climate by the quarter, its markets and migration by the year."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.history import (
    GOOD,
    NATION,
    QUARTER,
    REGION,
    WEEKS_IN_ROW,
    YEAR,
    arrivals,
    by_market,
    by_region,
    flat,
    metric_columns,
    nation_of_regions,
    places,
    stocks,
    weeks,
    wide_sum,
)
from civlab.models.civilisation.layout import GOODS, GOODS_FLOWS, REACH, REGION_ROWS, WEEKS, ZONES
from civlab.models.civilisation.metrics import MARKET_METRICS, REGION_METRICS
from civlab.results.declaration import Table, TableColumn
from civlab.results.schema import WIDE
from civlab.runtime.world import World
from parpour_contracts.scenario.civilisation.document import CivilisationScenario

Columns = Sequence[NDArray[Any]]
SHARES = {"warming": 2.0**32, "damage": 2.0**31}
"""Metrics of regions that are fractions, with what stands for one."""
COUNTED = tuple(metric.name for metric in REGION_METRICS if metric.name not in SHARES)
MARKET = tuple(metric.name for metric in MARKET_METRICS)
BALANCE = tuple(name for name in GOODS_FLOWS)
QUARTERS = 4
LANDS = ("farmed", "mined", "settled", "wild")
ZONE = TableColumn("zone", pa.string(), "", "climate zone", ZONES)


def region(world: World, number: int) -> Columns:
    """Regions by quarter."""
    values = by_region(world, number)
    quarters, regions = values["citizens"].shape
    quarter, place = places(quarters, regions)
    width = int(world.members[number].scenario.lands["width"][0])
    cell = world.member_column("region_cell", number).astype("i8")
    return [
        quarter,
        weeks(quarters, REGION_ROWS, world.tick)[quarter],
        place,
        (cell // width)[place],
        (cell % width)[place],
        nation_of_regions(world, number)[place],
        world.member_column("region_zone", number)[place],
        *(values[name].reshape(-1) / one for name, one in SHARES.items()),
        *(flat(values[name], depth=2) for name in COUNTED),
    ]


def market(world: World, number: int) -> Columns:
    """Markets by year."""
    values = by_market(world, number)
    years = len(values["price"])
    year, place, good = places(*values["price"].shape)
    return [
        year,
        weeks(years, WEEKS, world.tick)[year],
        place,
        good,
        *(flat(values[name], depth=3) for name in MARKET),
    ]


def goods(world: World, number: int) -> Columns:
    """Where each good came from and went, by year."""
    values, there = by_market(world, number), stocks(world, number)
    year, good = places(*there.shape[:2])
    return [
        year,
        weeks(len(there), WEEKS, world.tick)[year],
        good,
        flat(there, depth=2),
        *(flat(wide_sum(values[name], 1), depth=2) for name in BALANCE),
    ]


def migration(world: World, number: int) -> Columns:
    """Moves between regions by year, where there were any."""
    came = arrivals(world, number)
    reach = world.member_column("reach", number).astype("i8").reshape(-1, REACH)
    year, destination, place = np.nonzero(came)
    return [year, reach[destination, place] - 1, destination, came[year, destination, place]]


def climate(world: World, number: int) -> Columns:
    """What the climate does to each zone, by year."""
    values, zone = by_region(world, number), world.member_column("region_zone", number)
    quarters = len(values["citizens"])
    first = np.arange(0, quarters, QUARTERS)
    last = np.minimum(first + QUARTERS, quarters) - 1
    present = np.unique(zone)
    stock = {name: values[name][last].astype("f8") for name in ("citizens", "warming", "damage", *LANDS)}
    yearly = {name: np.add.reduceat(values[name], first, axis=0) for name in ("output", "income", "deaths", "births")}
    columns: dict[str, list[NDArray[Any]]] = {}
    for kind in present:
        here = zone == kind
        people = stock["citizens"][:, here]
        whole = np.maximum(people.sum(axis=1), 1)
        found = {
            "zone": np.full(len(first), kind),
            "regions": np.full(len(first), here.sum()),
            "warming": (stock["warming"][:, here] * people).sum(axis=1) / whole / SHARES["warming"],
            "damage": (stock["damage"][:, here] * people).sum(axis=1) / whole / SHARES["damage"],
            "citizens": people.sum(axis=1).astype("i8"),
            **{name: flows[:, here].sum(axis=1) for name, flows in yearly.items()},
            **{name: stock[name][:, here].sum(axis=1).astype("i8") for name in LANDS},
        }
        for name, value in found.items():
            columns.setdefault(name, []).append(value)
    year = np.arange(len(first))
    by_row = [np.stack(parts, axis=1).reshape(-1) for parts in columns.values()]
    return [np.repeat(year, len(present)), np.repeat(weeks(len(first), WEEKS, world.tick), len(present)), *by_row]


def years(scenario: CivilisationScenario) -> int:
    """Years of the run, the last one begun included."""
    return -(-scenario.ticks // WEEKS)


def regions(scenario: CivilisationScenario) -> int:
    """Regions of a member."""
    return scenario.world.map.regions


TABLES = (
    Table(
        "region",
        (
            QUARTER,
            WEEKS_IN_ROW,
            REGION,
            TableColumn("row", pa.uint16(), "", "row of the map, the first in the north"),
            TableColumn("column", pa.uint16(), "", "column of the map; odd rows lie half a cell to the east"),
            NATION,
            ZONE,
            TableColumn("warming", pa.float64(), "K", "warming of the land since 1750 (stock)"),
            TableColumn("damage", pa.float64(), "share", "share of output lost to the climate (stock)"),
            *metric_columns(REGION_METRICS, COUNTED),
        ),
        rows=region,
        most_rows=lambda scenario: -(-scenario.ticks // REGION_ROWS) * regions(scenario),
        meaning="one row a member, quarter and region: people, income, land, climate and energy",
    ),
    Table(
        "market",
        (YEAR, WEEKS_IN_ROW, REGION, GOOD, *metric_columns(MARKET_METRICS, MARKET)),
        rows=market,
        most_rows=lambda scenario: years(scenario) * regions(scenario) * len(GOODS),
        meaning="one row a member, year, region and good: price, what was made, sold, bought and used, and who paid",
    ),
    Table(
        "goods",
        (
            YEAR,
            WEEKS_IN_ROW,
            GOOD,
            TableColumn("stock", WIDE, "units", "what all firms have in store (stock)"),
            *metric_columns(MARKET_METRICS, BALANCE),
        ),
        rows=goods,
        most_rows=lambda scenario: years(scenario) * len(GOODS),
        meaning="one row a member, year and good: what there is of it, where it came from and where it went",
    ),
    Table(
        "migration",
        (
            YEAR,
            TableColumn("origin", pa.uint16(), "", "region that they left"),
            TableColumn("destination", pa.uint16(), "", "region that they came to"),
            TableColumn("citizens", pa.uint32(), "citizens", "how many moved (flow)"),
        ),
        rows=migration,
        most_rows=lambda scenario: years(scenario) * regions(scenario) * (REACH - 1),
        meaning="one row a member, year and pair of regions between which citizens moved",
    ),
    Table(
        "climate",
        (
            YEAR,
            WEEKS_IN_ROW,
            ZONE,
            TableColumn("regions", pa.uint16(), "regions", "regions of the zone"),
            TableColumn("warming", pa.float64(), "K", "warming of the land since 1750, mean by people (stock)"),
            TableColumn("damage", pa.float64(), "share", "share of output lost to the climate, mean by people (stock)"),
            TableColumn("citizens", pa.int64(), "citizens", "citizens (stock)"),
            TableColumn("output", pa.int64(), "money", "value of what was made (flow)"),
            TableColumn("income", pa.int64(), "money", "income of households after income tax (flow)"),
            TableColumn("deaths", pa.int64(), "citizens", "deaths (flow)"),
            TableColumn("births", pa.int64(), "citizens", "births (flow)"),
            TableColumn("farmed", pa.int64(), "km^2", "farmed land (stock)"),
            TableColumn("mined", pa.int64(), "km^2", "mined land (stock)"),
            TableColumn("settled", pa.int64(), "km^2", "settled land (stock)"),
            TableColumn("wild", pa.int64(), "km^2", "wild land (stock)"),
        ),
        rows=climate,
        most_rows=lambda scenario: years(scenario) * len(ZONES),
        meaning="one row a member, year and climate zone that has regions: warming, damage, people and land",
    ),
)
