"""What the HTTP operations share: the running application's parts, who asks, and errors as problem details.

Each group of operations is a router in a module of its own; `app` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from parpour_api.access import check_allowed
from parpour_api.books_export import Exports
from parpour_api.edge import problem_response
from parpour_api.errors import ApiError
from parpour_api.graphql.costs import MUTATION_POINTS
from parpour_api.graphql.requests import check_media_type, read_json
from parpour_api.graphql.session import Service, Session
from parpour_api.graphql.sockets import SocketEndpoint
from parpour_api.graphql.transport import GraphQLEndpoint
from parpour_api.identity.principal import Principal
from parpour_api.identity.tokens import TokenVerifier
from parpour_api.limits import RateLimits
from parpour_api.waiting import Readiness
from parpour_controlplane.database import Database
from parpour_treasury.batcher import Batcher
from parpour_treasury.providers.endpoints import MountedEndpoints


def problem_responses(texts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Problems of an operation for the OpenAPI document, by status."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": text, "content": content} for status, text in texts.items()}


PROBLEM_RESPONSES = problem_responses(
    {
        401: "no token, or one that is not taken",
        403: "none of the caller's roles may do this",
        405: "the method is not known here",
        422: "a parameter is outside its range",
        429: "too much was asked in a short time",
        500: "something failed here",
        503: "something that this needs does not answer",
        504: "it took too long",
    }
)
"""Problems that any operation can meet."""


READ_POINTS = 1
"""What a GET takes from the rate limits."""


@dataclass(frozen=True)
class Parts:
    """What a running application works with, from its start to its stop."""

    database: Database
    batcher: Batcher
    verifier: TokenVerifier
    limits: RateLimits
    service: Service
    exports: Exports
    graphql: GraphQLEndpoint
    endpoints: MountedEndpoints
    sockets: SocketEndpoint
    readiness: Readiness


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers."""
    parts: Parts = request.app.state.parts
    return parts


_BEARER = HTTPBearer(auto_error=False, description="An access token of the issuer")


async def principal_of(request: Request, _documented: Annotated[object, Depends(_BEARER)]) -> Principal:
    """Who asks.

    Raises:
        ApiError: API_TOKEN_… or API_IDENTITY_UNAVAILABLE.
    """
    return await parts_of(request).verifier.of_headers(request.headers.getlist("authorization"))


def operation_of(request: Request) -> str:
    """What an operation is called in the table of roles, for example GET /v1/spends/{spend}."""
    return f"{request.method} {request.scope['route'].path}"


async def session_of_call(request: Request, principal: Annotated[Principal, Depends(principal_of)]) -> Session:
    """The session of a caller who may use the operation and is within their rate.

    Whoever reads in it closes its reader before the answer is sent.

    Raises:
        ApiError: API_FORBIDDEN, API_RATE_LIMITED or API_MEDIA_TYPE.
    """
    parts, operation = parts_of(request), operation_of(request)
    reads = request.method == "GET"
    parts.limits.take(
        tenant=principal.tenant, principal=principal.key, points=READ_POINTS if reads else MUTATION_POINTS
    )
    if not reads and (request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers):
        check_media_type(request.headers.get("content-type"))
    session = await Session.begin(parts.service, principal, request_id=request.scope["state"]["request_id"])
    try:
        check_allowed(principal, [operation])
    except ApiError as error:
        if not reads:
            session.audit(operation, error.code)
        raise
    return session


Caller = Annotated[Session, Depends(session_of_call)]
"""What an operation takes to be a caller's, and no one else's."""


class _Asked(Request):
    """A request whose body is read as strictly as GraphQL's."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return read_json(body, "the body")
        except ApiError as error:
            raise ValueError(error.detail) from None


class ProblemRoute(APIRoute):
    """A route whose errors leave as problem details; Starlette's own last resort would answer in plain text."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(_Asked(request.scope, request.receive))
            except RequestValidationError as error:
                named = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
                return problem_response(request.scope, ApiError("API_REQUEST_MALFORMED", f"outside its range: {named}"))
            except HTTPException as error:
                # The body could not be read: for a reason that has its code, or because it cannot be parsed.
                cause = error.__cause__
                malformed = ApiError("API_REQUEST_MALFORMED", "the body cannot be read")
                return problem_response(request.scope, cause if isinstance(cause, ApiError) else malformed)
            except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told, and told no more than a code)
                return problem_response(request.scope, error)

        return handled


def router() -> APIRouter:
    """A new group of operations."""
    return APIRouter(route_class=ProblemRoute)
