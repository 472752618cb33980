"""Backups of a test's database, taken and restored with PostgreSQL's own programs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import asyncpg

from parpour_controlplane.embedded import THROWAWAY, EmbeddedCluster
from parpour_controlplane.testing import Place


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


@dataclass
class Backup:
    """A backup of a database, and what makes a server of it: by `pg_dump` or by `pg_basebackup`."""

    way: str
    place: Place
    folder: Path
    cluster: EmbeddedCluster | None = None

    def program(self, name: str) -> Path:
        return self.place.cluster.programs.root / "bin" / name

    def take(self) -> None:
        """Take it."""
        if self.way == "pg_dump":
            run(self.program("pg_dump"), "-Fc", "-f", self.folder / "dump", self.place.dsn("postgres"))
            return
        address = f"host={self.place.cluster.folder} user=postgres"
        run(self.program("pg_basebackup"), "-D", self.folder / "data", "-d", address, "-c", "fast", "-X", "stream")

    async def restored(self) -> Place:
        """A database as it was then."""
        if self.way == "pg_dump":
            name = f"{self.place.name}_{uuid4().hex}"
            session = await asyncpg.connect(self.place.cluster.dsn())
            await session.execute(f"create database {name}")
            await session.close()
            copy = replace(self.place, name=name)
            run(self.program("pg_restore"), "--exit-on-error", "-d", copy.dsn("postgres"), self.folder / "dump")
            return copy
        owner = (self.place.cluster.data / "PG_VERSION").stat()
        for path in (self.folder / "data", *(self.folder / "data").rglob("*")):
            shutil.chown(path, owner.st_uid, owner.st_gid)
        self.cluster = EmbeddedCluster(self.place.cluster.programs, self.folder, THROWAWAY)
        self.cluster.start()
        return replace(self.place, cluster=self.cluster)


@contextmanager
def backup_of(place: Place, way: str) -> Iterator[Backup]:
    """What takes a backup of a database."""
    # Beside the server's own folder: its user can get there.
    folder = place.cluster.folder.parent / f"backup-{way}"
    folder.mkdir()
    made = Backup(way, place, folder)
    try:
        yield made
    finally:
        if made.cluster is not None:
            made.cluster.stop()
        shutil.rmtree(folder)
