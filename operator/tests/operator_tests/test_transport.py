"""The transport against a real HTTP server on loopback that answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_operator.leasing import Fence, LeaseLost
from parpour_operator.metrics import Metrics
from parpour_operator.testing.memory import Clock
from parpour_operator.transport import PatientTransport, TokenBucket, resource_of

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


class Answers(ThreadingHTTPServer):
    """Answers with the codes that are queued, then 200."""

    codes: list[int]
    seen: list[str]


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        assert isinstance(self.server, Answers)
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append(f"{self.command} {self.rfile.read(length).decode()}".strip())
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.send_response(code)
        if code == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Answers]:
    server = Answers(("127.0.0.1", 0), Handler)
    server.codes, server.seen = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def client(server: Answers, metrics: Metrics, fence: Fence | None = None) -> httpx2.AsyncClient:
    clock = Clock()
    transport = PatientTransport(
        httpx2.AsyncHTTPTransport(),
        bucket=TokenBucket(1000, 100, clock.seconds),
        metrics=metrics,
        check_write=fence.check if fence else lambda: None,
        now=clock.seconds,
    )
    return httpx2.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False)


async def test_a_busy_server_is_asked_again_with_the_same_body(server: Answers) -> None:
    metrics = Metrics()
    server.codes = [429, 429]
    async with client(server, metrics) as http:
        response = await http.post("/apis/batch/v1/namespaces/a/jobs", content=b"body")
    assert response.status_code == 200
    assert server.seen == ["POST body"] * 3
    labels = {"verb": "POST", "resource": "jobs", "code": "429"}
    assert metrics.registry.get_sample_value("parpour_operator_api_requests_total", labels) == 2


async def test_patience_ends(server: Answers) -> None:
    server.codes = [429] * 20
    async with client(server, Metrics()) as http:
        response = await http.get("/api/v1/nodes")
    assert response.status_code == 429
    assert len(server.seen) == 5


async def test_a_write_without_lease_never_leaves_the_process(server: Answers) -> None:
    fence = Fence(Clock().seconds)
    async with client(server, Metrics(), fence) as http:
        with pytest.raises(LeaseLost):
            await http.post("/apis/batch/v1/namespaces/a/jobs", content=b"body")
        await http.get("/apis/batch/v1/namespaces/a/jobs")
        await http.post("/apis/coordination.k8s.io/v1/namespaces/a/leases", content=b"lease")
    assert server.seen == ["GET", "POST lease"]


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 10), st.floats(0.5, 50))
def test_the_bucket_never_allows_more_than_burst_and_rate(gaps: list[float], burst: int, rate: float) -> None:
    clock = Clock()
    bucket = TokenBucket(rate, burst, clock.seconds)
    sent: list[float] = []
    for gap in gaps:
        clock.advance(gap)
        sent.append(clock.seconds() + bucket.reserve())
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            assert last - first + 1 <= burst + (sent[last] - sent[first]) * rate + 1.01


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/apis/parpour.dev/v1alpha1/namespaces/a/simulations/b/status", "simulations/status"),
        ("/apis/parpour.dev/v1alpha1/simulations", "simulations"),
        ("/api/v1/namespaces/a/configmaps/b", "configmaps"),
        ("/api/v1/nodes", "nodes"),
        ("/version", "other"),
    ],
)
def test_metrics_name_the_resource_and_never_the_object(path: str, resource: str) -> None:
    assert resource_of(path) == resource
