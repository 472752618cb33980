"""Plans the end of a deleted Simulation: what costs money stops, what was used is settled, results may be erased."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from parpour_contracts.conditions import shorten
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.simulation import Backend, ConditionType, DeletionPolicy, SimulationSpec, SimulationStatus
from parpour_operator import children, paying
from parpour_operator.accepting import known_store, started
from parpour_operator.failing import last_words
from parpour_operator.observing import Job, Observed
from parpour_operator.paying import FUNDS
from parpour_operator.reporting import Event, Report
from parpour_operator.settings import Settings
from parpour_operator.steps import (
    CHECK_SECONDS,
    FINALIZER,
    FIXED_MEMORY,
    PODLESS_SECONDS,
    Create,
    DeleteJob,
    Plan,
    SetFinalizer,
    no_pod,
    write,
)

ERASE_RETRY_SECONDS = 30.0
CAUSE_LIMIT = 400
"""Characters of a cause that stands in the middle of a message, so that the remedy at its end is not cut."""
_KEEP = "spec.deletionPolicy to Retain"


@dataclass(frozen=True)
class Hindrance:
    """What keeps stored results from being erased."""

    reason: str
    cause: str
    remedy: str


def plan_deletion(observed: Observed, settings: Settings, now: datetime) -> Plan:
    """Release at once, unless stored results are to be erased: then workers first, erase Job second."""
    resource = observed.resource
    spec = resource.spec
    if FUNDS in resource.finalizers:
        return _plan_release(observed, settings, now)
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
    busy = _busy(observed)
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


def _busy(observed: Observed) -> list[Job]:
    """Jobs of the run that are not over."""
    name = observed.resource.key.name
    found = (observed.jobs.get(children.shards_name(name)), observed.jobs.get(children.collect_name(name)))
    return [job for job in found if job is not None and not job.outcome]


def _plan_release(observed: Observed, settings: Settings, now: datetime) -> Plan:
    """Stop what costs money, settle what was used, release the finalizer of funds."""
    stops = tuple(DeleteJob(job.name, job.uid) for job in _busy(observed) if not job.deleting)
    if stops:
        return Plan(steps=stops)
    funds, resource = observed.funds, observed.resource
    if funds is not None and (funds.away or funds.refused is not None):
        why = funds.away or (funds.refused.message if funds.refused else "")
        report = Report(resource.status, resource.generation, now)
        report = report.funded("Unknown", paying.AWAY, f"deletion waits until it is settled: {why}; it is tried again")
        return write(observed, report.finish(), requeue_after=settings.refused_retry_seconds)
    steps = paying.release(observed, now, "Deleted")
    return Plan(steps=steps or (SetFinalizer(present=False, name=FUNDS),))


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
        return write(observed, status, requeue_after=CHECK_SECONDS)
    rest = ERASE_RETRY_SECONDS - (report.now - (job.ended or job.created)).total_seconds()
    told = any(c.type == ConditionType.ERASED for c in observed.resource.status.conditions)
    if rest <= 0 and told:  # before that the Job stays, since its pods go with it
        return Plan(steps=(DeleteJob(job.name, job.uid),))
    return write(observed, status, requeue_after=max(1.0, rest))


def _what_hinders(
    observed: Observed, job: Job, spec: SimulationSpec, settings: Settings, now: datetime
) -> Hindrance | None:
    """What keeps the erase Job from its end, as soon as anything is known to, not only when the Job gives up."""
    waiting = next((pod.waiting for pod in observed.pods if pod.job == job.name and pod.waiting), "")
    if not (job.outcome or job.active or observed.pods) and now - job.created > timedelta(seconds=PODLESS_SECONDS):
        waiting = no_pod(job, settings)
    if waiting:
        return Hindrance("EraseWaiting", waiting, "")
    too_small = f"{FIXED_MEMORY}; delete what stands there with the store's own tools"
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
    return write(observed, _not_erased(report, hindrance, address), requeue_after=ERASE_RETRY_SECONDS)


def _not_erased(report: Report, hindrance: Hindrance, address: str) -> SimulationStatus:
    why = "; ".join(filter(None, (shorten(hindrance.cause, CAUSE_LIMIT), hindrance.remedy)))
    message = f"results at {address} could not be erased ({why}); it is tried again. To keep them, set {_KEEP}"
    return report.not_erased(hindrance.reason, message).finish()
