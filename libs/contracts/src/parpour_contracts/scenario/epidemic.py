"""The scenario document of the epidemic model: what a user writes, checked field by field.

Every number that ends in a kernel is an integer or an exact decimal here; named tables (age pyramid, household sizes,
age mixing, severity) are names, whose data ship with civlab, so that a document stays a page long.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import MAXIMUM_TICKS, Estimate, Exact, Period, Scenario, Section, Share, Tick

MAXIMUM_POPULATION = 50_000_000
MAXIMUM_DEGREE = 255
MAXIMUM_DAYS = 120
MAXIMUM_ROWS = 64

BYTES_AN_AGENT = 41
"""Columns of an agent without its contacts, places and claims included."""
BYTES_AN_EDGE = 8
"""A contact, and its stub while the graph is made."""
BYTES_A_TILE = 32_000
"""Counters of one tile while the population is made; a tile is at most 4,096 agents."""
BYTES_A_MEMBER = 60_000
"""A compiled scenario and the cells of a member."""
BYTES_A_MEMBER_TICK = 192
"""History of the metrics and the day's plan."""
BYTES_COPIED_AN_AGENT = 28
"""An infection's row of the transmission tree, sorted by day; less than that for checkpoints and other tables."""
BYTES_FREED_AN_EDGE = 4
"""A stub, whose memory is free again once the graph stands: copies fit there first."""


Age = Annotated[int, Field(ge=0, le=100)]
Weight = Annotated[Exact, Field(ge=0, le=100)]
LayerName = Literal["community", "household", "school", "work"]


class FixedLaw(Section):
    """Always the same value."""

    law: Literal["fixed"]
    value: Annotated[int, Field(ge=0, le=MAXIMUM_DEGREE)]
    """The value."""


class PoissonLaw(Section):
    """Poisson with this mean, cut at the largest value allowed."""

    law: Literal["poisson"]
    mean: Annotated[Exact, Field(gt=0, le=100)]
    """Mean."""


class NegativeBinomialLaw(Section):
    """Negative binomial: variance = mean + mean^2 / dispersion; dispersion 1 is the geometric law."""

    law: Literal["negative-binomial"]
    mean: Annotated[Exact, Field(gt=0, le=100)]
    """Mean."""
    dispersion: Annotated[Exact, Field(ge=Decimal("0.05"), le=1000)]
    """Dispersion k; the smaller, the more uneven."""


class TableLaw(Section):
    """Explicit weights by value; they need not sum to one."""

    law: Literal["table"]
    weights: Annotated[
        dict[Annotated[int, Field(ge=0, le=MAXIMUM_DEGREE)], Annotated[Exact, Field(ge=0, le=10**9)]],
        Field(min_length=1, max_length=256),
    ]

    @model_validator(mode="after")
    def some_weight(self) -> Self:
        """A table without weight has no distribution."""
        if sum(self.weights.values()) <= 0:
            raise ValueError("give at least one weight above zero")
        return self


Law = Annotated[FixedLaw | PoissonLaw | NegativeBinomialLaw | TableLaw, Field(discriminator="law")]


def mean_and_variance(law: Law) -> tuple[Decimal, Decimal]:
    """Mean and variance of a law, exact but for the division of a table."""
    if isinstance(law, FixedLaw):
        return Decimal(law.value), Decimal(0)
    if isinstance(law, PoissonLaw):
        return law.mean, law.mean
    if isinstance(law, NegativeBinomialLaw):
        return law.mean, law.mean + law.mean**2 / law.dispersion
    total = sum(law.weights.values(), Decimal(0))
    mean = sum((value * weight for value, weight in law.weights.items()), Decimal(0)) / total
    square = sum((value**2 * weight for value, weight in law.weights.items()), Decimal(0)) / total
    return mean, max(square - mean**2, Decimal(0))


class AgeValue(Section):
    """A value that holds from this age up to the next row's."""

    age: Age
    """Age in years from which the value holds."""
    value: Share
    """The value."""


def within_days(*laws: Law) -> None:
    """Raises ValueError unless every law of days can be tabulated: at most 120 days, some of them at least 1."""
    for law in laws:
        values = [law.value] if isinstance(law, FixedLaw) else list(law.weights) if isinstance(law, TableLaw) else []
        if values and (max(values) > MAXIMUM_DAYS or max(values) < 1):
            raise ValueError(f"give lengths in days from 1 to {MAXIMUM_DAYS}")


AgeTable = Annotated[tuple[AgeValue, ...], Field(min_length=1, max_length=101, strict=False)]


def increasing_ages(rows: tuple[AgeValue, ...]) -> None:
    """Raises ValueError unless the rows begin at age 0 and rise."""
    ages = [row.age for row in rows]
    if ages[0] != 0 or any(a >= b for a, b in itertools.pairwise(ages)):
        raise ValueError("give the rows by rising age, the first for age 0")


class Population(Section):
    """Who lives there."""

    size: Annotated[int, Field(ge=1, le=MAXIMUM_POPULATION)]
    """Persons."""
    pyramid: Literal["united-kingdom-2020", "uniform"] = "united-kingdom-2020"
    """Ages: United Nations World Population Prospects 2019 for the United Kingdom in 2020, or 0 to 99 alike."""
    households: Literal["england-wales-2011", "single"] | Annotated[int, Field(ge=1, le=10)] = "england-wales-2011"
    """Sizes of households: the census of England and Wales of 2011, everyone alone, or one number for all."""


class Community(Section):
    """The random contact graph across the whole population."""

    degree: Law = PoissonLaw(law="poisson", mean=Decimal(10))
    """Contacts of a person, a day."""
    mixing: Literal["united-kingdom-prem-2021", "none"] = "united-kingdom-prem-2021"
    """Who meets whom by age: the published matrix outside home, school and work, or age-blind."""
    weight: Weight = Decimal(1)
    """Chance of transmission a contact, relative to weight 1."""


class Household(Section):
    """Everyone in a household meets everyone else in it daily."""

    weight: Weight = Decimal(3)
    """Chance of transmission a contact, relative to weight 1."""


class School(Section):
    """Pupils of one age, drawn across the population, meet daily in classes."""

    class_size: Annotated[int, Field(ge=2, le=200)] = 25
    """Pupils of a class."""
    first_age: Age = 5
    """Youngest age."""
    last_age: Age = 17
    """Oldest age."""
    weight: Weight = Decimal(1)
    """Chance of transmission a contact, relative to weight 1."""


class Work(Section):
    """Employed adults meet daily in teams."""

    team_size: Annotated[int, Field(ge=2, le=200)] = 10
    """Persons of a team."""
    first_age: Age = 18
    """Youngest age."""
    last_age: Age = 64
    """Oldest age."""
    employed: Share = Decimal("0.75")
    """Share of those ages who work in a team."""
    weight: Weight = Decimal(1)
    """Chance of transmission a contact, relative to weight 1."""


class Contacts(Section):
    """The layers on which the disease passes; a layer left out (null) does not exist."""

    community: Community | None = Community()
    household: Household | None = None
    school: School | None = None
    work: Work | None = None


class Disease(Section):
    """Susceptible, exposed, infectious, then recovered; admission and death under `hospital`."""

    r0: Annotated[Exact, Field(gt=0, le=30)] | None = None
    """Persons whom one case infects in a fully susceptible population; give this or probability."""
    probability: Share | None = None
    """Chance of transmission a contact a day at weight 1; give this or r0."""
    exposed: Law = TableLaw(law="table", weights={2: Decimal(1), 3: Decimal(2), 4: Decimal(2), 5: Decimal(1)})
    """Days from infection until infectious, at least 1."""
    infectious: Law = TableLaw(law="table", weights={3: Decimal(1), 4: Decimal(2), 5: Decimal(2), 6: Decimal(1)})
    """Days infectious, at least 1."""
    susceptibility: AgeTable | None = None
    """Relative chance by the contact's age, at most 1."""

    @model_validator(mode="after")
    def one_rate(self) -> Self:
        """Exactly one of r0 and probability; ages rise; periods are in days."""
        if (self.r0 is None) == (self.probability is None):
            raise ValueError("give exactly one of r0 and probability")
        within_days(self.exposed, self.infectious)
        if self.susceptibility is not None:
            increasing_ages(self.susceptibility)
        return self


class Hospital(Section):
    """Severe cases, beds and death."""

    beds: Annotated[int, Field(ge=0, le=MAXIMUM_POPULATION)]
    """Beds; above them the chance of death rises."""
    surge: Annotated[Exact, Field(ge=1, le=100)] = Decimal(2)
    """A patient without a bed dies so many times as often, at most surely."""
    severe: Literal["verity-2020"] | AgeTable = "verity-2020"
    """Share of infections that are admitted, by age."""
    fatal: Literal["verity-2020"] | AgeTable = "verity-2020"
    """Share of the admitted who die although they have a bed, by age."""
    admission: Law = TableLaw(law="table", weights={4: Decimal(1), 5: Decimal(1), 6: Decimal(1)})
    """Days from infectious until admitted, at least 1."""
    stay: Law = TableLaw(law="table", weights={6: Decimal(1), 8: Decimal(2), 10: Decimal(2), 14: Decimal(1)})
    """Days in hospital, at least 1."""

    @model_validator(mode="after")
    def ages_rise(self) -> Self:
        """Both tables begin at age 0 and rise; admission and stay are in days."""
        within_days(self.admission, self.stay)
        for rows in (self.severe, self.fatal):
            if isinstance(rows, tuple):
                increasing_ages(rows)
        return self


class Introduction(Section):
    """So many persons, drawn without replacement over all introductions, are infected from outside."""

    tick: Tick = 0
    """Tick at which they arrive."""
    count: Annotated[int, Field(ge=1, le=1_000_000)]
    """Persons infected from outside."""


class ContactReduction(Period):
    """Contacts of these layers transmit with this share of their chance (a closed school: factor 0)."""

    kind: Literal["contact-reduction"]
    layers: Annotated[tuple[LayerName, ...], Field(min_length=1, max_length=4, strict=False)]
    factor: Share
    """Remaining share of the chance of transmission."""


class CaseIsolation(Period):
    """Detected cases transmit outside their household with this share of the chance."""

    kind: Literal["case-isolation"]
    detection: Share
    """Share of the infected who are found and isolate."""
    delay: Annotated[int, Field(ge=0, le=MAXIMUM_DAYS)] = 3
    """Days from infection to isolation."""
    factor: Share = Decimal(0)
    """Remaining share of the chance of transmission outside the household."""


class Vaccination(Section):
    """One dose a person by appointment: a plan that the epidemic does not change."""

    kind: Literal["vaccination"]
    from_tick: Annotated[Tick, Field(alias="from")] = 0
    """First tick."""
    doses_per_day: Annotated[int, Field(ge=1, le=MAXIMUM_POPULATION)]
    """Appointments a day."""
    coverage: Share = Decimal(1)
    """Share of the population that is invited."""
    order: Literal["oldest-first", "random"] = "oldest-first"
    delay: Annotated[int, Field(ge=0, le=MAXIMUM_DAYS)] = 14
    """Days from the dose until it protects."""
    efficacy_infection: Share = Decimal("0.6")
    """Share of infections that a dose prevents."""
    efficacy_severe: Share = Decimal("0.9")
    """Share of severe courses that a dose prevents in those who are infected all the same."""


Intervention = Annotated[ContactReduction | CaseIsolation | Vaccination, Field(discriminator="kind")]


def estimate_edges(community: Community | None, agents: int) -> int:
    """Directed contacts of the community layer: the mean and ten standard deviations, plus one."""
    if community is None:
        return 0
    mean, variance = mean_and_variance(community.degree)
    return math.ceil(mean * agents + 10 * (variance * agents).sqrt()) + 1


class EpidemicScenario(Scenario):
    """An epidemic on a contact network, day by day (a tick is a day)."""

    tick_name: ClassVar[str] = "day"
    agents_path: ClassVar[str | None] = "population.size"
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("ticks", "tick", "from", "until", "delay"), "d"),
        **dict.fromkeys(("size", "count"), "persons"),
    }

    model: Literal["epidemic"]
    ticks: Annotated[int, Field(ge=1, le=MAXIMUM_TICKS)]
    """Days to simulate."""
    population: Population
    contacts: Contacts = Contacts()
    disease: Disease
    hospital: Hospital | None = None
    introductions: Annotated[tuple[Introduction, ...], Field(max_length=MAXIMUM_ROWS, strict=False)] = ()
    interventions: Annotated[tuple[Intervention, ...], Field(max_length=MAXIMUM_ROWS, strict=False)] = ()

    @model_validator(mode="after")
    def consistent(self) -> Self:
        """What no single field shows: at most one vaccination plan, introductions within the population."""
        if sum(isinstance(item, Vaccination) for item in self.interventions) > 1:
            raise ValueError("interventions: give at most one vaccination")
        if sum(item.count for item in self.introductions) > self.population.size:
            raise ValueError("introductions: they count more persons than population.size")
        return self

    @property
    def agents(self) -> int:
        """Persons of one member."""
        return self.population.size

    def shrunk(self, agents: int) -> Self:
        """A smaller town that still holds everyone who is introduced."""
        introduced = sum(item.count for item in self.introductions)
        size = max(min(agents, self.agents), introduced)
        return self.model_copy(update={"population": self.population.model_copy(update={"size": size})})

    def estimate(self) -> Estimate:
        """Bytes, persons and directed contacts of one member."""
        padded = (self.agents // 64 + 1) * 64
        edges = estimate_edges(self.contacts.community, self.agents)
        tiles = -(-padded // 4096)
        size = (
            padded * BYTES_AN_AGENT
            + edges * BYTES_AN_EDGE
            + tiles * BYTES_A_TILE
            + BYTES_A_MEMBER
            + self.ticks * BYTES_A_MEMBER_TICK
        )
        copies = max(0, padded * BYTES_COPIED_AN_AGENT - edges * BYTES_FREED_AN_EDGE) + self.ticks * BYTES_A_MEMBER_TICK
        return Estimate(bytes=size, agents=self.agents, edges=edges, copies=copies)
