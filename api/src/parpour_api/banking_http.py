"""Files of banks over plain HTTP: statements come in, and what an auditor is given goes out.

A file is read by one process a few at a time and in a thread, so that a large one holds nobody up; it is taken over
whole or not at all, and sent again it changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response
from pydantic import BaseModel

from parpour_api.access import check_allowed
from parpour_api.errors import ApiError
from parpour_api.failures import as_api_error, code_of
from parpour_api.graphql.session import Session, number
from parpour_api.identity.principal import Principal
from parpour_api.routing import PROBLEM_RESPONSES, parts_of, principal_of, router
from parpour_treasury.reconciliation import reading
from parpour_treasury.reconciliation.evidence import evidence
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.statements.camt053 import read_camt053
from parpour_treasury.statements.csvs import LAYOUTS, Frame, read_csv
from parpour_treasury.statements.model import BYTES_MAX, REFERENCE_MAX, BankStatement, parse_minor
from parpour_treasury.statements.store import Statements

STATEMENTS_PATH = "/v1/statements"
EVIDENCE_PATH = "/v1/evidence/{account}/{day}"
UPLOAD = f"POST {STATEMENTS_PATH}"
DOWNLOAD = f"GET {EVIDENCE_PATH}"
UPLOAD_POINTS = 500
EVIDENCE_POINTS = 1000
"""What each takes from the rate limits."""

AT_ONCE = 8
"""Files that one process takes in at a time, each of another tenant: whoever sends slowly keeps nobody else waiting."""
READ_AT_ONCE = 2
"""Files of those that are read at a time; the others wait."""
MADE_AT_ONCE = 2
"""Bundles that one process makes at a time, each of another tenant."""

MEDIA_TYPES = ("application/xml", "text/xml", "text/csv", "application/octet-stream")

ROUTES = router()


class Format(StrEnum):
    """Formats of statements: of ISO 20022, and layouts of CSV."""

    CAMT053 = "camt.053"
    MERCURY = "mercury"
    STRIPE = "stripe"


class TakenStatement(BaseModel):
    """A statement that stands."""

    number: str
    """Its place among the account's statements."""
    statement: str
    """What the bank calls it."""
    replayed: bool
    """Whether it stood before."""


class TakenStatements(BaseModel):
    """The statements of a file, in its order."""

    account: str
    statements: list[TakenStatement]


class FileRefused(ApiError):
    """A file that is not taken, with the place in it."""

    def __init__(self, error: TreasuryError) -> None:
        super().__init__(error.code, error.detail)
        self.path = error.field
        """The element of an XML file, or the row and column of a CSV file."""

    def problem(self, *, request_id: str) -> dict[str, object]:
        """The problem details, with the place."""
        return {**super().problem(request_id=request_id), "path": self.path}


@dataclass
class _AtOnce:
    most: int
    tenants: set[UUID] = field(default_factory=set)

    @contextmanager
    def one(self, tenant: UUID) -> Iterator[None]:
        """One of those at a time.

        Raises:
            ApiError: API_BUSY.
        """
        if tenant in self.tenants or len(self.tenants) >= self.most:
            raise ApiError("API_BUSY", retry_after=1)
        self.tenants.add(tenant)
        try:
            yield
        finally:
            self.tenants.discard(tenant)


_TAKING, _MAKING = _AtOnce(AT_ONCE), _AtOnce(MADE_AT_ONCE)
_READING = asyncio.Semaphore(READ_AT_ONCE)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    **PROBLEM_RESPONSES,
    **{
        status: {**PROBLEM_RESPONSES[422], "description": text}
        for status, text in (
            (404, "no bank account is bound to this account"),
            (409, "the account's other statements do not allow it"),
            (413, "the file is too large"),
            (415, "this is no type of a statement"),
            (422, "a parameter is outside its range, or the file says something that cannot be"),
        )
    },
}

_Amount = Annotated[str | None, Query(max_length=40, description="Decimal text, for example -12.50. CSV only.")]


@dataclass(frozen=True)
class _Framing:
    """What a CSV file does not say, as the caller says it."""

    statement: Annotated[str | None, Query(min_length=1, max_length=REFERENCE_MAX, description="CSV only.")] = None
    opening: _Amount = None
    opened_on: Annotated[date | None, Query(alias="openedOn", description="CSV only.")] = None
    closing: _Amount = None
    closed_on: Annotated[date | None, Query(alias="closedOn", description="CSV only.")] = None

    def frame(self, bank: reading.BankAccount) -> Frame:
        """The frame of a file.

        Raises:
            ApiError: API_REQUEST_MALFORMED.
            TreasuryError: STATEMENT_AMOUNT_….
        """
        if (
            self.statement is None
            or self.opening is None
            or self.opened_on is None
            or self.closing is None
            or self.closed_on is None
        ):
            needed = "statement, opening, openedOn, closing and closedOn"
            raise ApiError("API_REQUEST_MALFORMED", f"a CSV file needs {needed}: it does not say them")
        return Frame(
            statement=self.statement,
            account=bank.identification,
            currency=bank.currency,
            opening=parse_minor(self.opening, bank.currency, "opening"),
            opened_on=self.opened_on,
            closing=parse_minor(self.closing, bank.currency, "closing"),
            closed_on=self.closed_on,
        )


@ROUTES.post(
    STATEMENTS_PATH,
    tags=["statements"],
    summary="Take over the statements of a file, all or none",
    response_model=TakenStatements,
    responses=_PROBLEMS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {one: {"schema": {"type": "string", "format": "binary"}} for one in MEDIA_TYPES},
        }
    },
)
async def take_statements(
    request: Request,
    principal: Annotated[Principal, Depends(principal_of)],
    account: Annotated[str, Query(min_length=1, max_length=20, description="The bank's account in the books.")],
    format: Format,
    framing: Annotated[_Framing, Depends()],
) -> TakenStatements:
    """The same file again is answered as it was, and changes nothing."""
    parts = parts_of(request)
    session = await Session.begin(parts.service, principal, request_id=request.state.request_id)
    code = "API_INTERNAL"
    try:
        check_allowed(principal, [UPLOAD])
        parts.limits.take(tenant=principal.tenant, principal=principal.key, points=UPLOAD_POINTS)
        _check_media_type(request.headers.get("content-type"))
        with _TAKING.one(principal.tenant):
            taken = await _taken(session, await request.body(), account, format, framing)
        code = "OK"
        return taken
    except TreasuryError as error:
        code = error.code
        raise FileRefused(error) from None
    except Exception as error:
        code = code_of(error)[0]
        raise as_api_error(error) from error
    finally:
        session.audit(UPLOAD, code)


async def _taken(session: Session, data: bytes, account: str, format: Format, framing: _Framing) -> TakenStatements:
    known = number(account)
    async with session.service.database.transaction(session.context()) as connection:
        found = [] if known is None else await reading.bank_accounts(connection, known)
    if not found:
        raise TreasuryError("RECONCILIATION_BANK_ACCOUNT_UNKNOWN", field="account")
    (bank,) = found
    async with _READING:
        statements = await asyncio.to_thread(_read, data, format, framing, bank)
    taken = await Statements(session.service.database).take(
        session.context(), bank.account_id, data, statements, format=format
    )
    return TakenStatements(
        account=account,
        statements=[
            TakenStatement(number=str(one.number), statement=read.statement, replayed=one.replayed)
            for one, read in zip(taken, statements, strict=True)
        ],
    )


def _read(data: bytes, format: Format, framing: _Framing, bank: reading.BankAccount) -> tuple[BankStatement, ...]:
    if format is Format.CAMT053:
        return read_camt053(data)
    return (read_csv(data, LAYOUTS[format], framing.frame(bank)),)


def _check_media_type(content_type: str | None) -> None:
    if (content_type or "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise ApiError("API_MEDIA_TYPE", f"a statement is one of {', '.join(MEDIA_TYPES)}")


@ROUTES.get(
    EVIDENCE_PATH,
    tags=["evidence"],
    summary="Everything of one day of a bank account, the same bytes each time",
    response_class=Response,
    responses={
        HTTPStatus.OK: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **PROBLEM_RESPONSES,
        404: _PROBLEMS[404],
    },
)
async def download_evidence(
    request: Request,
    principal: Annotated[Principal, Depends(principal_of)],
    account: Annotated[str, Path(min_length=1, max_length=20)],
    day: date,
) -> Response:
    """Statements that close on the day, their entries, matches, exceptions, journals and events, with digests."""
    parts = parts_of(request)
    check_allowed(principal, [DOWNLOAD])
    parts.limits.take(tenant=principal.tenant, principal=principal.key, points=EVIDENCE_POINTS)
    known, context = number(account), parts.service.mint.mint(tenant=principal.tenant, actor=principal.actor)
    if not date(1900, 1, 1) <= day <= date(9998, 12, 31):
        raise ApiError("API_NOT_FOUND", "days of the years 1900 to 9998")
    with _MAKING.one(principal.tenant):
        async with parts.database.transaction(context) as connection:
            if known is None or not await reading.bank_accounts(connection, known):
                raise ApiError("RECONCILIATION_BANK_ACCOUNT_UNKNOWN")
        bundle = await evidence(parts.database, context, known, day=day)
    return Response(
        bundle,
        media_type="application/zip",
        headers={"content-disposition": f'attachment; filename="evidence-{known}-{day.isoformat()}.zip"'},
    )


BODY_BYTES_MAX = {STATEMENTS_PATH: BYTES_MAX}
"""What bodies may have here, where other ones may have less."""
