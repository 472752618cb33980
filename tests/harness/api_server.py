"""A real process of the API on a socket, with the development issuer beside it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from parpour_controlplane.testing import APP_KEY, Place, free_port
from parpour_devissuer.serving import IssuerServer

START_SECONDS = 30


@dataclass
class Served:
    """A running API and its issuer."""

    url: str
    issuer: IssuerServer
    process: subprocess.Popen[bytes]
    log: Path

    def token(self, tenant: UUID, *roles: str, sub: str = "ann") -> str:
        """A token for somebody of a tenant."""
        return self.issuer.issuer.token({"tenant": str(tenant), "sub": sub, "roles": list(roles)})

    def get(self, path: str, token: str | None = None) -> tuple[int, bytes]:
        """Status and body of a GET."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextlib.contextmanager
def serving(place: Place, folder: Path, **more: str) -> Iterator[Served]:
    """The API in a process of its own over a test's database, until the end of the block."""
    key = folder / "context.key"
    key.write_bytes(APP_KEY.secret)
    log = folder / "api.log"
    port = free_port()
    with IssuerServer(port=0, audience="parpour", clock=time.time, new_id=lambda: str(uuid4())) as issuer:
        thread = threading.Thread(target=issuer.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        environ = {
            **os.environ,
            "PARPOUR_API_DATABASE": place.dsn(),
            "PARPOUR_API_CONTEXT_KEY_ID": APP_KEY.key_id,
            "PARPOUR_API_CONTEXT_KEY_FILE": str(key),
            "PARPOUR_API_ISSUER": issuer.issuer.url,
            "PARPOUR_API_KEYS_URL": f"{issuer.issuer.url}/jwks",
            "PARPOUR_API_PORT": str(port),
            **more,
        }
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "parpour_api", "serve"], env=environ, stdout=output, stderr=output
            )
        served = Served(f"http://127.0.0.1:{port}", issuer, process, log)
        try:
            _await_start(served)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            issuer.shutdown()
            thread.join()


def _await_start(served: Served) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if served.process.poll() is not None:
            break
        with contextlib.suppress(OSError):
            if served.get("/healthz")[0] == 200:
                return
        time.sleep(0.05)
    raise AssertionError(served.log.read_text())


def log_lines(served: Served) -> list[dict[str, object]]:
    """What was logged, each line parsed."""
    return [json.loads(line) for line in served.log.read_text().splitlines()]
