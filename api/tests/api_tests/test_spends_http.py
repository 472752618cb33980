"""Spends over plain HTTP: the same authority, answered with documents and problems."""

from __future__ import annotations

import asyncio
import logging
from uuid import UUID, uuid4

import httpx
import pytest

from parpour_api.errors import CATALOGUE

from .spending import Spending

pytestmark = pytest.mark.anyio

SPENDS = "/v1/spends"


def refused(response: httpx.Response, code: str) -> None:
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (problem["code"], response.status_code) == (code, CATALOGUE[code].status), problem


async def test_a_spend_is_asked_for_read_approved_and_cancelled(venture: Spending) -> None:
    asked = await venture.post(SPENDS, venture.spend("20.00"), key="k")
    assert asked.status_code == 201
    spend = asked.json()
    assert (spend["state"], spend["amount"], spend["actor"]) == ("awaiting_approval", "20.00", "agent:buyer")
    assert asked.headers["idempotency-replayed"] == "false"
    again = await venture.post(SPENDS, venture.spend("20.00"), key="k")
    assert (again.json(), again.headers["idempotency-replayed"]) == (spend, "true")
    path = asked.headers["location"]
    assert path == f"{SPENDS}/{spend['id']}"
    read = await venture.api.client.get(path, headers=venture.caller("buyer").headers)
    assert (read.status_code, read.json()) == (200, spend)
    approved = await venture.post(f"{path}/approve", {"digest": spend["digest"]}, by="cat")
    assert (approved.status_code, approved.json()["state"]) == (200, "reserved")
    refused(await venture.post(f"{path}/reject", by="bob"), "TREASURY_SPEND_STATE")
    cancelled = await venture.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")


async def test_one_person_rejects(venture: Spending) -> None:
    spend = (await venture.post(SPENDS, venture.spend("20.00"))).json()
    rejected = await venture.post(f"{SPENDS}/{spend['id']}/reject", by="cat")
    assert rejected.json()["state"] == "rejected"


async def test_what_the_rules_refuse_is_a_problem_that_names_its_spend(venture: Spending) -> None:
    response = await venture.post(SPENDS, venture.spend("6000.00"))
    refused(response, "TREASURY_SPEND_CAP_EXCEEDED")
    problem = response.json()
    assert "TREASURY_ENVELOPE_EXCEEDED" in problem["codes"]
    kept = await venture.api.client.get(f"{SPENDS}/{problem['spend']}", headers=venture.caller("ann").headers)
    assert (kept.json()["state"], kept.json()["code"]) == ("refused", "TREASURY_SPEND_CAP_EXCEEDED")


async def test_an_agent_reads_its_own_spends_and_no_others(venture: Spending) -> None:
    spend = (await venture.post(SPENDS, venture.spend("1.00"), by="other")).json()
    path = f"{SPENDS}/{spend['id']}"
    theirs = await venture.api.client.get(path, headers=venture.caller("buyer").headers)
    nobodys = await venture.api.client.get(f"{SPENDS}/{uuid4()}", headers=venture.caller("buyer").headers)
    refused(theirs, "TREASURY_SPEND_UNKNOWN")
    assert {**theirs.json(), "instance": ""} == {**nobodys.json(), "instance": ""}
    refused(await venture.post(f"{path}/cancel"), "TREASURY_ROLE_MISSING")


REQUESTS: tuple[tuple[bytes, dict[str, str], str], ...] = (
    (b"{", {}, "API_REQUEST_MALFORMED"),
    (b"[" * 100_000, {}, "API_REQUEST_MALFORMED"),
    (b"[]", {}, "API_REQUEST_MALFORMED"),
    (b"{}", {}, "API_REQUEST_MALFORMED"),
    (b"x" * 300_000, {}, "API_BODY_TOO_LARGE"),
    (b"{}", {"content-type": "text/plain"}, "API_MEDIA_TYPE"),
    (b"{}", {"idempotency-key": ""}, "API_REQUEST_MALFORMED"),
    (b"{}", {"idempotency-key": "k" * 201}, "API_REQUEST_MALFORMED"),
    (b"{}", {"authorization": "Bearer x"}, "API_TOKEN_MALFORMED"),
)


async def test_a_request_that_is_none_is_refused(venture: Spending) -> None:
    for content, headers, code in REQUESTS:
        sent = {
            **venture.caller("buyer").headers,
            "content-type": "application/json",
            "idempotency-key": "k",
            **headers,
        }
        refused(await venture.api.client.post(SPENDS, content=content, headers=sent), code)


FIELDS = (
    ("amount", 12.5, "API_REQUEST_MALFORMED"),
    ("amount", 12, "API_REQUEST_MALFORMED"),
    ("amount", "-1", "API_REQUEST_MALFORMED"),
    ("amount", "1e3", "API_REQUEST_MALFORMED"),
    ("amount", "١", "API_REQUEST_MALFORMED"),
    ("amount", "0", "AMOUNT_NOT_POSITIVE"),
    ("amount", "0.001", "AMOUNT_TOO_PRECISE"),
    ("amount", "007", "AMOUNT_MALFORMED"),
    ("amount", "9" * 30, "AMOUNT_OUT_OF_RANGE"),
    ("amount", "90000000000000000", "TREASURY_BALANCE_OVERFLOW"),
    ("currency", "XXX", "CURRENCY_UNKNOWN"),
    ("currency", "usd", "API_REQUEST_MALFORMED"),
    ("purpose", "a\nb", "TREASURY_COMMAND_MALFORMED"),
    ("purpose", "", "API_REQUEST_MALFORMED"),
    ("lifetimeSeconds", 0, "API_REQUEST_MALFORMED"),
    ("tenant", str(UUID(int=7)), "API_REQUEST_MALFORMED"),
)


async def test_a_field_that_is_none_is_refused(venture: Spending) -> None:
    for field, value, code in FIELDS:
        refused(await venture.post(SPENDS, {**venture.spend("1.00"), field: value}), code)


async def test_operations_are_for_their_roles_and_each_is_noted(
    venture: Spending, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "parpour_api.audit")
    refused(await venture.post(SPENDS, venture.spend("1.00"), by="dan"), "API_FORBIDDEN")
    refused(await venture.post(f"{SPENDS}/{uuid4()}/approve", {"digest": "0" * 64}), "API_FORBIDDEN")
    refused(await venture.post(f"{SPENDS}/{uuid4()}/approve", {"digest": "0" * 64}, by="cat"), "TREASURY_SPEND_UNKNOWN")
    await venture.post(SPENDS, venture.spend("1.00"))
    noted = [(one.fields["field"], one.fields["outcome"]) for one in caplog.records]  # type: ignore[attr-defined]
    assert noted == [
        ("POST /v1/spends", "API_FORBIDDEN"),
        ("POST /v1/spends/{spend}/approve", "API_FORBIDDEN"),
        ("POST /v1/spends/{spend}/approve", "TREASURY_SPEND_UNKNOWN"),
        ("POST /v1/spends", "OK"),
    ]
    figures = (await venture.api.client.get("/metrics")).text
    assert 'route="/v1/spends/{spend}/approve"' in figures


async def test_a_hundred_clients_with_one_key_spend_once(venture: Spending) -> None:
    answers = await asyncio.gather(*(venture.post(SPENDS, venture.spend("1.00"), key="one") for _ in range(100)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.json()["id"] for one in answers}) == 1
    page = await venture.caller("ann").ask("{ spends { nodes { id } } }")
    assert len(page["spends"]["nodes"]) == 1
