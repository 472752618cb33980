"""Serves a double until it is ended: `python -m parpour_treasury.providers.doubles stripe --world stripe.json`.

It prints its base URL once it serves.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.core import Double
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.serving import serve
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import is_loopback


def _now() -> datetime:
    return datetime.now(UTC)


async def _serve(double: Double, options: argparse.Namespace) -> None:
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with serve(double, host=options.host, port=options.port, hook_url=options.hook_url) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await ended.wait()


def main(arguments: list[str] | None = None) -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(prog="python -m parpour_treasury.providers.doubles", description=__doc__)
    parser.add_argument("provider", choices=["stripe", "mercury"])
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--world", type=Path, help="a file that keeps the books")
    parser.add_argument("--hook-url", help="where webhooks go; a loopback address is written as a number")
    parser.add_argument("--hook-secret", default="whsec_double", help="signs the webhooks")
    options = parser.parse_args(arguments)
    if not is_loopback(options.host):
        parser.error("a double serves loopback addresses only")
    kinds: dict[str, type[StripeDouble] | type[MercuryDouble]] = {"stripe": StripeDouble, "mercury": MercuryDouble}
    double = kinds[options.provider](clock=_now, path=options.world, webhook_secret=Secret(options.hook_secret))
    asyncio.run(_serve(double, options))


if __name__ == "__main__":
    main()
