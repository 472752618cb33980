"""`python -m parpour_api.workers PART`: run one worker until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import uvicorn

from parpour_api.installing import context_key
from parpour_api.logs import LOGGER, log_to
from parpour_api.settings import SettingsError, read_file, read_password
from parpour_api.workers.parts import Part, parts
from parpour_api.workers.settings import WorkerSettings
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.errors import ControlPlaneError

BAD_SETTINGS = 2
UNAVAILABLE = 69

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def health(name: str, counts: Any) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """An application that says that the process lives, and what it has done so far."""

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        text = "ok\n" if scope["path"] == "/healthz" else figures(name, counts) if scope["path"] == "/metrics" else None
        headers = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]
        await send({"type": "http.response.start", "status": 404 if text is None else 200, "headers": headers})
        await send({"type": "http.response.body", "body": (text or "").encode()})

    return answer


def figures(name: str, counts: Any) -> str:
    """The counts in Prometheus' format: numbers alone, so that no text of an error gets out."""
    lines = []
    for field in dataclasses.fields(counts):
        value = getattr(counts, field.name)
        if isinstance(value, int):
            gauge = "gauge" in field.metadata
            metric = f"parpour_worker_{name}_{field.name}{'' if gauge else '_total'}"
            lines += [f"# TYPE {metric} {'gauge' if gauge else 'counter'}", f"{metric} {value}"]
    return "\n".join([*lines, ""])


async def work(name: str, part: Part, settings: WorkerSettings) -> None:
    """Run a part until SIGTERM or SIGINT.

    Raises:
        SettingsError: if a setting of this part is missing or its file cannot be read.
        ControlPlaneError: DATABASE_UNAVAILABLE.
    """
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    try:
        key = context_key(part.role, read_file(settings.context_key_file, "context_key_file"))
    except ValueError as error:
        raise SettingsError(f"context_key_file: {error}") from None
    mint = ContextMint(key, clock=time.time)
    password = read_password(settings.database_password_file)
    config = uvicorn.Config(
        health(name, part.counts),
        host=settings.host,
        port=settings.port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    async with open_database(settings.database, connections=settings.connections, password=password) as database:
        serving = asyncio.create_task(uvicorn.Server(config)._serve())  # its serve() takes the signals
        try:
            LOGGER.info("%s works", name)
            await part.run(settings, database, mint, stop)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    known = parts()
    parser = argparse.ArgumentParser(prog="python -m parpour_api.workers", description=__doc__)
    parser.add_argument("part", choices=sorted(known), help="settings come from PARPOUR_WORKER_…")
    name: str = parser.parse_args(arguments).part
    log_to(sys.stdout)
    try:
        asyncio.run(work(name, known[name], WorkerSettings.read(os.environ)))
    except SettingsError as error:
        print(f"PARPOUR_WORKER_…: {error}", file=sys.stderr)  # noqa: T201
        return BAD_SETTINGS
    except ControlPlaneError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return UNAVAILABLE
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
