"""The port through which money leaves: what is asked of a provider, and what may be concluded from its answer.

An adapter translates; it never decides to ask again, keeps no state and reads no clock. What follows from an answer is
decided by `steps`, which is pure. The decision that a newcomer would question: most answers prove nothing. A time-out,
a dropped connection, 5xx or a 409 that says "in progress" is `UNKNOWN`, and only a validation refusal is `FAILED`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from parpour_treasury.currencies import exponent_of
from parpour_treasury.providers.evidence import storable

KEY_LENGTH_MAX = 255
"""Characters of an idempotency key. Source: Stripe, idempotent requests."""
SPEND_ID = "spend_id"
"""The metadata entry under which a payment carries its spend, so that it is found again without its reference."""


class Outcome(StrEnum):
    """What is known of a payment after a question."""

    SENT = "sent"
    """The provider has accepted it, and it is under way."""
    SETTLED = "settled"
    """The provider says that it arrived; it may still fail or come back."""
    FAILED = "failed"
    """Nothing was paid, or what was paid is back with us: the provider refused it, or its object says so."""
    RETURNED = "returned"
    """It left, and the other bank sent it back."""
    UNKNOWN = "unknown"
    """It may have been paid or not."""
    ABSENT = "absent"
    """A complete look-up found nothing. By itself this proves nothing: see `Windows.absence_after`."""
    LATER = "later"
    """This attempt did nothing, for a reason that passes: too many requests, no access, a duplicate within 24 hours."""
    NEEDS_PERSON = "needs_person"
    """The provider's books disagree with the order: another amount, two payments of one spend, a key used otherwise."""


@dataclass(frozen=True, kw_only=True)
class PaymentOrder:
    """One payment, as it was approved. The same order is given unchanged at every attempt.

    Args:
        spend_id: the spend that it pays.
        key: idempotency key, saved before the first attempt; at most 255 printable ASCII characters.
        amount: minor units, above zero.
        currency: ISO 4217, capitals.
        destination: the provider's reference of the payee's account, never an account number.
        purpose: text for people.
        metadata: further entries that the provider keeps beside the payment.

    Raises:
        ValueError: a field is outside its range.
    """

    spend_id: UUID
    key: str
    amount: int
    currency: str
    destination: str
    purpose: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if isinstance(self.amount, bool) or not 0 < self.amount < 2**63:
            raise ValueError("an amount is above zero and below 2^63 minor units")
        if not 0 < len(self.key) <= KEY_LENGTH_MAX or not self.key.isascii() or not self.key.isprintable():
            raise ValueError("a key has 1 to 255 printable ASCII characters")
        if not self.destination or SPEND_ID in self.metadata:
            raise ValueError("an order names its destination, and its metadata leave spend_id alone")


@dataclass(frozen=True, kw_only=True)
class Fee:
    """What the provider took for a payment, in minor units of its own currency."""

    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a provider said, and what it proves.

    Args:
        outcome: what may be concluded of this question alone.
        reference: the provider's id of the payment; empty where it gave none.
        code: the provider's own word: a status, a failure or return code, an error's code.
        evidence: the answer as JSON, without secrets and account numbers.
        fee: what the provider took; None where it does not say.
        occurred_at: when the provider says that it happened.
        patience: with LATER, how long to wait before asking again; None leaves it to the caller's pauses.
    """

    outcome: Outcome
    reference: str = ""
    code: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    fee: Fee | None = None
    occurred_at: datetime | None = None
    patience: timedelta | None = None

    def __post_init__(self) -> None:
        for name in ("reference", "code"):
            object.__setattr__(self, name, storable(getattr(self, name)))


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A payment in the provider's books, for restore and reconciliation: all of them, whoever made them.

    `spend_id` is None where the payment carries none of ours: somebody else made it.
    """

    spend_id: UUID | None
    amount: int
    currency: str
    created_at: datetime
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Minor units that the provider holds for us: free to pay out, and under way."""

    currency: str
    available: int
    pending: int


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One entry of the provider's statement. Amounts are minor units; what leaves is negative.

    `source` is the reference of the payment that caused it, where there is one.
    """

    reference: str
    source: str
    kind: str
    amount: int
    fee: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A webhook whose signature holds. It says where to look and is never believed: fetch the object.

    Args:
        provider: whose event it is.
        event_id: unique to the event: a second delivery bears it again.
        kind: the provider's word, for example payout.failed.
        reference: the object that changed.
        version: the object's version where the provider counts them, to put events in order; otherwise None.
        sent_at: the time in the signature.
        live: whether the provider says that real money is meant; None where it does not say.
    """

    provider: str
    event_id: str
    kind: str
    reference: str
    version: int | None
    sent_at: datetime
    live: bool | None


@dataclass(frozen=True, kw_only=True)
class Windows:
    """How long a provider's promises hold.

    Args:
        send_again: since the first attempt without a known outcome; after it nothing is sent again.
        absence_after: since the last attempt without a known outcome; a look-up before it that finds nothing is no
            proof; None where it never is one.
        ask_person: since the first attempt without a known outcome; then a person decides, whatever look-ups say.
        pause: between two questions, doubled at each up to `pause_longest`.
        poll: between two looks at a payment that is under way.
        may_come_back: since it arrived, how long it may still fail or come back: Stripe's payouts within five business
            days of `paid`.
        late_poll: between two looks at it in that time.
    """

    send_again: timedelta
    absence_after: timedelta | None
    ask_person: timedelta
    pause: timedelta = timedelta(seconds=2)
    pause_longest: timedelta = timedelta(minutes=15)
    poll: timedelta = timedelta(minutes=30)
    may_come_back: timedelta = timedelta(days=10)
    late_poll: timedelta = timedelta(hours=12)


class ProviderFault(Exception):
    """The provider could not be read: `code` says why, without its words, which may quote what was sent."""

    def __init__(self, provider: str, code: str) -> None:
        self.provider = provider
        self.code = code
        super().__init__(f"{provider} could not be read: {code}")


class Provider(Protocol):
    """One account at a provider. `send` and `look_up` never raise for what the provider or the network does."""

    @property
    def name(self) -> str:
        """`stripe` or `mercury`."""
        ...

    @property
    def windows(self) -> Windows:
        """How long this provider's promises hold."""
        ...

    async def send(self, order: PaymentOrder) -> Answer:
        """Asks to pay, once, under the order's key. The caller has saved the attempt before."""
        ...

    async def look_up(self, order: PaymentOrder, *, reference: str, since: datetime) -> Answer:
        """Looks for an order's payment by its reference, or where that is empty through all made after `since`."""
        ...

    def payments_since(self, since: datetime) -> AsyncIterator[Payment]:
        """Every outgoing payment made since then.

        Raises:
            ProviderFault: the list could not be read to its end.
        """
        ...

    def movements_since(self, since: datetime) -> AsyncIterator[Movement]:
        """Every entry of the account's statement since then, outgoing or not.

        Raises:
            ProviderFault: the list could not be read to its end.
        """
        ...

    async def balance(self, currency: str) -> Balance:
        """What the account holds.

        Raises:
            ProviderFault: it could not be read.
        """
        ...

    def parse_webhook(self, body: bytes, signature: str, *, now: datetime) -> Hint:
        """Checks a webhook's signature and age and reads where it points.

        Raises:
            WebhookRefused: nothing about it is to be believed.
        """
        ...

    async def close(self) -> None:
        """Closes the connections."""
        ...
