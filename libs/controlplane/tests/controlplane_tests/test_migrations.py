"""Migrations are applied once, in order, by one migrator at a time, and never change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from parpour_controlplane.catalogue import breaches
from parpour_controlplane.errors import MigrationError
from parpour_controlplane.migrations import CONTROL_PLANE, Migration, migrate
from parpour_controlplane.testing import Place, Postgres

pytestmark = pytest.mark.anyio

MORE = Migration("more", 1, "things", "create table controlplane.thing (thing integer)")


async def test_migrators_that_start_together_apply_each_file_once(postgres: Postgres) -> None:
    place = await postgres.empty()
    connections = [await asyncpg.connect(place.dsn("postgres")) for _ in range(3)]
    applied = await asyncio.gather(*(migrate(one, (*CONTROL_PLANE, MORE)) for one in connections))
    assert sorted(len(one) for one in applied) == [0, 0, len(CONTROL_PLANE) + 1]
    for one in connections:
        await one.close()


async def test_the_migrator_needs_no_more_than_its_role(place: Place) -> None:
    connection = await asyncpg.connect(place.dsn("parpour_migrator"))
    assert await migrate(connection, (*CONTROL_PLANE, MORE)) == [MORE]
    assert await migrate(connection, (*CONTROL_PLANE, MORE)) == []
    await connection.close()


async def test_a_file_that_was_applied_may_not_change(place: Place) -> None:
    connection = await asyncpg.connect(place.dsn("postgres"))
    changed = replace(CONTROL_PLANE[0], text=CONTROL_PLANE[0].text + "\n-- improved\n")
    with pytest.raises(MigrationError, match="put the file back") as caught:
        await migrate(connection, (changed,))
    assert caught.value.code == "MIGRATION_CHANGED"
    await connection.close()


async def test_a_migration_that_fails_leaves_nothing_behind(place: Place) -> None:
    connection = await asyncpg.connect(place.dsn("postgres"))
    broken = replace(MORE, text=MORE.text + "; select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(connection, (broken,))
    assert await migrate(connection, (MORE,)) == [MORE]
    await connection.close()


async def test_a_program_meets_a_newer_schema(place: Place) -> None:
    connection = await asyncpg.connect(place.dsn("postgres"))
    await migrate(connection, (MORE,))
    assert await migrate(connection, CONTROL_PLANE) == []
    await connection.close()


async def test_events_from_before_there_was_a_chain_wait_for_their_place(postgres: Postgres) -> None:
    place = await postgres.empty()
    connection = await asyncpg.connect(place.dsn("postgres"))
    await migrate(connection, CONTROL_PLANE[:2])
    columns = "tenant_id, type, version, occurred_at, actor, correlation, subject, payload"
    for tenant in (1, 1, 2):
        values = f"'00000000-0000-0000-0000-{tenant:012}', 'a.b.c', 1, now(), 'x', gen_random_uuid(), 'x', '{{}}'"
        await connection.execute(f"insert into controlplane.event ({columns}) values ({values})")
    await migrate(connection, CONTROL_PLANE)
    found = await connection.fetch("select tenant_id, sum(events) from controlplane.unsealed group by 1 order by 1")
    assert [(row["tenant_id"].int, row["sum"]) for row in found] == [(1, 2), (2, 1)]
    assert await breaches(connection) == []
    await connection.close()
