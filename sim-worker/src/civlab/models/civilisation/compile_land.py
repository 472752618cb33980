"""Compiles the world's and the climate's sections into the record and the years that kernels read.

All is exact decimals until the last step, in which a number becomes an integer or the nearest f64; kernels work out
what needs logarithms or exponentials.
"""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt

import numpy as np

from civlab.models.civilisation.layout_land import GOODS, YEAR
from civlab.models.climate import configuration as published
from civlab.models.climate.compile import amounts, fill_gases
from civlab.models.climate.configuration import Numbers, parameter_sets
from civlab.models.climate.layout import ELEMENTS, ZONES
from civlab.models.climate.pathways import BASELINE_YEAR, yearly
from parpour_contracts.scenario.civilisation.climate import Climate
from parpour_contracts.scenario.civilisation.world import Map, World
from parpour_contracts.scenario.errors import ScenarioError

WEEKS = 52
MILLIJOULES_A_GIGAJOULE = 10**12
KG_CARBON_A_GTCO2 = Fraction(Decimal("12.011")) / Fraction(Decimal("44.009")) * 10**12
FARMED = {"tropical": "0.35", "arid": "0.35", "temperate": "0.55", "continental": "0.25", "polar": "0.02"}
"""Cropland and pasture; they average the 37 % of FAO's land-use statistics (2020)."""
SETTLED, MINED = "0.01", "0.0005"
"""Built-up land: Potapov et al. (2022), Frontiers in Remote Sensing 3; mines: Maus et al. (2022), Scientific Data 9."""
EXPOSURE = ("1", "0.5", "0.5", "0.5", "0.5", "1", "0.5", "0.1", "0.1")
"""Work of 400, 300 and 200 W loses about as 1 to 1/2 to 1/10 at 30 degrees WBGT: Kjellstrom et al. (2018),
International Journal of Biometeorology 62, 291-306. By good: food and construction in the open, offices indoors."""
DIGITS = Context(prec=40)
PI = Decimal("3.141592653589793238462643383279502884197")


def fixed(value: Fraction | Decimal, bits: int) -> int:
    """value * 2^bits, rounded half to even."""
    return round(Fraction(value) * (1 << bits))


def sine(degrees: Decimal) -> Decimal:
    """The sine to 30 digits, by its series."""
    x = DIGITS.divide(DIGITS.multiply(degrees, PI), Decimal(180))
    term, total, k = x, x, 1
    while abs(term) > Decimal("1e-32"):
        k += 2
        term = DIGITS.divide(DIGITS.multiply(term, DIGITS.multiply(-x, x)), Decimal(k * (k - 1)))
        total = DIGITS.add(total, term)
    return total


def grid(world: Map) -> tuple[int, int]:
    """Columns and rows of the map: room for the regions and for at least the share of sea, about as wide as high."""
    cells = -(-Fraction(world.regions) // (1 - Fraction(world.sea)))
    width = max(2, isqrt(int(cells) * 6 // 5))
    return width, max(2, -(-int(cells) // width))


def fill_land(
    row: np.void, world: World, climate: Climate, *, citizens: int, extracted: int, burnt: int, year_first: int = 0
) -> None:
    """Writes the scenario's `Land` record.

    Args:
        row: One element of `LAND`.
        world: The world's section.
        climate: The climate's section.
        citizens: Citizens at the start.
        extracted: Fuel taken from the ground for a citizen and week at the start, mJ.
        burnt: Fuel burnt for a citizen and week at the start, mJ.
        year_first: The scenario's first row among all years, its row for 1750.

    Raises:
        CivlabError: PATHWAY_TOO_SHORT if the pathway lacks the first year.
        ScenarioError: SCENARIO_OUT_OF_RANGE if the model's people would emit more than the whole world.
    """
    fill_gases(row)
    fill_map(row, world, citizens=citizens, extracted=extracted)
    fill_answers(row, climate)
    row["own_share"] = float(own_share(climate, citizens=citizens, burnt=burnt))
    row["year_first"] = year_first


def fill_map(row: np.void, world: World, *, citizens: int, extracted: int) -> None:
    """What the map and its settlement are drawn by."""
    land = world.map
    row["share"][: len(world.nations)] = [fixed(nation.share, 63) for nation in world.nations]
    row["fuel_use"], row["fuel_years"] = extracted, fixed(world.fuel.years, 32)
    row["fuel_spread"], row["exponent"] = float(world.fuel.spread), float(world.settlement.exponent)
    row["sine_south"], row["sine_north"] = fixed(sine(land.south), 32), fixed(sine(land.north), 32)
    row["farmed"] = [fixed(Decimal(FARMED[zone]), 31) for zone in ZONES]
    row["settled"], row["mined"] = fixed(Decimal(SETTLED), 31), fixed(Decimal(MINED), 31)
    row["roughness"], row["relief"], row["area"] = fixed(land.roughness, 16), land.relief, land.area
    row["pitch"] = round(DIGITS.sqrt(DIGITS.divide(Decimal(2 * land.area), DIGITS.sqrt(Decimal(3)))))
    row["width"], row["height"] = grid(land)
    row["straits"], row["shared"] = land.straits, land.terrain == "shared"
    row["regions"], row["nations"] = land.regions, len(world.nations)
    row["citizens"], row["minimum"] = citizens, world.settlement.minimum


def fill_answers(row: np.void, climate: Climate) -> None:
    """How the climate answers, and what warming costs."""
    row["zone"] = [float(getattr(climate.zones, zone)) for zone in ZONES]
    for place, name in enumerate(ELEMENTS):
        threshold, timescale, warming = published.ELEMENTS[name]
        row["threshold"][place], row["timescale"][place] = threshold, timescale
        row["tipped_warming"][place] = warming if climate.tipping == "on" else 0.0
    row["sea_rate"], row["sea_rapid"], row["sea_equilibrium"] = published.SEA_LEVEL[climate.sea_level]
    row["damage_quadratic"], row["damage_steep"] = published.DAMAGES[climate.damages]
    row["crop_loss"] = [float(getattr(climate.crops, zone)) for zone in ZONES]
    row["heat_loss"] = [float(getattr(climate.heat, zone)) for zone in ZONES]
    row["exposure"] = [float(text) for text in EXPOSURE]
    row["carbon_factor"] = carbon_factor(climate)
    row["clearing"], row["lag"], row["start"] = fixed(climate.clearing, 31), climate.lag, climate.start
    row["emits"], row["suffers"] = climate.coupling != "none", climate.coupling == "both"


def carbon_factor(climate: Climate) -> int:
    """Grams of carbon for a GJ burnt by a citizen, all the people counted for whom a citizen stands."""
    return round(climate.carbon * 1000) * climate.people_per_citizen


def own_share(climate: Climate, *, citizens: int, burnt: int) -> Fraction:
    """Share of the pathway's CO2 that the model's own people emit at the start.

    None where they do not warm the climate, or where the pathway emits nothing of which they could be a part.
    """
    kilograms = Fraction(citizens * burnt * WEEKS * carbon_factor(climate), 1000 * MILLIJOULES_A_GIGAJOULE)
    world = amounts(yearly(climate.pathway), climate.start)[0] * KG_CARBON_A_GTCO2
    if climate.coupling == "none" or world <= 0:
        return Fraction(0)
    if kilograms > world:
        message = (
            f"the model's people would emit {float(kilograms):.3g} kg of carbon a year, the whole world of "
            f"{climate.start} emits {float(world):.3g}: let a citizen stand for fewer people"
        )
        raise ScenarioError("SCENARIO_OUT_OF_RANGE", "climate.people_per_citizen", message)
    return kilograms / world


def years(climate: Climate, *, ticks: int) -> np.ndarray:
    """The rows of `YEAR` that a run of so many weeks needs, from 1750 on.

    Raises CivlabError PATHWAY_TOO_SHORT where the pathway lacks one.
    """
    pathway = yearly(climate.pathway)
    last = climate.start + -(-ticks // WEEKS)
    rows = np.zeros(last - BASELINE_YEAR, YEAR.dtype())
    for place in range(len(rows)):
        rows[place] = tuple(float(value) for value in amounts(pathway, BASELINE_YEAR + place))
    return rows


def climate_sets(climate: Climate) -> tuple[Numbers, ...]:
    """The climate parameter sets that members take in turn, each the row `parameters` of a member."""
    return parameter_sets(climate.configuration)


assert len(EXPOSURE) == GOODS
