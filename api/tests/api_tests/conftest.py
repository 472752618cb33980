"""Fixtures of the API's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.testing import check_events

from .building import Api, open_api
from .spending import Spending, spending


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of a module's scope, so that its tests share an event loop, and with it an application."""
    return "asyncio"


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Iterator[Place]:
    """A database that a module's tests share, each with tenants of its own; its events say what their types say."""
    place = postgres.place(MIGRATIONS)
    yield place
    asyncio.run(check_events(place))
    postgres.drop(place)


@pytest.fixture(scope="module")
async def api(place: Place) -> AsyncIterator[Api]:
    """The application over a real database, called without a socket; a module's tests share it."""
    async with open_api(place) as api:
        yield api


@pytest.fixture
async def venture(api: Api) -> Spending:
    """A venture that spends, behind the application."""
    return await spending(api)
