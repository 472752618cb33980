"""Decides the next steps for one Simulation from facts alone: the pure core of the operator.

A plan is *level-triggered*: it depends on what is, never on what happened before, so any step may be lost or repeated.
Steps come in rounds. The shell carries out a round, puts what the API server answered into the facts and asks again;
when no step is left, the plan's status is written once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from parpour_contracts.conditions import is_true, shorten
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.scenario import parse_scenario
from parpour_contracts.simulation import (
    Backend,
    ConditionType,
    DeletionPolicy,
    Result,
    SimulationSpec,
    SimulationStatus,
)
from parpour_operator import children
from parpour_operator.accepting import Accepted, Refusal, accept, known_store, memory_field, readable_spec, started
from parpour_operator.failing import explain_failure, last_words
from parpour_operator.observing import Job, Observed, Pod
from parpour_operator.reporting import Event, Report, events_between, is_finished
from parpour_operator.settings import Settings

FINALIZER = "parpour.dev/results"
CHECK_SECONDS = 5.0
"""Time until pods that do not run yet are looked at again."""
PODLESS_SECONDS = 10.0
"""A Job that has no pod for so long is kept from creating them."""
_MOVED_BY_PODS = (ConditionType.RUNNING, ConditionType.SUSPENDED)
ERASE_RETRY_SECONDS = 30.0
CAUSE_LIMIT = 400
"""Characters of a cause that stands in the middle of a message, so that the remedy at its end is not cut."""


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
    """Add or release our finalizer."""

    present: bool


@dataclass(frozen=True)
class DeleteSimulation:
    """Delete the Simulation itself: its time to live is over."""


Step = Create | SetSuspend | DeleteJob | DeleteRunMap | SetFinalizer | DeleteSimulation


@dataclass(frozen=True)
class Hindrance:
    """What keeps stored results from being erased."""

    reason: str
    cause: str
    remedy: str


@dataclass(frozen=True)
class Plan:
    """What to do now; with steps, do them and plan again, else write `status` if it differs and tell the `events`."""

    steps: tuple[Step, ...] = ()
    status: SimulationStatus | None = None
    events: tuple[Event, ...] = ()
    namespace_events: tuple[Event, ...] = ()
    """Events on the namespace instead: a terminating namespace takes no new objects, Events included."""
    requeue_after: float | None = None


def plan(observed: Observed, settings: Settings, *, now: datetime) -> Plan:
    """The next steps for a Simulation."""
    resource = observed.resource
    if resource.deleting:
        return _plan_deletion(observed, settings, now)
    if observed.foreign is not None and observed.foreign.predecessor:
        return Plan(requeue_after=1.0)
    if is_finished(resource.status):
        return _plan_finished(observed, now)
    report = Report(resource.status, resource.generation, now)
    try:
        return _plan_run(observed, settings, report)
    except Refusal as refusal:
        status = report.refused(refusal.reason, refusal.message).finish()
        return _write(observed, status, requeue_after=settings.refused_retry_seconds)


def _write(observed: Observed, status: SimulationStatus, *, requeue_after: float | None = None) -> Plan:
    before = observed.resource.status
    return Plan(status=status, events=events_between(before, status), requeue_after=requeue_after)


def _plan_run(observed: Observed, settings: Settings, report: Report) -> Plan:
    resource = observed.resource
    spec = readable_spec(resource)
    _refuse_foreign(observed)
    shards = observed.jobs.get(children.shards_name(resource.key.name))
    accepted = _what_runs(observed, settings)
    document = accepted.document
    wanted = _finalizer_step(observed)
    if wanted is not None:
        return Plan(steps=(wanted,))
    missing: list[Step] = []
    if observed.run_map is not None and observed.run_map.document != document:
        return Plan(steps=(DeleteRunMap(children.run_map_name(resource.key.name), observed.run_map.uid),))
    if observed.run_map is None:
        missing.append(Create(children.run_map(resource, document)))
    if shards is None:
        missing.append(Create(children.shard_job(resource, spec, document, settings)))
    if missing or shards is None:
        return Plan(steps=tuple(missing))
    report = report.accepted(
        scenario=accepted.scenario, shards=document.shards, backend=document.backend, store=document.store
    )
    report = report.began(shards.created)
    if shards.deleting:
        return _write(observed, report.finish(), requeue_after=CHECK_SECONDS)
    if shards.outcome == "Failed":
        reason, message = explain_failure(shards, observed.pods, memory_remedy=f"raise {memory_field(spec)}")
        return _write(observed, report.failed(reason, message, shards.ended or report.now).finish())
    if shards.outcome == "Complete":
        return _plan_collection(observed, spec, document, settings, report)
    if spec.queue_name is None and shards.suspended != spec.suspend:
        return Plan(steps=(SetSuspend(shards.name, shards.uid, spec.suspend),))
    return _report_running(observed, spec, shards, document, settings, report)


def _refuse_foreign(observed: Observed) -> None:
    if observed.foreign is not None:
        foreign = observed.foreign
        message = (
            f"metadata.name: {foreign.kind} {foreign.name!r} exists and is not of this Simulation; "
            "delete it or choose another name"
        )
        raise Refusal("NameConflict", message)
    if observed.refused is not None:
        refused = observed.refused
        raise Refusal("ChildRefused", f"the API server refuses {refused.kind} {refused.name!r}: {refused.message}")


def _what_runs(observed: Observed, settings: Settings) -> Accepted:
    """The snapshot once workers may have seen it, else the outcome of acceptance."""
    run_map = observed.run_map
    if run_map is None or not snapshot_holds(observed):
        return accept(observed, settings)
    if run_map.document is None:
        name = children.run_map_name(observed.resource.key.name)
        raise Refusal("RunDocumentInvalid", f"ConfigMap {name!r} holds no run document of this version; delete it")
    name = observed.resource.status.scenario or _snapshot_name(observed)
    return Accepted(document=run_map.document, scenario=name)


def snapshot_holds(observed: Observed) -> bool:
    """Whether the run document on record decides: its workers' Job exists or existed.

    Before that (a crash or a refusal between the two) the spec may still be edited, and the edit wins.
    """
    resource = observed.resource
    return observed.run_map is not None and (
        started(resource) or children.shards_name(resource.key.name) in observed.jobs
    )


def _snapshot_name(observed: Observed) -> str:
    """The scenario's name after a crash between the snapshot and the first status."""
    spec = observed.resource.spec
    if spec is not None and spec.scenario.builtin:
        return spec.scenario.builtin
    document = observed.run_map.document if observed.run_map else None
    return parse_scenario(document.scenario).title[:253] if document else ""


def _finalizer_step(observed: Observed) -> SetFinalizer | None:
    spec = observed.resource.spec
    wanted = spec is not None and spec.deletion_policy is DeletionPolicy.DELETE
    present = FINALIZER in observed.resource.finalizers
    return SetFinalizer(wanted) if wanted != present else None


def _report_running(
    observed: Observed,
    spec: SimulationSpec,
    shards: Job,
    document: RunDocument,
    settings: Settings,
    report: Report,
) -> Plan:
    if shards.suspended:
        if spec.queue_name is not None:
            report = report.suspended("Queued", f"waits for its turn in queue {spec.queue_name}")
        else:
            report = report.suspended("Suspended", "spec.suspend is true; workers write a checkpoint and stop")
        return _write(observed, report.finish())
    report = report.resumed().image(_image(observed.pods))
    waiting = next((pod.waiting for pod in observed.pods if pod.job == shards.name and pod.waiting), "")
    if shards.ready or (shards.succeeded and not waiting):
        report = report.running(
            "True", "WorkersRunning", f"{document.shards} shards, {document.ensemble.members} members"
        )
        return _write(observed, report.finish(), requeue_after=None if shards.ready else CHECK_SECONDS)
    moved = [c.last_transition_time for c in report.status.conditions if c.type in _MOVED_BY_PODS]
    running = is_true(report.status.conditions, ConditionType.RUNNING)
    podless = not shards.active and report.now - max([shards.created, *moved]) > timedelta(seconds=PODLESS_SECONDS)
    if podless and not running and not waiting:
        waiting = _no_pod(shards, settings)
    if waiting:
        report = report.running("False", "WorkersWaiting", waiting)
    elif not shards.active or not running:
        report = report.running("False", "WorkersStarting", "pods are being started")
    return _write(observed, report.finish(), requeue_after=CHECK_SECONDS)


def _no_pod(job: Job, settings: Settings) -> str:
    remedy = f"are ServiceAccount {settings.worker_service_account} and quota there? `kubectl describe job` tells"
    return f"no pod of Job {job.name} could be created; {remedy}"


def _image(pods: tuple[Pod, ...]) -> str:
    return next((pod.image for pod in pods if pod.image), "")


def _plan_collection(
    observed: Observed, spec: SimulationSpec, document: RunDocument, settings: Settings, report: Report
) -> Plan:
    resource = observed.resource
    job = observed.jobs.get(children.collect_name(resource.key.name))
    if job is None:
        return Plan(steps=(Create(children.collect_job(resource, spec, settings)),))
    report = report.image(_image(observed.pods))
    if job.outcome == "Failed":
        remedy = f"{_FIXED_MEMORY}; run fewer members at a time (spec.ensemble.members)"
        reason, message = explain_failure(job, observed.pods, memory_remedy=remedy)
        return _write(observed, report.failed(reason, f"collect: {message}", job.ended or report.now).finish())
    if job.outcome != "Complete":
        waiting = next((pod.waiting for pod in observed.pods if pod.job == job.name and pod.waiting), "")
        if waiting:
            report = report.running("False", "WorkersWaiting", f"collect: {waiting}")
        return _write(observed, report.finish(), requeue_after=None if job.ready else CHECK_SECONDS)
    words = [pod.termination for pod in observed.pods if pod.job == job.name and pod.exit_code == 0]
    said = next((word for word in words if word is not None and word.digest is not None), None)
    if said is None or said.digest is None:
        # The pod went before it was read. Collecting again is cheap and says the same.
        return Plan(steps=() if job.deleting else (DeleteJob(job.name, job.uid),), requeue_after=CHECK_SECONDS)
    result = Result(digest=said.digest, store=document.store, members=said.members or 0, metrics=said.metrics)
    return _write(observed, report.complete(result, job.ended or report.now).finish())


def _plan_finished(observed: Observed, now: datetime) -> Plan:
    """Nothing but the time to live, and the finalizer when the deletion policy was changed afterwards."""
    resource = observed.resource
    spec, status = resource.spec, resource.status
    if spec is None:
        return Plan()
    due = deletion_due(spec, status)
    if due is not None and now >= due:
        return Plan(steps=(DeleteSimulation(),))
    step = _finalizer_step(observed)
    if step is not None and (started(resource) or not step.present):
        return Plan(steps=(step,))
    seen = status.model_copy(update={"observed_generation": resource.generation})
    return Plan(status=seen, requeue_after=(due - now).total_seconds() if due is not None else None)


def deletion_due(spec: SimulationSpec, status: SimulationStatus) -> datetime | None:
    """When a finished Simulation's time to live ends, if it has one."""
    if spec.ttl_seconds_after_finished is None or status.completion_time is None:
        return None
    return status.completion_time + timedelta(seconds=spec.ttl_seconds_after_finished)


def _plan_deletion(observed: Observed, settings: Settings, now: datetime) -> Plan:
    """Release at once, unless stored results are to be erased: then workers first, erase Job second."""
    resource = observed.resource
    spec = resource.spec
    if FINALIZER not in resource.finalizers:
        return Plan()
    if spec is None or spec.deletion_policy is DeletionPolicy.RETAIN:
        return Plan(steps=(SetFinalizer(present=False),))
    name = resource.key.name
    address = known_store(observed, spec, settings)
    if not address and started(resource):
        where = f"{resource.key.namespace}/{resource.uid} in the store that was the default when it started"
        return _leave_behind(observed, f"nothing names the address of its results any more, so they were left: {where}")
    if not address:
        return Plan(steps=(SetFinalizer(present=False),))
    if observed.refused is not None and observed.refused.terminating:
        return _leave_behind(observed, f"the namespace takes no new Jobs, so results were left at {address}")
    busy = [
        job
        for job in (observed.jobs.get(children.shards_name(name)), observed.jobs.get(children.collect_name(name)))
        if job is not None and not job.outcome
    ]
    if busy:
        stops = tuple(DeleteJob(job.name, job.uid) for job in busy if not job.deleting)
        return Plan(steps=stops, requeue_after=CHECK_SECONDS)
    job_name = children.erase_name(name)
    job = observed.jobs.get(job_name)
    report = Report(resource.status, resource.generation, now)
    if job is not None:
        return _plan_erasure(observed, job, spec, address, settings, report)
    if observed.refused is not None or (observed.foreign is not None and observed.foreign.name == job_name):
        return _cannot_erase(observed, address, report)
    document = _erasable(observed, spec, address)
    return Plan(steps=(Create(children.erase_job(resource, spec, document, settings)),))


def _leave_behind(observed: Observed, why: str) -> Plan:
    event = Event("Warning", "ResultsLeftBehind", f"{observed.resource.key.name}: {why}")
    released = (SetFinalizer(present=False),)
    if observed.refused is not None and observed.refused.terminating:
        return Plan(steps=released, namespace_events=(event,))
    return Plan(steps=released, events=(event,))


def _erasable(observed: Observed, spec: SimulationSpec, address: str) -> RunDocument:
    """What the erase Job must know: whose run, and where. Its ConfigMap may be gone already."""
    if observed.run_map is not None and observed.run_map.document is not None:
        return observed.run_map.document
    resource = observed.resource
    return RunDocument(
        run=RunIdentity(uid=resource.uid, namespace=resource.key.namespace, name=resource.key.name),
        scenario="",
        ticks=spec.ticks or 1,
        backend=Backend.CPU,
        store=address,
    )


def _plan_erasure(
    observed: Observed, job: Job, spec: SimulationSpec, address: str, settings: Settings, report: Report
) -> Plan:
    """A failed erasure is told and tried again: releasing the finalizer would leave what the user wanted gone."""
    if job.outcome == "Complete":
        return Plan(steps=(SetFinalizer(present=False),))
    if job.deleting:
        return Plan(requeue_after=CHECK_SECONDS)
    hindrance = _what_hinders(observed, job, spec, settings, report.now)
    if hindrance is None:
        return Plan(requeue_after=ERASE_RETRY_SECONDS if job.ready else CHECK_SECONDS)
    status = _not_erased(report, hindrance, address)
    if job.outcome != "Failed":
        return _write(observed, status, requeue_after=CHECK_SECONDS)
    rest = ERASE_RETRY_SECONDS - (report.now - (job.ended or job.created)).total_seconds()
    told = any(c.type == ConditionType.ERASED for c in observed.resource.status.conditions)
    if rest <= 0 and told:  # before that the Job stays, since its pods go with it
        return Plan(steps=(DeleteJob(job.name, job.uid),))
    return _write(observed, status, requeue_after=max(1.0, rest))


def _what_hinders(
    observed: Observed, job: Job, spec: SimulationSpec, settings: Settings, now: datetime
) -> Hindrance | None:
    """What keeps the erase Job from its end, as soon as anything is known to, not only when the Job gives up."""
    waiting = next((pod.waiting for pod in observed.pods if pod.job == job.name and pod.waiting), "")
    if not (job.outcome or job.active or observed.pods) and now - job.created > timedelta(seconds=PODLESS_SECONDS):
        waiting = _no_pod(job, settings)
    if waiting:
        return Hindrance("EraseWaiting", waiting, "")
    too_small = f"{_FIXED_MEMORY}; delete what stands there with the store's own tools"
    words = last_words(job, observed.pods, memory_remedy=too_small)
    if words is not None:
        asks = f"are the store and Secret {children.store_secret(spec, settings)!r} as they should be?"
        return Hindrance("EraseFailed", words[1], "" if words[0] == "OutOfMemory" else asks)
    if job.outcome != "Failed":
        return None
    if job.reason == "DeadlineExceeded":
        cause = f"the erase Job did not end in {children.ERASE_SECONDS} s, a limit that no field of the spec sets"
        return Hindrance("EraseFailed", cause, "does the store answer?")
    return Hindrance("EraseFailed", job.message or "the erase Job failed and left no pod to ask", "")


def _cannot_erase(observed: Observed, address: str, report: Report) -> Plan:
    foreign, refused = observed.foreign, observed.refused
    if refused is None and foreign is not None and foreign.predecessor:
        return Plan(requeue_after=CHECK_SECONDS)
    if refused is not None:
        hindrance = Hindrance("EraseFailed", f"the API server refuses the erase Job: {refused.message}", "")
    else:
        name = children.erase_name(observed.resource.key.name)
        hindrance = Hindrance("EraseFailed", f"another Job has the name {name!r}", "delete it")
    return _write(observed, _not_erased(report, hindrance, address), requeue_after=ERASE_RETRY_SECONDS)


def _not_erased(report: Report, hindrance: Hindrance, address: str) -> SimulationStatus:
    why = "; ".join(filter(None, (shorten(hindrance.cause, CAUSE_LIMIT), hindrance.remedy)))
    message = f"results at {address} could not be erased ({why}); it is tried again. To keep them, set {_KEEP}"
    return report.not_erased(hindrance.reason, message).finish()


_KEEP = "spec.deletionPolicy to Retain"
_FIXED_MEMORY = f"its limit is {children.COLLECT_RESOURCES['limits']['memory']}, whatever spec.resources says"
