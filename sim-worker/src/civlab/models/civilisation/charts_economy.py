"""Charts of the economy by week: product and prices, work, money and debt, nations side by side, goods and trade."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from civlab.models.civilisation.charts_maps import MILLION, names_of
from civlab.models.civilisation.figures import CivilisationFigures, change, ratio, share, trailing
from civlab.models.civilisation.layout import GOODS, WEEKS
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
from civlab.report.figures import Series, band

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


def yearly_product(figures: CivilisationFigures, name: str = "product") -> Series:
    """Product at the pace of the last quarter, a year."""
    return WEEKS * trailing(figures.series[name], QUARTER)


def draw_by_nation(axes: Axes, figures: CivilisationFigures, values: Series) -> None:
    """The members' medians of [members, ticks, nations], a line a nation."""
    for place, name in enumerate(names_of(figures)):
        median = band(values[:, :, place]).median
        axes.plot(figures.year, median, color=NATION_LINES[place], linewidth=1.9, label=name)


def draw_product(axes: Axes, figures: CivilisationFigures) -> None:
    """Real product a citizen."""
    values = WEEKS * trailing(figures.per_citizen("product_real"), QUARTER) / MILLION
    draw_band(axes, figures.year, band(values), BLUE, "product")
    timeline(axes, figures, "Real product a citizen", "million base money a year")


def draw_growth(axes: Axes, figures: CivilisationFigures) -> None:
    """Growth of the real product within a year."""
    values = 100 * change(trailing(figures.series["product_real"], QUARTER))
    draw_band(axes, figures.year, band(values), TEAL, "growth")
    axes.axhline(0, color=INK, linewidth=0.8)
    timeline(axes, figures, "Growth of the real product", "% within a year")


def draw_use(axes: Axes, figures: CivilisationFigures) -> None:
    """What the product is spent on."""
    parts = (
        ("households", "consumption", BLUE),
        ("governments", "public", AMBER),
        ("capital", "investment", TEAL),
    )
    whole = trailing(figures.series["product"], QUARTER)
    for label, name, colour in parts:
        draw_band(axes, figures.year, band(100 * ratio(trailing(figures.series[name], QUARTER), whole)), colour, label)
    timeline(axes, figures, "What the product is spent on", "% of the product", from_zero=True)
    legend_above(axes)


def draw_unemployment(axes: Axes, figures: CivilisationFigures) -> None:
    """Unemployment."""
    draw_band(axes, figures.year, band(100 * trailing(figures.unemployment(), 4)), CORAL, "unemployment")
    timeline(axes, figures, "Unemployment", "% of those who may work", from_zero=True)


def draw_turnover(axes: Axes, figures: CivilisationFigures) -> None:
    """Jobs begun and ended."""
    work = np.maximum(trailing(figures.series["employed"], QUARTER), 1)
    kinds = (("begun", "hires", TEAL), ("ended", "separations", CORAL), ("open", "vacancies", SLATE))
    for label, name, colour in kinds:
        draw_band(axes, figures.year, band(100 * trailing(figures.series[name], QUARTER) / work), colour, label)
    timeline(axes, figures, "Jobs begun, ended and open in a week", "% of all jobs", from_zero=True)
    legend_above(axes)


def draw_inflation(axes: Axes, figures: CivilisationFigures) -> None:
    """Inflation of consumers' prices and of pay."""
    for label, name, colour in (("prices", "price_level", AMBER), ("pay", "wage", PLUM)):
        draw_band(axes, figures.year, band(100 * change(figures.series[name])), colour, label)
    axes.axhline(0, color=INK, linewidth=0.8)
    timeline(axes, figures, "Rise of prices and pay", "% within a year")
    legend_above(axes)


def draw_rate(axes: Axes, figures: CivilisationFigures) -> None:
    """The central bank's rate."""
    draw_band(axes, figures.year, band(100 * WEEKS * figures.series["policy_rate"] / RATE), PLUM, "rate")
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


def draw_money(axes: Axes, figures: CivilisationFigures) -> None:
    """Deposits, firms' loans and public debt over the year's product."""
    product = yearly_product(figures)
    for label, name, colour in (("deposits", "money", BLUE), ("firms' loans", "loans", CORAL)):
        draw_band(axes, figures.year, band(ratio(figures.series[name], product)), colour, label)
    timeline(axes, figures, "Money and credit", "years of product", from_zero=True)
    legend_above(axes)


def draw_failures(axes: Axes, figures: CivilisationFigures) -> None:
    """Firms that failed in the last year."""
    draw_band(axes, figures.year, band(WEEKS * trailing(figures.series["failures"], WEEKS)), CORAL, "failures")
    timeline(axes, figures, "Firms that failed", "firms a year", from_zero=True)


def draw_unmet(axes: Axes, figures: CivilisationFigures) -> None:
    """Budgets that found no seller."""
    unmet, spent = (trailing(figures.series[name], QUARTER) for name in ("unmet", "product"))
    draw_band(axes, figures.year, band(100 * share(unmet, spent)), AMBER, "unmet")
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
