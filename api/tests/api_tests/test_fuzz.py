"""Whatever the schema allows is answered: with data, with a refusal, or with a code, and never by failing."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from parpour_api.errors import CATALOGUE
from parpour_api.graphql.schema import sdl

from .building import Caller
from .spending import Spending

pytestmark = pytest.mark.anyio

TIMES = st.datetimes(timezones=st.just(UTC) | st.none()).map(lambda at: nodes.String(at.isoformat()))
SCALARS = {
    "DateTime": TIMES,
    "UUID": st.uuids().map(str).map(nodes.String),
    "Date": st.dates().map(str).map(nodes.String),
}
DOCUMENTS = from_schema(sdl(), custom_scalars=SCALARS)
FAILURES = {"API_FIELD_FAILED", "API_INTERNAL", "DATABASE_UNAVAILABLE", "TREASURY_UNAVAILABLE"}


async def check(caller: Caller, document: str) -> None:
    response = await caller.send(document)
    body = response.json()
    assert response.status_code < 500, body
    codes = {one["extensions"]["code"] for one in body.get("errors", ())}
    assert codes <= set(CATALOGUE) - FAILURES, body
    assert not any(code in response.text for code in FAILURES), body


@pytest.fixture
async def caller(venture: Spending) -> Caller:
    """The owner of a venture that spends."""
    await venture.request("1.00")
    return venture.caller("ann")


@given(document=DOCUMENTS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_document_of_the_schema_makes_the_api_fail(caller: Caller, document: str) -> None:
    await check(caller, document)


@given(
    text=st.text(max_size=80) | st.from_regex(r"(query|mutation)?\s*\{[ {}a-zA-Z0-9:()\"$@!.,]{0,60}\}", fullmatch=True)
)
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
async def test_no_text_makes_the_api_fail(caller: Caller, text: str) -> None:
    await check(caller, text)
