"""What all models' charts share: style, colours, bands and the effects of parameters, drawn by matplotlib into axes
that the page or the picture provides.

Colours and bands are the same everywhere (median line, half of the members
in the dark band, nine in ten in the light one).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from civlab.report.blocks import drawn
from civlab.report.declaration import Outcome
from civlab.report.figures import Effect, Figures, points
from civlab.report.spread import Band

INK, MUTED, GRID = "#1b2a3a", "#5d6b7a", "#e3e8ee"
TEAL, CORAL, BLUE, AMBER, PLUM, SLATE = "#0f8b8d", "#d1495b", "#2e6fb7", "#e09f3e", "#7d4f9e", "#8895a3"

WIDE_RANGE = 200
"""Ratio of a logarithmic axis' ends from which on only powers of ten are numbered."""
LEGEND_ROW, LEGEND_HANDLE, LEGEND_LETTER = 12.5, 27, 4.6
"""Height of a row of a legend, width of an entry without its name, and of a letter of that, points."""
NAME_HEIGHT = 0.062
"""Height of a line's name over that of the plot."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
}


def style(salt: str = "civlab") -> AbstractContextManager[None]:
    """The charts' style for the length of a block; `salt` makes the identifiers of an SVG its own and repeatable."""
    settings: Any = {**STYLE, "svg.hashsalt": salt}
    return matplotlib.rc_context(settings)


def draw_effect(axes: Axes, _figures: Figures, *, effect: Effect, outcome: Outcome) -> None:
    """The outcome against one varied parameter."""
    axes.scatter(
        points(effect.values), outcome.scale * points(effect.outcomes), s=14, color=BLUE, alpha=0.6, linewidths=0
    )
    values = np.unique(effect.values)
    if 1 < len(values) < len(effect.values):
        means = [outcome.scale * float(effect.outcomes[effect.values == value].mean()) for value in values]
        axes.plot(values, means, color=CORAL, linewidth=1.8, marker="o", markersize=4)
    dress(axes, f"Effect of {effect.name}", outcome.axis, across=effect.name)


def draw_tornado(axes: Axes, figures: Figures, *, outcome: Outcome) -> None:
    """Which varied parameter matters most: rank correlation with the outcome."""
    ordered = sorted(figures.effects, key=lambda effect: (abs(effect.correlation), effect.name))
    correlations = [effect.correlation for effect in ordered]
    axes.barh(
        [effect.name for effect in ordered],
        correlations,
        color=[CORAL if value > 0 else BLUE for value in correlations],
        height=0.6,
    )
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_xlim(-1, 1)
    axes.set_xticks([-1, -0.5, 0, 0.5, 1])
    dress(axes, f"What moves {outcome.title}", "", across="Spearman's rank correlation", whole=False)


def draw_band(axes: Axes, ticks: np.ndarray, values: Band, colour: str, label: str) -> None:
    """A metric over the ticks: median, half and nine tenths of the members; long courses by every so-maniest tick."""
    at = drawn(ticks)
    parts = (values.low, values.lower, values.median, values.upper, values.high)
    low, lower, median, upper, high = (part if len(part) == len(at) else drawn(part) for part in parts)
    axes.fill_between(at, low, high, color=colour, alpha=0.16, linewidth=0)
    axes.fill_between(at, lower, upper, color=colour, alpha=0.28, linewidth=0)
    axes.plot(at, median, color=colour, linewidth=2.0, label=label)


def legend_above(axes: Axes) -> None:
    """The legend between title and plot, where it covers nothing; to be called after `dress`.

    Names stand in one row as long as they fit; where nobody else lays the figure out, the plot makes room for more.
    """
    handles, labels = axes.get_legend_handles_labels()
    figure = axes.get_figure(root=True)
    assert figure is not None
    place = axes.get_position()
    width = 72 * figure.get_figwidth() * place.width
    columns = max(1, min(len(labels), int(width / (LEGEND_HANDLE + LEGEND_LETTER * max(map(len, labels), default=1)))))
    more = LEGEND_ROW * (-(-len(labels) // columns) - 1)
    axes.set_title(axes.get_title(loc="left"), pad=15 + more)
    if more and figure.get_layout_engine() is None:
        height = place.height - more / 72 / figure.get_figheight()
        axes.set_position((place.x0, place.y0, place.width, height))
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        borderpad=0.1,
        handlelength=1.3,
        handletextpad=0.5,
        columnspacing=1.1,
        labelspacing=0.25,
    )


def number_logarithms(axis: Axis) -> None:
    """Plain numbers at the ticks of a logarithmic axis, more of them where it covers little."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > WIDE_RANGE else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
    axis.set_minor_formatter(NullFormatter())


def name_ends(axes: Axes, x: float, heights: Sequence[float], names: Sequence[str], colours: Sequence[str]) -> None:
    """The lines' names at their right ends, pushed apart where they would touch; to be called after `dress`.

    `x` is where the lines end; names of lines without a height there are left out.
    """
    low, high = axes.get_ylim()
    gap = (high - low) * NAME_HEIGHT
    drawn = sorted((float(height), place) for place, height in enumerate(heights) if np.isfinite(height))
    at = [height for height, _ in drawn]
    for place in range(1, len(at)):
        at[place] = max(at[place], at[place - 1] + gap)
    for place in range(len(at) - 1, -1, -1):
        at[place] = min(at[place], high - gap * (len(at) - 1 - place))
    for y, (_, place) in zip(at, drawn, strict=True):
        axes.annotate(
            names[place],
            (x, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.5,
            color=colours[place],
            annotation_clip=False,
        )


def dress(axes: Axes, title: str, up: str, *, across: str = "day", whole: bool = True, from_zero: bool = True) -> None:
    """Title, labels and axes; `across` names the horizontal one."""
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.tick_params(which="both", length=0)
    axes.margins(x=0.02)
    if whole:
        if from_zero:
            axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
