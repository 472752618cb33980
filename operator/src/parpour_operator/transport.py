"""The HTTP transport under the API client: a token bucket, patience with a busy server, a fence, and metrics.

kopf and lightkube have no rate limit of their own. Limiting below the client means that no caller can forget it; the
fence refuses a write after the Lease's deadline at the last moment before it would leave the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from parpour_operator.metrics import Metrics

LEASES = "/apis/coordination.k8s.io/"
BUSY = frozenset({429, 503})
ATTEMPTS = 5
LONGEST_PATIENCE = 30.0


@dataclass
class TokenBucket:
    """Allows `burst` requests at once and `rate` a second over a long time."""

    rate: float
    burst: int
    clock: Callable[[], float]
    _level: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._level = float(self.burst)
        self._at = self.clock()

    def reserve(self) -> float:
        """Take one token, in advance if need be; the seconds to wait before it may be used."""
        now = self.clock()
        self._level = min(float(self.burst), self._level + (now - self._at) * self.rate)
        self._at = now
        self._level -= 1.0
        return max(0.0, -self._level / self.rate)


def resource_of(path: str) -> str:
    """The plural (and subresource) that an API path names; "other" if it names none."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    if not rest:
        return "other"
    return "/".join((rest[0], *rest[2:3]))


class PatientTransport(httpx2.AsyncBaseTransport):
    """Wraps a transport; bodies are bytes, so a request can be sent again."""

    def __init__(
        self,
        inner: httpx2.AsyncBaseTransport,
        *,
        bucket: TokenBucket,
        metrics: Metrics,
        check_write: Callable[[], None],
        now: Callable[[], float],
    ) -> None:
        self._inner = inner
        self._bucket = bucket
        self._metrics = metrics
        self._check_write = check_write
        self._now = now

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request when it may go, and again while the server says that it is busy.

        Raises:
            LeaseLost: for a write when this process may not write any more.
        """
        attempt = 1
        while True:
            await self._pause(self._bucket.reserve())
            if request.method != "GET" and LEASES not in request.url.path:
                self._check_write()
            response = await self._send(request)
            if response.status_code not in BUSY or attempt == ATTEMPTS:
                return response
            await response.aclose()
            await self._pause(min(_retry_after(response, attempt), LONGEST_PATIENCE))
            attempt += 1

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        resource = resource_of(request.url.path)
        try:
            response = await self._inner.handle_async_request(request)
        except httpx2.HTTPError:
            self._metrics.requests.labels(request.method, resource, "error").inc()
            raise
        self._metrics.requests.labels(request.method, resource, str(response.status_code)).inc()
        if response.status_code < 500 and response.status_code != 401:
            self._metrics.api_reached.set(self._now())
        return response

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._metrics.throttled_seconds.inc(seconds)
            await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _retry_after(response: httpx2.Response, attempt: int) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdecimal() else 0.5 * 2.0**attempt
