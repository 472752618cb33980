"""Charts of the economy by week: product and prices, work, money and debt, nations side by side, goods and trade."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from civlab.models.civilisation.charts_maps import MILLION, names_of
from civlab.models.civilisation.figures import CivilisationFigures, change, per_citizen, ratio, share, trailing
from civlab.models.civilisation.layout import GOODS, WEEKS
from civlab.report.blocks import Block, Course
from civlab.report.charts import (
    AMBER,
    BLUE,
    CORAL,
    INK,
    MUTED,
    PLUM,
    SLATE,
    TEAL,
    draw_band,
    dress,
    legend_above,
    name_ends,
)
from civlab.report.spread import Series, band

QUARTER = 13
FEW_YEARS = 3
"""Years from which on the axis numbers whole ones only."""
NATION_LINES = (BLUE, CORAL, TEAL, AMBER, PLUM, SLATE, "#5c8a3a", "#9c6b45")
GOOD_LINES = (TEAL, INK, AMBER, SLATE, BLUE, "#9c6b45", "#5c8a3a", PLUM, CORAL)
RATE = float(1 << 32)
"""What stands for one in rates."""


def say_too_short(axes: Axes) -> None:
    """Words in place of a line or points that the run is too short for."""
    axes.text(0.5, 0.55, "the run is too short", transform=axes.transAxes, ha="center", color=MUTED)


def timeline(axes: Axes, figures: CivilisationFigures, title: str, up: str, *, from_zero: bool = False) -> None:
    """Title and axes of a chart over the run's calendar years; says so where the run is too short for it."""
    empty = not np.isfinite(axes.dataLim.intervalx).all()
    dress(axes, title, up, across="year", whole=False)
    first, last = figures.year[0] - 1 / WEEKS, figures.year[-1]
    axes.set_xlim(first - 0.02 * (last - first), last + 0.02 * (last - first))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=last - first >= FEW_YEARS))
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}".replace("-", "−")))
    if empty:
        say_too_short(axes)
    if from_zero:
        axes.set_ylim(bottom=0)


def quarter(name: str) -> Course:
    """A metric's mean over the last quarter."""
    return lambda block: trailing(block[name], QUARTER)


def over(above: Course, below: Course, scale: float = 100) -> Course:
    """One course over another, times `scale`; not a number where nothing positive is below."""
    return lambda block: scale * ratio(above(block), below(block))


def draw_by_nation(axes: Axes, figures: CivilisationFigures, values: Series) -> None:
    """The members' medians of [members, ticks, nations], a line a nation."""
    for place, name in enumerate(names_of(figures)):
        median = band(values[:, :, place]).median
        axes.plot(figures.year, median, color=NATION_LINES[place], linewidth=1.9, label=name)


def draw_product(axes: Axes, figures: CivilisationFigures) -> None:
    """Real product a citizen."""
    product = figures.band(lambda block: WEEKS * trailing(per_citizen(block, "product_real"), QUARTER) / MILLION)
    draw_band(axes, figures.year, product, BLUE, "product")
    timeline(axes, figures, "Real product a citizen", "million base money a year")


def draw_growth(axes: Axes, figures: CivilisationFigures) -> None:
    """Growth of the real product within a year."""
    growth = figures.band(lambda block: 100 * change(trailing(block["product_real"], QUARTER)))
    draw_band(axes, figures.year, growth, TEAL, "growth")
    axes.axhline(0, color=INK, linewidth=0.8)
    timeline(axes, figures, "Growth of the real product", "% within a year")


def draw_use(axes: Axes, figures: CivilisationFigures) -> None:
    """What the product is spent on."""
    parts = (
        ("households", "consumption", BLUE),
        ("governments", "public", AMBER),
        ("capital", "investment", TEAL),
    )
    for label, name, colour in parts:
        draw_band(axes, figures.year, figures.band(over(quarter(name), quarter("product"))), colour, label)
    timeline(axes, figures, "What the product is spent on", "% of the product", from_zero=True)
    legend_above(axes)


def draw_unemployment(axes: Axes, figures: CivilisationFigures) -> None:
    """Unemployment."""
    rate = figures.band(lambda block: 100 * trailing(share(block["unemployed"], block["employed"]), 4))
    draw_band(axes, figures.year, rate, CORAL, "unemployment")
    timeline(axes, figures, "Unemployment", "% of those who may work", from_zero=True)


def draw_turnover(axes: Axes, figures: CivilisationFigures) -> None:
    """Jobs begun and ended."""
    kinds = (("begun", "hires", TEAL), ("ended", "separations", CORAL), ("open", "vacancies", SLATE))
    for label, name, colour in kinds:
        draw_band(axes, figures.year, figures.band(over(quarter(name), quarter("employed"))), colour, label)
    timeline(axes, figures, "Jobs begun, ended and open in a week", "% of all jobs", from_zero=True)
    legend_above(axes)


def yearly_change(block: Block, name: str) -> Series:
    """Change of a metric within a year, %."""
    return 100 * change(block[name])


def draw_inflation(axes: Axes, figures: CivilisationFigures) -> None:
    """Inflation of consumers' prices and of pay."""
    for label, name, colour in (("prices", "price_level", AMBER), ("pay", "wage", PLUM)):
        rise = figures.band(partial(yearly_change, name=name))
        draw_band(axes, figures.year, rise, colour, label)
    axes.axhline(0, color=INK, linewidth=0.8)
    timeline(axes, figures, "Rise of prices and pay", "% within a year")
    legend_above(axes)


def draw_rate(axes: Axes, figures: CivilisationFigures) -> None:
    """The central bank's rate."""
    draw_band(axes, figures.year, figures.band(lambda block: 100 * WEEKS * block["policy_rate"] / RATE), PLUM, "rate")
    timeline(axes, figures, "Rate of the central bank", "% a year", from_zero=True)


def draw_wage_share(axes: Axes, figures: CivilisationFigures) -> None:
    """Wages over the product, by nation."""
    costs = trailing(figures.nation["wages"] + figures.nation["contributions"], QUARTER)
    draw_by_nation(axes, figures, 100 * ratio(costs, trailing(figures.nation["product"], QUARTER)))
    timeline(axes, figures, "Share of labour, contributions included", "% of the product")
    legend_above(axes)


def draw_debt(axes: Axes, figures: CivilisationFigures) -> None:
    """Public debt over the year's product, by nation."""
    product = WEEKS * trailing(figures.nation["product"], QUARTER)
    draw_by_nation(axes, figures, 100 * ratio(figures.nation["debt"], product))
    timeline(axes, figures, "Public debt", "% of a year's product", from_zero=True)
    legend_above(axes)


def years_of_product(block: Block, name: str) -> Series:
    """An amount over the product of a year, at the pace of the last quarter."""
    return ratio(block[name], WEEKS * trailing(block["product"], QUARTER))


def draw_money(axes: Axes, figures: CivilisationFigures) -> None:
    """Deposits, firms' loans and public debt over the year's product."""
    for label, name, colour in (("deposits", "money", BLUE), ("firms' loans", "loans", CORAL)):
        years = figures.band(partial(years_of_product, name=name))
        draw_band(axes, figures.year, years, colour, label)
    timeline(axes, figures, "Money and credit", "years of product", from_zero=True)
    legend_above(axes)


def draw_failures(axes: Axes, figures: CivilisationFigures) -> None:
    """Firms that failed in the last year."""
    draw_band(
        axes, figures.year, figures.band(lambda block: WEEKS * trailing(block["failures"], WEEKS)), CORAL, "failures"
    )
    timeline(axes, figures, "Firms that failed", "firms a year", from_zero=True)
    axes.set_ylim(top=max(1.0, axes.get_ylim()[1]))


def draw_unmet(axes: Axes, figures: CivilisationFigures) -> None:
    """Budgets that found no seller."""
    unmet = figures.band(lambda block: 100 * share(quarter("unmet")(block), quarter("product")(block)))
    draw_band(axes, figures.year, unmet, AMBER, "unmet")
    timeline(axes, figures, "Budgets that found no seller", "% of what was to be spent", from_zero=True)


def draw_nations_product(axes: Axes, figures: CivilisationFigures) -> None:
    """Real product a citizen, by nation."""
    product = trailing(figures.nation["product_real"], QUARTER) / np.maximum(figures.nation["citizens"], 1)
    draw_by_nation(axes, figures, WEEKS * product / MILLION)
    timeline(axes, figures, "Real product a citizen by nation", "million base money a year")
    legend_above(axes)


def draw_nations_unemployment(axes: Axes, figures: CivilisationFigures) -> None:
    """Unemployment by nation."""
    draw_by_nation(axes, figures, 100 * trailing(figures.nation_unemployment(), QUARTER))
    timeline(axes, figures, "Unemployment by nation", "% of those who may work", from_zero=True)
    legend_above(axes)


def draw_exports(axes: Axes, figures: CivilisationFigures) -> None:
    """Exports over the product, by nation."""
    sold, product = (trailing(figures.nation[name], QUARTER) for name in ("exports", "product"))
    draw_by_nation(axes, figures, 100 * ratio(sold, product))
    timeline(axes, figures, "Exports by nation", "% of its product", from_zero=True)
    legend_above(axes)


def draw_balance(axes: Axes, figures: CivilisationFigures) -> None:
    """Trade balances by nation."""
    net = trailing(figures.nation["exports"] - figures.nation["imports"], QUARTER)
    draw_by_nation(axes, figures, 100 * ratio(net, trailing(figures.nation["product"], QUARTER)))
    axes.axhline(0, color=INK, linewidth=0.8)
    timeline(axes, figures, "Trade balance by nation", "% of its product")
    legend_above(axes)


def draw_prices(axes: Axes, figures: CivilisationFigures) -> None:
    """Prices of the goods by year, over that of all spending."""
    paid = sum(figures.market[name].sum(axis=2) for name in ("households", "public", "firms"))
    received = figures.market["received"].sum(axis=2) / figures.lots
    price = paid / np.maximum(received, 1)
    relative = price / (paid.sum(axis=2) / np.maximum(received.sum(axis=2), 1))[:, :, None]
    medians = 100 * np.median(relative / relative[:, :1], axis=0)
    shown = figures.market_years if len(medians) > 1 else np.full(1, np.nan)
    for place in range(len(GOODS)):
        axes.plot(shown, medians[:, place], color=GOOD_LINES[place], linewidth=1.7)
    timeline(axes, figures, "Prices of the goods, over the mean of all", "first year = 100")
    if len(medians) > 1:
        name_ends(axes, float(shown[-1]), medians[-1], GOODS, GOOD_LINES)
