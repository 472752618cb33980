"""What the HTTP operations share: the running application's parts, who asks, and errors as problem details.

Each group of operations is a router in a module of its own; `app` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from parpour_api.books_export import Exports
from parpour_api.edge import problem_response
from parpour_api.errors import ApiError
from parpour_api.graphql.session import Service
from parpour_api.graphql.sockets import SocketEndpoint
from parpour_api.graphql.transport import GraphQLEndpoint
from parpour_api.identity.principal import Principal
from parpour_api.identity.tokens import TokenVerifier
from parpour_api.limits import RateLimits
from parpour_controlplane.database import Database
from parpour_treasury.batcher import Batcher
from parpour_treasury.providers.endpoints import MountedEndpoints

PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, text in (
        (401, "no token, or one that is not taken"),
        (403, "none of the caller's roles may do this"),
        (405, "the method is not known here"),
        (422, "a parameter is outside its range"),
        (429, "too much was asked in a short time"),
        (500, "something failed here"),
        (503, "something that this needs does not answer"),
        (504, "it took too long"),
    )
}


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
    return await parts_of(request).verifier.of_header(request.headers.get("authorization"))


class ProblemRoute(APIRoute):
    """A route whose errors leave as problem details; Starlette's own last resort would answer in plain text."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                named = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
                return problem_response(request.scope, ApiError("API_REQUEST_MALFORMED", f"outside its range: {named}"))
            except Exception as error:  # noqa: BLE001  (whatever it is, the caller is told, and told no more than a code)
                return problem_response(request.scope, error)

        return handled


def router() -> APIRouter:
    """A new group of operations."""
    return APIRouter(route_class=ProblemRoute)
