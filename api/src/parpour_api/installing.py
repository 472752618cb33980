"""Brings a database to where the services can use it: database, roles with their passwords, schema, keys of contexts.

Run by an administrator before the services start, at every installation and upgrade; a second run changes nothing. The
services themselves can do none of this.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from parpour_controlplane.context import ContextKey, install_key
from parpour_controlplane.migrations import Migration, migrate, prepare
from parpour_treasury import MIGRATIONS

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SERVICE_ROLES = ("parpour_app", "parpour_sealer", "parpour_relay", "parpour_sweeper", "parpour_payment")
"""Who logs in to the database, beside the administrator."""

SCRAM_ITERATIONS = 4096
"""PostgreSQL's own number."""


@dataclass(frozen=True)
class Installed:
    """What an installation did."""

    made_database: bool
    migrations: tuple[Migration, ...]
    """Those that were missing."""


def scram_verifier(password: str, *, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5802 with SHA-256), so that the password itself is in no statement."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    salt_text, stored_text, server_text = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{salt_text}${stored_text}:{server_text}"


def context_key(role: str, secret: bytes) -> ContextKey:
    """The key of a role's contexts, under an id that another secret does not have.

    Raises:
        ValueError: if the secret is too short.
    """
    return ContextKey(f"{role.removeprefix('parpour_')}-{hashlib.sha256(secret).hexdigest()[:12]}", role, secret)


async def install(
    dsn: str,
    *,
    database: str,
    passwords: Mapping[str, str],
    keys: Sequence[ContextKey],
    keys_expire_at: datetime,
) -> Installed:
    """Install everything that is missing in a database of the server at `dsn`, an administrator's.

    Raises:
        MigrationError: MIGRATION_CHANGED.
        ValueError: if a password is for nobody who logs in.
    """
    if unknown := sorted(set(passwords) - set(SERVICE_ROLES)):
        raise ValueError(f"no service logs in as {unknown[0]}")
    made = await _make_database(dsn, database)
    connection = await asyncpg.connect(dsn, database=database)
    try:
        await prepare(connection)
        for role, password in passwords.items():
            await _execute(connection, "alter role %I password %L", role, _verifier(password))
        applied = await migrate(connection, MIGRATIONS)
        for key in keys:
            await install_key(connection, key, expires_at=keys_expire_at)
    finally:
        await connection.close()
    return Installed(made, tuple(applied))


async def _make_database(dsn: str, name: str) -> bool:
    """Make the database, unless there is one of that name."""
    connection = await asyncpg.connect(dsn, database="postgres")
    try:
        if await connection.fetchval("select true from pg_database where datname = $1", name):
            return False
        await _execute(connection, "create database %I template template0 encoding 'UTF8' locale 'C'", name)
        return True
    finally:
        await connection.close()


async def _execute(connection: Connection[Record], statement: str, *words: str) -> None:
    """Execute a statement that takes no parameters, with its words quoted by the server."""
    marks = "".join(f", ${place}::text" for place in range(2, len(words) + 2))
    await connection.execute(await connection.fetchval(f"select format($1{marks})", statement, *words))


def _verifier(password: str) -> str:
    return scram_verifier(password, salt=secrets.token_bytes(16))
