"""What an auditor is handed, and what the auditor makes of it without trusting anybody who ran the database.

A folder holds the history up to its last checkpoint (`history.ndjson`), the events after it (`tail.ndjson`), the books
(`books.ndjson`) and what the spending authority keeps (`dossier.ndjson`). The history proves itself; what it and the
tail tell has to be what the rest says. The tail is proven by nothing yet, so an audit says how long it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from uuid import UUID

from parpour_controlplane.chain.checkpoints import Checkpoint, trusted
from parpour_controlplane.chain.exports import HistoryFile, open_export
from parpour_controlplane.chain.verifying import Proof, Verified
from parpour_controlplane.database import Database
from parpour_controlplane.exporting import export_history
from parpour_controlplane.sealing.stores import CheckpointStore
from parpour_treasury.auditing.comparing import StandingBooks, compare
from parpour_treasury.auditing.dossier import Dossier, dossier_lines, read_dossier
from parpour_treasury.auditing.events import TAIL_EVENTS, Event, proven_events, read_tail, tail_line
from parpour_treasury.auditing.findings import Finding
from parpour_treasury.auditing.governed import ToldGoverned, compare_governed
from parpour_treasury.auditing.snapshot import BooksFile, from_lines, read_books, to_lines
from parpour_treasury.auditing.spends import ToldSpends, compare_spends
from parpour_treasury.auditing.telling import ToldBooks

FILES = HISTORY, TAIL, BOOKS, DOSSIER = "history.ndjson", "tail.ndjson", "books.ndjson", "dossier.ndjson"


@dataclass(frozen=True)
class Loss:
    """What a history lost in a restore, and who let it go on."""

    checkpoint: str
    """Hash of the resumption, in hexadecimal."""
    first: int
    last: int
    """Positions that were signed and are lost."""
    by: str
    reason: str


@dataclass(frozen=True)
class Audited:
    """What a folder holds whose history proved itself, and what came of its audit."""

    tenant: UUID
    history: Verified
    events: tuple[Event, ...]
    """All of them, those after the last checkpoint last; none, if they were not to be kept."""
    tail: int
    """Events after the last checkpoint: proven by nothing yet."""
    books: StandingBooks
    dossier: Dossier
    findings: tuple[Finding, ...]
    """Contradictions between the events and the rest; none if they agree."""

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What was lost in restores, each of them accepted."""
        return tuple(
            Loss(one.hash.hex(), one.head.size + 1, said.lost, said.by, said.reason)
            for one in self.history.resumptions
            if (said := one.resumption) is not None
        )


async def hand_over(
    database: Database, context: Callable[[], str], store: CheckpointStore, tenant: UUID, folder: Path
) -> None:
    """Write a tenant's audit folder. `context` gives a fresh context of the tenant each time.

    Raises:
        ControlPlaneError: CHECKPOINT_UNREADABLE or CONTEXT_….
        OSError: if the folder cannot be written.
    """
    make_folder(folder)
    with _writing(folder / HISTORY) as file:
        exported = await export_history(database, context, store, tenant, file)
    async with database.transaction(context()) as connection:
        with _writing(folder / TAIL) as file:
            rows = await connection.fetch(TAIL_EVENTS, exported.events)
            file.writelines(f"{tail_line(dict(row))}\n" for row in rows)
        with _writing(folder / BOOKS) as file:
            file.writelines(f"{line}\n" for line in to_lines(await read_books(connection)))
        with _writing(folder / DOSSIER) as file:
            async for line in dossier_lines(connection):
                file.write(f"{line}\n")


def make_folder(folder: Path) -> None:
    """The folder, if it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)


def audit(
    folder: Path,
    public_keys: Iterable[bytes],
    *,
    kept: Checkpoint | None = None,
    accepted: Collection[bytes] = (),
    keep: bool = True,
) -> Audited:
    """Prove a folder's history, compute its books anew from it, and decide its decisions once more.

    `public_keys` have 32 bytes each; `kept` is the checkpoint that was kept from an earlier look, `accepted` has the
    hashes of resumptions that are no fault. Events and journals are gone through as they lie in their files; `keep`
    keeps them in memory, to be looked at afterwards.

    Raises:
        ChainFault: with the first place of the history that contradicts the rest.
        ControlPlaneError: EXPORT_MALFORMED.
        TreasuryError: AUDIT_BOOKS_MALFORMED or AUDIT_DOSSIER_MALFORMED.
        OSError: if a file cannot be read.
        ValueError: if a key is none.
    """
    history = HistoryFile(folder / HISTORY)
    proof = Proof(history, keys=trusted(public_keys), kept=kept, accepted=accepted)
    told, spends, governed = ToldBooks(), ToldSpends(), ToldGoverned()
    events: list[Event] = []
    tail = 0
    for event in _events(folder, proof):
        told.take(event.told)
        spends.take(event)
        governed.take(event)
        tail += event.position is None
        if keep:
            events.append(event)
    books = _books(folder / BOOKS, keep=keep)
    with open_export(folder / DOSSIER) as file:
        dossier = read_dossier(file)
    findings = [
        *compare(books, told),
        *compare_spends(dossier, spends, history.tenant),
        *compare_governed(dossier, governed),
    ]
    return Audited(history.tenant, proof.verified, tuple(events), tail, books, dossier, tuple(findings))


def _books(path: Path, *, keep: bool) -> StandingBooks:
    if not keep:
        return BooksFile(path)
    with open_export(path) as file:
        return from_lines(file)


def _events(folder: Path, proof: Proof) -> Iterator[Event]:
    yield from proven_events(proof)
    with open_export(folder / TAIL) as file:
        yield from read_tail(file, TAIL)


def _writing(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="\n")
