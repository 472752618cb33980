"""Compiles a scenario document into the integers that kernels read.

All arithmetic is exact, so a scenario has one compiled form on every machine, and its digest names it. What varies
from member to member (seed, stream) is not in it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

import blake3
import numpy as np

from civlab.errors import CivlabError
from civlab.models.epidemic import tables
from civlab.models.epidemic.laws import ONE, apportion, cumulative, law_table, miss_table, q31, shares, whole_weights
from civlab.models.epidemic.layout import AGES, DAY, DAYS, GROUPS, HOUSEHOLD_SIZES, LAYERS, ROW, SCENARIO
from civlab.models.epidemic.transmission import chance_for, excess_degree, weighted
from parpour_contracts.scenario import EpidemicScenario, Scenario, canonical
from parpour_contracts.scenario.epidemic import AgeValue, CaseIsolation, ContactReduction, Vaccination

ADULT = 18
PARENT_AGES = range(22, 60)
WHOLE = 1 << 31


@dataclass(frozen=True)
class CompiledScenario:
    """A scenario as kernels read it: one `Scenario` record and one `Day` record a tick, read-only."""

    digest: bytes
    ticks: int
    population: int
    record: np.ndarray
    days: np.ndarray
    chance: int
    """Q0.64 base chance of transmission a contact a day."""


MOST_KEPT = 4096
kept: OrderedDict[bytes, CompiledScenario] = OrderedDict()


def compile_scenario(scenario: Scenario) -> CompiledScenario:
    """The compiled form; raises CivlabError SCENARIO_UNREACHABLE_R0 if no chance of transmission gives the R0, and
    TypeError for another model's document.

    Its digest is BLAKE3 over the canonical document and the compiled bytes. The last few thousand forms are kept,
    since the members of an ensemble mostly share one.
    """
    if not isinstance(scenario, EpidemicScenario):
        raise TypeError(f"a document of the model {scenario.model} is no epidemic")
    name = canonical(scenario)
    if name not in kept:
        kept[name] = compile_anew(scenario, name)
        if len(kept) > MOST_KEPT:
            kept.popitem(last=False)
    return kept[name]


def compile_anew(scenario: EpidemicScenario, name: bytes) -> CompiledScenario:
    """The compiled form of a scenario whose canonical bytes are `name`."""
    record = np.zeros(1, dtype=SCENARIO.dtype())
    days = np.zeros(scenario.ticks, dtype=DAY.dtype())
    persons = persons_by_age(scenario.population.size, scenario.population.pyramid)
    fill_population(record, scenario, persons)
    chance = fill_disease(record, scenario, persons)
    fill_hospital(record, scenario)
    fill_interventions(record, days, scenario)
    record.flags.writeable = False
    days.flags.writeable = False
    digest = blake3.blake3(name + record.tobytes() + days.tobytes()).digest()
    return CompiledScenario(digest, scenario.ticks, scenario.population.size, record, days, chance)


@lru_cache(maxsize=64)
def persons_by_age(population: int, pyramid: str) -> tuple[int, ...]:
    """Persons of each year of age, the pyramid's shares by largest remainder."""
    return tuple(apportion(population, whole_weights(tables.pyramid(pyramid))))


def fill_population(record: np.ndarray, scenario: EpidemicScenario, persons: Sequence[int]) -> None:
    """Ages, households, groups and pools."""
    row = record[0]
    row["population"] = scenario.population.size
    upto = np.cumsum(persons)
    row["pyramid"] = np.concatenate([upto, np.full(AGES - len(upto), upto[-1])])
    row["household_first"] = household_first(scenario.population.size, scenario.population.households)
    row["head_age"] = head_ages(tables.pyramid(scenario.population.pyramid))
    contacts = scenario.contacts
    community = contacts.community
    mixed = community is not None and community.mixing != "none"
    row["groups"] = GROUPS if mixed else 1
    row["group"] = [tables.group_of(age) if mixed else 0 for age in range(AGES)]
    if community is not None and mixed:
        row["mixing"] = propensities(community.mixing, tuple(persons))
    else:
        row["mixing"] = 1.0
    if contacts.school is not None:
        row["class_size"] = contacts.school.class_size
        row["pupil_first"] = contacts.school.first_age
        row["pupil_last"] = contacts.school.last_age
    if contacts.work is not None:
        row["team_size"] = contacts.work.team_size
        row["worker_first"] = contacts.work.first_age
        row["worker_last"] = contacts.work.last_age
        row["employed"] = q31(contacts.work.employed)


def household_first(population: int, households: str | int) -> list[int]:
    """First agent of the households of 1, 2, … 10 persons, then the population; they lie side by side by size.

    Whole households by floor; the persons left over fill sizes by largest remainder, then live alone (with one fixed
    size: in one smaller household).
    """
    counts = [0] * (HOUSEHOLD_SIZES + 1)
    if households == "single":
        households = 1
    if isinstance(households, int):
        counts[households], rest = divmod(population, households)
        if rest:
            counts[rest] += 1
    else:
        of_sizes = tables.household_shares(households)
        mean = sum((size * share for size, share in enumerate(of_sizes, 1)), Fraction(0))
        ideal = [population * share / mean for share in of_sizes]
        for size, wanted in enumerate(ideal, 1):
            counts[size] = int(wanted)
        rest = population - sum(size * count for size, count in enumerate(counts))
        for size in sorted(range(1, HOUSEHOLD_SIZES + 1), key=lambda s: (int(ideal[s - 1]) - ideal[s - 1], s)):
            if rest >= size and ideal[size - 1] > 0:
                counts[size] += 1
                rest -= size
        counts[1] += rest
    first = [0, 0]
    for size in range(1, HOUSEHOLD_SIZES + 1):
        first.append(first[-1] + size * counts[size])
    return first


@cache
def head_ages(pyramid: tuple[Fraction, ...]) -> list[list[int]]:
    """Cumulative ages of the head of a household of one, of two, of more: adults, and parents' ages for the last."""
    weights = whole_weights(pyramid)
    adults = [weight if age >= ADULT else 0 for age, weight in enumerate(weights)]
    parents = [weight if age in PARENT_AGES else 0 for age, weight in enumerate(weights)]
    return [cumulative(rows, AGES) for rows in (adults, adults, parents)]


@lru_cache(maxsize=64)
def propensities(mixing: str, persons: tuple[int, ...]) -> list[list[float]]:
    """Symmetric propensity that a stub of group a meets one of group b, from contacts a day by age.

    The published matrix is made symmetric with the population's ages: what a says it has of b and b of a is averaged.
    """
    matrix = tables.mixing(mixing)
    size = [0] * GROUPS
    for age, count in enumerate(persons):
        size[tables.group_of(age)] += count
    everyone = sum(size)

    def propensity(a: int, b: int) -> Fraction:
        if not size[a] or not size[b]:
            return Fraction(1)
        return (size[a] * matrix[a][b] + size[b] * matrix[b][a]) * Fraction(everyone, 2 * size[a] * size[b])

    return [[float(propensity(min(a, b), max(a, b))) for b in range(GROUPS)] for a in range(GROUPS)]


def layers_of(
    scenario: EpidemicScenario, record: np.ndarray, persons: Sequence[int]
) -> dict[str, tuple[Fraction, Fraction]]:
    """Mean other contacts and weight of each layer that transmits at all."""
    contacts = scenario.contacts
    everyone = Fraction(scenario.population.size)
    found: dict[str, tuple[Fraction, Fraction]] = {}
    if contacts.community is not None:
        degree = shares(law_table(contacts.community.degree, ROW))
        found["community"] = (excess_degree(degree), Fraction(contacts.community.weight))
    if contacts.household is not None:
        first = [int(value) for value in record[0]["household_first"]]
        mates = sum((first[size + 1] - first[size]) * (size - 1) for size in range(1, HOUSEHOLD_SIZES + 1))
        found["household"] = (mates / everyone, Fraction(contacts.household.weight))
    pupils = range(0)
    if contacts.school is not None:
        pupils = range(contacts.school.first_age, contacts.school.last_age + 1)
        count = sum(persons[age] for age in pupils)
        found["school"] = (count * (contacts.school.class_size - 1) / everyone, Fraction(contacts.school.weight))
    if contacts.work is not None:
        ages = range(contacts.work.first_age, contacts.work.last_age + 1)
        employed = sum(persons[age] for age in ages if age not in pupils) * Fraction(contacts.work.employed)
        found["work"] = (employed * (contacts.work.team_size - 1) / everyone, Fraction(contacts.work.weight))
    return {name: layer for name, layer in found.items() if layer[1] > 0}


def fill_disease(record: np.ndarray, scenario: EpidemicScenario, persons: Sequence[int]) -> int:
    """Periods, chances of transmission and susceptibility; returns the base chance, Q0.64."""
    row = record[0]
    disease = scenario.disease
    row["exposed"] = law_table(disease.exposed, DAYS)
    row["infectious"] = law_table(disease.infectious, DAYS)
    layers = layers_of(scenario, record, persons)
    if disease.probability is not None:
        chance = int(Fraction(disease.probability) * ONE)
    else:
        days = shares(law_table(disease.infectious, DAYS), lowest=1)
        solved = chance_for(Fraction(disease.r0 or 0), list(layers.values()), days)
        if solved is None:
            message = "no chance of transmission gives this R0; lower it, or give the layers more contacts"
            raise CivlabError("SCENARIO_UNREACHABLE_R0", "disease.r0", message)
        chance = solved
    for number, name in enumerate(LAYERS):
        of_layer = weighted(chance, layers[name][1]) if name in layers else 0
        row["miss"][number] = miss_table(of_layer, ROW) if of_layer else ONE - 1
        transmits = int(of_layer > 0)
        if name == "community" and scenario.contacts.community is not None and transmits:
            row["community"] = 1
            row["degree"] = law_table(scenario.contacts.community.degree, ROW)
        elif name == "household":
            row["household"] = transmits
        elif name == "school" and not transmits:
            row["class_size"] = 0
        elif name == "work" and not transmits:
            row["team_size"] = 0
    row["susceptibility"] = by_age(disease.susceptibility) if disease.susceptibility is not None else WHOLE
    row["thins"] = int(disease.susceptibility is not None)
    return chance


def by_age(rows: Sequence[AgeValue]) -> list[int]:
    """Q1.31 by year of age of a table whose rows hold up to the next row's age."""
    return [q31(next(row.value for row in reversed(rows) if row.age <= age)) for age in range(AGES)]


def fill_hospital(record: np.ndarray, scenario: EpidemicScenario) -> None:
    """Severe courses, stays, deaths, and introductions."""
    row = record[0]
    row["introductions"] = len(scenario.introductions)
    first = 0
    for number, introduction in enumerate(scenario.introductions):
        row["introduction_tick"][number] = introduction.tick
        row["introduction_count"][number] = introduction.count
        row["introduction_first"][number] = first
        first += introduction.count
    hospital = scenario.hospital
    if hospital is None:
        return
    row["hospital"] = 1
    row["beds"] = hospital.beds
    row["surge"] = round(Fraction(hospital.surge) * 65536)
    row["admission"] = law_table(hospital.admission, DAYS)
    row["stay"] = law_table(hospital.stay, DAYS)
    published: tuple[Sequence[Fraction], Sequence[Fraction]] = tables.severity("verity-2020")
    severe, fatal = hospital.severe, hospital.fatal
    row["severe"] = by_age(severe) if isinstance(severe, tuple) else [q31(share) for share in published[0]]
    row["fatal"] = by_age(fatal) if isinstance(fatal, tuple) else [q31(share) for share in published[1]]


def fill_interventions(record: np.ndarray, days: np.ndarray, scenario: EpidemicScenario) -> None:
    """What each day changes: factors multiply where interventions overlap, the last isolation in force holds."""
    row = record[0]
    days["factor"] = WHOLE
    days["isolation"] = WHOLE
    row["vaccination_infection"] = WHOLE
    row["vaccination_severe"] = WHOLE
    for item in scenario.interventions:
        if isinstance(item, ContactReduction):
            factor = q31(item.factor)
            for name in set(item.layers):
                column = days["factor"][item.from_tick : item.until, LAYERS.index(name)]
                column[:] = (column.astype(np.uint64) * np.uint64(factor)) >> np.uint64(31)
        elif isinstance(item, CaseIsolation):
            period = days[item.from_tick : item.until]
            period["detection"] = q31(item.detection)
            period["isolation"] = q31(item.factor)
            period["isolation_delay"] = item.delay
        else:
            fill_vaccination(row, days, item, scenario.population.size)


def fill_vaccination(row: np.void, days: np.ndarray, plan: Vaccination, population: int) -> None:
    """The campaign's plan: so many appointments a day until everyone invited has had one."""
    invited = int(Fraction(plan.coverage) * population)
    row["vaccination_from"] = plan.from_tick
    row["vaccination_doses"] = plan.doses_per_day
    row["vaccination_invited"] = invited
    row["vaccination_oldest_first"] = int(plan.order == "oldest-first")
    row["vaccination_delay"] = plan.delay
    row["vaccination_infection"] = q31(1 - plan.efficacy_infection)
    row["vaccination_severe"] = q31(1 - plan.efficacy_severe)
    row["thins"] = 1
    for tick in range(plan.from_tick, len(days)):
        done = (tick - plan.from_tick) * plan.doses_per_day
        days["doses"][tick] = max(0, min(plan.doses_per_day, invited - done))
