"""graphql-transport-ws: subscriptions over a WebSocket, bounded in number, in time and in what may wait.

The token comes with the first message and with nothing else: no cookie, no header and no query string opens a socket,
so no page can do it with what a browser adds by itself. What was asked passes the same limits, roles and prices as a
query. A socket ends when its token does, and soon after its bearer was revoked.

Protocol: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, subscribe
from starlette.types import Message, Receive, Scope, Send

from parpour_api.access import check_allowed
from parpour_api.errors import ApiError
from parpour_api.failures import code_of
from parpour_api.graphql.documents import DocumentInvalid, Documents
from parpour_api.graphql.operations import Operations
from parpour_api.graphql.requests import GraphQLRequest, read_json, request_of
from parpour_api.graphql.seats import Seats, SocketBounds, SocketClosed
from parpour_api.graphql.session import Service, Session
from parpour_api.graphql.transport import GraphQLEndpoint, invalid_errors
from parpour_api.identity.principal import Principal
from parpour_api.identity.tokens import TokenVerifier
from parpour_api.limits import RateLimits
from parpour_api.logs import LOGGER, line

PROTOCOL = "graphql-transport-ws"
ID_MAX = 100
"""Characters of a subscription's id."""
FIRST_PINGS_MAX = 10
"""Pings of somebody who has not said who they are; later ones take from the rate limits."""


class _Gone(Exception):
    """The other side is no longer there."""


@dataclass(frozen=True)
class Carrying:
    """What carries subscriptions out."""

    schema: GraphQLSchema
    documents: Documents
    operations: Operations
    verifier: TokenVerifier
    limits: RateLimits
    service: Service
    endpoint: GraphQLEndpoint


class SocketEndpoint:
    """The endpoint as an ASGI application."""

    def __init__(self, carrying: Carrying, bounds: SocketBounds) -> None:
        self._carrying = carrying
        self._bounds = bounds
        self._seats = Seats(bounds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket from its handshake to its end."""
        socket = _Socket(self._carrying, self._bounds, self._seats, scope, receive, send)
        await socket.run()


class _Socket:
    """One connection."""

    def __init__(
        self,
        carrying: Carrying,
        bounds: SocketBounds,
        seats: Seats,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._carrying = carrying
        self._bounds = bounds
        self._seats = seats
        self._scope = scope
        self._receive = receive
        self._send = send
        self._one = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._request_id = str(uuid4())
        self._principal: Principal | None = None
        self._sent = 0

    async def run(self) -> None:
        """Everything, with a line in the log at the end."""
        code = "OK"
        try:
            await self._open()
        except _Gone:
            pass
        except SocketClosed as ended:
            code = ended.code
            await self._close(ended.number, ended.code)
        except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told no more than a code)
            LOGGER.error("a socket failed", exc_info=error, extra={"fields": {"request": self._request_id}})
            code = "API_INTERNAL"
            await self._close(1011, code)
        finally:
            self._note(code)

    async def _open(self) -> None:
        if (await self._receive())["type"] != "websocket.connect":
            raise _Gone
        origins = [value for name, value in self._scope["headers"] if name == b"origin"]
        if any(value.decode("latin-1") not in self._bounds.origins for value in origins):
            raise SocketClosed("API_ORIGIN_REFUSED")
        known = PROTOCOL in self._scope.get("subprotocols", ())
        await self._send({"type": "websocket.accept", "subprotocol": PROTOCOL if known else None})
        if not known:
            raise SocketClosed("API_NOT_ACCEPTABLE")
        with self._seats.one():
            try:
                async with asyncio.timeout(self._bounds.first_seconds):
                    token, principal = await self._begun()
            except TimeoutError:
                raise SocketClosed("API_TIMEOUT") from None
            self._principal = principal
            with self._seats.of(principal.tenant):
                await self._say({"type": "connection_ack"})
                await self._serve(token, principal)

    async def _begun(self) -> tuple[str, Principal]:
        """The token of the first message, and whose it is."""
        pings = 0
        while (message := await self._heard())["type"] == "ping":
            pings += 1
            if pings > FIRST_PINGS_MAX:
                raise SocketClosed("API_RATE_LIMITED")
            await self._say({"type": "pong"})
        if message["type"] != "connection_init":
            raise SocketClosed("API_TOKEN_MISSING")
        payload = message.get("payload")
        header = payload.get("authorization") if isinstance(payload, dict) else None
        if not isinstance(header, str):
            raise SocketClosed("API_TOKEN_MISSING")
        try:
            principal = await self._carrying.verifier.of_header(header)
            self._carrying.limits.take(tenant=principal.tenant, principal=principal.key, points=1)
        except ApiError as error:
            raise SocketClosed(error.code) from None
        return header.partition(" ")[2].strip(), principal

    async def _serve(self, token: str, principal: Principal) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._trust(token, principal))
                group.create_task(self._listen(group, principal))
        except BaseExceptionGroup as ended:
            # The first one is why; what it has interrupted says nothing more.
            raise ended.exceptions[0] from None

    async def _trust(self, token: str, principal: Principal) -> None:
        """End the socket with its token, or when the bearer was revoked."""
        while True:
            left = principal.expires_at.timestamp() - time.time()
            if left <= 0:
                raise SocketClosed("API_TOKEN_EXPIRED")
            await asyncio.sleep(min(left, self._bounds.trust_seconds))
            try:
                await self._carrying.verifier.verify(token)
            except ApiError as error:
                raise SocketClosed(error.code) from None

    async def _listen(self, group: asyncio.TaskGroup, principal: Principal) -> None:
        while True:
            message = await self._heard()
            kind = message["type"]
            if kind == "subscribe":
                self._subscribe(group, principal, message)
                # What is asked is looked at before more is heard.
                await asyncio.sleep(0)
            elif kind == "complete":
                task = self._running.pop(str(message.get("id")), None)
                if task is not None:
                    task.cancel()
            elif kind in ("ping", "pong"):
                self._count(principal)
                if kind == "ping":
                    await self._say({"type": "pong"})
            elif kind == "connection_init":
                raise SocketClosed("API_MESSAGE_REPEATED", number=4429)
            else:
                raise SocketClosed("API_MESSAGE_MALFORMED")

    def _count(self, principal: Principal) -> None:
        """Take a point for a message that asks for nothing."""
        try:
            self._carrying.limits.take(tenant=principal.tenant, principal=principal.key, points=1)
        except ApiError as error:
            raise SocketClosed(error.code) from None

    def _subscribe(self, group: asyncio.TaskGroup, principal: Principal, message: Mapping[str, Any]) -> None:
        name = message.get("id")
        if not isinstance(name, str) or not 1 <= len(name) <= ID_MAX:
            raise SocketClosed("API_MESSAGE_MALFORMED")
        if name in self._running:
            raise SocketClosed("API_MESSAGE_REPEATED")
        if len(self._running) >= self._bounds.subscriptions:
            raise SocketClosed("API_SUBSCRIPTIONS_TOO_MANY")
        self._running[name] = group.create_task(self._follow(name, message.get("payload"), principal))

    async def _follow(self, name: str, payload: Any, principal: Principal) -> None:
        """Carry one subscription out, until either side ends it."""
        session: Session | None = None
        try:
            session = await Session.begin(self._carrying.service, principal, request_id=self._request_id)
            await self._carry_out(name, payload, session)
            await self._say({"type": "complete", "id": name})
        except DocumentInvalid as invalid:
            await self._say({"type": "error", "id": name, "payload": invalid_errors(invalid)})
        except (SocketClosed, _Gone):
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told, and told no more than a code)
            await self._say({"type": "error", "id": name, "payload": [self._told(error)]})
        finally:
            if self._running.get(name) is asyncio.current_task():
                del self._running[name]
            if session is not None:
                await session.reader.close()

    async def _carry_out(self, name: str, payload: Any, session: Session) -> None:
        carrying, principal = self._carrying, session.principal
        carrying.limits.take(tenant=principal.tenant, principal=principal.key, points=1)
        asked = request_of(payload)
        prepared = carrying.documents.prepare(carrying.operations.text(asked.query, asked.extensions))
        operation = prepared.operation(asked.operation_name)
        if operation.kind != "subscription":
            raise ApiError("API_OPERATION_MISPLACED")
        check_allowed(principal, operation.fields)
        cost = carrying.endpoint.priced(prepared, operation, asked.variables, session)
        stream = await self._stream(prepared.node, asked, session)
        if isinstance(stream, ExecutionResult):
            errors = [carrying.endpoint.told(error, session) for error in stream.errors or ()]
            await self._say({"type": "error", "id": name, "payload": errors})
            return
        extensions: dict[str, Any] = {"extensions": {"cost": {"points": cost}}}
        async with aclosing(stream):
            async for result in stream:
                told: dict[str, Any] = {"data": result.data, **extensions}
                if result.errors:
                    told["errors"] = [carrying.endpoint.told(error, session) for error in result.errors]
                await self._say({"type": "next", "id": name, "payload": told})
                extensions = {}
                await self._pace(principal)

    async def _stream(self, node: Any, asked: GraphQLRequest, session: Session) -> Any:
        found = subscribe(
            self._carrying.schema,
            node,
            context_value=session,
            variable_values=dict(asked.variables),
            operation_name=asked.operation_name,
            hide_suggestions=True,
        )
        return await found if asyncio.iscoroutine(found) or asyncio.isfuture(found) else found

    async def _pace(self, principal: Principal) -> None:
        """Take a point for what was passed on; one that asks for more than its share waits for it."""
        while True:
            try:
                self._carrying.limits.take(tenant=principal.tenant, principal=principal.key, points=1)
                return
            except ApiError as error:
                await asyncio.sleep(error.retry_after or 1)

    def _told(self, error: Exception) -> dict[str, Any]:
        original = error.original_error if isinstance(error, GraphQLError) else None
        code, detail = code_of(original or error)
        if code == "API_INTERNAL":
            LOGGER.error("a subscription failed", exc_info=error, extra={"fields": {"request": self._request_id}})
        return {"message": detail, "extensions": {"code": code}}

    async def _heard(self) -> dict[str, Any]:
        """The next message, which is an object with a type."""
        message: Message = await self._receive()
        if message["type"] != "websocket.receive":
            raise _Gone
        text = message.get("text")
        if text is None:
            raise SocketClosed("API_MESSAGE_MALFORMED")
        try:
            value = read_json(text.encode(), "the message")
        except ApiError:
            raise SocketClosed("API_MESSAGE_MALFORMED") from None
        if not isinstance(value, dict) or not isinstance(value.get("type"), str):
            raise SocketClosed("API_MESSAGE_MALFORMED")
        return value

    async def _say(self, message: Mapping[str, Any]) -> None:
        """Send one message; a reader that does not take it in time is no longer waited for."""
        text = json.dumps(message, separators=(",", ":"))
        try:
            async with asyncio.timeout(self._bounds.send_seconds), self._one:
                await self._send({"type": "websocket.send", "text": text})
        except TimeoutError:
            raise SocketClosed("API_SUBSCRIBER_SLOW") from None
        except OSError:
            raise _Gone from None
        self._sent += 1

    async def _close(self, number: int, reason: str) -> None:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._bounds.send_seconds):
                await self._send({"type": "websocket.close", "code": number, "reason": reason})

    def _note(self, code: str) -> None:
        who = {} if self._principal is None else {"tenant": str(self._principal.tenant), "actor": self._principal.actor}
        self._carrying.service.metrics.sockets.labels(code).inc()
        line(LOGGER, logging.INFO, "socket", request=self._request_id, messages=self._sent, outcome=code, **who)
