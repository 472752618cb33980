"""Real PostgreSQL for tests: one throwaway server a session, one database a test, copied from a migrated template.

pytest finds this module by its entry point, so the fixtures are there wherever the package is installed. Tests run on
the newest PostgreSQL of the machine; the same tests on the older ones are marked long.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from _pytest.mark.structures import ParameterSet

from parpour_controlplane.context import ContextKey, ContextMint, install_key
from parpour_controlplane.embedded import THROWAWAY, EmbeddedCluster, embedded, installed
from parpour_controlplane.migrations import Migration, migrate, prepare

SWEEPER_KEY = ContextKey("test-sweeper", "parpour_sweeper", secrets.token_bytes(32))
APP_KEY = ContextKey("test-app", "parpour_app", secrets.token_bytes(32))
PAYMENT_KEY = ContextKey("test-payment", "parpour_payment", secrets.token_bytes(32))
"""Keys of this test session, one a role."""


@dataclass(frozen=True)
class Place:
    """A migrated database of a test's own."""

    cluster: EmbeddedCluster
    name: str
    app: ContextMint
    """Mints contexts that count in sessions of the service."""
    sweeper: ContextMint
    """Mints contexts that count in sessions of the sweeper."""
    payment: ContextMint
    """Mints contexts that count in sessions of the payment worker."""

    def dsn(self, role: str = "parpour_app") -> str:
        """Its address for a role; `postgres` is the administrator."""
        return self.cluster.dsn(self.name, role=role)


@dataclass
class Postgres:
    """A running throwaway server and the templates that were made in it."""

    cluster: EmbeddedCluster
    templates: dict[tuple[str, ...], str] = field(default_factory=dict)
    made: int = 0

    @property
    def major(self) -> int:
        """Its major version."""
        return self.cluster.programs.major

    def place(self, migrations: Sequence[Migration]) -> Place:
        """A new database with these migrations applied, from a thread without a running event loop."""
        return asyncio.run(self.make_place(migrations))

    async def make_place(self, migrations: Sequence[Migration]) -> Place:
        """A new database with these migrations applied."""
        self.made += 1
        name = f"test{self.made}"
        template = await self._template(migrations)
        administrator = await asyncpg.connect(self.cluster.dsn())
        try:
            await administrator.execute(f"create database {name} template {template}")
        finally:
            await administrator.close()
        mints = (ContextMint(key, clock=time.time) for key in (APP_KEY, SWEEPER_KEY, PAYMENT_KEY))
        place = Place(self.cluster, name, *mints)
        connection = await asyncpg.connect(place.dsn("postgres"))
        try:
            await prepare(connection)
        finally:
            await connection.close()
        return place

    async def empty(self) -> Place:
        """A new database without anything of ours."""
        return await self.make_place(())

    async def _template(self, migrations: Sequence[Migration]) -> str:
        key = tuple(one.checksum for one in migrations)
        if key not in self.templates:
            name = f"template{len(self.templates) + 2}"
            administrator = await asyncpg.connect(self.cluster.dsn())
            await administrator.execute(f"create database {name}")
            await administrator.close()
            connection = await asyncpg.connect(self.cluster.dsn(name))
            await prepare(connection)
            await migrate(connection, migrations)
            for one in (APP_KEY, SWEEPER_KEY, PAYMENT_KEY) if migrations else ():
                await install_key(connection, one, expires_at=datetime.now(UTC) + timedelta(days=1))
            await connection.close()
            self.templates[key] = name
        return self.templates[key]


def _majors() -> list[ParameterSet]:
    newest, *older = sorted(installed(), reverse=True)
    return [pytest.param(newest, id=f"postgres{newest}")] + [
        pytest.param(major, id=f"postgres{major}", marks=pytest.mark.long) for major in older
    ]


@pytest.fixture(scope="session", params=_majors())
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A throwaway server."""
    with embedded(major=request.param, settings={**THROWAWAY, "max_connections": "120"}) as cluster:
        yield Postgres(cluster)
