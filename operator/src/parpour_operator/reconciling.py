"""The thin shell around `planning`: reads the facts, carries out steps, writes the status once, tells the Events.

What a step created or changed is put into the facts at once, so a reconciliation needs no second read; if the process
dies between any two lines, the next one reads where it stands and goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from parpour_contracts import API_VERSION
from parpour_contracts.funding import Renewal, Reservation
from parpour_contracts.simulation import KIND, Backend, SimulationStatus
from parpour_operator import children, paying, planning, steps
from parpour_operator.accepting import find_source
from parpour_operator.aggregating import ProgressBoard
from parpour_operator.cluster import PROGRESS as PROGRESS_MANAGER
from parpour_operator.cluster import RECONCILER, AlreadyThere, ClusterApi, Conflict, NotTaken, NotThere
from parpour_operator.observing import (
    UID_LABEL,
    Foreign,
    Funds,
    Job,
    Key,
    Observed,
    Raw,
    Refused,
    Resource,
    owner_uid,
    read_job,
    read_pod,
    read_resource,
    read_run_map,
)
from parpour_operator.reporting import Event, is_finished
from parpour_operator.settings import Settings
from parpour_operator.steps import Plan
from parpour_operator.treasury import FundingApi, FundingRefused, FundingUnavailable

logger = logging.getLogger(__name__)

ROUNDS = 12
"""More rounds of steps than any situation needs; beyond it something disagrees with us and back-off is due."""
FAILED_PODS = 200
BILLED_PODS = 2000
"""Pods whose run times are read at most; a run with more is charged what its workers could have run."""


class Unsettled(Exception):
    """The plan did not come to rest; the key is tried again later."""


@dataclass(frozen=True)
class Outcome:
    """What a reconciliation left."""

    observed: Observed | None
    """The facts at the end; None if the Simulation is gone."""
    status: SimulationStatus | None
    requeue_after: float | None


@dataclass(frozen=True)
class Reconciler:
    """Reconciles one Simulation at a time; shared by all workers, holds no state of its own."""

    api: ClusterApi
    settings: Settings
    board: ProgressBoard
    now: Callable[[], datetime]
    treasury: FundingApi | None = None

    async def reconcile(self, key: Key) -> Outcome:
        """Bring one Simulation closer to what it asks for.

        Raises:
            Unsettled, Conflict, or what the client raises: the caller retries with back-off.
        """
        raw = await self.api.simulation(key)
        if raw is None:
            return Outcome(None, None, None)
        observed = await self._observe(read_resource(raw))
        for _ in range(ROUNDS):
            plan = await self._plan(observed)
            if not plan.steps:
                return await self._settle(observed, plan)
            obstacles = _obstacles(observed)
            for step in plan.steps:
                observed = await self._take(observed, step)
                if _obstacles(observed) != obstacles:
                    break  # the rest of the steps no longer follows from the facts
            else:
                await self._tell(observed.resource, plan)
        raise Unsettled(f"{key.namespace}/{key.name}: no rest after {ROUNDS} rounds")

    def _now(self) -> datetime:
        """Whole seconds, as Kubernetes writes times."""
        return self.now().replace(microsecond=0)

    async def _plan(self, observed: Observed) -> Plan:
        """Parsing a scenario may take a while, and renewing the Lease must not wait for it."""
        if observed.source is None:
            return planning.plan(observed, self.settings, now=self._now())
        return await asyncio.to_thread(planning.plan, observed, self.settings, now=self._now())

    async def _settle(self, observed: Observed, plan: Plan) -> Outcome:
        resource = observed.resource
        status = plan.status
        if status is not None and is_finished(status) and not is_finished(resource.status):
            await self._write_last_progress(observed, status)
        if status is not None and _owned(status) != _owned(resource.status):
            await self.api.apply_status(resource.key, resource.uid, _owned(status), manager=RECONCILER)
        await self._tell(resource, plan)
        return Outcome(observed, status, plan.requeue_after)

    async def _write_last_progress(self, observed: Observed, status: SimulationStatus) -> None:
        """Before the final status, so that a crash in between writes both again instead of neither."""
        progress = self.board.last(observed, status, now=self._now())
        if progress is not None:
            resource = observed.resource
            async with self.board.turn(resource.uid):
                await self.api.apply_status(
                    resource.key, resource.uid, {"progress": progress.to_wire()}, manager=PROGRESS_MANAGER
                )

    async def _tell(self, resource: Resource, plan: Plan) -> None:
        """Events are best effort: a transition stands in the status whether or not it could be told."""
        manifests = [event_manifest(resource, event, now=self._now()) for event in plan.events]
        manifests += [namespace_event_manifest(resource, event, now=self._now()) for event in plan.namespace_events]
        for manifest in manifests:
            logger.info("%s/%s: %s: %s", *resource.key, manifest["reason"], manifest["message"])
            try:
                await self.api.tell(manifest)
            except (NotTaken, NotThere, Conflict) as error:
                logger.warning("could not tell an event of %s/%s: %s", *resource.key, error)

    async def _observe(self, resource: Resource) -> Observed:
        """Read what the situation calls for, and no more."""
        if is_finished(resource.status) and not resource.deleting:
            return await self._observe_funds(Observed(resource))
        try:
            return await self._observe_bill(await self._observe_children(await self._observe_funds(Observed(resource))))
        except NotTaken as error:
            if not resource.deleting or not await self.api.namespace_terminating(resource.key.namespace):
                raise
            # A terminating namespace loses our roles before its Simulations; only the finalizers are left to us.
            bare = Observed(resource, refused=Refused("Role", "", str(error), terminating=True))
            return await self._observe_funds(bare)

    async def _observe_funds(self, observed: Observed) -> Observed:
        """What the treasury knows of the Simulation, where money is kept free for it or may have to be."""
        resource = observed.resource
        kept = paying.FUNDS in resource.finalizers
        if self.treasury is None or (not kept and (resource.deleting or is_finished(resource.status))):
            return observed
        if not kept and resource.status.start_time is not None:
            return observed  # it began without money
        namespace = await self.api.namespace(resource.key.namespace)
        if namespace is None:
            return observed
        funds = Funds(namespace_uid=namespace["metadata"]["uid"])
        try:
            known = await self.treasury.state(UUID(funds.namespace_uid), UUID(resource.uid))
        except FundingUnavailable as error:
            return replace(observed, funds=replace(funds, away=str(error)))
        except FundingRefused as error:
            return replace(observed, funds=replace(funds, away=str(error)))
        return replace(observed, funds=replace(funds, venture=known.venture, reservations=known.reservations))

    async def _observe_bill(self, observed: Observed) -> Observed:
        """The pods whose run times are charged, once the run is over or is to end."""
        resource = observed.resource
        if paying.FUNDS not in resource.finalizers or is_finished(resource.status):
            return observed
        pods = {pod.name: pod for pod in observed.pods}
        for name in (children.shards_name(resource.key.name), children.collect_name(resource.key.name)):
            job = observed.jobs.get(name)
            if job is None or not (job.outcome or resource.deleting):
                continue
            found = await self.api.pods(resource.key.namespace, job.name, most=BILLED_PODS)
            pods |= {pod.name: pod for pod in map(read_pod, found)}
        return replace(observed, pods=tuple(pods.values()))

    async def _observe_children(self, observed: Observed) -> Observed:
        resource = observed.resource
        namespace, name = resource.key
        raw_map = await self.api.config_map(namespace, children.run_map_name(name))
        if raw_map is not None:
            if owner_uid(raw_map)[1] == resource.uid:
                observed = replace(observed, run_map=read_run_map(raw_map))
            else:
                observed = replace(observed, foreign=_foreign(raw_map, "ConfigMap"))
        jobs = [raw for raw in await self.api.jobs(namespace, resource.uid) if _is_ours(raw, resource)]
        observed = replace(observed, jobs={raw["metadata"]["name"]: read_job(raw) for raw in jobs})
        if not resource.deleting and not planning.snapshot_holds(observed):
            observed = await self._observe_source(observed)
        pods = await self._observe_pods(observed)
        return replace(observed, pods=tuple(read_pod(raw) for raw in pods))

    async def _observe_source(self, observed: Observed) -> Observed:
        spec = observed.resource.spec
        if spec is None:
            return observed
        config_maps = {}
        reference = spec.scenario.config_map
        if reference is not None:
            found = await self.api.config_map(observed.resource.key.namespace, reference.name)
            if found is not None:
                config_maps[reference.name] = found.get("data", {})
        gpu = None if spec.backend is Backend.CPU else await self.api.gpu_offered(spec.node_selector)
        return replace(observed, source=find_source(spec, config_maps), gpu=gpu)

    async def _observe_pods(self, observed: Observed) -> list[Raw]:
        """Pods that explain: failed or waiting ones, one that names the image, the one that collected."""
        namespace, name = observed.resource.key
        shards = observed.jobs.get(children.shards_name(name))
        collect = observed.jobs.get(children.collect_name(name))
        erase = observed.jobs.get(children.erase_name(name))
        for job in (erase, collect, shards):
            if job is None:
                continue
            if job.outcome == "Failed":
                return await self.api.pods(namespace, job.name, phase="Failed", most=FAILED_PODS)
            if job is collect or (job is erase and not job.outcome):
                return await self.api.pods(namespace, job.name)
            if job is shards and not job.outcome and not job.suspended:
                return await self._pods_of_running(namespace, job, observed.resource)
            return []
        return []

    async def _pods_of_running(self, namespace: str, job: Job, resource: Resource) -> list[Raw]:
        if job.ready and not resource.status.worker_image:
            return await self.api.pods(namespace, job.name, phase="Running", most=1)
        if not job.ready:
            return await self.api.pods(namespace, job.name, phase="Pending", most=10)
        return []

    async def _take(self, observed: Observed, step: steps.Step) -> Observed:
        """Carry out one step; the facts as they are then."""
        resource = observed.resource
        namespace = resource.key.namespace
        match step:
            case steps.Create():
                return await self._create(observed, step)
            case steps.SetSuspend():
                raw = await self.api.set_suspend(
                    namespace, step.job, step.uid, suspend=step.suspend, deadline=step.deadline
                )
                return replace(observed, jobs={**observed.jobs, step.job: read_job(raw)})
            case paying.SetDeadline():
                raw = await self.api.set_deadline(namespace, step.job, step.uid, step.seconds)
                return replace(observed, jobs={**observed.jobs, step.job: read_job(raw)})
            case paying.Reserve() | paying.Renew() | paying.Settle() | paying.Cancel():
                return await self._pay(observed, step)
            case steps.DeleteJob():
                await self.api.delete_job(namespace, step.job, step.uid)
                gone = replace(observed.jobs[step.job], deleting=True)
                return replace(observed, jobs={**observed.jobs, step.job: gone})
            case steps.DeleteRunMap():
                await self.api.delete_config_map(namespace, step.name, step.uid)
                return replace(observed, run_map=None)
            case steps.SetFinalizer():
                held = await self.api.set_finalizer(resource.key, resource.uid, step.name, present=step.present)
                return replace(observed, resource=replace(resource, finalizers=held))
            case steps.DeleteSimulation():
                await self.api.delete_simulation(resource.key, resource.uid)
                return replace(observed, resource=replace(resource, deleting=True))

    async def _pay(
        self, observed: Observed, step: paying.Reserve | paying.Renew | paying.Settle | paying.Cancel
    ) -> Observed:
        """Ask the treasury; the facts with what it answered, be it that it is away."""
        if self.treasury is None or observed.funds is None:
            raise AssertionError("no step of money without a treasury")
        funds = observed.funds
        try:
            funds = funds.with_answer(await self._ask(self.treasury, step))
        except FundingUnavailable as error:
            funds = replace(funds, away=str(error))
        except FundingRefused as error:
            funds = replace(funds, refused=error.fault)
        return replace(observed, funds=funds)

    async def _ask(
        self, treasury: FundingApi, step: paying.Reserve | paying.Renew | paying.Settle | paying.Cancel
    ) -> Reservation:
        match step:
            case paying.Reserve():
                return await treasury.reserve(step.request)
            case paying.Renew():
                return await treasury.renew(step.reservation, Renewal(seconds=step.seconds))
            case paying.Settle():
                paid = step.reservation
                return await treasury.settle(paid.venture, paid.reservation, step.settlement)
            case paying.Cancel():
                return await treasury.cancel(step.reservation.venture, step.reservation.reservation)

    async def _create(self, observed: Observed, step: steps.Create) -> Observed:
        namespace = observed.resource.key.namespace
        try:
            raw = await self.api.create(step.manifest)
        except AlreadyThere:
            read = self.api.config_map if step.kind == "ConfigMap" else self.api.job
            there = await read(namespace, step.name)
            if there is None:
                raise Unsettled(f"{step.kind} {namespace}/{step.name} came and went") from None
            if not _is_ours(there, observed.resource):
                return replace(observed, foreign=_foreign(there, step.kind))
            raw = there
        except NotTaken as error:
            told = Refused(step.kind, step.name, str(error), error.terminating)
            return replace(observed, refused=told)
        if step.kind == "ConfigMap":
            return replace(observed, run_map=read_run_map(raw))
        return replace(observed, jobs={**observed.jobs, step.name: read_job(raw)})


def _obstacles(observed: Observed) -> tuple[object, ...]:
    funds = observed.funds
    return (observed.foreign, observed.refused, *((funds.refused, funds.away) if funds is not None else ()))


def _owned(status: SimulationStatus) -> dict[str, Any]:
    """The fields that the reconciler writes: all but progress, which has its own manager."""
    return {name: value for name, value in status.to_wire().items() if name != "progress"}


def _is_ours(raw: Raw, resource: Resource) -> bool:
    """Controlled by the Simulation; the erase Job, which must outlive it, is known by its label."""
    _, uid = owner_uid(raw)
    if raw["metadata"]["name"] == children.erase_name(resource.key.name):
        return not uid and raw["metadata"].get("labels", {}).get(UID_LABEL) == resource.uid
    return uid == resource.uid


def _foreign(raw: Raw, kind: str) -> Foreign:
    owner, _ = owner_uid(raw)
    meta = raw["metadata"]
    left_over = owner == KIND or (not owner and UID_LABEL in meta.get("labels", {}))
    return Foreign(kind=kind, name=meta["name"], predecessor=left_over)


def event_manifest(resource: Resource, event: Event, *, now: datetime) -> dict[str, Any]:
    """An Event about the Simulation."""
    about = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "namespace": resource.key.namespace,
        "name": resource.key.name,
        "uid": resource.uid,
    }
    return _event(about, event, namespace=resource.key.namespace, stem=resource.key.name, now=now)


def namespace_event_manifest(resource: Resource, event: Event, *, now: datetime) -> dict[str, Any]:
    """An Event about the Simulation's namespace; Events of cluster-wide objects stand in `default`."""
    about = {"apiVersion": "v1", "kind": "Namespace", "name": resource.key.namespace}
    return _event(about, event, namespace="default", stem=resource.key.namespace, now=now)


def _event(about: dict[str, str], event: Event, *, namespace: str, stem: str, now: datetime) -> dict[str, Any]:
    said = f"{about.get('uid')} {event.reason} {event.message} {now.isoformat()}"
    token = hashlib.blake2s(said.encode(), digest_size=8).hexdigest()
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{stem}.{token}", "namespace": namespace},
        "involvedObject": about,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "source": {"component": RECONCILER},
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "count": 1,
    }
