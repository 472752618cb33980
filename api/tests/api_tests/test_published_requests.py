"""Published attacks on GraphQL, JSON, HTTP and sockets, each with its source."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
from collections.abc import AsyncIterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from parpour_api import waiting
from parpour_api.identity.fetching import fetching
from parpour_api.identity.keys import read_keys
from parpour_api.waiting import missing_migrations
from parpour_controlplane.migrations import Migration
from parpour_controlplane.testing import Place

from .building import Api, Caller, open_api
from .sockets import EVENTS, connected
from .spending import Spending

pytestmark = pytest.mark.anyio

ME = "{ me { actor } }"


async def told(caller: Caller, content: bytes, **headers: str) -> tuple[int, str]:
    """Status and first code of a body."""
    named = {
        **caller.headers,
        "content-type": "application/json",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    response = await caller.client.post("/graphql", content=content, headers=named)
    return response.status_code, first_code(response.json())


def first_code(body: Mapping[str, Any]) -> str:
    if "code" in body:
        return str(body["code"])
    return str(body["errors"][0]["extensions"]["code"]) if "errors" in body else "OK"


BODIES: list[tuple[str, bytes, str]] = [
    ("RFC 8259, 8.1: UTF-16", json.dumps({"query": ME}).encode("utf-16"), "API_BODY_MALFORMED"),
    ("RFC 8259, 8.1: UTF-32", json.dumps({"query": ME}).encode("utf-32-le"), "API_BODY_MALFORMED"),
    (
        "half a pair in UTF-16",
        '{"query":"{me{actor}}","variables":{"x":"\\ud800"}}'.encode("utf-16-le"),
        "API_BODY_MALFORMED",
    ),
    ("RFC 8259, 8.1: a BOM may be ignored", b"\xef\xbb\xbf" + json.dumps({"query": ME}).encode(), "OK"),
    ("RFC 3629: a surrogate in UTF-8", b'{"query":"\xed\xa0\x80"}', "API_BODY_MALFORMED"),
    ("RFC 3629: overlong", b'{"query":"\xc0\xaf"}', "API_BODY_MALFORMED"),
    ("RFC 8259, 6: NaN", b'{"query":"{me{actor}}","variables":{"x":NaN}}', "API_BODY_MALFORMED"),
    ("RFC 8259, 6: -Infinity", b'{"query":"{me{actor}}","variables":{"x":-Infinity}}', "API_BODY_MALFORMED"),
    (
        "JSONTestSuite: 10^5 digits",
        b'{"query":"{me{actor}}","variables":{"x":' + b"9" * 100_000 + b"}}",
        "API_BODY_MALFORMED",
    ),
    (
        "Bishop Fox, JSON interoperability: twice",
        b'{"query":"{me{actor}}","query":"{ledger{journals}}"}',
        "API_BODY_MALFORMED",
    ),
    ("the same inside", b'{"query":"{me{actor}}","variables":{"a":1,"\\u0061":2}}', "API_BODY_MALFORMED"),
    ("JSONTestSuite: something behind", b'{"query":"{me{actor}}"} {}', "API_BODY_MALFORMED"),
    ("JSONTestSuite: a comment", b'{"query":"{me{actor}}"/**/}', "API_BODY_MALFORMED"),
    ("JSONTestSuite: a trailing comma", b'{"query":"{me{actor}}",}', "API_BODY_MALFORMED"),
    ("JSONTestSuite: a raw control character", b'{"query":"{me{\x00actor}}"}', "API_BODY_MALFORMED"),
    ("GraphQL over HTTP, 6: no operation name", b'{"query":"{me{actor}}","operationName":""}', "OK"),
    ("another operation's name", b'{"query":"query a{me{actor}}","operationName":"b"}', "API_OPERATION_UNKNOWN"),
    (
        "a name of the language's own",
        b'{"query":"query a{me{actor}}","operationName":"__proto__"}',
        "API_OPERATION_UNKNOWN",
    ),
    ("two operations and no name", b'{"query":"query a{me{actor}} query b{me{actor}}"}', "API_OPERATION_UNKNOWN"),
    (
        "two operations of one name",
        b'{"query":"query a{me{actor}} query a{me{actor}}","operationName":"a"}',
        "API_QUERY_INVALID",
    ),
    ("a fragment alone", b'{"query":"fragment F on Query{me{actor}}"}', "API_QUERY_INVALID"),
    ("a batch", b'[{"query":"{me{actor}}"}]', "API_BATCH_REFUSED"),
    ("an empty batch", b"[]", "API_BATCH_REFUSED"),
    ("nothing", b'{"query":""}', "API_QUERY_MALFORMED"),
]


async def test_bodies_are_read_in_one_way(api: Api) -> None:
    caller = await api.venture()
    wrong = {}
    for source, body, code in BODIES:
        _, found = await told(caller, body)
        if found != code:
            wrong[source] = found
    assert wrong == {}


async def test_a_body_that_is_compressed_is_not_unpacked(api: Api) -> None:
    """A bomb of gzip: RFC 9110, 8.4 and 15.5.16."""
    caller = await api.venture()
    bomb = gzip.compress(b"0" * 10_000_000)
    for coding in ("gzip", "deflate", "br", "GZIP", "gzip, gzip", "x-unknown"):
        assert await told(caller, bomb, content_encoding=coding) == (415, "API_MEDIA_TYPE")
    assert await told(caller, json.dumps({"query": ME}).encode(), content_encoding="identity") == (200, "OK")
    response = await caller.client.post(
        "/v1/statements",
        params={"account": "1", "format": "camt.053"},
        content=bomb,
        headers={**caller.headers, "content-type": "application/xml", "content-encoding": "gzip"},
    )
    assert (response.status_code, response.json()["code"]) == (415, "API_MEDIA_TYPE")


NUMBERS: list[tuple[str, str]] = [
    ("2147483648", "API_QUERY_INVALID"),
    ("-2147483649", "API_QUERY_INVALID"),
    ("9" * 5000, "API_QUERY_INVALID"),
    ("-" + "9" * 5000, "API_QUERY_INVALID"),
    ("1e2", "API_QUERY_INVALID"),
    ("1.0", "API_QUERY_INVALID"),
    ('"1"', "API_QUERY_INVALID"),
    ("true", "API_QUERY_INVALID"),
    ("[1]", "API_QUERY_INVALID"),
    ("2147483647", "API_PAGE_INVALID"),
    ("-1", "API_PAGE_INVALID"),
    ("00", "API_QUERY_MALFORMED"),
    ("0x1", "API_QUERY_MALFORMED"),
    ("0", "OK"),
]


async def test_a_count_is_a_whole_number_of_32_bits_as_text_and_as_a_variable(api: Api) -> None:
    """GraphQL, 3.5.1; numbers that Python reads slowly: CVE-2020-10735."""
    caller = await api.venture()
    for text, code in NUMBERS:
        assert await told(
            caller, json.dumps({"query": f"{{ accounts(first: {text}) {{ nodes {{ id }} }} }}"}).encode()
        ) == (
            200,
            code,
        ), text[:20]
        if code == "API_QUERY_MALFORMED" or len(text) > 4300:
            continue
        query = "query($n: Int) { accounts(first: $n) { nodes { id } } }"
        body = f'{{"query": {json.dumps(query)}, "variables": {{"n": {text}}}}}'.encode()
        # A whole number may be written as 1.0 or 1e2 in JSON, which knows but one kind of number.
        whole = text in ("1.0", "1e2")
        expected = "OK" if whole else code.replace("API_QUERY_INVALID", "API_VARIABLES_INVALID")
        assert (await told(caller, body))[1] == expected, text[:20]
    default = "query($n: Int = " + "9" * 5000 + ") { accounts(first: $n) { nodes { id } } }"
    assert (await told(caller, json.dumps({"query": default}).encode()))[1] == "API_QUERY_INVALID"


AMOUNTS = [
    "1e2",
    "1E2",
    "NaN",
    "Infinity",
    "-0",
    "+1",
    " 1",
    "1 ",
    "1_000",
    "1,00",
    "0x10",
    "1.",
    ".5",
    "",
    "--1",
    "1\n",
    "1\x00",
]
OTHER_DIGITS = ["\u0661\u0662", "\uff11\uff12", "\u00b2", "\u2460", "1\u066b5", "\u2212" + "1", "1\u200b"]


async def test_an_amount_is_ascii_digits_and_one_point(venture: Spending) -> None:
    """Unicode TR 36, 3.3: digits of other scripts are digits to many a reader."""
    for amount in AMOUNTS + OTHER_DIGITS:
        result = await venture.request(amount)
        assert (result["__typename"], result["field"]) == ("Refusal", "amount"), amount
        assert result["code"].startswith("AMOUNT_")
        response = await venture.post("/v1/spends", venture.spend(amount))
        assert response.json()["code"] == "API_REQUEST_MALFORMED", amount
    for minor in ("92233720368547758.08", "9" * 4000, "1" + "0" * 39):
        assert (await venture.request(minor))["__typename"] == "Refusal"


async def test_a_request_that_names_a_member_twice_spends_nothing(venture: Spending) -> None:
    """Bishop Fox, An Exploration of JSON Interoperability Vulnerabilities: a proxy may check the other one."""
    text = json.dumps(venture.spend("1.00"))
    headers = {**venture.caller("buyer").headers, "idempotency-key": "k", "content-type": "application/json"}
    for more in (b', "amount": "40.00"}', b', "am\\u006funt": "40.00"}', b', "x": NaN}'):
        response = await venture.api.client.post("/v1/spends", content=text[:-1].encode() + more, headers=headers)
        assert (response.status_code, response.json()["code"]) == (422, "API_REQUEST_MALFORMED")
    response = await venture.api.client.post("/v1/spends", content=text.encode("utf-16"), headers=headers)
    assert response.json()["code"] == "API_REQUEST_MALFORMED"


async def test_a_body_in_chunks_is_of_the_type_that_any_is(venture: Spending) -> None:
    """A form of another site can send text/plain: what has no length is looked at all the same."""

    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps(venture.spend("1.00")).encode()

    for kind, code in (("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/json", 201)):
        headers = {**venture.caller("buyer").headers, "idempotency-key": "k", "content-type": kind}
        headers["transfer-encoding"] = "chunked"
        response = await venture.api.client.post("/v1/spends", content=chunks(), headers=headers)
        assert response.status_code == code


FLOODS: list[tuple[str, str, set[str]]] = [
    (
        "OWASP GraphQL: aliases",
        "{" + "".join(f"a{n}:me{{actor}} " for n in range(100_000)) + "}",
        {"API_BODY_TOO_LARGE"},
    ),
    (
        "OWASP GraphQL: fewer aliases",
        "{" + "".join(f"a{n}:me{{actor}} " for n in range(300)) + "}",
        {"API_QUERY_TOO_MANY_ALIASES"},
    ),
    ("one field over and over", "{" + "me{actor} " * 400 + "}", {"API_QUERY_REPETITIVE"}),
    ("__typename over and over", "{" + "__typename " * 1900 + "}", {"API_QUERY_REPETITIVE"}),
    ("directives that are known", "{me" + "@include(if:true)" * 250 + "{actor}}", {"API_QUERY_INVALID"}),
    ("directives that are not", "{me" + "@aa" * 900 + "{actor}}", {"API_QUERY_INVALID"}),
    ("directives without an end", "{me" + "@aa" * 20_000 + "{actor}}", {"API_QUERY_TOO_LONG"}),
    ("a fragment of itself", "{...F} fragment F on Query{...F}", {"API_QUERY_INVALID"}),
    ("a ring", "{...A} fragment A on Query{...B} fragment B on Query{...A}", {"API_QUERY_INVALID"}),
    (
        "a long chain",
        "{...F0}"
        + "".join(f" fragment F{n} on Query{{...F{n + 1}}}" for n in range(100))
        + " fragment F100 on Query{me{actor}}",
        {"OK"},
    ),
    ("10^5 spreads", "{" + "...F " * 100_000 + "} fragment F on Query{me{actor}}", {"API_BODY_TOO_LARGE"}),
    ("900 spreads", "{" + "...F " * 900 + "} fragment F on Query{me{actor}}", {"API_QUERY_TOO_COSTLY", "OK"}),
    (
        "arguments in many layers",
        "{account(id:" + "[" * 900 + "]" * 900 + "){id}}",
        {"API_QUERY_INVALID", "API_QUERY_TOO_DEEP"},
    ),
    (
        "a list type in many layers",
        "query($x:" + "[" * 900 + "Int" + "]" * 900 + "){me{actor}}",
        {"API_QUERY_INVALID", "API_QUERY_TOO_DEEP"},
    ),
    ("comments", "#\n" * 5000 + "{me{actor}}", {"API_QUERY_MALFORMED", "API_QUERY_TOO_LONG"}),
    ("a block string", '{account(id:"""' + "\\n" * 20_000 + '"""){id}}', {"OK", "API_QUERY_INVALID"}),
    (
        "the schema inside itself",
        "{__schema{types{fields{type{fields{type{fields{type{name}}}}}}}}}",
        {"API_QUERY_INVALID"},
    ),
    (
        "variables that nobody uses",
        "query(" + "".join(f"$v{n}:Int " for n in range(400)) + "){me{actor}}",
        {"API_QUERY_INVALID"},
    ),
]


async def test_no_document_of_a_flood_is_carried_out(api: Api) -> None:
    """OWASP, GraphQL cheat sheet; graphql-cop; CVE-2022-37734 (directives); CVE-2023-26144 (overlapping fields)."""
    caller = await api.venture()
    wrong = {}
    for source, text, codes in FLOODS:
        loop = asyncio.get_running_loop()
        began = loop.time()
        _, found = await told(caller, json.dumps({"query": text}).encode())
        if found not in codes or loop.time() - began > 5:
            wrong[source] = found, loop.time() - began
    assert wrong == {}


async def test_a_get_carries_out_no_mutation_however_it_is_named(api: Api) -> None:
    """GraphQL over HTTP, 6.2: also not one beside a query, nor by another method's name."""
    caller = await api.venture()
    both = 'query q { me { actor } } mutation m { throwKillSwitch(reason: "r") { __typename } }'
    for more in ({"operationName": "m"}, {"operationName": "m", "variables": "{}"}):
        response = await caller.client.get("/graphql", params={"query": both, **more}, headers=caller.headers)
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
    response = await caller.client.get(
        "/graphql",
        params={"query": both, "operationName": "q"},
        headers={**caller.headers, "x-http-method-override": "POST"},
    )
    assert response.json()["data"] == {"me": {"actor": "user:ann"}}
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "QUERY"):
        response = await caller.client.request(method, "/graphql", headers=caller.headers)
        assert response.status_code == 405, method


async def test_no_page_of_another_site_is_let_in(api: Api) -> None:
    """Fetch, CORS: no origin is allowed, not even for what needs no token."""
    caller = await api.venture()
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for path in ("/graphql", "/v1/spends", "/healthz", "/metrics", "/v1/webhooks/x"):
        for method in ("OPTIONS", "GET"):
            response = await caller.client.request(method, path, headers={**asked, **caller.headers})
            assert not [name for name in response.headers if name.startswith("access-control-")], path
            assert response.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path", ["/graphql/", "//graphql", "/GRAPHQL", "/graphql/..", "/v1/../graphql", "/v1/spends/../../metrics"]
)
async def test_a_path_is_what_it_says(api: Api, path: str) -> None:
    caller = await api.venture()
    response = await caller.client.post(f"http://api.example{path}", headers=caller.headers, json={"query": ME})
    assert response.status_code in (404, 405) or path in ("/graphql/..", "/v1/../graphql")


async def test_probes_tell_nothing_of_the_inside(api: Api) -> None:
    caller = await api.venture()
    await caller.open("telling-name")
    shown = b"".join([(await caller.client.get(path)).content for path in ("/healthz", "/readyz", "/metrics")]).decode()
    for secret in (
        str(caller.tenant),
        "user:ann",
        "telling-name",
        "postgres",
        caller.token,
        "Traceback",
        "/work",
        "/src",
    ):
        assert secret not in shown


async def test_a_flood_of_probes_asks_the_database_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They need no token, so whoever sends them must not take the connections of those who have one."""
    looks = 0

    async def look(database: Any) -> list[Migration]:
        nonlocal looks
        looks += 1
        return await missing_migrations(database)

    monkeypatch.setattr(waiting, "missing_migrations", look)
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 60.0)
    async with open_api(place) as api:
        answers = await asyncio.gather(*(api.client.get("/readyz") for _ in range(100)))
    assert {one.status_code for one in answers} == {200}
    assert looks == 1


async def test_a_key_set_is_not_unpacked() -> None:
    """A few bytes of gzip that become many: OWASP, Denial of Service cheat sheet."""
    bomb = gzip.compress(b" " * 50_000_000)

    class Bomb(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-encoding", "gzip")
            self.send_header("content-length", str(len(bomb)))
            self.end_headers()
            self.wfile.write(bomb)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bomb) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        fetch = fetching(f"http://127.0.0.1:{server.server_address[1]}/jwks")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises((OSError, ValueError)):
            read_keys(await fetch())
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
        server.shutdown()


async def test_a_flood_of_pings_ends_the_socket(api: Api) -> None:
    """graphql-transport-ws, Ping: each side may send as many as it likes, and so each is bounded here."""
    async with open_api(api.place, principal_points_burst=50, principal_points_a_second=1) as small:
        caller = await small.venture()
        async with connected(small) as socket:
            assert (await socket.answer())["type"] == "websocket.accept"
            for _ in range(11):
                socket.say("ping")
            assert await socket.closed() == (4429, "API_RATE_LIMITED")
        async with connected(small) as socket:
            await socket.begin(caller.token)
            socket.say("ping", payload={"x": 1})
            assert await socket.next() == {"type": "pong"}
            for _ in range(60):
                socket.say("pong")
            assert await socket.closed() == (4429, "API_RATE_LIMITED")


@pytest.mark.parametrize(
    ("messages", "close"),
    [
        ([{"type": "subscribe", "id": "1", "payload": {"query": EVENTS}}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "complete", "id": "1"}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "pong"}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "connection_init", "payload": "Bearer x"}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "connection_init", "payload": {"Authorization": "Bearer x"}}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "connection_init", "payload": {"authorization": ["Bearer x"]}}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "connection_ack"}], (4401, "API_TOKEN_MISSING")),
        ([{"type": "GQL_CONNECTION_INIT"}], (4401, "API_TOKEN_MISSING")),
    ],
)
async def test_nothing_is_served_before_it_is_said_who_asks(
    api: Api, messages: list[dict[str, Any]], close: tuple[int, str]
) -> None:
    """graphql-transport-ws, Invalid message and Communication flow."""
    async with connected(api) as socket:
        for message in messages:
            socket.raw(text=json.dumps(message))
        assert await socket.closed() == close


async def test_what_ends_a_subscription_that_is_not_there_changes_nothing(api: Api) -> None:
    """graphql-transport-ws, Complete: the other side's may be under way."""
    caller = await api.venture()
    async with connected(api) as socket:
        await socket.begin(caller.token)
        for name in ("1", "", 7, None, {"a": 1}):
            socket.say("complete", id=name)
        socket.say("ping")
        assert await socket.next() == {"type": "pong"}
