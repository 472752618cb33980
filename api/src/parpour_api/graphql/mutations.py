"""Mutations of the books. Each answers with what it made or with a refusal, as types; nothing is thrown for a refusal.

Every mutation that moves money bears a key: sent again it answers as it did before. What the caller leaves out is
derived from the key, so that the second request is the first one to the letter.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Key, Refusal, answered
from parpour_api.graphql.queries import hold_of, journal_of
from parpour_api.graphql.session import Session, hold_id, number
from parpour_api.graphql.types import Account, AccountKind, Hold, Journal, Side, session_of
from parpour_treasury import reading
from parpour_treasury.batches import Outcome
from parpour_treasury.books import NewAccount
from parpour_treasury.commands import Command, Leg, Post, Reverse, Settle, Void
from parpour_treasury.commands import Hold as PlaceHold
from parpour_treasury.currencies import parse_amount, parse_limit
from parpour_treasury.refusals import TreasuryError

NAME_MAX = 200
CODE_MAX = 200


@strawberry.type(description="An account was opened, or the same one was there.")
class OpenedAccount:
    """Result of openAccount."""

    account: Account


@strawberry.type(description="An account's limits were set.")
class LimitedAccount:
    """Result of limitAccount."""

    account: Account


@strawberry.type(description="An account was closed, or was closed before.")
class ClosedAccount:
    """Result of closeAccount."""

    account: Account


@strawberry.type(description="A journal stands.")
class PostedJournal:
    """Result of what posts a journal."""

    journal: Journal
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="A hold was placed.")
class PlacedHold:
    """Result of placeHold."""

    hold: Hold
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="A hold was settled, in part or in whole.")
class SettledHold:
    """Result of settleHold."""

    hold: Hold
    journal: Journal
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="A hold was voided.")
class VoidedHold:
    """Result of voidHold."""

    hold: Hold
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="Nothing takes effect before a time any more.")
class LockedPeriod:
    """Result of lockPeriod."""

    locked_until: datetime


OpenAccountResult = Annotated[OpenedAccount | Refusal, strawberry.union("OpenAccountResult")]
LimitAccountResult = Annotated[LimitedAccount | Refusal, strawberry.union("LimitAccountResult")]
CloseAccountResult = Annotated[ClosedAccount | Refusal, strawberry.union("CloseAccountResult")]
PostJournalResult = Annotated[PostedJournal | Refusal, strawberry.union("PostJournalResult")]
ReverseJournalResult = Annotated[PostedJournal | Refusal, strawberry.union("ReverseJournalResult")]
PlaceHoldResult = Annotated[PlacedHold | Refusal, strawberry.union("PlaceHoldResult")]
SettleHoldResult = Annotated[SettledHold | Refusal, strawberry.union("SettleHoldResult")]
VoidHoldResult = Annotated[VoidedHold | Refusal, strawberry.union("VoidHoldResult")]
LockPeriodResult = Annotated[LockedPeriod | Refusal, strawberry.union("LockPeriodResult")]


@strawberry.input(description="One line of a journal or of a hold.")
class LegInput:
    """A leg as a caller writes it."""

    account: strawberry.ID
    side: Side
    amount: str = strawberry.field(description="Decimal text above zero, such as 12.50.")
    currency: str

    def parsed(self, path: str) -> Leg:
        """The leg, checked as far as it can be without the books.

        Raises:
            TreasuryError: AMOUNT_…, CURRENCY_UNKNOWN or TREASURY_ACCOUNT_UNKNOWN.
        """
        minor = parse_amount(self.amount, self.currency, field=f"{path}.amount")
        account = number(self.account)
        if account is None:
            raise TreasuryError("TREASURY_ACCOUNT_UNKNOWN", field=f"{path}.account")
        return Leg(account, minor if self.side is Side.DEBIT else -minor, self.currency)


def _legs(legs: list[LegInput]) -> tuple[Leg, ...]:
    return tuple(leg.parsed(f"legs[{place}]") for place, leg in enumerate(legs))


def _correlation(session: Session, key: str, given: UUID | None) -> UUID:
    return given or uuid5(session.principal.tenant, f"correlation {key}")


async def _submitted(session: Session, command: Command) -> Outcome:
    """The outcome of a command that was accepted.

    Raises:
        TreasuryError: if it was refused.
    """
    principal = session.principal
    await session.reader.close()
    outcome = await session.service.batcher.submit(principal.tenant, principal.actor, command)
    outcome.raise_for_refusal()
    await session.written()
    return outcome


async def _account(session: Session, account: int) -> Account:
    await session.written()
    row = await session.accounts.load(account)
    if row is None:
        raise TreasuryError("TREASURY_ACCOUNT_UNKNOWN", field="account")
    return Account.of(row)


async def _journal(session: Session, outcome: Outcome) -> Journal:
    found = await journal_of(session, str(outcome.journal))
    if found is None:
        raise AssertionError("what was accepted has its journal")
    return found


async def _hold(session: Session, hold: UUID) -> Hold:
    found = await hold_of(session, str(hold))
    if found is None:
        raise AssertionError("what was accepted has its hold")
    return found


def _known_hold(text: str) -> UUID:
    hold = hold_id(text)
    if hold is None:
        raise TreasuryError("TREASURY_HOLD_UNKNOWN", field="hold")
    return hold


def _known_account(text: str) -> int:
    account = number(text)
    if account is None:
        raise TreasuryError("TREASURY_ACCOUNT_UNKNOWN", field="account")
    return account


def _line_of_text(text: str, longest: int, field: str) -> str:
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field=field, detail=f"1 to {longest} printable characters")
    return text


def _limit(text: str | None, currency: str, field: str) -> int | None:
    return None if text is None else parse_limit(text, currency, field=field)


async def limits_of(
    session: Session, account: str, minimum: str | None, maximum: str | None
) -> tuple[int, int | None, int | None]:
    """The account that a caller names, and the limits that it is to have, in minor units of its currency.

    Raises:
        TreasuryError: TREASURY_ACCOUNT_UNKNOWN, AMOUNT_… or TREASURY_BALANCE_OVERFLOW.
    """
    known = _known_account(account)
    currency = (await _account(session, known)).currency
    await session.reader.close()
    return known, _limit(minimum, currency, "minimum"), _limit(maximum, currency, "maximum")


@strawberry.type
class BooksMutation:
    """Root fields of what is done to the books."""

    @strawberry.mutation(
        description="Open an account. The same account again is found; another under its code is refused."
    )
    async def open_account(
        self,
        info: Info,
        code: str,
        name: str,
        kind: AccountKind,  # type: ignore[valid-type]
        currency: str,
        minimum: str | None = None,
        maximum: str | None = None,
    ) -> OpenAccountResult:
        """Open an account; limits are in its own direction."""
        session = session_of(info)

        async def work() -> OpenedAccount:
            account = NewAccount(
                _line_of_text(code, CODE_MAX, "code"),
                _line_of_text(name, NAME_MAX, "name"),
                kind,
                currency,
                _limit(minimum, currency, "minimum"),
                _limit(maximum, currency, "maximum"),
            )
            opened = await session.service.ledger.open_account(session.context(), account)
            return OpenedAccount(account=await _account(session, opened))

        return await answered(session, "openAccount", work)

    @strawberry.mutation(
        description="Set an account's limits; one that is left out is taken away. "
        "Limits of an account that spends take from are loosened by proposeLimits."
    )
    async def limit_account(
        self, info: Info, account: strawberry.ID, minimum: str | None = None, maximum: str | None = None
    ) -> LimitAccountResult:
        """Set limits, in the account's own direction."""
        session = session_of(info)

        async def work() -> LimitedAccount:
            known, least, greatest = await limits_of(session, account, minimum, maximum)
            await session.service.ledger.limit_account(session.context(), known, minimum=least, maximum=greatest)
            return LimitedAccount(account=await _account(session, known))

        return await answered(session, "limitAccount", work)

    @strawberry.mutation(description="Close an account for good; it must be empty.")
    async def close_account(self, info: Info, account: strawberry.ID) -> CloseAccountResult:
        """Close an account."""
        session = session_of(info)

        async def work() -> ClosedAccount:
            known = _known_account(account)
            await session.service.ledger.close_account(session.context(), known)
            return ClosedAccount(account=await _account(session, known))

        return await answered(session, "closeAccount", work)

    @strawberry.mutation(description="Post a journal: debits and credits that are equal in each currency.")
    async def post_journal(
        self,
        info: Info,
        key: Key,
        legs: list[LegInput],
        description: str = "",
        effective_at: datetime | None = None,
        correlation: UUID | None = None,
    ) -> PostJournalResult:
        """Post a journal."""
        session = session_of(info)
        belongs = _correlation(session, key, correlation)

        async def work() -> PostedJournal:
            command = Post(
                key=key, correlation=belongs, legs=_legs(legs), description=description, effective_at=effective_at
            )
            outcome = await _submitted(session, command)
            return PostedJournal(journal=await _journal(session, outcome), replayed=outcome.replayed)

        return await answered(session, "postJournal", work, correlation=str(belongs))

    @strawberry.mutation(description="Post the opposite of a journal; each is reversed at most once.")
    async def reverse_journal(
        self,
        info: Info,
        key: Key,
        journal: strawberry.ID,
        description: str = "",
        effective_at: datetime | None = None,
        correlation: UUID | None = None,
    ) -> ReverseJournalResult:
        """Reverse a journal."""
        session = session_of(info)
        belongs = _correlation(session, key, correlation)

        async def work() -> PostedJournal:
            known = number(journal)
            if known is None:
                raise TreasuryError("TREASURY_JOURNAL_UNKNOWN", field="journal")
            command = Reverse(
                key=key, correlation=belongs, journal=known, description=description, effective_at=effective_at
            )
            outcome = await _submitted(session, command)
            return PostedJournal(journal=await _journal(session, outcome), replayed=outcome.replayed)

        return await answered(session, "reverseJournal", work, correlation=str(belongs))

    @strawberry.mutation(description="Keep amounts free until they are settled, voided, or the hold expires.")
    async def place_hold(
        self,
        info: Info,
        key: Key,
        legs: list[LegInput],
        hold: Annotated[
            strawberry.ID | None, strawberry.argument(description="A UUID; made from the key, if not given.")
        ] = None,
        description: str = "",
        expires_at: datetime | None = None,
        correlation: UUID | None = None,
    ) -> PlaceHoldResult:
        """Place a hold."""
        session = session_of(info)
        belongs = _correlation(session, key, correlation)

        async def work() -> PlacedHold:
            known = uuid5(session.principal.tenant, f"hold {key}") if hold is None else hold_id(hold)
            if known is None or known in (reading.FIRST_ID, reading.LAST_ID):
                raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="hold", detail="a UUID")
            command = PlaceHold(
                key=key,
                correlation=belongs,
                hold=known,
                legs=_legs(legs),
                description=description,
                expires_at=expires_at,
            )
            outcome = await _submitted(session, command)
            return PlacedHold(hold=await _hold(session, known), replayed=outcome.replayed)

        return await answered(session, "placeHold", work, correlation=str(belongs))

    @strawberry.mutation(description="Post what a hold keeps, in part or in whole.")
    async def settle_hold(
        self,
        info: Info,
        key: Key,
        hold: strawberry.ID,
        amounts: Annotated[
            list[str] | None,
            strawberry.argument(
                description="What to post of each leg, in the hold's order; all that is left, if not given."
            ),
        ] = None,
        release: Annotated[
            bool, strawberry.argument(description="Whether what is left becomes free; otherwise it stays kept.")
        ] = True,
        description: str = "",
        effective_at: datetime | None = None,
        correlation: UUID | None = None,
    ) -> SettleHoldResult:
        """Settle a hold."""
        session = session_of(info)
        belongs = _correlation(session, key, correlation)

        async def work() -> SettledHold:
            known = _known_hold(hold)
            command = Settle(
                key=key,
                correlation=belongs,
                hold=known,
                amounts=None if amounts is None else await _settled_amounts(session, known, amounts),
                release=release,
                description=description,
                effective_at=effective_at,
            )
            outcome = await _submitted(session, command)
            return SettledHold(
                hold=await _hold(session, known),
                journal=await _journal(session, outcome),
                replayed=outcome.replayed,
            )

        return await answered(session, "settleHold", work, correlation=str(belongs))

    @strawberry.mutation(description="Set free what a hold keeps.")
    async def void_hold(
        self, info: Info, key: Key, hold: strawberry.ID, correlation: UUID | None = None
    ) -> VoidHoldResult:
        """Void a hold."""
        session = session_of(info)
        belongs = _correlation(session, key, correlation)

        async def work() -> VoidedHold:
            known = _known_hold(hold)
            outcome = await _submitted(session, Void(key=key, correlation=belongs, hold=known))
            return VoidedHold(hold=await _hold(session, known), replayed=outcome.replayed)

        return await answered(session, "voidHold", work, correlation=str(belongs))

    @strawberry.mutation(description="Lock everything that takes effect before a time, for good.")
    async def lock_period(self, info: Info, until: datetime) -> LockPeriodResult:
        """Lock a period."""
        session = session_of(info)

        async def work() -> LockedPeriod:
            await session.service.ledger.lock_period(session.context(), until=until)
            await session.written()
            return LockedPeriod(locked_until=until)

        return await answered(session, "lockPeriod", work)


async def _settled_amounts(session: Session, hold: UUID, amounts: list[str]) -> tuple[int, ...]:
    """The signed amounts to post of a hold's legs: the hold knows sides and currencies."""
    rows = await session.reader.read(
        lambda connection: reading.page_of_holds(
            connection, after=UUID(int=hold.int - 1), before=UUID(int=hold.int + 1), limit=1
        )
    )
    if not rows:
        raise TreasuryError("TREASURY_HOLD_UNKNOWN", field="hold")
    legs = rows[0].legs
    if len(legs) != len(amounts):
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="amounts", detail=f"the hold has {len(legs)} legs")
    found = []
    for place, (leg, text) in enumerate(zip(legs, amounts, strict=True)):
        minor = parse_limit(text, leg.currency, field=f"amounts[{place}]")
        if minor < 0:
            raise TreasuryError("AMOUNT_NOT_POSITIVE", field=f"amounts[{place}]")
        found.append(minor if leg.amount > 0 else -minor)
    return tuple(found)
