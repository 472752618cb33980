"""A process of the API as it is deployed, and those who call it: over GraphQL or plain HTTP, as each of them likes.

The application is the whole one, with its tokens, limits and documents; only its database passes the fuse of the
process. Callers bear tokens of the development issuer. Whoever gets no answer asks again under the same key, maybe by
the other way, and has to be told the same.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import httpx
from starlette.types import ASGIApp, Message

from parpour_api.app import application
from parpour_api.errors import CATALOGUE
from parpour_api.identity.tokens import RevokedList
from parpour_api.settings import Settings
from parpour_client import ApiError, Client
from parpour_client.generated import ApprovedSpend, Refusal, RefusedSpend, RequestedSpend, SpendInput
from parpour_controlplane.database import Database
from parpour_controlplane.testing import APP_KEY, Place
from parpour_devissuer.issuing import Issuer
from parpour_treasury.currencies import format_amount
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import Approve, Ask, RequestSpend, SpendOutcome
from parpour_treasury.spending.authority import Authority
from torture.fuses import Life

URL = "http://api.example"
ISSUER = Issuer("https://issuer.example", audience="parpour", clock=time.time, new_id=lambda: str(uuid4()))
ROLES = {"agent:buyer": ["agent"], "user:cat": ["approver"]}
"""Token roles of those who ask."""
PAID = "DISPATCH_PAYMENT_SENT"
"""What is told of a request that a restored database has forgotten, and whose payment was found."""
LATER = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""Answers that say nothing of what was asked."""


class Process(Protocol):
    """Something that takes asks."""

    async def submit(self, tenant: UUID, actor: str, ask: Ask, *, graphql: bool) -> SpendOutcome:
        """The answer to an ask, which comes over GraphQL or not."""
        ...


class Bare:
    """The authority alone, called as the API calls it."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def submit(self, tenant: UUID, actor: str, ask: Ask, *, graphql: bool) -> SpendOutcome:
        """See `Process`; there is no way to choose."""
        try:
            return await self._authority.submit(tenant, actor, ask)
        except TreasuryError as error:
            if error.code != PAID:
                raise
            return SpendOutcome(None, None, (PAID,))


class Whole:
    """The API, started with the first that it is asked."""

    def __init__(self, place: Place, database: Database, life: Life, running: set[asyncio.Future[None]]) -> None:
        """What runs is added to `running`; nobody will stop it, as the process dies or the seed ends."""
        self._place = place
        self._database = database
        self._life = life
        self._running = running
        self._starting = asyncio.Lock()
        self._client: httpx.AsyncClient | None = None

    async def submit(self, tenant: UUID, actor: str, ask: Ask, *, graphql: bool) -> SpendOutcome:
        """See `Process`.

        Raises:
            TreasuryError: TREASURY_UNAVAILABLE, if the answer says to ask again.
        """
        way = _over_graphql if graphql else _over_http

        async def request() -> SpendOutcome:
            return await way(await self._started(), _token(tenant, actor), ask)

        async def answered() -> SpendOutcome:
            return await self._life.answered(request())

        outcome: SpendOutcome = await self._life.around("answer", answered, lost=ConnectionResetError)
        return outcome

    async def _started(self) -> httpx.AsyncClient:
        async with self._starting:
            if self._client is None:
                app = application(
                    _settings(self._place),
                    secret=APP_KEY.secret,
                    fetch=_keys,
                    revocations=RevokedList(),
                    opening=self._opened,
                )
                self._running.add(await _start(app))
                transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
                self._client = httpx.AsyncClient(transport=transport, base_url=URL)
        return self._client

    @asynccontextmanager
    async def _opened(self, dsn: str, *, connections: int, password: str | None) -> AsyncIterator[Database]:
        """The database, whose connections all processes of a seed share."""
        yield self._database


async def _start(app: ASGIApp) -> asyncio.Future[None]:
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    await received.put({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "state": {}, "asgi": {"version": "3.0"}}
    running = asyncio.ensure_future(app(scope, received.get, sent.put))
    message = await sent.get()
    if message["type"] != "lifespan.startup.complete":
        raise AssertionError(message)
    return running


def _settings(place: Place) -> Settings:
    return Settings.model_validate(
        {
            "database": place.dsn(),
            "context_key_id": APP_KEY.key_id,
            "context_key_file": Path("unused"),
            "issuer": ISSUER.url,
            "keys_url": f"{ISSUER.url}/jwks",
        }
    )


async def _keys() -> bytes:
    return json.dumps(ISSUER.keys()).encode()


def _token(tenant: UUID, actor: str) -> str:
    kind, _, name = actor.partition(":")
    return ISSUER.token({"tenant": str(tenant), "sub": name, "actor_kind": kind, "roles": ROLES[actor]})


async def _over_graphql(client: httpx.AsyncClient, token: str, ask: Ask) -> SpendOutcome:
    caller = Client(URL, token=lambda: token, client=client)
    try:
        answer: RequestedSpend | ApprovedSpend | RefusedSpend | Refusal
        if isinstance(ask, RequestSpend):
            answer = await caller.request_spend(key=ask.key, spend=SpendInput.model_validate(_wanted(ask)))
        else:
            answer = await caller.approve_spend(key=ask.key, spend=str(ask.spend), digest=_approval(ask)["digest"])
    except ApiError as error:
        return _refused(error.status, error.code)
    if isinstance(answer, Refusal):
        return _refused(CATALOGUE[answer.code].status, answer.code)
    codes = tuple(answer.codes) if isinstance(answer, RefusedSpend) else ()
    return SpendOutcome(UUID(answer.spend.id), answer.spend.state.value.lower(), codes, answer.replayed)


async def _over_http(client: httpx.AsyncClient, token: str, ask: Ask) -> SpendOutcome:
    path, body = "/v1/spends", _wanted(ask) if isinstance(ask, RequestSpend) else _approval(ask)
    if not isinstance(ask, RequestSpend):
        path = f"{path}/{ask.spend}/approve"
    headers = {"authorization": f"Bearer {token}", "idempotency-key": ask.key}
    response = await client.post(path, json=body, headers=headers)
    told = response.json()
    if response.is_success:
        replayed = response.headers["idempotency-replayed"] == "true"
        return SpendOutcome(UUID(told["id"]), told["state"], (), replayed)
    if "spend" in told:
        return SpendOutcome(UUID(told["spend"]), "refused", tuple(told["codes"]))
    return _refused(response.status_code, told["code"])


def _refused(status: int, code: str) -> SpendOutcome:
    """An answer without a spend.

    Raises:
        TreasuryError: TREASURY_UNAVAILABLE, if it is to be asked again.
        AssertionError: if it is none that a caller should get.
    """
    if status in LATER:
        raise TreasuryError("TREASURY_UNAVAILABLE", detail=code)
    if status != HTTPStatus.CONFLICT:
        raise AssertionError(f"{status} {code}")
    return SpendOutcome(None, None, (code,))


def _wanted(ask: RequestSpend) -> dict[str, Any]:
    wanted = {
        "envelope": str(ask.envelope),
        "payee": str(ask.payee),
        "amount": format_amount(ask.amount, ask.currency),
        "currency": ask.currency,
        "purpose": ask.purpose,
    }
    return wanted if ask.lifetime_seconds is None else {**wanted, "lifetimeSeconds": ask.lifetime_seconds}


def _approval(ask: Ask) -> dict[str, str]:
    if not isinstance(ask, Approve):
        raise TypeError(ask)
    return {"digest": ask.digest.hex()}
