"""What the authority keeps, read in a transaction of the caller's, so that several questions see one moment.

Lists are read between two keys and from either end, as in `parpour_treasury.reading`; what belongs to several things at
once is read for all of them by one query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from parpour_controlplane.migrations import sql
from parpour_treasury.books import HoldState, Journal
from parpour_treasury.reading import FIRST_ID, LAST_ID
from parpour_treasury.spending.facts import Member
from parpour_treasury.spending.register import (
    ApprovalState,
    ChangeState,
    EnvelopeState,
    PayeeState,
    Spend,
    spend_of,
)
from parpour_treasury.spending.rules import RuleBook, read_rules
from parpour_treasury.spending.states import State, Step

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

K = TypeVar("K")
V = TypeVar("V")

Moment = tuple[datetime, UUID]
"""Where a row stands in a list by time."""

BEGINNING: Moment = (datetime(1900, 1, 1, tzinfo=UTC), FIRST_ID)
END: Moment = (datetime(9998, 1, 1, tzinfo=UTC), LAST_ID)
VERSION_END = 2**31 - 1

_TEXTS = {
    name: sql("parpour_treasury", f"queries/{name}.sql")
    for name in (
        "spends_of",
        "envelopes_of",
        "envelopes_within",
        "payees_of",
        "members_of",
        "changes_of",
        "rules_of",
        "approvals_of",
        "decisions_of",
        "outcomes_of",
        "courses_of",
        "journals_of",
        "journals_of_spends",
        "holds_of",
    )
}
_FORWARD = {
    name: sql("parpour_treasury", f"queries/page_of_{name}.sql")
    for name in ("spends", "pending", "envelopes", "payees", "members", "changes", "rules")
}
_WANTED = "/* and what is wanted */"
"""Where a text names what is wanted, and nothing else: only then does a plan that is kept go by the index of that."""
_BACKWARD = {name: text.replace(" asc", " desc") for name, text in _FORWARD.items()}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which spends of a list are wanted; None where any is."""

    state: State | None = None
    payee: UUID | None = None
    envelope: UUID | None = None
    actor: str | None = None

    def columns(self) -> tuple[tuple[str, str | UUID | None], ...]:
        """Columns, and what each has to be."""
        state = None if self.state is None else self.state.value
        return ("state", state), ("payee_id", self.payee), ("envelope_id", self.envelope), ("actor", self.actor)


EVERY = Wanted()


class ApprovalVerdict(StrEnum):
    """What a person said of a request."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, kw_only=True)
class MemberState:
    """An account of the venture as it stands."""

    actor: str
    person: str | None
    roles: tuple[str, ...]
    added_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class RulesVersion:
    """A version of the rules."""

    version: int
    body: str
    """JSON."""
    proposed_by: str
    approved_by: str
    effective_at: datetime


@dataclass(frozen=True, kw_only=True)
class DecisionRow:
    """A decision as it was recorded, its parts as JSON."""

    number: int
    decided_at: datetime
    rules_version: int
    asked: str
    facts: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class OutcomeState:
    """What was told of a payment."""

    reference: str
    step: Step
    provider_reference: str | None
    evidence: str
    """JSON."""
    fee: int
    actor: str
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True)
class CourseState:
    """How far the payment worker has come with a payment."""

    history: str
    """JSON."""
    next_at: datetime | None
    asks_person: bool
    updated_at: datetime


Rows = list[dict[str, Any]]


async def _page(connection: type_of_connection, name: str, *arguments: object, backward: bool) -> Rows:
    rows = [dict(row) for row in await connection.fetch((_BACKWARD if backward else _FORWARD)[name], *arguments)]
    return rows[::-1] if backward else rows


async def _of(connection: type_of_connection, name: str, keys: Sequence[object]) -> Rows:
    return [dict(row) for row in await connection.fetch(_TEXTS[name], keys)]


async def page_of_spends(
    connection: type_of_connection,
    *,
    after: Moment,
    before: Moment,
    limit: int,
    wanted: Wanted = EVERY,
    backward: bool = False,
) -> list[Spend]:
    """Spends by the time they were asked for."""
    text, values = text_of_spends(wanted, backward=backward)
    rows = [dict(row) for row in await connection.fetch(text, *after, *before, limit, *values)]
    return [spend_of(row) for row in (reversed(rows) if backward else rows)]


def text_of_spends(wanted: Wanted, *, backward: bool = False) -> tuple[str, list[str | UUID]]:
    """The query of a page of spends, and what its parameters after the fifth are."""
    named = {column: value for column, value in wanted.columns() if value is not None}
    conditions = " ".join(f"and {column} = ${place}" for place, column in enumerate(named, 6))
    return (_BACKWARD if backward else _FORWARD)["spends"].replace(_WANTED, conditions), list(named.values())


async def page_of_pending(
    connection: type_of_connection,
    member: Member,
    *,
    after: Moment,
    before: Moment,
    limit: int,
    backward: bool = False,
) -> list[Spend]:
    """Spends that wait for people, neither asked for by this one nor decided by them so far."""
    rows = await _page(connection, "pending", *after, *before, limit, member.person, member.actor, backward=backward)
    return [spend_of(row) for row in rows]


async def page_of_envelopes(
    connection: type_of_connection, *, after: str, before: str | None, limit: int, backward: bool = False
) -> list[EnvelopeState]:
    """Envelopes by code."""
    return [
        EnvelopeState(**row) for row in await _page(connection, "envelopes", after, before, limit, backward=backward)
    ]


async def page_of_payees(
    connection: type_of_connection, *, after: UUID, before: UUID, limit: int, backward: bool = False
) -> list[PayeeState]:
    """Payees by id."""
    return [_payee(row) for row in await _page(connection, "payees", after, before, limit, backward=backward)]


async def page_of_members(
    connection: type_of_connection, *, after: str, before: str | None, limit: int, backward: bool = False
) -> list[MemberState]:
    """Accounts by name."""
    return [_member(row) for row in await _page(connection, "members", after, before, limit, backward=backward)]


async def page_of_changes(
    connection: type_of_connection,
    *,
    after: Moment,
    before: Moment,
    limit: int,
    state: str | None = None,
    backward: bool = False,
) -> list[ChangeState]:
    """Changes by the time they were proposed."""
    rows = await _page(connection, "changes", *after, *before, limit, state, backward=backward)
    return [ChangeState(**row) for row in rows]


async def page_of_rules(
    connection: type_of_connection, *, after: int, before: int, limit: int, backward: bool = False
) -> list[RulesVersion]:
    """Versions of the rules, the first one first."""
    return [RulesVersion(**row) for row in await _page(connection, "rules", after, before, limit, backward=backward)]


async def spends_of(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, Spend]:
    """Spends by id; those that do not exist are left out, here and below."""
    return {row["spend_id"]: spend_of(row) for row in await _of(connection, "spends_of", ids)}


async def envelopes_of(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, EnvelopeState]:
    """Envelopes by id."""
    return {row["envelope_id"]: EnvelopeState(**row) for row in await _of(connection, "envelopes_of", ids)}


async def envelopes_within(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, list[EnvelopeState]]:
    """The envelopes right inside of others, by code."""
    rows = await _of(connection, "envelopes_within", ids)
    return _grouped((row["parent_id"], EnvelopeState(**row)) for row in rows)


async def payees_of(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, PayeeState]:
    """Payees by id."""
    return {row["payee_id"]: _payee(row) for row in await _of(connection, "payees_of", ids)}


async def members_of(connection: type_of_connection, actors: Sequence[str]) -> dict[str, MemberState]:
    """Accounts by name."""
    return {row["actor"]: _member(row) for row in await _of(connection, "members_of", actors)}


async def changes_of(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, ChangeState]:
    """Changes by id."""
    return {row["change_id"]: ChangeState(**row) for row in await _of(connection, "changes_of", ids)}


async def rules_of(connection: type_of_connection, versions: Sequence[int]) -> dict[int, RuleBook]:
    """Versions of the rules, read."""
    return {row["version"]: read_rules(row["body"]) for row in await _of(connection, "rules_of", versions)}


async def approvals_of(connection: type_of_connection, spends: Sequence[UUID]) -> dict[UUID, list[ApprovalState]]:
    """Approvals and rejections of spends, in their order."""
    rows = await _of(connection, "approvals_of", spends)
    return _grouped((row.pop("spend_id"), ApprovalState(**row)) for row in rows)


async def decisions_of(connection: type_of_connection, spends: Sequence[UUID]) -> dict[UUID, list[DecisionRow]]:
    """Decisions about spends, in their order."""
    rows = await _of(connection, "decisions_of", spends)
    return _grouped((row.pop("spend_id"), DecisionRow(**row)) for row in rows)


async def outcomes_of(connection: type_of_connection, spends: Sequence[UUID]) -> dict[UUID, list[OutcomeState]]:
    """What was told of the payments of spends, in its order."""
    rows = await _of(connection, "outcomes_of", spends)
    return _grouped((row.pop("spend_id"), OutcomeState(**{**row, "step": Step(row["step"])})) for row in rows)


async def courses_of(connection: type_of_connection, spends: Sequence[UUID]) -> dict[UUID, CourseState]:
    """Courses of the payments of spends."""
    return {row.pop("spend_id"): CourseState(**row) for row in await _of(connection, "courses_of", spends)}


async def journals_of_spends(connection: type_of_connection, spends: Sequence[UUID]) -> dict[UUID, list[Journal]]:
    """The journals that spends came to, by number."""
    pairs = [(row["spend_id"], row["journal"]) for row in await _of(connection, "journals_of_spends", spends)]
    rows = await _of(connection, "journals_of", [number for _, number in pairs]) if pairs else []
    journals = {row["number"]: Journal.from_row(row) for row in rows}
    return _grouped((spend, journals[number]) for spend, number in pairs)


async def holds_of(connection: type_of_connection, ids: Sequence[UUID]) -> dict[UUID, HoldState]:
    """Holds by id."""
    return {row["hold_id"]: HoldState.from_row(row) for row in await _of(connection, "holds_of", ids)}


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    found: dict[K, list[V]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _payee(row: dict[str, Any]) -> PayeeState:
    return PayeeState(**{**row, "destination": json.loads(row["destination"])})


def _member(row: dict[str, Any]) -> MemberState:
    return MemberState(**{**row, "roles": tuple(row["roles"])})
