"""The numbers behind the civilisation's charts: nations by week, regions at the end, goods and energy by year.

Bands over the whole world come from all members, as in other models; what differs by nation or region is of at most a
hundred, because their tables are many times longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from civlab.models.civilisation.layout import AGES, GOODS, REGION_ROWS, WEEKS, ZONES
from civlab.models.civilisation.tables_end import DECADES
from civlab.report.blocks import Block, row_groups
from civlab.report.figures import Figures, collect_figures, read_thinned
from civlab.report.hexmap import HexMap
from civlab.report.spread import Series
from civlab.results.columns import to_floats, to_numpy
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario.civilisation.document import CivilisationScenario

NATION_DRAWN = (
    "citizens",
    "employed",
    "unemployed",
    "vacancies",
    "product",
    "product_real",
    "wage",
    "exports",
    "imports",
)
FINANCE_DRAWN = ("wages", "contributions", "debt")
REGION_DRAWN = ("citizens", "employed", "unemployed", "income", "warming", "damage", "arrivals", "departures")
ENERGY_DRAWN = ("gained", "fuel_burnt", "made")
CLIMATE_DRAWN = ("damage",)
MARKET_DRAWN = ("received", "households", "public", "firms")
MEMBERS_DRAWN = 100
"""Most members of whom nations, regions and markets are drawn."""
QUARTER = REGION_ROWS
Table = Mapping[str, Series]


@dataclass(frozen=True)
class CivilisationFigures(Figures):
    """What the charts draw.

    `nation` holds metrics [members, ticks, nations]; `region` those of the last quarter [members, regions], and moves
    since the start; `energy` [members, years, nations], `climate` [members, years, zones], `market` [members, years,
    regions, goods]. `pyramid` are citizens [sexes, ages], the mean of members; `lorenz` the shares that the poorest 0,
    1, … 100 per cent have [deposits and incomes, members, 101]; `staff` the employees of each drawn member's firms,
    greatest first; `deposits` those of sampled households and for how many each stands; `age_wealth` money and income a
    household by class of age; `lots` the units of each good in a lot.
    """

    names: tuple[str, ...]
    year: Series
    """Calendar year at the end of each tick."""
    nation: Table
    region: Table
    energy: Table
    climate: Table
    zones: tuple[str, ...]
    market: Table
    market_years: Series
    """Calendar year at the end of each year of `energy`, `climate` and `market`."""
    map: HexMap
    zone: NDArray[np.int64]
    """Climate zone of each region."""
    one_map: bool
    """Whether all members live on the first one's map."""
    pyramid: Series
    lorenz: Series
    staff: tuple[Series, ...]
    deposits: tuple[Series, Series]
    age_wealth: Mapping[str, Series]
    lots: Series

    def of_regions(self, name: str) -> Series:
        """What a metric is in each region: the members' median where they have one map, else the first member's."""
        values = self.region[name]
        return np.asarray(np.median(values, axis=0) if self.one_map else values[0])

    def nation_unemployment(self) -> Series:
        """Unemployed among those who may work, [members, ticks, nations]."""
        return share(self.nation["unemployed"], self.nation["employed"])


def per_citizen(block: Block, name: str) -> Series:
    """A metric by citizen, [members of the block, ticks]."""
    return block[name] / np.maximum(block["citizens"], 1)


def ratio(above: Series, below: Series) -> Series:
    """A quotient; not a number where nothing positive is below."""
    known = np.greater(below, 0, where=np.isfinite(below), out=np.zeros(below.shape, bool))
    return np.asarray(np.divide(above, below, out=np.full_like(below, np.nan), where=known))


def share(part: Series, rest: Series) -> Series:
    """A part of the whole that it makes with the rest."""
    return ratio(part, part + rest)


def trailing(values: Series, weeks: int) -> Series:
    """Means over the last weeks, a quarter of the run at most, along axis 1; not a number before there are as many."""
    sums = np.cumsum(values, axis=1)
    means = np.full_like(sums, np.nan)
    weeks = min(weeks, max(1, values.shape[1] // 4))
    means[:, weeks - 1] = sums[:, weeks - 1] / weeks
    means[:, weeks:] = (sums[:, weeks:] - sums[:, :-weeks]) / weeks
    return means


def change(values: Series, weeks: int = WEEKS) -> Series:
    """Relative change since so many weeks before, along axis 1; not a number before."""
    found = np.full_like(values, np.nan)
    found[:, weeks:] = ratio(values[:, weeks:], values[:, :-weeks]) - 1
    return found


def quarterly(values: Series) -> Series:
    """Means over whole quarters along axis 1."""
    quarters = values.shape[1] // QUARTER
    cut = values[:, : quarters * QUARTER]
    return np.asarray(cut.reshape(len(values), quarters, QUARTER, *values.shape[2:]).mean(axis=2))


def whole_years(ticks: int) -> int:
    """Years of a run that are whole, or the one that it has."""
    return max(1, ticks // WEEKS)


def grid(results: Results, table: str, columns: Sequence[str], *shape: int) -> dict[str, Series]:
    """Columns of a table whose rows are a grid: [members, *shape] each."""
    rows = read_thinned(results, table, columns, most=MEMBERS_DRAWN)
    return {name: to_floats(rows.column(name)).reshape(-1, *shape) for name in columns}


def regions_at_end(results: Results, regions: int, quarters: int) -> dict[str, Series]:
    """Stocks at the end, income of the last whole quarter, and moves of the whole run, [members, regions]."""
    rows = grid(results, "region", REGION_DRAWN, quarters, regions)
    last = max(0, results.manifest.ticks // QUARTER - 1)
    summed = {name: rows[name].sum(axis=1) for name in ("arrivals", "departures")}
    ends = {name: values[:, last if name == "income" else -1] for name, values in rows.items() if name not in summed}
    return {**ends, **summed}


def map_of(results: Results, regions: int) -> tuple[HexMap, NDArray[np.int64]]:
    """The first member's map, and the zone of each region."""
    table = read_thinned(results, "region", ("row", "column", "nation", "zone"), most=1).slice(0, regions)
    row, column, nation = (to_floats(table.column(name)).astype("i8") for name in ("row", "column", "nation"))
    width = int(column.max()) + 1
    zones = np.array([ZONES.index(name) for name in table.column("zone").to_pylist()])
    return HexMap(row * width + column, nation, width, int(row.max()) + 1), zones


def pyramid_of(results: Results) -> Series:
    """Mean citizens by sex and age, [2, AGES]."""
    people = np.zeros((2, AGES), np.int64)
    for rows in row_groups(results, "demographic", ("citizens",)):
        people += to_numpy(rows.column(0)).reshape(-1, 2, AGES).sum(axis=0)
    return np.asarray(people / results.manifest.members)


def lorenz_of(results: Results) -> Series:
    """Shares of all deposits, and of all incomes, [2, members, 101]."""
    table = read_thinned(results, "lorenz", ("deposits", "incomes"), most=MEMBERS_DRAWN)
    sums = np.stack([to_floats(table.column(name)).reshape(-1, 101) for name in ("deposits", "incomes")])
    return np.asarray(sums / np.maximum(sums[..., -1:], 1))


def staff_of(results: Results) -> tuple[Series, ...]:
    """Employees of the firms of each drawn member, greatest first; firms without any are left out."""
    table = read_thinned(results, "firm", ("staff",), most=MEMBERS_DRAWN)
    member, staff = (to_floats(table.column(name)) for name in ("member", "staff"))
    parts = np.split(staff, np.flatnonzero(np.diff(member)) + 1)
    return tuple(np.sort(part[part > 0])[::-1] for part in parts)


def deposits_of(results: Results) -> tuple[Series, Series]:
    """Deposits of the drawn members' sampled households, and for how many each stands."""
    table = read_thinned(results, "household", ("deposit", "weight"), most=MEMBERS_DRAWN)
    return to_floats(table.column("deposit")), to_floats(table.column("weight"))


def age_wealth_of(results: Results) -> dict[str, Series]:
    """Deposits and yearly income a household by class of its head's age, all members together."""
    sums = np.zeros((3, AGES // DECADES + 1))
    for rows in row_groups(results, "generation", ("age_from", "households", "deposits", "income")):
        age, *values = (to_numpy(column) for column in rows.columns)
        for total, value in zip(sums, values, strict=True):
            np.add.at(total, age // DECADES, value)
    found = np.flatnonzero(sums[0])
    households, deposits, income = sums[:, found]
    return {
        "age": DECADES * found.astype(np.float64),
        "households": households,
        "deposits": deposits / households,
        "income": WEEKS * income / households,
    }


def lots_of(results: Results) -> Series:
    """Units of each good in a lot."""
    lots = to_floats(next(row_groups(results, "technology", ("lot",))).column(0))
    return lots[: len(GOODS) ** 2 : len(GOODS)]


def climate_of(results: Results, years: int) -> tuple[dict[str, Series], tuple[str, ...]]:
    """What the climate does to the zones that have regions in the first member, [members, years, zones]."""
    table = read_thinned(results, "climate", ("zone", *CLIMATE_DRAWN), most=MEMBERS_DRAWN)
    texts = np.array(table.column("zone").to_pylist())
    member = to_floats(table.column("member"))
    names = tuple(name for name in ZONES if name in set(texts[member == member[0]]))
    members = np.unique(member)
    found = {}
    for metric in CLIMATE_DRAWN:
        values, cells = to_floats(table.column(metric)), np.full((len(members), years, len(names)), np.nan)
        for place, name in enumerate(names):
            here = texts == name
            rows = np.searchsorted(members, member[here])
            order = np.concatenate([np.arange(count) for count in np.bincount(rows, minlength=len(members))])
            cells[rows, order, place] = values[here]
        found[metric] = cells
    return found, names


def figures_of_run(results: Results, spec: RunSpec) -> CivilisationFigures:
    """The figures of a run."""
    scenario = spec.scenario
    assert isinstance(scenario, CivilisationScenario)
    common = collect_figures(results, outcome="product")
    ticks, regions, nations = results.manifest.ticks, scenario.world.map.regions, len(scenario.world.nations)
    years, quarters = -(-ticks // WEEKS), -(-ticks // QUARTER)
    year = scenario.climate.start + (np.arange(ticks) + 1) / WEEKS
    climate, zones = climate_of(results, years)
    hexes, zone = map_of(results, regions)
    many = results.manifest.members > MEMBERS_DRAWN
    fewer = f" Nations, regions and goods are those of at most {MEMBERS_DRAWN} members." if many else ""
    return replace(common, fewer=fewer).extended(
        CivilisationFigures,
        names=tuple(nation.name for nation in scenario.world.nations),
        year=year,
        nation={
            **grid(results, "nation", NATION_DRAWN, ticks, nations),
            **grid(results, "finance", FINANCE_DRAWN, ticks, nations),
        },
        region=regions_at_end(results, regions, quarters),
        energy=grid(results, "energy", ENERGY_DRAWN, years, nations),
        climate=climate,
        zones=zones,
        market=grid(results, "market", MARKET_DRAWN, years, regions, len(GOODS)),
        market_years=np.minimum(scenario.climate.start + np.arange(1.0, years + 1), year[-1]),
        map=hexes,
        zone=zone,
        one_map=scenario.world.map.terrain == "shared",
        pyramid=pyramid_of(results),
        lorenz=lorenz_of(results),
        staff=staff_of(results),
        deposits=deposits_of(results),
        age_wealth=age_wealth_of(results),
        lots=lots_of(results),
    )
