"""`python -m parpour_api`: serve, or print what is generated."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence

import uvicorn

from parpour_api.app import application, openapi
from parpour_api.graphql.schema import sdl
from parpour_api.identity.fetching import fetching
from parpour_api.identity.tokens import RevokedList
from parpour_api.logs import log_to
from parpour_api.serving import Requests, Sockets
from parpour_api.settings import Settings, SettingsError, read_file, read_password
from parpour_controlplane.context import SECRET_BYTES_MIN
from parpour_treasury.garbage import collect_seldom

KEEP_ALIVE_SECONDS = 75
WAITING_MAX = 2_000
"""Requests that one process takes at a time; more are answered 503."""

BAD_SETTINGS = 2


def serve(settings: Settings) -> None:
    """Serve until told to stop.

    Raises:
        SettingsError: if a file that the settings name cannot be used.
    """
    secret = read_file(settings.context_key_file, "context_key_file")
    if len(secret) < SECRET_BYTES_MIN:
        raise SettingsError(f"context_key_file: fewer than {SECRET_BYTES_MIN} bytes")
    try:
        fetch = fetching(settings.keys_url, authority=settings.keys_ca_file)
    except OSError as error:
        raise SettingsError(f"keys_ca_file: {type(error).__name__}") from error
    app = application(
        settings,
        secret=secret,
        password=read_password(settings.database_password_file),
        fetch=fetch,
        revocations=RevokedList(frozenset(settings.revoked)),
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Requests,
        ws=Sockets,
        ws_max_size=settings.body_bytes_max,
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.drain_seconds_max),
        limit_concurrency=WAITING_MAX,
    )
    server = uvicorn.Server(config)
    collect_seldom()
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(server.serve())


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m parpour_api", description="The tenant API.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve, with settings from PARPOUR_API_… and the file PARPOUR_API_CONFIG")
    commands.add_parser("print-sdl", help="print the GraphQL schema")
    commands.add_parser("print-openapi", help="print the OpenAPI document")
    command: str = parser.parse_args(arguments).command
    if command == "print-sdl":
        sys.stdout.write(sdl())
        return 0
    if command == "print-openapi":
        sys.stdout.write(json.dumps(openapi(), indent=2) + "\n")
        return 0
    log_to()
    try:
        serve(Settings.read(os.environ))
    except SettingsError as error:
        print(f"settings: {error}", file=sys.stderr)  # noqa: T201
        return BAD_SETTINGS
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
