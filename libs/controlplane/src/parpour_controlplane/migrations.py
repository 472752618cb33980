"""Forward-only migrations: SQL files, applied once each, in order, by one migrator at a time.

A file that was applied is never edited, so its digest is noted beside its number and compared ever after. A program
meets schemas newer than itself during an upgrade; that is no fault, because every migration is made to be safe beside
the version before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from parpour_controlplane.errors import MigrationError

if TYPE_CHECKING:
    from asyncpg import Connection, Record

OWNER = "parpour_owner"
"""Who owns every table and function; no one logs in as this role."""

LOCK = 0x7061_7270_6F75_72
"""Advisory lock that one migrator holds."""

_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>[a-z_]+)\.sql")


@dataclass(frozen=True)
class Migration:
    """One file."""

    component: str
    number: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def sql(package: str, name: str) -> str:
    """The text of a package's file below sql/."""
    return files(package).joinpath("sql", name).read_text(encoding="utf-8")


def read_migrations(component: str, package: str) -> tuple[Migration, ...]:
    """The migrations of a package, from sql/migrations/NNNN_name.sql, in order.

    Raises:
        MigrationError: MIGRATIONS_NOT_CONTIGUOUS, if a number is missing or stands twice.
    """
    found = []
    for path in files(package).joinpath("sql", "migrations").iterdir():
        match = _NAME.fullmatch(path.name)
        if match:
            found.append(Migration(component, int(match["number"]), match["name"], path.read_text(encoding="utf-8")))
    found.sort(key=lambda one: one.number)
    if [one.number for one in found] != list(range(1, len(found) + 1)):
        raise MigrationError("MIGRATIONS_NOT_CONTIGUOUS", f"{component}: {[one.number for one in found]}")
    return tuple(found)


CONTROL_PLANE = read_migrations("controlplane", "parpour_controlplane")


async def prepare(connection: Connection[Record]) -> None:
    """Make the roles and take from PUBLIC what it has in this database; needs an administrator."""
    await connection.execute(sql("parpour_controlplane", "roles.sql"))


async def migrate(connection: Connection[Record], migrations: Sequence[Migration]) -> list[Migration]:
    """Apply what is missing, each file in a transaction of its own; returns what was applied.

    The connection's role must be a member of `parpour_owner`, and it must be a session of its own, not one of a
    transaction pooler.

    Raises:
        MigrationError: MIGRATION_CHANGED, if a file differs from what was applied under its number.
    """
    await connection.execute("select pg_advisory_lock($1)", LOCK)
    try:
        return await _migrate(connection, migrations)
    finally:
        await connection.execute("select pg_advisory_unlock($1)", LOCK)


async def _migrate(connection: Connection[Record], migrations: Sequence[Migration]) -> list[Migration]:
    async with connection.transaction():
        await connection.execute(f"set local role {OWNER}")
        await connection.execute(sql("parpour_controlplane", "migration_table.sql"))
        rows = await connection.fetch("select component, number, checksum from controlplane.migration")
    known = {(row["component"], row["number"]): row["checksum"] for row in rows}
    for one in migrations:
        noted = known.get((one.component, one.number), one.checksum)
        if noted != one.checksum:
            raise MigrationError(
                "MIGRATION_CHANGED",
                f"{one.component} {one.number:04} ({one.name}) was applied as {noted[:12]} and is now "
                f"{one.checksum[:12]}: put the file back, and write a new one",
            )
    missing = [one for one in migrations if (one.component, one.number) not in known]
    for one in missing:
        async with connection.transaction():
            await connection.execute(f"set local role {OWNER}")
            await connection.execute(one.text)
            await connection.execute(
                "insert into controlplane.migration (component, number, name, checksum) values ($1, $2, $3, $4)",
                one.component,
                one.number,
                one.name,
                one.checksum,
            )
    return missing
