"""Real servers for tests: one PostgreSQL a session, with a database a test copied from a migrated template, and NATS.

pytest finds this module by its entry point, so the fixtures are there wherever the package is installed. Tests run on
the newest PostgreSQL of the machine; the same tests on the older ones are marked long.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from _pytest.mark.structures import ParameterSet

from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.context import ContextKey, ContextMint, install_key
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import THROWAWAY, EmbeddedCluster, embedded, installed
from parpour_controlplane.migrations import Migration, migrate, prepare
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import CheckpointStore, FolderStore

SWEEPER_KEY = ContextKey("test-sweeper", "parpour_sweeper", secrets.token_bytes(32))
APP_KEY = ContextKey("test-app", "parpour_app", secrets.token_bytes(32))
PAYMENT_KEY = ContextKey("test-payment", "parpour_payment", secrets.token_bytes(32))
SEALER_KEY = ContextKey("test-sealer", "parpour_sealer", secrets.token_bytes(32))
RELAY_KEY = ContextKey("test-relay", "parpour_relay", secrets.token_bytes(32))
"""Keys of this test session, one a role."""

SIGNING_KEYS = SigningKeys((SigningKey(b"k" * 32),))
"""What signs checkpoints of tests that have no keys of their own."""

BUS_SECONDS = 10.0
"""How long a NATS server may take to start."""

PORTS = range(20_000, 30_000)
"""Where servers of tests listen: below what the kernel gives to clients (32768) and Kubernetes to nodes (30000)."""

POOLER_SECONDS = 10.0
"""How long a PgBouncer may take to start."""


_claims: list[socket.socket] = []


def free_port() -> int:
    """A port of loopback that nothing listens on, and that no other process of tests is given while this one lives.

    A port that the kernel chose and took back may be chosen again for another process, and a server that is started
    again must find its own. So each is claimed by an abstract Unix socket, which ends with its process.
    """
    for port in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                claim.bind(f"\0parpour-test-port-{port}")
                probe.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
        _claims.append(claim)
        return port
    raise RuntimeError("every port is taken")


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
    sealer: ContextMint
    """Mints contexts that count in sessions of the sealer."""
    relay: ContextMint
    """Mints contexts that count in sessions of the relay."""

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
        mints = (
            ContextMint(key, clock=time.time) for key in (APP_KEY, SWEEPER_KEY, PAYMENT_KEY, SEALER_KEY, RELAY_KEY)
        )
        return Place(self.cluster, await self._create(await self._template(migrations)), *mints)

    async def copy(self, place: Place) -> Place:
        """What a backup of a test's database would be restored to; nobody is connected to it meanwhile."""
        return replace(place, name=await self._create(place.name))

    async def _create(self, template: str) -> str:
        """The name of a new database that is a copy of another one."""
        self.made += 1
        name = f"test{self.made}"
        administrator = await asyncpg.connect(self.cluster.dsn())
        try:
            # Copying files costs half of what writing every page to the log does.
            await administrator.execute(f"create database {name} template {template} strategy file_copy")
        finally:
            await administrator.close()
        connection = await asyncpg.connect(self.cluster.dsn(name))
        try:
            await prepare(connection)
        finally:
            await connection.close()
        return name

    def drop(self, place: Place) -> None:
        """Drop a database that no test needs any more: whoever backs the server up copies all that it holds."""

        async def drop() -> None:
            administrator = await asyncpg.connect(self.cluster.dsn())
            try:
                await administrator.execute(f"drop database {place.name} with (force)")
            finally:
                await administrator.close()

        asyncio.run(drop())

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
            for one in (APP_KEY, SWEEPER_KEY, PAYMENT_KEY, SEALER_KEY, RELAY_KEY) if migrations else ():
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


@dataclass
class Pooler:
    """A PgBouncer before a test's database, on a Unix socket."""

    place: Place
    folder: Path
    mode: str
    sessions: int = 2
    """Of the database, for any number of clients."""
    _process: subprocess.Popen[bytes] | None = None

    def dsn(self, role: str = "parpour_app") -> str:
        """The database's address through the pooler, for a role."""
        return f"postgresql://{role}@/{self.place.name}?host={self.folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = shutil.which("pgbouncer", path=f"/usr/sbin:{os.environ['PATH']}")
        if program is None:
            raise FileNotFoundError("pgbouncer")
        server = self.place.cluster.folder
        users, config = self.folder / "users.txt", self.folder / "pgbouncer.ini"
        users.write_text('"postgres" ""\n"parpour_app" ""\n')
        config.write_text(
            f"[databases]\n{self.place.name} = host={server} dbname={self.place.name}\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {self.folder}\nlisten_port = 5432\n"
            f"auth_type = trust\nauth_file = {users}\npool_mode = {self.mode}\ndefault_pool_size = {self.sessions}\n"
        )
        owner = server.stat()
        os.chown(self.folder, owner.st_uid, owner.st_gid)
        # Whoever may enter the server's folder; it does not run as root either.
        identity: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
        with (self.folder / "pgbouncer.log").open("wb") as log:
            self._process = subprocess.Popen([program, str(config)], stdout=log, stderr=log, **identity)  # noqa: S603
        end = time.monotonic() + POOLER_SECONDS
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError((self.folder / "pgbouncer.log").read_text()[-1000:])
            time.sleep(0.01)

    def _answers(self) -> bool:
        """Whether it takes connections: its socket is there a moment before it listens on it."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.folder / ".s.PGSQL.5432")) == 0

    def stop(self) -> None:
        """End it, and every connection through it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def pooled(place: Place, mode: str, *, sessions: int = 2) -> Iterator[Pooler]:
    """A pooler before a database, in one of PgBouncer's modes."""
    with tempfile.TemporaryDirectory(prefix="parpour-pool-", dir="/tmp", ignore_cleanup_errors=True) as name:
        pooler = Pooler(place, Path(name), mode, sessions)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()


@dataclass
class Bus:
    """A NATS server on loopback that can be killed and started again; JetStream acknowledges what is on the disk."""

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        config = self.folder / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'jetstream {{ store_dir: "{self.folder / "jetstream"}", sync_interval: always }}\n'
        )
        program = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        if program is None:
            raise FileNotFoundError("nats-server")
        with (self.folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)  # noqa: S603
        end = time.monotonic() + BUS_SECONDS
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError((self.folder / "nats.log").read_text()[-1000:])
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    """A NATS server of a test's own."""
    made = Bus(tmp_path, free_port())
    made.start()
    yield made
    made.kill()


async def seal(place: Place, store: CheckpointStore | None = None, *, keys: SigningKeys = SIGNING_KEYS) -> str:
    """Give every committed event of a test's database its place, and sign; the error that came last, if any did.

    Checkpoints go to the store, or are thrown away.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with open_database(place.dsn("parpour_sealer"), connections=2) as database:
            sealer = Sealer(
                database.pool,
                place.sealer,
                keys,
                store or FolderStore(Path(folder)),
                clock=lambda: datetime.now(UTC),
                random=os.urandom,
                pace=SealingPace(sign=0, rest=0.0),
            )
            while await sealer.round():
                pass
            await sealer.finish()
            return sealer.counts.last_error
