"""The demographic section of a civilisation: who lives how long, has children, finds a partner, learns and moves.

Rates are chances or rates a year; the compiler spreads them over the rounds of a year. Published tables are named,
not given, so that a document stays a page long.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import Exact, Section, Share

Table = Literal["united-states-1950", "united-states-2017"]
Rate = Annotated[Exact, Field(ge=0, le=4)]
"""Events a year."""
Answer = Annotated[Exact, Field(ge=0, le=100)]


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

    life_table: Table = "united-states-2017"
    """Chances of death by sex and year of age: period life tables of the United States Social Security
    Administration."""
    mortality: Annotated[Exact, Field(ge=Decimal("0.1"), le=10)] = Decimal(1)
    """Factor on the life table's chances of death."""
    fertility: Table = "united-states-2017"
    """Births by age of the mother: United States National Center for Health Statistics."""
    total_fertility: Annotated[Exact, Field(ge=Decimal("0.1"), le=10)] | None = None
    """Children of a woman who lives through all ages; the schedule is scaled to it. None: as published."""
    boys: Annotated[Exact, Field(ge=Decimal("0.01"), le=Decimal("0.99"))] = Decimal("0.512")
    """Share of boys among births."""
    retirement: Annotated[int, Field(ge=40, le=100)] = 65
    """Years of age at which a citizen retires."""
    health: Health = Health()
    households: Households = Households()
    schooling: Schooling = Schooling()
    migration: Migration = Migration()
