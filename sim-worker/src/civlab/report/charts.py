"""What all models' charts share: style, colours, bands and the effects of parameters, drawn by matplotlib into axes
that the page or the picture provides.

Colours and bands are the same everywhere (median line, half of the members
in the dark band, nine in ten in the light one).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from civlab.report.declaration import Outcome
from civlab.report.figures import Band, Effect, Figures

INK, MUTED, GRID = "#1b2a3a", "#5d6b7a", "#e3e8ee"
TEAL, CORAL, BLUE, AMBER, PLUM, SLATE = "#0f8b8d", "#d1495b", "#2e6fb7", "#e09f3e", "#7d4f9e", "#8895a3"

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
    axes.scatter(effect.values, outcome.scale * effect.outcomes, s=14, color=BLUE, alpha=0.6, linewidths=0)
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
    """A metric over the ticks: median, half and nine tenths of the members."""
    axes.fill_between(ticks, values.low, values.high, color=colour, alpha=0.16, linewidth=0)
    axes.fill_between(ticks, values.lower, values.upper, color=colour, alpha=0.28, linewidth=0)
    axes.plot(ticks, values.median, color=colour, linewidth=2.0, label=label)


def dress(axes: Axes, title: str, up: str, *, across: str = "day", whole: bool = True, from_zero: bool = True) -> None:
    """Title, labels and axes; `across` names the horizontal one."""
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.tick_params(length=0)
    axes.margins(x=0.02)
    if whole:
        if from_zero:
            axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
