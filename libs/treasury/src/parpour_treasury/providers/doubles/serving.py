"""The doubles' two shells: a transport within the process, and a real HTTP server on loopback.

The server also answers below `/_double/`, where tests in another process read what truly was paid, add faults, move
payments on and have webhooks delivered.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import timedelta

import httpx
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from parpour_treasury.providers.doubles.core import Delivery, Double, Effect, Fault, Request
from parpour_treasury.providers.egress import is_loopback

BODY_BYTES_MAX = 2**20
SILENCE_S_MAX = 120.0

Hook = Callable[[Delivery], Awaitable[None]]


class Within(httpx.AsyncBaseTransport):
    """Carries requests to a double without sockets. What never answers times out at once, and nothing sleeps.

    Args:
        double: the provider.
        hook: receives webhooks: before the answer where the script says so, and else after it.
    """

    def __init__(self, double: Double, *, hook: Hook | None = None) -> None:
        self._double = double
        self._hook = hook

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers a request.

        Raises:
            httpx.ReadTimeout, httpx.RemoteProtocolError: the script's faults.
        """
        content = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.url.path, request.url.query.decode(), headers, content)
        exchange = await self._double.exchange(asked, _at_once)
        if exchange.effect is Effect.DROP:
            raise httpx.RemoteProtocolError("the connection was dropped", request=request)
        if exchange.effect is Effect.SILENCE:
            raise httpx.ReadTimeout("no answer", request=request)
        if exchange.hook_first and self._hook is not None:
            for delivery in self._double.deliveries():
                await self._hook(delivery)
        assert exchange.reply is not None, "an answer has a reply"
        stream = httpx.ByteStream(exchange.reply.body)
        return httpx.Response(exchange.reply.status, headers=exchange.reply.headers, stream=stream)


async def _at_once(seconds: float) -> None:
    """Does not wait."""
    await asyncio.sleep(0 * seconds)


class _Served:
    """The HTTP side of one double."""

    def __init__(self, double: Double, hook_url: str | None) -> None:
        self._double = double
        self._hook_url = hook_url
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ends every silence."""
        self._stopping.set()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request, or drops its connection."""
        body = await request.read()
        if request.path.startswith("/_double/"):
            return await self._control(request.method, request.path, body)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request(request.method, request.path, request.query_string, headers, body)
        exchange = await self._double.exchange(asked, asyncio.sleep)
        if exchange.effect is Effect.SILENCE:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), SILENCE_S_MAX)
        if exchange.effect is not Effect.ANSWER:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("dropped as the script says")
        if exchange.hook_first:
            await self.deliver()
        assert exchange.reply is not None, "an answer has a reply"
        return web.Response(status=exchange.reply.status, headers=exchange.reply.headers, body=exchange.reply.body)

    async def deliver(self, *, doubled: bool = False, reordered: bool = False, skew: timedelta = timedelta(0)) -> int:
        """Sends the webhooks that are due to the hook's address and counts those that were taken."""
        if self._hook_url is None:
            return 0
        taken = 0
        async with ClientSession(timeout=ClientTimeout(total=5)) as session:
            for delivery in self._double.deliveries(doubled=doubled, reordered=reordered, skew=skew):
                headers = {delivery.header: delivery.signature, "Content-Type": "application/json"}
                try:
                    async with session.post(self._hook_url, data=delivery.body, headers=headers) as answer:
                        taken += answer.status < 300
                except (ClientError, TimeoutError):
                    continue
        return taken

    async def _control(self, method: str, path: str, body: bytes) -> web.Response:
        values = json.loads(body) if body else {}
        match method, path.removeprefix("/_double/"):
            case "GET", "payments":
                return web.json_response([asdict(paid) for paid in self._double.payments()])
            case "POST", "script":
                self._double.script.add(*(Fault(fault) for fault in values["faults"]))
                return web.json_response({})
            case "POST", "advance":
                self._double.advance(values["reference"], values["state"], values.get("code", ""))
                return web.json_response({})
            case "POST", "deliver":
                skew = timedelta(seconds=values.get("skew_s", 0))
                doubled, reordered = bool(values.get("doubled")), bool(values.get("reordered"))
                taken = await self.deliver(doubled=doubled, reordered=reordered, skew=skew)
                return web.json_response({"taken": taken})
        return web.json_response({}, status=404)


@asynccontextmanager
async def serve(
    double: Double, *, host: str = "127.0.0.1", port: int = 0, hook_url: str | None = None
) -> AsyncIterator[str]:
    """Serves a double while the context lasts.

    Args:
        double: the provider.
        host: a loopback address.
        port: 0 chooses a free one.
        hook_url: where webhooks go.

    Yields:
        Its base URL.

    Raises:
        ValueError: the address is not a loopback one.
    """
    if not is_loopback(host):
        raise ValueError("a double serves loopback addresses only")
    served = _Served(double, hook_url)
    runner = web.ServerRunner(web.Server(served.answer, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0]
        yield f"http://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}"
    finally:
        served.stop()
        await runner.cleanup()
