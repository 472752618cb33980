"""Migrations are applied once, in order, by one migrator at a time, and never change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

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
