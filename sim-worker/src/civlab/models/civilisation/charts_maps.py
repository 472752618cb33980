"""Maps of the civilisation at its end: whose land it is, who lives there, how they fare and what the climate does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from civlab.models.civilisation.figures import CivilisationFigures
from civlab.models.civilisation.layout import WEEKS, ZONES
from civlab.report.hexmap import DIVERGING, RISING, WARM, draw_amounts, draw_kinds

NATION_COLOURS = ("#8fb4d9", "#e6a3ab", "#8cc4bd", "#f0cd96", "#bda6d3", "#c3cad2", "#a9c28f", "#d9b59b")
ZONE_COLOURS = ("#2f8f6b", "#e6c36a", "#8fbf7f", "#7fa8c9", "#cbc3e0")
MILLION = 1e6


def draw_nations(axes: Axes, figures: CivilisationFigures) -> None:
    """The nations by name."""
    draw_kinds(axes, figures.map, figures.map.nation, figures.names, NATION_COLOURS, "Nations")


def draw_zones(axes: Axes, figures: CivilisationFigures) -> None:
    """The climate zones."""
    draw_kinds(axes, figures.map, figures.zone, ZONES, ZONE_COLOURS, "Climate zones")


def draw_citizens(axes: Axes, figures: CivilisationFigures) -> None:
    """Citizens of each region."""
    draw_amounts(axes, figures.map, figures.of_regions("citizens"), "Citizens", "citizens", logarithmic=True)


def draw_income(axes: Axes, figures: CivilisationFigures) -> None:
    """Income a citizen and year, of the last quarter."""
    weeks = min(13, len(figures.ticks))
    yearly = figures.of_regions("income") / np.maximum(figures.of_regions("citizens"), 1) * WEEKS / weeks / MILLION
    unit = "million money a citizen and year"
    draw_amounts(axes, figures.map, yearly, "Income after tax", unit, colours=RISING)


def draw_unemployment(axes: Axes, figures: CivilisationFigures) -> None:
    """Unemployment of each region."""
    idle, busy = (figures.of_regions(name) for name in ("unemployed", "employed"))
    percent = 100 * idle / np.maximum(idle + busy, 1)
    draw_amounts(axes, figures.map, percent, "Unemployment", "% of those who may work", colours=WARM)


def draw_migration(axes: Axes, figures: CivilisationFigures) -> None:
    """Who came less who left, since the start."""
    net = figures.of_regions("arrivals") - figures.of_regions("departures")
    percent = 100 * net / np.maximum(figures.of_regions("citizens"), 1)
    draw_amounts(axes, figures.map, percent, "Net migration since the start", "% of the citizens", colours=DIVERGING)


def draw_warming(axes: Axes, figures: CivilisationFigures) -> None:
    """Warming of the land."""
    draw_amounts(axes, figures.map, figures.of_regions("warming"), "Warming since 1750", "K", colours=WARM)


def draw_damage(axes: Axes, figures: CivilisationFigures) -> None:
    """What the climate takes."""
    percent = 100 * figures.of_regions("damage")
    draw_amounts(axes, figures.map, percent, "Output lost to the climate", "%", colours=WARM)


def names_of(figures: CivilisationFigures) -> Sequence[str]:
    """The nations' names, short enough for a legend."""
    return [name if len(name) <= 12 else f"{name[:11]}…" for name in figures.names]
