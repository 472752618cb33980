"""The life of a spend, as one table.

Code asks it, the database mirrors it (treasury.next_state) and refuses any other step, and the page about spending
prints it. A request is decided at once, so no state is called requested.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a spend stands."""

    REFUSED = "refused"
    AWAITING_APPROVAL = "awaiting_approval"
    RESERVED = "reserved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUBMITTING = "submitting"
    UNKNOWN = "unknown"
    SENT = "sent"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"


class Step(StrEnum):
    """What happens to a spend; its event is treasury.spend.<step>."""

    REFUSED = "refused"
    AWAITING = "awaiting"
    RESERVED = "reserved"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    RENEWED = "renewed"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SENT = "sent"
    SETTLED = "settled"
    FAILED = "failed"
    RETURNED = "returned"


STEPS: dict[tuple[State | None, Step], State] = {
    (None, Step.REFUSED): State.REFUSED,
    (None, Step.AWAITING): State.AWAITING_APPROVAL,
    (None, Step.RESERVED): State.RESERVED,
    (State.AWAITING_APPROVAL, Step.APPROVED): State.AWAITING_APPROVAL,
    (State.AWAITING_APPROVAL, Step.RESERVED): State.RESERVED,
    (State.AWAITING_APPROVAL, Step.REFUSED): State.REFUSED,
    (State.AWAITING_APPROVAL, Step.REJECTED): State.REJECTED,
    (State.AWAITING_APPROVAL, Step.EXPIRED): State.EXPIRED,
    (State.AWAITING_APPROVAL, Step.CANCELLED): State.CANCELLED,
    (State.RESERVED, Step.RENEWED): State.RESERVED,
    (State.RESERVED, Step.SUBMITTED): State.SUBMITTING,
    (State.RESERVED, Step.SETTLED): State.SETTLED,
    (State.RESERVED, Step.EXPIRED): State.EXPIRED,
    (State.RESERVED, Step.CANCELLED): State.CANCELLED,
    (State.SUBMITTING, Step.SENT): State.SENT,
    (State.SUBMITTING, Step.UNKNOWN): State.UNKNOWN,
    (State.SUBMITTING, Step.FAILED): State.FAILED,
    (State.UNKNOWN, Step.SENT): State.SENT,
    (State.UNKNOWN, Step.FAILED): State.FAILED,
    (State.SENT, Step.SETTLED): State.SETTLED,
    (State.SENT, Step.FAILED): State.FAILED,
    (State.SENT, Step.RETURNED): State.RETURNED,
    (State.SETTLED, Step.RETURNED): State.RETURNED,
    (State.SETTLED, Step.FAILED): State.FAILED,
}
"""(state, step) -> state; None is before the request. What is not here does not happen."""

METERED_STEPS = frozenset({(State.RESERVED, Step.RENEWED), (State.RESERVED, Step.SETTLED)})
"""Steps of internal spends alone: nobody is paid, so what was used is known without a provider."""

PAID_STEPS = frozenset({(State.RESERVED, Step.SUBMITTED), (State.SETTLED, Step.RETURNED), (State.SETTLED, Step.FAILED)})
"""Steps of spends alone that a provider pays."""

HELD = frozenset({State.RESERVED, State.SUBMITTING, State.UNKNOWN})
"""States in which the ledger holds the amount."""

COMMITTED = HELD | {State.SENT}
"""States that count as reserved in their envelopes."""


def next_state(state: State | None, step: Step, *, internal: bool) -> State | None:
    """Where a step leads; None if it may not be taken."""
    if (state, step) in (PAID_STEPS if internal else METERED_STEPS):
        return None
    return STEPS.get((state, step))
