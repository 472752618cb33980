"""Connects watch events, the queue, the reconciler and progress: what runs while this replica is the leader.

A finished Simulation leaves nothing in memory. An unfinished one leaves its key, the versions that the watches last
told of it and of its Jobs, and its Jobs' fingerprints: a Job that only counted one more pod is a matter for the
progress figure, not for a reconciliation.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from parpour_contracts.simulation import SimulationStatus, State
from parpour_operator import children
from parpour_operator.aggregating import Due, ProgressBoard
from parpour_operator.cluster import PROGRESS, ClusterApi, Conflict, NotThere
from parpour_operator.leasing import LeaseLost
from parpour_operator.metrics import Metrics
from parpour_operator.observing import NAME_LABEL, UID_LABEL, Key, Raw, Resource, read_job, read_resource
from parpour_operator.paying import FUNDS
from parpour_operator.planning import deletion_due
from parpour_operator.queueing import KeyedQueue
from parpour_operator.reconciling import Outcome, Reconciler, Unsettled
from parpour_operator.reporting import is_finished
from parpour_operator.settings import Settings
from parpour_operator.steps import FINALIZER
from parpour_operator.sweeping import sweep
from parpour_operator.treasury import FundingApi

logger = logging.getLogger(__name__)

Change = Literal["changed", "deleted"]
CATCH_UP_SECONDS = 5.0
"""How long a watch may lag behind a list before a change counts as missed."""
PROGRESS_TICK_SECONDS = 1.0
FULL_EVERY = 10
"""Every so many resyncs each unfinished Simulation is reconciled, whatever the watches told."""


class Strand(NamedTuple):
    """What one watch tells of one unfinished Simulation."""

    plural: Literal["Simulations", "Jobs"]
    key: Key


Versions = Mapping[str, str]
"""resourceVersions by UID."""


class Controller:
    """All loops of the active replica."""

    def __init__(
        self,
        *,
        api: ClusterApi,
        settings: Settings,
        metrics: Metrics,
        treasury: FundingApi | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._settings = settings
        self._metrics = metrics
        self._treasury = treasury
        self._now = now
        self.board = ProgressBoard(clock=clock, interval=settings.progress_seconds)
        self._reconciler = Reconciler(api=api, settings=settings, board=self.board, now=now, treasury=treasury)
        self._queue: KeyedQueue[Key] = KeyedQueue(clock=clock)
        self._versions: dict[Key, str] = {}
        self._job_versions: dict[str, dict[str, str]] = {}
        """By the Simulation's UID, as a Job of its predecessor may bear its name, and by the Job's."""
        self._states: dict[Key, State] = {}
        self._fingerprints: dict[str, tuple[object, ...]] = {}
        self.watches_alive = True

    def simulation_event(self, raw: Raw, change: Change) -> None:
        """A Simulation appeared, changed or went."""
        self._metrics.watch_events.labels("simulations").inc()
        key = Key(raw["metadata"]["namespace"], raw["metadata"]["name"])
        if change == "deleted":
            self._forget(key, raw["metadata"]["uid"])
            return
        resource = read_resource(raw)
        rest = rest_of(resource)
        if rest is None:
            self._versions[key] = raw["metadata"]["resourceVersion"]
            self._queue.add(key)
            return
        self._forget(key, resource.uid)
        if rest != float("inf"):
            self._queue.add_after(key, rest - self._now().timestamp())

    def job_event(self, raw: Raw, change: Change) -> None:
        """A Job of ours appeared, changed or went."""
        self._metrics.watch_events.labels("jobs").inc()
        meta = raw["metadata"]
        labels = meta.get("labels", {})
        name, uid = labels.get(NAME_LABEL), labels.get(UID_LABEL)
        if not uid:
            return
        if change == "deleted":
            self._job_versions.get(uid, {}).pop(meta["uid"], None)
        else:
            self._job_versions.setdefault(uid, {})[meta["uid"]] = meta["resourceVersion"]
        if not name:
            return
        job = read_job(raw)
        if job.name == children.shards_name(name) and change == "changed":
            self.board.note_job(uid, job)
        fingerprint = (job.outcome, job.suspended, job.deleting, job.ready > 0, job.succeeded > 0, job.deadline)
        if change == "deleted" or job.outcome:
            self._fingerprints.pop(job.uid, None)
        elif self._fingerprints.get(job.uid) == fingerprint:
            return
        else:
            self._fingerprints[job.uid] = fingerprint
        key = Key(meta["namespace"], name)
        if key in self._versions:  # else its own event queues it, or it is finished
            self._queue.add(key)

    async def run(self) -> None:
        """Work until cancelled, or until the Lease is lost.

        Raises:
            LeaseLost: when a write was refused by the fence.
        """
        async with asyncio.TaskGroup() as group:
            for _ in range(self._settings.workers):
                group.create_task(self._work())
            group.create_task(self._write_progress())
            group.create_task(self._resync())

    async def _work(self) -> None:
        while True:
            key, waited = await self._queue.take()
            self._metrics.queue_seconds.observe(waited)
            self._metrics.queue_depth.set(self._queue.depth)
            began = time.perf_counter()
            try:
                outcome = await self._reconciler.reconcile(key)
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the key comes again and the others go on
                delay = self._queue.failed(key)
                self._log_failure(key, error, delay)
                self._metrics.reconciles.labels("error").inc()
            else:
                self._queue.done(key)
                self._conclude(key, outcome)
            self._metrics.reconcile_seconds.observe(time.perf_counter() - began)

    def _log_failure(self, key: Key, error: Exception, delay: float) -> None:
        expected = isinstance(error, Conflict | NotThere | Unsettled | OSError)
        logger.log(
            logging.INFO if expected else logging.ERROR,
            "%s/%s: %s: %s; again in %.1f s",
            *key,
            type(error).__name__,
            error,
            delay,
            exc_info=None if expected else error,
        )

    def _conclude(self, key: Key, outcome: Outcome) -> None:
        observed = outcome.observed
        if observed is None:
            self._metrics.reconciles.labels("gone").inc()
            self._forget(key, "")
            return
        self._metrics.reconciles.labels("done").inc()
        status = outcome.status or observed.resource.status
        if outcome.requeue_after is not None:
            self._queue.add_after(key, outcome.requeue_after)
        if is_finished(status) and not is_finished(observed.resource.status):
            self._metrics.finished.labels(status.state).inc()
        if rest_of(replace(observed.resource, status=status)) is not None:
            self._forget(key, observed.resource.uid)
        elif not is_finished(status):
            self._follow(key, status, outcome)

    def _follow(self, key: Key, status: SimulationStatus, outcome: Outcome) -> None:
        observed = outcome.observed
        if observed is None or observed.resource.deleting:
            return
        self._states[key] = status.state
        self._count_states()
        job = observed.jobs.get(children.shards_name(key.name))
        if job is not None and observed.run_map is not None and observed.run_map.document is not None:
            self.board.track(observed.resource.uid, key, observed.run_map.document, job)

    def _forget(self, key: Key, uid: str) -> None:
        self._versions.pop(key, None)
        self._job_versions.pop(uid, None)
        self.board.drop(uid)
        if self._states.pop(key, None) is not None:
            self._count_states()

    def _count_states(self) -> None:
        counts = Counter(self._states.values())
        for state in (State.PENDING, State.RUNNING, State.SUSPENDED):
            self._metrics.simulations.labels(state).set(counts[state])

    async def _write_progress(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_TICK_SECONDS)
            for due in self.board.due(now=self._now().replace(microsecond=0)):
                await self._apply_progress(due)

    async def _apply_progress(self, due: Due) -> None:
        try:
            async with self.board.turn(due.uid) as beats:
                if beats:
                    progress = {"progress": due.progress.to_wire()}
                    await self._api.apply_status(due.key, due.uid, progress, manager=PROGRESS)
        except (NotThere, Conflict):
            self.board.drop(due.uid)
        except LeaseLost:
            raise
        except Exception as error:  # noqa: BLE001 - the next beat writes newer figures
            logger.warning("%s/%s: could not write progress: %s", *due.key, error)

    async def _resync(self) -> None:
        """List what is unfinished now and then: it repairs what a watch missed, and shows whether watches are alive."""
        for turn in itertools.count(1):
            await asyncio.sleep(self._settings.resync_seconds)
            if turn % FULL_EVERY == 0:
                self._spread(list(self._versions))
            try:
                self.watches_alive = await self.check_watches()
                await self._sweep()
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - the API server may be away; readiness tells that by itself
                logger.warning("could not list for a resync: %s", error)

    async def _sweep(self) -> None:
        if self._treasury is not None:
            namespaces = self._settings.watch_namespaces
            swept = await sweep(self._treasury, self._api.simulation, namespaces=namespaces, now=self._now())
            self._metrics.orphans.inc(swept)

    async def check_watches(self) -> bool:
        """Whether the watches have told everything that lists find; what they have not told is queued."""
        missed = await self._untold()
        if missed:
            await asyncio.sleep(CATCH_UP_SECONDS)
            later = await self._untold()
            missed = {strand: told for strand, told in missed.items() if later.get(strand) == told}
        for strand in missed:
            self._queue.add(strand.key)
        self._metrics.watch_missed.inc(len(missed))
        for plural, count in Counter(strand.plural for strand in missed).items():
            logger.error("the watch of %s lags behind: changes of %d Simulations were not told", plural, count)
        if not missed:
            self._metrics.watch_checked.set(self._now().timestamp())
        return not missed

    async def _untold(self) -> dict[Strand, Versions]:
        """What lists of the unfinished Simulations and of their Jobs find otherwise than it was told, and as what."""
        before = set(self._job_versions)
        uids: dict[Key, str] = {}
        found: dict[Strand, dict[str, str]] = {}
        async for raw in self._api.unfinished():
            meta = raw["metadata"]
            key, uid, version = Key(meta["namespace"], meta["name"]), meta["uid"], meta["resourceVersion"]
            if self._versions.get(key) == version or rest_of(read_resource(raw)) is None:
                uids[key] = uid
                found[Strand("Simulations", key)] = {uid: version}
                found[Strand("Jobs", key)] = {}
        for uid in before.difference(uids.values()):  # told after the end of their Simulation
            self._job_versions.pop(uid, None)
        keys = {uid: key for key, uid in uids.items()}
        async for raw in self._api.jobs_of(uids):
            meta = raw["metadata"]
            found[Strand("Jobs", keys[meta["labels"][UID_LABEL]])][meta["uid"]] = meta["resourceVersion"]
        return {strand: told for strand, told in self._told(uids) if told != found[strand]}

    def _told(self, uids: Mapping[Key, str]) -> Iterator[tuple[Strand, Versions]]:
        for key, uid in uids.items():
            yield Strand("Simulations", key), {uid: self._versions[key]} if key in self._versions else {}
            yield Strand("Jobs", key), dict(self._job_versions.get(uid, {}))

    def _spread(self, keys: list[Key]) -> None:
        """Look at each of them once before the next resync, evenly spread."""
        for index, key in enumerate(keys):
            self._queue.add_after(key, index * self._settings.resync_seconds / len(keys))


def rest_of(resource: Resource) -> float | None:
    """None if the Simulation asks for work now; else until when (seconds since the epoch) it may be left alone."""
    status, spec = resource.status, resource.spec
    if resource.deleting:
        return None if {FINALIZER, FUNDS} & set(resource.finalizers) else float("inf")
    if (
        FUNDS in resource.finalizers
        or not is_finished(status)
        or status.observed_generation != resource.generation
        or spec is None
    ):
        return None
    due = deletion_due(spec, status)
    return due.timestamp() if due is not None else float("inf")
