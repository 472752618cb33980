"""Compares what the authority handed over with what the events tell, and decides every decision once more.

An event of a spend tells where a step left it, the digest of what was asked, and the digest of what led to the step: a
decision with its facts, an approval, an outcome with its evidence. So all of them are held to proven events. Events of
the first version have no digests of records; of theirs, step, account and time are compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from parpour_treasury.auditing.dossier import Dossier, KeptSpend
from parpour_treasury.auditing.events import Event
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.spending.asks import spend_digest
from parpour_treasury.spending.facts import INTERNAL

APPROVED = ("approved", "reserved", "refused")
"""Steps that an approval leads to."""
RENEWAL_REFUSED = "treasury.renewal.refused"
"""The one decision that no step follows."""
PROVIDERS_WORD = ("sent", "unknown", "failed", "settled", "returned")
"""Steps that a provider tells."""


def compare_spends(dossier: Dossier, events: Iterable[Event], tenant: UUID) -> list[Finding]:
    """Every contradiction, by spend; none if the dossier is what happened."""
    told: defaultdict[str, list[Event]] = defaultdict(list)
    rules: dict[str, Event] = {}
    for event in events:
        if event.type.startswith("treasury.spend.") or event.type == RENEWAL_REFUSED:
            told[event.subject].append(event)
        elif event.type == "treasury.rules.changed":
            rules[event.subject] = event
    findings = list(_rules(dossier, rules))
    for spend in sorted(dossier.spends.values(), key=lambda one: str(one.spend_id)):
        findings += _spend(dossier, spend, told.pop(f"spend/{spend.spend_id}", []), tenant)
    findings += [Finding("AUDIT_SPEND_MISSING", subject, f"{len(steps)} events") for subject, steps in told.items()]
    return findings


def _rules(dossier: Dossier, told: Mapping[str, Event]) -> Iterator[Finding]:
    for version, kept in sorted(dossier.rules.items()):
        event = told.get(f"rules/{version}")
        if event is None or (event.payload is not None and event.payload.get("rules") != kept.body):
            yield Finding("AUDIT_RULES_CHANGED", f"rules/{version}", "no event has these rules")


def _spend(dossier: Dossier, spend: KeptSpend, told: list[Event], tenant: UUID) -> Iterator[Finding]:
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
    last = steps[-1].payload
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


def _approvals(dossier: Dossier, spend: KeptSpend, steps: list[Event]) -> Iterator[Finding]:
    kept = dossier.approvals.get(spend.spend_id, [])
    told = {(_step(event), event.actor, event.at) for event in steps}
    for one in kept:
        wanted = APPROVED if one.verdict == "approve" else ("rejected",)
        if not any((step, one.actor, one.decided_at) in told for step in wanted):
            place = f"spend/{spend.spend_id}/approval/{one.actor}"
            yield Finding("AUDIT_APPROVAL_UNTOLD", place, f"{one.verdict} at {one.decided_at.isoformat()}")
    given = {(one.actor, one.decided_at) for one in kept}
    for event in steps[1:]:
        if _step(event) in APPROVED and (event.actor, event.at) not in given:
            place = f"spend/{spend.spend_id}/approval/{event.actor}"
            yield Finding("AUDIT_APPROVAL_MISSING", place, f"event {event.position or event.id}")


def _outcomes(dossier: Dossier, spend: KeptSpend, steps: list[Event]) -> Iterator[Finding]:
    if spend.provider == INTERNAL:
        return
    kept = sorted((one.step.value, one.recorded_at) for one in dossier.outcomes.get(spend.spend_id, []))
    told = sorted((_step(event), event.at) for event in steps if _step(event) in PROVIDERS_WORD)
    if kept != told:
        place = f"spend/{spend.spend_id}"
        yield Finding("AUDIT_OUTCOME_DIFFERS", place, f"{len(kept)} outcomes, {len(told)} events of them")


def _records(dossier: Dossier, spend: KeptSpend, told: list[Event]) -> Iterator[Finding]:
    """What was recorded against the digests that events have of it."""
    place, kept = f"spend/{spend.spend_id}", spend.spend_id
    decisions = {str(one.number): one.record for one in dossier.decisions.get(kept, ())}
    approvals = {f"{one.actor}@{one.decided_at.isoformat()}": one.record for one in dossier.approvals.get(kept, ())}
    outcomes = {one.step.value: one.record for one in dossier.outcomes.get(kept, ())}
    named: set[str] = set()
    for event in told:
        said = event.payload or {}
        if said.get("decided"):
            named.add(str(said["decision"]))
            if decisions.get(str(said["decision"]), said["decided"]) != said["decided"]:
                yield Finding("AUDIT_DECISION_CHANGED", f"{place}/decision/{said['decision']}", _shown(event))
        if said.get("approved"):
            record = approvals.get(f"{event.actor}@{event.at.isoformat()}")
            if record not in (None, said["approved"]):
                yield Finding("AUDIT_APPROVAL_CHANGED", f"{place}/approval/{event.actor}", _shown(event))
        if said.get("told"):
            step = _step(event)
            if outcomes.get(step, said["told"]) != said["told"]:
                yield Finding("AUDIT_OUTCOME_CHANGED", f"{place}/outcome/{step}", _shown(event))
    if all(event.payload is not None and "decided" in event.payload for event in told):
        for number in sorted(decisions.keys() - named):
            yield Finding("AUDIT_DECISION_UNTOLD", f"{place}/decision/{number}", "no event has its digest")


def _shown(event: Event) -> str:
    return f"event {event.position or event.id}, {event.type}"


def _step(event: Event) -> str:
    return event.type.rpartition(".")[2]
