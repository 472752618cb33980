"""What the API does with the files that its settings name."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parpour_api.__main__ import serve
from parpour_api.identity.fetching import fetching
from parpour_api.settings import Settings, SettingsError

pytestmark = pytest.mark.unit

SET = b'{"keys": []}'


def settings(folder: Path, **changes: Any) -> Settings:
    key = folder / "context.key"
    key.write_bytes(bytes(32))
    values = {"database": "postgresql://nowhere/x", "context_key_file": key, "issuer": "https://issuer.example"}
    return Settings.model_validate({**values, "keys_url": "https://issuer.example/keys", **changes})


@pytest.mark.parametrize("name", ["context_key_file", "database_password_file", "keys_ca_file"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: FileNotFoundError$"):
        serve(settings(tmp_path, **{name: tmp_path / "absent"}))


def test_a_file_without_a_certificate_is_no_authority(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("none")
    with pytest.raises(SettingsError, match=r"^keys_ca_file: SSLError$"):
        serve(settings(tmp_path, keys_ca_file=tmp_path / "ca.crt"))


def certificate(folder: Path) -> Path:
    """A certificate of this machine that signs itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")]), datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "issuer.pem"
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


class Keys(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SET)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def issuer(pem: Path) -> Iterator[str]:
    """An issuer over TLS; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with HTTPServer(("127.0.0.1", 0), Keys) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}/keys"
        finally:
            server.shutdown()
            thread.join()


async def fetched(url: str, authority: Path | None) -> bytes:
    return await fetching(url, authority=authority)()


def test_keys_come_from_an_issuer_that_the_given_authority_vouches_for(tmp_path: Path) -> None:
    pem = certificate(tmp_path)
    with issuer(pem) as url:
        assert asyncio.run(fetched(url, pem)) == SET
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            asyncio.run(fetched(url, None))
