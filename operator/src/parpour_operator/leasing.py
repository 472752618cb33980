"""Elects one active replica by a Lease, and fences a leader whose renewals fail.

The election stands outside kopf: probes answer before it, and nothing is watched or written until it is won. Expiry is
judged by our own clock from when *we* first saw a holder's renewal, so clocks of two machines are never compared.
Source: the algorithm of client-go's tools/leaderelection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """This process may not write any more: its Lease could not be renewed in time."""


@dataclass(frozen=True)
class Record:
    """A Lease as it is stored."""

    holder: str
    transitions: int
    renewed: str
    """renewTime, as text: it is compared, never computed with."""
    version: str
    """resourceVersion, so that two candidates cannot both write."""
    seconds: int
    acquired: str = ""
    """acquireTime of this holder."""


class Leases(Protocol):
    """Where the Lease stands."""

    async def read(self) -> Record | None:
        """The Lease, or None."""

    async def write(self, record: Record) -> Record | None:
        """Create (empty version) or replace it; None if someone was faster."""


@dataclass
class Fence:
    """Whether this process may write. Asked before each write to the API."""

    clock: Callable[[], float]
    deadline: float = float("-inf")

    def extend(self, until: float) -> None:
        """Writing is allowed until then."""
        self.deadline = until

    def close(self) -> None:
        """Writing is not allowed any more."""
        self.deadline = float("-inf")

    @property
    def open(self) -> bool:
        """Whether writing is allowed now."""
        return self.clock() < self.deadline

    def check(self) -> None:
        """Raises LeaseLost if writing is not allowed now."""
        if not self.open:
            raise LeaseLost("the Lease was not renewed in time; another replica may be active")


@dataclass
class Election:
    """One candidate."""

    leases: Leases
    identity: str
    seconds: int
    renew_deadline: float
    retry: float
    clock: Callable[[], float]
    now: Callable[[], datetime]
    fence: Fence
    _seen: tuple[str, str] | None = None
    _seen_at: float = field(default=float("-inf"))
    _record: Record | None = None

    async def acquire(self) -> None:
        """Wait until this candidate holds the Lease."""
        while not await self.attempt():  # noqa: ASYNC110 - a Lease can only be polled
            await asyncio.sleep(self.retry)
        logger.info("acquired the lease as %s", self.identity)

    async def attempt(self) -> bool:
        """Try once to acquire or renew; errors of the API count as a failure."""
        started = self.clock()
        try:
            held = await self._attempt()
        except Exception as error:  # noqa: BLE001 - whatever the network does, the answer is "not now"
            logger.warning("could not reach the lease: %s", error)
            return False
        if held:
            self.fence.extend(started + self.renew_deadline)
        return held

    async def _attempt(self) -> bool:
        current = self._record or await self.leases.read()
        stamp = _stamp(self.now())
        if current is None:
            return self._keep(await self.leases.write(self._claim(None, stamp)))
        if current.holder == self.identity:
            return self._keep(await self.leases.write(replace(current, renewed=stamp, seconds=self.seconds)))
        if current.holder and not self._expired(current):
            self.fence.close()
            return False
        return self._keep(await self.leases.write(self._claim(current, stamp)))

    def _keep(self, record: Record | None) -> bool:
        """Remember what we wrote, so that a renewal is one request; forget it when someone was faster."""
        self._record = record
        return record is not None

    def _claim(self, current: Record | None, stamp: str) -> Record:
        transitions = current.transitions + 1 if current else 0
        version = current.version if current else ""
        return Record(self.identity, transitions, stamp, version, self.seconds, acquired=stamp)

    def _expired(self, current: Record) -> bool:
        mark = (current.holder, current.renewed)
        if mark != self._seen:
            self._seen, self._seen_at = mark, self.clock()
        return self.clock() >= self._seen_at + current.seconds

    async def hold(self) -> None:
        """Renew until the deadline passes without success.

        Raises:
            LeaseLost: then.
        """
        while True:
            await asyncio.sleep(self.retry)
            if not await self.attempt():
                self._record = None
                self.fence.check()

    async def release(self) -> None:
        """Give the Lease back, so that a standby need not wait; best effort."""
        self.fence.close()
        record = self._record
        if record is None:
            return
        free = replace(record, holder="", renewed=_stamp(self.now()), seconds=1)
        try:
            await self.leases.write(free)
        except Exception as error:  # noqa: BLE001 - the Lease then simply expires
            logger.warning("could not release the lease: %s", error)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_record(raw: Mapping[str, Any]) -> Record:
    """A Lease from the API's object."""
    spec = raw.get("spec", {})
    return Record(
        holder=spec.get("holderIdentity") or "",
        transitions=spec.get("leaseTransitions") or 0,
        renewed=spec.get("renewTime") or "",
        version=raw["metadata"]["resourceVersion"],
        seconds=spec.get("leaseDurationSeconds") or 1,
        acquired=spec.get("acquireTime") or "",
    )


def lease_manifest(record: Record, *, namespace: str, name: str) -> dict[str, Any]:
    """The Lease as the API's object."""
    metadata = {"name": name, "namespace": namespace}
    if record.version:
        metadata["resourceVersion"] = record.version
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": record.seconds,
            "acquireTime": record.acquired or None,
            "renewTime": record.renewed,
            "leaseTransitions": record.transitions,
        },
    }
