"""What a run may cost and what it has used: arithmetic on facts, without any API.

A Job's `activeDeadlineSeconds` begins anew whenever the Job is resumed, so what earlier stretches of a run have used is
kept in `status.cost` and taken off the deadline. Seconds are always rounded against the run: what it is charged is
never less than what it used, and what it is granted never more than what was reserved.
Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#suspending-a-job
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from uuid import UUID

from parpour_contracts.funding import (
    EVIDENCE_LIMIT,
    Closing,
    PodSeconds,
    Reservation,
    ReservationRequest,
    Settlement,
    WorkerResources,
)
from parpour_contracts.run import RunDocument
from parpour_contracts.simulation import KIND, Backend, Cost, SimulationSpec
from parpour_operator import children
from parpour_operator.accepting import cores, memory_limit
from parpour_operator.observing import Funds, Job, Pod, Resource
from parpour_operator.quantities import parse_quantity
from parpour_operator.settings import Settings

RENEW_AT = Decimal("0.8")
"""Share of the reserved time after which more is reserved."""
MIB = 1024**2
CLOSING_SECONDS = children.COLLECT_SECONDS + children.GRACE_SECONDS


def request(
    resource: Resource, spec: SimulationSpec, document: RunDocument, settings: Settings, funds: Funds
) -> ReservationRequest:
    """What is asked of the treasury before anything is created; `spec.budget` is set."""
    if spec.budget is None:
        raise AssertionError("nothing is reserved without a budget")
    return ReservationRequest(
        key=f"{resource.uid}/{resource.generation}",
        namespace=resource.key.namespace,
        namespace_uid=UUID(funds.namespace_uid),
        kind=KIND,
        name=resource.key.name,
        uid=UUID(resource.uid),
        generation=resource.generation,
        budget=spec.budget,
        workers=workers_at_a_time(spec, document),
        per_worker=worker_resources(spec, document, settings),
        closing=Closing(resources=_priced(children.COLLECT_RESOURCES, settings), seconds=CLOSING_SECONDS),
        grace_seconds=children.GRACE_SECONDS,
        seconds=settings.reserve_seconds,
        minimum_seconds=settings.minimum_seconds,
    )


def workers_at_a_time(spec: SimulationSpec, document: RunDocument) -> int:
    """How many shards run at once at most."""
    return min(spec.parallelism or document.shards, document.shards)


def worker_resources(spec: SimulationSpec, document: RunDocument, settings: Settings) -> WorkerResources:
    """What one worker may take up: its requests, or its limits where those are higher."""
    requests, limits = dict(spec.resources.requests), dict(spec.resources.limits)
    requests["cpu"] = str(cores(spec))
    memory = memory_limit(spec)
    if memory is not None:
        limits["memory"] = memory
    if document.backend is Backend.CUDA:
        limits.setdefault(children.GPU, "1")
    return _priced({"requests": requests, "limits": limits}, settings)


def _priced(resources: children.Manifest, settings: Settings) -> WorkerResources:
    parts = [resources["requests"], resources["limits"]]

    def most(name: str) -> Decimal:
        return max((parse_quantity(part[name]) for part in parts if name in part), default=Decimal(0))

    gpus = sum(most(name) for name in {name for part in parts for name in part if name.startswith("nvidia.com/")})
    memory = most("memory") or Decimal(settings.worker_base_memory)
    return WorkerResources(cpu_millis=_up(most("cpu") * 1000), memory_mib=_up(memory / MIB), gpus=_up(Decimal(gpus)))


def _up(amount: Decimal) -> int:
    return int(amount.to_integral_value(rounding=ROUND_CEILING))


def cost_of(reservation: Reservation, before: Cost | None) -> Cost:
    """status.cost as the treasury sees it, with what was used before."""
    kept = before if before is not None and before.reservation == str(reservation.reservation) else None
    fresh = kept or Cost(
        reservation=str(reservation.reservation),
        currency=reservation.currency,
        reserved=reservation.reserved,
        price_list=reservation.price_list,
    )
    return fresh.model_copy(update={"reserved": reservation.reserved, "charged": reservation.charged})


def advance(cost: Cost, job: Job | None, now: datetime) -> Cost:
    """The cost with the stretches of the run brought up to date.

    A stretch ends when its Job is suspended, is gone, or has begun anew; its workers may go on for a grace.
    """
    started = job.began if job is not None else None
    if cost.since == started:
        return cost
    if cost.since is None:
        return cost.model_copy(update={"since": started})
    ended = started or (job.suspended_at if job is not None else None) or now
    used = cost.used_seconds + whole_seconds(cost.since, ended) + children.GRACE_SECONDS
    return cost.model_copy(update={"used_seconds": used, "since": started})


def whole_seconds(since: datetime, until: datetime) -> int:
    """Seconds between two times, begun ones counted; none if they are in the other order."""
    return max(0, math.ceil((until - since).total_seconds()))


def deadline_left(reservation: Reservation, cost: Cost) -> int:
    """Seconds that the present stretch may take."""
    return reservation.deadline_seconds - cost.used_seconds


def job_deadline(spec: SimulationSpec, reservation: Reservation, cost: Cost) -> int:
    """activeDeadlineSeconds of the workers' Job; at least one, as the API server takes no less for a limit."""
    left = max(1, deadline_left(reservation, cost))
    return left if spec.active_deadline_seconds is None else min(left, spec.active_deadline_seconds)


def renewal_due_in(reservation: Reservation, cost: Cost, now: datetime) -> float:
    """Seconds until more time has to be reserved."""
    elapsed = cost.used_seconds + (whole_seconds(cost.since, now) if cost.since is not None else 0)
    return float(RENEW_AT * reservation.deadline_seconds) - elapsed


def settlement(
    cost: Cost,
    *,
    workers: int,
    shards: Job | None,
    collect: Job | None,
    pods: Iterable[Pod],
    now: datetime,
    reason: str,
) -> Settlement:
    """What the run has used.

    Earlier stretches count in full, as their pods are gone: every worker for the whole time. The last one counts by its
    pods' run times, unless fewer of them are to be seen than the Job has counted.
    """
    pods = list(pods)
    runs = _runs(shards, pods, now) if shards is not None else None
    capacity = _last_stretch(cost, shards, now) * workers
    seen = sum(run.seconds for run in runs) if runs is not None else None
    last = capacity if seen is None else min(seen, capacity)
    closing = _runs(collect, pods, now) if collect is not None else []
    closing_seen = sum(run.seconds for run in closing) if closing is not None else CLOSING_SECONDS
    longest = sorted([*(runs or ()), *(closing or ())], key=lambda run: (-run.seconds, run.pod))
    return Settlement(
        worker_seconds=cost.used_seconds * workers + last,
        closing_seconds=min(closing_seen, CLOSING_SECONDS),
        measured=runs is not None and closing is not None and cost.used_seconds == 0,
        evidence=tuple(longest[:EVIDENCE_LIMIT]),
        reason=reason[:253],
    )


def _last_stretch(cost: Cost, shards: Job | None, now: datetime) -> int:
    since = cost.since or (shards.began if shards is not None else None)
    if since is None:
        return 0
    if shards is not None and shards.outcome:  # only after its pods have ended
        return whole_seconds(since, shards.ended or now)
    return whole_seconds(since, now) + children.GRACE_SECONDS


def _runs(job: Job, pods: list[Pod], now: datetime) -> list[PodSeconds] | None:
    """How long each pod of the Job ran; None if not all of them are to be seen."""
    mine = [pod for pod in pods if pod.job == job.name]
    if sum(1 for pod in mine if pod.ended is not None) < job.succeeded + job.failed:
        return None
    if sum(1 for pod in mine if pod.ended is None) < job.active:
        return None
    grace = 0 if job.outcome else children.GRACE_SECONDS
    return [
        PodSeconds(
            pod=pod.name,
            seconds=whole_seconds(pod.started, pod.ended)
            if pod.ended is not None
            else whole_seconds(pod.started, now) + grace,
        )
        for pod in mine
        if pod.started is not None
    ]
