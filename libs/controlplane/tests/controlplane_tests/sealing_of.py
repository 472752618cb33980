"""Tenants whose events tests seal, and the sealers and readers of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg

from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import CheckpointStore, FolderStore
from parpour_controlplane.testing import Place

if TYPE_CHECKING:
    from asyncpg import Connection, Record

KEY, NEXT_KEY = (SigningKey(bytes([seed]) * 32) for seed in (1, 2))
QUICK = SealingPace(look=0.02, lease=0.2, sign=0.0, rest=0.0)
"""A pace at which tests need not wait."""


def now() -> datetime:
    return datetime.now(UTC)


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

    async def event(self, tenant: UUID, *, cause: UUID | None = None, payload: str = '{"a": 1}') -> UUID:
        event = uuid4()
        await self.connection.execute(WRITE, tenant, event, cause, payload)
        return event

    async def write(self, tenant: UUID, count: int = 1, *, cause: UUID | None = None) -> list[UUID]:
        """Events in a transaction of their own."""
        transaction = await self.begin(tenant)
        written = [await self.event(tenant, cause=cause) for _ in range(count)]
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


@dataclass
class Sealing:
    """A database whose events are sealed, step by step."""

    place: Place
    writer: Writer
    pool: asyncpg.Pool[Record]
    store: FolderStore
    tenant: UUID

    def sealer(self, **options: Any) -> Sealer:
        return new_sealer(self.place, options.pop("calls", self.pool), options.pop("store", self.store), **options)

    async def places(self, tenant: UUID | None = None) -> list[tuple[int, UUID]]:
        """(position, event) as an administrator sees them."""
        rows = await self.writer.connection.fetch(
            "select position, event_id from controlplane.sealed_event where tenant_id = $1 order by position",
            tenant or self.tenant,
        )
        return [(row["position"], row["event_id"]) for row in rows]


@asynccontextmanager
async def sealing(place: Place, folder: Path) -> AsyncIterator[Sealing]:
    pool = await asyncpg.create_pool(place.dsn("parpour_sealer"), min_size=1, max_size=4)
    try:
        async with writer(place) as connection:
            yield Sealing(place, connection, pool, FolderStore(folder), uuid4())
    finally:
        await pool.close()
