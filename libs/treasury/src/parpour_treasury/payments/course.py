"""The course of a payment: what is known of it, as it is kept, and what an answer means for its spend. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from pydantic import TypeAdapter

from parpour_treasury.providers.port import Answer, Outcome, PaymentOrder, Windows
from parpour_treasury.providers.steps import History, Next, next_step
from parpour_treasury.providers.steps import Step as Action
from parpour_treasury.spending.states import State, Step

_HISTORY = TypeAdapter(History)


@dataclass(frozen=True, slots=True)
class Course:
    """A payment under way, as the worker read it."""

    order: PaymentOrder
    provider: str
    state: State
    reference: str
    """The provider's, as the spend knows it or people found it there; empty if nobody knows it."""
    submitted_at: datetime
    version: int
    """Of the course that was read; 0 if none was ever kept."""
    history: History

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """From an element of treasury.due_payments.

        Raises:
            ValueError: if the payee's destination names no account at the provider.
        """
        payment, history = row["payment"], row["history"]
        return cls(
            PaymentOrder(
                spend_id=UUID(payment["spend"]),
                key=payment["key"],
                amount=payment["amount"],
                currency=payment["currency"],
                destination=payment["destination"].get("id", ""),
                purpose=payment["purpose"],
            ),
            payment["provider"],
            State(payment["state"]),
            payment["providerReference"] or row["found"] or "",
            datetime.fromisoformat(payment["submittedAt"]),
            row["version"],
            History() if history is None else _HISTORY.validate_python(history),
        )

    @property
    def spend(self) -> UUID:
        """Which spend it pays."""
        return self.order.spend_id

    def kept(self, history: History) -> Self:
        """The same one after another history was kept."""
        return replace(self, version=self.version + 1, history=history)


def history_text(history: History) -> str:
    """A history as JSON."""
    return _HISTORY.dump_json(history).decode()


@dataclass(frozen=True, slots=True)
class Told:
    """One step of a spend, told by a provider."""

    step: Step
    reference: str
    """What makes a second telling known: the payment and the provider's word."""
    provider_reference: str | None
    evidence: Mapping[str, Any]
    fee: int

    def to_json(self) -> dict[str, Any]:
        """As treasury.learn takes it."""
        return {
            "step": self.step.value,
            "reference": self.reference,
            "providerReference": self.provider_reference,
            "evidence": self.evidence,
            "fee": self.fee,
        }


OPEN = frozenset({State.SUBMITTING, State.UNKNOWN, State.SENT, State.SETTLED})
"""States of a spend in which a provider may still tell something that moves it."""

_STEPS: dict[tuple[State, Outcome], tuple[Step, ...]] = {
    (State.SUBMITTING, Outcome.UNKNOWN): (Step.UNKNOWN,),
    (State.SUBMITTING, Outcome.NEEDS_PERSON): (Step.UNKNOWN,),
    (State.SENT, Outcome.SETTLED): (Step.SETTLED,),
    (State.SENT, Outcome.FAILED): (Step.FAILED,),
    (State.SENT, Outcome.RETURNED): (Step.RETURNED,),
    (State.SETTLED, Outcome.FAILED): (Step.FAILED,),
    (State.SETTLED, Outcome.RETURNED): (Step.RETURNED,),
}
for _state in (State.SUBMITTING, State.UNKNOWN):
    _STEPS[_state, Outcome.SENT] = (Step.SENT,)
    _STEPS[_state, Outcome.SETTLED] = (Step.SENT, Step.SETTLED)
    _STEPS[_state, Outcome.FAILED] = (Step.FAILED,)
    _STEPS[_state, Outcome.RETURNED] = (Step.SENT, Step.RETURNED)


def told_by(course: Course, answer: Answer, history: History) -> tuple[Told, ...]:
    """The steps of the spend that an answer amounts to; none, if it tells nothing new.

    A refusal by which only its own attempt did nothing is no failure of the payment: `history` says whether it is one.
    """
    settled_by_history = history.outcome is answer.outcome or answer.outcome is Outcome.UNKNOWN
    steps = _STEPS.get((course.state, answer.outcome), ()) if settled_by_history else ()
    known = answer.reference or course.reference or None
    fee = answer.fee.amount if answer.fee is not None and answer.fee.currency == course.order.currency else 0
    return tuple(
        Told(
            step,
            f"{course.provider}/{known or 'attempt'}/{step.value}/{answer.code}"[:255],
            known,
            dict(answer.evidence),
            fee if step is steps[-1] else 0,
        )
        for step in steps
    )


def beyond_us(course: Course, why: str) -> tuple[Told, ...]:
    """That only a person can find out: from here on it is unknown, and not just under way."""
    if course.state is not State.SUBMITTING:
        return ()
    return (
        Told(Step.UNKNOWN, f"{course.provider}/unknown", None, {"why": why, "attempts": course.history.attempts}, 0),
    )


def given_up(course: Course, why: str) -> Told:
    """That nothing was paid, and how that is known without an answer that says so."""
    history = course.history
    evidence = {
        "why": why,
        "attempts": history.attempts,
        "lookedUpInVainAt": history.absent_at.isoformat() if history.absent_at else None,
    }
    return Told(Step.FAILED, f"{course.provider}/nothing paid", None, evidence, 0)


SILENCE = timedelta(days=7)
"""How long look-ups may tell nothing of a payment that is under way, before a person is asked as well: a request that
was turned down at Mercury can be seen by people alone."""


def found_out(course: Course) -> bool:
    """Whether people have found out that it was sent, and the provider has not told it yet."""
    return course.state in (State.SENT, State.SETTLED) and course.history.outcome in (None, Outcome.NEEDS_PERSON)


def due_after(course: Course, windows: Windows, now: datetime) -> tuple[datetime | None, bool]:
    """When there is something to do again, and whether only a person can go on.

    Of a spend that has ended, money that was moved all the same is a person's matter.
    """
    if course.state not in OPEN:
        return None, course.history.outcome in (Outcome.SENT, Outcome.SETTLED, Outcome.NEEDS_PERSON)
    if found_out(course):
        return now + windows.poll, False
    arrived = course.history.settled_since if course.history.outcome is Outcome.SETTLED else None
    if arrived is not None and now < arrived + windows.may_come_back:
        # Its webhook may be lost.
        return now + windows.late_poll, False
    following = next_step(course.history, windows, now)
    if following.step is Action.ASK_PERSON:
        return None, True
    silent = course.history.silent_since
    asks_person = course.state is State.SENT and silent is not None and now >= silent + SILENCE
    return (None if following.step is Action.NOTHING else following.at), asks_person


def stopped_step(course: Course, windows: Windows, now: datetime) -> Next:
    """What to do with a payment that people have stopped: nothing is sent, and what was sent is found out."""
    history = course.history
    if not history.doubtful:
        return Next(Action.CONCLUDE_FAILED, now, "people have stopped it, and nothing was sent")
    last = history.in_flight or history.open_last
    assert last is not None, "an attempt is in doubt"
    looked = history.absent_at is not None and history.absent_at > last
    if windows.absence_after is None:
        # This provider's silence is never a proof.
        step = Action.ASK_PERSON if looked else Action.LOOK_UP
        return Next(step, now, "people have stopped it, and what was sent may still appear")
    proof = last + windows.absence_after
    if history.absent_at is not None and history.absent_at >= proof:
        return Next(Action.CONCLUDE_FAILED, now, "people have stopped it, and what was sent left nothing")
    step = Action.LOOK_UP if now >= proof else Action.WAIT
    return Next(step, max(now, proof), "people have stopped it, and what was sent may still appear")


def evidence_of(tellings: Sequence[Told]) -> list[dict[str, Any]]:
    """Steps as treasury.learn takes them."""
    return [one.to_json() for one in tellings]
