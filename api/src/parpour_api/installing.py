"""Brings a database to where the services can use it: database, roles with their passwords, schema, keys of contexts.

Run by an administrator before the services start, at every installation and upgrade; a second run changes nothing. The
services themselves can do none of this.

    python -m parpour_api.installing --server postgresql://postgres@host --password-file FILE --secrets FOLDER

The folder has two files for each service role: `parpour_app.password` and `parpour_app.key`, and so on.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from parpour_controlplane.context import ContextKey, install_key
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.migrations import OWNER, Migration, migrate, prepare
from parpour_treasury import MIGRATIONS

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SERVICE_ROLES = ("parpour_app", "parpour_sealer", "parpour_relay", "parpour_sweeper", "parpour_payment")
"""Who logs in to the database, beside the administrator."""

KEY_LIFE = timedelta(days=3650)
"""How long an installed key counts: a rotation brings another one and takes the old one's file away."""

SET_OPTION_SINCE = 16
"""The version of PostgreSQL from which a member of a role may be kept from acting as it."""

SCRAM_ITERATIONS = 4096
"""PostgreSQL's own number."""

FAILED = 1
"""Exit status if another attempt may succeed."""

HOPELESS = 2
"""Exit status if another attempt would fail alike; the chart's Job is not tried again then."""

HOPELESS_ERRORS = (
    ControlPlaneError,
    ValueError,
    ssl.SSLCertVerificationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InsufficientPrivilegeError,
)
"""The server's certificate or the administrator's password is another one, or lacks rights; the schema was changed."""


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


def context_key(role: str, secret: bytes, *, key_id: str | None = None) -> ContextKey:
    """The key of a role's contexts; under an id that another secret does not have, unless one is given.

    Raises:
        ValueError: if the secret is too short.
    """
    made = f"{role.removeprefix('parpour_')}-{hashlib.sha256(secret).hexdigest()[:12]}"
    return ContextKey(key_id or made, role, secret)


async def install(
    dsn: str,
    *,
    database: str,
    password: str | None = None,
    passwords: Mapping[str, str],
    keys: Sequence[ContextKey],
    keys_expire_at: datetime,
) -> Installed:
    """Install everything that is missing in a database of the server at `dsn`, an administrator's with this password.

    Raises:
        MigrationError: MIGRATION_CHANGED.
        ValueError: if a password is for nobody who logs in.
    """
    if unknown := sorted(set(passwords) - set(SERVICE_ROLES)):
        raise ValueError(f"no service logs in as {unknown[0]}")
    made = await _make_database(dsn, database, password)
    connection = await asyncpg.connect(dsn, database=database, password=password)
    try:
        await prepare(connection)
        await _act_as_owner(connection)
        for role, secret in passwords.items():
            await _execute(connection, "alter role %I password %L", role, _verifier(secret))
        applied = await migrate(connection, MIGRATIONS)
        for key in keys:
            await install_key(connection, key, expires_at=keys_expire_at)
    finally:
        await connection.close()
    return Installed(made, tuple(applied))


async def _make_database(dsn: str, name: str, password: str | None) -> bool:
    """Make the database, unless there is one of that name."""
    connection = await asyncpg.connect(dsn, database="postgres", password=password)
    try:
        if await connection.fetchval("select true from pg_database where datname = $1", name):
            return False
        await _execute(connection, "create database %I template template0 encoding 'UTF8' locale 'C'", name)
        return True
    finally:
        await connection.close()


async def _act_as_owner(connection: Connection[Record]) -> None:
    """Let the administrator act as the schema's owner: hosted servers' are no superusers, who need nothing for it."""
    how = "set" if connection.get_server_version().major >= SET_OPTION_SINCE else "member"
    if not await connection.fetchval("select pg_has_role(current_user, $1, $2)", OWNER, how):
        await connection.execute(f"grant {OWNER} to current_user")


async def _execute(connection: Connection[Record], statement: str, *words: str) -> None:
    """Execute a statement that takes no parameters, with its words quoted by the server."""
    marks = "".join(f", ${place}::text" for place in range(2, len(words) + 2))
    await connection.execute(await connection.fetchval(f"select format($1{marks})", statement, *words))


def _verifier(password: str) -> str:
    return scram_verifier(password, salt=secrets.token_bytes(16))


def read_secrets(folder: Path) -> tuple[dict[str, str], list[ContextKey]]:
    """Passwords by role and keys of contexts, of every service role.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if a key is too short.
    """
    passwords = {role: (folder / f"{role}.password").read_text().strip() for role in SERVICE_ROLES}
    return passwords, [context_key(role, (folder / f"{role}.key").read_bytes()) for role in SERVICE_ROLES]


async def install_when_there(options: argparse.Namespace, password: str | None) -> Installed:
    """Install as soon as the server answers.

    Raises:
        OSError: if it did not in time, or shows a certificate that is not trusted.
    """
    passwords, keys = read_secrets(options.secrets)
    deadline = time.monotonic() + options.wait
    while True:
        try:
            return await install(
                options.server,
                database=options.database,
                password=password,
                passwords=passwords,
                keys=keys,
                keys_expire_at=datetime.now(UTC) + KEY_LIFE,
            )
        except (OSError, asyncpg.CannotConnectNowError) as error:
            if isinstance(error, HOPELESS_ERRORS) or time.monotonic() > deadline:
                raise
            await asyncio.sleep(1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m parpour_api.installing", description=__doc__)
    parser.add_argument("--server", required=True, metavar="ADDRESS", help="PostgreSQL, as an administrator")
    parser.add_argument("--database", default="parpour", help="made if it is not there (default: %(default)s)")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="the administrator's password")
    parser.add_argument("--secrets", type=Path, required=True, metavar="FOLDER", help="passwords and keys of the roles")
    parser.add_argument("--wait", type=float, default=120, metavar="SECONDS", help="for the server to answer")
    options = parser.parse_args(arguments)
    try:
        password = options.password_file.read_text().strip() if options.password_file else None
        done = asyncio.run(install_when_there(options, password))
    except (OSError, ValueError, ControlPlaneError, asyncpg.PostgresError) as error:
        print(f"not installed: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return HOPELESS if isinstance(error, HOPELESS_ERRORS) else FAILED
    applied = ", ".join(f"{one.component} {one.number:04}" for one in done.migrations) or "none"
    print(f"database {options.database}: {'made' if done.made_database else 'there'}; migrations: {applied}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
