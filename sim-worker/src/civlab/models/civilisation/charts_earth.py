"""Charts of energy and climate: what is burnt, gained and short, what is left, and what warming costs whom."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from civlab.models.civilisation.charts_economy import quarter, timeline
from civlab.models.civilisation.charts_maps import ZONE_COLOURS
from civlab.models.civilisation.figures import CivilisationFigures, share, trailing
from civlab.models.civilisation.layout import WEEKS, ZONES
from civlab.report.blocks import Block
from civlab.report.charts import AMBER, BLUE, CORAL, INK, PLUM, TEAL, draw_band, legend_above
from civlab.report.spread import Series, band

UNITS = ("mJ", "J", "kJ", "MJ", "GJ", "TJ", "PJ", "EJ", "ZJ")
BASE_PRICE = 10_000
ZONE_LINES = {**dict(zip(ZONES, ZONE_COLOURS, strict=True)), "polar": "#9a8cc4", "temperate": "#5f9e4f"}


def unit_of(values: Series) -> tuple[float, str]:
    """What amounts in mJ are best divided by, and the name of that unit."""
    largest = float(np.nanmax(np.abs(values))) if values.size else 0.0
    place = 0
    while place < len(UNITS) - 1 and largest >= 1000 ** (place + 1):
        place += 1
    return 1000.0**place, UNITS[place]


def draw_price(axes: Axes, figures: CivilisationFigures) -> None:
    """Price of energy over that of consumption."""
    price = figures.band(lambda block: 100 * trailing(block["energy_price"] / np.maximum(block["price_level"], 1), 4))
    draw_band(axes, figures.year, price, AMBER, "energy")
    timeline(axes, figures, "Price of energy over that of consumption", "start = 100")


def draw_shortage(axes: Axes, figures: CivilisationFigures) -> None:
    """Energy that was wanted at the price and not delivered."""
    short = figures.band(lambda block: 100 * share(quarter("energy_short")(block), quarter("energy_sold")(block)))
    draw_band(axes, figures.year, short, CORAL, "short")
    timeline(axes, figures, "Energy wanted at the price and not delivered", "%", from_zero=True)


def draw_sources(axes: Axes, figures: CivilisationFigures) -> None:
    """Where energy comes from, by year."""
    burnt, gained, made = (figures.energy[name].sum(axis=2) for name in ("fuel_burnt", "gained", "made"))
    years = max(1, len(figures.year) // WEEKS)
    scale, unit = unit_of(burnt)
    lines = ((burnt, "fuel burnt", INK), (gained, "renewable", TEAL), (made, "energy made", AMBER))
    for values, label, colour in lines:
        middle = band(values[:, :years] / scale)
        at = figures.market_years[:years]
        axes.plot(at, middle.median, color=colour, linewidth=2, marker="o", markersize=3.5, label=label)
        axes.fill_between(at, middle.low, middle.high, color=colour, alpha=0.16, linewidth=0)
    timeline(axes, figures, "Where energy comes from", f"{unit} a year", from_zero=True)
    legend_above(axes)


def draw_reserves(axes: Axes, figures: CivilisationFigures) -> None:
    """For how many years the fuel in the ground would last."""
    burnt = quarter("fuel_burnt")
    years = figures.band(lambda block: block["reserves"] / np.maximum(WEEKS * burnt(block), 1))
    draw_band(axes, figures.year, years, INK, "reserves")
    timeline(axes, figures, "Fuel in the ground", "years at the use of the last quarter")


def draw_yearly(axes: Axes, figures: CivilisationFigures, name: str, colour: str) -> None:
    """A metric that changes once a year, as a line through what each year begins with."""
    every = WEEKS if len(figures.year) > 2 * WEEKS else 1
    yearly = figures.band(lambda block: block[name][:, ::every])
    draw_band(axes, figures.year[::every] - 1 / WEEKS, yearly, colour, name)


def draw_warming(axes: Axes, figures: CivilisationFigures) -> None:
    """Global warming."""
    draw_yearly(axes, figures, "warming", CORAL)
    timeline(axes, figures, "Global warming since 1750", "K")


def draw_co2(axes: Axes, figures: CivilisationFigures) -> None:
    """Concentration of CO2."""
    draw_yearly(axes, figures, "co2", INK)
    timeline(axes, figures, "CO2 in the air", "ppm")


def emitted(block: Block) -> Series:
    """Carbon emitted in each whole year, Mt, [members of the block, years]."""
    posted = block["carbon_own"][:, WEEKS::WEEKS]
    return np.diff(np.concatenate([np.zeros((len(posted), 1)), posted], axis=1), axis=1) / 1e9


def draw_carbon(axes: Axes, figures: CivilisationFigures) -> None:
    """Carbon emitted by the world's own people, by year."""
    years = len(figures.year) // WEEKS
    middle = figures.band(emitted)
    if len(middle.median):
        at = figures.market_years[: len(middle.median)]
        axes.bar(at, middle.median, width=0.7, color=PLUM, alpha=0.75)
        axes.vlines(at, middle.low, middle.high, color=INK, linewidth=1.2)
    timeline(axes, figures, "Carbon emitted by the world's own people", "Mt a year", from_zero=years > 0)


def draw_damage(axes: Axes, figures: CivilisationFigures) -> None:
    """Output lost to the climate, by zone."""
    at = figures.market_years
    for place, name in enumerate(figures.zones):
        middle = band(100 * figures.climate["damage"][:, :, place])
        colour = ZONE_LINES[name]
        axes.plot(at, middle.median, color=colour, linewidth=2, marker="o", markersize=3, label=name)
        axes.fill_between(at, middle.lower, middle.upper, color=colour, alpha=0.18, linewidth=0)
    timeline(axes, figures, "Output lost to the climate by zone", "%", from_zero=True)
    legend_above(axes)


def draw_sea(axes: Axes, figures: CivilisationFigures) -> None:
    """Rise of the sea."""
    draw_yearly(axes, figures, "sea_level", BLUE)
    timeline(axes, figures, "Rise of the sea since 1880", "m")
