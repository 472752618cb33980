"""Fixtures of the control plane's tests."""

from __future__ import annotations

import pytest

from parpour_controlplane.migrations import CONTROL_PLANE
from parpour_controlplane.testing import Place, Postgres


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def shared(postgres: Postgres) -> Place:
    """A database for tests that leave nothing in each other's way."""
    return postgres.place(CONTROL_PLANE)


@pytest.fixture
def place(postgres: Postgres) -> Place:
    return postgres.place(CONTROL_PLANE)
