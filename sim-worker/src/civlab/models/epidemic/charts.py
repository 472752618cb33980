"""The epidemic's charts: each function draws one question's answer."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from civlab.models.epidemic.figures import EpidemicFigures
from civlab.models.epidemic.layout import LAYERS
from civlab.report.charts import AMBER, BLUE, CORAL, INK, PLUM, TEAL, draw_band, dress, legend_above
from civlab.report.figures import points

LAYER_COLOURS = {"community": BLUE, "household": CORAL, "school": AMBER, "work": TEAL}


def draw_incidence(axes: Axes, figures: EpidemicFigures) -> None:
    """New infections by tick."""
    draw_band(axes, figures.ticks, figures.band("new_infections"), CORAL, "new infections")
    dress(axes, "New infections a day", "persons")


def draw_states(axes: Axes, figures: EpidemicFigures) -> None:
    """Where the population stands, median by state."""
    for name, colour in (("susceptible", BLUE), ("infectious", CORAL), ("recovered", TEAL), ("dead", INK)):
        axes.plot(figures.ticks, figures.band(name).median, color=colour, linewidth=1.8, label=name)
    axes.legend(loc="center right")
    dress(axes, "Population by state (median)", "persons")


def draw_cumulative(axes: Axes, figures: EpidemicFigures) -> None:
    """All infections so far."""
    draw_band(axes, figures.ticks, figures.cumulative(), PLUM, "infected so far")
    dress(axes, "Ever infected", "persons")


def draw_deaths(axes: Axes, figures: EpidemicFigures) -> None:
    """All deaths so far."""
    draw_band(axes, figures.ticks, figures.band("dead"), INK, "deaths")
    dress(axes, "Deaths so far", "persons")


def draw_hospital(axes: Axes, figures: EpidemicFigures) -> None:
    """Patients against beds."""
    draw_band(axes, figures.ticks, figures.band("hospital"), TEAL, "patients")
    if figures.beds is not None:
        axes.axhline(figures.beds, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=f"{figures.beds:,} beds")
    dress(axes, "Patients in hospital", "persons")
    if figures.beds is not None:
        legend_above(axes)


def draw_reproduction(axes: Axes, figures: EpidemicFigures) -> None:
    """The instantaneous reproduction number."""
    values = figures.reproduction()
    draw_band(axes, figures.ticks, values, BLUE, "R(t)")
    axes.axhline(1.0, color=INK, linewidth=1.0, linestyle=(0, (4, 3)))
    top = values.high[np.isfinite(values.high)]
    axes.set_ylim(0, max(2.0, float(np.percentile(top, 97)) * 1.1) if len(top) else 2.0)
    dress(axes, "Reproduction number R(t)", "infections per case", whole=False)


def draw_layers(axes: Axes, figures: EpidemicFigures) -> None:
    """Who infects where: mean infections by layer, stacked."""
    means = {layer: figures.blocks.mean(f"infected_{layer}") for layer in LAYERS}
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
    dress(axes, "Infections by layer (mean)", "persons a day")


def draw_ages(axes: Axes, figures: EpidemicFigures) -> None:
    """Attack rate by age group, with the spread over members."""
    ages = figures.ages
    middle = ages["age_from"] + 5
    errors = np.maximum(0.0, np.stack([ages["attack"] - ages["low"], ages["high"] - ages["attack"]]))
    axes.bar(middle, 100 * ages["attack"], width=8.2, color=TEAL, alpha=0.85)
    axes.errorbar(middle, 100 * ages["attack"], yerr=100 * errors, fmt="none", ecolor=INK, elinewidth=1, capsize=2.5)
    axes.set_xticks(ages["age_from"])
    dress(axes, "Ever infected by age", "% of the age group", across="age in years")


def draw_attack_rates(axes: Axes, figures: EpidemicFigures) -> None:
    """How the members' attack rates are spread."""
    rates = 100 * figures.members["attack_rate"]
    axes.hist(rates, bins=min(40, max(8, len(rates) // 3)), color=PLUM, alpha=0.85)
    axes.axvline(float(np.median(rates)), color=INK, linewidth=1.2)
    dress(axes, "Attack rate over the members", "members", across="% ever infected")


def draw_peaks(axes: Axes, figures: EpidemicFigures) -> None:
    """When and how high members peak."""
    at, height = (points(figures.members[name]) for name in ("peak_tick", "peak_infectious"))
    axes.scatter(at, height, s=16, color=AMBER, alpha=0.75, linewidths=0)
    dress(axes, "Peak of each member", "infectious persons", across="day of the peak", from_zero=False)
