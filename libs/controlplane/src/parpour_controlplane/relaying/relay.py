"""The relay: publishes what has its place, in the order of places, and remembers in the database how far it came.

It first publishes and then moves its mark, so after a death at any point it publishes some events again and leaves none
out. A tenant is taken for a few seconds at a time, as by the sealer; a relay that was paused cannot move the mark.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import asyncpg
import nats.errors
from nats.aio.client import Client
from nats.errors import MaxPayloadError
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError

from parpour_contracts.subjects import parse_event_subject
from parpour_controlplane.calls import Calls, refused
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.events import sealed_page
from parpour_controlplane.migrations import sql
from parpour_controlplane.relaying.publishing import Message, ensure_stream, message_of, publish
from parpour_controlplane.relaying.reconciling import reconcile

ACTOR = "system:relay"

FORGETTING = frozenset({"controlplane.payload.erased", "controlplane.history.resumed"})
"""Types of events after which the stream may have what the database no longer says so."""

_log = logging.getLogger(__name__)
_UNRELAYED_TENANTS = sql("parpour_controlplane", "unrelayed_tenants.sql")
_TAKE = "select * from controlplane.take_relay($1, $2, $3)"
_ADVANCE = "select controlplane.advance_relay($1, $2, $3, $4)"
_RELEASE = "select controlplane.release_relay($1, $2)"
_FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ControlPlaneError, nats.errors.Error)


@dataclass(frozen=True)
class RelayPace:
    """How often, how much and how long; times in seconds."""

    look: float = 0.1
    """Between two looks for tenants with something to publish."""
    page: int = 1000
    """Events of a tenant that are published between two moves of its mark."""
    tenants_together: int = 32
    """Tenants whose events are published in common batches."""
    tenants_at_once: int = 8
    """Tenants whose rows are read or written at a time."""
    lease: float = 10.0
    """For how long a tenant is taken: until another relay may go on after this one died."""
    rest: float = 1.0
    """After a failure, before the tenant's next turn."""


@dataclass
class RelayCounts:
    """What a relay has done; for metrics."""

    events: int = 0
    repeated: int = 0
    """Messages that the stream had already."""
    erased: int = 0
    """Messages deleted because the database no longer says so: a payload was erased, or a place given anew."""
    stale: int = 0
    """Times that another relay had taken the tenant."""
    failed: int = 0
    last_error: str = ""


@dataclass
class _Mark:
    """A tenant that this relay has taken."""

    epoch: int
    relayed: int


class Relay:
    """Publishes whatever it finds, one round at a time."""

    def __init__(
        self,
        calls: Calls,
        mint: ContextMint,
        client: Client,
        jetstream: JetStreamContext,
        *,
        clock: Callable[[], float],
        pace: RelayPace | None = None,
        counts: RelayCounts | None = None,
    ) -> None:
        self._calls = calls
        self._mint = mint
        self._client = client
        self._jetstream = jetstream
        self._clock = clock
        self._pace = pace or RelayPace()
        self._marks: dict[UUID, _Mark] = {}
        self._epochs: dict[UUID, int] = {}
        self._resting: dict[UUID, float] = {}
        self._forgetting: set[UUID] = set()
        self.counts = counts or RelayCounts()
        """What was done so far."""

    async def round(self) -> int:
        """Publish one page of each tenant that has something to publish; returns the events published.

        Tenants share batches, because each batch waits for the disk.
        """
        now = self._clock()
        self._resting = {tenant: until for tenant, until in self._resting.items() if until > now}
        found = {row["tenant_id"]: row["relayed"] for row in await self._calls.fetch(_UNRELAYED_TENANTS)}
        for tenant, relayed in found.items():
            mark = self._marks.get(tenant)
            if mark is not None and relayed < mark.relayed:
                # The database has gone back, by a crash or to a backup: what lies between may be other events now.
                del self._marks[tenant]
        before = self.counts.events
        waiting = iter([tenant for tenant in found if tenant not in self._resting])
        while together := list(islice(waiting, self._pace.tenants_together)):
            await self._publish(together)
        return self.counts.events - before

    async def forget(self) -> None:
        """Have the stream forget what was erased by events that were published since.

        A whole tenant is looked through, so this is for a task of its own; a reconciliation does the same, later.
        """
        await self._each(list(self._forgetting), self._forget)

    async def finish(self) -> None:
        """Let others go on at once."""
        await self._each(list(self._marks), self._release)

    async def _each(self, tenants: list[UUID], act: Callable[[UUID], Awaitable[None]]) -> None:
        """Act on tenants, a few at once; what fails with one tenant concerns no other."""
        waiting = iter(tenants)

        async def work() -> None:
            for tenant in waiting:
                try:
                    await act(tenant)
                except _FAULTS as error:
                    await self._fail(tenant, error)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._pace.tenants_at_once, len(tenants))):
                group.create_task(work())

    async def _fail(self, tenant: UUID, error: Exception) -> None:
        self._marks.pop(tenant, None)
        cause = (refused(error) if isinstance(error, asyncpg.PostgresError) else None) or error
        if isinstance(cause, ControlPlaneError) and cause.code == "RELAY_STALE":
            self.counts.stale += 1
            return
        self._resting[tenant] = self._clock() + self._pace.rest
        self.counts.failed += 1
        self.counts.last_error = f"{tenant}: {type(cause).__name__}: {cause}"
        _log.error("publishing failed: %s", self.counts.last_error)
        if isinstance(error, NoStreamResponseError):
            with contextlib.suppress(nats.errors.Error, OSError):
                await ensure_stream(self._jetstream)

    def _context(self, tenant: UUID) -> str:
        return self._mint.mint(tenant=tenant, actor=ACTOR)

    async def _take(self, tenant: UUID) -> _Mark | None:
        row = await self._calls.fetchrow(_TAKE, self._context(tenant), self._epochs.get(tenant), self._pace.lease)
        if row is None or row["epoch"] is None:
            return None
        self._epochs[tenant] = row["epoch"]
        self._marks[tenant] = _Mark(row["epoch"], row["relayed"])
        return self._marks[tenant]

    async def _publish(self, tenants: list[UUID]) -> None:
        pages: dict[UUID, list[Message]] = {}
        alone = False

        async def read(tenant: UUID) -> None:
            if messages := await self._page(tenant):
                pages[tenant] = messages

        async def finish(tenant: UUID) -> None:
            if alone:
                self.counts.repeated += await publish(self._client, self._jetstream, pages[tenant])
            await self._advance(tenant, pages[tenant])

        await self._each(tenants, read)
        try:
            every = [message for messages in pages.values() for message in messages]
            self.counts.repeated += await publish(self._client, self._jetstream, every)
        except (MaxPayloadError, APIError):
            # One of them cannot be published, which is to hinder its own tenant and no other.
            alone = True
        except _FAULTS as error:
            for tenant in pages:
                await self._fail(tenant, error)
            return
        await self._each(list(pages), finish)

    async def _page(self, tenant: UUID) -> list[Message]:
        """The next messages of a tenant, if no other relay has it."""
        mark = self._marks.get(tenant) or await self._take(tenant)
        if mark is None:
            return []
        rows = await sealed_page(self._calls, self._context(tenant), after=mark.relayed, most=self._pace.page)
        return [message_of(row, tenant=tenant) for row in rows]

    async def _advance(self, tenant: UUID, messages: list[Message]) -> None:
        mark, last = self._marks.get(tenant), messages[-1].position
        if mark is None:
            return
        if any(parse_event_subject(message.subject)[1] in FORGETTING for message in messages):
            self._forgetting.add(tenant)
        await self._calls.fetchval(_ADVANCE, self._context(tenant), mark.epoch, self._pace.lease, last)
        mark.relayed = last
        self.counts.events += len(messages)

    async def _forget(self, tenant: UUID) -> None:
        found = await reconcile(self._calls, lambda: self._context(tenant), self._jetstream, tenant)
        self.counts.erased += len(found.stale)
        self._forgetting.discard(tenant)

    async def _release(self, tenant: UUID) -> None:
        mark = self._marks.pop(tenant)
        await self._calls.fetchval(_RELEASE, self._context(tenant), mark.epoch)


async def run_relay(
    database: Database,
    mint: ContextMint,
    client: Client,
    *,
    clock: Callable[[], float],
    stop: asyncio.Event,
    pace: RelayPace | None = None,
    counts: RelayCounts | None = None,
) -> RelayCounts:
    """Publish until `stop` is set; returns what was done, which `counts` tells meanwhile.

    `database` is of the role parpour_relay, and `mint` mints with a key of that role. `client` is connected, and
    reconnects for as long as it takes. `clock` gives seconds.
    """
    pace = pace or RelayPace()
    jetstream = client.jetstream()
    relay = Relay(database.pool, mint, client, jetstream, clock=clock, pace=pace, counts=counts)
    prepared = False
    forgetting = asyncio.create_task(_forget_until(stop, relay, pace))
    while not stop.is_set():
        try:
            if not prepared:
                await ensure_stream(jetstream)
                prepared = True
            published = await relay.round()
        except _FAULTS as error:
            relay.counts.failed += 1
            relay.counts.last_error = f"{type(error).__name__}: {error}"
            _log.error("no tenants were found to publish: %s", relay.counts.last_error)
            published = 0
        if published < pace.page:
            await _pause(stop, pace.look)
    await forgetting
    await relay.finish()
    return relay.counts


async def _forget_until(stop: asyncio.Event, relay: Relay, pace: RelayPace) -> None:
    while not stop.is_set():
        await relay.forget()
        await _pause(stop, pace.look)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
