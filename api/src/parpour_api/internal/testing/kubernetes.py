"""A real HTTP server that answers TokenReviews as authentication.k8s.io/v1 says; tests on a cluster use the real one.

Source: https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

API_SERVER = "https://kubernetes.default.svc"
OWN = "token-of-the-api"


@dataclass
class Cluster:
    """Tokens by text: (username, audiences)."""

    tokens: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    reviews: int = 0
    answer: tuple[int, bytes] | None = None
    """Sent instead of a review."""
    url: str = ""

    def review(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A TokenReview's status."""
        self.reviews += 1
        spec = asked["spec"]
        username, audiences = self.tokens.get(spec["token"], ("", ()))
        meant = [one for one in spec.get("audiences") or [API_SERVER] if one in audiences]
        if not meant:
            return {"authenticated": False, "error": "[invalid bearer token, token audiences are not valid]"}
        groups = ["system:serviceaccounts", "system:authenticated"]
        return {"authenticated": True, "audiences": meant, "user": {"username": username, "groups": groups}}


@contextmanager
def serving() -> Iterator[Cluster]:
    """A cluster that answers until the end of the block."""
    cluster = Cluster()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = 201, b""
            if self.headers.get("Authorization") != f"Bearer {OWN}":
                status, body = 401, b'{"kind": "Status", "code": 401}'
            elif self.path != "/apis/authentication.k8s.io/v1/tokenreviews" or asked["kind"] != "TokenReview":
                status, body = 404, b'{"kind": "Status", "code": 404}'
            elif cluster.answer is not None:
                status, body = cluster.answer
            else:
                body = json.dumps({**asked, "status": cluster.review(asked)}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cluster.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()
