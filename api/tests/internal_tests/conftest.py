"""The internal API over a real database, asked over HTTP, and a cluster that reviews tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI

from parpour_api.internal.app import internal_app
from parpour_api.internal.pricing import PriceList
from parpour_api.internal.reservations import Reservations
from parpour_api.internal.reviewing import TokenReviewer
from parpour_api.internal.ventures import Ventures
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.ledger import Ledger
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.register import Register

from . import kubernetes

OPERATOR = "system:serviceaccount:parpour-system:parpour-operator"
AUDIENCE = "parpour-internal"
PRICES = PriceList.model_validate(
    {"version": "2026-1", "prices": {"USD": {"cpuHour": "0.36", "memoryGibHour": "0", "gpuHour": "3.60"}}}
)
"""A core costs a hundredth of a cent a second."""


class Clock:
    """Seconds that move when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Internal:
    """The API and what a test may look at behind it."""

    client: httpx2.AsyncClient
    app: FastAPI
    database: Database
    ventures: Ventures
    ledger: Ledger
    register: Register
    clock: Clock
    cluster: kubernetes.Cluster
    token: str = "token-of-the-operator"
    bound: dict[UUID, UUID] = field(default_factory=dict)
    """Ventures by namespace."""

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


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def place(postgres: Postgres) -> Place:
    return postgres.place(MIGRATIONS)


@pytest.fixture
def cluster() -> Iterator[kubernetes.Cluster]:
    with kubernetes.serving() as running:
        running.tokens["token-of-the-operator"] = (OPERATOR, (AUDIENCE,))
        yield running


@pytest.fixture
async def internal(place: Place, cluster: kubernetes.Cluster, tmp_path: Path) -> AsyncIterator[Internal]:
    token_file = tmp_path / "token"
    token_file.write_text(kubernetes.OWN)
    clock = Clock()
    async with open_database(place.dsn(), connections=4) as database, httpx2.AsyncClient(base_url=cluster.url) as kube:
        ventures = Ventures(database, place.app)
        reservations = Reservations(
            database, ventures=ventures, authority=Authority(database, place.app), prices=PRICES, clock=clock
        )
        reviewer = TokenReviewer(kube, token_file=token_file, audience=AUDIENCE, username=OPERATOR, clock=clock)
        app = internal_app(ventures=ventures, reservations=reservations, reviewer=reviewer)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(base_url="https://internal", transport=transport) as client:
            yield Internal(client, app, database, ventures, Ledger(database), Register(database), clock, cluster)
