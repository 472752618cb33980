"""What the authority keeps, for readers: spends, approvals, decisions, envelopes, payees, members, changes.

Every method takes the context of its reader and sees the tenant of that. Who may see what of it is for the API to say;
software must not be shown rules, envelopes or facts, which tell limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from parpour_controlplane.database import Database
from parpour_controlplane.migrations import sql
from parpour_treasury.calling import refusals
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.deciding import Asked, Decision, decide
from parpour_treasury.spending.facts import Facts, Member
from parpour_treasury.spending.rules import RuleBook, read_rules
from parpour_treasury.spending.states import State, Step

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

PAGE = 1000
"""Rows of one page where a caller does not say."""

FIRST = datetime(1900, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)

_SPEND, _SPENDS, _IN_FLIGHT, _DECISIONS, _ENVELOPES, _PAYEES, _CHANGES = (
    sql("parpour_treasury", f"queries/{name}.sql")
    for name in ("spend", "spends", "spends_in_flight", "decisions", "envelopes", "payees", "changes")
)


@dataclass(frozen=True, kw_only=True)
class Spend:
    """A spend as it stands."""

    spend_id: UUID
    state: State
    step: Step
    """What happened to it last."""
    envelope_id: UUID | None
    """None if a refused request named one of nobody."""
    payee_id: UUID | None
    provider: str | None
    fingerprint: str | None
    currency: str
    amount: int
    settled: int
    purpose: str
    category: str | None
    actor: str
    person: str | None
    rules_version: int
    decision: int
    quorum: int
    digest: bytes
    """What an approval is of."""
    hold_id: UUID | None
    code: str | None
    provider_reference: str | None
    requested_at: datetime
    expires_at: datetime
    changed_at: datetime
    changed_by: str
    submitted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ApprovalState:
    """An approval or a rejection."""

    person: str
    actor: str
    verdict: str
    """approve or reject."""
    authenticated_at: datetime
    decided_at: datetime


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A decision as it was made."""

    number: int
    decided_at: datetime
    rules: RuleBook
    asked: Asked
    facts: Facts
    decision: Decision

    def again(self) -> Decision:
        """The same decision, made again from the same facts by the same rules."""
        return decide(self.rules, self.facts, self.asked)


@dataclass(frozen=True, kw_only=True)
class EnvelopeState:
    """An envelope as it stands."""

    envelope_id: UUID
    parent_id: UUID | None
    code: str
    currency: str
    cap: int
    reserved: int
    spent: int
    opens_at: datetime | None
    closes_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class PayeeState:
    """A payee as it stands."""

    payee_id: UUID
    name: str
    category: str
    provider: str
    destination: Mapping[str, str]
    fingerprint: str
    created_at: datetime
    usable_from: datetime
    held_at: datetime | None
    retired_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ChangeState:
    """A change as it stands."""

    change_id: UUID
    kind: str
    body: str
    """JSON."""
    digest: bytes
    """What a confirmation is of."""
    state: str
    """proposed, applied or rejected."""
    proposed_by: str
    proposed_person: str
    proposed_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_person: str | None
    decided_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Stops:
    """What stops a venture's spending."""

    frozen_at: datetime | None
    frozen_by: str | None
    stopped_at: datetime | None
    stopped_by: str | None
    reason: str


class Register:
    """Reads what the authority keeps of every tenant in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(self, context: str, spend: UUID) -> Spend:
        """One spend.

        Raises:
            TreasuryError: TREASURY_SPEND_UNKNOWN.
        """
        rows = await self._rows(context, _SPEND, spend)
        if not rows:
            raise TreasuryError("TREASURY_SPEND_UNKNOWN")
        return spend_of(rows[0])

    async def spends(
        self,
        context: str,
        *,
        state: State | None = None,
        after: tuple[datetime, UUID] = (FIRST, NOBODY),
        limit: int = PAGE,
    ) -> list[Spend]:
        """Spends by the time they were asked for, from after (requested_at, spend_id) on."""
        rows = await self._rows(context, _SPENDS, None if state is None else state.value, *after, limit)
        return [spend_of(row) for row in rows]

    async def in_flight(self, context: str, *, actor: str | None = None, payee: UUID | None = None) -> list[Spend]:
        """Spends that have not come to an end, the oldest first: what an account asked for or approved; of a payee."""
        return [spend_of(row) for row in await self._rows(context, _IN_FLIGHT, actor, payee)]

    async def approvals(self, context: str, spend: UUID) -> list[ApprovalState]:
        """Approvals and rejections of a spend, in their order."""
        query = (
            "select person, actor, verdict, authenticated_at, decided_at from treasury.approval "
            "where spend_id = $1 order by decided_at, person"
        )
        return [ApprovalState(**row) for row in await self._rows(context, query, spend)]

    async def decisions(self, context: str, spend: UUID) -> list[Recorded]:
        """Decisions about a spend, in their order."""
        return [
            Recorded(
                number=row["number"],
                decided_at=row["decided_at"],
                rules=read_rules(row["body"]),
                asked=Asked.from_json(json.loads(row["asked"])),
                facts=Facts.from_json(json.loads(row["facts"])),
                decision=Decision.from_json(json.loads(row["answer"])),
            )
            for row in await self._rows(context, _DECISIONS, spend)
        ]

    async def replay(self, context: str, spend: UUID) -> list[tuple[Decision, Decision]]:
        """Each decision about a spend as it was made, and as it comes out now: they are equal."""
        return [(one.decision, one.again()) for one in await self.decisions(context, spend)]

    async def envelopes(self, context: str, *, after: str = "", limit: int = PAGE) -> list[EnvelopeState]:
        """Envelopes by code."""
        return [EnvelopeState(**row) for row in await self._rows(context, _ENVELOPES, after, limit)]

    async def payees(self, context: str, *, after: UUID = NOBODY, limit: int = PAGE) -> list[PayeeState]:
        """Payees by id."""
        rows = await self._rows(context, _PAYEES, after, limit)
        return [PayeeState(**{**row, "destination": json.loads(row["destination"])}) for row in rows]

    async def members(self, context: str, *, after: str = "", limit: int = PAGE) -> list[Member]:
        """Accounts by name."""
        query = (
            "select actor, person, roles, revoked_at is not null as revoked from treasury.member "
            "where actor > $1 order by actor limit $2"
        )
        return [Member.of(row) for row in await self._rows(context, query, after, limit)]

    async def membership(self, context: str) -> Member | None:
        """The member whose context it is, in one round trip; None if the venture has no such account.

        Raises:
            ControlPlaneError: CONTEXT_REFUSED or CONTEXT_EXPIRED.
        """
        with refusals():
            text = await self._database.pool.fetchval("select treasury.membership($1)", context)
        return None if text is None else Member.of(json.loads(text))

    async def changes(self, context: str, *, after: UUID = NOBODY, limit: int = PAGE) -> list[ChangeState]:
        """Changes by id."""
        return [ChangeState(**row) for row in await self._rows(context, _CHANGES, after, limit)]

    async def rules(self, context: str) -> tuple[int, RuleBook]:
        """The rules in force, and their version.

        Raises:
            TreasuryError: TREASURY_RULES_UNKNOWN.
        """
        query = "select version, body::text from treasury.rules order by version desc limit 1"
        rows = await self._rows(context, query)
        if not rows:
            raise TreasuryError("TREASURY_RULES_UNKNOWN")
        return rows[0]["version"], read_rules(rows[0]["body"])

    async def stops(self, context: str) -> Stops:
        """What stops the venture's spending.

        Raises:
            TreasuryError: TREASURY_RULES_UNKNOWN, if it was never set up.
        """
        async with self._database.transaction(context) as connection:
            return await stops_of(connection)

    async def faults(self, context: str) -> list[tuple[str, str]]:
        """Whatever in the authority's tables contradicts itself or the books, as (fault, subject)."""
        rows = await self._rows(context, "select * from treasury.spending_faults()")
        return [(row["fault"], row["subject"]) for row in rows]

    async def _rows(self, context: str, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with self._database.transaction(context) as connection:
            return [dict(row) for row in await connection.fetch(query, *arguments)]


def spend_of(row: Mapping[str, Any]) -> Spend:
    """The spend of a row."""
    return Spend(**{**row, "state": State(row["state"]), "step": Step(row["step"])})


async def stops_of(connection: type_of_connection) -> Stops:
    """What stops the spending of the venture that a transaction sees.

    Raises:
        TreasuryError: TREASURY_RULES_UNKNOWN, if it was never set up.
    """
    row = await connection.fetchrow("select frozen_at, frozen_by, stopped_at, stopped_by, reason from treasury.control")
    if row is None:
        raise TreasuryError("TREASURY_RULES_UNKNOWN")
    return Stops(**dict(row))
