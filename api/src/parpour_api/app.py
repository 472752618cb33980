"""The application: what a process of the API is made of, and in what order it starts and stops.

At the stop the server takes no new requests; those in flight end, the batcher carries out what was handed to it, and
only then are the connections closed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any, Protocol
from uuid import uuid4

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from parpour_api import __version__, banking_http, spends_http, webhooks
from parpour_api.access import check_allowed
from parpour_api.books_export import LANGUAGES, Exports, Language, chunks
from parpour_api.edge import Bounds, Edge, problem_response
from parpour_api.errors import ApiError
from parpour_api.graphql.cursors import Cursors
from parpour_api.graphql.documents import DocumentLimits, Documents
from parpour_api.graphql.following import Tails
from parpour_api.graphql.operations import Operations
from parpour_api.graphql.schema import executable
from parpour_api.graphql.seats import SocketBounds
from parpour_api.graphql.session import Service
from parpour_api.graphql.sockets import Carrying, SocketEndpoint
from parpour_api.graphql.transport import GraphQLEndpoint
from parpour_api.identity.keys import Fetch, KeySet
from parpour_api.identity.members import Members
from parpour_api.identity.principal import Principal
from parpour_api.identity.tokens import Revocations, TokenVerifier
from parpour_api.installing import context_key
from parpour_api.limits import Buckets, RateLimits
from parpour_api.metrics import CONTENT_TYPE, Metrics
from parpour_api.routing import PROBLEM_RESPONSES, Parts, ProblemRoute, parts_of, principal_of
from parpour_api.settings import Settings
from parpour_api.waiting import Readiness
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, open_database
from parpour_treasury.batcher import Batcher
from parpour_treasury.ledger import Ledger
from parpour_treasury.providers.endpoints import MountedEndpoints
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.register import Register

APP_ROLE = "parpour_app"
EXPORT_POINTS = 1000
"""What an export takes from the rate limits."""

GRAPHQL_PATH = "/graphql"

ROUTERS = (webhooks.ROUTES, spends_http.ROUTES, banking_http.ROUTES)
"""Groups of HTTP operations, beside the probes and the export."""

ROUTES = frozenset({GRAPHQL_PATH, "/healthz", "/readyz", "/metrics", *(f"/v1/books/export/{one}" for one in Language)})
"""Paths that figures name."""

PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "code": {"type": "string", "description": "Stable; the reference explains each."},
        "codes": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Everything that stood against a spend that was decided and refused.",
        },
        "spend": {"type": "string", "format": "uuid", "description": "The spend that was decided and refused."},
        "path": {"type": "string", "description": "The place in a file that is not taken."},
    },
}


ROUTER_CODES: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "API_NOT_FOUND",
    HTTPStatus.METHOD_NOT_ALLOWED: "API_METHOD_NOT_ALLOWED",
}


class Opening(Protocol):
    """Opens the database of an application; see `open_database`."""

    def __call__(
        self, dsn: str, *, connections: int, password: str | None
    ) -> AbstractAsyncContextManager[Database]: ...


def rate_limits(settings: Settings, clock: Callable[[], float]) -> RateLimits:
    """The limits of the settings."""
    return RateLimits(
        principals=Buckets(rate=settings.principal_points_a_second, burst=settings.principal_points_burst, clock=clock),
        tenants=Buckets(rate=settings.tenant_points_a_second, burst=settings.tenant_points_burst, clock=clock),
    )


def socket_bounds(settings: Settings) -> SocketBounds:
    """The bounds of the settings."""
    return SocketBounds(
        sockets=settings.sockets_max,
        tenant_sockets=settings.tenant_sockets_max,
        subscriptions=settings.socket_subscriptions_max,
        first_seconds=settings.socket_first_seconds_max,
        send_seconds=settings.socket_send_seconds_max,
        trust_seconds=settings.socket_trust_seconds,
        origins=frozenset(settings.origins),
    )


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    secret: bytes,
    password: str | None,
    fetch: Fetch,
    revocations: Revocations,
    metrics: Metrics,
    opening: Opening = open_database,
) -> AsyncIterator[Parts]:
    """The parts of an application, until the end of the block.

    Raises:
        ControlPlaneError: DATABASE_UNAVAILABLE.
        ValueError: if the secret is too short, or the listed operations cannot be read.
    """
    mint = ContextMint(context_key(APP_ROLE, secret, key_id=settings.context_key_id), clock=time.time)
    operations = Operations.read(settings.persisted_file, only=settings.persisted_only)
    schema = executable()
    document_limits = DocumentLimits(
        tokens=settings.query_tokens_max,
        depth=settings.query_depth_max,
        aliases=settings.query_aliases_max,
        page=settings.page_max,
        introspection=settings.introspection,
    )
    async with opening(settings.database, connections=settings.connections, password=password) as database:
        ledger = Ledger(database)
        batcher = Batcher(ledger, mint)
        authority = Authority(database, mint, tells=True)
        members = Members(Register(database), mint, listed=revocations, clock=time.monotonic)
        verifier = TokenVerifier(
            KeySet(fetch, clock=time.monotonic),
            issuer=settings.issuer,
            audience=settings.audience,
            revocations=members,
            clock=time.time,
            names=settings.claim_names,
        )
        tails = Tails(database, mint)
        service = Service(
            database,
            mint,
            ledger,
            batcher,
            Cursors(secret),
            metrics,
            settings.page_max,
            tails,
            authority,
            Governance(database),
            members,
        )
        limits = rate_limits(settings, time.monotonic)
        documents = Documents(schema, document_limits)
        endpoint = GraphQLEndpoint(
            schema=schema,
            documents=documents,
            operations=operations,
            verifier=verifier,
            limits=limits,
            service=service,
            cost_max=settings.query_cost_max,
        )
        carrying = Carrying(schema, documents, operations, verifier, limits, service, endpoint)
        try:
            yield Parts(
                database,
                batcher,
                verifier,
                limits,
                service,
                Exports(database),
                endpoint,
                MountedEndpoints(settings.webhooks),
                SocketEndpoint(carrying, socket_bounds(settings)),
                Readiness(database.pool, clock=time.monotonic),
            )
        finally:
            async with asyncio.timeout(settings.drain_seconds_max):
                await batcher.drain()
                await authority.drain()


def routes(metrics: Metrics) -> FastAPI:
    """The routes, without a database: enough for the OpenAPI document."""
    app = FastAPI(
        title="parpour",
        version=__version__,
        description="What machines need over plain HTTP. What else there is is in the GraphQL schema, under /graphql.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.router.route_class = ProblemRoute
    app.add_exception_handler(HTTPException, _http_error)

    @app.get("/healthz", tags=["probes"], summary="Whether the process answers", response_class=Response)
    async def healthz() -> Response:
        return JSONResponse({"status": "ok"})

    @app.get(
        "/readyz",
        tags=["probes"],
        summary="Whether the database answers and has what this program needs",
        response_class=JSONResponse,
        responses={503: PROBLEM_RESPONSES[503]},
    )
    async def readyz(request: Request) -> Response:
        missing = await parts_of(request).readiness.missing()
        if missing:
            raise ApiError(
                "API_SCHEMA_MISSING", f"{missing[0].component} {missing[0].number:04} and later are not applied"
            )
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", tags=["probes"], summary="Figures for Prometheus", response_class=Response)
    async def figures() -> Response:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    @app.get(
        "/v1/books/export/{language}",
        tags=["evidence"],
        summary="The tenant's books for a program of accounts, with assertions that it checks",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **PROBLEM_RESPONSES},
    )
    async def export(
        language: Language, request: Request, principal: Annotated[Principal, Depends(principal_of)]
    ) -> StreamingResponse:
        parts = parts_of(request)
        check_allowed(principal, ["GET /v1/books/export/{language}"])
        parts.limits.take(tenant=principal.tenant, principal=principal.key, points=EXPORT_POINTS)
        context = parts.service.mint.mint(tenant=principal.tenant, actor=principal.actor)
        file = await parts.exports.make(language, context)
        ending = LANGUAGES[language][1]
        return StreamingResponse(
            chunks(file),
            media_type="text/plain; charset=utf-8",
            headers={"content-disposition": f'attachment; filename="books.{ending}"'},
        )

    for one in ROUTERS:
        app.include_router(one)
    return app


def openapi() -> dict[str, Any]:
    """The OpenAPI document, which is kept in api/openapi.json."""
    document = routes(Metrics()).openapi()
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components["Problem"] = PROBLEM_SCHEMA
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    return document


def application(
    settings: Settings,
    *,
    secret: bytes,
    fetch: Fetch,
    revocations: Revocations,
    password: str | None = None,
    opening: Opening = open_database,
) -> ASGIApp:
    """The application with everything around it."""
    metrics = Metrics()
    app = routes(metrics)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts_while = running(
            settings,
            secret=secret,
            password=password,
            fetch=fetch,
            revocations=revocations,
            metrics=metrics,
            opening=opening,
        )
        async with parts_while as parts:
            app.state.parts = parts
            yield

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL_PATH:
            await app.state.parts.graphql(scope, receive, send)
        elif scope["type"] == "websocket" and scope["path"] == GRAPHQL_PATH:
            await app.state.parts.sockets(scope, receive, send)
        else:
            await app(scope, receive, send)

    app.router.lifespan_context = lifespan
    return Edge(
        front,
        bounds=Bounds(settings.body_bytes_max, settings.request_seconds_max, banking_http.BODY_BYTES_MAX),
        metrics=metrics,
        routes=ROUTES,
        clock=time.monotonic,
        new_id=uuid4,
    )


async def _http_error(request: Request, error: Exception) -> Response:
    """What the router refuses before there is a route."""
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    allow = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
    code = ROUTER_CODES.get(status, "API_INTERNAL")
    return problem_response(request.scope, ApiError(code, allow=[allow] if allow else []))
