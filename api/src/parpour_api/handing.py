"""Writes a venture's audit folder, for `parpour treasury verify` and `parpour treasury incident`.

Run by an administrator who has the tenant API's password and key of contexts, and a copy of the sealer's checkpoints:
those are not in the database, so that whoever has the database cannot make them up.

    python -m parpour_api.handing VENTURE --database postgresql://parpour_app@host/parpour --password-file FILE \\
        --context-key-file FILE --checkpoints FOLDER --folder FOLDER
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from parpour_api.installing import context_key
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.sealing.stores import FolderStore
from parpour_treasury.auditing.handing import hand_over

ACTOR = "system:auditing"


async def write(
    venture: UUID, *, dsn: str, password: str | None, secret: bytes, checkpoints: Path, folder: Path
) -> None:
    """Write the folder.

    Raises:
        ControlPlaneError: DATABASE_UNAVAILABLE, CONTEXT_REFUSED or CHECKPOINT_UNREADABLE.
        OSError: if a file cannot be read or written.
        ValueError: if the key is too short.
    """
    mint = ContextMint(context_key("parpour_app", secret), clock=time.time)
    async with open_database(dsn, connections=1, password=password) as database:
        await hand_over(
            database, lambda: mint.mint(tenant=venture, actor=ACTOR), FolderStore(checkpoints), venture, folder
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m parpour_api.handing", description=__doc__)
    parser.add_argument("venture", type=UUID, help="its UID")
    parser.add_argument("--database", required=True, metavar="ADDRESS", help="PostgreSQL, as parpour_app")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="the role's password")
    parser.add_argument("--context-key-file", type=Path, required=True, metavar="FILE", help="the role's key")
    parser.add_argument("--checkpoints", type=Path, required=True, metavar="FOLDER", help="the sealer's, or a copy")
    parser.add_argument("--folder", type=Path, required=True, metavar="FOLDER", help="where the audit goes")
    options = parser.parse_args(arguments)
    try:
        password = options.password_file.read_text().strip() if options.password_file else None
        asyncio.run(
            write(
                options.venture,
                dsn=options.database,
                password=password,
                secret=options.context_key_file.read_bytes(),
                checkpoints=options.checkpoints,
                folder=options.folder,
            )
        )
    except (OSError, ValueError, ControlPlaneError) as error:
        print(f"not written: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"audit of {options.venture} written to {options.folder}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
