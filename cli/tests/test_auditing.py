"""`parpour treasury verify` on audits of real books: untouched ones hold, and of others the place is named."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from parpour_cli.main import command
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.auditing.handing import hand_over
from parpour_treasury.testing import open_books

KEY = SigningKey(b"k" * 32)


async def make_audits(place: Place, folder: Path) -> None:
    """Books with holds and journals, handed over twice: at a checkpoint, and later with a tail behind it."""
    store = FolderStore(folder / "checkpoints")
    async with (
        open_books(place) as books,
        open_database(place.dsn("parpour_sealer"), connections=2) as database,
    ):
        sealer = Sealer(
            database.pool,
            place.sealer,
            SigningKeys((KEY,)),
            store,
            clock=lambda: datetime.now(UTC),
            random=os.urandom,
            pace=SealingPace(sign=0),
        )
        one, two = await books.open("one"), await books.open("two")
        await books.post((one, 1000), (two, -1000))
        hold, _ = await books.place((one, -100), (two, 100))
        await books.settle(hold, [-40, 40], release=False)
        await sealer.round()
        await hand_over(books.database, lambda: books.context, store, books.tenant, folder / "first")
        await books.post((one, 5), (two, -5))
        await sealer.round()
        await books.post((one, 7), (two, -7))
        await hand_over(books.database, lambda: books.context, store, books.tenant, folder / "second")
    (folder / "key").write_text(KEY.public.hex())


@pytest.fixture(scope="module")
def audits(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audits")
    asyncio.run(make_audits(postgres.place(MIGRATIONS), folder))
    return folder


def verify(folder: Path, audits: Path, *more: str) -> Result:
    return CliRunner().invoke(command, ["treasury", "verify", str(folder), "--key", str(audits / "key"), *more])


def test_an_audit_of_untouched_books_holds_and_says_what_is_not_proven_yet(audits: Path, tmp_path: Path) -> None:
    first = verify(audits / "first", audits, "--keep", str(tmp_path / "kept"))
    assert (first.exit_code, first.output.splitlines()[-1]) == (
        0,
        "verified: books and spends are what the events tell",
    )
    second = verify(audits / "second", audits, "--kept", str(tmp_path / "kept"), "--json")
    found = json.loads(second.output)
    assert second.exit_code == 0
    assert (found["verified"], found["unproven"], found["journals"], found["holds"]) == (True, 1, 4, 1)


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def without_line(name: str, marker: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        lines = (folder / name).read_text().splitlines(keepends=True)
        place = next(place for place, line in enumerate(lines) if marker in line)
        (folder / name).write_text("".join(lines[:place] + lines[place + 1 :]))

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (replaced("books.ndjson", '"posted":972', '"posted":973'), "AUDIT_BALANCE_DIFFERS"),
        (replaced("books.ndjson", '"amount":1000', '"amount":1001'), "AUDIT_JOURNAL_CHANGED"),
        (replaced("books.ndjson", '"state":"open"', '"state":"voided"'), "AUDIT_HOLD_CHANGED"),
        (without_line("books.ndjson", '"number":3'), "AUDIT_JOURNAL_MISSING"),
        (without_line("tail.ndjson", "journal/4"), "AUDIT_JOURNAL_UNTOLD"),
        (replaced("history.ndjson", "[1,1000,", "[1,1001,"), "CHAIN_PAYLOAD_CHANGED"),
        (without_line("history.ndjson", "[1,1000,"), "CHAIN_DROPPED"),
        (replaced("history.ndjson", '"header":"7070', '"header":"7071'), "CHAIN_EVENT_CHANGED"),
    ],
)
def test_each_kind_of_tampering_is_named_with_its_place(
    audits: Path, tmp_path: Path, change: Callable[[Path], None], code: str
) -> None:
    folder = tmp_path / "tampered"
    shutil.copytree(audits / "second", folder)
    change(folder)
    result = verify(folder, audits)
    assert result.exit_code == 1
    assert code in result.output


def test_an_older_history_is_a_rollback_to_who_kept_a_checkpoint(audits: Path, tmp_path: Path) -> None:
    assert verify(audits / "second", audits, "--keep", str(tmp_path / "kept")).exit_code == 0
    result = verify(audits / "first", audits, "--kept", str(tmp_path / "kept"))
    assert (result.exit_code, "CHAIN_ROLLED_BACK" in result.output) == (1, True)


def test_another_key_is_not_trusted(audits: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SigningKey(b"x" * 32).public.hex())
    result = CliRunner().invoke(
        command, ["treasury", "verify", str(audits / "first"), "--key", str(tmp_path / "key"), "--json"]
    )
    assert (result.exit_code, json.loads(result.output)["code"]) == (1, "CHAIN_KEY_UNKNOWN")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nowhere", "--key", "{key}"], "AUDIT_UNREADABLE"),
        (["{first}", "--key", "nokey"], "AUDIT_KEY_MALFORMED"),
        (["{first}", "--key", "{key}", "--kept", "{key}"], "AUDIT_CHECKPOINT_MALFORMED"),
    ],
)
def test_files_that_are_none_are_named_with_the_remedy(audits: Path, arguments: list[str], code: str) -> None:
    words = [one.format(key=audits / "key", first=audits / "first") for one in arguments]
    result = CliRunner().invoke(command, ["treasury", "verify", *words])
    assert (result.exit_code, code in result.output) == (1, True)
