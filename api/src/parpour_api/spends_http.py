"""Spends over plain HTTP, for programs that ask, wait and take back: the asks of GraphQL, by the same authority.

What was refused is a problem detail. Where the rules refused it, the decision is kept, and the problem names its spend
and every code that stood against it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from parpour_api.errors import ApiError
from parpour_api.failures import as_api_error
from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.asking import asked, stepped_up
from parpour_api.graphql.spending.inputs import digest_of
from parpour_api.graphql.spending.trusting import member_who, own_only
from parpour_api.routing import PROBLEM_RESPONSES, Caller, operation_of, problem_responses, router
from parpour_treasury.currencies import format_amount, parse_amount
from parpour_treasury.refusals import REFUSALS, TreasuryError
from parpour_treasury.spending import register
from parpour_treasury.spending.asks import LIFETIME_MAX, PURPOSE_MAX, Approve, Ask, Cancel, Reject, RequestSpend
from parpour_treasury.spending.states import State

REPLAYED = "idempotency-replayed"
"""The header that says whether the key was answered before."""

ROUTES = router()

PATH = "/v1/spends"
TAGS: list[str | Enum] = ["spends"]

LOCATION = {"description": "Where the spend is.", "schema": {"type": "string"}}
REPLAY = {"description": "Whether the key was answered before.", "schema": {"enum": ["true", "false"]}}

PROBLEMS = {
    **PROBLEM_RESPONSES,
    **problem_responses(
        {
            404: "no such spend, or something that it names is not there",
            409: "the rules, the venture or the spend's state do not allow it",
            415: "the body is no JSON",
        }
    ),
}

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="Of the caller's choice: the same request under the same key is carried out once.",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
    ),
]


class _Document(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, use_attribute_docstrings=True
    )


class SpendRequest(_Document):
    """What is to be spent."""

    envelope: UUID
    payee: UUID
    amount: Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$")]
    """Decimal text above zero, with no more decimals than the currency has."""
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=PURPOSE_MAX)]
    """Printable characters of one line."""
    lifetime_seconds: Annotated[int, Field(strict=True, ge=1, le=LIFETIME_MAX)] | None = None
    """How long it may wait for approvals and payment; as long as the rules let it, if not given."""

    def asked(self, key: str) -> RequestSpend:
        """The request under a key.

        Raises:
            TreasuryError: AMOUNT_…, CURRENCY_UNKNOWN or TREASURY_COMMAND_MALFORMED.
        """
        return RequestSpend(
            key=key,
            envelope=self.envelope,
            payee=self.payee,
            amount=parse_amount(self.amount, self.currency),
            currency=self.currency,
            purpose=self.purpose,
            lifetime_seconds=self.lifetime_seconds,
        )


class ApprovalRequest(_Document):
    """What a person approves."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Of the spend as the person was shown it."""


class SpendDocument(_Document):
    """A spend as it stands."""

    id: UUID
    state: State
    amount: str
    currency: str
    settled: str
    """What was paid or used; zero until then."""
    purpose: str
    envelope: UUID | None
    payee: UUID | None
    actor: str
    """Who asked."""
    digest: str
    """What an approval is of."""
    code: str | None
    """Why it was refused."""
    provider_reference: str | None
    requested_at: datetime
    expires_at: datetime
    changed_at: datetime
    submitted_at: datetime | None

    @classmethod
    def of(cls, row: register.Spend) -> SpendDocument:
        """The document of a row."""
        return cls(
            id=row.spend_id,
            state=row.state,
            amount=format_amount(row.amount, row.currency),
            currency=row.currency,
            settled=format_amount(row.settled, row.currency),
            purpose=row.purpose,
            envelope=row.envelope_id,
            payee=row.payee_id,
            actor=row.actor,
            digest=row.digest.hex(),
            code=row.code,
            provider_reference=row.provider_reference,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            changed_at=row.changed_at,
            submitted_at=row.submitted_at,
        )


class SpendRefused(ApiError):
    """A decision refused a spend; it is kept."""

    def __init__(self, codes: tuple[str, ...], spend: UUID) -> None:
        super().__init__(codes[0], REFUSALS[codes[0]])
        self.codes = codes
        self.spend = spend

    def problem(self, *, request_id: str) -> dict[str, object]:
        """The problem details, with the spend and every code."""
        return {**super().problem(request_id=request_id), "codes": list(self.codes), "spend": str(self.spend)}


async def _carried_out(
    request: Request, session: Session, ask: Callable[[], Ask], *, status: int = HTTPStatus.OK
) -> Response:
    """What became of an ask, which is noted.

    Raises:
        ApiError: what it was refused with.
    """
    code = "API_INTERNAL"
    try:
        outcome, row = await asked(session, ask())
        if outcome.codes:
            raise SpendRefused(outcome.codes, row.spend_id)
        code = "OK"
    except Exception as error:
        refused = as_api_error(error)
        code = refused.code
        if refused is error:
            raise
        raise refused from error
    finally:
        session.audit(operation_of(request), code)
    return _told(row, status=status, replayed=outcome.replayed)


def _told(row: register.Spend, *, status: int = HTTPStatus.OK, replayed: bool | None = None) -> Response:
    headers = {"location": f"{PATH}/{row.spend_id}"} if status == HTTPStatus.CREATED else {}
    if replayed is not None:
        headers[REPLAYED] = str(replayed).lower()
    text = SpendDocument.of(row).model_dump_json(by_alias=True)
    return Response(text, status_code=status, headers=headers, media_type="application/json")


@ROUTES.post(
    PATH,
    tags=TAGS,
    summary="Ask to spend",
    status_code=HTTPStatus.CREATED,
    response_model=SpendDocument,
    responses={**PROBLEMS, 201: {"headers": {"Location": LOCATION, "Idempotency-Replayed": REPLAY}}},
)
async def request_spend(request: Request, session: Caller, key: Key, spend: SpendRequest) -> Response:
    """It is decided at once: reserved, put to people, or refused."""
    return await _carried_out(request, session, lambda: spend.asked(key), status=HTTPStatus.CREATED)


@ROUTES.get(
    f"{PATH}/{{spend}}", tags=TAGS, summary="A spend as it stands", response_model=SpendDocument, responses=PROBLEMS
)
async def spend_by_id(request: Request, session: Caller, spend: UUID) -> Response:
    """An agent sees the spends that it asked for itself."""
    member = member_who(session, operation_of(request))
    try:
        row = await session.spending.spends.load(spend)
    finally:
        # Whoever reads the answer slowly must not hold a connection.
        await session.reader.close()
    if row is None or (own_only(member) and row.actor != member.actor):
        raise TreasuryError("TREASURY_SPEND_UNKNOWN")
    return _told(row)


@ROUTES.post(
    f"{PATH}/{{spend}}/cancel",
    tags=TAGS,
    summary="Take a spend back",
    response_model=SpendDocument,
    responses=PROBLEMS,
)
async def cancel_spend(request: Request, session: Caller, key: Key, spend: UUID) -> Response:
    """A request or a reservation, before it is sent."""
    return await _carried_out(request, session, lambda: Cancel(key=key, spend=spend))


@ROUTES.post(
    f"{PATH}/{{spend}}/approve",
    tags=TAGS,
    summary="Approve a request",
    response_model=SpendDocument,
    responses=PROBLEMS,
)
async def approve_spend(
    request: Request, session: Caller, key: Key, spend: UUID, approval: ApprovalRequest
) -> Response:
    """As a person who has just authenticated and is not the one who asked."""

    def ask() -> Approve:
        return Approve(key=key, spend=spend, digest=digest_of(approval.digest), authenticated_at=stepped_up(session))

    return await _carried_out(request, session, ask)


@ROUTES.post(
    f"{PATH}/{{spend}}/reject",
    tags=TAGS,
    summary="Reject a request",
    response_model=SpendDocument,
    responses=PROBLEMS,
)
async def reject_spend(request: Request, session: Caller, key: Key, spend: UUID) -> Response:
    """As a person; one suffices."""
    return await _carried_out(
        request, session, lambda: Reject(key=key, spend=spend, authenticated_at=stepped_up(session))
    )
