"""What happened to one thing costs a page, however much else happened, also where it was sealed before the index."""

from __future__ import annotations

import json
from itertools import takewhile
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_controlplane.events import page_of_events
from parpour_controlplane.migrations import CONTROL_PLANE, migrate
from parpour_controlplane.testing import Place, Postgres, seal

from .sealing_of import Writer, writer

pytestmark = pytest.mark.anyio

BEFORE = list(takewhile(lambda one: one.name != "subjects", CONTROL_PLANE))
MANY = """
    insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject, payload)
    select $1, 'control.thing.done', 1, now(), 'user:ann', $1, 'thing/' || n % $3, '{}' from generate_series(1, $2) as n
"""
PAGE = "explain (analyze, buffers, format json) select * from controlplane.page_of_events($1, $2, $3, 'thing/1', 5, $4)"


async def written(to: Writer, tenant: UUID, events: int, things: int) -> None:
    transaction = await to.begin(tenant)
    await to.connection.execute(MANY, tenant, events, things)
    await transaction.commit()


async def pages_read(place: Place, tenant: UUID, *, backward: bool) -> int:
    """Pages of tables and indexes that one page of a thing's events touches."""
    session = await asyncpg.connect(place.dsn())
    context = place.app.mint(tenant=tenant, actor="user:ann")
    try:
        for _ in range(2):
            told = json.loads(await session.fetchval(PAGE, context, 0, 2**62, backward))[0]["Plan"]
        assert told["Actual Rows"] == 5
        return int(told["Shared Hit Blocks"] + told["Shared Read Blocks"])
    finally:
        await session.close()


@pytest.mark.parametrize("backward", [False, True])
async def test_a_page_of_a_things_events_costs_the_same_however_much_else_happened(
    place: Place, backward: bool
) -> None:
    few, many = uuid4(), uuid4()
    async with writer(place) as to:
        await written(to, few, 100, 10)
        await written(to, many, 10_000, 1000)
        await seal(place)
        await to.connection.execute("vacuum analyze controlplane.event, controlplane.sealed_event")
    assert await pages_read(place, many, backward=backward) < 1.5 * await pages_read(place, few, backward=backward) + 20


async def test_what_was_sealed_before_is_found_as_well(postgres: Postgres) -> None:
    place = await postgres.make_place(BEFORE)
    tenant, other = uuid4(), uuid4()
    async with writer(place) as to:
        for one in (tenant, other):
            await written(to, one, 30, 10)
        await seal(place)
        await migrate(to.connection, CONTROL_PLANE)
        await written(to, tenant, 30, 10)
        await seal(place)
    session = await asyncpg.connect(place.dsn())
    context = place.app.mint(tenant=tenant, actor="user:ann")
    found = await page_of_events(session, context, subject="thing/3", limit=99)
    assert [one.position for one in found] == [3, 13, 23, 33, 43, 53]
    assert {one.event.tenant for one in found} == {tenant}
    await session.close()
