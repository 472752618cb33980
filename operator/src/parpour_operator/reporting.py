"""Builds the next status from the last one: conditions, the derived state, and the Events that a change deserves.

`status.progress` is never touched here: it belongs to another field manager, so that a progress beat and a transition
cannot undo each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parpour_contracts.conditions import Condition, is_true, set_condition, shorten
from parpour_contracts.simulation import Backend, ConditionType, Cost, Result, SimulationStatus, State

Truth = Literal["True", "False", "Unknown"]
IMAGE_LIMIT = 512


@dataclass(frozen=True)
class Event:
    """One line of `kubectl describe`."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True)
class Report:
    """A status under construction. Every method gives a new one; `now` dates the conditions that change."""

    status: SimulationStatus
    generation: int
    now: datetime

    def condition(self, kind: ConditionType, status: Truth, reason: str, message: str) -> Report:
        """With one condition set."""
        conditions = set_condition(
            self.status.conditions,
            type=kind.value,
            status=status,
            reason=reason,
            message=message,
            observed_generation=self.generation,
            now=self.now,
        )
        return self._with(conditions=conditions)

    def accepted(self, *, scenario: str, shards: int, backend: Backend, store: str) -> Report:
        """The spec can be run."""
        message = f"{scenario}: {shards} shard{'s' if shards > 1 else ''} on {backend}"
        report = self.condition(ConditionType.ACCEPTED, "True", "Accepted", message)
        return report._with(scenario=scenario, shards=shards, backend=backend, store=store)

    def refused(self, reason: str, message: str) -> Report:
        """The spec cannot be run as it stands; nothing was started."""
        return self.condition(ConditionType.ACCEPTED, "False", reason, message)

    def funded(self, status: Truth, reason: str, message: str) -> Report:
        """Whether money is kept free for the run."""
        return self.condition(ConditionType.FUNDED, status, reason, message)

    def cost(self, cost: Cost) -> Report:
        """What is reserved, used and charged."""
        return self._with(cost=cost)

    def began(self, at: datetime) -> Report:
        """The workers' Job exists since then."""
        return self if self.status.start_time is not None else self._with(start_time=at)

    def image(self, name: str) -> Report:
        """Workers run this image."""
        return self._with(worker_image=name[:IMAGE_LIMIT]) if name and not self.status.worker_image else self

    def running(self, status: Truth, reason: str, message: str) -> Report:
        """Whether workers run."""
        return self.condition(ConditionType.RUNNING, status, reason, message)

    def suspended(self, reason: str, message: str) -> Report:
        """Workers were stopped and can go on."""
        report = self.condition(ConditionType.SUSPENDED, "True", reason, message)
        return report.running("False", reason, message)

    def resumed(self) -> Report:
        """Workers may run again; says nothing of a run that was never suspended."""
        if not is_true(self.status.conditions, ConditionType.SUSPENDED):
            return self
        return self.condition(ConditionType.SUSPENDED, "False", "Resumed", "workers go on from their checkpoints")

    def complete(self, result: Result, at: datetime) -> Report:
        """Every member's results were verified."""
        message = f"{result.members} members verified; digest {result.digest}"
        report = self.resumed().running("False", "Complete", "all shards are done")
        report = report.condition(ConditionType.COMPLETE, "True", "ResultsVerified", message)
        return report._with(result=result, completion_time=at)

    def failed(self, reason: str, message: str, at: datetime) -> Report:
        """The run came to nothing."""
        report = self.resumed().running("False", "Failed", "the run failed")
        report = report.condition(ConditionType.FAILED, "True", reason, message)
        return report._with(completion_time=at)

    def not_erased(self, reason: str, message: str) -> Report:
        """The resource is deleted, and something keeps its results from being erased."""
        return self.condition(ConditionType.ERASED, "False", reason, message)

    def finish(self) -> SimulationStatus:
        """The status, with what is derived."""
        conditions = self.status.conditions
        return self._with(observed_generation=self.generation, state=derive_state(conditions)).status

    def _with(self, **changes: object) -> Report:
        return Report(self.status.model_copy(update=changes), self.generation, self.now)


def derive_state(conditions: tuple[Condition, ...]) -> State:
    """One word for people."""
    order = (
        (ConditionType.COMPLETE, State.COMPLETE),
        (ConditionType.FAILED, State.FAILED),
        (ConditionType.SUSPENDED, State.SUSPENDED),
        (ConditionType.RUNNING, State.RUNNING),
    )
    return next((state for kind, state in order if is_true(conditions, kind)), State.PENDING)


def is_finished(status: SimulationStatus) -> bool:
    """Whether the run is over, one way or the other."""
    return is_true(status.conditions, ConditionType.COMPLETE) or is_true(status.conditions, ConditionType.FAILED)


_TOLD: dict[tuple[str, str], tuple[Literal["Normal", "Warning"], str]] = {
    (ConditionType.ACCEPTED, "False"): ("Warning", ""),
    (ConditionType.FUNDED, "False"): ("Warning", ""),
    (ConditionType.RUNNING, "True"): ("Normal", "Started"),
    (ConditionType.SUSPENDED, "True"): ("Normal", ""),
    (ConditionType.SUSPENDED, "False"): ("Normal", "Resumed"),
    (ConditionType.COMPLETE, "True"): ("Normal", "Completed"),
    (ConditionType.FAILED, "True"): ("Warning", ""),
    (ConditionType.ERASED, "False"): ("Warning", ""),
}
"""Which condition, at which status, is told as an Event: type and reason ("" takes the condition's reason)."""


def events_between(before: SimulationStatus, after: SimulationStatus) -> tuple[Event, ...]:
    """The Events of a transition: conditions whose status or reason changed and that people want to hear of."""
    known = {c.type: (c.status, c.reason) for c in before.conditions}
    told = []
    for condition in after.conditions:
        rule = _TOLD.get((condition.type, condition.status))
        if rule is None or known.get(condition.type) == (condition.status, condition.reason):
            continue
        told.append(Event(rule[0], rule[1] or condition.reason, shorten(condition.message)))
    return tuple(told)
