"""Who comes in: one ServiceAccount, by a token of one audience, and nobody on a day on which nobody can say."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from parpour_api.internal.testing.kubernetes import API_SERVER
from parpour_api.internal.testing.opening import OPERATOR
from parpour_contracts.funding import AUDIENCE

from .conftest import Internal

pytestmark = pytest.mark.anyio


async def answer(internal: Internal, token: str | None, **headers: str) -> tuple[int, str]:
    given = {"Authorization": f"Bearer {token}"} if token is not None else {}
    path = f"/internal/v1/funding?namespaceUid={uuid4()}&uid={uuid4()}"
    found = await internal.client.get(path, headers={**given, **headers})
    return found.status_code, found.json().get("code", "")


async def test_the_operator_comes_in_and_is_reviewed_once_a_minute(internal: Internal) -> None:
    for _ in range(3):
        assert (await answer(internal, internal.token))[0] == 200
    assert internal.cluster.reviews == 1
    internal.clock.now += 61
    assert (await answer(internal, internal.token))[0] == 200
    assert internal.cluster.reviews == 2


async def test_a_token_that_was_revoked_is_out_within_a_minute(internal: Internal) -> None:
    await answer(internal, internal.token)
    internal.cluster.tokens.clear()
    internal.clock.now += 61
    assert await answer(internal, internal.token) == (401, "FUNDING_UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("username", "audiences", "expected"),
    [
        (OPERATOR, (API_SERVER,), (401, "FUNDING_UNAUTHENTICATED")),
        (OPERATOR, (AUDIENCE + "-2",), (401, "FUNDING_UNAUTHENTICATED")),
        ("system:serviceaccount:team:parpour-operator", (AUDIENCE,), (403, "FUNDING_FORBIDDEN")),
        (OPERATOR + "-2", (AUDIENCE,), (403, "FUNDING_FORBIDDEN")),
        ("system:admin", (AUDIENCE,), (403, "FUNDING_FORBIDDEN")),
    ],
)
async def test_other_audiences_and_other_accounts_stay_out(
    internal: Internal, username: str, audiences: Any, expected: Any
) -> None:
    internal.cluster.tokens["other"] = (username, audiences)
    assert await answer(internal, "other") == expected


async def test_a_flood_of_tokens_displaces_no_token_that_was_admitted(
    internal: Internal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parpour_api.internal.reviewing.KEPT_MAX", 5)
    assert (await answer(internal, internal.token))[0] == 200
    for number in range(20):
        assert (await answer(internal, f"token-{number}"))[0] == 401
    before = internal.cluster.reviews
    assert (await answer(internal, internal.token))[0] == 200
    assert internal.cluster.reviews == before


@pytest.mark.parametrize("token", [None, "", "nonsense", "x" * 20_000])
async def test_no_token_and_no_real_one_stay_out(internal: Internal, token: str | None) -> None:
    assert await answer(internal, token) == (401, "FUNDING_UNAUTHENTICATED")


async def test_another_scheme_stays_out(internal: Internal) -> None:
    found = await answer(internal, None, Authorization=f"Basic {internal.token}")
    assert found == (401, "FUNDING_UNAUTHENTICATED")


async def test_a_refused_token_is_not_reviewed_for_each_call_and_may_become_valid_soon(internal: Internal) -> None:
    for _ in range(5):
        await answer(internal, "late")
    assert internal.cluster.reviews == 1
    internal.cluster.tokens["late"] = (OPERATOR, (AUDIENCE,))
    internal.clock.now += 6
    assert (await answer(internal, "late"))[0] == 200


@pytest.mark.parametrize("said", [(500, b""), (403, b"{}"), (201, b"not json"), (201, b"{}"), (201, b'{"status": 3}')])
async def test_when_nobody_can_say_whose_a_token_is_nobody_comes_in(internal: Internal, said: Any) -> None:
    internal.cluster.answer = said
    assert await answer(internal, internal.token) == (503, "FUNDING_UNAVAILABLE")
    internal.cluster.answer = None
    assert (await answer(internal, internal.token))[0] == 200


async def test_who_is_not_admitted_learns_of_no_path_and_sends_no_body(internal: Internal) -> None:
    async def endless() -> Any:
        raise AssertionError("the body was read")
        yield b""

    found = await internal.client.post("/internal/v1/ventures", content=endless(), headers={})
    assert found.status_code == 401
    assert (await internal.client.get("/internal/v1/nothing")).status_code == 401
    assert (await internal.client.get("/livez")).status_code == 200


async def test_what_is_no_request_is_refused_by_its_field(internal: Internal) -> None:
    fault = await internal.call("POST", "/reservations", {"key": "a"}, status=400)
    assert fault["code"] == "FUNDING_REQUEST_MALFORMED"
    await internal.call("GET", "/nothing", status=404)
    await internal.call("GET", "/reservations", status=400, state="closed")
    await internal.call("GET", "/reservations", status=400, state="open", after="x")
    body = b'{"a": "' + b"x" * 2**20 + b'"}'
    headers = {"Authorization": f"Bearer {internal.token}", "Content-Type": "application/json"}
    found = await internal.client.post("/internal/v1/ventures", content=body, headers=headers)
    assert found.status_code == 400
