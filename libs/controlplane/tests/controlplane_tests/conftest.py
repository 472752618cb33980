"""Fixtures of the control plane's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from parpour_controlplane.migrations import CONTROL_PLANE
from parpour_controlplane.testing import Place, Postgres


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def shared(postgres: Postgres) -> Iterator[Place]:
    """A database for tests that leave nothing in each other's way."""
    place = postgres.place(CONTROL_PLANE)
    yield place
    postgres.drop(place)


@pytest.fixture
def place(postgres: Postgres) -> Iterator[Place]:
    place = postgres.place(CONTROL_PLANE)
    yield place
    postgres.drop(place)
