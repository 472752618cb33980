"""Waits until a service's role may use the database and the schema is what this program needs.

Pods begin with it, so that a service starts once an administrator has installed, and not before.

    python -m parpour_api.waiting --database postgresql://parpour_app@host/parpour --password-file FILE
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from parpour_controlplane.migrations import Migration
from parpour_treasury import MIGRATIONS

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

LOOK_SECONDS = 1.0
"""Between two looks."""

LATE = 1


async def missing_migrations(database: Pool[Record] | Connection[Record]) -> list[Migration]:
    """Migrations that this program needs and the database lacks; it may have newer ones."""
    try:
        rows = await database.fetch("select component, number, checksum from controlplane.applied_migrations()")
    except (asyncpg.InvalidSchemaNameError, asyncpg.UndefinedFunctionError, asyncpg.InsufficientPrivilegeError):
        # The first migration, or what it grants, was never applied here.
        return list(MIGRATIONS)
    applied = {(row["component"], row["number"]): row["checksum"] for row in rows}
    return [one for one in MIGRATIONS if applied.get((one.component, one.number)) != one.checksum]


class Readiness:
    """Whether the schema is there, looked at once a second for whoever asks: probes need no token, and may be many."""

    def __init__(self, database: Pool[Record], *, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        """Monotonic, in seconds."""
        self._one = asyncio.Lock()
        self._missing: list[Migration] = []
        self._looked_at: float | None = None

    async def missing(self) -> list[Migration]:
        """Migrations that are missing."""
        async with self._one:
            if self._looked_at is None or self._clock() - self._looked_at >= LOOK_SECONDS:
                self._missing = await missing_migrations(self._database)
                self._looked_at = self._clock()
            return self._missing


async def fault(dsn: str, password: str | None) -> str:
    """Why a service cannot begin yet; empty if it can."""
    try:
        connection = await asyncpg.connect(dsn, password=password, timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        return f"{type(error).__name__}: {error}"
    try:
        missing = await missing_migrations(connection)
    finally:
        await connection.close()
    return f"migration {missing[0].component} {missing[0].number:04} is not applied" if missing else ""


async def wait(dsn: str, password: str | None, *, seconds: float) -> str:
    """Look until there is no fault; the last one if there still is one when the time is over."""
    deadline, told = time.monotonic() + seconds, ""
    while found := await fault(dsn, password):
        if found != told:
            print(f"waiting: {found}", file=sys.stderr)  # noqa: T201
            told = found
        if time.monotonic() > deadline:
            return found
        await asyncio.sleep(LOOK_SECONDS)
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m parpour_api.waiting", description=__doc__)
    parser.add_argument("--database", required=True, metavar="ADDRESS", help="PostgreSQL, for the service's role")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="the role's password")
    parser.add_argument("--wait", type=float, default=300, metavar="SECONDS", help="for that (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        password = options.password_file.read_text().strip() if options.password_file else None
        found = asyncio.run(wait(options.database, password, seconds=options.wait))
    except (OSError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
    if found:
        print(f"not there: {found}", file=sys.stderr)  # noqa: T201
    return LATE if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
