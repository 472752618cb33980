"""Mutations of reconciliation: binding accounts, matching, and what people decide about the rest."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Refusal, answered
from parpour_api.graphql.banking.accounts import BankAccount, bank_account
from parpour_api.graphql.banking.exceptions import BankMatch, ReconciliationException, one_exception
from parpour_api.graphql.mutations import LegInput
from parpour_api.graphql.queries import journal_of
from parpour_api.graphql.session import Session, hold_id, number
from parpour_api.graphql.types import Journal, session_of
from parpour_treasury.reconciliation import reading
from parpour_treasury.reconciliation.reconciler import Reconciler
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.statements.model import REFERENCE_MAX
from parpour_treasury.statements.store import Statements

PARTS_MAX = 200
"""Entries, and movements, of a match that a person makes."""

Evidence = Annotated[str, strawberry.argument(description="What the decision rests on, 1 to 2000 characters.")]


@strawberry.type(description="An account stands for a bank account now, or did before.")
class BoundBankAccount:
    """Result of bindBankAccount."""

    bank_account: BankAccount
    replayed: bool = strawberry.field(description="Whether it was so before.")


@strawberry.type(description="What is open was compared, up to the last statement.")
class Reconciled:
    """Result of reconcile."""

    matches: int = strawberry.field(description="Matches that were made.")
    exceptions: int = strawberry.field(description="Entries and movements that wait for a person.")
    in_transit: int = strawberry.field(description="Movements that the bank does not have yet, and need not.")
    bank_account: BankAccount


@strawberry.type(description="Entries and movements were matched by a person.")
class ConfirmedMatch:
    """Result of confirmMatch."""

    match: BankMatch


@strawberry.type(description="A match was undone; its entries and movements wait for people.")
class UndoneMatch:
    """Result of undoMatch."""

    match: BankMatch


@strawberry.type(description="An exception as it stands now.")
class DecidedException:
    """Result of what people decide about an exception."""

    exception: ReconciliationException


@strawberry.type(description="An exception was closed by the journal that was proposed.")
class ClosedException:
    """Result of confirmExceptionJournal."""

    exception: ReconciliationException
    journal: Journal


BindBankAccountResult = Annotated[BoundBankAccount | Refusal, strawberry.union("BindBankAccountResult")]
ReconcileResult = Annotated[Reconciled | Refusal, strawberry.union("ReconcileResult")]
ConfirmMatchResult = Annotated[ConfirmedMatch | Refusal, strawberry.union("ConfirmMatchResult")]
UndoMatchResult = Annotated[UndoneMatch | Refusal, strawberry.union("UndoMatchResult")]
DecideExceptionResult = Annotated[DecidedException | Refusal, strawberry.union("DecideExceptionResult")]
ConfirmExceptionJournalResult = Annotated[ClosedException | Refusal, strawberry.union("ConfirmExceptionJournalResult")]


@strawberry.enum(description="How a person closes an exception.")
class ExceptionOutcome(Enum):
    """Outcomes."""

    RESOLVED = "resolved"
    WRITTEN_OFF = "written-off"


@strawberry.input(description="An entry of a statement, by its place.")
class EntryPlaceInput:
    """Where an entry stands."""

    statement: strawberry.ID
    position: int


@strawberry.input(description="A leg of a journal, by its place.")
class MovementPlaceInput:
    """Where a movement stands."""

    journal: strawberry.ID
    leg: int


def _reconciler(session: Session) -> Reconciler:
    return Reconciler(session.service.database, session.service.mint)


def _account(named: str) -> int:
    known = number(named)
    if known is None:
        raise TreasuryError("RECONCILIATION_BANK_ACCOUNT_UNKNOWN", field="account")
    return known


def _exception(named: str) -> UUID:
    known = hold_id(named)
    if known is None:
        raise TreasuryError("RECONCILIATION_EXCEPTION_UNKNOWN", field="exception")
    return known


def _parts(named: list[tuple[str, int]], field: str) -> list[tuple[int, int]]:
    if len(named) > PARTS_MAX:
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field=field, detail=f"up to {PARTS_MAX}")
    found = [(number(text), place) for text, place in named]
    if any(known is None or place < 1 for known, place in found):
        raise TreasuryError("RECONCILIATION_PART_UNKNOWN", field=field)
    return [(known, place) for known, place in found if known is not None]


def evidence_of(text: str) -> str:
    """The evidence of a decision.

    Raises:
        TreasuryError: RECONCILIATION_EVIDENCE_MISSING.
    """
    if "\0" in text:
        raise TreasuryError("RECONCILIATION_EVIDENCE_MISSING", field="evidence")
    return text


async def _bank_account(session: Session, account: str) -> BankAccount:
    await session.written()
    found = await bank_account(session, account)
    if found is None:
        raise TreasuryError("RECONCILIATION_BANK_ACCOUNT_UNKNOWN", field="account")
    return found


async def _match(session: Session, account: int, made: int) -> BankMatch:
    (row,) = await session.reader.read(
        lambda connection: reading.page_of_matches(connection, account, after=made - 1, before=made + 1, limit=1)
    )
    return BankMatch.of(row)


async def _standing(session: Session, exception: UUID) -> ReconciliationException:
    await session.written()
    found = await one_exception(session, exception)
    if found is None:
        raise TreasuryError("RECONCILIATION_EXCEPTION_UNKNOWN", field="exception")
    return found


@strawberry.type
class BankingMutation:
    """Root fields of what is done about statements. People decide, whatever the token says: the venture's members."""

    @strawberry.mutation(description="Say for good which bank account an account of the books stands for.")
    async def bind_bank_account(
        self,
        info: Info,
        account: strawberry.ID,
        identification: Annotated[str, strawberry.argument(description="What statements call it, such as an IBAN.")],
        since: Annotated[date, strawberry.argument(description="The first day that statements cover.")],
    ) -> BindBankAccountResult:
        """Bind an account."""
        session = session_of(info)

        async def work() -> BoundBankAccount:
            known = _account(account)
            if not (identification.isprintable() and 1 <= len(identification) <= REFERENCE_MAX):
                raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="identification")
            fresh = await Statements(session.service.database).bind(
                session.context(), known, identification=identification, since=since
            )
            return BoundBankAccount(bank_account=await _bank_account(session, account), replayed=not fresh)

        return await answered(session, "bindBankAccount", work)

    @strawberry.mutation(description="Match what is open with the books, up to the last statement.")
    async def reconcile(self, info: Info, account: strawberry.ID) -> ReconcileResult:
        """Reconcile an account."""
        session = session_of(info)

        async def work() -> Reconciled:
            found = await _reconciler(session).run(session.context(), _account(account))
            return Reconciled(
                matches=len(found.matches),
                exceptions=len(found.exceptions),
                in_transit=len(found.in_transit),
                bank_account=await _bank_account(session, account),
            )

        return await answered(session, "reconcile", work)

    @strawberry.mutation(description="Say which entries and movements are the same money, where no rule could.")
    async def confirm_match(
        self,
        info: Info,
        account: strawberry.ID,
        entries: list[EntryPlaceInput],
        movements: list[MovementPlaceInput],
        evidence: Evidence,
    ) -> ConfirmMatchResult:
        """Match by a person."""
        session = session_of(info)

        async def work() -> ConfirmedMatch:
            known = _account(account)
            made = await _reconciler(session).confirm_match(
                session.context(),
                known,
                entries=_parts([(one.statement, one.position) for one in entries], "entries"),
                movements=_parts([(one.journal, one.leg) for one in movements], "movements"),
                evidence=evidence_of(evidence),
            )
            await session.written()
            return ConfirmedMatch(match=await _match(session, known, made))

        return await answered(session, "confirmMatch", work)

    @strawberry.mutation(description="Undo a match that was wrong. Rules leave what it was made of to people.")
    async def undo_match(
        self, info: Info, account: strawberry.ID, match: strawberry.ID, evidence: Evidence
    ) -> UndoMatchResult:
        """Undo a match."""
        session = session_of(info)

        async def work() -> UndoneMatch:
            known, made = _account(account), number(match)
            if made is None:
                raise TreasuryError("RECONCILIATION_MATCH_UNKNOWN", field="match")
            await _reconciler(session).undo_match(session.context(), known, made, evidence=evidence_of(evidence))
            await session.written()
            return UndoneMatch(match=await _match(session, known, made))

        return await answered(session, "undoMatch", work)

    @strawberry.mutation(description="Close an exception without posting anything.")
    async def resolve_exception(
        self, info: Info, exception: strawberry.ID, outcome: ExceptionOutcome, evidence: Evidence
    ) -> DecideExceptionResult:
        """Decide by one person."""
        session = session_of(info)

        async def work() -> DecidedException:
            known = _exception(exception)
            await _reconciler(session).decide(
                session.context(), known, outcome=outcome.value, evidence=evidence_of(evidence)
            )
            return DecidedException(exception=await _standing(session, known))

        return await answered(session, "resolveException", work)

    @strawberry.mutation(description="Propose a journal that closes an exception; another person confirms it.")
    async def propose_exception_journal(
        self,
        info: Info,
        exception: strawberry.ID,
        outcome: ExceptionOutcome,
        legs: list[LegInput],
        evidence: Evidence,
        description: str = "",
    ) -> DecideExceptionResult:
        """Propose by one person."""
        session = session_of(info)

        async def work() -> DecidedException:
            known = _exception(exception)
            await _reconciler(session).propose(
                session.context(),
                known,
                outcome=outcome.value,
                legs=[leg.parsed(f"legs[{place}]") for place, leg in enumerate(legs)],
                description=description,
                evidence=evidence_of(evidence),
            )
            return DecidedException(exception=await _standing(session, known))

        return await answered(session, "proposeExceptionJournal", work)

    @strawberry.mutation(description="Take a proposed journal back, or turn it down: the exception is open again.")
    async def withdraw_exception_journal(self, info: Info, exception: strawberry.ID) -> DecideExceptionResult:
        """Withdraw a proposal."""
        session = session_of(info)

        async def work() -> DecidedException:
            known = _exception(exception)
            await _reconciler(session).withdraw(session.context(), known)
            return DecidedException(exception=await _standing(session, known))

        return await answered(session, "withdrawExceptionJournal", work)

    @strawberry.mutation(description="As another person, post the journal that was proposed, and close the exception.")
    async def confirm_exception_journal(self, info: Info, exception: strawberry.ID) -> ConfirmExceptionJournalResult:
        """Confirm a proposal."""
        session = session_of(info)

        async def work() -> ClosedException:
            known, principal = _exception(exception), session.principal
            posted = await _reconciler(session).confirm(principal.tenant, principal.actor, known)
            standing = await _standing(session, known)
            journal = await journal_of(session, str(posted))
            if journal is None:
                raise AssertionError("what was posted has its journal")
            return ClosedException(exception=standing, journal=journal)

        return await answered(session, "confirmExceptionJournal", work)
