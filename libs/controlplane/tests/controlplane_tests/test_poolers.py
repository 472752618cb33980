"""Behind a PgBouncer: what is supported works and mixes no clients, and what is not is refused at the start."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import pytest

from parpour_controlplane.database import open_database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.testing import Place, pooled

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from parpour_controlplane.database import Database

pytestmark = pytest.mark.anyio
TENANTS = [UUID(int=number) for number in range(1, 9)]
WHO = "select tenant_id from controlplane.tenant"


async def seen(database: Database, place: Place, tenant: UUID) -> list[Record]:
    async with database.transaction(place.app.mint(tenant=tenant, actor="a")) as connection:
        await asyncio.sleep(0)
        return await connection.fetch(WHO)


async def test_sessions_that_are_pooled_serve_and_carry_nothing_from_one_client_to_the_next(shared: Place) -> None:
    with pooled(shared, "session", sessions=2) as pooler:
        async with open_database(pooler.dsn(), connections=2) as database:
            for tenant in TENANTS:
                context = shared.app.mint(tenant=tenant, actor="a")
                await database.pool.fetchval("select controlplane.create_tenant($1, 'one')", context)
            rows = await asyncio.gather(*(seen(database, shared, one) for one in TENANTS * 10))
            assert [[row[0] for row in one] for one in rows] == [[one] for one in TENANTS * 10]
        # The next client is given the very session of the one before, in the middle of whose transaction it was.
        first = await asyncpg.connect(pooler.dsn())
        process = await first.fetchval("select pg_backend_pid()")
        await first.execute("begin")
        await first.execute("select controlplane.enter($$" + shared.app.mint(tenant=TENANTS[0], actor="a") + "$$)")
        await first.execute("select set_config('parpour.context', current_setting('parpour.context'), false)")
        assert len(await first.fetch(WHO)) == 1
        await first.execute("commit")
        assert len(await first.fetch(WHO)) == 1, "the client has set it on its session by itself"
        await first.close()
        heirs: list[Connection[Record]] = []
        while not heirs or await heirs[-1].fetchval("select pg_backend_pid()") != process:
            assert len(heirs) < 2, "a pooler of two sessions has given out a third"
            heirs.append(await asyncpg.connect(pooler.dsn()))
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_MISSING"):
            await heirs[-1].fetch(WHO)
        for one in heirs:
            await one.close()


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("sessions", [1, 3])
async def test_a_pooler_that_loses_statements_is_refused_at_the_start(
    shared: Place, mode: str, sessions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PgBouncer 1.18 knows no prepared statements where it pools transactions."""
    monkeypatch.setattr("parpour_controlplane.database.POOLER_SECONDS", 0.3)
    with pooled(shared, mode, sessions=sessions) as pooler:
        with pytest.raises(ControlPlaneError) as caught:
            async with open_database(pooler.dsn()):
                pass
        assert caught.value.code == "DATABASE_POOLER_UNFIT"


async def test_a_pooler_of_one_session_serves_one_process(shared: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parpour_controlplane.database.POOLER_SECONDS", 0.3)
    with pooled(shared, "session", sessions=1) as pooler:
        async with open_database(pooler.dsn(), connections=1) as database:
            context = shared.app.mint(tenant=TENANTS[0], actor="a")
            await database.pool.fetchval("select controlplane.create_tenant($1, 'one')", context)
            assert [row[0] for row in await seen(database, shared, TENANTS[0])] == [TENANTS[0]]


async def test_where_transactions_are_pooled_a_context_ends_with_its_own(shared: Place) -> None:
    """What a service says to the database, by hand and without the driver's statements: one session, two clients."""
    with pooled(shared, "transaction", sessions=1) as pooler:
        a, b = [await asyncpg.connect(pooler.dsn(), statement_cache_size=0) for _ in range(2)]
        await a.execute("begin")
        await a.execute("select controlplane.enter($$" + shared.app.mint(tenant=TENANTS[0], actor="a") + "$$)")
        await a.execute("commit")
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_MISSING"):
            await b.execute(WHO)
        await a.close()
        await b.close()
