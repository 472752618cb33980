"""Compiles a scenario document into the constants, the years and the parameter sets that kernels read."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction

import blake3
import numpy as np

from civlab.errors import CivlabError
from civlab.models.climate import configuration as published
from civlab.models.climate.configuration import CONSTANTS, Numbers, parameter_sets
from civlab.models.climate.layout import CONSTANTS as RECORD
from civlab.models.climate.layout import CORES, ELEMENTS, YEAR, ZONES
from civlab.models.climate.pathways import BASELINE_YEAR, QUANTITIES, Amounts, Yearly, family, yearly
from parpour_contracts.scenario import ClimateScenario, canonical
from parpour_contracts.scenario.climate import DiceConfiguration

MOST_KEPT = 1024
kept: OrderedDict[bytes, CompiledClimate] = OrderedDict()


@dataclass(frozen=True)
class CompiledClimate:
    """A scenario as kernels read it: one `Constants` record, a `Year` a tick, the sets that members take in turn."""

    digest: bytes
    ticks: int
    start: int
    """First year."""
    years_a_tick: int
    record: np.ndarray
    years: np.ndarray
    sets: tuple[Numbers, ...]


def compile_climate(scenario: ClimateScenario) -> CompiledClimate:
    """The compiled form; raises CivlabError PATHWAY_TOO_SHORT where the pathway lacks a year of the run.

    Its digest is BLAKE3 over the canonical document and all numbers made of it. The last forms are kept.
    """
    name = canonical(scenario)
    if name in kept:
        kept.move_to_end(name)
        return kept[name]
    record = np.zeros(1, RECORD.dtype())
    years = np.zeros(scenario.ticks, YEAR.dtype())
    fill_gases(record[0])
    fill_laws(record[0], scenario)
    fill_years(years, scenario, yearly(scenario.pathway))
    record.flags.writeable = years.flags.writeable = False
    sets = parameter_sets(scenario.configuration)
    numbers = record.tobytes() + years.tobytes() + np.array(sets, "<f8").tobytes()
    digest = blake3.blake3(name + numbers).digest()
    compiled = CompiledClimate(digest, scenario.ticks, scenario.start, scenario.years_a_tick, record, years, sets)
    kept[name] = compiled
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    return compiled


def fill_gases(row: np.void) -> None:
    """What FaIR's gases share; CH4 and N2O are at rest under the emissions of the baseline year."""
    for name, value in CONSTANTS.items():
        row[name] = value
    row["partition"] = [float(text) for text in published.PARTITION]
    row["lifetime"] = [float(text) for text in published.LIFETIMES]
    for gas in published.WEIGHTS:
        row[f"{gas}_per_emission"] = published.concentration_per_emission(gas)
    baseline = family("none")[BASELINE_YEAR]
    row["ch4_baseline_emissions"] = float(baseline[QUANTITIES.index("ch4")])
    row["n2o_baseline_emissions"] = float(baseline[QUANTITIES.index("n2o")])


def fill_laws(row: np.void, scenario: ClimateScenario) -> None:
    """Zones, tipping elements, sea level, damages and the step."""
    row["zone"] = [float(getattr(scenario.zones, name)) for name in ZONES]
    for place, name in enumerate(ELEMENTS):
        threshold, timescale, warming = published.ELEMENTS[name]
        row["threshold"][place] = threshold
        row["timescale"][place] = timescale
        row["tipped_warming"][place] = warming if scenario.tipping == "on" else 0.0
    row["sea_rate"], row["sea_rapid"], row["sea_equilibrium"] = published.SEA_LEVEL[scenario.sea_level]
    row["damage_quadratic"], row["damage_steep"] = published.DAMAGES[scenario.damages]
    row["years"] = scenario.years_a_tick
    row["core"] = CORES.index("dice" if isinstance(scenario.configuration, DiceConfiguration) else "fair")
    row["initial"] = published.DICE_START
    row["sea_from"] = max(0, -(-(published.SEA_LEVEL_FROM - scenario.start) // scenario.years_a_tick))
    row["ticks"] = scenario.ticks


def fill_years(years: np.ndarray, scenario: ClimateScenario, pathway: Yearly) -> None:
    """The amounts of each tick's year; DICE-2016R answers the other forcing of the period that follows."""
    dice = isinstance(scenario.configuration, DiceConfiguration)
    for tick in range(scenario.ticks):
        year = scenario.start + tick * scenario.years_a_tick
        co2, ch4, n2o, other, factor = amounts(pathway, year)
        if dice:
            other = pathway.get(year + scenario.years_a_tick, (co2, ch4, n2o, other, factor))[3]
        years[tick] = tuple(float(value) for value in (co2, ch4, n2o, other, factor))


def amounts(pathway: Yearly, year: int) -> Amounts:
    """A year's amounts; raises CivlabError PATHWAY_TOO_SHORT."""
    if year not in pathway:
        first, last = min(pathway), max(pathway)
        message = f"the pathway has no amounts for {year}; it goes from {first} to {last}: set start or ticks within"
        raise CivlabError("PATHWAY_TOO_SHORT", "pathway", message)
    found = pathway[year]
    assert all(isinstance(value, Fraction) for value in found)
    return found
