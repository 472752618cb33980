"""Reconciliation of a bank account in the database: gather, match, write, decide, check.

What is matched is decided by `matching`, a pure function; the database refuses what does not add up or was matched
meanwhile. People close exceptions, and what posts takes two of them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_controlplane.migrations import sql
from parpour_treasury.batches import EXECUTE, Request, decode, encode
from parpour_treasury.calling import call, refusals
from parpour_treasury.commands import Leg, Post
from parpour_treasury.reconciliation.matching import (
    PATIENCE_DAYS,
    WINDOW_DAYS,
    BankEntry,
    Movement,
    Reconciliation,
    reconcile,
)
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from asyncpg import Record

    from parpour_controlplane.database import type_of_connection

MEMORY_DAYS = 90
"""For how long what was matched tells duplicates and returns: card and direct debit returns take up to eight weeks."""

PORTION = 100
"""Matches that are written in one transaction: it holds the ledger's head, and payments wait for that."""

EXCEPTIONS_PAGE = 1000
"""Exceptions of one page."""

_ENTRIES, _MOVEMENTS = (sql("parpour_treasury", f"queries/{name}.sql") for name in ("bank_entries", "bank_movements"))


@dataclass(frozen=True, slots=True)
class Payment:
    """What a provider calls a spend, where somebody knows it."""

    references: frozenset[str] = frozenset()
    counterparty: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionState:
    """An exception as it stands."""

    exception: UUID
    account: int
    kind: str
    state: str
    entry: tuple[int, int] | None
    """(statement's number, position)."""
    movement: tuple[int, int] | None
    """(journal, leg)."""
    amount: int
    explanation: Mapping[str, Any]
    proposal: Mapping[str, Any] | None
    proposed_by: str | None
    evidence: str | None
    closed_by: str | None
    closing_journal: int | None
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which bank and books differ."""

    item: str
    """opening, in transit, open exception, decided, not reconciled or other day."""
    subject: str
    amount: int
    """What the bank has more for it."""


@dataclass(frozen=True, slots=True)
class Check:
    """Bank and books at the end of a statement."""

    bank: int
    ledger: int
    differences: tuple[Difference, ...] = field(default=())

    @property
    def difference(self) -> int:
        """What the bank has more."""
        return self.bank - self.ledger

    @property
    def unexplained(self) -> int:
        """What of it nothing explains; zero unless the tables contradict each other."""
        return self.difference - sum(one.amount for one in self.differences)

    def total(self, item: str) -> int:
        """What the bank has more for one kind of thing."""
        return sum(one.amount for one in self.differences if one.item == item)

    @property
    def agrees(self) -> bool:
        """Whether bank = ledger + in transit, with every other thing decided or waiting in the queue of exceptions."""
        return self.unexplained == 0 and not any(one.item in ("opening", "not reconciled") for one in self.differences)


class Reconciler:
    """Reconciliation of every tenant in one database."""

    def __init__(self, database: Database, mint: ContextMint) -> None:
        self._database = database
        self._mint = mint

    async def run(
        self,
        context: str,
        account: int,
        *,
        payments: Mapping[UUID, Payment] | None = None,
        window_days: int = WINDOW_DAYS,
        patience_days: int = PATIENCE_DAYS,
    ) -> Reconciliation:
        """Match what is open up to the last statement, and write what was found, a portion at a time.

        `payments` is what is known of spends beside what the authority knows of them, by id.

        Raises:
            TreasuryError: RECONCILIATION_STALE, if something was matched meanwhile: what was written until then stands,
                and the next run finds the rest; RECONCILIATION_BANK_ACCOUNT_UNKNOWN; STATEMENT_UNKNOWN, if there is no
                statement yet.
        """
        gathered = await self._gather(context, account, payments or {}, window_days)
        # Large accounts take seconds, in which others go on.
        found = await asyncio.to_thread(reconcile, **gathered, window_days=window_days, patience_days=patience_days)
        matches = [
            {"rule": one.rule, "explanation": one.explanation, "entries": one.entries, "legs": one.movements}
            for one in found.matches
        ]
        exceptions = [
            {"kind": one.kind, "explanation": one.explanation}
            | ({"entry": one.entry} if one.entry else {"leg": one.movement})
            for one in found.exceptions
        ]
        query = "select treasury.record_reconciliation($1, $2, $3, $4)"
        for first in range(0, max(len(matches), len(exceptions)), PORTION):
            portion = slice(first, first + PORTION)
            await call(
                self._database, query, context, account, json.dumps(matches[portion]), json.dumps(exceptions[portion])
            )
        return found

    async def _gather(
        self, context: str, account: int, payments: Mapping[UUID, Payment], window_days: int
    ) -> dict[str, Any]:
        async with self._database.transaction(context) as connection:
            bound = await connection.fetchrow("select since from treasury.bank_account where account_id = $1", account)
            if bound is None:
                raise TreasuryError("RECONCILIATION_BANK_ACCOUNT_UNKNOWN")
            today: date | None = await connection.fetchval(
                "select max(closed_on) from treasury.statement where account_id = $1", account
            )
            if today is None:
                raise TreasuryError("STATEMENT_UNKNOWN")
            remembered = today - timedelta(days=MEMORY_DAYS)
            entries = await connection.fetch(_ENTRIES, account, remembered)
            # A movement may be entered here after the bank's day: banks run on other clocks.
            movements = await connection.fetch(
                _MOVEMENTS,
                account,
                midnight(bound["since"]),
                midnight(today + timedelta(days=1 + window_days)),
                midnight(remembered),
            )
        ours = [(row, _movement(dict(row), payments)) for row in movements]
        theirs = [(row, _entry(dict(row))) for row in entries]
        return {
            "entries": [one for row, one in theirs if _for_rules(row)],
            "movements": [one for row, one in ours if _for_rules(row)],
            "matched_entries": [one for row, one in theirs if row["match"] is not None],
            "matched_movements": [one for row, one in ours if row["match"] is not None],
            "today": today,
        }

    async def exceptions(
        self, context: str, account: int, *, states: Sequence[str] = ("open", "proposed"), limit: int = EXCEPTIONS_PAGE
    ) -> list[ExceptionState]:
        """The queue: exceptions in these states, the oldest first."""
        async with self._database.transaction(context) as connection:
            rows = await connection.fetch(
                "select * from treasury.exception where account_id = $1 and state = any($2::text[]) "
                "order by opened_at, number, position, journal, leg limit $3",
                account,
                list(states),
                limit,
            )
        return [exception_of(dict(row)) for row in rows]

    async def exception(self, context: str, exception: UUID) -> ExceptionState:
        """One exception.

        Raises:
            TreasuryError: RECONCILIATION_EXCEPTION_UNKNOWN.
        """
        async with self._database.transaction(context) as connection:
            row = await connection.fetchrow("select * from treasury.exception where exception_id = $1", exception)
        if row is None:
            raise TreasuryError("RECONCILIATION_EXCEPTION_UNKNOWN")
        return exception_of(dict(row))

    async def confirm_match(
        self,
        context: str,
        account: int,
        *,
        entries: Sequence[tuple[int, int]],
        movements: Sequence[tuple[int, int]],
        evidence: str,
    ) -> int:
        """A person says which entries and movements are the same money; returns the match.

        Entries are (statement's number, position), movements (journal, leg). Open exceptions of them are closed.

        Raises:
            TreasuryError: RECONCILIATION_BANK_ACCOUNT_UNKNOWN, RECONCILIATION_PART_UNKNOWN,
                RECONCILIATION_MATCH_UNBALANCED, RECONCILIATION_EXCEPTION_CLOSED, RECONCILIATION_STALE,
                RECONCILIATION_EVIDENCE_MISSING, or as every decision of people.
        """
        query = "select treasury.confirm_match($1, $2, $3, $4, $5)"
        with refusals():
            return int(
                await self._database.pool.fetchval(
                    query, context, account, json.dumps(list(entries)), json.dumps(list(movements)), evidence
                )
            )

    async def undo_match(self, context: str, account: int, match: int, *, evidence: str) -> None:
        """A person undoes a match; its entries and movements are open again, and rules leave them to people.

        The same again by the same person changes nothing.

        Raises:
            TreasuryError: RECONCILIATION_MATCH_UNKNOWN; RECONCILIATION_MATCH_UNDONE;
                RECONCILIATION_SECOND_PERSON_REQUIRED, of who matched it; RECONCILIATION_MATCH_POSTED, if two people
                posted a journal for it; TREASURY_PERIOD_LOCKED; RECONCILIATION_EVIDENCE_MISSING, or as every
                decision of people.
        """
        await call(self._database, "select treasury.undo_match($1, $2, $3, $4)", context, account, match, evidence)

    async def decide(self, context: str, exception: UUID, *, outcome: str, evidence: str) -> None:
        """A person closes an exception without posting: `outcome` is resolved or written-off.

        Raises:
            TreasuryError: RECONCILIATION_EXCEPTION_UNKNOWN, RECONCILIATION_EXCEPTION_CLOSED,
                RECONCILIATION_EVIDENCE_MISSING or TREASURY_NOT_A_PERSON.
        """
        await call(
            self._database, "select treasury.decide_exception($1, $2, $3, $4)", context, exception, outcome, evidence
        )

    async def propose(
        self, context: str, exception: UUID, *, outcome: str, legs: Sequence[Leg], description: str, evidence: str
    ) -> None:
        """A person proposes a journal that closes an exception; another confirms it. `suggestion` has the usual ones.

        Raises:
            TreasuryError: as `decide`, and as `Post` for the legs.
        """
        Post(key="proposal", correlation=exception, legs=legs, description=description)
        texts = json.dumps([[leg.account, leg.amount, leg.currency] for leg in legs])
        await call(
            self._database,
            "select treasury.propose_exception($1, $2, $3, $4, $5, $6)",
            context,
            exception,
            outcome,
            description,
            texts,
            evidence,
        )

    async def withdraw(self, context: str, exception: UUID) -> None:
        """A person takes a proposal back, or turns it down.

        Raises:
            TreasuryError: RECONCILIATION_EXCEPTION_UNKNOWN, RECONCILIATION_EXCEPTION_CLOSED or
                TREASURY_NOT_A_PERSON.
        """
        await call(self._database, "select treasury.withdraw_exception($1, $2)", context, exception)

    async def confirm(self, tenant: UUID, actor: str, exception: UUID) -> int:
        """Another person confirms what was proposed: the journal is posted and the exception closed, or neither.

        Returns the journal's number, also when it is asked again.

        Raises:
            TreasuryError: RECONCILIATION_SECOND_PERSON_REQUIRED, TREASURY_NOT_A_PERSON,
                RECONCILIATION_EXCEPTION_CLOSED, RECONCILIATION_EXCEPTION_UNKNOWN,
                RECONCILIATION_PROPOSAL_MISMATCH, TREASURY_MEMBER_REVOKED, if who proposed it is not trusted with it any
                more, or whatever the ledger refuses the journal with.
        """
        context = self._mint.mint(tenant=tenant, actor=actor)
        standing = await self.exception(context, exception)
        if standing.closing_journal is not None and standing.closed_by == await self._person(context, actor):
            return standing.closing_journal
        if standing.proposal is None:
            raise TreasuryError("RECONCILIATION_EXCEPTION_CLOSED", detail=f"it is {standing.state}")
        command = Post(
            key=f"exception/{exception}",
            correlation=exception,
            legs=tuple(Leg(*leg) for leg in standing.proposal["legs"]),
            description=standing.proposal["description"],
        )
        several = self._mint.mint_several(tenant=tenant, actors=[actor])
        with refusals():
            async with self._database.pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(EXECUTE, several, *encode([Request.of(command, actor=actor)]))
                (outcome,) = decode(dict(row or {}))
                outcome.raise_for_refusal()
                await connection.execute(
                    "select treasury.confirm_exception($1, $2, $3)", context, exception, outcome.journal
                )
        if outcome.journal is None:
            raise AssertionError("a journal that was posted has a number")
        return outcome.journal

    async def _person(self, context: str, actor: str) -> str | None:
        async with self._database.transaction(context) as connection:
            person: str | None = await connection.fetchval("select person from treasury.member where actor = $1", actor)
        return person

    async def check(self, context: str, account: int, *, number: int | None = None) -> Check:
        """Bank and books at the end of a statement, the last one if none is named, and what explains the difference.

        Raises:
            TreasuryError: STATEMENT_UNKNOWN.
        """
        async with self._database.transaction(context) as connection:
            return await bank_check(connection, account, number=number)


async def bank_check(connection: type_of_connection, account: int, *, number: int | None) -> Check:
    """Bank and books at the end of a statement, in a transaction of the caller's.

    Raises:
        TreasuryError: STATEMENT_UNKNOWN.
    """
    if number is None:
        number = await connection.fetchval("select max(number) from treasury.statement where account_id = $1", account)
    rows = await connection.fetch("select * from treasury.bank_check($1, $2)", account, number)
    found = {row["item"]: int(row["amount"]) for row in rows if row["item"] in ("bank", "ledger")}
    if not found:
        raise TreasuryError("STATEMENT_UNKNOWN")
    differences = tuple(
        sorted(
            (
                Difference(row["item"], row["subject"], int(row["amount"]))
                for row in rows
                if row["item"] not in found and row["amount"]
            ),
            key=lambda one: (one.item, one.subject),
        )
    )
    return Check(found["bank"], found["ledger"], differences)


def midnight(day: date) -> datetime:
    """The beginning of a day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def suggestion(
    exception: ExceptionState, *, bank: int, fees: int, returns: int, currency: str
) -> tuple[tuple[Leg, Leg], str] | None:
    """The usual journal for a fee or a return, with its description; None where there is no usual one.

    A fee: debit fees, credit bank. Money that came back: debit bank, credit returns.
    """
    if exception.entry is None:
        return None
    if exception.kind == "fee" and exception.amount < 0:
        legs = (Leg(fees, -exception.amount, currency), Leg(bank, exception.amount, currency))
        return legs, "a fee that the bank took"
    if exception.kind == "returned" and exception.amount > 0:
        return (
            Leg(bank, exception.amount, currency),
            Leg(returns, -exception.amount, currency),
        ), "a payment that came back"
    return None


def _for_rules(row: Record) -> bool:
    """Whether rules may match it: nobody decides about it, and nobody undid what they found."""
    return row["match"] is None and row["state"] in (None, "open") and not row["undone"]


def _entry(row: Mapping[str, Any]) -> BankEntry:
    references = frozenset(filter(None, (row["reference"], row["end_to_end"], row["transaction"])))
    return BankEntry(
        (row["number"], row["position"]),
        row["amount"],
        row["booked_on"],
        references,
        row["counterparty"],
        row["code"],
        row["reversal"],
    )


def _movement(row: Mapping[str, Any], payments: Mapping[UUID, Payment]) -> Movement:
    payment = payments.get(row["correlation"], Payment())
    known = frozenset(filter(None, (row["provider_reference"],)))
    return Movement(
        (row["journal"], row["position"]),
        row["amount"],
        row["effective_at"].astimezone(UTC).date(),
        row["correlation"],
        payment.references | known,
        payment.counterparty or row["payee"] or "",
    )


def exception_of(row: Mapping[str, Any]) -> ExceptionState:
    """The exception of a row."""
    return ExceptionState(
        exception=row["exception_id"],
        account=row["account_id"],
        kind=row["kind"],
        state=row["state"],
        entry=None if row["number"] is None else (row["number"], row["position"]),
        movement=None if row["journal"] is None else (row["journal"], row["leg"]),
        amount=row["amount"],
        explanation=json.loads(row["explanation"]),
        proposal=None if row["proposal"] is None else json.loads(row["proposal"]),
        proposed_by=row["proposed_by"],
        evidence=row["evidence"],
        closed_by=row["closed_by"],
        closing_journal=row["closing_journal"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
    )
