"""Starts the operator: probes first, then the Lease, then watching; ends in the opposite order.

A replica that loses its Lease exits instead of becoming a standby again: a fresh process has no half-done work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from parpour_operator import __version__
from parpour_operator.settings import Settings, SettingsError

logger = logging.getLogger("parpour_operator")

OK, FAILED, WRONG_SETTINGS = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; returns the exit code: 0 stopped when told to, 1 Lease or watches lost, 2 wrong settings."""
    options = _parser().parse_args(arguments)
    if options.print_permissions:
        from parpour_operator.permissions import PERMISSIONS

        print(json.dumps([asdict(permission) for permission in PERMISSIONS], indent=2))  # noqa: T201
        return OK
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        print(f"OPERATOR_SETTINGS_INVALID: {error}", file=sys.stderr)  # noqa: T201
        return WRONG_SETTINGS
    if options.print_settings:
        print(settings.model_dump_json(indent=2))  # noqa: T201
        return OK
    return asyncio.run(run(settings))


def _parser() -> argparse.ArgumentParser:
    lines = [
        f"  PARPOUR_{name.upper():<32} {(field.description or '').splitlines()[0]}"
        for name, field in Settings.model_fields.items()
    ]
    parser = argparse.ArgumentParser(
        prog="parpour-operator",
        description="Runs Simulations as Indexed Jobs. It is configured by environment variables alone.",
        epilog="environment:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--print-settings", action="store_true", help="print the settings as JSON and exit")
    parser.add_argument("--print-permissions", action="store_true", help="print the RBAC rules as JSON and exit")
    return parser


async def run(settings: Settings) -> int:
    """Serve until told to stop, or until the Lease or the watches are lost."""
    from parpour_operator import logs
    from parpour_operator.replica import Replica
    from parpour_operator.watching import quiet_kopf

    logs.configure(form=settings.log_format, level=settings.log_level)
    quiet_kopf()
    stop = asyncio.Event()
    _on_signals(stop)
    async with AsyncExitStack() as stack:
        replica = Replica(settings, clock=time.monotonic, now=lambda: datetime.now(UTC))
        health, metrics = await replica.serve(stack)
        logger.info(
            "parpour-operator %s as %s; health on %d, metrics on %d", __version__, settings.identity, health, metrics
        )
        if await _or_stop(stop, replica.stand_by()):
            return OK
        try:
            return FAILED if await replica.lead(stop, on_watching=lambda: _on_signals(stop)) else OK
        finally:
            await replica.close()


def _on_signals(stop: asyncio.Event) -> None:
    """Signals set our event; said again once kopf has started, which takes them for itself."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _or_stop(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Wait for the work or for the event; whether it was the event."""
    tasks = {asyncio.create_task(work), asyncio.create_task(stop.wait())}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
    return stop.is_set()
