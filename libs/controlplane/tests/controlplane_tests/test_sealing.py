"""The sealer gives every committed event one place, whoever else seals, and signs no history that was taken back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from controlplane_tests.sealing_of import QUICK, Sealing, sealing
from parpour_controlplane.testing import Place

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(shared: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(shared, tmp_path) as made:
        yield made


async def test_events_get_places_without_gaps_in_their_order(here: Sealing) -> None:
    written = await here.writer.write(here.tenant, 3)
    sealer = here.sealer()
    await sealer.round()
    written += await here.writer.write(here.tenant, 2)
    await sealer.round()
    assert await here.places() == list(enumerate(written, 1))
