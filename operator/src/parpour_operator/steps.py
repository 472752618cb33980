"""The steps that a plan may hold, and the plan itself: what planning hands to the shell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parpour_contracts.simulation import SimulationStatus
from parpour_operator import children, paying
from parpour_operator.observing import Job, Observed
from parpour_operator.reporting import Event, events_between
from parpour_operator.settings import Settings

FINALIZER = "parpour.dev/results"
CHECK_SECONDS = 5.0
"""Time until pods that do not run yet are looked at again."""
PODLESS_SECONDS = 10.0
"""A Job that has no pod for so long is kept from creating them."""


@dataclass(frozen=True)
class Create:
    """POST a child."""

    manifest: dict[str, Any]

    @property
    def kind(self) -> str:
        """Kind of the child."""
        return str(self.manifest["kind"])

    @property
    def name(self) -> str:
        """Name of the child."""
        return str(self.manifest["metadata"]["name"])


@dataclass(frozen=True)
class SetSuspend:
    """Stop or start the pods of a Job."""

    job: str
    uid: str
    suspend: bool
    deadline: int | None = None
    """activeDeadlineSeconds of the stretch that begins, where what is reserved bounds it."""


@dataclass(frozen=True)
class DeleteJob:
    """Delete a Job after its pods are gone."""

    job: str
    uid: str


@dataclass(frozen=True)
class DeleteRunMap:
    """Delete a snapshot that no worker has seen and that the spec no longer says."""

    name: str
    uid: str


@dataclass(frozen=True)
class SetFinalizer:
    """Add or release one of our finalizers."""

    present: bool
    name: str = FINALIZER


@dataclass(frozen=True)
class DeleteSimulation:
    """Delete the Simulation itself: its time to live is over."""


Step = Create | SetSuspend | DeleteJob | DeleteRunMap | SetFinalizer | DeleteSimulation | paying.Step


@dataclass(frozen=True)
class Plan:
    """What to do now; with steps, do them and plan again, else write `status` if it differs and tell the `events`."""

    steps: tuple[Step, ...] = ()
    status: SimulationStatus | None = None
    events: tuple[Event, ...] = ()
    namespace_events: tuple[Event, ...] = ()
    """Events on the namespace instead: a terminating namespace takes no new objects, Events included."""
    requeue_after: float | None = None


def write(observed: Observed, status: SimulationStatus, *, requeue_after: float | None = None) -> Plan:
    """The plan that writes a status and tells what changed."""
    before = observed.resource.status
    return Plan(status=status, events=events_between(before, status), requeue_after=requeue_after)


def no_pod(job: Job, settings: Settings) -> str:
    """What to say of a Job without pods."""
    remedy = f"are ServiceAccount {settings.worker_service_account} and quota there? `kubectl describe job` tells"
    return f"no pod of Job {job.name} could be created; {remedy}"


FIXED_MEMORY = f"its limit is {children.COLLECT_RESOURCES['limits']['memory']}, whatever spec.resources says"
"""Of the pods that collect and erase."""
