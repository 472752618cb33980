"""The server's protocols: what a peer sends is bounded before there is a request, and a close waits for no reader.

The server's own protocol keeps a head however long it is, and takes fields behind a body for fields of the head. That
of its sockets waits, before it sends anything, until what was sent has left; a reader that does not read would never
learn that it was cut off, and its connection would stay.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from parpour_api.errors import ApiError

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

HEAD_BYTES_MAX = 32 * 1024
"""Bytes of a request beside its body. Its body may have as many again between its parts."""


class Requests(HttpToolsProtocol):
    """HTTP whose heads and chunks have an end, and whose refusals have a code."""

    _beside = 0
    """Bytes of the message that are none of its body, less those of its body."""
    _headed = False

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._beside += len(data)
        super().data_received(data)
        if self._beside > HEAD_BYTES_MAX and not self.transport.is_closing():
            self._refuse("API_HEAD_TOO_LARGE")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._headed = False
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; one behind the body is none (RFC 9110, section 6.5.1)."""
        if not self._headed:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._headed = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._beside -= 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._beside = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  (told by a code)
        """Answer what is no HTTP."""
        self._refuse("API_HTTP_MALFORMED")

    def _refuse(self, code: str) -> None:
        """End the connection, with an answer if none has begun."""
        if self.cycle is None or self.cycle.response_complete:
            error = ApiError(code)
            body = json.dumps(error.problem(request_id=str(uuid4())))
            fields = f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\nconnection: close"
            first = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"
            self.transport.write(f"{first}\r\n{fields}\r\n\r\n{body}".encode("ascii"))
        self.transport.close()


class Sockets(WebSocketsSansIOProtocol):
    """WebSockets whose close waits for nobody, and whose pings are not answered to who reads no answer."""

    def handle_ping(self) -> None:
        """Answer a ping, unless much is still to be read, or the end was said (RFC 6455, section 5.5.3)."""
        if self.writable.is_set() and not self.close_sent:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    async def send(self, message: ASGISendEvent) -> None:
        """Send one message of the application."""
        closing = message["type"] == "websocket.close"
        if closing:
            self.writable.set()
        await super().send(message)
        if closing and self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
