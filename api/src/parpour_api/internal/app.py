"""The application of the internal API: who may come in, and which path is which call.

Callers are admitted before a byte of their body is read. Every answer is a document of `parpour_contracts.funding`;
every refusal is a Fault with a stable code.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parpour_api.internal.faults import Refused
from parpour_api.internal.reservations import Reservations
from parpour_api.internal.reviewing import TokenReviewer
from parpour_api.internal.ventures import Ventures
from parpour_contracts.funding import (
    Binding,
    Bound,
    Freezing,
    FundingCode,
    FundingState,
    OpenReservations,
    Renewal,
    Reservation,
    ReservationRequest,
    Settlement,
)
from parpour_controlplane.database import is_transient
from parpour_treasury.refusals import TreasuryError

logger = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024 * 1024
ROOT = "/internal/v1"
LIVE = "/livez"


class Admission:
    """Lets in whoever the reviewer admits, and no body that is too long."""

    def __init__(self, app: ASGIApp, reviewer: TokenReviewer) -> None:
        self._app = app
        self._reviewer = reviewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] == LIVE:
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        try:
            await self._reviewer.admit(token.strip() if scheme.lower() == "bearer" else "")
        except Refused as refused:
            await _refuse(refused)(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_BYTES_MAX:
            raise Refused(FundingCode.MALFORMED, f"a body has at most {BODY_BYTES_MAX} bytes")
        return message

    return limited


def internal_app(*, ventures: Ventures, reservations: Reservations, reviewer: TokenReviewer) -> FastAPI:
    """The application; what it is given lives as long as it does."""
    app = FastAPI(title="parpour internal API", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Admission, reviewer=reviewer)
    _add_faults(app)
    _add_ventures(app, ventures)
    _add_reservations(app, reservations)

    @app.get(LIVE)
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    return app


def _add_ventures(app: FastAPI, ventures: Ventures) -> None:
    @app.post(f"{ROOT}/ventures")
    async def bind(binding: Binding) -> JSONResponse:
        return _told(await ventures.bind(binding))

    @app.post(f"{ROOT}/ventures/{{venture}}/freeze")
    async def freeze(venture: UUID, freezing: Freezing) -> JSONResponse:
        bound: Bound = await ventures.freeze(venture, reason=freezing.reason)
        return _told(bound)


def _add_reservations(app: FastAPI, reservations: Reservations) -> None:
    one = f"{ROOT}/ventures/{{venture}}/reservations/{{reservation}}"

    @app.get(f"{ROOT}/funding")
    async def state(uid: UUID, namespace: Annotated[UUID, Query(alias="namespaceUid")]) -> JSONResponse:
        known: FundingState = await reservations.state(namespace, uid)
        return _told(known)

    @app.get(f"{ROOT}/reservations")
    async def listing(
        _: Annotated[Literal["open"], Query(alias="state")],
        after: Annotated[str | None, Query(max_length=128)] = None,
    ) -> JSONResponse:
        page: OpenReservations = await reservations.open(after)
        return _told(page)

    @app.post(f"{ROOT}/reservations")
    async def reserve(request: ReservationRequest) -> JSONResponse:
        return _told(await reservations.reserve(request))

    @app.post(f"{one}/renew")
    async def renew(venture: UUID, reservation: UUID, renewal: Renewal) -> JSONResponse:
        return _told(await reservations.renew(venture, reservation, renewal))

    @app.post(f"{one}/settle")
    async def settle(venture: UUID, reservation: UUID, settlement: Settlement) -> JSONResponse:
        return _told(await reservations.settle(venture, reservation, settlement))

    @app.post(f"{one}/cancel")
    async def cancel(venture: UUID, reservation: UUID) -> JSONResponse:
        answer: Reservation = await reservations.cancel(venture, reservation)
        return _told(answer)


def _told(answer: BaseModel) -> JSONResponse:
    return JSONResponse(answer.model_dump(mode="json", by_alias=True, exclude_none=True))


def _refuse(refused: Refused) -> JSONResponse:
    return JSONResponse(refused.fault.to_wire(), status_code=refused.status)


def _add_faults(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return _refuse(error)

    @app.exception_handler(TreasuryError)
    async def treasury(_: Request, error: TreasuryError) -> JSONResponse:
        where = f"{error.field}: " if error.field else ""
        return _refuse(Refused(error.code, f"{where}{error.detail}"))

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        first: dict[str, Any] = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"][1:])
        return _refuse(Refused(FundingCode.MALFORMED, f"{path}: {first['msg']}"))

    @app.exception_handler(HTTPException)
    async def unknown(_: Request, error: HTTPException) -> JSONResponse:
        fault = Refused(FundingCode.MALFORMED, "no such call").fault
        return JSONResponse(fault.to_wire(), status_code=error.status_code)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> JSONResponse:
        if not is_transient(error):
            logger.error("a call failed", exc_info=error)
        return _refuse(Refused(FundingCode.UNAVAILABLE, "it could not be carried out; ask again"))
