"""Serves the internal API on a listener of its own, with TLS of its own, beside the tenant API or alone."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
import yaml
from fastapi import FastAPI

from parpour_api.internal.app import internal_app
from parpour_api.internal.pricing import PriceList
from parpour_api.internal.reservations import Reservations
from parpour_api.internal.reviewing import Access, TokenReviewer
from parpour_api.internal.settings import InternalSettings
from parpour_api.internal.ventures import Ventures
from parpour_api.serving import Requests
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_treasury.spending.authority import Authority


def read_prices(path: Path) -> PriceList:
    """The price list in a file.

    Raises:
        OSError, yaml.YAMLError, pydantic.ValidationError: if it is not there or none.
    """
    return PriceList.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


@asynccontextmanager
async def open_internal(
    settings: InternalSettings, *, database: Database, mint: ContextMint, authority: Authority
) -> AsyncIterator[FastAPI]:
    """The application over what the API around it has opened, until the end of the block."""
    access = Access(settings.kubernetes_url, settings.kubernetes_ca_file, settings.kubernetes_token_file)
    async with access.client() as client:
        reviewer = TokenReviewer(
            client,
            token_file=access.token_file,
            audience=settings.audience,
            username=settings.operator,
            clock=time.monotonic,
        )
        ventures = Ventures(database, mint)
        reservations = Reservations(
            database,
            ventures=ventures,
            authority=authority,
            prices=read_prices(settings.price_list_file),
            clock=time.time,
        )
        yield internal_app(ventures=ventures, reservations=reservations, reviewer=reviewer)


def listener(app: FastAPI, settings: InternalSettings) -> uvicorn.Server:
    """The server of the listener; `serve()` runs it, `should_exit` ends it."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=str(settings.certificate_file),
        ssl_keyfile=str(settings.key_file),
        http=Requests,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        limit_concurrency=64,
    )
    return uvicorn.Server(config)
