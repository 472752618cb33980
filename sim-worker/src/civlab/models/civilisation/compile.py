"""Compiles a civilisation's scenario into the records that kernels read: economy, people, land and the climate's years.

The account of the economy comes first, because the fuel in the ground and the model's share of the world's emissions
follow from what the account burns.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import blake3
import numpy as np

from civlab.errors import CivlabError
from civlab.models.civilisation.accounts import Composition, WorldAccount
from civlab.models.civilisation.compile_economy import fill_economy, fuel_of_citizen
from civlab.models.civilisation.compile_land import climate_sets, fill_land, years
from civlab.models.civilisation.compile_people import MEN, WOMEN, by_health, demography, fill_people
from civlab.models.civilisation.layout import ADULT, AGES
from civlab.models.civilisation.layout_economy import SCENARIO
from civlab.models.civilisation.layout_land import LAND
from civlab.models.civilisation.layout_people import PEOPLE
from civlab.models.civilisation.zoom import fill_zoom
from civlab.models.climate.configuration import Numbers
from parpour_contracts.scenario import Scenario, ScenarioError, canonical
from parpour_contracts.scenario.civilisation.document import CivilisationScenario
from parpour_contracts.scenario.civilisation.people import PeopleSection
from parpour_contracts.scenario.civilisation.zoom import Change

ILL = 2
MOST_KEPT = 256
kept: OrderedDict[bytes, CompiledCivilisation] = OrderedDict()


@dataclass(frozen=True)
class CompiledCivilisation:
    """A scenario as kernels read it, read-only: a record each for economy, people and land, and a row a year from 1750.

    `sets` are the climate parameter sets that members take in turn; `room` is in thousandths of the start's citizens.
    """

    digest: bytes
    ticks: int
    population: int
    room: int
    record: np.ndarray
    people: np.ndarray
    lands: np.ndarray
    years: np.ndarray
    sets: tuple[Numbers, ...]
    account: WorldAccount
    changes: tuple[Change, ...]
    nations: tuple[str, ...]
    """Their names."""


def compile_civilisation(scenario: Scenario) -> CompiledCivilisation:
    """The compiled form; its digest is BLAKE3 over the canonical document and all numbers made of it.

    Raises TypeError for another model's document and CivlabError TECHNOLOGY_UNPRODUCTIVE, SCENARIO_INVALID,
    SCENARIO_OUT_OF_RANGE or PATHWAY_TOO_SHORT.
    """
    if not isinstance(scenario, CivilisationScenario):
        raise TypeError(f"a document of the model {scenario.model} is no civilisation")
    name = canonical(scenario)
    if name in kept:
        kept.move_to_end(name)
        return kept[name]
    kept[name] = compiled(scenario, name)
    if len(kept) > MOST_KEPT:
        kept.popitem(last=False)
    return kept[name]


def compiled(scenario: CivilisationScenario, name: bytes) -> CompiledCivilisation:
    """The compiled form, made anew."""
    record, people, lands = (np.zeros(1, structure.dtype()) for structure in (SCENARIO, PEOPLE, LAND))
    account = fill_economy(
        record[0],
        scenario.economy,
        [nation.government for nation in scenario.world.nations],
        shares=[Fraction(nation.share) for nation in scenario.world.nations],
        composition=composition_of(scenario.people),
        firms=scenario.firms,
        ticks=scenario.ticks,
        retirement=scenario.people.retirement,
    )
    fill_people(people[0], scenario.people)
    fill_zoom(people[0], scenario.zoom)
    extracted, burnt = fuel_of_citizen(account, scenario.economy)
    try:
        fill_land(
            lands[0],
            scenario.world,
            scenario.climate,
            citizens=scenario.population.size,
            extracted=extracted,
            burnt=burnt,
        )
    except ScenarioError as fault:
        raise CivlabError(fault.code, fault.path, fault.message) from fault
    rows = years(scenario.climate, ticks=scenario.ticks)
    sets = climate_sets(scenario.climate)
    for array in (record, people, lands, rows):
        array.flags.writeable = False
    numbers = b"".join(array.tobytes() for array in (record, people, lands, rows, np.array(sets, "<f8")))
    return CompiledCivilisation(
        digest=blake3.blake3(name + numbers).digest(),
        ticks=scenario.ticks,
        population=scenario.population.size,
        room=int(scenario.population.room * 1000),
        record=record,
        people=people,
        lands=lands,
        years=rows,
        sets=sets,
        account=account,
        changes=scenario.zoom.changes,
        nations=tuple(nation.name for nation in scenario.world.nations),
    )


def composition_of(section: PeopleSection) -> Composition:
    """Who the founders are, in the mean of their stable population."""
    stable = demography(section).stable
    minors, able, ill, retired = (Decimal(0) for _ in range(4))
    for sex in (MEN, WOMEN):
        health = by_health(section, demography(section).death[sex])[1]
        for age in range(AGES):
            here = stable[sex][age]
            if age < ADULT:
                minors += here
            elif age >= section.retirement:
                retired += here
            else:
                able += here * (1 - health[age][ILL])
                ill += here * health[age][ILL]
    school = section.schooling
    skills = (Fraction(school.basic), Fraction(school.trained), Fraction(school.expert))
    return Composition(Fraction(minors), Fraction(able), Fraction(ill), Fraction(retired), skills)
