"""What the types of banking share: enumerations, places of entries and movements, and pages."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum

import strawberry

from parpour_api.graphql.paging import Page, page_of
from parpour_api.graphql.session import Session, number
from parpour_treasury.reading import NUMBER_END

BEGINNING, END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
POSITION_END = 2**31 - 1
"""Behind every entry of a statement."""


@strawberry.enum(description="Why something is an exception.")
class ExceptionKind(Enum):
    """Kinds of exceptions."""

    UNMATCHED_ENTRY = "unmatched-entry"
    UNMATCHED_MOVEMENT = "unmatched-movement"
    AMOUNT_DIFFERS = "amount-differs"
    DUPLICATE = "duplicate"
    RETURNED = "returned"
    FEE = "fee"
    AMBIGUOUS = "ambiguous"


@strawberry.enum(description="What became of an exception; the last three are final.")
class ExceptionProgress(Enum):
    """States of exceptions."""

    OPEN = "open"
    PROPOSED = "proposed"
    MATCHED = "matched"
    RESOLVED = "resolved"
    WRITTEN_OFF = "written-off"


@strawberry.enum(description="Which rule made a match; a decision is a person's.")
class MatchRule(Enum):
    """Rules of matching."""

    REFERENCE = "reference"
    REFERENCE_SUM = "reference-sum"
    AMOUNT_DATE_COUNTERPARTY = "amount-date-counterparty"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_ONE = "many-to-one"
    DECISION = "decision"


def page_in(
    session: Session, scope: str, first: int | None, last: int | None, after: str | None, before: str | None
) -> Page:
    """The page that arguments ask of a list."""
    return page_of(
        first=first,
        last=last,
        after=after,
        before=before,
        page_max=session.service.page_max,
        key_of=lambda cursor: session.key_of(scope, cursor),
    )


def numbers_of(page: Page) -> tuple[int, int]:
    """The numbers between which a page lies."""
    return (
        0 if page.after is None else int(page.after[0]),
        NUMBER_END if page.before is None else int(page.before[0]),
    )


@strawberry.type(description="An entry of a statement, by its place.")
class EntryPlace:
    """Where an entry stands."""

    statement: strawberry.ID = strawberry.field(description="The statement's number.")
    position: int


@strawberry.type(description="A leg of a journal, by its place.")
class MovementPlace:
    """Where a movement stands."""

    journal: strawberry.ID
    leg: int = strawberry.field(description="Its place among the journal's legs, from 1.")


def entry_place(place: tuple[int, int]) -> EntryPlace:
    """The place of an entry."""
    return EntryPlace(statement=strawberry.ID(str(place[0])), position=place[1])


def movement_place(place: tuple[int, int]) -> MovementPlace:
    """The place of a movement."""
    return MovementPlace(journal=strawberry.ID(str(place[0])), leg=place[1])


def around(named: str | None) -> tuple[int, int]:
    """Between which numbers the one of an ID lies: all, if none is named, and none, if it is no number."""
    if named is None:
        return 0, NUMBER_END
    known = number(named)
    return (0, 0) if known is None else (known - 1, known + 1)
