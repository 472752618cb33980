"""The decision about one request: a pure function of the rules, the facts and what is asked.

Everything that stands against a request is found, not just the first thing. Nothing is read from anywhere else, so a
recorded decision can be made again, and a dry run decides exactly as the real one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from parpour_treasury.spending.facts import INTERNAL, Facts, Member
from parpour_treasury.spending.rules import Allow, RuleBook, Tier


class Verdict(StrEnum):
    """What becomes of a request."""

    REFUSE = "refuse"
    AWAIT = "await"
    RESERVE = "reserve"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, as far as the rules look at it."""

    currency: str
    amount: int
    """Minor units, above zero."""
    standing: int = 0
    """What the spend has reserved already, if it is renewed: the cap of one action counts both."""
    bound: tuple[int | None, str] | None = None
    """Rule version and payee's fingerprint that an earlier decision was made of; approvals are of these."""

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        bound = None if self.bound is None else list(self.bound)
        return {"currency": self.currency, "amount": self.amount, "standing": self.standing, "bound": bound}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """From what was recorded."""
        bound = row["bound"]
        return cls(row["currency"], row["amount"], row["standing"], None if bound is None else (bound[0], bound[1]))


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands against a request, for people: agents are told the code alone."""

    code: str
    subject: str = ""
    """What it is about, for example envelope/ads."""
    limit: int | None = None
    used: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {"code": self.code, "subject": self.subject, "limit": self.limit, "used": self.used}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """From what was recorded."""
        return cls(row["code"], row["subject"], row["limit"], row["used"])


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, and why."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    """What stands against it; empty unless it is refused."""
    allowed_by: str | None
    """The rule that allows it."""
    quorum: int
    """How many people have to approve; 0 if none."""
    sum_of_payee: int
    """What the approval tiers looked at."""

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, each once, in their order."""
        return tuple(dict.fromkeys(one.code for one in self.reasons))

    def to_json(self) -> dict[str, Any]:
        """As it is recorded."""
        return {
            "verdict": self.verdict.value,
            "reasons": [one.to_json() for one in self.reasons],
            "allowed_by": self.allowed_by,
            "quorum": self.quorum,
            "sum_of_payee": self.sum_of_payee,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """From what was recorded."""
        reasons = tuple(Reason.from_json(one) for one in row["reasons"])
        return cls(Verdict(row["verdict"]), reasons, row["allowed_by"], row["quorum"], row["sum_of_payee"])


def accounts_of(provider: str, currency: str) -> tuple[str, str]:
    """Codes of the accounts that a reservation debits and credits.

    A payment takes from the bank what will be on its way; what is metered becomes an expense that is owed.
    """
    target, source = (
        ("expenses:compute", "liabilities:platform") if provider == INTERNAL else ("assets:in-transit", "assets:bank")
    )
    return f"{target}:{currency.lower()}", f"{source}:{currency.lower()}"


def decide(rules: RuleBook, facts: Facts, asked: Asked) -> Decision:
    """Refuse, await approvals, or reserve."""
    allowing, denied = _allowed(rules, facts, asked)
    reasons = (
        *_venture(facts),
        *_bound(facts, asked),
        *denied,
        *_payee(facts),
        *_envelopes(facts, asked),
        *_windows(rules, facts, asked),
        *_funds(rules, facts, asked),
    )
    total = facts.pace.get(("payee", rules.approval_window_seconds), (0, 0))[1] + asked.amount
    tiers = [one for one in rules.tiers if one.currency == asked.currency and total > one.above]
    quorum = max((one.quorum for one in tiers), default=0)
    if reasons:
        verdict = Verdict.REFUSE
    else:
        verdict = Verdict.RESERVE if all(_approved(one, facts) for one in tiers) else Verdict.AWAIT
    return Decision(verdict, reasons, allowing, quorum, total)


def counts_as_approver(member: Member, maker: Member | None) -> bool:
    """Whether an approval of this account counts at all: a person's, not revoked, and not the asker's own."""
    return (
        member.person is not None
        and member.actor.startswith("user:")
        and not member.revoked
        and maker is not None
        and member.person != maker.person
        and member.actor != maker.actor
    )


def _approved(tier: Tier, facts: Facts) -> bool:
    people = {
        one.person
        for one in facts.approvers
        if counts_as_approver(one, facts.member) and not set(tier.roles).isdisjoint(one.roles)
    }
    return len(people) >= tier.quorum


def _venture(facts: Facts) -> Iterator[Reason]:
    if facts.stopped:
        yield Reason("TREASURY_KILL_SWITCH")
    if facts.frozen:
        yield Reason("TREASURY_VENTURE_FROZEN")
    if facts.member is None:
        yield Reason("TREASURY_MEMBER_UNKNOWN")
    elif facts.member.revoked:
        yield Reason("TREASURY_MEMBER_REVOKED", facts.member.actor)


def _bound(facts: Facts, asked: Asked) -> Iterator[Reason]:
    if asked.bound is None or facts.payee is None:
        return
    version, fingerprint = asked.bound
    if version is not None and version != facts.rules_version:
        yield Reason("TREASURY_RULES_CHANGED", f"rules/{version}")
    if fingerprint != facts.payee.fingerprint:
        yield Reason("TREASURY_PAYEE_CHANGED", f"payee/{facts.payee.payee}")


def _allowed(rules: RuleBook, facts: Facts, asked: Asked) -> tuple[str | None, tuple[Reason, ...]]:
    if facts.member is None or facts.payee is None or not facts.envelopes:
        return None, ()
    matching = [one for one in rules.allow if _matches(one, facts, asked)]
    for one in matching:
        if asked.standing + asked.amount <= one.per_action:
            return one.name, ()
    if matching:
        best = max(matching, key=lambda one: one.per_action)
        return None, (Reason("TREASURY_SPEND_CAP_EXCEEDED", f"rule/{best.name}", best.per_action, asked.standing),)
    return None, (Reason("TREASURY_SPEND_NOT_ALLOWED"),)


def _matches(rule: Allow, facts: Facts, asked: Asked) -> bool:
    if facts.member is None or facts.payee is None:
        return False
    return (
        rule.currency == asked.currency
        and (rule.roles is None or not set(rule.roles).isdisjoint(facts.member.roles))
        and (rule.actors is None or facts.member.actor in rule.actors)
        and (rule.envelopes is None or facts.envelopes[0].code in rule.envelopes)
        and (rule.categories is None or facts.payee.category in rule.categories)
        and (rule.payees is None or str(facts.payee.payee) in rule.payees)
    )


def _payee(facts: Facts) -> Iterator[Reason]:
    payee = facts.payee
    if payee is None:
        yield Reason("TREASURY_PAYEE_UNKNOWN")
        return
    subject = f"payee/{payee.payee}"
    if payee.retired:
        yield Reason("TREASURY_PAYEE_RETIRED", subject)
    if payee.held:
        yield Reason("TREASURY_PAYEE_HELD", subject)
    if payee.usable_from > facts.at:
        yield Reason("TREASURY_PAYEE_COOLING", subject)


def _envelopes(facts: Facts, asked: Asked) -> Iterator[Reason]:
    if not facts.envelopes:
        yield Reason("TREASURY_ENVELOPE_UNKNOWN")
    for one in facts.envelopes:
        subject = f"envelope/{one.code}"
        if one.currency != asked.currency:
            yield Reason("TREASURY_CURRENCY_MISMATCH", subject)
            continue
        early = one.opens_at is not None and facts.at < one.opens_at
        late = one.closes_at is not None and facts.at >= one.closes_at
        if early or late:
            yield Reason("TREASURY_ENVELOPE_CLOSED", subject)
        if one.reserved + one.spent + asked.amount > one.cap:
            yield Reason("TREASURY_ENVELOPE_EXCEEDED", subject, one.cap, one.reserved + one.spent)


def _windows(rules: RuleBook, facts: Facts, asked: Asked) -> Iterator[Reason]:
    for one in rules.windows:
        if one.currency != asked.currency:
            continue
        count, total = facts.pace.get((one.scope, one.seconds), (0, 0))
        if one.most_count is not None and count + 1 > one.most_count:
            yield Reason("TREASURY_VELOCITY_EXCEEDED", f"window/{one.name}", one.most_count, count)
        if one.most_total is not None and total + asked.amount > one.most_total:
            yield Reason("TREASURY_VELOCITY_EXCEEDED", f"window/{one.name}", one.most_total, total)


def _funds(rules: RuleBook, facts: Facts, asked: Asked) -> Iterator[Reason]:
    if facts.payee is None:
        return
    target, source = accounts_of(facts.payee.provider, asked.currency)
    missing = [code for code in (target, source) if code not in facts.available]
    for code in missing:
        yield Reason("TREASURY_ACCOUNT_UNKNOWN", code)
    if missing or facts.payee.provider == INTERNAL:
        return
    available = facts.available[source]
    kept = sum(one.amount for one in rules.reserves if one.account == source)
    if available is None:
        if kept:
            yield Reason("TREASURY_RESERVE_PROTECTED", source, kept)
    elif asked.amount > available:
        yield Reason("TREASURY_FUNDS_INSUFFICIENT", source, available)
    elif asked.amount > available - kept:
        yield Reason("TREASURY_RESERVE_PROTECTED", source, kept, available)
