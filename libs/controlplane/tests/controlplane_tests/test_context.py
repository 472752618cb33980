"""Contexts: whoever lacks the key is nobody, whatever SQL they run."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_controlplane.context import LIFE_SECONDS, ContextKey, ContextMint, install_key
from parpour_controlplane.database import open_database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.testing import APP_KEY, Place

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio
TENANT, OTHER = UUID(int=1), UUID(int=2)


@asynccontextmanager
async def session(place: Place, role: str = "parpour_app") -> AsyncIterator[Connection[Record]]:
    connection = await asyncpg.connect(place.dsn(role))
    try:
        yield connection
    finally:
        await connection.close()


async def refusal_of(connection: Connection[Record], context: str) -> str:
    with pytest.raises(asyncpg.PostgresError) as caught:
        await connection.fetchval("select controlplane.enter($1)", context)
    return caught.value.message or ""


@pytest.mark.parametrize("actor", ["user:ann", "a|b|c", "agent:Zoë ☂ 'quoted' \\ ; drop", "x" * 200])
async def test_tenant_and_actor_arrive_as_they_were_minted(shared: Place, actor: str) -> None:
    async with session(shared) as connection, connection.transaction():
        context = shared.app.mint(tenant=TENANT, actor=actor)
        assert await connection.fetchval("select controlplane.enter($1)", context) == TENANT
        assert await connection.fetchval("select controlplane.current_actor()") == actor


@pytest.mark.parametrize("actor", ["", "two\nlines", "x" * 201, "several:me"])
def test_what_is_no_actor_is_not_minted(actor: str) -> None:
    with pytest.raises(ValueError, match="not an actor"):
        ContextMint(APP_KEY, clock=time.time).mint(tenant=TENANT, actor=actor)


@pytest.mark.parametrize("secret", [b"", b"s" * 31])
def test_a_secret_that_could_be_guessed_is_no_key(secret: bytes) -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        ContextKey("test", "parpour_app", secret)


async def test_a_context_with_any_character_changed_is_refused(shared: Place) -> None:
    good = shared.app.mint(tenant=TENANT, actor="user:ann")
    async with session(shared) as connection:
        for position in range(len(good)):
            changed = good[:position] + ("0" if good[position] != "0" else "1") + good[position + 1 :]
            assert await refusal_of(connection, changed) == "CONTEXT_REFUSED"
        for text in (good[:64], good[:-1], good + "x", "v1|test-app", "\u2603" * 80, str(TENANT)):
            assert await refusal_of(connection, text) == "CONTEXT_REFUSED"
        assert await refusal_of(connection, "") == "CONTEXT_MISSING"


async def test_a_context_is_of_its_time(shared: Place) -> None:
    async with session(shared) as connection:
        for drift in (-LIFE_SECONDS - 1, 3600):
            mint = ContextMint(APP_KEY, clock=lambda drift=drift: time.time() + drift)  # type: ignore[misc]
            assert await refusal_of(connection, mint.mint(tenant=TENANT, actor="a")) == "CONTEXT_EXPIRED"


async def test_a_key_counts_in_sessions_of_its_role_and_while_it_lives(shared: Place) -> None:
    stale = ContextKey("stale", "parpour_app", b"s" * 100)
    async with session(shared, "postgres") as administrator:
        await install_key(administrator, stale, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    async with session(shared) as connection:
        for mint in (shared.sweeper, ContextMint(stale, clock=time.time)):
            assert await refusal_of(connection, mint.mint(tenant=TENANT, actor="a")) == "CONTEXT_REFUSED"
    async with session(shared, "parpour_sweeper") as connection:
        context = shared.sweeper.mint(tenant=TENANT, actor="a")
        assert await connection.fetchval("select controlplane.enter($1)", context) == TENANT


async def test_settings_make_nobody_another_tenant(shared: Place) -> None:
    async with session(shared) as connection:
        for tenant in (TENANT, OTHER):
            made = "select controlplane.create_tenant($1, $2)"
            assert await connection.fetchval(made, shared.app.mint(tenant=tenant, actor="a"), "t")
        async with connection.transaction():
            await connection.execute("select controlplane.enter($1)", shared.app.mint(tenant=TENANT, actor="a"))
            mine = await connection.fetchval("select current_setting('parpour.context')")
            for setting in ("parpour.tenant", "parpour.actor", "role.tenant"):
                await connection.execute("select set_config($1, $2, true)", setting, str(OTHER))
            assert [row[0] for row in await connection.fetch("select tenant_id from controlplane.tenant")] == [TENANT]
            forged = mine.replace(str(TENANT), str(OTHER))
            await connection.execute("select set_config('parpour.context', $1, true)", forged)
            with pytest.raises(asyncpg.PostgresError, match="CONTEXT_REFUSED"):
                await connection.fetch("select * from controlplane.tenant")


async def test_a_context_ends_with_its_transaction(shared: Place) -> None:
    async with session(shared) as connection:
        async with connection.transaction():
            await connection.execute("select controlplane.enter($1)", shared.app.mint(tenant=TENANT, actor="a"))
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_MISSING"):
            await connection.fetch("select * from controlplane.tenant")
        await connection.execute("select controlplane.enter($1)", shared.app.mint(tenant=TENANT, actor="a"))
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_MISSING"):
            await connection.fetch("select type from controlplane.event")


@pytest.mark.parametrize(
    "role", ["parpour_app", "parpour_sweeper", "parpour_relay", "parpour_sealer", "parpour_payment"]
)
async def test_no_service_reads_a_key_or_becomes_the_owner(shared: Place, role: str) -> None:
    async with session(shared, role) as connection:
        for query in (
            "select * from controlplane.context_key",
            "insert into controlplane.context_key values ('k', 'parpour_app', '', '', now())",
            "select controlplane.verified('')",
            "set role parpour_owner",
            "set session authorization parpour_owner",
            "create table controlplane.mine (x integer)",
            "create temp table mine (x integer)",
            "alter role parpour_app bypassrls",
            "update controlplane.tenant set name = 'x'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(query)


async def test_a_database_transaction_reads_one_tenant_and_writes_nothing(shared: Place) -> None:
    async with open_database(shared.dsn(), connections=1) as database:
        context = shared.app.mint(tenant=TENANT, actor="a")
        await database.pool.fetchval("select controlplane.create_tenant($1, 'one')", context)
        async with database.transaction(context) as connection:
            assert await connection.fetchval("select count(*) from controlplane.tenant") == 1
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await connection.fetchval("select controlplane.create_tenant($1, 'one')", context)
        with pytest.raises(ControlPlaneError) as caught:
            async with database.transaction(str(uuid4())):
                pass
        assert caught.value.code == "CONTEXT_REFUSED"


async def test_sessions_of_one_role_are_shown_no_context_of_each_other(shared: Place) -> None:
    """pg_stat_activity shows a role what its other sessions run: PostgreSQL, section 27.2.3."""
    async with session(shared) as spy, open_database(shared.dsn(), connections=1) as database:
        context = shared.app.mint(tenant=TENANT, actor="a")
        async with database.transaction(context):
            rows = await spy.fetch("select query from pg_stat_activity where usename = 'parpour_app'")
        shown = "\n".join(row["query"] for row in rows)
        assert "controlplane.enter" in shown
        assert context not in shown
        assert context.encode().hex() not in shown


async def test_a_database_that_is_not_there_has_its_code(shared: Place) -> None:
    with pytest.raises(ControlPlaneError) as caught:
        async with open_database(shared.dsn() + "0"):
            pass
    assert caught.value.code == "DATABASE_UNAVAILABLE"


@pytest.mark.parametrize(
    "role",
    ["parpour_migrator", "parpour_app", "parpour_sweeper", "parpour_relay", "parpour_sealer", "parpour_payment"],
)
async def test_no_server_compiles_what_runs_for_milliseconds(shared: Place, role: str) -> None:
    async with session(shared, role) as connection:
        assert await connection.fetchval("show jit") == "off"


async def test_what_a_reader_sets_on_the_session_is_gone_for_the_next(shared: Place) -> None:
    async with open_database(shared.dsn(), connections=1) as database:
        context = shared.app.mint(tenant=TENANT, actor="a")
        async with database.transaction(context) as connection:
            await connection.execute("select set_config('parpour.context', $1, false)", context)
            await connection.execute("set session statement_timeout = 1")
        assert await database.pool.fetchval("select current_setting('parpour.context', true)") in (None, "")
        assert await database.pool.fetchval("show statement_timeout") == "30s"


async def test_a_session_that_cannot_be_cleared_is_not_used_again(
    shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_database(shared.dsn(), connections=1) as database:
        context = shared.app.mint(tenant=TENANT, actor="a")

        async def read() -> None:
            async with database.transaction(context) as connection:
                await connection.execute("select set_config('parpour.context', $1, false)", context)

        with monkeypatch.context() as patched:
            patched.setattr(asyncpg.Connection, "get_reset_query", lambda _: "select 1 / 0;")
            with pytest.raises(asyncpg.DivisionByZeroError):
                await read()
        assert await database.pool.fetchval("select current_setting('parpour.context', true)") in (None, "")


async def test_a_session_in_which_a_reader_prepared_statements_is_not_used_again(shared: Place) -> None:
    async with open_database(shared.dsn(), connections=1) as database:
        context = shared.app.mint(tenant=TENANT, actor="a")
        process = await database.pool.fetchval("select pg_backend_pid()")

        async def read(sql: str) -> None:
            async with database.transaction(context) as connection:
                await connection.execute(sql)

        await read("select 1")
        assert await database.pool.fetchval("select pg_backend_pid()") == process
        with pytest.raises(asyncpg.PostgresError, match="SESSION_REFUSED"):
            await read("prepare mine as select 1")
        assert await database.pool.fetchval("select pg_backend_pid()") != process


async def test_a_key_may_be_installed_again_but_not_another_under_its_id(shared: Place) -> None:
    administrator = await asyncpg.connect(shared.dsn("postgres"))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    first, other = (ContextKey("installed-twice", "parpour_app", secret * 32) for secret in (b"a", b"b"))
    try:
        for days in (0, 1):
            await install_key(administrator, first, expires_at=tomorrow + timedelta(days=days))
        with pytest.raises(ControlPlaneError, match="CONTEXT_KEY_TAKEN"):
            await install_key(administrator, other, expires_at=tomorrow)
    finally:
        await administrator.close()
    async with session(shared) as connection:
        assert await refusal_of(connection, ContextMint(other, clock=time.time).mint(tenant=TENANT, actor="a"))
        context = ContextMint(first, clock=time.time).mint(tenant=TENANT, actor="a")
        assert await connection.fetchval("select controlplane.enter($1)", context) == TENANT
