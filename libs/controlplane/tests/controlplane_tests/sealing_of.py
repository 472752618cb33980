"""Tenants whose events tests seal, and the sealers and readers of them."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import nats
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from parpour_contracts.events import PublishedEventV1
from parpour_contracts.subjects import EVENTS_STREAM
from parpour_controlplane.chain.blocks import NOTHING
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.chain.merkle import GrowingTree
from parpour_controlplane.chain.verifying import Verified
from parpour_controlplane.database import open_database
from parpour_controlplane.exporting import export_history, verify_export
from parpour_controlplane.relaying.reconciling import Reconciled, reconcile
from parpour_controlplane.relaying.relay import Relay, RelayPace
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.resuming import Resuming
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import CheckpointStore, FolderStore
from parpour_controlplane.testing import Bus, Place

if TYPE_CHECKING:
    from asyncpg import Connection, Record

KEY, NEXT_KEY = (SigningKey(bytes([seed]) * 32) for seed in (1, 2))
QUICK = SealingPace(look=0.02, lease=0.2, sign=0.0, rest=0.0)
QUICK_RELAY = RelayPace(look=0.02, lease=0.2, rest=0.0)
"""A pace at which tests need not wait."""


def now() -> datetime:
    return datetime.now(UTC)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


WRITE = """
    insert into controlplane.event
        (tenant_id, event_id, type, version, occurred_at, actor, correlation, causation, subject, payload, taint)
    values ($1, $2, 'control.thing.done', 1, now(), 'user:ann', $1, $3, 'thing/1', $4::text::json, '{web}')
"""


class Writer:
    """A session that writes events as the functions of the owner do."""

    def __init__(self, connection: Connection[Record]) -> None:
        self.connection = connection

    async def begin(self, tenant: UUID) -> Any:
        transaction = self.connection.transaction()
        await transaction.start()
        await self.connection.execute("set local role parpour_owner")
        await self.connection.execute("select set_config('parpour.tenant', $1, true)", str(tenant))
        return transaction

    async def event(self, tenant: UUID, *, cause: UUID | None = None, payload: str = '{"a": 1, "b": null}') -> UUID:
        event = uuid4()
        await self.connection.execute(WRITE, tenant, event, cause, payload)
        return event

    async def write(self, tenant: UUID, count: int = 1, *, cause: UUID | None = None) -> list[UUID]:
        """Events in a transaction of their own."""
        transaction = await self.begin(tenant)
        try:
            written = [await self.event(tenant, cause=cause) for _ in range(count)]
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        return written


@asynccontextmanager
async def writer(place: Place) -> AsyncIterator[Writer]:
    connection = await asyncpg.connect(place.dsn("postgres"))
    try:
        yield Writer(connection)
    finally:
        await connection.close()


def new_sealer(
    place: Place,
    calls: Any,
    store: CheckpointStore,
    *,
    keys: Sequence[SigningKey] = (KEY,),
    pace: SealingPace = QUICK,
    clock: Callable[[], datetime] = now,
) -> Sealer:
    return Sealer(calls, place.sealer, SigningKeys(tuple(keys)), store, clock=clock, random=os.urandom, pace=pace)


@dataclass(frozen=True)
class Connected:
    """A client of the bus, or stand-ins that fail where a test wants them to."""

    client: Any
    jetstream: Any


@dataclass
class Sealing:
    """A database whose events are sealed, step by step."""

    place: Place
    writer: Writer
    pool: asyncpg.Pool[Record]
    store: FolderStore
    tenant: UUID
    relaying: asyncpg.Pool[Record]

    def relay(self, bus: Connected, **options: Any) -> Relay:
        calls, pace = options.pop("calls", self.relaying), options.pop("pace", QUICK_RELAY)
        return Relay(calls, self.place.relay, bus.client, bus.jetstream, clock=time.time, pace=pace)

    async def reconcile(self, jetstream: Any, *, repair: bool = True) -> Reconciled:
        def context() -> str:
            return self.place.relay.mint(tenant=self.tenant, actor="system:reconciler")

        return await reconcile(self.relaying, context, jetstream, self.tenant, repair=repair)

    def sealer(self, **options: Any) -> Sealer:
        return new_sealer(self.place, options.pop("calls", self.pool), options.pop("store", self.store), **options)

    async def places(self, tenant: UUID | None = None) -> list[tuple[int, UUID]]:
        """(position, event) as an administrator sees them."""
        rows = await self.writer.connection.fetch(
            "select position, event_id from controlplane.sealed_event where tenant_id = $1 order by position",
            tenant or self.tenant,
        )
        return [(row["position"], row["event_id"]) for row in rows]

    async def export(self, tenant: UUID | None = None) -> Path:
        """A file with the tenant's history, read as the service reads."""
        whose = tenant or self.tenant
        path = self.store.folder.with_name(f"{whose}.ndjson")

        def context() -> str:
            return self.place.app.mint(tenant=whose, actor="user:ann")

        async with open_database(self.place.dsn(), connections=1) as database:
            with path.open("w", encoding="utf-8") as file:
                await export_history(database, context, self.store, whose, file)
        return path

    def resuming(self, **options: Any) -> Resuming:
        calls, store = options.pop("calls", self.pool), options.pop("store", self.store)
        keys = SigningKeys(tuple(options.pop("keys", (KEY,))))
        return Resuming(calls, self.place.sealer, keys, store, clock=now, **options)

    async def verify(
        self, tenant: UUID | None = None, *, keys: Sequence[SigningKey] = (KEY,), accepted: Sequence[str] = ()
    ) -> Verified:
        """Verify what an export has."""
        hashes = [bytes.fromhex(one) for one in accepted]
        return verify_export(await self.export(tenant), [key.public for key in keys], accepted=hashes)


async def set_back(here: Sealing, blocks: int, *, waiting: Sequence[UUID] = (), tenant: UUID | None = None) -> None:
    """Make the database what a backup of when the tenant had so many blocks would have, and these events waiting."""
    whose = tenant or here.tenant
    query = "select hash from controlplane.block where tenant_id = $1 and number <= $2 order by number"
    hashes = [row["hash"] for row in await here.writer.connection.fetch(query, whose, blocks)]
    tree = GrowingTree()
    for one in hashes:
        tree.append(one)
    async with here.writer.connection.transaction():
        execute = here.writer.connection.execute
        # No statement may do what a restore does.
        await execute("set local session_replication_role = replica")
        await execute("delete from controlplane.block where tenant_id = $1 and number > $2", whose, blocks)
        left = "select coalesce(max(first + count - 1), 0) from controlplane.block where tenant_id = $1"
        position = await here.writer.connection.fetchval(left, whose)
        await execute("delete from controlplane.sealed_event where tenant_id = $1 and position > $2", whose, position)
        await execute("delete from controlplane.unsealed where tenant_id = $1", whose)
        await execute(
            "delete from controlplane.event e where tenant_id = $1 and event_id <> all($2) and not exists (select from "
            "controlplane.sealed_event s where s.tenant_id = e.tenant_id and s.event_id = e.event_id)",
            whose,
            waiting,
        )
        await execute(
            "insert into controlplane.unsealed select tenant_id, transaction, count(*) from controlplane.event "
            "where tenant_id = $1 and event_id = any($2) group by tenant_id, transaction",
            whose,
            waiting,
        )
        await execute(
            "update controlplane.chain_head set position = $2, blocks = $3, hash = $4, peaks = $5, "
            "signed = least(signed, $3), relayed = least(relayed, $2), held_until = '-infinity', "
            "relay_held_until = '-infinity' where tenant_id = $1",
            whose,
            position,
            blocks,
            hashes[-1] if hashes else NOTHING,
            list(tree.peaks),
        )


@asynccontextmanager
async def sealing(place: Place, folder: Path) -> AsyncIterator[Sealing]:
    async with (
        asyncpg.create_pool(place.dsn("parpour_sealer"), min_size=1, max_size=4) as pool,
        asyncpg.create_pool(place.dsn("parpour_relay"), min_size=1, max_size=4) as relaying,
        writer(place) as connection,
    ):
        yield Sealing(place, connection, pool, FolderStore(folder / "checkpoints"), uuid4(), relaying)


@asynccontextmanager
async def connected(bus: Bus) -> AsyncIterator[Connected]:
    client = await nats.connect(bus.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, allow_reconnect=True)
    try:
        yield Connected(client, client.jetstream(timeout=5))
    finally:
        await client.close()


async def stream_of(jetstream: JetStreamContext) -> list[tuple[int, dict[str, str], PublishedEventV1]]:
    """Everything in the stream: (sequence, headers, event)."""
    info = await jetstream.stream_info(EVENTS_STREAM)
    found = []
    for sequence in range(max(1, info.state.first_seq), info.state.last_seq + 1):
        try:
            message = await jetstream.get_msg(EVENTS_STREAM, sequence)
        except NotFoundError:
            continue
        found.append((sequence, dict(message.headers or {}), PublishedEventV1.from_json(message.data or b"")))
    return found
