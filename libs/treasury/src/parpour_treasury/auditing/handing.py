"""What an auditor is handed, and what the auditor makes of it without trusting anybody who ran the database.

A folder holds the history up to its last checkpoint (`history.ndjson`), the ledger's events after it (`tail.ndjson`)
and the books (`books.ndjson`). The history proves itself; what it and the tail tell has to be what the books say. The
tail is proven by nothing yet, so an audit says how long it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from parpour_controlplane.chain.blocks import SealedEvent
from parpour_controlplane.chain.checkpoints import Checkpoint, trusted
from parpour_controlplane.chain.exports import read_history
from parpour_controlplane.chain.headers import Header
from parpour_controlplane.chain.verifying import History, Verified, verify
from parpour_controlplane.database import Database
from parpour_controlplane.exporting import export_history
from parpour_controlplane.migrations import sql
from parpour_controlplane.sealing.stores import CheckpointStore
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.auditing.snapshot import from_lines, read_books, to_lines
from parpour_treasury.auditing.telling import Told, tell
from parpour_treasury.refusals import TreasuryError

HISTORY, TAIL, BOOKS = "history.ndjson", "tail.ndjson", "books.ndjson"

_EVENTS = sql("parpour_treasury", "queries/ledger_events.sql")


@dataclass(frozen=True)
class Audited:
    """What came of an audit whose history proved itself."""

    history: Verified
    tail: int
    """Events of the ledger after the last checkpoint: proven by nothing yet."""
    accounts: int
    journals: int
    holds: int
    findings: tuple[Finding, ...]
    """Contradictions between the events and the books; none if they agree."""


async def hand_over(
    database: Database, context: Callable[[], str], store: CheckpointStore, tenant: UUID, folder: Path
) -> None:
    """Write a tenant's audit folder. `context` gives a fresh context of the tenant each time.

    Raises:
        ControlPlaneError: CHECKPOINT_UNREADABLE or CONTEXT_….
        OSError: if the folder cannot be written.
    """
    make_folder(folder)
    with (folder / HISTORY).open("w", encoding="utf-8", newline="\n") as file:
        await export_history(database, context, store, tenant, file)
    with (folder / HISTORY).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        proven = {Header.decode(event.header).id for event in read_history(file).events}
    async with database.transaction(context()) as connection:
        books, rows = await read_books(connection), await connection.fetch(_EVENTS)
    tail = (row for row in rows if row["event_id"] not in proven)
    with (folder / TAIL).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{_tail_line(row)}\n" for row in tail)
    with (folder / BOOKS).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in to_lines(books))


def make_folder(folder: Path) -> None:
    """The folder, if it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)


def audit(folder: Path, public_keys: Iterable[bytes], *, kept: Checkpoint | None = None) -> Audited:
    """Prove a folder's history, and compute its books anew from it.

    `public_keys` have 32 bytes each; `kept` is the checkpoint that was kept from an earlier look.

    Raises:
        ChainFault: with the first place of the history that contradicts the rest.
        ControlPlaneError: EXPORT_MALFORMED.
        TreasuryError: AUDIT_BOOKS_MALFORMED.
        OSError: if a file cannot be read.
        ValueError: if a key is none.
    """
    with (folder / HISTORY).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        history = read_history(file)
    verified = verify(history, keys=trusted(public_keys), kept=kept)
    tail = list(_read_tail(folder / TAIL))
    with (folder / BOOKS).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        books = from_lines(file)
    findings = compare(books, tell([*_told_by(history), *tail]))
    return Audited(verified, len(tail), len(books.accounts), len(books.journals), len(books.holds), tuple(findings))


def _told_by(history: History) -> Iterator[Told]:
    for event in history.events:
        header = Header.decode(event.header)
        yield Told(header.type, header.subject, _payload_of(event))


def _payload_of(event: SealedEvent) -> dict[str, Any] | None:
    if event.opening is None:
        return None
    payload: dict[str, Any] = json.loads(event.opening.payload)
    return payload


def _tail_line(row: Any) -> str:
    payload = None if row["payload"] is None else json.loads(row["payload"])
    return json.dumps({"type": row["type"], "subject": row["subject"], "payload": payload}, ensure_ascii=False)


def _read_tail(path: Path) -> Iterator[Told]:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for number, line in enumerate(file, 1):
            try:
                value = json.loads(line)
                yield Told(value["type"], value["subject"], value["payload"])
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                where = f"{path.name} line {number}"
                raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=where, detail=type(error).__name__) from None
