"""The internal API over a test's database, asked without a socket, with a cluster that reviews tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from fastapi import FastAPI

from parpour_api.internal.app import internal_app
from parpour_api.internal.pricing import PriceList
from parpour_api.internal.reservations import Reservations
from parpour_api.internal.reviewing import TokenReviewer
from parpour_api.internal.testing import kubernetes
from parpour_api.internal.ventures import Ventures
from parpour_contracts.funding import AUDIENCE
from parpour_controlplane.database import Database
from parpour_controlplane.testing import Place
from parpour_treasury.ledger import Ledger
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.register import Register

OPERATOR = "system:serviceaccount:parpour-system:parpour-operator"
TOKEN = "token-of-the-operator"  # noqa: S105 - of the double
PRICES = PriceList.model_validate(
    {"version": "2026-1", "prices": {"USD": {"cpuHour": "0.36", "memoryGibHour": "0", "gpuHour": "3.60"}}}
)
"""A core costs a hundredth of a cent a second."""


class Clock:
    """Seconds that move when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The moment."""
        return self.now


@dataclass
class Opened:
    """The API, and what a test may look at behind it."""

    app: FastAPI
    client: httpx2.AsyncClient
    database: Database
    ventures: Ventures
    reservations: Reservations
    ledger: Ledger
    register: Register
    clock: Clock


@asynccontextmanager
async def open_api(
    place: Place, database: Database, cluster: kubernetes.Cluster, folder: Path
) -> AsyncIterator[Opened]:
    """The API until the end of the block, on a test's connections; `folder` takes its own token."""
    token_file = folder / "own-token"
    token_file.write_text(kubernetes.OWN)
    cluster.tokens[TOKEN] = (OPERATOR, (AUDIENCE,))
    clock = Clock()
    async with httpx2.AsyncClient(base_url=cluster.url) as kube:
        ventures = Ventures(database, place.app)
        authority = Authority(database, place.app)
        reservations = Reservations(database, ventures=ventures, authority=authority, prices=PRICES, clock=clock)
        reviewer = TokenReviewer(kube, token_file=token_file, audience=AUDIENCE, username=OPERATOR, clock=clock)
        app = internal_app(ventures=ventures, reservations=reservations, reviewer=reviewer)
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(base_url="https://internal", transport=transport) as client:
            yield Opened(app, client, database, ventures, reservations, Ledger(database), Register(database), clock)
