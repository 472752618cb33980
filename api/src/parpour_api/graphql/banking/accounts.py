"""Types of bank accounts and of their statements. Amounts have the bank's sign: what came in is positive."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.banking.checks import BankCheck, check_of
from parpour_api.graphql.banking.exceptions import BankMatch, ReconciliationException, exception_of
from parpour_api.graphql.banking.values import (
    BEGINNING,
    END,
    POSITION_END,
    ExceptionProgress,
    around,
    numbers_of,
    page_in,
)
from parpour_api.graphql.paging import After, Before, Connection, First, Last, connection_of
from parpour_api.graphql.session import Session, number
from parpour_api.graphql.types import Account, Money, account_of, money, session_of
from parpour_treasury.reading import FIRST_ID, LAST_ID
from parpour_treasury.reconciliation import reading

WAITING = ("open", "proposed")
"""States of exceptions that wait for somebody."""


@strawberry.type(description="One movement that the bank has booked.")
class StatementEntry:
    """An entry, and what became of it."""

    position: int
    amount: Money
    booked_on: date
    value_on: date | None
    reference: str
    end_to_end: str
    transaction: str
    counterparty: str
    description: str
    code: str
    reversal: bool
    batch: int = strawberry.field(description="Entries that were booked as one bear the same number above zero.")
    match: strawberry.ID | None = strawberry.field(description="Number of its match.")
    exception: strawberry.ID | None


@strawberry.type(description="A bank's statement of one account, as it was taken over.")
class BankStatement:
    """A statement."""

    number: strawberry.ID = strawberry.field(description="Its place among the account's statements, from 1.")
    statement: str = strawberry.field(description="What the bank calls it.")
    sequence: str | None
    opening: Money
    opened_on: date
    closing: Money
    closed_on: date
    left_out: int = strawberry.field(description="Lines that moved nothing, such as pending ones.")
    sha256: str = strawberry.field(description="Of the file that it came in.")
    place: int = strawberry.field(description="Which statement of the file it is, from 0.")
    format: str
    imported_at: datetime
    imported_by: str
    row: strawberry.Private[reading.StatementHead]
    currency: strawberry.Private[str]

    @classmethod
    def of(cls, row: reading.StatementHead, currency: str) -> BankStatement:
        """The statement of a row."""
        return cls(
            number=strawberry.ID(str(row.number)),
            statement=row.statement,
            sequence=None if row.sequence is None else str(row.sequence),
            opening=money(row.opening, currency),
            opened_on=row.opened_on,
            closing=money(row.closing, currency),
            closed_on=row.closed_on,
            left_out=row.left_out,
            sha256=row.digest.hex(),
            place=row.place,
            format=row.format,
            imported_at=row.imported_at,
            imported_by=row.imported_by,
            row=row,
            currency=currency,
        )

    @strawberry.field(description="Its entries, in their order.")
    async def entries(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[StatementEntry]:
        """A page of entries."""
        session, row = session_of(info), self.row
        scope = f"entries {row.account_id} {row.number}"
        page = page_in(session, scope, first, last, after, before)
        low, high = numbers_of(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_entries(
                connection,
                row.account_id,
                row.number,
                after=low,
                before=min(high, POSITION_END),
                limit=page.read_limit,
                backward=page.backward,
            )
        )
        return connection_of(rows, page, node=self._entry, cursor=lambda one: session.cursor(scope, one.position))

    @strawberry.field(description="Bank and books at its end.")
    async def check(self, info: Info) -> BankCheck:
        """The daily check."""
        return await check_of(session_of(info), self.row.account_id, self.row.number, self.currency)

    def _entry(self, row: reading.EntryState) -> StatementEntry:
        return StatementEntry(
            position=row.position,
            amount=money(row.amount, self.currency),
            booked_on=row.booked_on,
            value_on=row.value_on,
            reference=row.reference,
            end_to_end=row.end_to_end,
            transaction=row.transaction,
            counterparty=row.counterparty,
            description=row.description,
            code=row.code,
            reversal=row.reversal,
            batch=row.batch,
            match=None if row.match is None else strawberry.ID(str(row.match)),
            exception=None if row.exception_id is None else strawberry.ID(str(row.exception_id)),
        )


@strawberry.type(description="An account of the books that stands for a bank account.")
class BankAccount:
    """A bank account."""

    identification: str = strawberry.field(description="What the bank calls it: an IBAN or another.")
    since: date = strawberry.field(description="The first day that statements cover.")
    bound_at: datetime
    bound_by: str
    row: strawberry.Private[reading.BankAccount]

    @classmethod
    def of(cls, row: reading.BankAccount) -> BankAccount:
        """The bank account of a row."""
        return cls(
            identification=row.identification, since=row.since, bound_at=row.bound_at, bound_by=row.bound_by, row=row
        )

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """The account of the books."""
        return await account_of(info, self.row.account_id)

    @strawberry.field(description="A statement by its number; the last one if none is named.")
    async def statement(self, info: Info, number: strawberry.ID | None = None) -> BankStatement | None:
        """One statement."""
        low, high = around(number)
        rows = await session_of(info).reader.read(
            lambda connection: reading.page_of_statements(
                connection, self.row.account_id, after=low, before=high, limit=1, backward=True
            )
        )
        return BankStatement.of(rows[0], self.row.currency) if rows else None

    @strawberry.field(description="Its statements, in their order.")
    async def statements(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[BankStatement]:
        """A page of statements."""
        session, account = session_of(info), self.row.account_id
        scope = f"statements {account}"
        page = page_in(session, scope, first, last, after, before)
        low, high = numbers_of(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_statements(
                connection, account, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        return connection_of(
            rows,
            page,
            node=lambda row: BankStatement.of(row, self.row.currency),
            cursor=lambda row: session.cursor(scope, row.number),
        )

    @strawberry.field(description="A match by its number.")
    async def match(self, info: Info, number: strawberry.ID) -> BankMatch | None:
        """One match."""
        low, high = around(number)
        rows = await session_of(info).reader.read(
            lambda connection: reading.page_of_matches(connection, self.row.account_id, after=low, before=high, limit=1)
        )
        return BankMatch.of(rows[0]) if rows else None

    @strawberry.field(description="Its matches, in the order in which they were made.")
    async def matches(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[BankMatch]:
        """A page of matches."""
        session, account = session_of(info), self.row.account_id
        scope = f"matches {account}"
        page = page_in(session, scope, first, last, after, before)
        low, high = numbers_of(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_matches(
                connection, account, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        return connection_of(rows, page, node=BankMatch.of, cursor=lambda row: session.cursor(scope, row.match))

    @strawberry.field(description="The queue of exceptions, the oldest first.")
    async def exceptions(
        self,
        info: Info,
        states: Annotated[
            list[ExceptionProgress] | None,
            strawberry.argument(description="Only those in these states; the ones that wait, if nothing is said."),
        ] = None,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> Connection[ReconciliationException]:
        """A page of exceptions."""
        session, account = session_of(info), self.row.account_id
        wanted = sorted({one.value for one in states} if states is not None else WAITING)
        scope = f"exceptions {account} {' '.join(wanted)}"
        page = page_in(session, scope, first, last, after, before)
        rows = await session.reader.read(
            lambda connection: reading.page_of_exceptions(
                connection,
                account,
                states=wanted,
                after=_moment(page.after, (BEGINNING, FIRST_ID)),
                before=_moment(page.before, (END, LAST_ID)),
                limit=page.read_limit,
                backward=page.backward,
            )
        )
        return connection_of(
            rows,
            page,
            node=lambda row: exception_of(row, self.row.currency),
            cursor=lambda row: session.cursor(scope, row.opened_at.isoformat(), str(row.exception)),
        )


def _moment(key: tuple[int | str, ...] | None, otherwise: reading.Moment) -> reading.Moment:
    return otherwise if key is None else (datetime.fromisoformat(str(key[0])), UUID(str(key[1])))


async def bank_account(session: Session, account: str) -> BankAccount | None:
    """The bank account of an account's ID; None if none is bound to it."""
    known = number(account)
    if known is None:
        return None
    rows = await session.reader.read(lambda connection: reading.bank_accounts(connection, known))
    return BankAccount.of(rows[0]) if rows else None
