"""Pages of what banks said and of what became of it, read in a transaction of the caller's.

A page lies strictly between two keys and is read from either end, as pages of the books are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from parpour_controlplane.migrations import sql
from parpour_treasury.reconciliation.reconciler import ExceptionState, exception_of

if TYPE_CHECKING:
    from asyncpg import Record

    from parpour_controlplane.database import type_of_connection

Moment = tuple[datetime, UUID]
"""When an exception was opened, and its id: its place in the queue."""

_BANK_ACCOUNTS, _DISPATCH, _FOUND = (
    sql("parpour_treasury", f"queries/{name}.sql") for name in ("bank_accounts", "dispatch", "found_payments")
)
_FORWARD = {
    name: sql("parpour_treasury", f"queries/{name}.sql")
    for name in ("page_of_statements", "page_of_entries", "page_of_matches", "page_of_exceptions", "provider_reviews")
}
_BACKWARD = {name: text.replace(" asc", " desc") for name, text in _FORWARD.items()}


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account of the books that stands for a bank account."""

    account_id: int
    identification: str
    since: date
    """The first day that statements cover."""
    bound_at: datetime
    bound_by: str
    currency: str


@dataclass(frozen=True, slots=True)
class StatementHead:
    """A statement without its entries."""

    account_id: int
    number: int
    """Its place among the account's statements, from 1."""
    statement: str
    """What the bank calls it."""
    sequence: int | None
    opening: int
    opened_on: date
    closing: int
    closed_on: date
    left_out: int
    digest: bytes
    """SHA-256 of the file."""
    place: int
    """Which statement of the file it is, from 0."""
    format: str
    imported_at: datetime
    imported_by: str


@dataclass(frozen=True, slots=True)
class EntryState:
    """An entry of a statement, and what became of it."""

    account_id: int
    number: int
    position: int
    amount: int
    booked_on: date
    value_on: date | None
    reference: str
    end_to_end: str
    transaction: str
    counterparty: str
    description: str
    code: str
    reversal: bool
    batch: int
    match: int | None
    exception_id: UUID | None


@dataclass(frozen=True, slots=True)
class MatchState:
    """Entries and movements that are the same money, and why."""

    account_id: int
    match: int
    rule: str
    explanation: str
    """JSON."""
    made_at: datetime
    made_by: str
    entries: tuple[tuple[int, int], ...]
    """(statement's number, position)."""
    movements: tuple[tuple[int, int], ...]
    """(journal, leg)."""
    undone_at: datetime | None
    """Since when its parts are free again; None while it stands."""
    undone_by: str | None
    undone_because: str | None


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Whether payments may be sent."""

    epoch: int
    counter: int
    """Payments that were allowed to be sent."""
    providers: tuple[str, ...]
    locked_at: datetime | None
    locked_by: str | None
    reason: str | None
    proposed_by: str | None
    evidence: str | None


@dataclass(frozen=True, slots=True)
class ProviderReview:
    """A provider's list, compared with the books."""

    review: int
    provider: str
    as_of: datetime
    payments: int
    unknown: int
    digest: bytes
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """A payment that a provider knew and the books did not."""

    provider: str
    reference: str
    amount: int
    currency: str
    sent_at: datetime
    correlation: UUID | None
    journal: int | None
    evidence: str | None
    recorded_at: datetime | None
    recorded_by: str | None


async def _page(connection: type_of_connection, name: str, *arguments: object, backward: bool) -> list[Record]:
    rows = await connection.fetch((_BACKWARD if backward else _FORWARD)[name], *arguments)
    return rows[::-1] if backward else rows


async def bank_accounts(connection: type_of_connection, account: int | None = None) -> list[BankAccount]:
    """The bank accounts, by the numbers of their accounts; or the one of an account."""
    return [BankAccount(**dict(row)) for row in await connection.fetch(_BANK_ACCOUNTS, account)]


async def page_of_statements(
    connection: type_of_connection, account: int, *, after: int, before: int, limit: int, backward: bool = False
) -> list[StatementHead]:
    """Statements of an account between two numbers, in their order."""
    rows = await _page(connection, "page_of_statements", account, after, before, limit, backward=backward)
    return [StatementHead(**dict(row)) for row in rows]


async def page_of_entries(
    connection: type_of_connection,
    account: int,
    number: int,
    *,
    after: int,
    before: int,
    limit: int,
    backward: bool = False,
) -> list[EntryState]:
    """Entries of a statement between two positions, in their order."""
    rows = await _page(connection, "page_of_entries", account, number, after, before, limit, backward=backward)
    return [EntryState(**dict(row)) for row in rows]


async def page_of_matches(
    connection: type_of_connection, account: int, *, after: int, before: int, limit: int, backward: bool = False
) -> list[MatchState]:
    """Matches of an account between two numbers, in the order in which they were made."""
    rows = await _page(connection, "page_of_matches", account, after, before, limit, backward=backward)
    return [_match(dict(row)) for row in rows]


async def page_of_exceptions(
    connection: type_of_connection,
    account: int,
    *,
    states: Sequence[str],
    after: Moment,
    before: Moment,
    limit: int,
    backward: bool = False,
) -> list[ExceptionState]:
    """Exceptions of an account in some states, the oldest first."""
    rows = await _page(
        connection, "page_of_exceptions", account, *after, *before, list(states), limit, backward=backward
    )
    return [exception_of(dict(row)) for row in rows]


async def exception(connection: type_of_connection, named: UUID) -> ExceptionState | None:
    """An exception; None if there is no such one."""
    row = await connection.fetchrow("select * from treasury.exception where exception_id = $1", named)
    return None if row is None else exception_of(dict(row))


async def dispatch(connection: type_of_connection) -> Dispatch | None:
    """Whether payments may be sent; None if none ever was, and none was locked."""
    row = await connection.fetchrow(_DISPATCH)
    return None if row is None else Dispatch(**{**dict(row), "providers": tuple(row["providers"])})


async def page_of_reviews(
    connection: type_of_connection, *, after: int, before: int, limit: int, backward: bool = False
) -> list[ProviderReview]:
    """Reviews of providers' lists between two numbers, in their order."""
    rows = await _page(connection, "provider_reviews", after, before, limit, backward=backward)
    return [ProviderReview(**dict(row)) for row in rows]


async def page_of_found(connection: type_of_connection, *, after: tuple[str, str], limit: int) -> list[FoundPayment]:
    """Payments that were found at providers, by provider and reference, after one of them."""
    return [FoundPayment(**dict(row)) for row in await connection.fetch(_FOUND, *after, limit)]


def _match(row: Mapping[str, Any]) -> MatchState:
    return MatchState(
        account_id=row["account_id"],
        match=row["match"],
        rule=row["rule"],
        explanation=row["explanation"],
        made_at=row["made_at"],
        made_by=row["made_by"],
        entries=tuple(zip(row["numbers"], row["positions"], strict=True)),
        movements=tuple(zip(row["journals"], row["legs"], strict=True)),
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
        undone_because=row["undone_because"],
    )
