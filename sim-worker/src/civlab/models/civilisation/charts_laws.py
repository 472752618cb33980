"""Charts of regularities that economies are known for: Phillips, Beveridge, Okun, Engel, and the sizes of firms."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from civlab.models.civilisation.charts_economy import NATION_LINES, say_too_short
from civlab.models.civilisation.charts_maps import names_of
from civlab.models.civilisation.figures import CivilisationFigures, quarterly, ratio, share
from civlab.models.civilisation.layout import GOODS
from civlab.report.charts import BLUE, CORAL, INK, dress, legend_above, number_logarithms
from civlab.report.spread import Series

FOUR = 4
"""Quarters of a year."""
MOST_POINTS = 1500
TAIL = 10
"""One in so many firms, the largest, is the tail."""


def scatter(axes: Axes, figures: CivilisationFigures, x: Series, y: Series, *, logarithms: bool = False) -> None:
    """Points of [members, quarters, nations] in the nations' colours, and the line of least squares through all; on
    logarithmic axes that of the logarithms."""
    step = max(1, -(-x[..., 0].size // MOST_POINTS))
    for place, name in enumerate(names_of(figures)):
        left, up = (values[..., place].reshape(-1)[::step] for values in (x, y))
        axes.scatter(left, up, s=13, color=NATION_LINES[place], alpha=0.55, linewidths=0, label=name)
    known = np.isfinite(x) & np.isfinite(y) & (((x > 0) & (y > 0)) | (not logarithms))
    across, height = (np.log(x[known]), np.log(y[known])) if logarithms else (x[known], y[known])
    if len(np.unique(across)) > 1:
        slope = float(np.cov(across, height)[0, 1] / across.var(ddof=1))
        ends = np.array([across.min(), across.max()])
        line = height.mean() + slope * (ends - across.mean())
        drawn = (np.exp(ends), np.exp(line)) if logarithms else (ends, line)
        axes.plot(*drawn, color=INK, linewidth=1.5, linestyle="--", label=f"slope {slope:.2g}".replace("-", "−"))


def finish(axes: Axes, title: str, up: str, across: str) -> None:
    """Title and axes of a chart of points."""
    dress(axes, title, up, across=across, whole=False)
    axes.margins(0.05)
    if not np.isfinite(axes.dataLim.intervalx).all():
        say_too_short(axes)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    legend_above(axes)


def draw_phillips(axes: Axes, figures: CivilisationFigures) -> None:
    """Rise of pay against unemployment, by quarter."""
    idle = 100 * quarterly(figures.nation_unemployment())
    wage = quarterly(figures.nation["wage"])
    rise = 100 * FOUR * (ratio(wage[:, 1:], wage[:, :-1]) - 1)
    scatter(axes, figures, idle[:, 1:], rise)
    finish(axes, "Phillips: pay and unemployment", "rise of pay, % a year", "unemployment, %")


def draw_beveridge(axes: Axes, figures: CivilisationFigures) -> None:
    """Vacancies against unemployment, by quarter."""
    idle = 100 * quarterly(figures.nation_unemployment())
    open_jobs = 100 * quarterly(share(figures.nation["vacancies"], figures.nation["employed"]))
    scatter(axes, figures, idle, open_jobs, logarithms=True)
    finish(axes, "Beveridge: vacancies and unemployment", "vacancies, % of all jobs", "unemployment, %")
    if np.isfinite(axes.dataLim.intervalx).all():
        axes.set_xscale("log")
        axes.set_yscale("log")
        number_logarithms(axes.xaxis)
        number_logarithms(axes.yaxis)


def draw_okun(axes: Axes, figures: CivilisationFigures) -> None:
    """Change of unemployment against growth, within a year, by quarter."""
    idle, product = 100 * quarterly(figures.nation_unemployment()), quarterly(figures.nation["product_real"])
    growth = 100 * (ratio(product[:, FOUR:], product[:, :-FOUR]) - 1)
    scatter(axes, figures, growth, idle[:, FOUR:] - idle[:, :-FOUR])
    finish(axes, "Okun: unemployment and growth", "change of unemployment, points", "growth within a year, %")


def draw_firms(axes: Axes, figures: CivilisationFigures) -> None:
    """Rank of firms by employees, and a line of slope −1 through the tail, which is Zipf's law."""
    for staff in figures.staff[:: -(-len(figures.staff) // 12)]:
        axes.plot(staff, np.arange(1, len(staff) + 1), color=BLUE, linewidth=1.2, alpha=0.6)
    firms = float(np.median([len(staff) for staff in figures.staff])) / TAIL
    size = float(np.median([staff[len(staff) // TAIL] for staff in figures.staff]))
    line = np.array([size, size * firms])
    axes.plot(line, firms * size / line, color=CORAL, linewidth=1.6, linestyle="--", label="Zipf's law, slope −1")
    axes.set_xscale("log")
    axes.set_yscale("log")
    dress(axes, "Firms by size", "rank", across="employees", whole=False)
    number_logarithms(axes.xaxis)
    number_logarithms(axes.yaxis)
    legend_above(axes)


def draw_engel(axes: Axes, figures: CivilisationFigures) -> None:
    """Share of food in the spending of a region's households against what they spend by head, by year."""
    spent = figures.market["households"]
    whole, food = spent.sum(axis=3), spent[..., GOODS.index("food")]
    years = max(1, len(figures.ticks) // 52)
    people = np.maximum(figures.region["citizens"][:, None, :], 1)
    x, y = (whole / people / 1e6)[:, :years], (100 * food / np.maximum(whole, 1))[:, :years]
    for place, name in enumerate(names_of(figures)):
        here = figures.map.nation == place
        left, up = (values[:, :, here].reshape(-1) for values in (x, y))
        step = max(1, -(-len(left) // MOST_POINTS))
        axes.scatter(left[::step], up[::step], s=13, color=NATION_LINES[place], alpha=0.5, linewidths=0, label=name)
    finish(axes, "Engel: food in spending", "food, % of spending", "spending a citizen and year, million money")
