"""The workers as processes: they start with their settings, tell how they are, do their work and stop when told."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from harness.ports import free_port
from parpour_api.installing import SERVICE_ROLES, context_key, main
from parpour_api.workers.parts import parts
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import write_signing_key
from parpour_controlplane.testing import Bus, Postgres
from parpour_treasury.spending.testing import AGENT, new_venture

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
