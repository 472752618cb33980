"""Climate configurations: the published parameter sets, the constants that all members share, and laws by name.

Numbers are read as decimals and rounded once to the nearest f64; what needs exponentials (the energy balance's step,
forcing at the baseline) is worked out by kernels, whose arithmetic is the same everywhere.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cache
from types import MappingProxyType

from civlab.models.climate.layout import PUBLISHED
from civlab.models.climate.pathways import DATA
from parpour_contracts.scenario.climate import (
    ChosenConfiguration,
    Configuration,
    DiceConfiguration,
    PublishedConfiguration,
)

NAMES = tuple(column.name for column in PUBLISHED)
"""Numbers of a parameter set, in the order of their columns."""
Numbers = tuple[float, ...]

CO2_ADJUSTMENT, CH4_ADJUSTMENT, N2O_ADJUSTMENT = Decimal("1.05"), Decimal("0.86"), Decimal("1.07")
"""Tropospheric adjustments, by which an instantaneous forcing becomes an effective one: AR6 WG1, section 7.3.2."""
CHOSEN = ChosenConfiguration(kind="fair")

PARTITION = ("0.2173", "0.224", "0.2824", "0.2763")
LIFETIMES = ("1000000000", "394.4", "36.54", "4.304")
"""Boxes of CO2: Joos et al. (2013), Atmospheric Chemistry and Physics 13, 2793-2825, table 5, multi-model mean."""
G0, G1 = Decimal("0.010178288"), Decimal("11.41262243")
"""Scale and sensitivity of alpha that make it 1 for an undisturbed iIRF: Leach et al. (2021), equations 3 and 4."""
N2O_LIFETIME = Decimal(109)
ATMOSPHERE = Decimal("5.1352")
"""Mass of the atmosphere, 10^18 kg."""
AIR = Decimal("28.97")
"""Molecular weight of dry air."""
DIGITS = Context(prec=40)

CONSTANTS: Mapping[str, float] = MappingProxyType(
    {
        "g0": float(G0),
        "g1": float(G1),
        "ch4_lifetime": 16.78837799,
        "n2o_lifetime": float(N2O_LIFETIME),
        "ch4_baseline": 729.2,
        "n2o_baseline": 270.1,
        "ch4_by_ch4": 0.000167283,
        "ch4_by_n2o": -0.000949891,
        "ch4_by_temperature": -0.0463,
        "reference_co2": 277.15,
        "reference_ch4": 731.41,
        "reference_n2o": 273.87,
    }
)
"""FaIR calibration 1.4.1: lifetimes (yr), baselines (ppm, ppb) and sensitivities of methane's lifetime."""
WEIGHTS = {"co2": "44.009", "ch4": "16.043", "n2o": "44.013"}

ELEMENTS = {
    "greenland_ice": (1.5, 10_000.0, 0.13),
    "west_antarctic_ice": (1.5, 2_000.0, 0.05),
    "coral_reefs": (1.5, 10.0, 0.0),
    "amazon": (3.5, 100.0, 0.1),
    "boreal_permafrost": (4.0, 50.0, 0.3),
    "atlantic_overturning": (4.0, 50.0, -0.5),
}
"""Threshold (K), time scale (yr) and added warming (K): Armstrong McKay et al. (2022), table 1, best estimates."""

WARMING_1951_1980 = 0.26
"""K above 1850-1900, to which the sea-level laws' T0 refers: HadCRUT5 (Morice et al. 2021)."""
SEA_LEVEL = {
    "rahmstorf-2007": (0.0034, 0.0, WARMING_1951_1980 - 0.5),
    "vermeer-rahmstorf-2009": (0.0056, -0.049, WARMING_1951_1980 - 0.41),
}
"""a (m a year a K), b (m a K), T0 (K)."""
SEA_LEVEL_FROM = 1880
DAMAGES = {"dice-2016r": (0.00236, 0.0), "howard-sterner-2017": (0.007438, 0.0), "weitzman-2012": (0.0, 1.0)}
DICE_START = (851.0, 460.0, 1740.0, 0.85, 0.0068)
"""GtC in air, upper and lower ocean, K of surface and deep ocean in 2015: DICE-2016R-091916ap."""


def concentration_per_emission(gas: str) -> float:
    """ppm a Gt or ppb a Mt: the gas's share of the moles of air."""
    return float(DIGITS.divide(AIR, DIGITS.multiply(ATMOSPHERE, Decimal(WEIGHTS[gas]))))


@cache
def published() -> tuple[Numbers, ...]:
    """The 841 sets of FaIR's calibration 1.4.1, as `chosen` gives them."""
    with (DATA / "fair_1_4_1.csv").open(newline="", encoding="utf-8") as lines:
        return tuple(chosen({name: Decimal(text) for name, text in row.items()}) for row in csv.DictReader(lines))


def chosen(values: Mapping[str, Decimal]) -> Numbers:
    """One number a column; what `values` lacks is the default. Scales of forcing take in the adjustments."""
    adjusted = {"co2_scale": CO2_ADJUSTMENT, "ch4_scale": CH4_ADJUSTMENT, "n2o_scale": N2O_ADJUSTMENT}
    default = {**CHOSEN.model_dump(), "sensitivity": DiceConfiguration(kind="dice-2016r").sensitivity}
    return tuple(
        float(DIGITS.multiply(values.get(name, default[name]), adjusted.get(name, Decimal(1)))) for name in NAMES
    )


@cache
def undisturbed_iirf() -> Decimal:
    """The 100-year integral of the airborne fraction that makes alpha 1: -g1 ln g0."""
    return DIGITS.multiply(-G1, DIGITS.ln(G0))


def parameter_sets(configuration: Configuration) -> tuple[Numbers, ...]:
    """The sets that members take in turn."""
    if isinstance(configuration, PublishedConfiguration):
        return published() if configuration.set is None else (published()[configuration.set],)
    if isinstance(configuration, ChosenConfiguration):
        return (chosen({name: value for name, value in configuration if isinstance(value, Decimal)}),)
    if isinstance(configuration, DiceConfiguration):
        return (chosen({"sensitivity": configuration.sensitivity}),)
    still = dict.fromkeys(("iirf_uptake", "iirf_temperature", "iirf_airborne"), Decimal(0))
    return (chosen({"iirf_0": undisturbed_iirf(), **still}),)
