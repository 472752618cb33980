"""What a member's history holds, for its tables: rows by nation and week, by region and quarter, by market and year.

Numbers of 128 bits come as uint64 [..., 2], the low limb first, and are added up without rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.layout import GOODS, NATIONS, REACH
from civlab.models.civilisation.metrics import MARKET_METRICS, NATION_METRICS, REGION_METRICS
from civlab.results.declaration import TableColumn
from civlab.results.schema import METRIC_TYPES
from civlab.runtime.columns import Metric, metric_values
from civlab.runtime.world import World

LIMB = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
Values = NDArray[np.generic]


def by_nation(world: World, number: int) -> dict[str, np.ndarray]:
    """Each of NATION_METRICS, [ticks, nations]."""
    return metric_values(NATION_METRICS, world.member_rows("nation_rows", number))


def by_region(world: World, number: int) -> dict[str, np.ndarray]:
    """Each of REGION_METRICS, [quarters, regions]."""
    return metric_values(REGION_METRICS, world.member_rows("region_rows", number))


def by_market(world: World, number: int) -> dict[str, np.ndarray]:
    """Each of MARKET_METRICS, [years, regions, goods]."""
    rows = world.member_rows("market_rows", number)
    years, regions, width = rows.shape
    found = metric_values(MARKET_METRICS, rows.reshape(years, regions * len(GOODS), width // len(GOODS)))
    return {name: values.reshape(years, regions, len(GOODS), *values.shape[2:]) for name, values in found.items()}


def trade(world: World, number: int) -> np.ndarray:
    """What each nation sold to each, money, int64 [years, sellers, goods, buyers]."""
    rows = world.member_rows("trade_rows", number)
    years, nations, _ = rows.shape
    return rows.reshape(years, nations, len(GOODS), NATIONS)[..., :nations]


def arrivals(world: World, number: int) -> np.ndarray:
    """Citizens who came into each region from each place of its disc, uint32 [years, regions, places]."""
    rows = world.member_rows("arrival_rows", number)
    return rows.reshape(len(rows), -1, REACH)


def stocks(world: World, number: int) -> np.ndarray:
    """Stocks of each good at each year's end, uint64 [years, goods, 2]."""
    rows = np.ascontiguousarray(world.member_rows("goods_rows", number))
    return rows.view("u8").reshape(len(rows), len(GOODS), 2)


def nation_of_regions(world: World, number: int) -> NDArray[np.int64]:
    """Nation of each region, counted within the member."""
    return world.member_column("region_nation", number).astype("i8")


def weeks(rows: int, every: int, ticks: int) -> NDArray[np.int64]:
    """Weeks that each row covers; the last may have fewer."""
    return np.minimum(every, ticks - every * np.arange(rows))


def wide_sum(values: np.ndarray, axis: int) -> np.ndarray:
    """Numbers of 128 bits, uint64 [..., 2], added up along an axis of fewer than 2^31."""
    low, high = values[..., 0], values[..., 1]
    first = (low & LIMB).sum(axis=axis)
    second = (low >> HALF).sum(axis=axis) + (first >> HALF)
    carried = np.add(high.sum(axis=axis, keepdims=True), np.expand_dims(second >> HALF, axis))
    return np.stack([(first & LIMB) | (second << HALF), carried.squeeze(axis)], axis=-1)


def wide(values: Iterable[int]) -> np.ndarray:
    """Whole numbers as 128 bits each, uint64 [numbers, 2]."""
    return np.array([(value & (2**64 - 1), value >> 64 & (2**64 - 1)) for value in values], "u8").reshape(-1, 2)


def integers(values: np.ndarray) -> list[int]:
    """Numbers of 128 bits, uint64 [numbers, 2], as Python's own."""
    high = np.ascontiguousarray(values[:, 1]).view("i8")
    return [(int(above) << 64) + int(low) for low, above in zip(values[:, 0], high, strict=True)]


def flat(values: np.ndarray, *, depth: int) -> np.ndarray:
    """The first `depth` axes as one: rows of a table."""
    return values.reshape(-1, *values.shape[depth:])


def places(*lengths: int) -> list[NDArray[np.int64]]:
    """The places along each axis of an array of these lengths, one array an axis, in the order of its elements."""
    return [grid.reshape(-1) for grid in np.meshgrid(*map(np.arange, lengths), indexing="ij")]


def metric_columns(metrics: Iterable[Metric], names: Iterable[str]) -> tuple[TableColumn, ...]:
    """Columns for some metrics."""
    found: Mapping[str, Metric] = {metric.name: metric for metric in metrics}
    return tuple(
        TableColumn(
            name, METRIC_TYPES[found[name].dtype], found[name].unit, f"{found[name].meaning} ({found[name].kind})"
        )
        for name in names
    )


NATION = TableColumn("nation", pa.uint8(), "", "nation, counted from 0 in the scenario's order")
REGION = TableColumn("region", pa.uint16(), "", "region, counted from 0: nation by nation, cell by cell")
GOOD = TableColumn("good", pa.string(), "", "the good", GOODS)
YEAR = TableColumn("year", pa.uint16(), "year", "year of the run, counted from 0")
QUARTER = TableColumn("quarter", pa.uint16(), "quarter", "quarter of the run, counted from 0")
WEEKS_IN_ROW = TableColumn("weeks", pa.uint8(), "weeks", "weeks that the row covers; the run's last may have fewer")
TICK = TableColumn("tick", pa.uint32(), "tick", "the tick, counted from 0; stocks stand at its end")
