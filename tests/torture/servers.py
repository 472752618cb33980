"""What a run of seeds shares: a PostgreSQL that keeps what it has said, a NATS server, and clients of both."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import nats

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.embedded import embedded, installed
from parpour_controlplane.relaying.publishing import ensure_stream
from parpour_controlplane.testing import Bus, Place, Postgres, free_port
from parpour_treasury import MIGRATIONS

ROLES = ("postgres", "parpour_app", "parpour_payment", "parpour_sealer", "parpour_relay", "parpour_sweeper")

BATCH = 20
"""Seeds that follow each other on one PostgreSQL."""

KEEPING = {"fsync": "off", "full_page_writes": "off", "max_connections": "120"}
"""A commit that was answered outlives the server's death, though not its machine's."""

_APPLIED = """
    create schema torture;
    create table torture.applied (tenant_id uuid not null, event_id uuid not null, position bigint not null);
    grant usage on schema torture to parpour_app;
    grant insert on torture.applied to parpour_app;
"""


@dataclass(frozen=True)
class Machines:
    """The two servers."""

    place: Place
    bus: Bus

    def crash_database(self) -> None:
        """End the database server at once, and start it again."""
        self.place.cluster.crash()
        self.place.cluster.start()

    def copy_database(self) -> Path:
        """End the database server at once, copy its folder, and start it again; returns the copy."""
        cluster = self.place.cluster
        copy = cluster.folder / "copy"
        cluster.crash()
        shutil.rmtree(copy, ignore_errors=True)
        # cp, because the files are those of the server's user.
        subprocess.run(["cp", "-a", cluster.data, copy], check=True)
        cluster.start()
        return copy

    def go_back(self, copy: Path) -> None:
        """End the database server at once, and start it with a copy of its folder, which is used up."""
        cluster = self.place.cluster
        cluster.crash()
        shutil.rmtree(cluster.data)
        copy.rename(cluster.data)
        cluster.start()

    def restart_bus(self) -> None:
        """Kill the bus, and start it again on the same store."""
        self.bus.kill()
        self.bus.start()


def major_of(seed: int) -> int:
    """Which PostgreSQL a seed is for: batches take turns over all that the machine has."""
    majors = sorted(installed(), reverse=True)
    return majors[seed // BATCH % len(majors)]


@contextmanager
def machines(folder: Path, major: int | None = None) -> Iterator[Machines]:
    """Both servers, with a database of the treasury's, until the end of the block; by default the newest ones."""
    with embedded(major=major, settings=KEEPING) as cluster:
        place = Postgres(cluster).place(MIGRATIONS)
        asyncio.run(_prepare(place))
        bus = Bus(folder, free_port())
        bus.start()
        try:
            yield Machines(place, bus)
        finally:
            bus.kill()


@dataclass
class Fleet:
    """Both servers once for each PostgreSQL of the machine, started when a seed first needs them."""

    folder: Path
    stack: ExitStack
    made: dict[int, Machines] = field(default_factory=dict)

    def of(self, seed: int) -> Machines:
        """The servers of a seed, from a thread without a running event loop."""
        major = major_of(seed)
        if major not in self.made:
            folder = self.folder / f"postgres{major}"
            folder.mkdir()
            self.made[major] = self.stack.enter_context(machines(folder, major))
        return self.made[major]


@contextmanager
def fleet(folder: Path) -> Iterator[Fleet]:
    """All servers until the end of the block."""
    with ExitStack() as stack:
        yield Fleet(folder, stack)


async def _prepare(place: Place) -> None:
    administrator = await asyncpg.connect(place.dsn("postgres"))
    try:
        await administrator.execute(_APPLIED)
    finally:
        await administrator.close()


@dataclass
class Servers:
    """Connections to both, of each role, for one event loop."""

    machines: Machines
    databases: dict[str, Database]
    client: Any
    jetstream: Any

    @property
    def place(self) -> Place:
        """The database."""
        return self.machines.place

    @property
    def administrator(self) -> Any:
        """Sessions that see everything."""
        return self.databases["postgres"].pool

    async def kill_a_backend(self) -> None:
        """kill -9 of one of the server's processes: the server ends all sessions, and recovers by itself."""
        witness = await asyncpg.connect(self.place.dsn("postgres"))
        query = "select pid from pg_stat_activity where usename like 'parpour_%' order by state = 'active' desc limit 1"
        pid = await witness.fetchval(query)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            while not witness.is_closed():  # noqa: ASYNC110 - the server ends the session
                await asyncio.sleep(0.002)
        witness.terminate()

    async def until_database_answers(self) -> None:
        """Wait until the database has recovered: until it takes a new session, as an old one may answer once more."""
        while True:
            try:
                session = await asyncpg.connect(self.place.dsn("postgres"))
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                await asyncio.sleep(0.01)
                continue
            await session.close()
            return

    async def until_bus_answers(self) -> None:
        """Wait until the bus has recovered and the stream is there."""
        while True:
            try:
                await ensure_stream(self.jetstream)
                return
            except (nats.errors.Error, OSError):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def connected(machines: Machines) -> AsyncIterator[Servers]:
    """Connections to both servers until the end of the block."""
    async with AsyncExitStack() as stack:
        databases = {
            role: await stack.enter_async_context(open_database(machines.place.dsn(role), connections=4))
            for role in ROLES
        }
        client = await nats.connect(
            machines.bus.url, max_reconnect_attempts=-1, reconnect_time_wait=0.02, error_cb=_quiet
        )
        stack.push_async_callback(client.close)
        servers = Servers(machines, databases, client, client.jetstream(timeout=5))
        await ensure_stream(servers.jetstream)
        yield servers


async def _quiet(_error: Exception) -> None:
    """The client tells of each lost connection, which here is meant."""
