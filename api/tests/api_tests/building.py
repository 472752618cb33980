"""An application for tests: real database, real tokens, keys of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.types import ASGIApp, Message

from parpour_api.app import application
from parpour_api.identity.tokens import RevokedList
from parpour_api.settings import Settings
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.testing import APP_KEY, Place
from parpour_treasury.ledger import Ledger

ISSUER = "https://issuer.example"
AUDIENCE = "parpour"
KINDS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


@dataclass
class Keyring:
    """Signing keys of an issuer, and what it publishes."""

    private: dict[str, tuple[str, Any]] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    fetches: int = 0
    down: bool = False

    def add(self, kid: str, algorithm: str = "ES256", *, publish: bool = True, bits: int = 2048) -> None:
        """Make a key."""
        key: Any
        if algorithm == "RS256":
            key = rsa.generate_private_key(65537, bits)
        elif algorithm == "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        else:
            key = ed25519.Ed25519PrivateKey.generate()
        self.private[kid] = (algorithm, key)
        if publish:
            self.published.append(kid)

    def jwk(self, kid: str) -> dict[str, Any]:
        """A key's public half."""
        algorithm, key = self.private[kid]
        made: dict[str, Any] = json.loads(KINDS[algorithm].to_jwk(key.public_key()))
        return {**made, "kid": kid, "use": "sig"}

    def text(self) -> bytes:
        """The published set."""
        return json.dumps({"keys": [self.jwk(kid) for kid in self.published]}).encode()

    async def fetch(self) -> bytes:
        """The published set, as the API gets it."""
        self.fetches += 1
        if self.down:
            raise OSError("down")
        return self.text()

    def sign(self, claims: Mapping[str, Any], kid: str = "k1", **headers: Any) -> str:
        """A token."""
        algorithm, key = self.private[kid]
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": kid, "typ": "at+jwt", **headers})


def claims(tenant: UUID, /, *, now: float | None = None, **more: Any) -> dict[str, Any]:
    """Claims of a person who owns a tenant; None takes a claim away."""
    at = int(time.time() if now is None else now)
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "tenant": str(tenant),
        "roles": ["owner"],
        "iat": at,
        "exp": at + 600,
        "auth_time": at,
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class Caller:
    """Somebody with a token."""

    client: httpx.AsyncClient
    tenant: UUID
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request bears."""
        return {"authorization": f"Bearer {self.token}"}

    async def send(
        self, query: str, variables: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """A GraphQL request's answer."""
        body = {"query": query, "variables": dict(variables or {})}
        # As bytes, so that a test may send what no encoder of JSON would.
        return await self.client.post(
            "/graphql",
            content=json.dumps(body),
            headers={**self.headers, "content-type": "application/json", **(headers or {})},
        )

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Any:
        """The data of an answer without errors."""
        response = await self.send(query, variables)
        body = response.json()
        assert response.status_code == 200, body
        assert "errors" not in body, body
        return body["data"]

    async def codes(self, query: str, variables: Mapping[str, Any] | None = None) -> list[str]:
        """The codes of an answer's errors."""
        body = (await self.send(query, variables)).json()
        if "code" in body:
            return [body["code"]]
        return [one["extensions"]["code"] for one in body["errors"]]

    async def open(self, code: str, kind: str = "ASSET", currency: str = "USD", minimum: str | None = None) -> str:
        """Open an account; returns its id."""
        data = await self.ask(
            """mutation($code: String!, $kind: AccountKind!, $currency: String!, $minimum: String) {
                openAccount(code: $code, name: $code, kind: $kind, currency: $currency, minimum: $minimum) {
                    ... on OpenedAccount { account { id } } ... on Refusal { code } } }""",
            {"code": code, "kind": kind, "currency": currency, "minimum": minimum},
        )
        number: str = data["openAccount"]["account"]["id"]
        return number

    async def post(self, debit: str, credit: str, amount: object, *, key: str | None = None, **more: Any) -> Any:
        """Post a journal of two legs; returns the result."""
        currency = more.pop("currency", "USD")
        legs = [
            {"account": debit, "side": "DEBIT", "amount": amount, "currency": currency},
            {"account": credit, "side": "CREDIT", "amount": amount, "currency": currency},
        ]
        return (await self.ask(POST, {"key": key or str(uuid4()), "legs": legs, **more}))["postJournal"]


POST = """mutation($key: String!, $legs: [LegInput!]!, $description: String! = "", $effectiveAt: DateTime) {
    postJournal(key: $key, legs: $legs, description: $description, effectiveAt: $effectiveAt) {
        ... on PostedJournal { replayed journal { number } } ... on Refusal { code field message } } }"""


@dataclass
class Api:
    """A running application."""

    app: ASGIApp
    client: httpx.AsyncClient
    keys: Keyring
    place: Place
    _until: AsyncExitStack
    _database: Database | None = None

    async def database(self) -> Database:
        """Connections of the service's role beside its own, opened when first asked for."""
        if self._database is None:
            self._database = await self._until.enter_async_context(open_database(self.place.dsn(), connections=2))
        return self._database

    def caller(self, tenant: UUID, *, kid: str = "k1", **more: Any) -> Caller:
        """Somebody of a tenant, its owner if nothing else is said."""
        return Caller(self.client, tenant, self.keys.sign(claims(tenant, **more), kid))

    async def venture(self, **more: Any) -> Caller:
        """The owner of a new tenant with empty books."""
        tenant = uuid4()
        context = self.place.app.mint(tenant=tenant, actor="user:ann")
        await Ledger(await self.database()).create_tenant(context, name="a tenant")
        return self.caller(tenant, **more)


def settings_for(place: Place, **more: Any) -> Settings:
    """Settings over a test's database."""
    values: dict[str, Any] = {
        "database": place.dsn(),
        "context_key_id": APP_KEY.key_id,
        "context_key_file": Path("unused"),
        "issuer": ISSUER,
        "keys_url": f"{ISSUER}/jwks",
        "connections": 4,
        **more,
    }
    return Settings.model_validate(values)


@asynccontextmanager
async def lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """An ASGI application between its start and its stop."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.ensure_future(
        app({"type": "lifespan", "state": {}, "asgi": {"version": "3.0"}}, received.get, sent.put)
    )
    await received.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    try:
        yield
    finally:
        await received.put({"type": "lifespan.shutdown"})
        assert (await sent.get())["type"] == "lifespan.shutdown.complete"
        await task


@asynccontextmanager
async def open_api(place: Place, *, revoked: frozenset[str] = frozenset(), **more: Any) -> AsyncIterator[Api]:
    """An application over a test's database."""
    keys = Keyring()
    keys.add("k1")
    app = application(
        settings_for(place, **more), secret=APP_KEY.secret, fetch=keys.fetch, revocations=RevokedList(revoked)
    )
    async with lifespan(app), AsyncExitStack() as until:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.example") as client:
            yield Api(app, client, keys, place, until)
