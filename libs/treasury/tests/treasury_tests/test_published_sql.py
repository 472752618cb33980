"""Published ways around row-level security and roles, tried by whoever runs any SQL as the service, as tenant B."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from parpour_controlplane.database import Database
from parpour_controlplane.testing import Place, seal
from parpour_treasury.spending.testing import Venture, new_venture

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio

SCHEMAS = "('controlplane', 'treasury')"
COLUMNS = f"""
    select c.oid::regclass::text as relation, a.attname as name,
        has_column_privilege('parpour_app', c.oid, a.attnum, 'select') as told
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relnamespace::regnamespace::text in {SCHEMAS} and c.relkind in ('r', 'p', 'v')
    order by 1, 2
"""
SEQUENCES = (
    f"select oid::regclass::text from pg_class where relkind = 'S' and relnamespace::regnamespace::text in {SCHEMAS}"
)


@pytest.fixture(scope="module")
async def a(database: Database, place: Place) -> Venture:
    """Tenant A, of whom there is something in most tables, and of which the planner knows."""
    venture = await new_venture(database, place)
    await venture.request(900)
    await venture.request(1100)
    await seal(place)
    administrator = await asyncpg.connect(place.dsn("postgres"))
    await administrator.execute("analyze")
    await administrator.close()
    return venture


@pytest.fixture
async def session(place: Place, a: Venture) -> AsyncIterator[Connection[Record]]:
    """Of the service, in the name of a tenant B of whom there is nothing."""
    connection = await asyncpg.connect(place.dsn())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("select controlplane.enter($1)", place.app.mint(tenant=uuid4(), actor="user:eve"))
    yield connection
    await transaction.rollback()
    await connection.close()


async def refused(session: Connection[Record], sql: str) -> str:
    """With what state a statement fails."""
    try:
        async with session.transaction():
            await session.execute(sql)
    except asyncpg.PostgresError as error:
        return error.sqlstate or ""
    return ""


async def test_no_condition_that_fails_is_tried_on_rows_of_others(place: Place, session: Connection[Record]) -> None:
    """PostgreSQL, 39.5: a cast that fails quotes what it was given, if it is tried before the policy is."""
    for row in await session.fetch(COLUMNS):
        sql = f"select count(*) from {row['relation']} where ({row['name']}::text || 'x')::integer = 1"
        if row["told"]:
            assert await session.fetchval(sql) == 0, row
        else:
            assert await refused(session, sql) == "42501", row


async def test_no_setting_turns_the_policies_off(session: Connection[Record]) -> None:
    """PostgreSQL, row_security: off means an error where rows would be left out, and no rows more."""
    await session.execute("set local row_security = off")
    for table in ("treasury.leg", "treasury.spend", "controlplane.tenant"):
        assert await refused(session, f"select tenant_id from {table}") == "42501"


@pytest.mark.parametrize(
    "sql",
    [
        "set role parpour_owner",
        "set local role parpour_sweeper",
        "set session authorization postgres",
        "select set_config('role', 'parpour_owner', true)",
        "select set_config('session_authorization', 'postgres', true)",
        "set local session_replication_role = replica",
        "alter table treasury.leg disable row level security",
        "alter table treasury.leg disable trigger all",
        "drop policy tenant on treasury.leg",
        "create policy mine on treasury.leg using (true)",
        "create schema mine",
        "create function pg_temp.current_tenant() returns uuid language sql as 'select null::uuid'",
        "create temp table leg (tenant_id uuid)",
        "create view public.v as select 1",
        "create extension dblink schema public",
        "create event trigger t on ddl_command_end execute function pg_catalog.now()",
        "grant parpour_owner to parpour_app",
        "alter function controlplane.enter(text) security invoker",
        "security label on table treasury.leg is 'x'",
        "comment on table treasury.leg is 'x'",
        "lock table treasury.ledger in exclusive mode",
        "select * from treasury.ledger for update",
        "copy treasury.leg to program 'id'",
        "copy treasury.leg to '/tmp/x'",
        "select pg_read_file('/etc/passwd')",
        "select pg_ls_dir('/')",
        "select lo_import('/etc/passwd')",
        "select * from pg_authid",
        "select * from pg_statistic",
        "select * from controlplane.context_key",
        "select pg_reload_conf()",
        "select controlplane.verified('x')",
        "truncate treasury.leg",
        "alter system set row_security = off",
    ],
)
async def test_no_statement_makes_the_service_more_than_it_is(session: Connection[Record], sql: str) -> None:
    """PostgreSQL, 5.8 and CVE-2018-1058: roles, settings, objects that come first in a search path, and files."""
    assert await refused(session, sql) in ("42501", "25001", "42704", "22023", "0A000"), sql


async def test_statistics_and_sequences_tell_nothing_of_others(session: Connection[Record]) -> None:
    """CVE-2017-7484 and CVE-2019-10130: what the planner keeps are values of everybody's rows."""
    assert await session.fetchval(f"select count(*) from pg_stats where schemaname in {SCHEMAS}") == 0
    names = [row[0] for row in await session.fetch(SEQUENCES)]
    assert names
    for name in names:
        assert await refused(session, f"select last_value from {name}") == "42501"
        assert await refused(session, f"select nextval('{name}')") == "42501"
    told = f"select count(*) from pg_sequences where schemaname in {SCHEMAS} and last_value is not null"
    assert await session.fetchval(told) == 0


async def test_a_cursor_that_outlives_its_transaction_has_rows_of_its_own_tenant(place: Place, a: Venture) -> None:
    """What a reader leaves open behind its transaction: only what it could read there, and only for its session."""
    connection = await asyncpg.connect(place.dsn())
    await connection.execute("begin")
    await connection.execute("select controlplane.enter($1)", place.app.mint(tenant=uuid4(), actor="user:eve"))
    await connection.execute("declare c cursor with hold for select tenant_id from treasury.leg")
    await connection.execute("commit")
    await connection.execute("begin")
    await connection.execute("select controlplane.enter($1)", a.context())
    assert await connection.fetch("select tenant_id from treasury.leg")
    assert await connection.fetch("fetch all from c") == []
    await connection.close()
