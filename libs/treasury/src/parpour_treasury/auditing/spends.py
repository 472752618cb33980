"""Compares what the authority handed over with what the events tell, and decides every decision once more.

An event of a spend tells where a step left it, and the digest of what was asked: so amount, payee, purpose, approvals
and outcomes are held to proven events. The facts of a decision and the evidence of a provider are in no event; of those
it is proven that the rules decide from the facts what was decided, and when, not where the facts came from.
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
PROVIDERS_WORD = ("sent", "unknown", "failed", "settled", "returned")
"""Steps that a provider tells."""


def compare_spends(dossier: Dossier, events: Iterable[Event], tenant: UUID) -> list[Finding]:
    """Every contradiction, by spend; none if the dossier is what happened."""
    told: defaultdict[str, list[Event]] = defaultdict(list)
    rules: dict[str, Event] = {}
    for event in events:
        if event.type.startswith("treasury.spend."):
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


def _spend(dossier: Dossier, spend: KeptSpend, steps: list[Event], tenant: UUID) -> Iterator[Finding]:
    place = f"spend/{spend.spend_id}"
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


def _step(event: Event) -> str:
    return event.type.rpartition(".")[2]
