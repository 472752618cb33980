"""What the schema shows of the books. Descriptions here become the SDL's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, cast
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.paging import After, Connection, First, connection_of, page_of
from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.trusting import is_software, told_payload
from parpour_api.identity.principal import Principal
from parpour_api.identity.principal import Role as RoleValue
from parpour_controlplane.events import PlacedEvent
from parpour_treasury import books, reading
from parpour_treasury.commands import check_time
from parpour_treasury.currencies import format_amount
from parpour_treasury.ledger import INSTANT

Role = strawberry.enum(RoleValue, name="Role", description="What somebody may be in a tenant.")
AccountKind = strawberry.enum(books.Kind, name="AccountKind", description="The five kinds of account.")


@strawberry.enum(description="The two sides of a journal.")
class Side(Enum):
    """Debit or credit."""

    DEBIT = "debit"
    CREDIT = "credit"


@strawberry.enum(description="What became of a hold.")
class HoldState(Enum):
    """States of holds."""

    OPEN = "open"
    SETTLED = "settled"
    VOIDED = "voided"
    EXPIRED = "expired"


@strawberry.enum(description="What a journal is.")
class JournalKind(Enum):
    """Kinds of journals."""

    POSTING = "posting"
    SETTLEMENT = "settlement"
    REVERSAL = "reversal"


Effective = Annotated[
    datetime | None,
    strawberry.argument(description="By what took effect at this time or before; now, if nothing is said."),
]
Recorded = Annotated[
    datetime | None,
    strawberry.argument(description="By what was recorded at this time or before; now, if nothing is said."),
]


def session_of(info: Info[Any, Any]) -> Session:
    """The request's session."""
    return cast("Session", info.context)


@strawberry.type(description="An amount of a currency of ISO 4217, exact to the minor unit.")
class Money:
    """An amount as text."""

    amount: str = strawberry.field(description="Decimal text with all decimals of the currency, such as 12.50.")
    currency: str
    minor: str = strawberry.field(description="The same as a count of minor units, such as 1250.")


def money(minor: int, currency: str) -> Money:
    """An amount of minor units as text."""
    return Money(amount=format_amount(minor, currency), currency=currency, minor=str(minor))


@strawberry.type(description="Who asks.")
class Me:
    """The principal."""

    tenant: UUID
    actor: str
    roles: list[Role]  # type: ignore[valid-type]
    person: str | None = strawberry.field(description="The human behind the account; null for agents.")
    authenticated_at: datetime | None

    @classmethod
    def of(cls, principal: Principal) -> Me:
        """The principal as it sees itself."""
        return cls(
            tenant=principal.tenant,
            actor=principal.actor,
            roles=sorted(principal.roles),
            person=principal.person,
            authenticated_at=principal.authenticated_at,
        )


@strawberry.type(description="The head of the tenant's books.")
class LedgerHead:
    """How far the books go."""

    accounts: str = strawberry.field(description="How many accounts there are.")
    journals: str = strawberry.field(description="How many journals there are, and the number of the last one.")
    recorded_at: datetime | None = strawberry.field(description="When the last journal was recorded.")
    locked_until: datetime | None = strawberry.field(description="Nothing takes effect before this time any more.")


@strawberry.type(
    description="An account. Amounts are in its own direction: assets and expenses grow by debits, others by credits."
)
class Account:
    """An account as it stands."""

    id: strawberry.ID
    code: str
    name: str
    kind: AccountKind  # type: ignore[valid-type]
    currency: str
    opened_at: datetime
    closed_at: datetime | None
    row: strawberry.Private[books.Account]

    @classmethod
    def of(cls, row: books.Account) -> Account:
        """The account of a row."""
        return cls(
            id=strawberry.ID(str(row.account)),
            code=row.code,
            name=row.name,
            kind=row.kind,
            currency=row.currency,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            row=row,
        )

    def _own(self, info: Info, debit: int | None) -> Money | None:
        if debit is None or is_software(session_of(info)):
            return None
        return money(debit * self.row.kind.sign, self.currency)

    @strawberry.field(description="Sum of what was posted to it, at two times.")
    async def balance(self, info: Info, effective_at: Effective = None, recorded_at: Recorded = None) -> Money:
        """Its balance; now if no time is given."""
        check_time(effective_at, "effectiveAt")
        check_time(recorded_at, "recordedAt")
        posted = self.row.posted
        if effective_at is not None or recorded_at is not None:
            posted = await session_of(info).balances(effective_at, recorded_at).load(self.row.account)
        return money(posted * self.row.kind.sign, self.currency)

    @strawberry.field(description="What open holds will add to it.")
    def incoming(self) -> Money:
        """Kept for what would make it grow."""
        kept = self.row.pending_debit if self.row.kind.sign > 0 else self.row.pending_credit
        return money(kept, self.currency)

    @strawberry.field(description="What open holds will take from it.")
    def outgoing(self) -> Money:
        """Kept for what would make it shrink."""
        kept = self.row.pending_credit if self.row.kind.sign > 0 else self.row.pending_debit
        return money(kept, self.currency)

    @strawberry.field(description="What may still leave it, holds counted; null if nothing limits it, and to software.")
    def available(self, info: Info) -> Money | None:
        """What its minimum leaves."""
        left = self.row.available
        return None if left is None or is_software(session_of(info)) else money(left, self.currency)

    @strawberry.field(description="Its least balance, holds counted. Null to software.")
    def minimum(self, info: Info) -> Money | None:
        """Its lower limit."""
        return self._own(info, self.row.lower_bound if self.row.kind.sign > 0 else self.row.upper_bound)

    @strawberry.field(description="Its greatest balance, holds counted. Null to software.")
    def maximum(self, info: Info) -> Money | None:
        """Its upper limit."""
        return self._own(info, self.row.upper_bound if self.row.kind.sign > 0 else self.row.lower_bound)


def side_of(amount: int) -> Side:
    """Which side a signed amount is on."""
    return Side.DEBIT if amount > 0 else Side.CREDIT


async def account_of(info: Info, account: int) -> Account:
    """An account that is known to exist."""
    row = await session_of(info).accounts.load(account)
    if row is None:
        raise AssertionError("a leg has an account")
    return Account.of(row)


@strawberry.type(description="One line of a journal.")
class Leg:
    """A leg."""

    side: Side
    amount: Money = strawberry.field(description="Always above zero.")
    balance: Money = strawberry.field(description="What the account came to by it; a debit is positive.")
    number: strawberry.Private[int]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """Its account."""
        return await account_of(info, self.number)


@strawberry.type(description="A journal: legs that sum to zero in each currency, for good.")
class Journal:
    """A journal that stands."""

    number: strawberry.ID
    kind: JournalKind
    description: str
    actor: str
    correlation: UUID
    effective_at: datetime
    recorded_at: datetime
    reverses: strawberry.ID | None = strawberry.field(description="The journal that it reverses.")
    hold: strawberry.ID | None = strawberry.field(description="The hold that it settles.")
    legs: list[Leg]

    @classmethod
    def of(cls, row: books.Journal) -> Journal:
        """The journal of a row."""
        return cls(
            number=strawberry.ID(str(row.number)),
            kind=JournalKind(row.kind),
            description=row.description,
            actor=row.actor,
            correlation=row.correlation,
            effective_at=row.effective_at,
            recorded_at=row.recorded_at,
            reverses=None if row.reverses is None else strawberry.ID(str(row.reverses)),
            hold=None if row.hold is None else strawberry.ID(str(row.hold)),
            legs=[
                Leg(
                    side=side_of(leg.amount),
                    amount=money(abs(leg.amount), leg.currency),
                    balance=money(balance, leg.currency),
                    number=leg.account,
                )
                for leg, balance in zip(row.legs, row.balances, strict=True)
            ],
        )


@strawberry.type(description="One line of a hold.")
class HoldLeg:
    """A leg of a hold."""

    side: Side
    amount: Money = strawberry.field(description="What is kept free; always above zero.")
    settled: Money = strawberry.field(description="What was posted of it.")
    number: strawberry.Private[int]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """Its account."""
        return await account_of(info, self.number)


@strawberry.type(description="Amounts that are kept free until they are settled, voided, or the hold expires.")
class Hold:
    """A hold as it stands."""

    id: strawberry.ID
    state: HoldState
    description: str
    actor: str
    placed_at: datetime
    expires_at: datetime | None
    closed_at: datetime | None
    legs: list[HoldLeg]

    @classmethod
    def of(cls, row: books.HoldState) -> Hold:
        """The hold of a row."""
        return cls(
            id=strawberry.ID(str(row.hold)),
            state=HoldState(row.state),
            description=row.description,
            actor=row.actor,
            placed_at=row.placed_at,
            expires_at=row.expires_at,
            closed_at=row.closed_at,
            legs=_hold_legs(row),
        )


def _hold_legs(row: books.HoldState) -> list[HoldLeg]:
    pairs: Sequence[tuple[Any, int]] = list(zip(row.legs, row.settled, strict=True))
    return [
        HoldLeg(
            side=side_of(leg.amount),
            amount=money(abs(leg.amount), leg.currency),
            settled=money(abs(settled), leg.currency),
            number=leg.account,
        )
        for leg, settled in pairs
    ]


@strawberry.type(description="One line of a trial balance.")
class TrialBalanceLine:
    """An account's balance at two times."""

    code: str
    kind: AccountKind  # type: ignore[valid-type]
    balance: Money = strawberry.field(
        description="A debit is positive, so that each currency sums to zero over all lines."
    )
    number: strawberry.Private[int]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """The account as it stands."""
        return await account_of(info, self.number)


@strawberry.type(description="One movement of a statement.")
class Movement:
    """What a leg moved."""

    journal: strawberry.ID
    effective_at: datetime
    recorded_at: datetime
    description: str
    amount: Money = strawberry.field(description="In the account's own direction.")


@strawberry.type(
    description="An account's movements that took effect within a time. Opening and movements make the closing balance."
)
class Statement:
    """A statement."""

    since: datetime
    until: datetime = strawberry.field(description="What took effect at this time or later is left out.")
    book: strawberry.Private[books.Account]

    @strawberry.field
    def account(self) -> Account:
        """Whose it is."""
        return Account.of(self.book)

    @strawberry.field(description="The balance before the first movement.")
    async def opening(self, info: Info) -> Money:
        """What it came to before."""
        return await self._balance(info, self.since)

    @strawberry.field(description="The balance after the last movement.")
    async def closing(self, info: Info) -> Money:
        """What it came to after."""
        return await self._balance(info, self.until)

    async def _balance(self, info: Info, before: datetime) -> Money:
        debit = await session_of(info).balances(before - INSTANT, None).load(self.book.account)
        return money(debit * self.book.kind.sign, self.book.currency)

    @strawberry.field
    async def movements(self, info: Info, first: First = None, after: After = None) -> Connection[Movement]:
        """Its movements in the order in which they took effect."""
        session = session_of(info)
        scope = f"movements {self.book.account} {self.since.isoformat()} {self.until.isoformat()}"
        page = page_of(
            first=first,
            last=None,
            after=after,
            before=None,
            page_max=session.service.page_max,
            key_of=lambda cursor: session.key_of(scope, cursor),
        )
        place = None
        if page.after is not None:
            time, journal, position = page.after
            place = (datetime.fromisoformat(str(time)), int(journal), int(position))
        rows = await session.reader.read(
            lambda connection: reading.page_of_movements(
                connection,
                self.book.account,
                since=self.since,
                until=self.until,
                after=place,
                limit=page.read_limit,
            )
        )
        return connection_of(
            rows,
            page,
            node=self._movement,
            cursor=lambda row: session.cursor(
                scope, row.movement.effective_at.isoformat(), row.movement.journal, row.position
            ),
        )

    def _movement(self, row: reading.Placed) -> Movement:
        one = row.movement
        return Movement(
            journal=strawberry.ID(str(one.journal)),
            effective_at=one.effective_at,
            recorded_at=one.recorded_at,
            description=one.description,
            amount=money(one.amount * self.book.kind.sign, self.book.currency),
        )


@strawberry.type(description="Something that happened, as it was committed with what it tells.")
class Event:
    """An event."""

    position: strawberry.ID = strawberry.field(description="Its place in the tenant's history, from 1 without a gap.")
    id: UUID
    type: str
    version: int
    time: datetime
    actor: str
    correlation: UUID
    causation: UUID | None
    subject: str
    payload: str | None = strawberry.field(
        description=(
            "JSON, to the letter as it was written; null after it was erased, and to software where it tells limits."
        )
    )
    taint: list[str]

    @classmethod
    def of(cls, row: PlacedEvent, session: Session) -> Event:
        """The event of a row, as the one who asks may know it."""
        envelope = row.event
        return cls(
            position=strawberry.ID(str(row.position)),
            id=envelope.id,
            type=envelope.type,
            version=envelope.version,
            time=envelope.time,
            actor=envelope.actor,
            correlation=envelope.correlation,
            causation=envelope.causation,
            subject=envelope.subject,
            payload=row.payload if told_payload(session, envelope.type) else None,
            taint=list(envelope.taint),
        )
