"""An administrator lets histories go on after a restore, by the command that stands beside the sealer."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_api.installing import context_key
from parpour_api.resuming import main
from parpour_controlplane.context import install_key
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import SigningKeys, read_signing_key, write_signing_key
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Place, Postgres, seal
from parpour_treasury import MIGRATIONS
from parpour_treasury.books import Kind, NewAccount
from parpour_treasury.ledger import Ledger
from parpour_treasury.testing import Books, open_books

SECRET = secrets.token_bytes(32)
SAID = ["--by", "Ann Lee", "--reason", "the disk failed"]


@dataclass
class Restored:
    """A database that was restored: of two tenants it has forgotten something, of one it has not."""

    tenant: UUID
    other: UUID
    whole: UUID
    place: Place
    store: FolderStore


async def sealed(place: Place, folder: Path) -> None:
    keys = SigningKeys((read_signing_key(folder / "signing.pem"),))
    assert await seal(place, FolderStore(folder / "checkpoints"), keys=keys) == ""


async def make_restored(postgres: Postgres, folder: Path) -> Restored:
    place = await postgres.make_place(MIGRATIONS)
    connection = await asyncpg.connect(place.dsn("postgres"))
    key = context_key("parpour_sealer", SECRET)
    await install_key(connection, key, expires_at=datetime.now(UTC) + timedelta(hours=1))
    await connection.close()
    write_signing_key(folder / "signing.pem", seed=secrets.token_bytes(32))
    (folder / "key").write_bytes(SECRET)
    books: list[Books] = []
    for _ in range(3):
        async with open_books(place) as one:
            await one.open("one")
            books.append(one)
    await sealed(place, folder)
    backup = await postgres.copy(place)
    for one in books[:2]:
        async with open_database(place.dsn(), connections=1) as database:
            for code in ("two", "three"):
                account = NewAccount(code, code, Kind.ASSET, "USD")
                await Ledger(database).open_account(one.context, account)
    await sealed(place, folder)
    tenant, other, whole = (one.tenant for one in books)
    return Restored(tenant, other, whole, backup, FolderStore(folder / "checkpoints"))


@pytest.fixture
def restored(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Restored:
    made = asyncio.run(make_restored(postgres, tmp_path))
    settings = {
        "DATABASE": made.place.dsn("parpour_sealer"),
        "CONTEXT_KEY_FILE": str(tmp_path / "key"),
        "SIGNING_KEY_FILES": str(tmp_path / "signing.pem"),
        "CHECKPOINTS": str(tmp_path / "checkpoints"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"PARPOUR_WORKER_{name}", value)
    return made


def test_everybody_who_is_behind_goes_on_and_the_rest_is_left_alone(
    restored: Restored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--all-behind", "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    lost = "events 2 to 3 were signed and would be lost"
    assert sorted(said) == sorted(f"{one}: {lost}" for one in (restored.tenant, restored.other))
    assert restored.store.last(restored.tenant)[0] == 2
    assert main(["--all-behind", *SAID]) == 0
    number, last = restored.store.last(restored.tenant)
    assert last is not None
    assert last.resumption is not None
    assert (number, last.resumption.by, last.resumption.reason) == (3, "Ann Lee", "the disk failed")
    told = f"{restored.tenant}: goes on, events 2 to 3 are lost; verifiers accept it with --accept-resumption "
    assert f"{told}{last.hash.hex()}\n" in capsys.readouterr().out
    assert restored.store.last(restored.whole)[0] == 1
    assert main(["--all-behind", *SAID]) == 0
    assert "was resumed before" in capsys.readouterr().out
    asyncio.run(sealed(restored.place, tmp_path))
    assert main(["--all-behind", *SAID]) == 0
    assert capsys.readouterr().out == "no tenant is behind what was signed\n"


def test_a_tenant_is_named_and_machines_read_what_came_of_it(
    restored: Restored, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for tenant in (restored.tenant, restored.whole) for word in ("--tenant", str(tenant))]
    assert main([*words, "--json", *SAID]) == 1
    said = json.loads(capsys.readouterr().out)
    _, last = restored.store.last(restored.tenant)
    assert last is not None
    done = {"tenant": str(restored.tenant), "first": 2, "last": 3, "checkpoint": last.hash.hex(), "before": False}
    assert (said["dryRun"], said["resumed"]) == (False, [done])
    assert [(one["tenant"], one["code"]) for one in said["refused"]] == [(str(restored.whole), "HISTORY_NOT_BEHIND")]
    assert main(["--tenant", str(uuid4()), "--dry-run"]) == 1
    assert "HISTORY_NOT_BEHIND" in capsys.readouterr().err


def test_it_takes_a_reason_and_somebody_who_says_so(restored: Restored, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], SAID[:2], SAID[2:], ["--by", "", "--reason", "x"]):
        with pytest.raises(SystemExit):
            main(["--all-behind", *words])
    with pytest.raises(SystemExit):
        main(SAID)
    assert main(["--tenant", str(restored.tenant), "--by", " ", "--reason", "x"]) == 1
    assert "RESUMPTION_MALFORMED" in capsys.readouterr().err


def test_a_checkpoint_that_cannot_be_read_concerns_its_own_tenant_alone(
    restored: Restored, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoints" / str(restored.other) / "000000000" / "000000000002").write_bytes(b"nothing")
    assert main(["--all-behind", "--json", *SAID]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [one["tenant"] for one in said["resumed"]] == [str(restored.tenant)]
    assert [(one["tenant"], one["code"]) for one in said["refused"]] == [(str(restored.other), "CHECKPOINT_UNREADABLE")]


def test_what_the_sealer_could_not_begin_with_is_named(
    restored: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "short").write_bytes(b"short")
    (tmp_path / "other").write_bytes(secrets.token_bytes(32))
    for name, value, status, said in (
        ("CHECKPOINTS", None, 2, "signing_key_files, checkpoints"),
        ("CONTEXT_KEY_FILE", str(tmp_path / "short"), 2, "context_key_file"),
        ("CONTEXT_KEY_FILE", str(tmp_path / "other"), 69, "CONTEXT_REFUSED"),
        ("SIGNING_KEY_FILES", str(tmp_path / "short"), 69, "SIGNING_KEY_"),
        ("DATABASE", "postgresql://parpour_sealer@127.0.0.1:1/x", 69, "DATABASE_UNAVAILABLE"),
    ):
        with monkeypatch.context() as changed:
            if value is None:
                changed.delenv(f"PARPOUR_WORKER_{name}")
            else:
                changed.setenv(f"PARPOUR_WORKER_{name}", value)
            assert main(["--all-behind", "--dry-run"]) == status
        assert said in capsys.readouterr().err
