"""Compares what the authority handed over with what the events tell, and decides every decision once more.

An event of a spend tells where a step left it, the digest of what was asked, and the digest of what led to the step: a
decision with its facts, an approval, an outcome with its evidence. So all of them are held to proven events. Events of
the first version have no digests of records; of theirs, step, account and time are compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from parpour_treasury.auditing.dossier import Dossier, KeptSpend
from parpour_treasury.auditing.events import Event
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.spending.asks import spend_digest
from parpour_treasury.spending.facts import INTERNAL

APPROVED = ("approved", "reserved", "refused")
"""Steps that an approval leads to."""
DIGESTS = ("decision", "decided", "approved", "told")
"""What a step says of records: the decision's number, and digests."""
RENEWAL_REFUSED = "treasury.renewal.refused"
"""The one decision that no step follows."""
PROVIDERS_WORD = ("sent", "unknown", "failed", "settled", "returned")
"""Steps that a provider tells."""


@dataclass(frozen=True, slots=True)
class ToldStep:
    """What of one event of a spend is held against what was handed over."""

    type: str
    place: str
    actor: str
    at: datetime
    said: Mapping[str, Any] | None
    """Its digests; None if it was erased."""

    @property
    def word(self) -> str:
        """What happened."""
        return self.type.rpartition(".")[2]


class ToldSpends:
    """What all events tell of spends and rules, an event at a time: each spend's steps, and how the last left it."""

    def __init__(self) -> None:
        self.steps: defaultdict[str, list[ToldStep]] = defaultdict(list)
        self.last: dict[str, Mapping[str, Any] | None] = {}
        self.rules: dict[str, Mapping[str, Any] | None] = {}

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """What these events tell, which are in their order."""
        told = cls()
        for event in events:
            told.take(event)
        return told

    def take(self, event: Event) -> None:
        """One more event, in their order."""
        said, spend = event.payload, event.type.startswith("treasury.spend.")
        if spend or event.type == RENEWAL_REFUSED:
            digests = None if said is None else {name: said[name] for name in DIGESTS if name in said}
            place = f"event {event.position or event.id}, {event.type}"
            self.steps[event.subject].append(ToldStep(event.type, place, event.actor, event.at, digests))
        if spend:
            self.last[event.subject] = said
        elif event.type == "treasury.rules.changed":
            self.rules[event.subject] = None if said is None else {"rules": said.get("rules")}


def compare_spends(dossier: Dossier, told: ToldSpends, tenant: UUID) -> list[Finding]:
    """Every contradiction, by spend; none if the dossier is what happened."""
    findings = list(_rules(dossier, told.rules))
    spends = {f"spend/{spend.spend_id}": spend for spend in dossier.spends.values()}
    for place, spend in sorted(spends.items()):
        findings += _spend(dossier, spend, told.steps.get(place, []), told.last.get(place), tenant)
    return [
        *findings,
        *(
            Finding("AUDIT_SPEND_MISSING", subject, f"{len(steps)} events")
            for subject, steps in told.steps.items()
            if subject not in spends
        ),
    ]


def _rules(dossier: Dossier, told: Mapping[str, Mapping[str, Any] | None]) -> Iterator[Finding]:
    for version, kept in sorted(dossier.rules.items()):
        said = told.get(f"rules/{version}", {})
        if said is not None and said.get("rules") != kept.body:
            yield Finding("AUDIT_RULES_CHANGED", f"rules/{version}", "no event has these rules")


def _spend(
    dossier: Dossier, spend: KeptSpend, told: list[ToldStep], last: Mapping[str, Any] | None, tenant: UUID
) -> Iterator[Finding]:
    place = f"spend/{spend.spend_id}"
    steps = [event for event in told if event.type != RENEWAL_REFUSED]
    if not steps:
        yield Finding("AUDIT_SPEND_UNTOLD", place, f"it is {spend.state}")
        return
    decisions = dossier.decisions.get(spend.spend_id, [])
    if len({one.number for one in decisions if 1 <= one.number <= spend.decision}) != spend.decision:
        yield Finding("AUDIT_DECISION_MISSING", place, f"{len(decisions)} are there, the last is {spend.decision}")
    for one in decisions:
        book = dossier.rules.get(one.rules_version)
        if book is None or not one.again(book.body):
            yield Finding("AUDIT_DECISION_DIFFERS", f"{place}/decision/{one.number}", f"rules {one.rules_version}")
    if last is not None:
        stands = _as_told(spend)
        differs = sorted(name for name, value in stands.items() if last.get(name) != value)
        if differs or spend.digest != _digest(spend, tenant):
            names = ", ".join(differs) or "what the digest is of"
            yield Finding("AUDIT_SPEND_CHANGED", place, names)
    yield from _approvals(dossier, spend, steps)
    yield from _outcomes(dossier, spend, steps)
    yield from _records(dossier, spend, told)


def _as_told(spend: KeptSpend) -> dict[str, Any]:
    """What the last event of a spend says of it."""

    def text(one: UUID | None) -> str | None:
        return None if one is None else str(one)

    return {
        "spend": str(spend.spend_id),
        "state": spend.state.value,
        "currency": spend.currency,
        "amount": spend.amount,
        "settled": spend.settled,
        "envelope": text(spend.envelope_id),
        "payee": text(spend.payee_id),
        "maker": spend.actor,
        "hold": text(spend.hold_id),
        "digest": spend.digest,
        "rules": spend.rules_version,
        "decision": spend.decision,
        "code": spend.code,
        "reference": spend.provider_reference,
    }


def _digest(spend: KeptSpend, tenant: UUID) -> str:
    return spend_digest(
        tenant=tenant,
        spend=spend.spend_id,
        envelope=spend.envelope_id,
        payee=spend.payee_id,
        fingerprint=spend.fingerprint or "",
        currency=spend.currency,
        amount=spend.amount,
        purpose=spend.purpose,
        rules_version=spend.rules_version,
        expires_at=spend.expires_at,
    ).hex()


def _approvals(dossier: Dossier, spend: KeptSpend, steps: list[ToldStep]) -> Iterator[Finding]:
    kept = dossier.approvals.get(spend.spend_id, [])
    told = {(event.word, event.actor, event.at) for event in steps}
    for one in kept:
        wanted = APPROVED if one.verdict == "approve" else ("rejected",)
        if not any((step, one.actor, one.decided_at) in told for step in wanted):
            place = f"spend/{spend.spend_id}/approval/{one.actor}"
            yield Finding("AUDIT_APPROVAL_UNTOLD", place, f"{one.verdict} at {one.decided_at.isoformat()}")
    given = {(one.actor, one.decided_at) for one in kept}
    for event in steps[1:]:
        if event.word in APPROVED and (event.actor, event.at) not in given:
            place = f"spend/{spend.spend_id}/approval/{event.actor}"
            yield Finding("AUDIT_APPROVAL_MISSING", place, event.place)


def _outcomes(dossier: Dossier, spend: KeptSpend, steps: list[ToldStep]) -> Iterator[Finding]:
    if spend.provider == INTERNAL:
        return
    kept = sorted((one.step.value, one.recorded_at) for one in dossier.outcomes.get(spend.spend_id, []))
    told = sorted((event.word, event.at) for event in steps if event.word in PROVIDERS_WORD)
    if kept != told:
        place = f"spend/{spend.spend_id}"
        yield Finding("AUDIT_OUTCOME_DIFFERS", place, f"{len(kept)} outcomes, {len(told)} events of them")


def _records(dossier: Dossier, spend: KeptSpend, told: list[ToldStep]) -> Iterator[Finding]:
    """What was recorded against the digests that events have of it."""
    place, kept = f"spend/{spend.spend_id}", spend.spend_id
    decisions = {str(one.number): one.record for one in dossier.decisions.get(kept, ())}
    approvals = {f"{one.actor}@{one.decided_at.isoformat()}": one.record for one in dossier.approvals.get(kept, ())}
    outcomes = {one.step.value: one.record for one in dossier.outcomes.get(kept, ())}
    named: set[str] = set()
    for event in told:
        said = event.said or {}
        if said.get("decided"):
            number = str(said.get("decision"))
            named.add(number)
            if decisions.get(number, said["decided"]) != said["decided"]:
                yield Finding("AUDIT_DECISION_CHANGED", f"{place}/decision/{number}", event.place)
        if said.get("approved"):
            record = approvals.get(f"{event.actor}@{event.at.isoformat()}")
            if record not in (None, said["approved"]):
                yield Finding("AUDIT_APPROVAL_CHANGED", f"{place}/approval/{event.actor}", event.place)
        if said.get("told"):
            step = event.word
            if outcomes.get(step, said["told"]) != said["told"]:
                yield Finding("AUDIT_OUTCOME_CHANGED", f"{place}/outcome/{step}", event.place)
    if all(event.said is not None and "decided" in event.said for event in told):
        for untold in sorted(decisions.keys() - named):
            yield Finding("AUDIT_DECISION_UNTOLD", f"{place}/decision/{untold}", "no event has its digest")
