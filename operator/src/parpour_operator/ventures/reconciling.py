"""The thin shell around the planning of Ventures: reads the facts, takes steps, writes the status once.

Ventures are few and change rarely, so one worker serves them all and each is looked at again now and then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from parpour_contracts.venture import ConditionType, VentureSpec, VentureStatus
from parpour_operator.cluster import AlreadyThere, Conflict, NotTaken, NotThere
from parpour_operator.leasing import LeaseLost
from parpour_operator.observing import Raw, read_model
from parpour_operator.queueing import KeyedQueue
from parpour_operator.treasury import FundingApi, FundingRefused, FundingUnavailable
from parpour_operator.ventures import planning
from parpour_operator.ventures.furnishing import Manifest, placed
from parpour_operator.ventures.planning import Answer, Namespace, Observed, Plan, Resource

logger = logging.getLogger(__name__)

ROUNDS = 8
RESYNC_SECONDS = 300.0


class VentureApi(Protocol):
    """The API server, as the reconciler of Ventures sees it."""

    async def venture(self, name: str) -> Raw | None: ...
    def ventures(self) -> AsyncIterator[Raw]: ...
    async def namespace(self, name: str) -> Raw | None: ...
    async def create(self, manifest: dict[str, Any]) -> Raw: ...
    async def apply_object(self, manifest: dict[str, Any]) -> None: ...
    async def delete_namespace(self, name: str, uid: str) -> None: ...
    async def set_venture_finalizer(self, name: str, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]: ...
    async def apply_venture_status(self, name: str, uid: str, status: dict[str, Any]) -> None: ...


def read_venture(raw: Raw) -> Resource:
    """A Venture from the API's object. A spec or status of another version is a fault, not an exception."""
    meta = raw["metadata"]
    spec, fault = read_model(VentureSpec, raw.get("spec", {}))
    status, _ = read_model(VentureStatus, raw.get("status", {}))
    return Resource(
        name=meta["name"],
        uid=meta["uid"],
        generation=meta.get("generation", 0),
        deleting="deletionTimestamp" in meta,
        finalizers=tuple(meta.get("finalizers", ())),
        spec=spec,
        status=status or VentureStatus(),
        fault=fault,
    )


@dataclass(frozen=True)
class VentureReconciler:
    """Reconciles one Venture at a time and holds no state of its own."""

    api: VentureApi
    treasury: FundingApi
    now: Callable[[], datetime]
    furniture: Callable[[], tuple[Manifest, ...]] = tuple
    """What a namespace is given; asked for each time, as it may change."""

    async def reconcile(self, name: str) -> float | None:
        """Bring one Venture closer to what it asks for; seconds until it is to be looked at again, or None.

        Raises:
            Conflict, NotThere, or what the client raises: the caller retries with back-off.
        """
        raw = await self.api.venture(name)
        if raw is None:
            return None
        observed = await self._observe(read_venture(raw))
        for _ in range(ROUNDS):
            plan = planning.plan(observed, now=self.now().replace(microsecond=0))
            if plan.step is None:
                return await self._settle(observed, plan)
            observed = await self._take(observed, plan.step)
        raise Conflict(f"{name}: no rest after {ROUNDS} rounds")

    async def _observe(self, resource: Resource) -> Observed:
        found = await self.api.namespace(resource.namespace)
        return Observed(resource, namespace=_namespace(found, resource) if found is not None else None)

    async def _settle(self, observed: Observed, plan: Plan) -> float | None:
        resource, status = observed.resource, plan.status
        if status is not None and status != resource.status:
            await self.api.apply_venture_status(resource.name, resource.uid, status.to_wire())
            ready = next(one for one in status.conditions if one.type == ConditionType.READY)
            logger.info(
                "venture %s: %s=%s: %s: %s", resource.name, ready.type, ready.status, ready.reason, ready.message
            )
        return plan.requeue_after

    async def _take(self, observed: Observed, step: planning.Step) -> Observed:
        resource = observed.resource
        match step:
            case planning.Hold():
                held = await self.api.set_venture_finalizer(
                    resource.name, resource.uid, planning.FINALIZER, present=step.present
                )
                return replace(observed, resource=replace(resource, finalizers=held))
            case planning.MakeNamespace():
                return await self._make(observed, step)
            case planning.Furnish():
                return await self._furnish(observed, step)
            case planning.DropNamespace():
                await self.api.delete_namespace(step.name, step.uid)
                return await self._observe_again(observed)
            case planning.Bind():
                return replace(observed, answer=await _ask(self.treasury.bind(step.binding)))
            case planning.Freeze():
                return replace(observed, answer=await _ask(self.treasury.freeze(step.venture, step.freezing)))

    async def _make(self, observed: Observed, step: planning.MakeNamespace) -> Observed:
        try:
            raw = await self.api.create(step.manifest)
        except AlreadyThere:
            return await self._observe_again(observed)
        except NotTaken as error:
            return replace(observed, refused=str(error))
        return replace(observed, namespace=_namespace(raw, observed.resource))

    async def _furnish(self, observed: Observed, step: planning.Furnish) -> Observed:
        for manifest in self.furniture():
            try:
                await self.api.apply_object(placed(manifest, step.namespace))
            except NotTaken as error:
                what = f"{manifest['kind']} {manifest['metadata']['name']}: {error}"
                return replace(observed, furnished=True, unfurnished=what)
        return replace(observed, furnished=True)

    async def _observe_again(self, observed: Observed) -> Observed:
        return replace(observed, namespace=(await self._observe(observed.resource)).namespace)


async def _ask(asked: Any) -> Answer:
    try:
        return Answer(bound=await asked)
    except FundingUnavailable as error:
        return Answer(away=str(error))
    except FundingRefused as error:
        return Answer(fault=error.fault)


def _namespace(raw: Raw, resource: Resource) -> Namespace:
    meta = raw["metadata"]
    ours = meta.get("labels", {}).get(planning.UID_LABEL) == resource.uid
    return Namespace(uid=meta["uid"], ours=ours, deleting="deletionTimestamp" in meta)


class VentureController:
    """The loops that serve Ventures while this replica is the leader."""

    def __init__(
        self,
        *,
        api: VentureApi,
        treasury: FundingApi,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        furniture: Callable[[], tuple[Manifest, ...]] = tuple,
    ) -> None:
        self._api = api
        self._reconciler = VentureReconciler(api=api, treasury=treasury, now=now, furniture=furniture)
        self._queue: KeyedQueue[str] = KeyedQueue(clock=clock)

    def event(self, raw: Raw) -> None:
        """A Venture appeared, changed or went."""
        self._queue.add(raw["metadata"]["name"])

    async def run(self) -> None:
        """Work until cancelled.

        Raises:
            LeaseLost: when a write was refused by the fence.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._work())
            group.create_task(self._resync())

    async def _work(self) -> None:
        while True:
            name, _ = await self._queue.take()
            try:
                rest = await self._reconciler.reconcile(name)
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the key comes again and the others go on
                delay = self._queue.failed(name)
                expected = isinstance(error, Conflict | NotThere | OSError)
                level = logging.INFO if expected else logging.ERROR
                logger.log(level, "venture %s: %s: %s; again in %.1f s", name, type(error).__name__, error, delay)
            else:
                self._queue.done(name)
                if rest is not None:
                    self._queue.add_after(name, rest)

    async def _resync(self) -> None:
        """Look at every Venture now and then: the treasury may have changed what no watch tells."""
        while True:
            await asyncio.sleep(RESYNC_SECONDS)
            try:
                async for raw in self._api.ventures():
                    self._queue.add(raw["metadata"]["name"])
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - the API server may be away; readiness tells that by itself
                logger.warning("could not list Ventures: %s", error)
