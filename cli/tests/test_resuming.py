"""`parpour treasury verify` and `incident` on a history that went on after a restore: nobody overlooks that it did."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from parpour_cli.main import command
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.resuming import Resuming
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Place, Postgres, seal
from parpour_treasury import MIGRATIONS
from parpour_treasury.auditing.handing import hand_over
from parpour_treasury.books import Kind, NewAccount
from parpour_treasury.ledger import Ledger
from parpour_treasury.testing import Books, open_books

KEYS = SigningKeys((SigningKey(b"k" * 32),))


@dataclass(frozen=True)
class Handed:
    """An audit of a resumed history, and the resumption's hash."""

    folder: Path
    accepted: str


def now() -> datetime:
    return datetime.now(UTC)


async def write(place: Place, books: Books, store: FolderStore, *codes: str) -> None:
    """Let things happen, sealed and signed."""
    async with open_database(place.dsn(), connections=1) as app:
        for code in codes:
            await Ledger(app).open_account(books.context, NewAccount(code, code, Kind.ASSET, "USD"))
    await seal(place, store)


async def make(postgres: Postgres, folder: Path) -> Handed:
    """Sealed, backed up, sealed further, lost, restored, resumed, and sealed on."""
    place, store = await postgres.make_place(MIGRATIONS), FolderStore(folder / "checkpoints")
    async with open_books(place) as books:
        pass
    await write(place, books, store, "one")
    backup = await postgres.copy(place)
    await write(place, books, store, "lost", "lost-too")
    async with open_database(backup.dsn("parpour_sealer"), connections=1) as database:
        resuming = Resuming(database.pool, backup.sealer, KEYS, store, clock=now)
        resumed = await resuming.resume(books.tenant, by="Ann Lee", reason="the disk failed")
    await write(backup, books, store, "two", "three", "four")
    async with open_database(backup.dsn(), connections=1) as app:
        await hand_over(app, lambda: books.context, store, books.tenant, folder / "audit")
    (folder / "key").write_text(KEYS.current.public.hex())
    return Handed(folder, str(resumed.checkpoint))


@pytest.fixture(scope="module")
def handed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Handed:
    return asyncio.run(make(postgres, tmp_path_factory.mktemp("resumed")))


def ask(handed: Handed, which: str, *more: str) -> Result:
    words = ["treasury", which, str(handed.folder / "audit"), "--key", str(handed.folder / "key"), *more]
    return CliRunner().invoke(command, words)


@pytest.mark.parametrize("which", ["verify", "incident"])
def test_a_restore_that_nobody_has_accepted_proves_nothing(handed: Handed, which: str) -> None:
    for more in ((), ("--accept-resumption", "0" * 64)):
        result = ask(handed, which, *more)
        assert result.exit_code == 1
        said = " ".join(result.output.split())
        for word in ("CHAIN_RESUMED", "events 2 to 3", "Ann Lee", f"--accept-resumption {handed.accepted}"):
            assert word in said, word


def test_whoever_accepts_it_is_told_of_it_all_the_same(handed: Handed, tmp_path: Path) -> None:
    result = ask(handed, "verify", "--accept-resumption", handed.accepted.upper(), "--keep", str(tmp_path / "kept"))
    assert result.exit_code == 0
    assert (
        "resumed   events 2 to 3 were signed and are lost, as was accepted; Ann Lee: the disk failed" in result.output
    )
    again = ask(handed, "verify", "--accept-resumption", handed.accepted, "--kept", str(tmp_path / "kept"), "--json")
    found = json.loads(again.output)
    loss = {"checkpoint": handed.accepted, "first": 2, "last": 3, "by": "Ann Lee", "reason": "the disk failed"}
    assert (found["verified"], found["events"], found["resumptions"]) == (True, 5, [loss])
    later = ask(handed, "verify", "--kept", str(tmp_path / "kept"))
    assert (later.exit_code, "CHAIN_RESUMED" in later.output) == (1, True)


def test_an_incident_tells_of_it(handed: Handed, tmp_path: Path) -> None:
    words = ("--accept-resumption", handed.accepted, "-o", str(tmp_path / "bundle"))
    result = ask(handed, "incident", *words)
    assert (result.exit_code, "Ann Lee: the disk failed" in result.output) == (0, True)
    told = json.loads((tmp_path / "bundle" / "incident.json").read_text())
    assert [one["checkpoint"] for one in told["proof"]["losses"]] == [handed.accepted]
    page = (tmp_path / "bundle" / "incident.html").read_text()
    assert "Events 2 to 3 were signed and are lost; Ann Lee let the history go on: the disk failed" in page


@pytest.mark.parametrize("text", ["", "12", "x" * 64])
def test_a_resumption_is_named_in_whole(handed: Handed, text: str) -> None:
    result = ask(handed, "verify", "--accept-resumption", text)
    assert (result.exit_code, "64 hexadecimal digits" in result.output) == (2, True)
    assert ask(handed, "verify", "--accept-resumption", handed.accepted[:-1]).exit_code == 2
