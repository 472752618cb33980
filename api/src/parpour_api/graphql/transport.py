"""GraphQL over HTTP: one endpoint, from the bearer token to the answer.

The order is by cost: token, rate, form, limits of the document, roles, price, and only then the database. Until the
document is read, refusals are problem details; from there on they are GraphQL's errors with `extensions.code`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from parpour_api.access import check_allowed
from parpour_api.errors import CATALOGUE, ApiError
from parpour_api.failures import code_of
from parpour_api.graphql.documents import DocumentInvalid, Documents, Operation, Prepared
from parpour_api.graphql.operations import Operations
from parpour_api.graphql.requests import (
    GRAPHQL_TYPE,
    GraphQLRequest,
    answer_type,
    check_media_type,
    read_body,
    read_query_string,
)
from parpour_api.graphql.session import Service, Session
from parpour_api.identity.tokens import TokenVerifier
from parpour_api.limits import RateLimits
from parpour_api.logs import LOGGER

OK = 200
BAD_REQUEST = 400
METHODS = ("GET", "POST")

MESSAGE_MAX = 500
"""Characters of an error's message: some quote what was sent."""


class GraphQLEndpoint:
    """The endpoint as an ASGI application."""

    def __init__(
        self,
        *,
        schema: GraphQLSchema,
        documents: Documents,
        operations: Operations,
        verifier: TokenVerifier,
        limits: RateLimits,
        service: Service,
        cost_max: int,
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._operations = operations
        self._verifier = verifier
        self._limits = limits
        self._service = service
        self._cost_max = cost_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self.respond(Request(scope, receive))
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """The answer to a request.

        Raises:
            ApiError: what is refused before the document is read.
        """
        if request.method not in METHODS:
            raise ApiError("API_METHOD_NOT_ALLOWED", allow=METHODS)
        principal = await self._verifier.of_headers(request.headers.getlist("authorization"))
        self._limits.take(tenant=principal.tenant, principal=principal.key, points=1)
        media = answer_type(request.headers.get("accept"))
        if request.method == "GET":
            asked = read_query_string(request.query_params)
        else:
            check_media_type(request.headers.get("content-type"))
            asked = read_body(await request.body())
        text = self._operations.text(asked.query, asked.extensions)
        state: dict[str, Any] = request.scope["state"]
        session = await Session.begin(self._service, principal, request_id=state["request_id"])
        try:
            prepared = self._documents.prepare(text)
            operation = prepared.operation(asked.operation_name)
        except DocumentInvalid as invalid:
            return _refused(invalid_errors(invalid), BAD_REQUEST, media, state)
        except ApiError as error:
            return _refused_by(error, media, state)
        try:
            if operation.kind == "subscription":
                raise ApiError("API_OPERATION_MISPLACED")
            if request.method == "GET" and operation.kind != "query":
                raise ApiError("API_MUTATION_BY_GET", allow=["POST"])
            check_allowed(principal, operation.fields)
            cost = self.priced(prepared, operation, asked.variables, session)
        except ApiError as error:
            if operation.kind == "mutation":
                for name in operation.fields:
                    session.audit(name.partition(".")[2], error.code)
            if error.retry_after is not None or error.allow:
                raise
            return _refused_by(error, media, state)
        result = await self._carry_out(prepared, asked, session)
        errors = [self.told(error, session) for error in result.errors or ()]
        if result.data is None and errors and all(error.path is None for error in result.errors or ()):
            # Nothing was carried out: the variables do not fit.
            return _refused(errors, BAD_REQUEST, media, state)
        return _answer(result, errors, cost, self._cost_max, media)

    def priced(self, prepared: Prepared, operation: Operation, variables: Mapping[str, Any], session: Session) -> int:
        """The price of an operation, taken from the limits.

        Raises:
            ApiError: API_QUERY_TOO_COSTLY or API_RATE_LIMITED.
        """
        cost = self._documents.cost(prepared, operation, variables)
        if cost > self._cost_max:
            raise ApiError("API_QUERY_TOO_COSTLY", f"it costs {cost} points, and one request may cost {self._cost_max}")
        principal = session.principal
        if cost > 1:
            self._limits.take(tenant=principal.tenant, principal=principal.key, points=cost - 1)
        self._service.metrics.cost.observe(cost)
        return cost

    async def _carry_out(self, prepared: Prepared, asked: GraphQLRequest, session: Session) -> ExecutionResult:
        try:
            result = execute(
                self._schema,
                prepared.node,
                context_value=session,
                variable_values=dict(asked.variables),
                operation_name=asked.operation_name,
                hide_suggestions=True,
            )
            if inspect.isawaitable(result):
                result = await result
            return result
        finally:
            await session.reader.close()

    def told(self, error: GraphQLError, session: Session) -> dict[str, Any]:
        """An error of execution as the caller sees it."""
        original = error.original_error
        if error.path is None:
            return _formatted(error, "API_VARIABLES_INVALID")
        if original is None or isinstance(original, GraphQLError):
            return _formatted(error, "API_QUERY_INVALID")
        code, detail = code_of(original)
        if code == "API_INTERNAL":
            LOGGER.error(
                "a field failed",
                exc_info=original,
                extra={"fields": {"request": session.request_id, "path": [str(part) for part in error.path]}},
            )
            code, detail = "API_FIELD_FAILED", CATALOGUE["API_FIELD_FAILED"].explanation
        field = getattr(original, "field", "")
        return _formatted(
            GraphQLError(detail, error.nodes, path=error.path), code, **({"field": field} if field else {})
        )


def _formatted(error: GraphQLError, code: str, **extensions: str) -> dict[str, Any]:
    told: dict[str, Any] = dict(error.formatted)
    told["message"] = told["message"][:MESSAGE_MAX]
    told["extensions"] = {"code": code, **extensions}
    return told


def invalid_errors(invalid: DocumentInvalid) -> list[dict[str, Any]]:
    """What is told of a document that does not fit the schema."""
    return [_formatted(error, "API_QUERY_INVALID") for error in invalid.errors]


def _refused_by(error: ApiError, media: str, state: dict[str, Any]) -> Response:
    return _refused([{"message": error.detail, "extensions": {"code": error.code}}], error.status, media, state)


def _refused(errors: Sequence[Mapping[str, Any]], status: int, media: str, state: dict[str, Any]) -> Response:
    """An answer without data; where plain JSON is preferred its status is 200, as clients of that time expect.

    The log line of the request bears its first code.
    """
    shown = status if media == GRAPHQL_TYPE else OK
    state["code"] = errors[0]["extensions"]["code"]
    return _response({"errors": list(errors)}, shown, media)


def _answer(
    result: ExecutionResult, errors: Sequence[Mapping[str, Any]], cost: int, cost_max: int, media: str
) -> Response:
    body: dict[str, Any] = {"data": result.data}
    if errors:
        body["errors"] = list(errors)
    body["extensions"] = {"cost": {"points": cost, "maximum": cost_max}}
    return _response(body, OK, media)


def _response(body: Mapping[str, Any], status: int, media: str) -> Response:
    text = json.dumps(body, separators=(",", ":")).encode()
    return Response(text, status_code=status, headers={"content-type": f"{media}; charset=utf-8"})
