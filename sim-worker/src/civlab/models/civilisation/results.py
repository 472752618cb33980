"""The civilisation's results: headline figures, and eighteen tables of its economy, people, land and climate.

Figures of the last year are sums over its weeks; of a run shorter than two years they are of its second half. All are
whole numbers, worked out in Python's own integers where 64 bits might not do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation import invariants, tables_end, tables_nations, tables_regions
from civlab.models.civilisation.history import integers
from civlab.models.civilisation.layout import WEEKS
from civlab.results.declaration import Headline, ResultSet, TableColumn
from civlab.results.inequality import MILLION
from civlab.results.outcome import BatchOutcome

MILLION_TONNES = 10**9
"""kg."""
BASE_PRICE = 10_000

HEADLINES = (
    Headline("citizens", "citizens", "citizens at the end"),
    Headline("product", "base money", "gross product a citizen in the last year, over the price level"),
    Headline("growth", "share", "growth of the real gross product in the last year", 6),
    Headline("unemployment", "share", "unemployed among those who may work, in the last year", 6),
    Headline("inflation", "share", "rise of the price level in the last year", 6),
    Headline("gini", "", "Gini coefficient of the households' deposits at the end", 6),
    Headline("income_gini", "", "Gini coefficient of the households' incomes at the end", 6),
    Headline("top_tenth", "share", "share of all deposits that the richest tenth holds at the end", 6),
    Headline("public_debt", "share", "debt of all governments at the end over the product of the last year", 6),
    Headline("failures", "firms", "firms that failed in the last year"),
    Headline("traded", "share", "goods sold across borders over the product, in the last year", 6),
    Headline("energy_price", "", "price of energy in the last year over that of the start", 4),
    Headline("energy_short", "share", "energy that was wanted at the price and not delivered, in the last year", 6),
    Headline("carbon", "Mt", "carbon emitted by the world's own people since the start"),
    Headline("warming", "K", "global warming at the end", 3),
    Headline("damage", "share", "share of output lost to the climate at the end", 6),
)
Series = Mapping[str, NDArray[Any]]


def parts(numerator: int, denominator: int, one: int = MILLION) -> int:
    """A fraction in so many parts, halves up; 0 where nothing is divided by nothing."""
    return (2 * one * numerator + denominator) // (2 * denominator) if denominator else 0


def whole(value: float, places: int) -> int:
    """A value as an integer with so many decimals implied, rounded half to even."""
    return int(np.rint(value * 10**places))


def span_of(ticks: int) -> int:
    """Weeks of the time that figures are of: a year, or half of a shorter run."""
    return min(WEEKS, max(1, ticks // 2))


def member_figures(series: Series, number: int) -> dict[str, int]:
    """The figures of one member that follow from its metrics; `series` holds them by tick and member."""
    ticks = len(series["citizens"])
    span = span_of(ticks)

    def total(name: str, first: int, last: int) -> int:
        values = series[name][first:last, number]
        return sum(integers(values) if values.ndim == 2 else map(int, values))

    def year(name: str) -> int:
        return total(name, ticks - span, ticks)

    def end(name: str) -> int:
        return total(name, ticks - 1, ticks)

    before = max(0, ticks - span - 1)
    level = total("price_level", before, before + 1)
    earlier = total("product_real", max(0, ticks - 2 * span), ticks - span) or year("product_real")
    sold, short = year("energy_sold"), year("energy_short")
    weeks_a_year = WEEKS * total("citizens", ticks - span, ticks)
    return {
        "citizens": end("citizens"),
        "product": parts(WEEKS * year("product_real") * WEEKS, weeks_a_year, 1),
        "growth": parts(year("product_real") - earlier, earlier),
        "unemployment": parts(year("unemployed"), year("unemployed") + year("employed")),
        "inflation": parts(end("price_level") - level, level),
        "public_debt": parts(end("public_debt") * span, year("product") * WEEKS),
        "failures": year("failures"),
        "traded": parts(year("traded"), year("product")),
        "energy_price": parts(year("energy_price"), span * BASE_PRICE, 10_000),
        "energy_short": parts(short, sold + short),
        "carbon": parts(end("carbon_own"), MILLION_TONNES, 1),
        "warming": whole(float(series["warming"][-1, number]), 3),
        "damage": whole(float(series["damage"][-1, number]), 6),
    }


def figures(outcome: BatchOutcome) -> Mapping[str, NDArray[Any]]:
    """The HEADLINES of a batch, i64 [members] each."""
    series = outcome.series()
    members = [member_figures(series, number) for number in range(outcome.count)]
    columns = [column.name for column in tables_end.MEASURES]
    measures = dict(zip(columns, outcome.tables["inequality"].columns, strict=True))
    return {
        **{name: np.array([member[name] for member in members], "i8") for name in members[0]},
        **{name: measures[name] for name in ("gini", "income_gini", "top_tenth")},
    }


RESULTS = ResultSet(
    size=TableColumn("population", pa.int64(), "citizens", "citizens of the member at the start"),
    headlines=HEADLINES,
    figures=figures,
    tables=(*tables_nations.TABLES, *tables_regions.TABLES, *tables_end.TABLES, *invariants.TABLES),
)
