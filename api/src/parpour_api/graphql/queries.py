"""Queries over the books.

What does not exist and what is another tenant's are answered alike: with null, or with nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.following import check_place
from parpour_api.graphql.paging import After, Before, Connection, First, Last, Page, connection_of, page_of
from parpour_api.graphql.session import Session, hold_id, number
from parpour_api.graphql.types import (
    Account,
    Effective,
    Event,
    Hold,
    Journal,
    LedgerHead,
    Me,
    Recorded,
    Statement,
    TrialBalanceLine,
    money,
    session_of,
)
from parpour_controlplane.events import PlacedEvent, page_of_events
from parpour_treasury import reading
from parpour_treasury.books import Balance
from parpour_treasury.commands import check_time
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection


def _page(
    session: Session, scope: str, first: int | None, last: int | None, after: str | None, before: str | None
) -> Page:
    return page_of(
        first=first,
        last=last,
        after=after,
        before=before,
        page_max=session.service.page_max,
        key_of=lambda cursor: session.key_of(scope, cursor),
    )


def _numbers(page: Page) -> tuple[int, int]:
    """The numbers between which a page lies."""
    after = 0 if page.after is None else int(page.after[0])
    return after, reading.NUMBER_END if page.before is None else int(page.before[0])


def _time_text(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


@strawberry.type
class BooksQuery:
    """Root fields of the books."""

    @strawberry.field(description="Who asks.")
    def me(self, info: Info) -> Me:
        """The principal."""
        return Me.of(session_of(info).principal)

    @strawberry.field(description="The head of the tenant's books.")
    async def ledger(self, info: Info) -> LedgerHead:
        """The head."""
        found = await session_of(info).reader.read(reading.head)
        if found is None:
            raise TreasuryError("TREASURY_LEDGER_UNKNOWN")
        return LedgerHead(
            accounts=str(found.accounts),
            journals=str(found.journals),
            recorded_at=found.recorded_at,
            locked_until=found.locked_until,
        )

    @strawberry.field(description="An account.")
    async def account(self, info: Info, id: strawberry.ID) -> Account | None:
        """An account by its number."""
        known = number(id)
        row = None if known is None else await session_of(info).accounts.load(known)
        return None if row is None else Account.of(row)

    @strawberry.field(description="The accounts, in the order in which they were opened.")
    async def accounts(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Account]:
        """A page of accounts."""
        session, scope = session_of(info), "accounts"
        page = _page(session, scope, first, last, after, before)
        low, high = _numbers(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_accounts(
                connection, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        for row in rows:
            session.accounts.prime(row.account, row)
        return connection_of(rows, page, node=Account.of, cursor=lambda row: session.cursor(scope, row.account))

    @strawberry.field(description="A journal.")
    async def journal(self, info: Info, number: Annotated[strawberry.ID, strawberry.argument()]) -> Journal | None:
        """A journal by its number."""
        return await journal_of(session_of(info), number)

    @strawberry.field(description="The journals, by number.")
    async def journals(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Journal]:
        """A page of journals."""
        session, scope = session_of(info), "journals"
        page = _page(session, scope, first, last, after, before)
        low, high = _numbers(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_journals(
                connection, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        return connection_of(rows, page, node=Journal.of, cursor=lambda row: session.cursor(scope, row.number))

    @strawberry.field(description="A hold.")
    async def hold(self, info: Info, id: strawberry.ID) -> Hold | None:
        """A hold by its id."""
        return await hold_of(session_of(info), id)

    @strawberry.field(description="The holds, by id.")
    async def holds(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[Hold]:
        """A page of holds."""
        session, scope = session_of(info), "holds"
        page = _page(session, scope, first, last, after, before)
        low = reading.FIRST_ID if page.after is None else UUID(str(page.after[0]))
        high = reading.LAST_ID if page.before is None else UUID(str(page.before[0]))
        rows = await session.reader.read(
            lambda connection: reading.page_of_holds(
                connection, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        return connection_of(rows, page, node=Hold.of, cursor=lambda row: session.cursor(scope, str(row.hold)))

    @strawberry.field(description="Every account's balance at two times.")
    async def trial_balance(
        self,
        info: Info,
        effective_at: Effective = None,
        recorded_at: Recorded = None,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> Connection[TrialBalanceLine]:
        """A page of the trial balance, by the accounts' numbers."""
        check_time(effective_at, "effectiveAt")
        check_time(recorded_at, "recordedAt")
        session = session_of(info)
        scope = f"trialBalance {_time_text(effective_at)} {_time_text(recorded_at)}"
        page = _page(session, scope, first, last, after, before)
        low, high = _numbers(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_balances(
                connection,
                after=low,
                before=high,
                limit=page.read_limit,
                effective=effective_at,
                recorded=recorded_at,
                backward=page.backward,
            )
        )
        return connection_of(rows, page, node=_line, cursor=lambda row: session.cursor(scope, row.account))

    @strawberry.field(description="An account's statement; null if there is no such account.")
    async def statement(self, info: Info, account: strawberry.ID, since: datetime, until: datetime) -> Statement | None:
        """A statement from one time to before another."""
        check_time(since, "since")
        check_time(until, "until")
        if until < since:
            raise TreasuryError(
                "TREASURY_COMMAND_MALFORMED", field="until", detail="a statement does not end before it begins"
            )
        known = number(account)
        row = None if known is None else await session_of(info).accounts.load(known)
        return None if row is None else Statement(since=since, until=until, book=row)

    @strawberry.field(description="What happened, by its place: within a second or two of its commit.")
    async def events(
        self,
        info: Info,
        subject: Annotated[
            str | None, strawberry.argument(description="Only what happened to this, for example journal/17.")
        ] = None,
        first: First = None,
        last: Last = None,
        after: After = None,
        before: Before = None,
    ) -> Connection[Event]:
        """A page of events."""
        session = session_of(info)
        if subject is not None and not (subject.isprintable() and len(subject) <= SUBJECT_MAX):
            raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="subject")
        scope = f"events {subject or ''}"
        page = _page(session, scope, first, last, after, before)
        low, high = _numbers(page)
        context = session.context()

        async def read(connection: type_of_connection) -> list[PlacedEvent]:
            for key in filter(None, (page.after, page.before)):
                # A cursor of an earlier version has the position alone.
                await check_place(connection, context, int(key[0]), next(map(str, key[1:]), None))
            return await page_of_events(
                connection,
                context,
                after=low,
                before=high,
                subject=subject,
                limit=page.read_limit,
                backward=page.backward,
            )

        return connection_of(
            await session.reader.read(read),
            page,
            node=lambda row: Event.of(row, session),
            cursor=lambda row: session.cursor(scope, row.position, str(row.event.id)),
        )


SUBJECT_MAX = 200


def _line(row: Balance) -> TrialBalanceLine:
    return TrialBalanceLine(code=row.code, kind=row.kind, balance=money(row.balance, row.currency), number=row.account)


async def journal_of(session: Session, text: str) -> Journal | None:
    """The journal that an ID names."""
    known = number(text)
    if known is None:
        return None
    rows = await session.reader.read(
        lambda connection: reading.page_of_journals(connection, after=known - 1, before=known + 1, limit=1)
    )
    return Journal.of(rows[0]) if rows else None


async def hold_of(session: Session, text: str) -> Hold | None:
    """The hold that an ID names."""
    known = hold_id(text)
    if known is None or not reading.FIRST_ID.int < known.int < reading.LAST_ID.int:
        return None
    rows = await session.reader.read(
        lambda connection: reading.page_of_holds(
            connection, after=UUID(int=known.int - 1), before=UUID(int=known.int + 1), limit=1
        )
    )
    return Hold.of(rows[0]) if rows else None
