"""The two zooms of a civilisation: which regions' people are simulated one by one, and which together as a crowd.

A world starts person by person; what a document lists are changes, each in its week. So the start is no special case:
it is the changes of week 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import Exact, Section, Tick

MOST_CHANGES = 16
RegionNumber = Annotated[int, Field(ge=0, le=2000)]


class AllRegions(Section):
    """Every region."""

    kind: Literal["all"]


class RegionsOfNation(Section):
    """The regions of one nation."""

    kind: Literal["nation"]
    nation: Annotated[str, Field(min_length=1, max_length=40)]
    """Its name."""


class LargestRegions(Section):
    """The regions with the most citizens at the start."""

    kind: Literal["largest"]
    number: RegionNumber
    """How many; of two alike the one of the lower number is the larger."""


class AllButLargestRegions(Section):
    """All regions but those with the most citizens at the start."""

    kind: Literal["all-but-largest"]
    number: RegionNumber
    """How many are left out."""


class ListedRegions(Section):
    """Regions by their numbers, as in the run's tables."""

    kind: Literal["listed"]
    regions: Annotated[tuple[RegionNumber, ...], Field(min_length=1, max_length=2000, strict=False)]
    """Regions, counted from 0."""


Choice = Annotated[
    AllRegions | RegionsOfNation | LargestRegions | AllButLargestRegions | ListedRegions, Field(discriminator="kind")
]


class Change(Section):
    """Some regions change their zoom at the beginning of a week."""

    week: Tick
    """The week, counted from 0."""
    to: Literal["aggregated", "persons"]
    """`aggregated`: their people become a crowd with one account; `persons`: each citizen lives alone again."""
    regions: Choice = AllRegions(kind="all")
    """Which regions; those that are so already stay as they are."""


class Zoom(Section):
    """When which regions are aggregated; without changes all run person by person."""

    changes: Annotated[tuple[Change, ...], Field(max_length=MOST_CHANGES, strict=False)] = ()
    """Changes in the order of their weeks; of two in one week the later in the list holds."""
    spread: Annotated[Exact, Field(ge=0, le=3)] = Decimal(1)
    """Standard deviation of the logarithm of deposits a citizen among the households that a crowd becomes."""

    @model_validator(mode="after")
    def in_order(self) -> Self:
        """Weeks do not fall."""
        weeks = [change.week for change in self.changes]
        if weeks != sorted(weeks):
            raise ValueError("changes: list them in the order of their weeks")
        return self
