"""Fixtures of the treasury's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.spending.testing import PaymentWorker, Venture, new_venture, payment_worker
from parpour_treasury.testing import Books, check_events, new_books

settings.register_profile("torture", max_examples=1000, deadline=None)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Of a module's scope, so that its tests share an event loop, and with it connections."""
    return "asyncio"


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Iterator[Place]:
    """A database that a module's tests share, each with tenants of its own.

    When they are through, every event that any of them caused has to say what its type says.
    """
    place = postgres.place(MIGRATIONS)
    yield place
    asyncio.run(check_events(place))
    postgres.drop(place)


@pytest.fixture(scope="module")
async def database(place: Place) -> AsyncIterator[Database]:
    """The service's connections, for a module's tests: what a session learns in the first of them, it knows in all."""
    async with open_database(place.dsn(), connections=4) as database:
        yield database


@pytest.fixture
async def books(database: Database, place: Place) -> Books:
    """Books of a new tenant."""
    return await new_books(database, place.app)


@pytest.fixture
async def venture(database: Database, place: Place) -> AsyncIterator[Venture]:
    """A new tenant that spends; whatever a test did with it, its records have to agree."""
    venture = await new_venture(database, place)
    yield venture
    assert await venture.faults() == []
    assert await venture.untold() == []


@pytest.fixture
async def worker(place: Place, venture: Venture) -> AsyncIterator[PaymentWorker]:
    """The payment worker's steps on that venture."""
    async with payment_worker(place, venture) as worker:
        yield worker
