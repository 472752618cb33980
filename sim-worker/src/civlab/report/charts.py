"""The charts, drawn by matplotlib into axes that the page or the picture provides.

Each function draws one question's answer; colours and bands are the same everywhere (median line, half of the members
in the dark band, nine in ten in the light one).
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from civlab.models.epidemic.layout import LAYERS
from civlab.report.figures import Band, Effect, Figures

INK, MUTED, GRID = "#1b2a3a", "#5d6b7a", "#e3e8ee"
TEAL, CORAL, BLUE, AMBER, PLUM, SLATE = "#0f8b8d", "#d1495b", "#2e6fb7", "#e09f3e", "#7d4f9e", "#8895a3"
LAYER_COLOURS = {"community": BLUE, "household": CORAL, "school": AMBER, "work": TEAL}

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


def draw_incidence(axes: Axes, figures: Figures) -> None:
    """New infections by tick."""
    _band(axes, figures.ticks, figures.band("new_infections"), CORAL, "new infections")
    _dress(axes, "New infections a day", "persons")


def draw_states(axes: Axes, figures: Figures) -> None:
    """Where the population stands, median by state."""
    for name, colour in (("susceptible", BLUE), ("infectious", CORAL), ("recovered", TEAL), ("dead", INK)):
        axes.plot(figures.ticks, figures.band(name).median, color=colour, linewidth=1.8, label=name)
    axes.legend(loc="center right")
    _dress(axes, "Population by state (median)", "persons")


def draw_cumulative(axes: Axes, figures: Figures) -> None:
    """All infections so far."""
    _band(axes, figures.ticks, figures.band("new_infections", cumulative=True), PLUM, "infected so far")
    _dress(axes, "Ever infected", "persons")


def draw_deaths(axes: Axes, figures: Figures) -> None:
    """All deaths so far."""
    _band(axes, figures.ticks, figures.band("dead"), INK, "deaths")
    _dress(axes, "Deaths so far", "persons")


def draw_hospital(axes: Axes, figures: Figures) -> None:
    """Patients against beds."""
    _band(axes, figures.ticks, figures.band("hospital"), TEAL, "patients")
    if figures.beds is not None:
        axes.axhline(figures.beds, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=f"{figures.beds:,} beds")
        axes.legend(loc="upper right")
    _dress(axes, "Patients in hospital", "persons")


def draw_reproduction(axes: Axes, figures: Figures) -> None:
    """The instantaneous reproduction number."""
    values = figures.reproduction()
    _band(axes, figures.ticks, values, BLUE, "R(t)")
    axes.axhline(1.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    top = values.high[np.isfinite(values.high)]
    axes.set_ylim(0, max(2.0, float(np.percentile(top, 97)) * 1.1) if len(top) else 2.0)
    _dress(axes, "Reproduction number R(t)", "infections per case", whole=False)


def draw_layers(axes: Axes, figures: Figures) -> None:
    """Who infects where: mean infections by layer, stacked."""
    means = {layer: figures.series[f"infected_{layer}"].mean(axis=0) for layer in LAYERS}
    shown = [layer for layer in LAYERS if means[layer].any()]
    if shown:
        axes.stackplot(
            figures.ticks,
            [means[layer] for layer in shown],
            colors=[LAYER_COLOURS[layer] for layer in shown],
            labels=shown,
            alpha=0.9,
            linewidth=0,
        )
        axes.legend(loc="upper right")
    _dress(axes, "Infections by layer (mean)", "persons a day")


def draw_ages(axes: Axes, figures: Figures) -> None:
    """Attack rate by age group, with the spread over members."""
    ages = figures.ages
    middle = ages["age_from"] + 5
    errors = np.maximum(0.0, np.stack([ages["attack"] - ages["low"], ages["high"] - ages["attack"]]))
    axes.bar(middle, 100 * ages["attack"], width=8.2, color=TEAL, alpha=0.85)
    axes.errorbar(middle, 100 * ages["attack"], yerr=100 * errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
    axes.set_xticks(ages["age_from"])
    _dress(axes, "Ever infected by age", "% of the age group", across="age in years")


def draw_attack_rates(axes: Axes, figures: Figures) -> None:
    """How the members' attack rates are spread."""
    rates = 100 * figures.members["attack_rate"]
    axes.hist(rates, bins=min(40, max(8, len(rates) // 3)), color=PLUM, alpha=0.85)
    axes.axvline(float(np.median(rates)), color=INK, linewidth=1.2)
    _dress(axes, "Attack rate over the members", "members", across="% ever infected")


def draw_peaks(axes: Axes, figures: Figures) -> None:
    """When and how high members peak."""
    axes.scatter(
        figures.members["peak_tick"], figures.members["peak_infectious"], s=16, color=AMBER, alpha=0.75, linewidths=0
    )
    _dress(axes, "Peak of each member", "infectious persons", across="day of the peak", from_zero=False)


def draw_effect(axes: Axes, _figures: Figures, *, effect: Effect) -> None:
    """Attack rate against one varied parameter."""
    axes.scatter(effect.values, 100 * effect.outcomes, s=14, color=BLUE, alpha=0.6, linewidths=0)
    values = np.unique(effect.values)
    if 1 < len(values) < len(effect.values):
        means = [100 * float(effect.outcomes[effect.values == value].mean()) for value in values]
        axes.plot(values, means, color=CORAL, linewidth=1.8, marker="o", markersize=4)
    _dress(axes, f"Effect of {effect.name}", "% ever infected", across=effect.name)


def draw_tornado(axes: Axes, figures: Figures) -> None:
    """Which varied parameter matters most: rank correlation with the attack rate."""
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
    _dress(axes, "What moves the attack rate", "", across="Spearman's rank correlation", whole=False)


def _band(axes: Axes, ticks: np.ndarray, values: Band, colour: str, label: str) -> None:
    axes.fill_between(ticks, values.low, values.high, color=colour, alpha=0.16, linewidth=0)
    axes.fill_between(ticks, values.lower, values.upper, color=colour, alpha=0.28, linewidth=0)
    axes.plot(ticks, values.median, color=colour, linewidth=2.0, label=label)


def _dress(axes: Axes, title: str, up: str, *, across: str = "day", whole: bool = True, from_zero: bool = True) -> None:
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
