"""The operator's client and the internal API's listener over real TLS."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parpour_api.internal.serving import listener, open_internal
from parpour_api.internal.settings import InternalSettings
from parpour_api.internal.testing import kubernetes
from parpour_api.internal.testing.opening import OPERATOR, PRICES, TOKEN
from parpour_contracts.funding import AUDIENCE, FundingState
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Postgres, free_port
from parpour_operator.settings import Settings
from parpour_operator.treasury import FundingUnavailable, connect
from parpour_treasury import MIGRATIONS
from parpour_treasury.spending.authority import Authority

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def certify(folder: Path, stem: str) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, stem)])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / f"{stem}.crt", folder / f"{stem}.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, private


async def test_the_client_speaks_to_the_listener_of_its_authority_alone(postgres: Postgres, tmp_path: Path) -> None:
    place = await postgres.make_place(MIGRATIONS)
    certificate, key = certify(tmp_path, "internal")
    stranger, _ = certify(tmp_path, "stranger")
    prices, own, shown = tmp_path / "prices.yaml", tmp_path / "own", tmp_path / "shown"
    prices.write_text(yaml.safe_dump(PRICES.to_wire()))
    own.write_text(kubernetes.OWN)
    shown.write_text(TOKEN)
    with kubernetes.serving() as cluster:
        cluster.tokens[TOKEN] = (OPERATOR, (AUDIENCE,))
        settings = InternalSettings.model_construct(
            host="127.0.0.1",
            port=0,
            certificate_file=certificate,
            key_file=key,
            price_list_file=prices,
            audience=AUDIENCE,
            operator=OPERATOR,
            kubernetes_url=cluster.url,  # the double speaks no TLS
            kubernetes_ca_file=None,
            kubernetes_token_file=own,
        )
        async with open_database(place.dsn(), connections=2) as database:
            authority = Authority(database, place.app)
            async with open_internal(settings, database=database, mint=place.app, authority=authority) as app:
                server = listener(app, settings)
                serving = asyncio.create_task(server.serve())
                while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                    await asyncio.sleep(0.01)
                port = server.servers[0].sockets[0].getsockname()[1]
                answers = [await _ask(port, ca, shown) for ca in (certificate, stranger)]
                server.should_exit = True
                await serving
    assert isinstance(answers[0], FundingState)
    assert isinstance(answers[1], FundingUnavailable)
    assert "certificate" in str(answers[1]).lower()


async def _ask(port: int, authority: Path, token: Path) -> FundingState | FundingUnavailable:
    settings = Settings(
        identity="test",
        worker_image="worker:test",
        funding_url=f"https://127.0.0.1:{port}",
        funding_ca_file=str(authority),
        funding_token_file=str(token),
    )
    treasury = connect(settings, check_write=lambda: None)
    assert treasury is not None
    try:
        return await treasury.state(uuid4(), uuid4())
    except FundingUnavailable as error:
        return error
    finally:
        await treasury.close()


def start(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """The internal API as a process."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    command = [sys.executable, "-m", "parpour_api.internal"]
    return subprocess.Popen(command, env={**kept, **environment}, stderr=subprocess.PIPE)


async def test_the_process_serves_until_it_is_told_to_stop(postgres: Postgres, tmp_path: Path) -> None:
    place = await postgres.make_place(MIGRATIONS)
    certificate, key = certify(tmp_path, "internal")
    prices, secret, own = tmp_path / "prices.yaml", tmp_path / "context-key", tmp_path / "own"
    prices.write_text(yaml.safe_dump(PRICES.to_wire()))
    secret.write_bytes(b"k" * 32)
    own.write_text(kubernetes.OWN)
    port = free_port()
    settings = {
        "DATABASE": place.dsn(),
        "CONTEXT_KEY_ID": "test",
        "CONTEXT_KEY_FILE": str(secret),
        "PORT": str(port),
        "CERTIFICATE_FILE": str(certificate),
        "KEY_FILE": str(key),
        "PRICE_LIST_FILE": str(prices),
        "OPERATOR": OPERATOR,
        "KUBERNETES_URL": "https://127.0.0.1:1",
        "KUBERNETES_CA_FILE": str(certificate),
        "KUBERNETES_TOKEN_FILE": str(own),
    }
    process = start({f"PARPOUR_INTERNAL_{name}": value for name, value in settings.items()})
    try:
        shown = tmp_path / "shown"
        shown.write_text(TOKEN)
        async with asyncio.timeout(30):
            # No API server reviews tokens here, and that is what it says once it is up.
            while "FUNDING_UNAVAILABLE" not in str(await _ask(port, certificate, shown)):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.1)
    finally:
        process.terminate()
    assert await asyncio.to_thread(process.wait, 20) == 0


def test_wrong_settings_end_the_process_and_name_no_value() -> None:
    process = start({"PARPOUR_INTERNAL_DATABASE": "postgresql://secret@host/db", "PARPOUR_INTERNAL_PORT": "none"})
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"port" in said
    assert b"context_key_file" in said
    assert b"secret" not in said
