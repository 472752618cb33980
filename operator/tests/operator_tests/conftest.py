"""Fixtures of the operator's tests."""

from __future__ import annotations

import pytest

from parpour_operator.settings import Settings
from parpour_operator.testing.lives import Life

from .cluster_fixtures import operators, room, rooms, stage, store, worker_image

__all__ = ["operators", "room", "rooms", "stage", "store", "worker_image"]


@pytest.fixture
def settings() -> Settings:
    return Settings(identity="test", worker_image="worker:test", store_url="s3://results")


@pytest.fixture
def life(settings: Settings) -> Life:
    return Life(settings)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
