"""A tenant's history taken out of the database, and verified where nobody has to be trusted.

An export goes up to the last checkpoint, because nothing proves what comes after it. Headers are made anew from the
events that the database shows to everybody, so what verifies is what people read, and not a copy kept for verifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from uuid import UUID

from parpour_controlplane.chain.blocks import Block, SealedBlock
from parpour_controlplane.chain.checkpoints import Checkpoint, trusted
from parpour_controlplane.chain.exports import HistoryFile, block_line, checkpoint_line, event_line, head_line
from parpour_controlplane.chain.verifying import Verified, verify
from parpour_controlplane.database import Database
from parpour_controlplane.events import sealed_of, sealed_page
from parpour_controlplane.migrations import sql
from parpour_controlplane.sealing.stores import CheckpointStore

PAGE = 2000
"""Events, or blocks, that are read at once."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    events: int
    blocks: int
    checkpoints: int


async def export_history(
    database: Database, context: Callable[[], str], store: CheckpointStore, tenant: UUID, file: TextIO
) -> Exported:
    """Write a tenant's history to a file, up to its last checkpoint.

    `context` gives a fresh one of this tenant for each page, as reading may take longer than a context lives.

    Raises:
        ControlPlaneError: CHECKPOINT_UNREADABLE, CONTEXT_….
    """
    checkpoints = store.read(tenant)
    size, blocks = (checkpoints[-1].head.size, checkpoints[-1].head.blocks) if checkpoints else (0, 0)
    file.write(head_line(tenant))
    events = await _write_events(database, context, tenant, size, file)
    written = await _write_blocks(database, context, blocks, file)
    file.writelines(map(checkpoint_line, checkpoints))
    return Exported(events, written, len(checkpoints))


async def _write_events(database: Database, context: Callable[[], str], tenant: UUID, size: int, file: TextIO) -> int:
    written = after = 0
    while after < size:
        now = context()
        async with database.transaction(now) as connection:
            rows = await sealed_page(connection, now, after=after, most=min(PAGE, size - after))
        if not rows:
            break
        file.writelines(event_line(sealed_of(row, tenant=tenant)) for row in rows if row["position"] <= size)
        written += sum(row["position"] <= size for row in rows)
        after = rows[-1]["position"]
    return written


async def _write_blocks(database: Database, context: Callable[[], str], blocks: int, file: TextIO) -> int:
    written = after = 0
    while after < blocks:
        async with database.transaction(context()) as connection:
            rows = await connection.fetch(sql("parpour_controlplane", "blocks.sql"), after, blocks, PAGE)
        if not rows:
            break
        for row in rows:
            block = Block(
                tenant=row["tenant_id"],
                number=row["number"],
                first=row["first"],
                count=row["count"],
                root=row["root"],
                previous=row["previous"],
                sealed_at=row["sealed_at"],
            )
            file.write(block_line(SealedBlock(block, row["hash"])))
        written += len(rows)
        after = rows[-1]["number"]
    return written


def verify_export(
    path: Path,
    public_keys: Iterable[bytes],
    last_checkpoint: Checkpoint | None = None,
    *,
    accepted: Collection[bytes] = (),
) -> Verified:
    """Check an export against public keys of 32 bytes each, and the checkpoint that was kept from an earlier look.

    `accepted` has the hashes of resumptions that are no fault.

    Raises:
        ControlPlaneError: EXPORT_MALFORMED; a `ChainFault` with the first place that contradicts the rest.
        OSError: if the file cannot be read.
        ValueError: if a key is none.
    """
    return verify(HistoryFile(path), keys=trusted(public_keys), kept=last_checkpoint, accepted=accepted)
