"""An administrator's installation, on a real server that asks for passwords."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from parpour_api import waiting
from parpour_api.installing import SERVICE_ROLES, context_key, install, scram_verifier
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
