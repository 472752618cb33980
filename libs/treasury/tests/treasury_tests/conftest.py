"""Fixtures of the treasury's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.testing import Books, check_events, open_books

settings.register_profile("torture", max_examples=1000, deadline=None)


@pytest.fixture
def anyio_backend() -> str:
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


@pytest.fixture
async def books(place: Place) -> AsyncIterator[Books]:
    """Books of a new tenant."""
    async with open_books(place) as books:
        yield books
