"""The workers as processes: they start with their settings, tell how they are, do their work and stop when told."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from parpour_api.installing import SERVICE_ROLES, context_key, main
from parpour_api.settings import SettingsError
from parpour_api.workers.parts import parts, ways_out
from parpour_api.workers.settings import WorkerSettings
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import write_signing_key
from parpour_controlplane.testing import Bus, Postgres, free_port
from parpour_treasury.books import Kind, NewAccount
from parpour_treasury.ledger import Ledger

pytestmark = pytest.mark.anyio

START_SECONDS = 20.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def secrets_of_roles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    for role in SERVICE_ROLES:
        (folder / f"{role}.password").write_text(secrets.token_hex(16))
        (folder / f"{role}.key").write_bytes(secrets.token_bytes(40))
    return folder


def passwords_of(folder: Path) -> list[str]:
    return [(folder / f"{role}.password").read_text() for role in SERVICE_ROLES]


@pytest.fixture(scope="module")
def installed(postgres: Postgres, secrets_of_roles: Path) -> str:
    """The name of a database that the command installed."""
    words = ["--server", postgres.cluster.dsn(), "--database", "parpour_workers", "--secrets", str(secrets_of_roles)]
    assert main(words) == 0
    return "parpour_workers"


@asynccontextmanager
async def working(
    part: str, postgres: Postgres, database: str, folder: Path, **more: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A worker's process and the address that tells how it is."""
    role, port = parts()[part].role, free_port()
    settings = {
        "DATABASE": postgres.cluster.dsn(database, role=role),
        "DATABASE_PASSWORD_FILE": str(folder / f"{role}.password"),
        "CONTEXT_KEY_FILE": str(folder / f"{role}.key"),
        "PORT": str(port),
        **more,
    }
    environment = {**os.environ, **{f"PARPOUR_WORKER_{name}": value for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "parpour_api.workers", part, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        address = f"http://127.0.0.1:{port}"
        await until(lambda: answers(f"{address}/healthz") == "ok\n")
        yield process, address
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def answers(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return str(response.read().decode())
    except OSError:
        return ""


async def until(holds: object) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await asyncio.to_thread(holds):  # type: ignore[arg-type]
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def new_ledger(postgres: Postgres, database: str, folder: Path) -> UUID:
    """Something that happened in a new tenant."""
    tenant = uuid4()
    key = context_key("parpour_app", (folder / "parpour_app.key").read_bytes())
    mint = ContextMint(key, clock=time.time)
    async with open_database(postgres.cluster.dsn(database, role="parpour_app"), connections=1) as opened:
        ledger = Ledger(opened)
        await ledger.create_tenant(mint.mint(tenant=tenant, actor="user:ann"), name="acme")
        account = NewAccount("assets:bank:usd", "Bank", Kind.ASSET, "USD")
        await ledger.open_account(mint.mint(tenant=tenant, actor="user:ann"), account)
    return tenant


async def stopped(process: asyncio.subprocess.Process) -> str:
    """What a worker said until it was told to stop."""
    process.send_signal(signal.SIGTERM)
    said, _ = await asyncio.wait_for(process.communicate(), START_SECONDS)
    assert process.returncode == 0
    return said.decode()


async def test_events_are_sealed_and_published_by_processes(
    postgres: Postgres, installed: str, secrets_of_roles: Path, tmp_path: Path, bus: Bus
) -> None:
    tenant = await new_ledger(postgres, installed, secrets_of_roles)
    write_signing_key(tmp_path / "signing.pem", seed=secrets.token_bytes(32))
    sealing = {"SIGNING_KEY_FILES": str(tmp_path / "signing.pem"), "CHECKPOINTS": str(tmp_path / "checkpoints")}
    async with (
        working("seal", postgres, installed, secrets_of_roles, **sealing) as (sealer, sealers),
        working("relay", postgres, installed, secrets_of_roles, NATS_URL=bus.url) as (relay, relays),
    ):
        await until(lambda: "parpour_worker_seal_events_total 1" in answers(f"{sealers}/metrics"))
        await until(lambda: "parpour_worker_relay_events_total 1" in answers(f"{relays}/metrics"))
        behind = "# TYPE parpour_worker_seal_behind_seconds gauge\nparpour_worker_seal_behind_seconds 0\n"
        assert behind in answers(f"{sealers}/metrics")
        said = await stopped(sealer) + await stopped(relay)
    assert list((tmp_path / "checkpoints" / str(tenant)).iterdir())
    assert not any(one in said for one in passwords_of(secrets_of_roles))


@pytest.mark.parametrize("part", ["sweep", "pay"])
async def test_a_worker_starts_tells_and_stops(
    postgres: Postgres, installed: str, secrets_of_roles: Path, tmp_path: Path, part: str
) -> None:
    folders = {"ACCOUNTS": str(tmp_path), "TOKENS": str(tmp_path)}
    async with working(part, postgres, installed, secrets_of_roles, **folders) as (process, address):
        assert answers(f"{address}/metrics").startswith(f"# TYPE parpour_worker_{part}_")
        assert answers(f"{address}/else") == ""
        await stopped(process)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ({"ACCOUNTS": "/tmp"}, "accounts, tokens: the payment worker needs both folders"),
        ({"TOKENS": "/tmp"}, "accounts, tokens: the payment worker needs both folders"),
        ({"ACCOUNTS": "/tmp", "TOKENS": "/nowhere"}, "tokens: no folder that the payment worker can write to"),
        ({"ACCOUNTS": "/tmp", "TOKENS": "/etc/hostname"}, "tokens: no folder that the payment worker can write to"),
    ],
)
async def test_nothing_is_paid_without_a_place_for_what_was_sent(folders: dict[str, str], said: str) -> None:
    named = {"DATABASE": "postgresql://nowhere/x", "CONTEXT_KEY_FILE": "/nowhere", **folders}
    settings = WorkerSettings.read({f"PARPOUR_WORKER_{name}": value for name, value in named.items()})
    nothing: Any = None
    with pytest.raises(SettingsError, match=said):
        await parts()["pay"].run(settings, nothing, nothing, asyncio.Event())


@pytest.mark.parametrize(
    "address",
    [
        "stripe.double",
        "http://stripe.double",
        "http://10.0.0.1:12100",
        "https://",
        "https://stripe.double:8443",
        "https://user@stripe.double",
        "https://stripe.double/v1",
        "ftp://127.0.0.1",
        "http://[",
    ],
)
def test_a_double_is_named_by_an_address_that_the_way_there_takes(address: str) -> None:
    base = {"PARPOUR_WORKER_DATABASE": "postgresql://nowhere/x", "PARPOUR_WORKER_CONTEXT_KEY_FILE": "/nowhere"}
    with pytest.raises(SettingsError, match="stripe_endpoint"):
        WorkerSettings.read({**base, "PARPOUR_WORKER_STRIPE_ENDPOINT": address})
    taken = {"STRIPE": "https://stripe.double/", "MERCURY": "http://127.0.0.1:12100"}
    named = {f"PARPOUR_WORKER_{name}_ENDPOINT": value for name, value in taken.items()}
    settings = WorkerSettings.read({**base, **named})
    assert settings.doubles == {"stripe": "https://stripe.double", "mercury": "http://127.0.0.1:12100"}


def test_doubles_without_their_authority_are_told_at_the_start() -> None:
    named = {"DATABASE": "postgresql://nowhere/x", "CONTEXT_KEY_FILE": "/nowhere", "DOUBLES_AUTHORITY_FILE": "/nowhere"}
    settings = WorkerSettings.read({f"PARPOUR_WORKER_{name}": value for name, value in named.items()})
    with pytest.raises(SettingsError, match="doubles_authority_file: FileNotFoundError"):
        ways_out(settings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"PARPOUR_WORKER_DATABASE": ""}, "database"),
        ({"PARPOUR_WORKER_CONTEXT_KEY_FILE": "/nowhere"}, "context_key_file: FileNotFoundError"),
        ({"PARPOUR_WORKER_UNKNOWN": "1"}, "unknown"),
    ],
)
async def test_settings_that_cannot_be_used_are_named(
    secrets_of_roles: Path, change: dict[str, str], said: str
) -> None:
    base = {
        "PARPOUR_WORKER_DATABASE": "postgresql://nowhere/x",
        "PARPOUR_WORKER_CONTEXT_KEY_FILE": str(secrets_of_roles / "parpour_sweeper.key"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "parpour_api.workers", "sweep"),
        env={**os.environ, **base, **change},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complained = await process.communicate()
    assert process.returncode == 2
    assert said in complained.decode()
