"""The subscription: from any position on, nothing twice, nothing lost, bounded, and ended with the token."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from parpour_api.identity import members
from parpour_api.identity.principal import Role
from parpour_api.identity.tokens import RevokedList
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place, seal
from parpour_treasury.spending.testing import new_venture

from .building import AUDIENCE, Api, Caller, claims, open_api
from .sockets import EVENTS, connected, following

pytestmark = pytest.mark.anyio


async def grown(caller: Caller, place: Place, *codes: str) -> None:
    """Let things happen, and get their place."""
    for code in codes:
        await caller.open(code)
    await seal(place)


def positions(events: list[Any]) -> list[str]:
    return [one["position"] for one in events]


async def test_events_come_from_a_position_on_and_go_on_as_they_happen(api: Api) -> None:
    caller = await api.venture()
    await grown(caller, api.place, "one", "two")
    async with following(caller, api) as socket:
        before = await socket.events(2)
        assert positions(before) == ["1", "2"]
        assert json.loads(before[0]["payload"])["code"] == "one"
        began = time.monotonic()
        await grown(caller, api.place, "three")
        assert positions(await socket.events(1)) == ["3"]
        assert time.monotonic() - began < 3
    async with following(caller, api, after="2") as socket:
        assert [one["subject"] for one in await socket.events(1)] == ["account/3"]


async def test_whoever_is_cut_off_goes_on_where_they_were(api: Api) -> None:
    caller = await api.venture()
    await grown(caller, api.place, *(f"a{number}" for number in range(12)))
    found: list[str] = []
    while len(found) < 12:
        async with following(caller, api, after=found[-1] if found else "0") as socket:
            found += positions(await socket.events(min(5, 12 - len(found))))
    assert found == [str(number) for number in range(1, 13)]


async def test_a_follower_sees_its_own_tenant_and_learns_nothing_of_another(api: Api) -> None:
    a, b = await api.venture(), await api.venture(sub="bob")
    await grown(a, api.place, "secret-of-a")
    await grown(b, api.place, "one-of-b")
    async with following(b, api) as socket, following(a, api) as other:
        (event,) = await socket.events(1)
        assert (event["position"], json.loads(event["payload"])["code"]) == ("1", "one-of-b")
        assert positions(await other.events(1)) == ["1"]
        await grown(a, api.place, "another-secret")
        assert positions(await other.events(1)) == ["2"]
        assert socket.from_app.empty()
        socket.subscribe(name="2", after="2")
        assert await socket.refused() == "API_POSITION_UNKNOWN", "a position of A is none of B"


@pytest.mark.parametrize("after", ["99", "-1", "x", "", "1e3", "0x1", "9" * 40, "1; drop table treasury.leg"])
async def test_a_position_that_is_none_is_refused_and_the_socket_stays(api: Api, after: str) -> None:
    caller = await api.venture()
    await grown(caller, api.place, "one")
    async with following(caller, api, after=after) as socket:
        assert await socket.refused() == "API_POSITION_UNKNOWN"
        socket.subscribe(after="0")
        assert positions(await socket.events(1)) == ["1"]


@pytest.mark.parametrize("role", Role)
async def test_who_may_read_events_may_follow_them_and_nobody_else(api: Api, role: Role) -> None:
    owner = await api.venture()
    await grown(owner, api.place, "one")
    kind = "agent" if role is Role.AGENT else "user"
    async with following(api.caller(owner.tenant, roles=[role], actor_kind=kind), api) as socket:
        if role is Role.AGENT:
            assert await socket.refused() == "API_FORBIDDEN"
        else:
            assert positions(await socket.events(1)) == ["1"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ me { actor } }", "API_OPERATION_MISPLACED"),
        ('mutation { closeAccount(account: "1") { __typename } }', "API_OPERATION_MISPLACED"),
        ("subscription { events(after: 0) { nothing } }", "API_QUERY_INVALID"),
        ("subscription { events(after: 0) { id } more: events(after: 0) { id } }", "API_QUERY_INVALID"),
        ("subscription { __typename }", "API_QUERY_INVALID"),
        ("subscription {", "API_QUERY_MALFORMED"),
        ("subscription { events(after: 0) { " + "id " * 3000 + "} }", "API_QUERY_TOO_LONG"),
        (EVENTS, "API_VARIABLES_INVALID"),
    ],
)
async def test_a_document_passes_the_limits_of_any_other(api: Api, query: str, code: str) -> None:
    caller = await api.venture()
    async with connected(api) as socket:
        await socket.begin(caller.token)
        socket.subscribe(query)
        assert await socket.refused() == code


async def test_a_subscription_goes_over_no_other_way(api: Api) -> None:
    caller = await api.venture()
    assert await caller.codes(EVENTS, {"after": "0"}) == ["API_OPERATION_MISPLACED"]
    read = await api.client.get(
        "/graphql", params={"query": "subscription { events(after: 0) { id } }"}, headers=caller.headers
    )
    assert [one["extensions"]["code"] for one in read.json()["errors"]] == ["API_OPERATION_MISPLACED"]


async def test_its_price_is_told_and_bounded(place: Place) -> None:
    async with open_api(place, query_cost_max=20) as api:
        caller = await api.venture()
        async with following(caller, api) as socket:
            assert await socket.refused() == "API_QUERY_TOO_COSTLY"
    async with open_api(place) as api:
        caller = api.caller(caller.tenant)
        await grown(caller, place, "one")
        async with following(caller, api) as socket:
            assert (await socket.next())["payload"]["extensions"] == {"cost": {"points": 21}}


async def test_what_is_passed_on_takes_from_the_rate_and_waits_for_it(place: Place) -> None:
    async with open_api(place) as api:
        caller = await api.venture()
        await grown(caller, place, *(f"a{number}" for number in range(6)))
    async with (
        open_api(place, principal_points_a_second=2, principal_points_burst=25) as api,
        following(api.caller(caller.tenant), api) as socket,
    ):
        began = time.monotonic()
        assert len(await socket.events(6)) == 6
        assert time.monotonic() - began > 0.8
        socket.subscribe(name="2", after="0")
        assert await socket.refused() == "API_RATE_LIMITED"


async def test_no_header_no_cookie_and_no_query_string_opens_a_socket(api: Api) -> None:
    caller = await api.venture()
    hostile: tuple[Any, ...] = (
        None,
        {},
        [],
        "x",
        {"authorization": None},
        {"authorization": "Basic YTpi"},
        {"token": caller.token},
    )
    for payload in hostile:
        headers = {"authorization": f"Bearer {caller.token}", "cookie": f"token={caller.token}"}
        async with connected(api, **headers) as socket:
            assert (await socket.answer())["type"] == "websocket.accept"
            socket.say("connection_init", payload=payload)
            assert await socket.closed() == (4401, "API_TOKEN_MISSING"), payload


async def test_a_script_of_another_origin_opens_none(place: Place) -> None:
    async with open_api(place, origins=("https://console.example",)) as api:
        caller = await api.venture()
        for origin in ("https://evil.example", "null", "", "https://console.example.evil.example"):
            async with connected(api, origin=origin) as socket:
                assert await socket.answer() == {
                    "type": "websocket.close",
                    "code": 4403,
                    "reason": "API_ORIGIN_REFUSED",
                }
        async with connected(api, origin="https://console.example") as socket:
            await socket.begin(caller.token)


async def test_a_token_that_is_not_taken_closes_with_its_code(api: Api) -> None:
    caller = await api.venture()
    now = time.time()
    for more, code in (
        ({"now": now - 4000}, "API_TOKEN_EXPIRED"),
        ({"aud": f"not-{AUDIENCE}"}, "API_TOKEN_AUDIENCE"),
        ({"roles": None}, "API_TOKEN_CLAIMS"),
    ):
        async with connected(api) as socket:
            await socket.answer()
            token = api.keys.sign(claims(caller.tenant, **more))
            socket.say("connection_init", payload={"authorization": f"Bearer {token}"})
            assert await socket.closed() == (4401, code)


@pytest.mark.long
async def test_a_socket_ends_with_its_token(api: Api) -> None:
    caller = await api.venture()
    await grown(caller, api.place, "one")
    at = int(time.time())
    short = Caller(api.client, caller.tenant, api.keys.sign(claims(caller.tenant, iat=at - 5, exp=at + 6)))
    async with following(short, api) as socket:
        assert positions(await socket.events(1)) == ["1"]
        assert await socket.closed() == (4401, "API_TOKEN_EXPIRED")


async def test_a_socket_ends_soon_after_its_bearer_was_revoked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_api(place, socket_trust_seconds=0.1) as api:
        owner = await api.venture()
        mallory = api.caller(owner.tenant, sub="mallory")
        await grown(owner, place, "one")
        async with following(mallory, api) as socket, following(owner, api) as other:
            await socket.events(1)
            await other.events(1)

            async def revoked(_self: object, principal: Any) -> bool:
                return bool(principal.actor == "user:mallory")

            monkeypatch.setattr(RevokedList, "revoked", revoked)
            assert await socket.closed() == (4401, "API_TOKEN_REVOKED")
            await grown(owner, place, "two")
            assert positions(await other.events(1)) == ["2"]


async def test_a_member_whom_the_venture_revokes_follows_no_more(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The venture's own row decides, whatever the token says and for how long."""
    monkeypatch.setattr(members, "FRESH_SECONDS", 0.1)
    async with open_database(place.dsn(), connections=2) as database, open_api(place, socket_trust_seconds=0.1) as api:
        venture = await new_venture(database, place)
        dan = api.caller(venture.tenant, sub="dan", roles=["auditor"])
        await seal(place)
        async with following(dan, api) as socket:
            await socket.events(1)
            assert await venture.governance.revoke(venture.context(), "user:dan", reason="left")
            assert await socket.closed() == (4401, "API_TOKEN_REVOKED")
        async with connected(api) as again:
            await again.answer()
            again.say("connection_init", payload={"authorization": f"Bearer {dan.token}"})
            assert await again.closed() == (4401, "API_TOKEN_REVOKED")


async def test_a_reader_that_does_not_read_is_cut_off_and_nothing_piles_up(place: Place) -> None:
    async with open_api(place, socket_send_seconds_max=0.3) as api:
        caller = await api.venture()
        await grown(caller, place, "a")
        async with following(caller, api) as socket, following(caller, api) as other:
            await socket.events(1)
            socket.reading.clear()
            await grown(caller, place, *(f"b{number}" for number in range(20)))
            assert await socket.closed() == (4410, "API_SUBSCRIBER_SLOW")
            assert socket.from_app.empty()
            assert len(await other.events(21)) == 21, "others go on"


async def test_sockets_and_subscriptions_are_bounded(place: Place) -> None:
    async with open_api(place, sockets_max=3, tenant_sockets_max=2, socket_subscriptions_max=2) as api:
        a, b = await api.venture(), await api.venture(sub="bob")
        full = (4429, "API_SUBSCRIPTIONS_TOO_MANY")
        async with following(a, api), following(a, api):
            async with connected(api) as third:
                await third.answer()
                third.say("connection_init", payload={"authorization": f"Bearer {a.token}"})
                assert await third.closed() == full
            async with following(b, api), connected(api) as fourth:
                assert await fourth.closed() == full
        async with following(a, api, after="0") as again:
            again.subscribe(name="2", after="0")
            again.subscribe(name="3", after="0")
            assert await again.closed() == full
        async with following(a, api):
            pass


@pytest.mark.parametrize(
    ("hostile", "close"),
    [
        ([{"text": "{"}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": "[]"}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": "{}"}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": "[" * 5000}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": '{"type": ["subscribe"]}'}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": '{"type": "start", "id": "1"}'}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"bytes": b'{"type": "ping"}'}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": '{"type": "subscribe"}'}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": '{"type": "subscribe", "id": ""}'}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": json.dumps({"type": "subscribe", "id": "x" * 101})}], (4400, "API_MESSAGE_MALFORMED")),
        ([{"text": '{"type": "connection_init"}'}], (4429, "API_MESSAGE_REPEATED")),
        (
            [
                {
                    "text": json.dumps(
                        {"type": "subscribe", "id": "1", "payload": {"query": EVENTS, "variables": {"after": "0"}}}
                    )
                }
            ]
            * 2,
            (4409, "API_MESSAGE_REPEATED"),
        ),
    ],
)
async def test_what_is_no_message_closes_the_socket(
    api: Api, hostile: list[dict[str, Any]], close: tuple[int, str]
) -> None:
    caller = await api.venture()
    async with connected(api) as socket:
        await socket.begin(caller.token)
        for one in hostile:
            socket.raw(**one)
        assert await socket.closed() == close


async def test_nothing_is_asked_before_it_is_said_who_asks(place: Place) -> None:
    async with open_api(place, socket_first_seconds_max=0.2) as api:
        async with connected(api) as socket:
            await socket.answer()
            socket.subscribe(after="0")
            assert await socket.closed() == (4401, "API_TOKEN_MISSING")
        async with connected(api) as silent:
            await silent.answer()
            silent.say("ping")
            assert await silent.next() == {"type": "pong"}
            assert await silent.closed() == (4408, "API_TIMEOUT")
        async with connected(api, protocols=["graphql-ws"]) as old:
            await old.answer()
            assert await old.closed() == (4406, "API_NOT_ACCEPTABLE")


async def test_a_payload_that_is_none_is_refused_by_its_code(api: Api) -> None:
    caller = await api.venture()
    async with connected(api) as socket:
        await socket.begin(caller.token)
        hostile: list[Any] = [[], None, {"query": 1}, {"variables": {}}, {"query": "{a}", "variables": []}]
        for name, payload in enumerate(hostile):
            socket.say("subscribe", id=str(name), payload=payload)
            assert await socket.refused() in ("API_BATCH_REFUSED", "API_BODY_MALFORMED")


async def test_whoever_ends_a_subscription_hears_no_more_and_the_database_is_not_asked_for_nothing(api: Api) -> None:
    caller = await api.venture()
    await grown(caller, api.place, "one")
    async with following(caller, api) as socket:
        await socket.events(1)
        socket.say("complete", id="1")
        socket.say("complete", id="unknown")
        socket.say("ping")
        assert await socket.next() == {"type": "pong"}
        await asyncio.sleep(0.05)
        await grown(caller, api.place, "two")
        await asyncio.sleep(0.5)
        assert socket.from_app.empty()
        socket.subscribe(after="1")
        assert positions(await socket.events(1)) == ["2"]


async def test_many_follow_at_once_and_each_gets_everything_in_order(api: Api) -> None:
    caller = await api.venture()
    await grown(caller, api.place, *(f"a{number}" for number in range(5)))

    async def followed() -> list[str]:
        async with following(caller, api) as socket:
            return positions(await socket.events(9))

    followers = [asyncio.ensure_future(followed()) for _ in range(15)]
    await grown(caller, api.place, *(f"b{number}" for number in range(4)))
    assert await asyncio.gather(*followers) == [[str(number) for number in range(1, 10)]] * 15
