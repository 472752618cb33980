"""The post-mortem of an incident, from a folder that was handed over.

It tells what happened, who decided what and why, who stopped it, and how each spend ended that was in flight then. It
is pure, so the same folder and question give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from parpour_treasury.auditing.dossier import (
    Dossier,
    KeptApproval,
    KeptCourse,
    KeptDecision,
    KeptOutcome,
    KeptRules,
    KeptSpend,
)
from parpour_treasury.auditing.events import Event
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.auditing.handing import Audited, Loss
from parpour_treasury.books import HoldState, Journal
from parpour_treasury.eventtypes.governing import STOPS
from parpour_treasury.spending.containing import IN_FLIGHT, Cause, fate_of
from parpour_treasury.spending.states import State

FORM = "parpour-incident-1"

MEASURES = frozenset(one.name for one in STOPS)
"""Types of events by which people, or the kill switch, stop spending or let it go on."""

OF_ALL = ("treasury.venture.", "treasury.rules.", "treasury.dispatch.")
"""How types begin whose events concern every spend of a venture."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What of it is proven, and by what."""

    events: int
    """How many the last checkpoint covers."""
    blocks: int
    checkpoint: str | None
    """Hash of that checkpoint; None if nothing was ever signed."""
    unproven: int
    """Events after it."""
    erased: int
    """Events whose payload was erased."""
    losses: tuple[Loss, ...]
    """What the history lost in restores, and whoever asked accepted."""
    findings: tuple[Finding, ...]
    """Contradictions; none if everything agrees."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A decision, and whether it comes out the same again."""

    decision: KeptDecision
    same: bool


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A spend with everything that belongs to it."""

    spend: KeptSpend
    payee: str | None
    """The payee's name."""
    envelope: str | None
    """The envelope's code."""
    at_containment: State | None
    """Where it stood when the first measure was taken; None if it was not asked yet, or no measure was."""
    fate: str
    """What is still to come; empty if it has ended."""
    decisions: tuple[Judged, ...]
    approvals: tuple[KeptApproval, ...]
    outcomes: tuple[KeptOutcome, ...]
    """What the provider told, with its evidence."""
    course: KeptCourse | None
    """What the payment worker tried."""
    holds: tuple[HoldState, ...]
    journals: tuple[Journal, ...]


@dataclass(frozen=True, kw_only=True)
class Total:
    """Spends of one currency in one state."""

    currency: str
    state: State
    count: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class Incident:
    """The whole of it."""

    form: str
    venture: UUID
    cause: str
    since: datetime
    until: datetime
    """The first moment that is not part of it."""
    proof: Proof
    measures: tuple[Event, ...]
    """Who stopped what and when, and who let it go on."""
    totals: tuple[Total, ...]
    spends: tuple[Followed, ...]
    rules: tuple[KeptRules, ...]
    """Each version by which something was decided."""
    events: tuple[Event, ...]
    """The time line."""

    def to_json(self) -> str:
        """As a document for machines, ASCII alone."""
        return json.dumps(_INCIDENT.dump_python(self, mode="json"), indent=1) + "\n"


_INCIDENT = TypeAdapter(Incident)
_STATES = frozenset(one.value for one in State)


def investigate(found: Audited, cause: Cause, *, since: datetime | None, until: datetime | None) -> Incident:
    """What a folder tells about a cause from `since` to before `until`; both ends of its history, if they are not said.

    A spend belongs to it if it is the cause's and lived within that time: asked before its end, and in flight or
    changed after its beginning.
    """
    dossier = found.dossier
    times = [event.at for event in found.events]
    since = since or min(times, default=datetime.fromisoformat("1970-01-01T00:00:00Z"))
    concerned = {
        one.spend_id: one
        for one in dossier.spends.values()
        if cause.concerns(maker=one.actor, payee=one.payee_id, approvers=_approvers(dossier, one.spend_id))
        and (until is None or one.requested_at < until)
        and (one.changed_at >= since or one.state in IN_FLIGHT)
    }
    line = TimeLine(cause, concerned)
    events = tuple(
        event
        for event in found.events
        if line.concerns(event) and event.at >= since and (until is None or event.at < until)
    )
    measures = tuple(event for event in events if event.type in MEASURES)
    things = _Things(found)
    followed = tuple(
        things.follow(one, measures[0].at if measures else None)
        for one in sorted(concerned.values(), key=lambda one: (one.requested_at, str(one.spend_id)))
    )
    versions = sorted({one.decision.rules_version for spend in followed for one in spend.decisions})
    checkpoint = found.history.checkpoint
    return Incident(
        form=FORM,
        venture=found.tenant,
        cause=str(cause),
        since=since,
        until=until or max(times, default=since) + timedelta(microseconds=1),
        proof=Proof(
            events=found.history.events,
            blocks=found.history.blocks,
            checkpoint=None if checkpoint is None else checkpoint.hash.hex(),
            unproven=found.tail,
            erased=found.history.erased,
            losses=found.losses,
            findings=found.findings,
        ),
        measures=measures,
        totals=_totals(concerned.values()),
        spends=followed,
        rules=tuple(dossier.rules[version] for version in versions if version in dossier.rules),
        events=events,
    )


class TimeLine:
    """Tells which events concern a cause; they are shown to it in their order."""

    def __init__(self, cause: Cause, spends: Mapping[UUID, KeptSpend]) -> None:
        self._cause = cause
        self._correlations = set(spends)
        self._subjects = {f"spend/{spend}" for spend in spends}
        self._accounts = {one.actor for one in spends.values()} | ({cause.actor} if cause.actor else set())
        self._payees = {str(one.payee_id) for one in spends.values() if one.payee_id}
        if cause.payee:
            self._payees.add(str(cause.payee))

    def concerns(self, event: Event) -> bool:
        """Whether it does."""
        if self._cause == Cause() or event.type.startswith(OF_ALL):
            return True
        if event.correlation in self._correlations or event.subject in self._subjects:
            return True
        by = event.actor == self._cause.actor
        if not by and (event.type.startswith("treasury.spend.") or not self._names(event.payload)):
            return False
        if event.subject.startswith("change/"):
            # What becomes of a change that names them is told without their names.
            self._subjects.add(event.subject)
        return True

    def _names(self, payload: Mapping[str, Any] | None) -> bool:
        if payload is None:
            return False
        body = payload.get("body")
        said = (payload, body) if isinstance(body, dict) else (payload,)
        return any(str(one.get("actor")) in self._accounts or str(one.get("payee")) in self._payees for one in said)


class _Things:
    """What belongs to spends, found by them."""

    def __init__(self, found: Audited) -> None:
        self._dossier = found.dossier
        self._holds = {str(one.hold): one for one in found.books.holds}
        self._steps: dict[str, list[Event]] = {}
        self._journals: dict[UUID, list[Journal]] = {}
        for event in found.events:
            self._steps.setdefault(event.subject, []).append(event)
        for journal in found.books.journals:
            self._journals.setdefault(journal.correlation, []).append(journal)

    def follow(self, spend: KeptSpend, contained_at: datetime | None) -> Followed:
        """A spend with everything that belongs to it."""
        dossier, identity = self._dossier, spend.spend_id
        payee = dossier.payees.get(spend.payee_id) if spend.payee_id else None
        envelope = dossier.envelopes.get(spend.envelope_id) if spend.envelope_id else None
        steps = self._steps.get(f"spend/{identity}", [])
        holds = dict.fromkeys(str(event.payload.get("hold")) for event in steps if event.payload)
        return Followed(
            spend=spend,
            payee=None if payee is None else payee.name,
            envelope=None if envelope is None else envelope.code,
            at_containment=_state_at(steps, contained_at),
            fate=fate_of(spend.state, spend.provider),
            decisions=_judged(dossier, identity),
            approvals=tuple(sorted(dossier.approvals.get(identity, ()), key=lambda one: (one.decided_at, one.person))),
            outcomes=tuple(
                sorted(dossier.outcomes.get(identity, ()), key=lambda one: (one.recorded_at, one.reference))
            ),
            course=dossier.courses.get(identity),
            holds=tuple(self._holds[hold] for hold in holds if hold in self._holds),
            journals=tuple(self._journals.get(identity, ())),
        )


def _approvers(dossier: Dossier, spend: UUID) -> set[str]:
    return {one.actor for one in dossier.approvals.get(spend, ()) if one.verdict == "approve"}


def _state_at(steps: Iterable[Event], at: datetime | None) -> State | None:
    if at is None:
        return None
    state = None
    for event in steps:
        if event.at < at and event.payload is not None:
            said = str(event.payload.get("state"))
            state = State(said) if said in _STATES else None
    return state


def _judged(dossier: Dossier, spend: UUID) -> tuple[Judged, ...]:
    made = sorted(dossier.decisions.get(spend, ()), key=lambda one: one.number)
    return tuple(
        Judged(
            decision=one,
            same=one.rules_version in dossier.rules and one.again(dossier.rules[one.rules_version].body),
        )
        for one in made
    )


def _totals(spends: Iterable[KeptSpend]) -> tuple[Total, ...]:
    sums: dict[tuple[str, State], tuple[int, int]] = {}
    for one in spends:
        count, amount = sums.get((one.currency, one.state), (0, 0))
        sums[one.currency, one.state] = count + 1, amount + one.amount
    return tuple(
        Total(currency=currency, state=state, count=count, amount=amount)
        for (currency, state), (count, amount) in sorted(sums.items())
    )
