"""Webhooks of payment providers. A hint is all that they can give: the payment worker looks for itself.

Nobody asks with a token here. The endpoint's own secret says whose the webhook is, and whatever does not hold is
answered alike: an endpoint that is not there, a forged signature, and one of another time.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Request, Response

from parpour_api.errors import ApiError
from parpour_api.logs import LOGGER, line
from parpour_api.routing import PROBLEM_RESPONSES, parts_of, router
from parpour_treasury.payments.hints import ACTOR, concerns, take
from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.endpoints import HEADERS
from parpour_treasury.providers.webhooks import WebhookRefused, verify

POINTS = 5
"""What a webhook whose signature holds takes from the rate limits of its tenant."""

ROUTES = router()

_NOBODYS = [Secret("nobody signs with this")]
"""An endpoint that is not there takes as long to refuse as one that is."""

_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {**PROBLEM_RESPONSES[401], "description": "nothing about it is to be believed, or there is no such endpoint"},
    413: {**PROBLEM_RESPONSES[401], "description": "the body is too large"},
    **{status: PROBLEM_RESPONSES[status] for status in (405, 422, 429, 500, 503, 504)},
}


@ROUTES.post(
    "/v1/webhooks/{endpoint}",
    tags=["webhooks"],
    summary="What Stripe or Mercury has to tell about a payment",
    status_code=204,
    response_class=Response,
    responses=_REFUSED,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "parameters": [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
            for name in ("Stripe-Signature", "Mercury-Signature")
        ],
    },
)
async def webhook(endpoint: Annotated[str, Path(max_length=100)], request: Request) -> Response:
    """Whatever is signed is taken with 204: also what was taken before, and what is about nothing that is known."""
    parts = parts_of(request)
    body = await request.body()
    now = datetime.now(UTC)
    known = parts.endpoints.find(endpoint)
    names = HEADERS.values() if known is None else (HEADERS[known.provider],)
    header = next((request.headers[name] for name in names if name in request.headers), "")
    if known is None:
        with suppress(WebhookRefused):
            verify(body, header, _NOBODYS, now=now)
        raise _refusal(request, endpoint, "no such endpoint")
    try:
        hint = known.parse(body, header, now=now)
    except WebhookRefused as refused:
        if refused.reason != "body":
            raise _refusal(request, endpoint, refused.reason) from None
        # It is the provider's, and of a form that tells us nothing: to refuse it would only have it sent again.
        return _taken(request, endpoint, "not about payments")
    parts.limits.take(tenant=known.tenant, principal=(known.tenant, endpoint), points=POINTS)
    if not concerns(hint):
        return _taken(request, endpoint, "not about payments")
    context = parts.service.mint.mint(tenant=known.tenant, actor=ACTOR)
    fresh = await take(parts.database, context, hint)
    return _taken(request, endpoint, "taken" if fresh else "taken before")


def _taken(request: Request, endpoint: str, outcome: str) -> Response:
    _note(request, endpoint, outcome)
    return Response(status_code=204)


def _refusal(request: Request, endpoint: str, reason: str) -> ApiError:
    _note(request, endpoint, reason)
    return ApiError("API_WEBHOOK_REFUSED")


def _note(request: Request, endpoint: str, outcome: str) -> None:
    line(LOGGER, logging.INFO, "webhook", request=request.state.request_id, endpoint=endpoint, outcome=outcome)
