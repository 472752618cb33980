"""The demographic section of a civilisation: who lives how long, has children, finds a partner, learns and moves.

Rates are chances or rates a year; the compiler spreads them over the rounds of a year. Published tables are named, so
that a document stays a page long; tables of your own are given by steps of age.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise, zip_longest
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import Exact, Section, Share

ADULT = 18
"""Years at which a citizen may work, live alone or have a partner."""
OLDEST = 110
"""The last year of age of a table; whoever is older has its chances."""
LEAST_GROWN_UP = Decimal("0.25")
"""Share of the newborn who live to work, at least."""
MOST_CHILDREN = 10
Table = Literal["united-states-1950", "united-states-2017"]
Round = Literal[1, 2, 4, 13]
Rate = Annotated[Exact, Field(ge=0, le=4)]
"""Events a year."""
Answer = Annotated[Exact, Field(ge=0, le=100)]


class Mortality(Section):
    """Chances of death from one age on, up to the next that is given."""

    age: Annotated[int, Field(ge=0, le=OLDEST)]
    """First year of age."""
    women: Share
    """Chance that a woman of that age dies within a year."""
    men: Share
    """Chance that a man of that age dies within a year."""


class Births(Section):
    """Births from one age of the mother on, up to the next that is given; none before the first."""

    age: Annotated[int, Field(ge=0, le=OLDEST)]
    """First year of age."""
    births: Share
    """Children of a woman of that age in a year."""


def in_order(ages: list[int]) -> None:
    """Raises ValueError unless each age comes after the one before."""
    for before, after in pairwise(ages):
        if after <= before:
            raise ValueError(f"ages: {after} years come after {before}: order the steps by age, each given once")


class OwnLifeTable(Section):
    """A life table of your own, by steps of age."""

    kind: Literal["own"]
    ages: Annotated[tuple[Mortality, ...], Field(min_length=1, max_length=OLDEST + 1, strict=False)]
    """The steps, from the newborn on."""

    @model_validator(mode="after")
    def livable(self) -> Self:
        """The steps begin at birth, and enough of the newborn grow up to work."""
        in_order([step.age for step in self.ages])
        if self.ages[0].age != 0:
            raise ValueError(f"ages: the table begins at {self.ages[0].age} years: begin at 0")
        for sex in ("women", "men"):
            alive = Decimal(1)
            for step, after in zip_longest(self.ages, self.ages[1:]):
                years = (after.age if after else ADULT) - step.age
                for _ in range(min(years, ADULT - step.age)):
                    alive *= 1 - getattr(step, sex)
            if alive < LEAST_GROWN_UP:
                raise ValueError(
                    f"ages: only {alive:.2%} of {sex} would live to {ADULT} years, less than {LEAST_GROWN_UP:.0%}: "
                    "lower the chances of the young"
                )
        return self


class OwnFertility(Section):
    """Births by age of the mother of your own, by steps of age."""

    kind: Literal["own"]
    ages: Annotated[tuple[Births, ...], Field(min_length=1, max_length=OLDEST + 1, strict=False)]
    """The steps."""

    @property
    def total(self) -> Decimal:
        """Children of a woman who lives through all ages."""
        ends = [*(step.age for step in self.ages[1:]), OLDEST + 1]
        return sum(((end - step.age) * step.births for step, end in zip(self.ages, ends, strict=True)), Decimal(0))

    @model_validator(mode="after")
    def bearable(self) -> Self:
        """The steps are in order, and their sum is a number of children that the model's bounds allow."""
        in_order([step.age for step in self.ages])
        if not 0 < self.total <= MOST_CHILDREN:
            raise ValueError(
                f"ages: a woman would have {self.total} children: give more than none and at most {MOST_CHILDREN}; "
                "end the fertile ages by a step without births"
            )
        return self


class Health(Section):
    """Health has three steps, well, ailing and ill; the ill neither work nor seek work."""

    onset: Rate = Decimal("0.08")
    """Rate a year at which a citizen of 40 falls one step back; it is proportional to age."""
    recovery: Rate = Decimal("0.4")
    """Rate a year at which a citizen recovers by one step."""
    frailty: Annotated[Exact, Field(ge=1, le=10)] = Decimal(2)
    """Factor by which each step raises the chance of death; all together die as the life table says."""


class Households(Section):
    """How households begin and merge."""

    leave: Annotated[Exact, Field(ge=Decimal("0.02"), le=4)] = Decimal("0.15")
    """Rate a year at which a grown-up child founds a household of its own."""
    partner: Share = Decimal("0.1")
    """Chance that a single looks for a partner in a year, up to 50 years of age; none does from 80."""
    gap: Annotated[int, Field(ge=1, le=60)] = 10
    """Most years between the ages of partners."""
    endowment: Share = Decimal("0.1")
    """Share of a household's money that a child takes when it leaves."""


class Schooling(Section):
    """Shares of those who leave school by what they have learnt; they sum to one."""

    basic: Share = Decimal("0.4")
    """No training after school."""
    trained: Share = Decimal("0.35")
    """Trained for a trade."""
    expert: Share = Decimal("0.25")
    """With a degree."""

    @model_validator(mode="after")
    def whole(self) -> Self:
        """The shares sum to one."""
        if self.basic + self.trained + self.expert != 1:
            raise ValueError("basic, trained and expert must sum to 1")
        return self


class Migration(Section):
    """Moves of whole households within three cells, by weights of the regions in reach.

    A region weighs as many citizens as it began with, times a factor for each answer: 1 + answer x gap, between 1/16
    and 16, with the gap that the region has over the household's own.
    """

    rate: Rate = Decimal("0.05")
    """Rate a year at which a household thinks of moving, up to 35 years of age; a quarter of it from 65."""
    wage: Answer = Decimal(2)
    """Answer to the relative gap in real wages."""
    unemployment: Answer = Decimal(4)
    """Answer to the gap in unemployment, by which a region weighs less."""
    warmth: Answer = Decimal("0.1")
    """Answer to the gap in warming by 1 K, by which a region weighs less."""
    distance: Share = Decimal("0.5")
    """Share of its weight that a region keeps by each cell of distance."""
    abroad: Share = Decimal("0.2")
    """Share of its weight that a region of another nation keeps."""


class PeopleSection(Section):
    """Life, families, schools and moves."""

    round: Round = 4
    """Weeks between two rounds of births, deaths, partnerships and moves: the step of the people's life, which leaves
    rates a year as they are. It divides a year of 52 weeks."""
    life_table: Table | OwnLifeTable = "united-states-2017"
    """Chances of death by sex and year of age: a period life table of the United States Social Security
    Administration, or one of your own."""
    mortality: Annotated[Exact, Field(ge=Decimal("0.1"), le=10)] = Decimal(1)
    """Factor on the life table's chances of death."""
    fertility: Table | OwnFertility = "united-states-2017"
    """Births by age of the mother: United States National Center for Health Statistics, or your own."""
    total_fertility: Annotated[Exact, Field(ge=Decimal("0.1"), le=MOST_CHILDREN)] | None = None
    """Children of a woman who lives through all ages; the schedule is scaled to it. None: as published."""
    boys: Annotated[Exact, Field(ge=Decimal("0.01"), le=Decimal("0.99"))] = Decimal("0.512")
    """Share of boys among births."""
    retirement: Annotated[int, Field(ge=40, le=100)] = 65
    """Years of age at which a citizen retires."""
    health: Health = Health()
    households: Households = Households()
    schooling: Schooling = Schooling()
    migration: Migration = Migration()
