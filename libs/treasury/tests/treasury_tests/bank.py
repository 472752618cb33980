"""A provider in memory that does what a script says: it pays and loses the answer, refuses, forgets, returns.

It is as unkind as the providers' contracts allow and tells at the end what was truly paid. The providers' own quirks
are in their doubles, which are servers; this one is for thousands of payments in all orders.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from parpour_treasury.providers.port import (
    Answer,
    Balance,
    Fee,
    Hint,
    Movement,
    Outcome,
    Payment,
    PaymentOrder,
    Windows,
)

ABSENCE_AFTER = timedelta(minutes=10)
WINDOWS = Windows(
    send_again=timedelta(hours=23),
    absence_after=ABSENCE_AFTER,
    ask_person=timedelta(days=3),
    pause=timedelta(seconds=2),
    poll=timedelta(minutes=30),
)


LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Paid:
    """A payment that the bank made."""

    order: PaymentOrder
    reference: str
    outcome: Outcome = Outcome.SENT


@dataclass
class Bank:
    """One account at a bank."""

    draw: random.Random
    trouble: float = 0.5
    """How often a question meets trouble."""
    refusals: float = 0.1
    """How often a payment is refused for good."""
    name: str = "stripe"
    windows: Windows = WINDOWS
    paid: list[Paid] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)
    visible_after: timedelta = timedelta(minutes=5)
    """How long a payment may be missing from the list."""
    at: datetime = LONG_AGO
    """What time it is there; tests set it."""
    made_at: dict[str, datetime] = field(default_factory=dict)

    def of(self, spend: UUID) -> list[Paid]:
        """What was paid for a spend."""
        return [one for one in self.paid if one.order.spend_id == spend]

    async def send(self, order: PaymentOrder) -> Answer:
        """Pay once a key, whatever is answered."""
        now = self.at
        trouble = self.draw.random() < self.trouble
        kind = self.draw.choice(["lost before", "lost after", "later", "500"]) if trouble else ""
        if kind == "lost before":
            return Answer(outcome=Outcome.UNKNOWN, code="timeout")
        if kind == "later":
            return Answer(outcome=Outcome.LATER, code="429", patience=timedelta(seconds=5))
        known = self.of(order.spend_id)
        if not known and (order.spend_id in self.refused or self.draw.random() < self.refusals):
            self.refused.add(order.spend_id)
            if kind:
                return Answer(outcome=Outcome.UNKNOWN, code=kind)
            return Answer(outcome=Outcome.FAILED, code="account_closed")
        if not known:
            known = [Paid(order, f"po_{len(self.paid) + 1}")]
            self.paid += known
            self.made_at[known[0].reference] = now
        if kind:
            return Answer(outcome=Outcome.UNKNOWN, code=kind)
        return self._answer(known[0])

    async def look_up(self, order: PaymentOrder, *, reference: str, since: datetime) -> Answer:
        """By reference at once; by the list only after a while."""
        if self.draw.random() < self.trouble / 2:
            return Answer(outcome=Outcome.UNKNOWN, code="500")
        for one in self.of(order.spend_id):
            if one.reference == reference or self.at >= self.made_at[one.reference] + self.visible_after:
                return self._answer(one)
        return Answer(outcome=Outcome.ABSENT)

    def _answer(self, one: Paid) -> Answer:
        fee = Fee(amount=1, currency=one.order.currency) if one.outcome is Outcome.SETTLED else None
        return Answer(outcome=one.outcome, reference=one.reference, code=one.outcome.value, fee=fee)

    def go_on(self) -> None:
        """Let time do its work on what is under way: it settles, fails, or comes back."""
        for one in self.paid:
            if one.outcome is Outcome.SENT and self.draw.random() < 0.7:
                one.outcome = self.draw.choice([Outcome.SETTLED, Outcome.SETTLED, Outcome.FAILED, Outcome.RETURNED])

    async def payments_since(self, since: datetime) -> AsyncIterator[Payment]:
        """Everything."""
        for one in self.paid:
            made = self.made_at[one.reference]
            order = one.order
            yield Payment(
                spend_id=order.spend_id,
                amount=order.amount,
                currency=order.currency,
                created_at=made,
                answer=self._answer(one),
            )

    async def movements_since(self, since: datetime) -> AsyncIterator[Movement]:
        """None: this bank has no statements."""
        nothing: tuple[Movement, ...] = ()
        for movement in nothing:
            yield movement

    async def balance(self, currency: str) -> Balance:
        """Plenty."""
        return Balance(currency=currency, available=10**9, pending=0)

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> Hint:
        """This bank sends none."""
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to close."""
