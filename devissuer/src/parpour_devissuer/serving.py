"""The issuer over HTTP, for programs on this machine.

A page in a browser could reach it too, so requests must name a loopback host and tokens are asked for in JSON, which no
page of another origin may send unasked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from parpour_devissuer.issuing import Issuer

HOST = "127.0.0.1"
BODY_BYTES_MAX = 16 * 1024
READ_SECONDS = 5


class IssuerServer(ThreadingHTTPServer):
    """A server on a loopback port (0 for any), whose issuer has the server's own address."""

    daemon_threads = True

    def __init__(self, *, port: int, audience: str, clock: Callable[[], float], new_id: Callable[[], str]) -> None:
        super().__init__((HOST, port), _Handler)
        self.issuer = Issuer(f"http://{HOST}:{self.server_address[1]}", audience=audience, clock=clock, new_id=new_id)


class _Handler(BaseHTTPRequestHandler):
    timeout = READ_SECONDS
    server_version = "parpour-devissuer"
    sys_version = ""

    @property
    def _issuer(self) -> Issuer:
        return cast("IssuerServer", self.server).issuer

    def do_GET(self) -> None:
        """Keys and discovery."""
        if not self._from_here():
            return
        if self.path == "/jwks":
            self._answer(200, self._issuer.keys())
        elif self.path == "/.well-known/openid-configuration":
            self._answer(200, self._issuer.discovery())
        else:
            self._answer(404, {"error": "not_found"})

    def do_POST(self) -> None:
        """Tokens and rotation."""
        if not self._from_here():
            return
        if self.headers.get_content_type() != "application/json":
            self._answer(415, {"error": "invalid_request", "error_description": "send application/json"})
            return
        length = self.headers.get("content-length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > BODY_BYTES_MAX:
            self._answer(413, {"error": "invalid_request"})
            return
        try:
            asked = json.loads(self.rfile.read(int(length)))
            if not isinstance(asked, dict):
                raise ValueError("send an object")
            if self.path == "/token":
                token = self._issuer.token(asked)
                self._answer(200, {"access_token": token, "token_type": "Bearer"})
            elif self.path == "/rotate":
                self._answer(200, {"kid": self._issuer.rotate()})
            else:
                self._answer(404, {"error": "not_found"})
        except (ValueError, RecursionError) as error:
            self._answer(400, {"error": "invalid_request", "error_description": str(error)})

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests hold tokens."""

    def _from_here(self) -> bool:
        host = self.headers.get("host", "").rpartition(":")[0]
        if host in (HOST, "localhost"):
            return True
        self._answer(403, {"error": "invalid_request", "error_description": "this serves its own machine"})
        return False

    def _answer(self, status: int, body: Mapping[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.send_header("cache-control", "no-store")
        self.end_headers()
        self.wfile.write(text)
