"""The HTTP endpoints: /livez and /readyz for probes, /metrics for Prometheus.

Readiness means what it says: this replica is the leader or a standby that reaches the API server, and a leader's
watches tell what lists find. kopf's own endpoint says neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from parpour_operator.metrics import Metrics


@dataclass(frozen=True)
class Check:
    """One named condition of an endpoint; `fault` says what is wrong, or nothing."""

    name: str
    fault: Callable[[], str]


def _answer(checks: Sequence[Check]) -> web.Response:
    faults = [(check.name, check.fault()) for check in checks]
    lines = [f"{name}: {fault or 'ok'}" for name, fault in faults]
    failed = any(fault for _, fault in faults)
    return web.Response(text="\n".join(lines) + "\n", status=503 if failed else 200)


async def serve(
    stack: AsyncExitStack,
    *,
    host: str,
    health_port: int,
    metrics_port: int,
    live: Sequence[Check],
    ready: Sequence[Check],
    metrics: Metrics,
) -> tuple[int, int]:
    """Start both servers; they stop with the stack. The ports, which matter where 0 was asked for."""

    async def livez(_: web.Request) -> web.Response:
        return _answer(live)

    async def readyz(_: web.Request) -> web.Response:
        return _answer(ready)

    async def exposition(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    health = await _listen(stack, host, health_port, [web.get("/livez", livez), web.get("/readyz", readyz)])
    return health, await _listen(stack, host, metrics_port, [web.get("/metrics", exposition)])


async def _listen(stack: AsyncExitStack, host: str, port: int, routes: Sequence[web.RouteDef]) -> int:
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()
    return int(runner.addresses[0][1])
