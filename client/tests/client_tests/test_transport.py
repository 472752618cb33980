"""What is sent, and what becomes of whatever comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from parpour_client import ApiError, Client, Refused, accepted
from parpour_client.generated import LegInput, Money, PostedJournal, Refusal, Side

pytestmark = pytest.mark.unit
Answering = Callable[[httpx.Request], httpx.Response]
REFUSAL = {"__typename": "Refusal", "code": "TREASURY_ACCOUNT_UNKNOWN", "message": "no such account", "field": None}


def client(answer: Answering) -> Client:
    transport = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Client("http://api.example/", token=lambda: "the-token", client=transport)


def always(status: int, body: object, **headers: str) -> Answering:
    return lambda _request: httpx.Response(status, json=body, headers=headers)


def test_a_variable_that_is_none_is_not_sent_and_names_are_the_schemas() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": {"postJournal": REFUSAL}})

    leg = LegInput(account="1", side=Side.DEBIT, amount="1.00", currency="USD")
    at = datetime(2026, 1, 1, tzinfo=UTC)
    found = asyncio.run(client(answer).post_journal(key="k", legs=[leg], effective_at=at))
    assert isinstance(found, Refusal)
    (request,) = seen
    body = json.loads(request.content)
    assert (str(request.url), request.headers["authorization"]) == ("http://api.example/graphql", "Bearer the-token")
    assert body["operationName"] == "PostJournal"
    assert body["variables"] == {
        "key": "k",
        "legs": [{"account": "1", "side": "DEBIT", "amount": "1.00", "currency": "USD"}],
        "effectiveAt": "2026-01-01T00:00:00Z",
    }


def test_a_refusal_is_a_value_and_an_exception_for_whoever_hopes_for_more() -> None:
    found = asyncio.run(client(always(200, {"data": {"postJournal": REFUSAL}})).post_journal(key="k", legs=[]))
    assert isinstance(found, Refusal)
    assert found.code == "TREASURY_ACCOUNT_UNKNOWN"
    with pytest.raises(Refused) as caught:
        accepted(found, PostedJournal)
    assert (caught.value.code, caught.value.refusal) == (found.code, found)
    money = Money(amount="1.00", currency="USD", minor="100")
    assert accepted(money, Money) is money
    with pytest.raises(TypeError):
        accepted(money, PostedJournal)


@pytest.mark.parametrize(
    ("answer", "code", "status", "after"),
    [
        (
            always(429, {"code": "API_RATE_LIMITED", "detail": "wait"}, **{"retry-after": "3"}),
            "API_RATE_LIMITED",
            429,
            3,
        ),
        (always(401, {"code": "API_TOKEN_EXPIRED", "detail": "x"}), "API_TOKEN_EXPIRED", 401, None),
        (
            always(403, {"errors": [{"message": "no", "extensions": {"code": "API_FORBIDDEN"}}]}),
            "API_FORBIDDEN",
            403,
            None,
        ),
        (
            always(200, {"data": None, "errors": [{"message": "x", "extensions": {"code": "API_FIELD_FAILED"}}]}),
            "API_FIELD_FAILED",
            200,
            None,
        ),
        (always(200, []), "", 200, None),
        (lambda _request: httpx.Response(502, text="<html>"), "", 502, None),
        (always(200, {"errors": [{}]}), "", 200, None),
        (always(200, {"errors": {"a": 1}}), "", 200, None),
        (always(200, {"errors": ["x"]}), "", 200, None),
        (always(200, {"errors": [{"message": None, "extensions": None}]}), "", 200, None),
        (always(500, {"code": ["x"], "detail": {}}), "['x']", 500, None),
    ],
)
def test_whatever_refuses_the_request_is_an_error_with_its_code(
    answer: Answering, code: str, status: int, after: int | None
) -> None:
    with pytest.raises(ApiError) as caught:
        asyncio.run(client(answer).me())
    assert (caught.value.code, caught.value.status, caught.value.retry_after) == (code, status, after)
    assert "the-token" not in str(caught.value)


def test_an_answer_of_another_form_is_no_answer() -> None:
    with pytest.raises(ValueError, match="typename"):
        asyncio.run(
            client(always(200, {"data": {"postJournal": {"__typename": "Other"}}})).post_journal(key="k", legs=[])
        )
