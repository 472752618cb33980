"""The life of spends in plain Python: what authority and database must do, one ask after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

CAPS = {"budget": 250, "ads": 150, "other": 150}
FUNDS = 300
KEPT = 50
PER_ACTION = 60
TIERS = ((40, 1), (120, 2))
"""(above, quorum) of a payee's total."""
MOST = 12
"""Spends of the venture within the window, which no test outlives."""
PEOPLE = {"user:ann": "ann", "user:bob": "bob", "user:cat": "cat", "user:cat-phone": "cat"}
ANSWERS_FOR_THE_AGENT = "bob"
TAKING = ("reserved", "submitting", "unknown", "sent")
OUTCOMES = {
    ("submitting", "sent"): "sent",
    ("submitting", "unknown"): "unknown",
    ("submitting", "failed"): "failed",
    ("unknown", "sent"): "sent",
    ("unknown", "failed"): "failed",
    ("sent", "settled"): "settled",
    ("sent", "failed"): "failed",
    ("sent", "returned"): "returned",
    ("settled", "returned"): "returned",
    ("settled", "failed"): "failed",
}


@dataclass
class ModelSpend:
    state: str
    envelope: str
    payee: str
    amount: int
    settled: int = 0
    approvals: set[str] = field(default_factory=set)


@dataclass
class ModelVenture:
    """One venture whose agent asks for everything."""

    spends: list[ModelSpend] = field(default_factory=list)
    bank: int = FUNDS
    granted: dict[str, int] = field(default_factory=dict)
    """By payee."""
    count: int = 0
    frozen: bool = False
    held: set[str] = field(default_factory=set)

    def reserved(self, envelope: str) -> int:
        """What is under way within an envelope."""
        return sum(s.amount for s in self.spends if s.state in TAKING and envelope in (s.envelope, "budget"))

    def spent(self, envelope: str) -> int:
        """What was settled within an envelope."""
        return sum(s.settled for s in self.spends if s.state == "settled" and envelope in (s.envelope, "budget"))

    def kept(self) -> int:
        """What holds keep of the bank account."""
        return sum(
            s.amount for s in self.spends if s.state in ("reserved", "submitting", "unknown") and s.payee != "platform"
        )

    def verdict(
        self, envelope: str, payee: str, amount: int, *, standing: int, others: int, approvals: set[str]
    ) -> str:
        """refused, awaiting_approval or reserved; `others` spends count beside this one."""
        fits = all(self.reserved(one) + self.spent(one) + amount <= CAPS[one] for one in (envelope, "budget"))
        funds = payee == "platform" or self.bank - self.kept() - KEPT >= amount
        allowed = standing + amount <= PER_ACTION and others + 1 <= MOST
        if not (fits and funds and allowed) or self.frozen or payee in self.held:
            return "refused"
        total = self.granted.get(payee, 0) + (0 if others < self.count else amount)
        wanted = max((quorum for above, quorum in TIERS if total > above), default=0)
        return "reserved" if len(approvals) >= wanted else "awaiting_approval"

    def request(self, envelope: str, payee: str, amount: int) -> str:
        state = self.verdict(envelope, payee, amount, standing=0, others=self.count, approvals=set())
        self.spends.append(ModelSpend(state, envelope, payee, amount))
        if state != "refused":
            self.granted[payee] = self.granted.get(payee, 0) + amount
            self.count += 1
        return state

    def approve(self, place: int, actor: str) -> bool:
        """Whether the approval was taken and did not end in a refusal."""
        spend, person = self.spends[place], PEOPLE[actor]
        taken = spend.state == "awaiting_approval" and person != ANSWERS_FOR_THE_AGENT
        if not taken or person in spend.approvals or self.frozen:
            return False
        spend.approvals.add(person)
        spend.state = self.verdict(
            spend.envelope, spend.payee, spend.amount, standing=0, others=self.count - 1, approvals=spend.approvals
        )
        return spend.state != "refused"

    def reject(self, place: int) -> bool:
        return self._move(place, ("awaiting_approval",), "rejected")

    def cancel(self, place: int) -> bool:
        return self._move(place, ("awaiting_approval", "reserved"), "cancelled")

    def settle(self, place: int, amount: int) -> bool:
        spend = self.spends[place]
        if spend.payee != "platform" or spend.state != "reserved" or amount > spend.amount:
            return False
        spend.settled = amount
        spend.state = "settled" if amount else "cancelled"
        return True

    def renew(self, place: int, amount: int) -> bool:
        spend = self.spends[place]
        if spend.payee != "platform" or spend.state != "reserved":
            return False
        if (
            self.verdict(
                spend.envelope,
                spend.payee,
                amount,
                standing=spend.amount,
                others=self.count,
                approvals=spend.approvals,
            )
            != "reserved"
        ):
            return False
        spend.amount += amount
        self.granted[spend.payee] += amount
        self.count += 1
        return True

    def claim(self) -> list[int]:
        if self.frozen:
            return []
        found = [
            place
            for place, spend in enumerate(self.spends)
            if spend.state == "reserved" and spend.payee != "platform" and spend.payee not in self.held
        ]
        for place in found:
            self.spends[place].state = "submitting"
        return found

    def advance(self, place: int, step: str) -> bool:
        spend = self.spends[place]
        state = OUTCOMES.get((spend.state, step))
        if state is None or spend.payee == "platform":
            return False
        if step == "sent":
            self.bank -= spend.amount
        if spend.state == "sent" and step in ("failed", "returned"):
            self.bank += spend.amount
        if step == "settled":
            spend.settled = spend.amount
        spend.state = state
        return True

    def _move(self, place: int, states: tuple[str, ...], state: str) -> bool:
        spend = self.spends[place]
        if spend.state not in states:
            return False
        spend.state = state
        return True
