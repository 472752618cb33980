"""Charts of the people: how many they are and of what age, who is born, dies and moves, and who owns what."""

from __future__ import annotations

from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from civlab.models.civilisation.charts_economy import timeline
from civlab.models.civilisation.charts_maps import MILLION
from civlab.models.civilisation.figures import CivilisationFigures, per_citizen, ratio, trailing
from civlab.models.civilisation.layout import AGES, WEEKS
from civlab.report.blocks import Block
from civlab.report.charts import AMBER, BLUE, CORAL, INK, PLUM, SLATE, TEAL, draw_band, dress, legend_above
from civlab.report.spread import Series

CLASS = 5
"""Years of a bar of the pyramid."""
OLDEST = 100
DECADE = 10
BINS = 42


def draw_citizens(axes: Axes, figures: CivilisationFigures) -> None:
    """Citizens alive."""
    draw_band(axes, figures.year, figures.band("citizens"), INK, "citizens")
    timeline(axes, figures, "Citizens", "citizens")


def by_thousand(block: Block, name: str) -> Series:
    """Events by thousand citizens and year, at the pace of the last one."""
    return 1000 * WEEKS * trailing(per_citizen(block, name), WEEKS)


def draw_vital(axes: Axes, figures: CivilisationFigures) -> None:
    """Births and deaths by thousand and year."""
    for label, colour in (("births", TEAL), ("deaths", SLATE)):
        draw_band(axes, figures.year, figures.band(partial(by_thousand, name=label)), colour, label)
    timeline(axes, figures, "Births and deaths", "by 1,000 citizens a year", from_zero=True)
    legend_above(axes)


def draw_moves(axes: Axes, figures: CivilisationFigures) -> None:
    """Moves to another region by thousand and year."""
    draw_band(axes, figures.year, figures.band(partial(by_thousand, name="moves")), BLUE, "moves")
    timeline(axes, figures, "Moves to another region", "by 1,000 citizens a year", from_zero=True)


def draw_pyramid(axes: Axes, figures: CivilisationFigures) -> None:
    """Men to the left, women to the right, by classes of five years."""
    classes = np.minimum(np.arange(AGES), OLDEST) // CLASS
    counts = np.stack([np.bincount(classes, weights=sex) for sex in figures.pyramid])
    percent = 100 * counts / max(counts.sum(), 1)
    at = CLASS * (np.arange(percent.shape[1]) + 0.5)
    axes.barh(at, -percent[0], height=0.88 * CLASS, color=BLUE, alpha=0.85, label="men")
    axes.barh(at, percent[1], height=0.88 * CLASS, color=CORAL, alpha=0.85, label="women")
    axes.axvline(0, color="white", linewidth=1.2)
    dress(axes, "Ages at the end", "years of age", across="% of all citizens", whole=False)
    widest = 1.08 * float(percent.max())
    axes.set_xlim(-widest, widest)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    axes.set_yticks(range(0, OLDEST + 1, 20))
    legend_above(axes)


def draw_lorenz(axes: Axes, figures: CivilisationFigures) -> None:
    """Lorenz curves of deposits and incomes."""
    percent = np.arange(101)
    axes.plot((0, 100), (0, 100), color=INK, linewidth=0.8, label="equal")
    for values, label, colour in zip(figures.lorenz, ("deposits", "incomes"), (PLUM, TEAL), strict=True):
        axes.plot(percent, 100 * np.median(values, axis=0), color=colour, linewidth=2, label=label)
    dress(axes, "Who holds and who earns", "% of all", across="% of the households, the poorest first", whole=False)
    legend_above(axes)


def draw_age_wealth(axes: Axes, figures: CivilisationFigures) -> None:
    """Deposits and income of a household by age of its head."""
    found = figures.age_wealth
    many = found["households"] >= 0.002 * found["households"].sum()
    at = found["age"][many] + DECADE / 2
    for name, label, colour in (("deposits", "deposits", PLUM), ("income", "income of a year", TEAL)):
        axes.plot(at, found[name][many] / MILLION, color=colour, linewidth=2, marker="o", markersize=4, label=label)
    dress(axes, "Deposits and income by age", "million money a household", across="age of the eldest head", whole=False)
    axes.set_ylim(bottom=0)
    legend_above(axes)


def draw_deposits(axes: Axes, figures: CivilisationFigures) -> None:
    """Distribution of the households' deposits on a logarithmic axis."""
    held, weight = figures.deposits
    edges = np.logspace(-2, 1.5, BINS + 1)
    shares = np.histogram(held / np.average(held, weights=weight), edges, weights=weight)[0] / weight.sum()
    axes.stairs(100 * shares, edges, color=PLUM, fill=True, alpha=0.75)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    dress(axes, "Deposits of the households", "% of the households", across="deposit / mean", whole=False)


def draw_gini(axes: Axes, figures: CivilisationFigures) -> None:
    """The Gini coefficients of each member."""
    kinds = (("gini", "deposits", PLUM), ("income_gini", "incomes", TEAL))
    found = [figures.members[name] for name, _, _ in kinds]
    edges = np.histogram_bin_edges(np.concatenate(found), bins=min(60, max(10, len(found[0]) // 2)))
    for values, (_, label, colour) in zip(found, kinds, strict=True):
        axes.hist(values, bins=edges.tolist(), color=colour, alpha=0.75, label=label)
        axes.axvline(float(np.median(values)), color=colour, linewidth=1.4, linestyle=(0, (4, 3)))
    dress(axes, "Gini coefficients at the end", "members", across="Gini coefficient")
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    legend_above(axes)


def draw_estates(axes: Axes, figures: CivilisationFigures) -> None:
    """What was inherited over the product."""
    left = figures.band(lambda block: 100 * ratio(trailing(block["estates"], WEEKS), trailing(block["product"], WEEKS)))
    draw_band(axes, figures.year, left, AMBER, "estates")
    timeline(axes, figures, "Estates of households that ended", "% of the product", from_zero=True)
