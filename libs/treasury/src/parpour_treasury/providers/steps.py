"""What to do next for one payment: a table over what is known of it so far.

The worker keeps a `History` beside the spend. It writes `begin` before it sends, so that a crash leaves an attempt
without an answer, and `learn` after each answer. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from parpour_treasury.providers.port import Answer, Outcome, Windows


class Step(StrEnum):
    """What the worker does next."""

    SEND = "send"
    LOOK_UP = "look up"
    WAIT = "wait"
    CONCLUDE_FAILED = "conclude that it failed"
    ASK_PERSON = "ask a person"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class History:
    """What is known of a payment.

    Args:
        attempts: how often it was sent; `questions` counts look-ups since the last news.
        in_flight: an attempt was begun then and has no answer yet; after a crash it never gets one.
        open_since, open_last: first and last attempt that may have paid although no answer says so.
        refused_at: an attempt after those was refused, which does not tell what the earlier ones did.
        absent_at: the last complete look-up that found nothing.
        asked_at: the last question of either kind.
        not_before: the provider asked for patience until then.
        answer: the last answer that says where the payment stands.
    """

    attempts: int = 0
    questions: int = 0
    in_flight: datetime | None = None
    open_since: datetime | None = None
    open_last: datetime | None = None
    refused_at: datetime | None = None
    absent_at: datetime | None = None
    asked_at: datetime | None = None
    not_before: datetime | None = None
    answer: Answer | None = None

    @property
    def outcome(self) -> Outcome | None:
        """Where the payment stands; None while nothing says so."""
        return self.answer.outcome if self.answer else None

    @property
    def doubtful(self) -> bool:
        """Whether it may have been paid although no answer says so."""
        return self.outcome is None and (self.open_since is not None or self.in_flight is not None)


def begin(history: History, now: datetime) -> History:
    """An attempt starts; saved before the request leaves."""
    history = _lost(history)
    return replace(history, attempts=history.attempts + 1, questions=0, in_flight=now, asked_at=now, not_before=None)


def _lost(history: History) -> History:
    """Counts an attempt without an answer among those that may have paid."""
    if history.in_flight is None:
        return history
    return replace(
        history,
        in_flight=None,
        open_since=history.open_since or history.in_flight,
        open_last=history.in_flight,
    )


def learn(history: History, answer: Answer, now: datetime, *, of: Step) -> History:
    """Adds the answer to a SEND or a LOOK_UP to what is known.

    A refusal or a request for patience proves only that its own attempt did nothing: where an earlier attempt is in
    doubt, the payment stays in doubt. A look-up tells nothing of an attempt whose answer was lost but what it found.
    """
    assert of in {Step.SEND, Step.LOOK_UP}, of
    if of is Step.LOOK_UP:
        history = _lost(history)
    history = replace(history, asked_at=now, questions=history.questions + (of is Step.LOOK_UP))
    match answer.outcome:
        case Outcome.UNKNOWN:
            return _lost(history)
        case Outcome.ABSENT:
            return replace(history, absent_at=now)
        case Outcome.LATER:
            return replace(history, in_flight=None, not_before=answer.not_before)
        case Outcome.FAILED if not answer.reference and history.open_since is not None:
            return replace(history, in_flight=None, refused_at=now)
    return replace(history, in_flight=None, not_before=None, answer=answer, questions=0)


@dataclass(frozen=True)
class Next:
    """A step, when it is due, and the rule that chose it."""

    step: Step
    at: datetime
    why: str


def _pause(history: History, windows: Windows) -> timedelta:
    """Doubles with every attempt and question, up to a bound."""
    doublings = min(history.attempts + history.questions, 16)
    return min(windows.pause * 2**doublings, windows.pause_longest)


def _after_pause(history: History, windows: Windows) -> datetime | None:
    due = history.asked_at + _pause(history, windows) if history.asked_at else None
    if history.not_before and (due is None or history.not_before > due):
        return history.not_before
    return due


def _absence_proven(history: History, windows: Windows) -> bool:
    assert history.open_last is not None, "an attempt is in doubt"
    return history.absent_at is not None and history.absent_at >= history.open_last + windows.absence_after


def _absence_due(history: History, windows: Windows) -> datetime | None:
    """When a look-up can prove absence, and not sooner than the pause."""
    assert history.open_last is not None, "an attempt is in doubt"
    proof = history.open_last + windows.absence_after
    paused = _after_pause(history, windows)
    return max(proof, paused) if paused else proof


def _looked(history: History) -> bool:
    """Whether a complete look-up came after the last attempt in doubt."""
    return history.absent_at is not None and history.open_last is not None and history.absent_at >= history.open_last


def _window_over(history: History, windows: Windows, now: datetime) -> bool:
    return history.open_since is not None and now >= history.open_since + windows.send_again


def _poll_due(history: History, windows: Windows) -> datetime | None:
    return history.asked_at + windows.poll if history.asked_at else None


def _at_once(history: History, windows: Windows) -> datetime | None:
    return None


_Holds = Callable[[History, Windows, datetime], bool]
_Due = Callable[[History, Windows], datetime | None]


@dataclass(frozen=True)
class Rule:
    """One row: where it holds, the step is due at a time (None: at once), and until then the worker waits."""

    why: str
    holds: _Holds
    step: Step
    due: _Due


RULES: tuple[Rule, ...] = (
    Rule(
        "the provider's books disagree with the order",
        lambda h, w, now: h.outcome is Outcome.NEEDS_PERSON,
        Step.ASK_PERSON,
        _at_once,
    ),
    Rule("it is under way", lambda h, w, now: h.outcome is Outcome.SENT, Step.LOOK_UP, _poll_due),
    Rule("its end is known", lambda h, w, now: h.outcome is not None, Step.NOTHING, _at_once),
    Rule("no attempt is in doubt", lambda h, w, now: not h.doubtful, Step.SEND, _after_pause),
    Rule(
        "a later attempt was refused, and the earlier one left nothing",
        lambda h, w, now: h.refused_at is not None and _absence_proven(h, w),
        Step.CONCLUDE_FAILED,
        _at_once,
    ),
    Rule(
        "a later attempt was refused, and the earlier one may still appear",
        lambda h, w, now: h.refused_at is not None,
        Step.LOOK_UP,
        _absence_due,
    ),
    Rule(
        "the window is over, and nothing was found",
        lambda h, w, now: _window_over(h, w, now) and _absence_proven(h, w),
        Step.ASK_PERSON,
        _at_once,
    ),
    Rule("the window is over", lambda h, w, now: _window_over(h, w, now), Step.LOOK_UP, _absence_due),
    Rule(
        "an attempt is in doubt, and nobody has looked since",
        lambda h, w, now: not _looked(h),
        Step.LOOK_UP,
        _after_pause,
    ),
    Rule("nothing was found, and the key still protects", lambda h, w, now: True, Step.SEND, _after_pause),
)
"""Read from the top: the first row that holds decides."""


def next_step(history: History, windows: Windows, now: datetime) -> Next:
    """What to do with a payment now, given that no request of it is in flight in this process.

    Steps are due at `Next.at`; before it the step is WAIT. A SEND that would fall behind the window is never waited
    for: the row for the end of the window takes over at its own time.
    """
    history = _lost(history)
    for rule in RULES:
        if rule.holds(history, windows, now):
            due = rule.due(history, windows)
            if due is None or due <= now:
                return Next(rule.step, now, rule.why)
            return Next(Step.WAIT, due, rule.why)
    raise AssertionError("the last row always holds")
