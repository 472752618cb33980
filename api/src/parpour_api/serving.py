"""The server's sockets. A close is sent to a reader that does not read, and not after it has begun to.

The server's own protocol waits, before it sends anything, until what was sent has left; a reader that does not read
would never learn that it was cut off, and its connection would stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class Sockets(WebSocketsSansIOProtocol):
    """WebSockets whose close waits for nobody: the connection ends with it after a short time."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send one message of the application."""
        closing = message["type"] == "websocket.close"
        if closing:
            self.writable.set()
        await super().send(message)
        if closing and self.close_timer is not None:
            self.close_timer.cancel()
            self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
