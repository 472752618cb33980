"""Lets the histories of tenants go on after a restore: what is lost is said and signed, and an event tells of it.

Run by an administrator where the sealer's settings, keys and checkpoints are, after the database was restored from a
backup that is behind the last checkpoints. Until then the sealer refuses these tenants.

    python -m parpour_api.resuming --all-behind --dry-run
    python -m parpour_api.resuming --all-behind --by "Ann Lee" --reason "the disk of 12 May, backup of 11 May"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from parpour_api.installing import context_key
from parpour_api.settings import SettingsError, read_file, read_password
from parpour_api.workers.settings import WorkerSettings
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.sealing.keys import read_signing_keys
from parpour_controlplane.sealing.resuming import Resumed, Resuming
from parpour_controlplane.sealing.stores import FolderStore

ROLE = "parpour_sealer"
REFUSED = 1
BAD_SETTINGS = 2
UNAVAILABLE = 69


@dataclass(frozen=True)
class Asked:
    """What is to be done."""

    tenants: tuple[UUID, ...]
    """None for all that are behind."""
    dry_run: bool
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Refused:
    """A tenant whose history does not go on."""

    tenant: UUID
    code: str
    message: str


async def carry_out(settings: WorkerSettings, asked: Asked) -> list[Resumed | Refused]:
    """Resume each tenant, or tell what it would lose; what one is refused concerns no other.

    Raises:
        SettingsError: if a setting of the sealer is missing or its file cannot be read.
        ControlPlaneError: DATABASE_UNAVAILABLE, SIGNING_KEY_EXPOSED or SIGNING_KEY_UNREADABLE.
        asyncpg.PostgresError, asyncpg.InterfaceError: what the database says, a context that it refuses for example.
        OSError: if a checkpoint cannot be kept.
    """
    if not settings.signing_key_files or settings.checkpoints is None:
        raise SettingsError("signing_key_files, checkpoints: resuming needs both, as the sealer does")
    try:
        key = context_key(ROLE, read_file(settings.context_key_file, "context_key_file"))
    except ValueError as error:
        raise SettingsError(f"context_key_file: {error}") from None
    keys, store = read_signing_keys(settings.signing_key_files), FolderStore(settings.checkpoints)
    password = read_password(settings.database_password_file)
    async with open_database(settings.database, connections=1, password=password) as database:
        mint = ContextMint(key, clock=time.time)
        resuming = Resuming(database.pool, mint, keys, store, clock=lambda: datetime.now(UTC))
        tenants = asked.tenants or tuple(await resuming.behind())
        return [await _one(resuming, tenant, asked) for tenant in tenants]


async def _one(resuming: Resuming, tenant: UUID, asked: Asked) -> Resumed | Refused:
    try:
        if asked.dry_run:
            return await resuming.examine(tenant)
        return await resuming.resume(tenant, by=asked.by, reason=asked.reason)
    except ControlPlaneError as error:
        return Refused(tenant, error.code, str(error))


def document(found: Sequence[Resumed | Refused], *, dry_run: bool) -> dict[str, object]:
    """The outcome for machines."""
    return {
        "dryRun": dry_run,
        "resumed": [{**asdict(one), "tenant": str(one.tenant)} for one in found if isinstance(one, Resumed)],
        "refused": [{**asdict(one), "tenant": str(one.tenant)} for one in found if isinstance(one, Refused)],
    }


def line(one: Resumed | Refused) -> str:
    """The outcome of a tenant for people."""
    if isinstance(one, Refused):
        return f"{one.tenant}: refused: {one.message}"
    lost = f"events {one.first} to {one.last}"
    if one.checkpoint is None:
        return f"{one.tenant}: {lost} were signed and would be lost"
    when = "was resumed before" if one.before else "goes on"
    return f"{one.tenant}: {when}, {lost} are lost; verifiers accept it with --accept-resumption {one.checkpoint}"


def _asked(arguments: Sequence[str] | None) -> tuple[Asked, bool]:
    parser = argparse.ArgumentParser(prog="python -m parpour_api.resuming", description=__doc__)
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--tenant", type=UUID, action="append", metavar="ID", help="a venture's UID; may be repeated")
    whose.add_argument(
        "--all-behind", action="store_true", help="every tenant whose database is behind what was signed"
    )
    parser.add_argument("--by", metavar="TEXT", default="", help="who says that it is to go on; signed, and public")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why; signed, and public")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be lost, and write nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    if not options.dry_run and not (options.by and options.reason):
        parser.error("say --by and --reason, or --dry-run")
    return Asked(tuple(options.tenant or ()), options.dry_run, options.by, options.reason), options.json


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    asked, as_json = _asked(arguments)
    try:
        found = asyncio.run(carry_out(WorkerSettings.read(os.environ), asked))
    except SettingsError as error:
        print(f"PARPOUR_WORKER_…: {error}", file=sys.stderr)  # noqa: T201
        return BAD_SETTINGS
    except (ControlPlaneError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        print(f"not done in whole; ask again: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return UNAVAILABLE
    if as_json:
        print(json.dumps(document(found, dry_run=asked.dry_run), indent=2))  # noqa: T201
    else:
        for one in found:
            print(line(one), file=sys.stderr if isinstance(one, Refused) else sys.stdout)
        if not found:
            print("no tenant is behind what was signed")  # noqa: T201
    return REFUSED if any(isinstance(one, Refused) for one in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
