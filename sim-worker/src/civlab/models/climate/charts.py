"""The climate's charts: each function draws one question's answer, as fans over the members."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from civlab.models.climate.figures import ClimateFigures
from civlab.models.climate.layout import ZONES
from civlab.report.charts import AMBER, BLUE, CORAL, INK, PLUM, TEAL, draw_band, dress

ZONE_COLOURS = (CORAL, AMBER, TEAL, PLUM, BLUE)
KILOGRAMS_A_GIGATONNE = 1e12


def draw_fan(axes: Axes, figures: ClimateFigures, metric: str, colour: str, title: str, up: str) -> None:
    """One metric over the years."""
    draw_band(axes, figures.years, figures.band(metric), colour, metric.replace("_", " "))
    dress(axes, title, up, across="year", whole=False, from_zero=False)


def draw_warming(axes: Axes, figures: ClimateFigures) -> None:
    """Global warming since the start."""
    draw_fan(axes, figures, "warming", CORAL, "Global mean warming", "K")


def draw_emissions(axes: Axes, figures: ClimateFigures) -> None:
    """Carbon emitted and taken up a tick."""
    for metric, colour, label in (("emissions", INK, "emitted"), ("uptake", TEAL, "taken up by land and sea")):
        gigatonnes = figures.band(lambda block, metric=metric: block[metric] / KILOGRAMS_A_GIGATONNE)  # type: ignore[misc]
        draw_band(axes, figures.years, gigatonnes, colour, label)
    axes.legend(loc="upper left")
    dress(axes, "Carbon emitted and taken up", "GtC a tick", across="year", whole=False, from_zero=False)


def draw_co2(axes: Axes, figures: ClimateFigures) -> None:
    """Concentration of CO2."""
    draw_fan(axes, figures, "co2", INK, "CO2 in the air", "ppm")


def draw_ch4(axes: Axes, figures: ClimateFigures) -> None:
    """Concentration of methane."""
    draw_fan(axes, figures, "ch4", AMBER, "CH4 in the air", "ppb")


def draw_n2o(axes: Axes, figures: ClimateFigures) -> None:
    """Concentration of nitrous oxide."""
    draw_fan(axes, figures, "n2o", PLUM, "N2O in the air", "ppb")


def draw_forcing(axes: Axes, figures: ClimateFigures) -> None:
    """Effective radiative forcing."""
    draw_fan(axes, figures, "forcing", AMBER, "Effective radiative forcing", "W m-2")


def draw_sea_level(axes: Axes, figures: ClimateFigures) -> None:
    """Rise of the sea level."""
    draw_fan(axes, figures, "sea_level", BLUE, "Rise of the sea level", "m")


def draw_damage(axes: Axes, figures: ClimateFigures) -> None:
    """Share of gross output lost."""
    draw_band(axes, figures.years, figures.band(lambda block: block["damage"] * 100), PLUM, "lost output")
    dress(axes, "Gross output lost", "%", across="year", whole=False)


def draw_tipped(axes: Axes, figures: ClimateFigures) -> None:
    """Tipping elements that have tipped."""
    draw_fan(axes, figures, "tipped", TEAL, "Tipping elements that have tipped", "elements")


def draw_zones(axes: Axes, figures: ClimateFigures) -> None:
    """Warming of each zone's land, medians."""
    median = figures.band("warming").median
    for name, factor, colour in zip(ZONES, figures.zones, ZONE_COLOURS, strict=True):
        axes.plot(figures.years, factor * median, color=colour, linewidth=1.8, label=name)
    axes.legend(loc="upper left")
    dress(axes, "Warming by zone (median)", "K", across="year", whole=False, from_zero=False)


def draw_peaks(axes: Axes, figures: ClimateFigures) -> None:
    """Peak warming of the members."""
    peaks = figures.members["peak_warming"]
    axes.hist(peaks, bins=min(30, max(5, len(peaks) // 4)), color=CORAL)
    axes.axvline(float(np.median(peaks)), color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
    dress(axes, "Peak warming of the members", "members", across="K")
