"""Tables by nation: product and prices, balance sheets and payments, trade, energy, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.history import (
    GOOD,
    NATION,
    TICK,
    WEEKS_IN_ROW,
    YEAR,
    by_market,
    by_nation,
    by_region,
    flat,
    integers,
    metric_columns,
    nation_of_regions,
    places,
    trade,
    weeks,
    wide,
    wide_sum,
)
from civlab.models.civilisation.layout import GOODS, WEEKS
from civlab.models.civilisation.metrics import NATION_METRICS
from civlab.results.declaration import Table, TableColumn
from civlab.results.schema import WIDE
from civlab.runtime.world import World
from parpour_contracts.scenario.civilisation.document import CivilisationScenario

Columns = Sequence[NDArray[Any]]
NAMES = tuple(metric.name for metric in NATION_METRICS)
REAL = NAMES[: NAMES.index("holdings")]
"""Metrics of people, product and prices; the others are money held and paid."""
MONEY = NAMES[NAMES.index("holdings") :]
EVENTS = {"failures": "firms", "write_offs": "money", "rescues": "money", "energy_short": "mJ", "unclaimed": "money"}
"""Metrics that are events where they are not zero, with their units."""
REGION_FLOWS = ("extracted", "gained", "embodied_new", "embodied_used", "embodied_lost")
QUARTERS = 4
FUEL, ENERGY = GOODS.index("fuel"), GOODS.index("energy")


def weekly(world: World, number: int, names: Sequence[str]) -> Columns:
    """Metrics of the nations by tick."""
    values = by_nation(world, number)
    ticks, nations = values["citizens"].shape
    return [*places(ticks, nations), *(flat(values[name], depth=2) for name in names)]


def nation(world: World, number: int) -> Columns:
    """People, product and prices by tick and nation."""
    return weekly(world, number, REAL)


def finance(world: World, number: int) -> Columns:
    """Money held and paid by tick and nation."""
    return weekly(world, number, MONEY)


def traded(world: World, number: int) -> Columns:
    """Goods sold by one nation to another, by year."""
    sold = trade(world, number)
    year, exporter, good, importer = places(*sold.shape)
    abroad = exporter != importer
    return [year[abroad], exporter[abroad], importer[abroad], good[abroad], sold.reshape(-1)[abroad]]


def of_nations(values: np.ndarray, nations: NDArray[np.int64]) -> np.ndarray:
    """Numbers of 128 bits by region, [rows, regions, 2], added up by nation."""
    return np.stack([wide_sum(values[:, nations == nation], 1) for nation in range(int(nations.max()) + 1)], axis=1)


def by_year(values: np.ndarray, every: int) -> np.ndarray:
    """Flows by rows of `every` to the year, [rows, ..., 2], added up by year."""
    return np.stack([wide_sum(values[first : first + every], 0) for first in range(0, len(values), every)])


def mean_price(price: np.ndarray, sold: np.ndarray) -> NDArray[np.int64]:
    """Mean of prices by the amounts sold, int64 [years, nations]; `price` is int64 [ticks, nations], `sold`
    uint64 [ticks, nations, 2]."""
    means = []
    for first in range(0, len(price), WEEKS):
        for nation in range(price.shape[1]):
            amounts = integers(sold[first : first + WEEKS, nation])
            paid = sum(int(p) * amount for p, amount in zip(price[first : first + WEEKS, nation], amounts, strict=True))
            means.append(paid // sum(amounts) if any(amounts) else int(price[first, nation]))
    return np.array(means).reshape(-1, price.shape[1])


def energy(world: World, number: int) -> Columns:
    """Fuel and energy by year and nation."""
    regions, nations = by_region(world, number), by_nation(world, number)
    of = nation_of_regions(world, number)
    sold, short = (by_year(nations[name], WEEKS) for name in ("energy_sold", "energy_short"))
    years, count = sold.shape[:2]
    reserve = of_nations(regions["reserve"], of)
    last = np.minimum(QUARTERS * np.arange(1, years + 1), len(reserve)) - 1
    flows = {name: by_year(of_nations(regions[name], of), QUARTERS) for name in REGION_FLOWS}
    markets = by_market(world, number)

    def of_market(flow: str, good: int) -> np.ndarray:
        return of_nations(markets[flow][:, :, good], of)

    year, place = places(years, count)
    columns = (
        reserve[last],
        *(flows[name] for name in REGION_FLOWS[:2]),
        wide_sum(np.stack([of_market("used", FUEL), of_market("consumed", FUEL)]), 0),
        of_market("made", ENERGY),
        sold,
        short,
        *(of_market(name, ENERGY) for name in ("used", "consumed", "carried", "perished")),
        *(flows[name] for name in REGION_FLOWS[2:]),
    )
    price = mean_price(nations["energy_price"], nations["energy_sold"]).reshape(-1)
    return [year, weeks(years, WEEKS, world.tick)[year], place, price, *(flat(column, depth=2) for column in columns)]


def events(world: World, number: int) -> Columns:
    """What went wrong, by tick and nation, where anything did."""
    values = by_nation(world, number)
    parts = []
    for kind, name in enumerate(EVENTS):
        column = values[name]
        there = column.any(axis=2) if column.ndim == 3 else column != 0
        tick, place = np.nonzero(there)
        found = column[there]
        amounts = found if found.ndim == 2 else wide(map(int, found))
        parts.append((tick, place, np.full(len(tick), kind), amounts))
    tick, place, kinds, amounts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((kinds, place, tick))
    return [tick[order], place[order], kinds[order], amounts[order]]


def years(scenario: CivilisationScenario) -> int:
    """Years of the run, the last one begun included."""
    return -(-scenario.ticks // WEEKS)


def amount(name: str, unit: str, meaning: str) -> TableColumn:
    """A column of numbers of 128 bits."""
    return TableColumn(name, WIDE, unit, meaning)


TABLES = (
    Table(
        "nation",
        (TICK, NATION, *metric_columns(NATION_METRICS, REAL)),
        rows=nation,
        most_rows=lambda scenario: scenario.ticks * len(scenario.world.nations),
        meaning="one row a member, tick and nation: people, product, prices and trade",
    ),
    Table(
        "finance",
        (TICK, NATION, *metric_columns(NATION_METRICS, MONEY)),
        rows=finance,
        most_rows=lambda scenario: scenario.ticks * len(scenario.world.nations),
        meaning="one row a member, tick and nation: what households, firms, banks and governments hold, owe and pay",
    ),
    Table(
        "trade",
        (
            YEAR,
            TableColumn("exporter", pa.uint8(), "", "nation that sold"),
            TableColumn("importer", pa.uint8(), "", "nation that bought"),
            GOOD,
            TableColumn("money", pa.int64(), "money", "what was paid, carriage included (flow)"),
        ),
        rows=traded,
        most_rows=lambda scenario: years(scenario) * len(scenario.world.nations) ** 2 * len(GOODS),
        meaning="one row a member, year, pair of nations and good: what one sold to the other",
    ),
    Table(
        "energy",
        (
            YEAR,
            WEEKS_IN_ROW,
            NATION,
            TableColumn("price", pa.int64(), "money a lot", "price of the energy calls, mean by volume"),
            amount("reserve", "mJ", "fuel in the ground (stock)"),
            amount("extracted", "mJ", "fuel taken from the ground (flow)"),
            amount("gained", "mJ", "energy gained from renewable sources (flow)"),
            amount("fuel_burnt", "mJ", "fuel used up (flow)"),
            amount("made", "mJ", "energy made by the energy industry (flow)"),
            amount("sold", "mJ", "energy delivered by the calls (flow)"),
            amount("short", "mJ", "energy bid for at or above the price and not delivered (flow)"),
            amount("used", "mJ", "energy used by firms as input (flow)"),
            amount("consumed", "mJ", "energy used by households and the government (flow)"),
            amount("carried", "mJ", "energy used by carrying goods (flow)"),
            amount("perished", "mJ", "energy lost in store (flow)"),
            amount("embodied_new", "J", "primary energy that went into goods (flow)"),
            amount("embodied_used", "J", "embodied energy of goods consumed and built (flow)"),
            amount("embodied_lost", "J", "embodied energy of goods that perished (flow)"),
        ),
        rows=energy,
        most_rows=lambda scenario: years(scenario) * len(scenario.world.nations),
        meaning="one row a member, year and nation: fuel in the ground, energy made, sold and used, embodied energy",
    ),
    Table(
        "event",
        (
            TICK,
            NATION,
            TableColumn("kind", pa.string(), "", f"what went wrong: {', '.join(EVENTS)}", tuple(EVENTS)),
            amount("amount", "", f"how much, in {', '.join(EVENTS.values())}"),
        ),
        rows=events,
        most_rows=lambda scenario: scenario.ticks * len(scenario.world.nations) * len(EVENTS),
        meaning="one row a member, tick, nation and kind of mishap, where there was any",
    ),
)
