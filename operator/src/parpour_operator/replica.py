"""One replica of the operator: standby until it holds the Lease, then the one that works.

All long-lived parts meet here and nowhere else, so the order of starting and ending them can be read in one place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from parpour_operator import cluster, treasury
from parpour_operator.bus import BusAccess, ProgressReader
from parpour_operator.controlling import Controller
from parpour_operator.leasing import Election, Fence, LeaseLost
from parpour_operator.metrics import Metrics
from parpour_operator.serving import Check, serve
from parpour_operator.settings import Settings
from parpour_operator.ventures.cluster import VentureCluster
from parpour_operator.ventures.furnishing import read_furniture
from parpour_operator.ventures.reconciling import VentureController
from parpour_operator.watching import watch

logger = logging.getLogger(__name__)

CRD_RETRY_SECONDS = 3.0
END_ATTEMPTS = 5


class Role(StrEnum):
    """What a replica is at the moment."""

    STARTING = "starting"
    STANDBY = "standby"
    LEADER = "leader"
    ENDING = "ending"


class Replica:
    """A process of the operator."""

    def __init__(self, settings: Settings, *, clock: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self.metrics = Metrics()
        self._fence = Fence(clock)
        self._client = cluster.connect(settings, self.metrics, check_write=self._fence.check, monotonic=clock)
        self._api = cluster.Cluster(self._client, namespaces=settings.watch_namespaces)
        self._election = Election(
            leases=cluster.ApiLeases(self._client, namespace=settings.namespace, name=settings.lease_name),
            identity=settings.identity,
            seconds=settings.lease_seconds,
            renew_deadline=settings.lease_renew_deadline,
            retry=settings.lease_retry_seconds,
            clock=clock,
            now=now,
            fence=self._fence,
        )
        self._treasury = treasury.connect(settings, check_write=self._fence.check)
        self._controller = Controller(
            api=self._api, settings=settings, metrics=self.metrics, now=now, clock=clock, treasury=self._treasury
        )
        self._ventures: VentureController | None = None
        if self._treasury is not None:
            ventures = VentureCluster(self._client, self._api)
            folder = settings.venture_directory
            self._ventures = VentureController(
                api=ventures,
                treasury=self._treasury,
                now=now,
                clock=clock,
                furniture=partial(read_furniture, Path(folder)) if folder else tuple,
            )
        self._role = Role.STARTING
        self._watching = asyncio.Event()

    async def serve(self, stack: AsyncExitStack) -> tuple[int, int]:
        """Start the probes and the metrics; their ports."""
        ready = [Check("role", self._role_fault), Check("api", self._api_fault), Check("watches", self._watch_fault)]
        return await serve(
            stack,
            host=self._settings.listen_host,
            health_port=self._settings.health_port,
            metrics_port=self._settings.metrics_port,
            live=[Check("ending", lambda: "")],
            ready=ready,
            metrics=self.metrics,
        )

    def _role_fault(self) -> str:
        return "" if self._role in (Role.STANDBY, Role.LEADER) else f"{self._role}"

    def _api_fault(self) -> str:
        reached = self.metrics.registry.get_sample_value("parpour_operator_api_reached_timestamp_seconds") or 0.0
        silent = time.time() - reached
        return "" if silent < self._settings.lease_seconds else "the API server has not answered lately"

    def _watch_fault(self) -> str:
        if self._role is not Role.LEADER:
            return ""
        if not self._watching.is_set():
            return "watches are not open yet"
        return "" if self._controller.watches_alive else "a watch of Simulations or Jobs lags behind"

    async def stand_by(self) -> None:
        """Wait for the CRD, which kopf looks for only once, and then for the Lease."""
        while (fault := await self._api.missing_crd()) is not None:
            logger.warning("Simulations cannot be listed: %s; install the CRDs of this version", fault)
            await asyncio.sleep(CRD_RETRY_SECONDS)
        self._role = Role.STANDBY
        await self._election.acquire()
        self._role = Role.LEADER
        self.metrics.leader.set(1)

    async def lead(self, stop: asyncio.Event, *, on_watching: Callable[[], None]) -> str:
        """Work until `stop` is set; what went wrong, or nothing.

        kopf counts every task that is born after it as its own, hence it starts last and our parts end before it.
        """
        end_watch = asyncio.Event()
        parts = [
            asyncio.create_task(self._election.hold(), name="lease"),
            asyncio.create_task(self._controller.run(), name="controller"),
        ]
        if self._ventures is not None:
            parts.append(asyncio.create_task(self._ventures.run(), name="ventures"))
        if self._settings.bus_directory:
            parts.append(asyncio.create_task(self._read_progress(), name="bus"))
        parts.append(asyncio.create_task(self._announce(on_watching), name="announcement"))
        watches = asyncio.create_task(
            watch(self._settings, self._controller, self._ventures, stop=end_watch, ready=self._watching),
            name="watches",
        )
        told = asyncio.create_task(stop.wait(), name="stop")
        vital = {part for part in parts if part.get_name() in ("lease", "controller", "ventures")} | {watches, told}
        done, _ = await asyncio.wait(vital, return_when=asyncio.FIRST_COMPLETED)
        self._role = Role.ENDING
        self.metrics.leader.set(0)
        await _end({*parts, told})
        await self._election.release()
        end_watch.set()
        await asyncio.gather(watches, return_exceptions=True)
        return "" if stop.is_set() else _fault_of(done)

    async def _announce(self, on_watching: Callable[[], None]) -> None:
        await self._watching.wait()
        on_watching()
        logger.info("leader; watches are open")

    async def _read_progress(self) -> None:
        access = BusAccess(self._settings.bus_directory)
        reader = ProgressReader(
            access, storage=self._settings.bus_storage, board=self._controller.board, metrics=self.metrics
        )
        await reader.run()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()
        if self._treasury is not None:
            await self._treasury.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """Cancel the tasks; more than once, since `asyncio.wait_for` in a library may swallow a cancellation."""
    pending = tasks
    for _ in range(END_ATTEMPTS):
        for task in pending:
            task.cancel()
        if pending:
            _, pending = await asyncio.wait(pending, timeout=1.0)


def _fault_of(done: Iterable[asyncio.Task[Any]]) -> str:
    for task in done:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, LeaseLost | BaseExceptionGroup):
            logger.error("stopping: %s: %s", task.get_name(), error)
        elif error is not None:
            logger.error("stopping: %s", task.get_name(), exc_info=error)
        else:
            logger.error("stopping: %s ended by itself", task.get_name())
    return ", ".join(sorted(task.get_name() for task in done))
