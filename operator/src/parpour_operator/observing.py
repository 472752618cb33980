"""The facts that a plan is made from, as frozen values, and how they are read off the API's objects.

Planning never sees a raw object: what it may know stands here, so a test can state a situation in a line. The readers
take plain mappings, as the client hands them over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import ValidationError

from parpour_contracts.funding import Fault, Reservation, ReservationState
from parpour_contracts.messages import Termination
from parpour_contracts.model import Wire
from parpour_contracts.run import RUN_FILE, RunDocument
from parpour_contracts.simulation import SimulationSpec, SimulationStatus

Raw = Mapping[str, Any]
M = TypeVar("M", bound=Wire)
NAME_LABEL = "parpour.dev/simulation"
UID_LABEL = "parpour.dev/simulation-uid"
RESERVATION_ANNOTATION = "parpour.dev/reservation"
WORKER_CONTAINER = "worker"


class Key(NamedTuple):
    """What the queue holds: the address of one Simulation."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Resource:
    """A Simulation as it was read."""

    key: Key
    uid: str
    generation: int
    created: datetime
    deleting: bool
    finalizers: tuple[str, ...]
    spec: SimulationSpec | None
    """None if this operator cannot read the spec; `fault` then says why."""
    status: SimulationStatus
    fault: str = ""


@dataclass(frozen=True)
class RunMap:
    """The ConfigMap with the run document; `document` is None if it is not one."""

    uid: str
    document: RunDocument | None


@dataclass(frozen=True)
class Job:
    """A Job of a Simulation."""

    name: str
    uid: str
    created: datetime
    suspended: bool = False
    deleting: bool = False
    active: int = 0
    ready: int = 0
    succeeded: int = 0
    completed: str = ""
    """Completed indexes as intervals, for example "0-3,7"."""
    failed_indexes: int = 0
    failed: int = 0
    outcome: Literal["", "Complete", "Failed"] = ""
    reason: str = ""
    message: str = ""
    ended: datetime | None = None
    began: datetime | None = None
    """When its present stretch began: set anew when it is resumed, None while it is suspended."""
    suspended_at: datetime | None = None
    """When its controller stopped it, while it is suspended."""
    deadline: int | None = None
    """activeDeadlineSeconds, which count from `began`."""
    reservation: str = ""
    """The reservation that pays for it."""


@dataclass(frozen=True)
class Pod:
    """A worker pod, as far as it explains what happens."""

    name: str
    job: str
    index: int | None
    phase: str
    waiting: str = ""
    """Why it does not run, for people; empty if it runs or ran."""
    exit_code: int | None = None
    exit_reason: str = ""
    termination: Termination | None = None
    image: str = ""
    started: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True)
class ScenarioText:
    """The scenario document, found."""

    text: str


@dataclass(frozen=True)
class ScenarioMissing:
    """The scenario document is not there."""

    reason: str
    message: str


@dataclass(frozen=True)
class Foreign:
    """An object that has the name of one of ours and belongs to someone else."""

    kind: str
    name: str
    predecessor: bool
    """It belonged to an earlier Simulation of the same name and waits for garbage collection."""


@dataclass(frozen=True)
class Refused:
    """A child that the API server would not take."""

    kind: str
    name: str
    message: str
    terminating: bool
    """The namespace is being deleted."""


@dataclass(frozen=True)
class Funds:
    """What the treasury says of one Simulation."""

    namespace_uid: str = ""
    venture: UUID | None = None
    """The venture that the namespace is bound to."""
    reservations: tuple[Reservation, ...] = ()
    """Those of this Simulation, the latest first."""
    refused: Fault | None = None
    """What the treasury answered to a step of this reconciliation, if it refused."""
    away: str = ""
    """Why the treasury could not be asked."""

    def find(self, reservation: str) -> Reservation | None:
        """A reservation by its identity."""
        return next((one for one in self.reservations if str(one.reservation) == reservation), None)

    def open(self) -> tuple[Reservation, ...]:
        """Those that keep money free, or may come to."""
        live = (ReservationState.RESERVED, ReservationState.AWAITING)
        return tuple(one for one in self.reservations if one.state in live)

    def with_answer(self, answer: Reservation) -> Funds:
        """With what the treasury has just said of one."""
        if answer.state is ReservationState.REFUSED:
            return replace(self, refused=answer.fault)
        others = [one for one in self.reservations if one.reservation != answer.reservation]
        return replace(self, reservations=(answer, *others), refused=answer.fault)


@dataclass(frozen=True)
class Observed:
    """All facts about one Simulation. What a situation does not call for is not read and stays at its default."""

    resource: Resource
    run_map: RunMap | None = None
    jobs: Mapping[str, Job] = field(default_factory=dict)
    """By name."""
    pods: tuple[Pod, ...] = ()
    source: ScenarioText | ScenarioMissing | None = None
    gpu: bool | None = None
    """Whether a fitting node offers a GPU; None where it was not asked or may not be known."""
    foreign: Foreign | None = None
    refused: Refused | None = None
    funds: Funds | None = None
    """None where there is no treasury, or nothing to ask it."""


def read_time(text: str | None) -> datetime | None:
    """An API timestamp."""
    return datetime.fromisoformat(text) if text else None


def read_resource(raw: Raw) -> Resource:
    """A Simulation from the API's object. A spec or status of another version is a fault, not an exception."""
    meta = raw["metadata"]
    spec, fault = read_model(SimulationSpec, raw.get("spec", {}))
    status, _ = read_model(SimulationStatus, raw.get("status", {}))
    return Resource(
        key=Key(meta["namespace"], meta["name"]),
        uid=meta["uid"],
        generation=meta.get("generation", 0),
        created=datetime.fromisoformat(meta["creationTimestamp"]),
        deleting="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers", ())),
        spec=spec,
        status=status or SimulationStatus(),
        fault=fault,
    )


def read_model(model: type[M], raw: Raw) -> tuple[M | None, str]:
    """A part of a resource, or None and what is wrong with its first field that is."""
    try:
        return model.model_validate(raw), ""
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return None, f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def owner_uid(raw: Raw) -> tuple[str, str]:
    """(kind, UID) of an object's controller, or empty strings."""
    for owner in raw["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            return owner["kind"], owner["uid"]
    return "", ""


def read_run_map(raw: Raw) -> RunMap:
    """The run document's ConfigMap."""
    text = raw.get("data", {}).get(RUN_FILE, "")
    try:
        document = RunDocument.from_json(text)
    except ValidationError:
        document = None
    return RunMap(uid=raw["metadata"]["uid"], document=document)


def read_job(raw: Raw) -> Job:
    """A Job's state. Active pods that terminate still count as active, as they still write."""
    meta, status = raw["metadata"], raw.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions", ()) if c.get("status") == "True"}
    outcome: Literal["", "Complete", "Failed"] = (
        "Complete" if "Complete" in conditions else "Failed" if "Failed" in conditions else ""
    )
    last = conditions.get(outcome, {})
    suspended = bool(raw["spec"].get("suspend", False))
    stopped = conditions.get("Suspended")
    return Job(
        name=meta["name"],
        uid=meta["uid"],
        created=datetime.fromisoformat(meta["creationTimestamp"]),
        suspended=suspended,
        deleting="deletionTimestamp" in meta,
        active=status.get("active", 0),
        ready=status.get("ready", 0),
        succeeded=status.get("succeeded", 0),
        completed=status.get("completedIndexes", ""),
        failed_indexes=len(read_indexes(status.get("failedIndexes", ""))),
        failed=status.get("failed", 0),
        outcome=outcome,
        reason=last.get("reason", ""),
        message=last.get("message", ""),
        ended=read_time(status.get("completionTime") or last.get("lastTransitionTime")),
        # A Job that is being resumed still has the times of its last stretch until its controller has seen it.
        began=None if suspended or stopped else read_time(status.get("startTime")),
        suspended_at=read_time(stopped.get("lastTransitionTime")) if stopped else None,
        deadline=raw["spec"].get("activeDeadlineSeconds"),
        reservation=meta.get("annotations", {}).get(RESERVATION_ANNOTATION, ""),
    )


def read_indexes(text: str) -> frozenset[int]:
    """The indexes that a Job's interval text holds, for example 0, 1, 2, 3 and 7 for "0-3,7"."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


def read_pod(raw: Raw) -> Pod:
    """A worker pod."""
    meta, status = raw["metadata"], raw.get("status", {})
    labels = meta.get("labels", {})
    index = labels.get("batch.kubernetes.io/job-completion-index")
    containers = [c for c in status.get("containerStatuses", ()) if c["name"] == WORKER_CONTAINER]
    container = containers[0] if containers else {}
    state = container.get("state", {})
    ended = state.get("terminated") or {}
    return Pod(
        name=meta["name"],
        job=labels.get("batch.kubernetes.io/job-name", ""),
        index=int(index) if index is not None else None,
        phase=status.get("phase", "Pending"),
        waiting=_why_waiting(status, container),
        exit_code=ended.get("exitCode"),
        exit_reason=ended.get("reason", ""),
        termination=Termination.parse(ended.get("message", "")) if ended.get("message") else None,
        image=container.get("imageID", ""),
        started=read_time((ended or state.get("running") or {}).get("startedAt")),
        ended=read_time(ended.get("finishedAt")),
    )


_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


def _why_waiting(status: Raw, container: Raw) -> str:
    waiting = container.get("state", {}).get("waiting")
    if waiting and waiting.get("reason") not in _STARTING:
        return f"{waiting.get('reason', 'Waiting')}: {waiting.get('message', '')}".rstrip(": ")
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', 'Unschedulable')}: {condition.get('message', '')}".rstrip(": ")
    return ""
