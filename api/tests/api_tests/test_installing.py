"""An administrator's installation, on a real server that asks for passwords."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import pytest

from harness.certificates import certify
from parpour_api import waiting
from parpour_api.installing import FAILED, HOPELESS, SERVICE_ROLES, context_key, install, main, scram_verifier
from parpour_api.waiting import fault, wait
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import THROWAWAY, EmbeddedCluster, embedded
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.testing import Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.ledger import Ledger

TENANT = UUID(int=5)


def test_a_verifier_is_that_of_the_standard() -> None:
    """RFC 7677, section 3: password "pencil" and its salt; the signatures there fix both keys."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    stored, server = scram_verifier("pencil", salt=salt).split("$")[2].split(":")
    exchanged = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    signature = hmac.new(base64.b64decode(server), exchanged, hashlib.sha256).digest()
    assert base64.b64encode(signature).decode() == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_signature = hmac.new(base64.b64decode(stored), exchanged, hashlib.sha256).digest()
    client_key = bytes(one ^ other for one, other in zip(proof, client_signature, strict=True))
    assert hashlib.sha256(client_key).digest() == base64.b64decode(stored)


async def _install_twice(postgres: Postgres) -> None:
    dsn = postgres.cluster.dsn("parpour_installed", role="parpour_app")
    assert "Error" in await fault(dsn, "parpour_app's %I")
    key = context_key("parpour_app", secrets.token_bytes(32))
    given = {
        "database": "parpour_installed",
        "passwords": {role: f"{role}'s %I" for role in SERVICE_ROLES},
        "keys": [key],
        "keys_expire_at": datetime.now(UTC) + timedelta(days=1),
    }
    first = await install(postgres.cluster.dsn(), **given)  # type: ignore[arg-type]
    second = await install(postgres.cluster.dsn(), **given)  # type: ignore[arg-type]
    assert (first.made_database, first.migrations) == (True, MIGRATIONS)
    assert (second.made_database, second.migrations) == (False, ())
    assert await wait(dsn, "parpour_app's %I", seconds=0) == ""
    async with open_database(dsn) as database:
        ledger = Ledger(database)
        context = ContextMint(key, clock=time.time).mint(tenant=TENANT, actor="user:ann")
        assert await ledger.create_tenant(context, name="acme")
        other = ContextMint(context_key("parpour_app", secrets.token_bytes(32)), clock=time.time)
        with pytest.raises(ControlPlaneError, match="CONTEXT_REFUSED"):
            async with database.transaction(other.mint(tenant=TENANT, actor="user:ann")):
                pass
    administrator = await asyncpg.connect(postgres.cluster.dsn())
    kept = await administrator.fetch(
        "select rolname, rolpassword from pg_authid where rolname = any($1)", SERVICE_ROLES
    )
    await administrator.close()
    assert {row["rolpassword"].split(":")[0] for row in kept} == {"SCRAM-SHA-256$4096"}
    assert not any("s %I" in row["rolpassword"] for row in kept)


def test_an_installation_is_whole_and_may_be_repeated(postgres: Postgres) -> None:
    asyncio.run(_install_twice(postgres))


async def _install_as(cluster: EmbeddedCluster, role: str) -> list[bool]:
    superuser = await asyncpg.connect(cluster.dsn())
    await superuser.execute(f"create role {role} login createrole createdb")
    await superuser.close()
    passwords = dict.fromkeys(SERVICE_ROLES, "secret")
    keys, expire = [context_key("parpour_app", bytes(32))], datetime.now(UTC) + timedelta(days=1)
    return [
        (
            await install(
                cluster.dsn(role=role), database="hosted", passwords=passwords, keys=keys, keys_expire_at=expire
            )
        ).made_database
        for _ in range(2)
    ]


def test_an_administrator_who_is_no_superuser_can_install() -> None:
    with embedded(settings=THROWAWAY) as cluster:
        assert asyncio.run(_install_as(cluster, "administrator")) == [True, False]


@pytest.fixture
def secrets_folder(tmp_path: Path) -> Path:
    """Passwords and keys of every service role."""
    for role in SERVICE_ROLES:
        (tmp_path / f"{role}.password").write_text("secret")
        (tmp_path / f"{role}.key").write_bytes(bytes(32))
    return tmp_path


def test_what_would_fail_again_is_told_from_what_may_pass(
    postgres: Postgres, secrets_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def status(server: str) -> int:
        return main(["--server", server, "--database", "unmade", "--secrets", str(secrets_folder), "--wait", "0"])

    assert status("postgresql://127.0.0.1:1/") == FAILED
    assert "not installed: ConnectionRefusedError" in capsys.readouterr().err
    assert status(postgres.cluster.dsn(role="nobody")) == HOPELESS
    assert 'role "nobody" does not exist' in capsys.readouterr().err
    assert status(postgres.cluster.dsn(role="parpour_app")) == HOPELESS
    assert "permission denied to create database" in capsys.readouterr().err


async def _as_a_stranger(folder: Path, installing: Path) -> tuple[int, float]:
    """Install on a server whose certificate nobody vouches for; the exit status and how long that took."""
    certificate, key = certify(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    other, _ = certify(installing, "localhost")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # SSLRequest
        writer.write(b"S")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await writer.start_tls(context)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    query = urlencode({"sslmode": "verify-full", "sslrootcert": str(other)})
    words = ["--server", f"postgresql://admin@localhost:{port}/postgres?{query}", "--secrets", str(installing)]
    began = time.monotonic()
    async with server:
        return await asyncio.to_thread(main, [*words, "--wait", "60"]), time.monotonic() - began


def test_a_server_of_another_authority_is_not_waited_for(
    tmp_path_factory: pytest.TempPathFactory, secrets_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, seconds = asyncio.run(_as_a_stranger(tmp_path_factory.mktemp("server"), secrets_folder))
    assert status == HOPELESS
    assert seconds < 30
    assert "not installed: SSLCertVerificationError" in capsys.readouterr().err


def test_a_service_waits_for_a_schema_and_says_what_is_missing(
    postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    assert waiting.main(["--database", postgres.cluster.dsn(), "--wait", "0"]) == waiting.LATE
    assert "not there: migration controlplane 0001 is not applied" in capsys.readouterr().err
    assert waiting.main(["--database", "postgresql://127.0.0.1:1/x", "--wait", "0"]) == waiting.LATE
    assert "not there: ConnectionRefusedError" in capsys.readouterr().err


def test_an_id_that_is_given_wins_over_the_one_that_is_made() -> None:
    secret = bytes(32)
    assert context_key("parpour_app", secret).key_id == "app-66687aadf862"
    assert context_key("parpour_app", secret, key_id="mine").key_id == "mine"


def test_a_password_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="no service logs in as parpour_owner"):
        asyncio.run(
            install(
                "postgresql://nowhere",
                database="x",
                passwords={"parpour_owner": "x"},
                keys=[],
                keys_expire_at=datetime.now(UTC),
            )
        )
