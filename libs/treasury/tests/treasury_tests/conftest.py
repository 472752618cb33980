"""Fixtures of the treasury's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.testing import Books, open_books

settings.register_profile("torture", max_examples=1000, deadline=None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def place(postgres: Postgres) -> Place:
    """A database that a module's tests share, each with tenants of its own."""
    return postgres.place(MIGRATIONS)


@pytest.fixture
async def books(place: Place) -> AsyncIterator[Books]:
    """Books of a new tenant."""
    async with open_books(place) as books:
        yield books
