"""What a batch of asks comes to: decisions, approvals, steps, ledger commands and answers. Pure.

Asks are taken in their order; each sees the effects of those before it. No two of a batch are about one spend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from parpour_treasury.batches import Request
from parpour_treasury.commands import Command, Hold, Leg, Settle, Void
from parpour_treasury.spending.asks import (
    OPERATIONS,
    Approve,
    Asking,
    Cancel,
    Reject,
    Renew,
    RequestSpend,
    SettleSpend,
    SpendOutcome,
    spend_digest,
    spend_of,
)
from parpour_treasury.spending.deciding import Asked, Decision, Verdict, accounts_of, counts_as_approver, decide
from parpour_treasury.spending.facts import INTERNAL, Facts, Member
from parpour_treasury.spending.gathering import Gathered, Standing
from parpour_treasury.spending.rules import RuleBook
from parpour_treasury.spending.states import State, Step, next_state

APPROVERS = frozenset({"approver", "owner", "treasurer"})
"""Roles that may approve and reject at all; the rules' tiers say which of them count."""

CANCELLERS = frozenset({"owner", "treasurer"})
"""Roles that may cancel what others asked."""

CLOCKS_APART = timedelta(seconds=60)
"""How far the clock of who authenticates people may be ahead of the database's."""


@dataclass
class Plan:
    """What one transaction records."""

    decisions: list[dict[str, Any]] = field(default_factory=list)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    spends: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    ledger: list[tuple[UUID, Request]] = field(default_factory=list)
    outcomes: list[SpendOutcome] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """What treasury.record_decisions takes beside the ledger's commands."""
        return {
            "decisions": self.decisions,
            "approvals": self.approvals,
            "spends": self.spends,
            "steps": self.steps,
            "requests": self.requests,
        }

    @property
    def empty(self) -> bool:
        """Whether there is nothing to record: every ask was answered before."""
        return not self.requests


def make_plan(
    asks: Sequence[Asking], gathered: Gathered, rules: RuleBook, *, tenant: UUID, new_id: Callable[[], UUID]
) -> Plan:
    """Decide a batch. `gathered` holds the facts afterwards as if the plan were carried out."""
    planner = _Planner(gathered, rules, tenant, new_id, Plan())
    for one in asks:
        planner.take(one)
    return planner.plan


@dataclass
class _Planner:
    gathered: Gathered
    rules: RuleBook
    tenant: UUID
    new_id: Callable[[], UUID]
    plan: Plan

    def take(self, asking: Asking) -> None:
        earlier = self.gathered.earlier.get(asking.key)
        if earlier is not None:
            spend = None if earlier["spend"] is None else UUID(earlier["spend"])
            if earlier["digest"] == asking.digest.hex():
                outcome = SpendOutcome(spend, earlier["state"], tuple(earlier["codes"]), replayed=True)
            else:
                outcome = SpendOutcome(None, None, ("TREASURY_IDEMPOTENCY_KEY_REUSED",))
            self.plan.outcomes.append(outcome)
            return
        outcome = self._answer(asking)
        self.plan.requests.append(
            {
                "key": asking.key,
                "digest": asking.digest.hex(),
                "operation": OPERATIONS[type(asking.ask)],
                "spend": _text(outcome.spend),
                "state": outcome.state,
                "codes": outcome.codes,
            }
        )
        self.plan.outcomes.append(outcome)

    def _answer(self, asking: Asking) -> SpendOutcome:
        ask = asking.ask
        if isinstance(ask, RequestSpend):
            return self._request(ask, asking.actor)
        spend = self.gathered.spends.get(ask.spend)
        if spend is None:
            return SpendOutcome(None, None, ("TREASURY_SPEND_UNKNOWN",))
        if isinstance(ask, Approve):
            return self._approve(ask, asking.actor, spend)
        if isinstance(ask, Reject):
            return self._reject(ask, asking.actor, spend)
        if isinstance(ask, Cancel):
            return self._cancel(asking.actor, spend)
        if isinstance(ask, SettleSpend):
            return self._settle(ask, asking.actor, spend)
        return self._renew(ask, asking.actor, spend)

    def _request(self, ask: RequestSpend, actor: str) -> SpendOutcome:
        gathered = self.gathered
        facts = gathered.facts(maker=actor, envelope=ask.envelope, payee=ask.payee, currency=ask.currency)
        asked = Asked(ask.currency, ask.amount)
        decision = decide(self.rules, facts, asked)
        spend = spend_of(self.tenant, ask.key)
        step = {Verdict.REFUSE: Step.REFUSED, Verdict.AWAIT: Step.AWAITING, Verdict.RESERVE: Step.RESERVED}[
            decision.verdict
        ]
        # A refused request may name things of nobody, or in another currency.
        known = bool(facts.envelopes) and facts.envelopes[0].currency == ask.currency
        envelope, payee = ask.envelope if known else None, facts.payee
        expires_at = self._expiry(ask.lifetime_seconds)
        digest = spend_digest(
            tenant=self.tenant,
            spend=spend,
            envelope=envelope,
            payee=payee.payee if payee else None,
            fingerprint=payee.fingerprint if payee else "",
            currency=ask.currency,
            amount=ask.amount,
            purpose=ask.purpose,
            rules_version=facts.rules_version,
            expires_at=expires_at,
        )
        hold = None
        if decision.verdict is Verdict.RESERVE and payee:
            hold = self.new_id()
            self._hold(actor, spend, hold, payee.provider, ask.currency, ask.amount, expires_at, ask.purpose)
            gathered.reserve(envelope=ask.envelope, provider=payee.provider, currency=ask.currency, amount=ask.amount)
        if decision.verdict is not Verdict.REFUSE:
            gathered.count(maker=actor, payee=ask.payee, currency=ask.currency, amount=ask.amount)
        self._decided(spend, 1, asked, facts, decision, named={"envelope": ask.envelope, "payee": ask.payee})
        state = next_state(None, step, internal=payee is not None and payee.provider == INTERNAL)
        codes = decision.codes
        self.plan.spends.append(
            {
                "spend": str(spend),
                "state": state,
                "step": step,
                "envelope": _text(envelope),
                "payee": str(payee.payee) if payee else None,
                "provider": payee and payee.provider,
                "fingerprint": payee and payee.fingerprint,
                "currency": ask.currency,
                "amount": ask.amount,
                "purpose": ask.purpose,
                "category": payee and payee.category,
                "actor": actor,
                "person": facts.member and facts.member.person,
                "version": facts.rules_version,
                "quorum": decision.quorum,
                "digest": digest.hex(),
                "hold": _text(hold),
                "code": codes[0] if codes else None,
                "expires_at": expires_at.isoformat(),
            }
        )
        return SpendOutcome(spend, state, codes)

    def _approve(self, ask: Approve, actor: str, spend: Standing) -> SpendOutcome:
        member = self.gathered.members.get(actor)
        maker = self.gathered.members.get(spend.actor)
        codes = _approver_faults(member)
        if not codes and spend.state != State.AWAITING_APPROVAL:
            codes = ("TREASURY_SPEND_STATE",)
        if not codes and member is not None:
            people = {person for _, person, _ in spend.approvals}
            codes = _first(
                ("TREASURY_APPROVAL_OWN", maker is not None and not counts_as_approver(member, maker)),
                ("TREASURY_STEP_UP_NEEDED", not self._stepped_up(ask.authenticated_at)),
                ("TREASURY_APPROVAL_MISMATCH", ask.digest.hex() != spend.digest),
                ("TREASURY_APPROVAL_REPEATED", member.person in people),
                ("TREASURY_KILL_SWITCH", self.gathered.stopped),
                ("TREASURY_VENTURE_FROZEN", self.gathered.frozen),
            )
        if codes or member is None:
            return SpendOutcome(spend.spend, spend.state, codes)
        self.plan.approvals.append(
            {
                "spend": str(spend.spend),
                "person": member.person,
                "actor": actor,
                "digest": ask.digest.hex(),
                "verdict": "approve",
                "authenticated_at": ask.authenticated_at.isoformat(),
            }
        )
        facts = replace(self._facts_of(spend), approvers=(*self._approvers(spend), member))
        bound = (spend.rules_version, spend.fingerprint or "")
        asked = Asked(spend.currency, spend.amount, bound=bound)
        decision = decide(self.rules, facts, asked)
        self._decided(spend.spend, spend.decisions + 1, asked, facts, decision)
        changes: dict[str, Any] = {"decision": spend.decisions + 1, "quorum": decision.quorum}
        if decision.verdict is Verdict.REFUSE:
            return self._step(spend, Step.REFUSED, actor, **changes, code=decision.codes[0], codes=decision.codes)
        if decision.verdict is Verdict.AWAIT:
            return self._step(spend, Step.APPROVED, actor, **changes)
        hold = self.new_id()
        if spend.envelope is None or spend.provider is None:
            raise AssertionError("only what is refused names nothing")
        self._hold(
            actor, spend.spend, hold, spend.provider, spend.currency, spend.amount, spend.expires_at, spend.purpose
        )
        self.gathered.reserve(
            envelope=spend.envelope, provider=spend.provider, currency=spend.currency, amount=spend.amount
        )
        return self._step(spend, Step.RESERVED, actor, **changes, hold=hold)

    def _reject(self, ask: Reject, actor: str, spend: Standing) -> SpendOutcome:
        member = self.gathered.members.get(actor)
        codes = _approver_faults(member)
        if not codes and spend.state != State.AWAITING_APPROVAL:
            codes = ("TREASURY_SPEND_STATE",)
        people = {person for _, person, _ in spend.approvals}
        if codes or member is None:
            return SpendOutcome(spend.spend, spend.state, codes)
        if member.person not in people:
            self.plan.approvals.append(
                {
                    "spend": str(spend.spend),
                    "person": member.person,
                    "actor": actor,
                    "digest": spend.digest,
                    "verdict": "reject",
                    "authenticated_at": ask.authenticated_at.isoformat(),
                }
            )
        return self._step(spend, Step.REJECTED, actor)

    def _cancel(self, actor: str, spend: Standing) -> SpendOutcome:
        code = self._not_theirs(actor, spend)
        if code is None and spend.state not in (State.AWAITING_APPROVAL, State.RESERVED):
            code = "TREASURY_SPEND_STATE"
        if code is not None:
            return SpendOutcome(spend.spend, spend.state, (code,))
        if spend.hold is not None:
            self._ledger(actor, spend.spend, Void(key=_end_key(spend), correlation=spend.spend, hold=spend.hold))
            self._give_back(spend, spent=0)
        return self._step(spend, Step.CANCELLED, actor)

    def _settle(self, ask: SettleSpend, actor: str, spend: Standing) -> SpendOutcome:
        code = self._not_theirs(actor, spend)
        if code is None and (spend.provider != INTERNAL or spend.state != State.RESERVED):
            code = "TREASURY_SPEND_STATE"
        if code is None and ask.amount > spend.amount:
            code = "TREASURY_SPEND_EXCEEDED"
        if code is not None or spend.hold is None:
            return SpendOutcome(spend.spend, spend.state, (code or "TREASURY_SPEND_STATE",))
        key = _end_key(spend)
        if ask.amount == 0:
            # Nothing was used: no journal tells of it, and the reservation is as if it had been cancelled.
            self._ledger(actor, spend.spend, Void(key=key, correlation=spend.spend, hold=spend.hold))
            self._give_back(spend, spent=0)
            return self._step(spend, Step.CANCELLED, actor)
        command = Settle(
            key=key,
            correlation=spend.spend,
            hold=spend.hold,
            amounts=(ask.amount, -ask.amount),
            description=spend.purpose,
        )
        self._ledger(actor, spend.spend, command)
        self._give_back(spend, spent=ask.amount)
        return self._step(spend, Step.SETTLED, actor, settled=ask.amount)

    def _renew(self, ask: Renew, actor: str, spend: Standing) -> SpendOutcome:
        code = self._not_theirs(actor, spend)
        if code is None and (spend.provider != INTERNAL or spend.state != State.RESERVED):
            code = "TREASURY_SPEND_STATE"
        if code is not None or spend.hold is None or spend.envelope is None or spend.payee is None:
            return SpendOutcome(spend.spend, spend.state, (code or "TREASURY_SPEND_STATE",))
        facts = replace(self._facts_of(spend, itself=True), approvers=self._approvers(spend))
        bound = (None, spend.fingerprint or "")
        asked = Asked(spend.currency, ask.amount, standing=spend.amount, bound=bound)
        decision = decide(self.rules, facts, asked)
        number = spend.decisions + 1
        amount = spend.amount + ask.amount
        self._decided(spend.spend, number, asked, facts, decision)
        if decision.verdict is not Verdict.RESERVE:
            # The reservation stands as it was.
            codes = decision.codes or ("TREASURY_APPROVAL_NEEDED",)
            return SpendOutcome(spend.spend, spend.state, codes)
        expires_at = max(spend.expires_at, self._expiry(ask.lifetime_seconds))
        hold = self.new_id()
        key = _end_key(spend)
        self._ledger(actor, spend.spend, Void(key=key, correlation=spend.spend, hold=spend.hold))
        self._hold(actor, spend.spend, hold, INTERNAL, spend.currency, amount, expires_at, spend.purpose)
        self.gathered.reserve(envelope=spend.envelope, provider=INTERNAL, currency=spend.currency, amount=ask.amount)
        self.gathered.count(maker=spend.actor, payee=spend.payee, currency=spend.currency, amount=ask.amount)
        digest = spend_digest(
            tenant=self.tenant,
            spend=spend.spend,
            envelope=spend.envelope,
            payee=spend.payee,
            fingerprint=spend.fingerprint or "",
            currency=spend.currency,
            amount=amount,
            purpose=spend.purpose,
            rules_version=spend.rules_version,
            expires_at=expires_at,
        )
        return self._step(
            spend,
            Step.RENEWED,
            actor,
            decision=number,
            hold=hold,
            amount=amount,
            expires_at=expires_at,
            digest=digest.hex(),
        )

    def _facts_of(self, spend: Standing, *, itself: bool = False) -> Facts:
        """The facts about a spend that stands; its own part of the pace is left out unless `itself`."""
        facts = self.gathered.facts(
            maker=spend.actor, envelope=spend.envelope, payee=spend.payee, currency=spend.currency
        )
        if itself:
            return facts
        age = facts.at - spend.requested_at
        pace = {
            (scope, seconds): (count - 1, total - spend.amount) if age < timedelta(seconds=seconds) else (count, total)
            for (scope, seconds), (count, total) in facts.pace.items()
        }
        return replace(facts, pace=pace)

    def _approvers(self, spend: Standing) -> tuple[Member, ...]:
        found = (self.gathered.members.get(actor) for actor, _, verdict in spend.approvals if verdict == "approve")
        return tuple(one for one in found if one is not None)

    def _not_theirs(self, actor: str, spend: Standing) -> str | None:
        """Why an actor may not end a spend: it is neither theirs, nor are they trusted with those of others."""
        member = self.gathered.members.get(actor)
        if member is None:
            return "TREASURY_MEMBER_UNKNOWN"
        if member.revoked:
            return "TREASURY_MEMBER_REVOKED"
        if actor == spend.actor or not CANCELLERS.isdisjoint(member.roles):
            return None
        return "TREASURY_ROLE_MISSING"

    def _stepped_up(self, authenticated_at: datetime) -> bool:
        age = self.gathered.at - authenticated_at
        return -CLOCKS_APART <= age <= timedelta(seconds=self.rules.step_up_seconds)

    def _expiry(self, asked: int | None) -> datetime:
        most = self.rules.lifetime_seconds
        return self.gathered.at + timedelta(seconds=min(asked or most, most))

    def _give_back(self, spend: Standing, *, spent: int) -> None:
        if spend.envelope is None or spend.provider is None:
            raise AssertionError("only what is refused names nothing")
        self.gathered.reserve(
            envelope=spend.envelope,
            provider=spend.provider,
            currency=spend.currency,
            amount=-spend.amount,
            spent=spent,
        )

    def _hold(
        self,
        actor: str,
        spend: UUID,
        hold: UUID,
        provider: str,
        currency: str,
        amount: int,
        expires_at: datetime,
        purpose: str,
    ) -> None:
        target, source = (self.gathered.accounts[code] for code in accounts_of(provider, currency))
        command = Hold(
            key=f"spend/{spend}/{hold}",
            correlation=spend,
            hold=hold,
            legs=(Leg(target, amount, currency), Leg(source, -amount, currency)),
            description=purpose,
            expires_at=expires_at,
        )
        self._ledger(actor, spend, command)

    def _ledger(self, actor: str, spend: UUID, command: Command) -> None:
        self.plan.ledger.append((spend, Request.of(command, actor=actor)))

    def _decided(
        self,
        spend: UUID,
        number: int,
        asked: Asked,
        facts: Facts,
        decision: Decision,
        named: dict[str, UUID] | None = None,
    ) -> None:
        self.plan.decisions.append(
            {
                "spend": str(spend),
                "number": number,
                "version": facts.rules_version,
                "asked": {**asked.to_json(), **{name: str(one) for name, one in (named or {}).items()}},
                "facts": facts.to_json(),
                "answer": decision.to_json(),
            }
        )

    def _step(self, spend: Standing, step: Step, actor: str, **changes: Any) -> SpendOutcome:
        state = next_state(State(spend.state), step, internal=spend.provider == INTERNAL)
        codes = changes.pop("codes", ())
        values = {
            "decision": spend.decision,
            "quorum": spend.quorum,
            "hold": spend.hold,
            "amount": spend.amount,
            "expires_at": spend.expires_at,
            "digest": spend.digest,
            "settled": 0,
            "code": None,
            **changes,
        }
        values["hold"], values["expires_at"] = _text(values["hold"]), values["expires_at"].isoformat()
        self.plan.steps.append({"spend": str(spend.spend), "state": state, "step": step, "actor": actor, **values})
        return SpendOutcome(spend.spend, state, codes)


def _approver_faults(member: Member | None) -> tuple[str, ...]:
    if member is None:
        return ("TREASURY_MEMBER_UNKNOWN",)
    return _first(
        ("TREASURY_MEMBER_REVOKED", member.revoked),
        ("TREASURY_NOT_A_PERSON", not member.actor.startswith("user:") or member.person is None),
        ("TREASURY_ROLE_MISSING", APPROVERS.isdisjoint(member.roles)),
    )


def _first(*faults: tuple[str, bool]) -> tuple[str, ...]:
    """The first code whose fault is there."""
    return tuple(code for code, there in faults if there)[:1]


def _end_key(spend: Standing) -> str:
    return f"spend/{spend.spend}/{spend.hold}/end"


def _text(one: UUID | None) -> str | None:
    return None if one is None else str(one)


def asked_things(asks: Iterable[Asking]) -> tuple[list[UUID], list[UUID], list[UUID], list[str]]:
    """Spends, payees, envelopes and currencies that a batch names."""
    spends = [one.ask.spend for one in asks if not isinstance(one.ask, RequestSpend)]
    requests = [one.ask for one in asks if isinstance(one.ask, RequestSpend)]
    return (
        list(dict.fromkeys(spends)),
        list(dict.fromkeys(one.payee for one in requests)),
        list(dict.fromkeys(one.envelope for one in requests)),
        list(dict.fromkeys(one.currency for one in requests)),
    )
