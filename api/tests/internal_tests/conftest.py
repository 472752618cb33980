"""The internal API over a real database, asked over HTTP, and a cluster that reviews tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from parpour_api.internal.reservations import Reservations
from parpour_api.internal.testing import kubernetes
from parpour_api.internal.testing.opening import TOKEN, Clock, open_api
from parpour_api.internal.ventures import Ventures
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.ledger import Ledger
from parpour_treasury.spending.register import Register
from parpour_treasury.testing import check_events


@dataclass
class Internal:
    """The API and what a test may look at behind it."""

    client: httpx2.AsyncClient
    ventures: Ventures
    reservations: Reservations
    ledger: Ledger
    register: Register
    clock: Clock
    cluster: kubernetes.Cluster
    token: str = TOKEN

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: str) -> Any:
        """One call; its answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.client.request(
            method, f"/internal/v1{path}", json=body, params=query or None, headers=headers
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def bind(self, budget: Any = "100.00", *, status: int = 200, **changes: Any) -> Any:
        """Bind a venture that was not there before, unless the changes say otherwise."""
        body = {
            "uid": str(uuid4()),
            "name": "acme",
            "displayName": "Acme",
            "namespace": "acme",
            "namespaceUid": str(uuid4()),
            "owners": [{"subject": "ann", "person": "ann"}, {"subject": "bob", "person": "bob"}],
            "budget": {"amount": budget, "currency": "USD"} if isinstance(budget, str) else budget,
            **changes,
        }
        answer = await self.call("POST", "/ventures", body, status=status)
        return {**body, "answer": answer}

    async def reserve(self, venture: Any, *, status: int = 200, **changes: Any) -> Any:
        """Reserve for a run of four workers of one core."""
        return await self.call("POST", "/reservations", request(venture, **changes), status=status)

    async def end(self, reservation: Any, verb: str, body: Any = None, *, status: int = 200) -> Any:
        """Renew, settle or cancel."""
        place = f"/ventures/{reservation['venture']}/reservations/{reservation['reservation']}/{verb}"
        return await self.call("POST", place, body, status=status)


def request(venture: Any, **changes: Any) -> dict[str, Any]:
    """What an operator asks."""
    uid = changes.pop("uid", str(uuid4()))
    base = {
        "key": f"{uid}/1",
        "namespace": venture["namespace"],
        "namespaceUid": venture["namespaceUid"],
        "kind": "Simulation",
        "name": "town",
        "uid": uid,
        "generation": 1,
        "budget": {"amount": "20.00", "currency": "USD"},
        "workers": 4,
        "perWorker": {"cpuMillis": 1000, "memoryMib": 512},
        "closing": {"resources": {"cpuMillis": 100, "memoryMib": 256}, "seconds": 630},
        "graceSeconds": 30,
        "seconds": 3600,
        "minimumSeconds": 60,
    }
    return {**base, **changes}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Of the scope of the database, so that the tests share an event loop, and with it connections."""
    return "asyncio"


@pytest.fixture(scope="session")
def place(postgres: Postgres) -> Iterator[Place]:
    place = postgres.place(MIGRATIONS)
    yield place
    asyncio.run(check_events(place))
    postgres.drop(place)


@pytest.fixture(scope="session")
async def database(place: Place) -> AsyncIterator[Database]:
    """The service's connections."""
    async with open_database(place.dsn(), connections=4) as database:
        yield database


@pytest.fixture
def cluster() -> Iterator[kubernetes.Cluster]:
    with kubernetes.serving() as running:
        yield running


@pytest.fixture
async def internal(
    place: Place, database: Database, cluster: kubernetes.Cluster, tmp_path: Path
) -> AsyncIterator[Internal]:
    async with open_api(place, database, cluster, tmp_path) as api:
        yield Internal(api.client, api.ventures, api.reservations, api.ledger, api.register, api.clock, cluster)
