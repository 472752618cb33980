"""An administrator writes a venture's audit folder, and an auditor verifies it without the database."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_api.handing import main
from parpour_api.installing import context_key
from parpour_controlplane.context import install_key
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.auditing.handing import FILES, audit
from parpour_treasury.auditing.testing import Wronged, wronged

SECRET = secrets.token_bytes(32)


async def prepared(place: Place, folder: Path) -> Wronged:
    """A venture with a history, and the key of contexts that an installation would have made."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    key = context_key("parpour_app", SECRET)
    await install_key(connection, key, expires_at=datetime.now(UTC) + timedelta(hours=1))
    await connection.close()
    return await wronged(place, folder / "first")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("handing")


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Place:
    return postgres.place(MIGRATIONS)


@pytest.fixture(scope="module")
def handed(place: Place, folder: Path) -> Wronged:
    (folder / "key").write_bytes(SECRET)
    return asyncio.run(prepared(place, folder))


def hand_over(place: Place, folder: Path, venture: UUID, into: str, key: str = "key") -> int:
    words = ["--database", place.dsn(), "--context-key-file", str(folder / key)]
    places = ["--checkpoints", str(folder / "first-checkpoints"), "--folder", str(folder / into)]
    return main([str(venture), *words, *places])


def test_the_folder_is_the_same_each_time_and_verifies(handed: Wronged, place: Place, folder: Path) -> None:
    assert hand_over(place, folder, handed.tenant, "second") == 0
    for name in FILES:
        assert (folder / "second" / name).read_bytes() == (folder / "first" / name).read_bytes(), name
    assert audit(folder / "second", [handed.key]).findings == ()


def test_of_somebody_else_it_has_nothing(handed: Wronged, place: Place, folder: Path) -> None:
    assert hand_over(place, folder, uuid4(), "empty") == 0
    found = audit(folder / "empty", [handed.key])
    assert (found.events, found.dossier.spends, found.books.accounts, found.findings) == ((), {}, [], ())


def test_another_key_or_none_opens_nothing(
    handed: Wronged, place: Place, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "other").write_bytes(secrets.token_bytes(32))
    (folder / "short").write_bytes(b"short")
    for key, said in (("other", "CONTEXT_REFUSED"), ("short", "ValueError"), ("nothing", "FileNotFoundError")):
        assert hand_over(place, folder, handed.tenant, "refused", key) == 1
        assert said in capsys.readouterr().err
