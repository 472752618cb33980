"""What to do next for one payment: a table over what is known of it so far.

The worker keeps a `History` beside the spend. It writes `begin` before it sends, so that a crash leaves an attempt
without an answer, and `learn` after each answer. Nothing here reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
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
        begun_at: when the first attempt began: look-ups reach back to it.
        in_flight: an attempt was begun then and has no answer yet; after a crash it never gets one.
        open_since, open_last: first and last attempt that may have paid although no answer says so.
        refused_at: an attempt after those was refused, which does not tell what the earlier ones did.
        absent_at: the last complete look-up that found nothing.
        asked_at: the last question of either kind.
        silent_since: the first of the look-ups that told nothing of a payment that is under way.
        not_before: the provider asked for patience until then.
        reference: the provider's id of the payment, once any answer told it.
        answer: the last answer that says where the payment stands.
        settled_since: when it was first said to have arrived.
    """

    attempts: int = 0
    questions: int = 0
    begun_at: datetime | None = None
    in_flight: datetime | None = None
    open_since: datetime | None = None
    open_last: datetime | None = None
    refused_at: datetime | None = None
    absent_at: datetime | None = None
    asked_at: datetime | None = None
    silent_since: datetime | None = None
    not_before: datetime | None = None
    reference: str = ""
    answer: Answer | None = None
    settled_since: datetime | None = None

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
    return replace(
        history,
        attempts=history.attempts + 1,
        questions=0,
        begun_at=history.begun_at or now,
        in_flight=now,
        asked_at=now,
        not_before=None,
    )


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
    history = replace(
        history,
        asked_at=now,
        questions=history.questions + (of is Step.LOOK_UP),
        reference=answer.reference or history.reference,
    )
    if history.outcome is Outcome.SENT and answer.outcome in (Outcome.UNKNOWN, Outcome.ABSENT):
        history = replace(history, silent_since=history.silent_since or now)
    match answer.outcome:
        case Outcome.UNKNOWN:
            return _lost(history)
        case Outcome.ABSENT:
            return replace(history, absent_at=now)
        case Outcome.LATER:
            return replace(
                history, in_flight=None, not_before=now + answer.patience if answer.patience else history.not_before
            )
        case Outcome.FAILED if not answer.reference and history.open_since is not None:
            return replace(history, in_flight=None, refused_at=now)
    if answer.outcome is Outcome.SETTLED:
        history = replace(history, settled_since=history.settled_since or now)
    return replace(history, in_flight=None, not_before=None, silent_since=None, answer=answer, questions=0)


@dataclass(frozen=True)
class Next:
    """A step, when it is due, and the rule that chose it."""

    step: Step
    at: datetime
    why: str


@dataclass(frozen=True)
class _Now:
    """A history at a moment, as the rules see it."""

    history: History
    windows: Windows
    now: datetime

    @property
    def outcome(self) -> Outcome | None:
        return self.history.outcome

    @property
    def after_pause(self) -> datetime | None:
        """When the next question is due: the pause doubles with every attempt and question, up to a bound."""
        h = self.history
        if h.asked_at is None:
            return None
        doublings = min(h.attempts + h.questions, 16)
        due: datetime = h.asked_at + min(self.windows.pause * (1 << doublings), self.windows.pause_longest)
        return max(due, h.not_before) if h.not_before else due

    @property
    def absence_due(self) -> datetime | None:
        """When a look-up can prove absence, and not sooner than the pause."""
        assert self.history.open_last is not None, "an attempt is in doubt"
        if self.windows.absence_after is None:
            return self.after_pause
        proof = self.history.open_last + self.windows.absence_after
        return max(proof, self.after_pause) if self.after_pause else proof

    @property
    def absence_proven(self) -> bool:
        h, after = self.history, self.windows.absence_after
        assert h.open_last is not None, "an attempt is in doubt"
        return after is not None and h.absent_at is not None and h.absent_at >= h.open_last + after

    @property
    def looked_enough(self) -> bool:
        """Whether more look-ups would tell a person no more."""
        return self.absence_proven or (self.windows.absence_after is None and self.looked)

    @property
    def looked(self) -> bool:
        """Whether a complete look-up came after the last attempt in doubt."""
        h = self.history
        return h.absent_at is not None and h.open_last is not None and h.absent_at > h.open_last

    @property
    def window_over(self) -> bool:
        since = self.history.open_since
        return since is not None and self.now >= since + self.windows.send_again

    @property
    def too_long(self) -> bool:
        """Whether the last question, too, came that late: whoever slept for a week looks once more."""
        since, asked = self.history.open_since, self.history.asked_at
        return since is not None and asked is not None and asked >= since + self.windows.ask_person

    @property
    def refused(self) -> bool:
        return self.history.refused_at is not None

    @property
    def poll_due(self) -> datetime | None:
        asked = self.history.asked_at
        return asked + self.windows.poll if asked else None

    @property
    def at_once(self) -> datetime | None:
        return None


@dataclass(frozen=True)
class Rule:
    """One row: where it holds, the step is due at a time (None: at once), and until then the worker waits."""

    why: str
    holds: Callable[[_Now], bool]
    step: Step
    due: Callable[[_Now], datetime | None]


RULES: tuple[Rule, ...] = (
    Rule(
        "the provider's books disagree with the order",
        lambda n: n.outcome is Outcome.NEEDS_PERSON,
        Step.ASK_PERSON,
        lambda n: n.at_once,
    ),
    Rule("it is under way", lambda n: n.outcome is Outcome.SENT, Step.LOOK_UP, lambda n: n.poll_due),
    Rule("its end is known", lambda n: n.outcome is not None, Step.NOTHING, lambda n: n.at_once),
    Rule("no attempt is in doubt", lambda n: not n.history.doubtful, Step.SEND, lambda n: n.after_pause),
    Rule(
        "a later attempt was refused, and the earlier one left nothing",
        lambda n: n.refused and n.absence_proven,
        Step.CONCLUDE_FAILED,
        lambda n: n.at_once,
    ),
    Rule(
        "the window is over, and nothing was found",
        lambda n: n.window_over and n.looked_enough,
        Step.ASK_PERSON,
        lambda n: n.at_once,
    ),
    Rule(
        "it is in doubt for too long, and look-ups tell nothing",
        lambda n: n.too_long,
        Step.ASK_PERSON,
        lambda n: n.at_once,
    ),
    Rule(
        "a later attempt was refused, and the earlier one may still appear",
        lambda n: n.refused,
        Step.LOOK_UP,
        lambda n: n.absence_due,
    ),
    Rule("the window is over", lambda n: n.window_over, Step.LOOK_UP, lambda n: n.absence_due),
    Rule(
        "an attempt is in doubt, and nobody has looked since",
        lambda n: not n.looked,
        Step.LOOK_UP,
        lambda n: n.after_pause,
    ),
    Rule(
        "nothing was found, and the key still protects",
        lambda n: n.looked,
        Step.SEND,
        lambda n: n.after_pause,
    ),
)
"""Read from the top: the first row that holds decides."""


def next_step(history: History, windows: Windows, now: datetime) -> Next:
    """What to do with a payment now, given that no request of it is in flight in this process.

    A step is due at `Next.at`; before it the step is WAIT. A SEND that would fall behind the window is not waited for:
    the rows for the end of the window take over at its own time.
    """
    situation = _Now(_lost(history), windows, now)
    for rule in RULES:
        if rule.holds(situation):
            due = rule.due(situation)
            if due is None or due <= now:
                return Next(rule.step, now, rule.why)
            return Next(Step.WAIT, due, rule.why)
    raise AssertionError("a row holds for every history")
