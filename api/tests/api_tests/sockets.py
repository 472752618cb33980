"""A client of graphql-transport-ws for tests, on the application itself: this one can stop reading at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from .building import Api, Caller

PATIENCE = 10.0
PROTOCOL = "graphql-transport-ws"
EVENTS = "subscription($after: ID!) { events(after: $after) { position type subject actor payload } }"


@dataclass
class Socket:
    """One connection."""

    to_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    from_app: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    reading: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, message: Message) -> None:
        """What the application sends; it waits while nobody reads."""
        if message["type"] != "websocket.close":
            await self.reading.wait()
        self.from_app.put_nowait(message)

    def raw(self, **message: Any) -> None:
        """Send what no client would."""
        self.to_app.put_nowait({"type": "websocket.receive", **message})

    def say(self, kind: str, **fields: Any) -> None:
        """Send one message."""
        self.raw(text=json.dumps({"type": kind, **fields}))

    async def answer(self) -> Message:
        """What came next of anything."""
        return await asyncio.wait_for(self.from_app.get(), PATIENCE)

    async def next(self) -> Any:
        """The next message, read."""
        message = await self.answer()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def closed(self) -> tuple[int, str]:
        """Number and reason of the close, whatever else came before it."""
        while (message := await self.answer())["type"] != "websocket.close":
            pass
        return message["code"], message["reason"]

    async def begin(self, token: str) -> None:
        """Say who is there."""
        assert (await self.answer())["type"] == "websocket.accept"
        self.say("connection_init", payload={"authorization": f"Bearer {token}"})
        assert await self.next() == {"type": "connection_ack"}

    def subscribe(self, query: str = EVENTS, *, name: str = "1", **variables: Any) -> None:
        """Ask for events."""
        self.say("subscribe", id=name, payload={"query": query, "variables": variables})

    async def events(self, count: int) -> list[Any]:
        """So many events, in the order in which they came."""
        found: list[Any] = []
        while len(found) < count:
            message = await self.next()
            assert message["type"] == "next", message
            found.append(message["payload"]["data"]["events"])
        return found

    async def refused(self) -> str:
        """The code with which a subscription is refused."""
        code: str = (await self.refusal())["extensions"]["code"]
        return code

    async def refusal(self) -> Any:
        """The error with which a subscription is refused."""
        message = await self.next()
        assert message["type"] == "error", message
        return message["payload"][0]


@asynccontextmanager
async def connected(
    api: Api, *, origin: str | None = None, protocols: Sequence[str] = (PROTOCOL,), **headers: str
) -> AsyncIterator[Socket]:
    """A connection whose first message is still to come."""
    socket = Socket()
    socket.reading.set()
    named = {**headers, **({} if origin is None else {"origin": origin})}
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        "query_string": b"",
        "subprotocols": list(protocols),
        "state": {},
    }
    task = asyncio.ensure_future(api.app(scope, socket.to_app.get, socket.take))
    socket.to_app.put_nowait({"type": "websocket.connect"})
    try:
        yield socket
    finally:
        socket.reading.set()
        socket.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        with suppress(TimeoutError):
            await asyncio.wait_for(task, PATIENCE)
        assert task.done()


@asynccontextmanager
async def following(caller: Caller, api: Api, after: str = "0") -> AsyncIterator[Socket]:
    """Somebody who follows events from a position on."""
    async with connected(api) as socket:
        await socket.begin(caller.token)
        socket.subscribe(after=after)
        yield socket
