"""`python -m parpour_api.internal`: serves the internal API until told to stop.

A process of its own, so that what the operator needs neither waits for tenants' queries nor shares their listener.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import yaml
from pydantic import ValidationError

from parpour_api.installing import context_key
from parpour_api.internal.serving import listener, open_internal
from parpour_api.internal.settings import ServiceSettings
from parpour_api.logs import log_to
from parpour_api.settings import SettingsError, read_file, read_password
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_treasury.spending.authority import Authority

BAD_SETTINGS = 2
ROLE = "parpour_app"


async def serve(settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is carried out first.

    Raises:
        SettingsError: if a file that the settings name cannot be used.
        ControlPlaneError: DATABASE_UNAVAILABLE.
    """
    secret = read_file(settings.context_key_file, "context_key_file")
    try:
        key = context_key(ROLE, secret, key_id=settings.context_key_id)
    except ValueError as error:
        raise SettingsError(f"context_key_file: {type(error).__name__}") from error
    mint = ContextMint(key, clock=time.time)
    password = read_password(settings.database_password_file)
    async with open_database(settings.database, connections=settings.connections, password=password) as database:
        authority = Authority(database, mint)
        try:
            async with open_internal(settings, database=database, mint=mint, authority=authority) as app:
                await listener(app, settings).serve()
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise SettingsError(f"a file cannot be used: {type(error).__name__}: {error}") from error
        finally:
            await authority.drain()


def main() -> int:
    """The command; returns the exit status."""
    log_to()
    # uvicorn raises a signal again once it has stopped, which would end the process before its work is carried out.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        asyncio.run(serve(ServiceSettings.read(os.environ)))
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201
        return BAD_SETTINGS
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
