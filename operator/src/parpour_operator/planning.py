"""Decides the next steps for one Simulation from facts alone: the pure core of the operator.

A plan is *level-triggered*: it depends on what is, never on what happened before, so any step may be lost or repeated.
Steps come in rounds. The shell carries out a round, puts what the API server answered into the facts and asks again;
when no step is left, the plan's status is written once.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from parpour_contracts.conditions import is_true
from parpour_contracts.run import RunDocument
from parpour_contracts.scenario import parse_scenario
from parpour_contracts.simulation import (
    ConditionType,
    DeletionPolicy,
    Result,
    SimulationSpec,
    SimulationStatus,
)
from parpour_operator import children, paying, spending
from parpour_operator.accepting import Accepted, Refusal, accept, memory_field, readable_spec, started
from parpour_operator.deleting import plan_deletion
from parpour_operator.failing import explain_failure
from parpour_operator.observing import Job, Observed, Pod
from parpour_operator.paying import FUNDS, Grant, Unfunded
from parpour_operator.reporting import Report, is_finished
from parpour_operator.settings import Settings
from parpour_operator.steps import (
    CHECK_SECONDS,
    FINALIZER,
    FIXED_MEMORY,
    PODLESS_SECONDS,
    Create,
    DeleteJob,
    DeleteRunMap,
    DeleteSimulation,
    Plan,
    SetFinalizer,
    SetSuspend,
    Step,
    no_pod,
    write,
)

_MOVED_BY_PODS = (ConditionType.RUNNING, ConditionType.SUSPENDED)


def plan(observed: Observed, settings: Settings, *, now: datetime) -> Plan:
    """The next steps for a Simulation."""
    resource = observed.resource
    if resource.deleting:
        return plan_deletion(observed, settings, now)
    if observed.foreign is not None and observed.foreign.predecessor:
        return Plan(requeue_after=1.0)
    if is_finished(resource.status):
        return _plan_finished(observed, settings, now)
    report = Report(resource.status, resource.generation, now)
    try:
        return _plan_run(observed, settings, report)
    except Refusal as refusal:
        unused = () if observed.jobs else paying.release(observed, now, refusal.reason)
        if unused:
            return Plan(steps=unused)
        status = report.refused(refusal.reason, refusal.message).finish()
        return write(observed, status, requeue_after=settings.refused_retry_seconds)


def _plan_run(observed: Observed, settings: Settings, report: Report) -> Plan:
    resource = observed.resource
    spec = readable_spec(resource)
    _refuse_foreign(observed)
    shards = observed.jobs.get(children.shards_name(resource.key.name))
    accepted = _what_runs(observed, settings)
    document = accepted.document
    try:
        money = paying.claim(observed, spec, document, settings, report.now)
    except Unfunded as lack:
        report = _accepted(report, accepted).funded(lack.status, lack.reason, lack.message)
        return write(observed, report.finish(), requeue_after=settings.refused_retry_seconds)
    wanted = _finalizer_step(observed) or _funds_step(observed, money)
    if wanted is not None:
        return Plan(steps=(wanted,))
    if isinstance(money, tuple):
        return Plan(steps=money)
    missing: list[Step] = []
    if observed.run_map is not None and observed.run_map.document != document:
        return Plan(steps=(DeleteRunMap(children.run_map_name(resource.key.name), observed.run_map.uid),))
    if observed.run_map is None:
        missing.append(Create(children.run_map(resource, document)))
    if shards is None:
        missing.append(Create(_workers(observed, spec, document, settings, money)))
    if missing or shards is None:
        return Plan(steps=tuple(missing))
    report = paying.tell(_accepted(report, accepted).began(shards.created), money, observed)
    if shards.deleting:
        return write(observed, report.finish(), requeue_after=CHECK_SECONDS)
    if shards.outcome == "Failed":
        reason, message = _why_failed(observed, spec, shards, money)
        return _end(observed, money, report.failed(reason, message, shards.ended or report.now), reason)
    if shards.outcome == "Complete":
        return _plan_collection(observed, spec, document, settings, report, money)
    if spec.queue_name is None and shards.suspended != spec.suspend:
        return _plan_suspension(observed, spec, shards, settings, report, money)
    upkeep = paying.upkeep(observed, money, spec, shards, settings, report.now) if money is not None else ()
    if upkeep:
        return Plan(steps=upkeep)
    plan = _report_running(observed, spec, shards, document, settings, report)
    due = paying.renewal_in(money, observed, settings, report.now)
    return plan if due is None else replace(plan, requeue_after=min(due, plan.requeue_after or due))


def _accepted(report: Report, accepted: Accepted) -> Report:
    document = accepted.document
    return report.accepted(
        scenario=accepted.scenario, shards=document.shards, backend=document.backend, store=document.store
    )


def _workers(
    observed: Observed, spec: SimulationSpec, document: RunDocument, settings: Settings, grant: Grant | None
) -> children.Manifest:
    """The workers' Job, and what pays for it."""
    if grant is None or grant.reservation is None:
        return children.shard_job(observed.resource, spec, document, settings)
    deadline = spending.job_deadline(spec, grant.reservation, grant.cost)
    paid = str(grant.reservation.reservation)
    return children.shard_job(observed.resource, spec, document, settings, reservation=paid, deadline=deadline)


def _plan_suspension(
    observed: Observed, spec: SimulationSpec, shards: Job, settings: Settings, report: Report, grant: Grant | None
) -> Plan:
    """Stop the workers, or let them go on: for as long as what is reserved still pays for."""
    if spec.suspend or grant is None:
        return Plan(steps=(SetSuspend(shards.name, shards.uid, spec.suspend),))
    if grant.reservation is None:
        return write(observed, report.finish(), requeue_after=settings.refused_retry_seconds)
    if grant.open is None or spending.deadline_left(grant.reservation, grant.cost) < 1:
        renewal = paying.renew(observed, grant.reservation, settings) if grant.open is not None else None
        if renewal is not None:
            return Plan(steps=(renewal,))
        spent = spending.deadline_left(grant.reservation, grant.cost) < 1
        return _end(observed, grant, report.failed(*_unpaid(spent=spent), report.now), "BudgetExhausted")
    deadline = spending.job_deadline(spec, grant.reservation, grant.cost)
    return Plan(steps=(SetSuspend(shards.name, shards.uid, suspend=False, deadline=deadline),))


def _unpaid(*, spent: bool) -> tuple[str, str]:
    """Why a run goes on no more: its money is spent, or was closed by someone else."""
    if not spent:
        return "ReservationClosed", "what was reserved for the run was settled or cancelled elsewhere; create another"
    message = "spec.budget: what is reserved pays for no more run time; workers wrote a checkpoint. Raise it in another"
    return "BudgetExhausted", f"{message} Simulation, or lower the work"


def _why_failed(observed: Observed, spec: SimulationSpec, shards: Job, grant: Grant | None) -> tuple[str, str]:
    own = spec.active_deadline_seconds
    if grant is not None and shards.reason == "DeadlineExceeded" and shards.deadline != own:
        return _unpaid(spent=shards.deadline != paying.AT_ONCE)
    return explain_failure(shards, observed.pods, memory_remedy=f"raise {memory_field(spec)}")


def _end(observed: Observed, grant: Grant | None, report: Report, reason: str) -> Plan:
    """The run is over: settle what it has used, then say so. A treasury that is away keeps nobody from the result."""
    if grant is None:
        return write(observed, report.finish())
    used = paying.bill(observed, grant, report.now, reason)
    payable = paying.payable(observed, grant)
    if payable is not None:
        return Plan(steps=(paying.Settle(payable, used),))
    return write(observed, paying.settled(report, grant, used, observed).finish())


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


def _funds_step(observed: Observed, money: tuple[paying.Step, ...] | Grant | None) -> SetFinalizer | None:
    """The finalizer comes before the reservation, so that nothing that is deleted leaves money kept free."""
    kept = isinstance(money, tuple) or (money is not None and money.open is not None)
    return SetFinalizer(present=True, name=FUNDS) if kept and FUNDS not in observed.resource.finalizers else None


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
        return write(observed, report.finish())
    report = report.resumed().image(_image(observed.pods))
    waiting = next((pod.waiting for pod in observed.pods if pod.job == shards.name and pod.waiting), "")
    if shards.ready or (shards.succeeded and not waiting):
        report = report.running(
            "True", "WorkersRunning", f"{document.shards} shards, {document.ensemble.members} members"
        )
        return write(observed, report.finish(), requeue_after=None if shards.ready else CHECK_SECONDS)
    moved = [c.last_transition_time for c in report.status.conditions if c.type in _MOVED_BY_PODS]
    running = is_true(report.status.conditions, ConditionType.RUNNING)
    podless = not shards.active and report.now - max([shards.created, *moved]) > timedelta(seconds=PODLESS_SECONDS)
    if podless and not running and not waiting:
        waiting = no_pod(shards, settings)
    if waiting:
        report = report.running("False", "WorkersWaiting", waiting)
    elif not shards.active or not running:
        report = report.running("False", "WorkersStarting", "pods are being started")
    return write(observed, report.finish(), requeue_after=CHECK_SECONDS)


def _image(pods: tuple[Pod, ...]) -> str:
    return next((pod.image for pod in pods if pod.image), "")


def _plan_collection(
    observed: Observed,
    spec: SimulationSpec,
    document: RunDocument,
    settings: Settings,
    report: Report,
    grant: Grant | None,
) -> Plan:
    resource = observed.resource
    job = observed.jobs.get(children.collect_name(resource.key.name))
    if job is None:
        return Plan(steps=(Create(children.collect_job(resource, spec, settings, funded=grant is not None)),))
    report = report.image(_image(observed.pods))
    if job.outcome == "Failed":
        remedy = f"{FIXED_MEMORY}; run fewer members at a time (spec.ensemble.members)"
        reason, message = explain_failure(job, observed.pods, memory_remedy=remedy)
        if job.reason == "DeadlineExceeded":
            reason, message = (
                "CollectTooSlow",
                f"it did not end in {children.COLLECT_SECONDS} s; does the store answer?",
            )
        failed = report.failed(reason, f"collect: {message}", job.ended or report.now)
        return _end(observed, grant, failed, reason)
    if job.outcome != "Complete":
        waiting = next((pod.waiting for pod in observed.pods if pod.job == job.name and pod.waiting), "")
        if waiting:
            report = report.running("False", "WorkersWaiting", f"collect: {waiting}")
        return write(observed, report.finish(), requeue_after=None if job.ready else CHECK_SECONDS)
    words = [pod.termination for pod in observed.pods if pod.job == job.name and pod.exit_code == 0]
    said = next((word for word in words if word is not None and word.digest is not None), None)
    if said is None or said.digest is None:
        # The pod went before it was read. Collecting again is cheap and says the same.
        return Plan(steps=() if job.deleting else (DeleteJob(job.name, job.uid),), requeue_after=CHECK_SECONDS)
    result = Result(digest=said.digest, store=document.store, members=said.members or 0, metrics=said.metrics)
    return _end(observed, grant, report.complete(result, job.ended or report.now), "Complete")


def _plan_finished(observed: Observed, settings: Settings, now: datetime) -> Plan:
    """What is still to be settled, the time to live, and the finalizer when the deletion policy was changed later."""
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
    if FUNDS in resource.finalizers:
        return _plan_settlement(observed, settings, now)
    seen = status.model_copy(update={"observed_generation": resource.generation})
    return Plan(status=seen, requeue_after=(due - now).total_seconds() if due is not None else None)


def _plan_settlement(observed: Observed, settings: Settings, now: datetime) -> Plan:
    """Settle a run that ended while the treasury was away; then nothing keeps the resource any more."""
    resource, funds = observed.resource, observed.funds
    report = Report(resource.status, resource.generation, now)
    if funds is not None and (funds.away or funds.refused is not None):
        why = funds.away or (funds.refused.message if funds.refused else "")
        report = report.funded("Unknown", paying.AWAY, f"the run is over and not settled: {why}; it is tried again")
        return write(observed, report.finish(), requeue_after=settings.refused_retry_seconds)
    steps = paying.release(observed, now, resource.status.state)
    if steps:
        return Plan(steps=steps)
    closed = paying.told_closed(report, observed).finish()
    if closed != resource.status:
        return write(observed, closed, requeue_after=1.0)
    return Plan(steps=(SetFinalizer(present=False, name=FUNDS),))


def deletion_due(spec: SimulationSpec, status: SimulationStatus) -> datetime | None:
    """When a finished Simulation's time to live ends, if it has one."""
    if spec.ttl_seconds_after_finished is None or status.completion_time is None:
        return None
    return status.completion_time + timedelta(seconds=spec.ttl_seconds_after_finished)
