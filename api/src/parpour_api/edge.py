"""What surrounds every request: its id, its bounds, its security headers, its figures and its log line.

One ASGI layer, because each layer costs every request. Errors leave as problem details (RFC 9457).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parpour_api.errors import ApiError
from parpour_api.failures import as_api_error
from parpour_api.logs import LOGGER, line
from parpour_api.metrics import Metrics

PROBLEM_TYPE = "application/problem+json"

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
"""Nothing here is shown as a page or kept by a cache."""

_CHALLENGES = {
    "API_FORBIDDEN": 'Bearer error="insufficient_scope"',
    "API_TOKEN_MISSING": "Bearer",
    "API_WEBHOOK_REFUSED": "Signature",
}
"""How to ask so that it is answered, by RFC 6750: who sent no token is told of no error of it."""

SERVER_ERROR = 500

SENDING_SECONDS_MAX = 600.0
"""How long an answer may take from its first byte to its last."""


def problem_response(scope: Scope, error: Exception) -> Response:
    """What an exception is to the caller, as a whole answer; the log line of the request will bear its code."""
    refused = as_api_error(error)
    request_id: str = scope["state"]["request_id"]
    scope["state"]["code"] = refused.code
    if refused.status >= SERVER_ERROR:
        LOGGER.error(refused.code, exc_info=error, extra={"fields": {"request": request_id}})
    headers = {}
    if refused.retry_after is not None:
        headers["retry-after"] = str(refused.retry_after)
    if refused.allow:
        headers["allow"] = ", ".join(refused.allow)
    if refused.status == HTTPStatus.UNAUTHORIZED or refused.code in _CHALLENGES:
        headers["www-authenticate"] = _CHALLENGES.get(refused.code, 'Bearer error="invalid_token"')
    if refused.code == "API_BODY_TOO_LARGE":
        # What is left of the body is not read.
        headers["connection"] = "close"
    body = json.dumps(refused.problem(request_id=request_id))
    return Response(body, status_code=refused.status, headers=headers, media_type=PROBLEM_TYPE)


@dataclass(frozen=True)
class Bounds:
    """What a request may take."""

    body_bytes: int
    seconds: float
    larger: Mapping[str, int] = field(default_factory=dict)
    """Bytes of bodies of some paths, where they may have more."""


class Edge:
    """The outermost layer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        bounds: Bounds,
        metrics: Metrics,
        routes: frozenset[str],
        clock: Callable[[], float],
        new_id: Callable[[], UUID],
    ) -> None:
        self._app = app
        self._bounds = bounds
        self._metrics = metrics
        self._routes = routes
        """Paths that are named in figures; others are named by their route, or counted as one where there is none."""
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry a request through; whatever is raised below is answered here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._bounds.larger.get(scope["path"], self._bounds.body_bytes)
        exchange = _Exchange(receive, send, most, self._request_id(scope))
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        began = self._clock()
        try:
            try:
                async with asyncio.timeout(self._bounds.seconds) as exchange.deadline:
                    exchange.check_announced(scope)
                    await self._app(scope, exchange.receive, exchange.send)
            except TimeoutError:
                raise ApiError("API_TIMEOUT") from None
        except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told, and told no more than a code)
            await self._refuse(scope, exchange, error)
        finally:
            self._note(scope, exchange, self._clock() - began)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                try:
                    return str(UUID(value.decode("ascii")))
                except ValueError:
                    break
        return str(self._new_id())

    async def _refuse(self, scope: Scope, exchange: _Exchange, error: Exception) -> None:
        if exchange.status is not None:
            # The answer has begun: all that is left is to break it off.
            raise error
        exchange.deadline = None
        await problem_response(scope, error)(scope, exchange.receive, exchange.send)

    def _note(self, scope: Scope, exchange: _Exchange, seconds: float) -> None:
        route = scope["path"] if scope["path"] in self._routes else getattr(scope.get("route"), "path", "other")
        status = exchange.status or SERVER_ERROR
        code: str | None = scope["state"].get("code")
        if code is not None:
            self._metrics.refusals.labels(code).inc()
        self._metrics.answered(route=route, method=scope["method"], status=status, seconds=seconds)
        line(
            LOGGER,
            logging.INFO,
            "request",
            request=exchange.request_id,
            method=scope["method"],
            path=scope["path"],
            status=status,
            milliseconds=round(seconds * 1000),
            **({} if code is None else {"code": code}),
        )


class _Exchange:
    """One request and its answer: counts what comes in, and puts headers on what goes out."""

    def __init__(self, receive: Receive, send: Send, body_bytes_max: int, request_id: str) -> None:
        self._receive = receive
        self._send = send
        self._left = body_bytes_max
        self.request_id = request_id
        self.status: int | None = None
        self.deadline: asyncio.Timeout | None = None

    def check_announced(self, scope: Scope) -> None:
        """Refuse a body that says itself that it is too large, or compressed, before it is read."""
        for name, value in scope["headers"]:
            if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
                raise ApiError("API_MEDIA_TYPE", "bodies are not compressed")
            if name == b"content-length" and (not value.isdigit() or len(value) > 12 or int(value) > self._left):
                raise ApiError("API_BODY_TOO_LARGE")

    async def receive(self) -> Message:
        """The next part of the request."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise ApiError("API_BODY_TOO_LARGE")
        return message

    async def send(self, message: Message) -> None:
        """The next part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.deadline is not None:
                # What is answered was made; a slow reader holds nothing but its own connection.
                self.deadline.reschedule(asyncio.get_running_loop().time() + SENDING_SECONDS_MAX)
            message["headers"] = [
                *message.get("headers", ()),
                *SECURITY_HEADERS,
                (b"x-request-id", self.request_id.encode()),
            ]
        await self._send(message)
