"""Requests as bytes: what is ambiguous, endless or no HTTP is refused, and is never taken for two requests."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from harness.api_server import Served, serving
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.spending.testing import new_venture

QUESTION = b'{"query":"{me{actor}}"}'
SECONDS = 10.0
MESSAGE_KIB = 256
"""The longest message that is taken, as the settings have it where nothing is set."""


@pytest.fixture(scope="module")
def served(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(place, tmp_path_factory.mktemp("wire"), PARPOUR_API_REQUEST_SECONDS_MAX="1") as served:
        yield served


@pytest.fixture(scope="module")
def token(place: Place, served: Served) -> str:
    async def make() -> UUID:
        async with open_database(place.dsn(), connections=1) as database:
            return (await new_venture(database, place)).tenant

    return served.token(asyncio.run(make()), "owner")


class Wire:
    """A connection of bytes."""

    def __init__(self, served: Served) -> None:
        host, port = served.url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), timeout=SECONDS)

    def send(self, data: bytes) -> bool:
        """Whether the other side still takes it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def rest(self) -> bytes:
        """Whatever still comes until the other side ends it, or says nothing more."""
        found = b""
        try:
            while data := self.socket.recv(65536):
                found += data
        except OSError:
            pass
        finally:
            self.socket.close()
        return found


def asked(token: str, *fields: bytes, body: bytes = QUESTION, close: bool = True) -> bytes:
    head = [
        b"POST /graphql HTTP/1.1",
        b"host: api",
        b"authorization: Bearer " + token.encode(),
        b"content-type: application/json",
        *([b"connection: close"] if close else []),
        *fields,
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def statuses(answer: bytes) -> list[int]:
    """Of every answer in the bytes."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def code_of(answer: bytes) -> str:
    code: str = json.loads(answer.partition(b"\r\n\r\n")[2])["code"]
    return code


LENGTH = b"content-length: " + str(len(QUESTION)).encode()
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(QUESTION), QUESTION)
SECOND = b"GET /healthz HTTP/1.1\r\nhost: api\r\n\r\n"


def test_a_request_that_is_one_is_answered_in_both_framings(served: Served, token: str) -> None:
    for field, body in ((LENGTH, QUESTION), (b"transfer-encoding: chunked", CHUNKED)):
        wire = Wire(served)
        wire.send(asked(token, field, body=body))
        answer = wire.rest()
        assert statuses(answer) == [200]
        assert b'"actor":"user:ann"' in answer


SMUGGLED = {
    "a length and chunks (RFC 9112, 6.1)": ([LENGTH, b"transfer-encoding: chunked"], CHUNKED + SECOND),
    "chunks and a length": ([b"transfer-encoding: chunked", b"content-length: 4"], CHUNKED + SECOND),
    "two lengths (RFC 9112, 6.3)": ([LENGTH, b"content-length: 4"], QUESTION + SECOND),
    "a list of lengths": ([b"content-length: 23, 4"], QUESTION + SECOND),
    "a length with a sign": ([b"content-length: +23"], QUESTION + SECOND),
    "a length in other digits": ([b"content-length: 0x17"], QUESTION + SECOND),
    "a length below zero": ([b"content-length: -1"], QUESTION + SECOND),
    "a length beyond numbers": ([b"content-length: 99999999999999999999999"], QUESTION),
    "chunks that are not last (RFC 9112, 6.3)": ([b"transfer-encoding: chunked, identity"], CHUNKED + SECOND),
    "an unknown coding": ([b"transfer-encoding: xchunked"], CHUNKED + SECOND),
    "a space before the colon (RFC 9112, 5.1)": ([b"transfer-encoding : chunked", LENGTH], CHUNKED + SECOND),
    "a tab in a name": ([b"transfer-encoding\t: chunked", LENGTH], CHUNKED + SECOND),
    "a folded field (RFC 9112, 5.2)": ([LENGTH, b"x-note: a\r\n transfer-encoding: chunked"], QUESTION),
    "a bare CR in a field": ([LENGTH, b"x-note: a\rtransfer-encoding: chunked"], QUESTION),
    "a zero byte in a field": ([LENGTH, b"x-note: a\x00b"], QUESTION),
    "a chunk of no size": ([b"transfer-encoding: chunked"], b"x\r\n" + QUESTION),
    "a chunk whose size wraps around": ([b"transfer-encoding: chunked"], b"ffffffffffffffff1\r\n" + QUESTION),
    "a chunk below zero": ([b"transfer-encoding: chunked"], b"-1\r\n" + QUESTION),
}
"""Source: PortSwigger, HTTP Desync Attacks (2019) and HTTP/1.1 must die (2025); the sections that are named."""


@pytest.mark.parametrize("case", SMUGGLED)
def test_no_bytes_are_taken_for_two_requests(served: Served, token: str, case: str) -> None:
    fields, body = SMUGGLED[case]
    wire = Wire(served)
    wire.send(asked(token, *fields, body=body, close=False))
    wire.socket.shutdown(socket.SHUT_WR)
    wire.socket.settimeout(3)
    answer = wire.rest()
    assert b'"status":"ok"' not in answer, "the second request was answered"
    assert len(statuses(answer)) <= 1
    if case != "a folded field (RFC 9112, 5.2)":
        assert b'"actor"' not in answer, "the first one was, though it is none"
    assert served.get("/healthz")[0] == 200


@pytest.mark.parametrize(
    "line",
    [
        b"GET /healthz HTTP/9.9",
        b"GET /h\xc3\xa9 HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM",
    ],
    ids=["a later HTTP", "a raw path", "TLS", "HTTP/2"],
)
def test_what_is_no_http_has_its_code_and_ends(served: Served, line: bytes) -> None:
    wire = Wire(served)
    wire.send(line + b"\r\nhost: api\r\n\r\n")
    wire.socket.settimeout(3)
    answer = wire.rest()
    assert statuses(answer) == [400]
    assert code_of(answer) == "API_HTTP_MALFORMED"


@pytest.mark.parametrize("endless", [b"x-%d: " % 1 + b"a" * 1024, b"x: a\r\n" * 128], ids=["one field", "many fields"])
def test_a_head_without_an_end_is_cut_off(served: Served, endless: bytes) -> None:
    """CVE-2024-27316 and its kind: fields that never end, kept until there is no memory."""
    wire = Wire(served)
    wire.send(b"GET /healthz HTTP/1.1\r\nhost: api\r\n")
    sent = 0
    while wire.send(endless) and sent < 64 * 2**20:
        sent += len(endless)
    assert sent < 8 * 2**20
    answer = wire.rest()
    # What came behind the refusal may have reset the connection before it was read.
    assert not answer or (statuses(answer), code_of(answer)) == ([431], "API_HEAD_TOO_LARGE")


def test_a_long_head_is_refused_by_its_code(served: Served) -> None:
    wire = Wire(served)
    wire.send(b"GET /healthz HTTP/1.1\r\nhost: api\r\nx: " + b"a" * 40_000)
    answer = wire.rest()
    assert (statuses(answer), code_of(answer)) == ([431], "API_HEAD_TOO_LARGE")


@pytest.mark.parametrize("part", [b"1;x=" + b"y" * 1000 + b"\r\n{\r\n", b"0\r\n" + b"x: y\r\n" * 1000])
def test_chunks_and_fields_behind_them_have_an_end(served: Served, token: str, part: bytes) -> None:
    wire = Wire(served)
    wire.send(asked(token, b"transfer-encoding: chunked", body=b""))
    sent = 0
    while wire.send(part if not sent or part[:1] == b"1" else part[3:]) and sent < 64 * 2**20:
        sent += len(part)
    assert sent < 8 * 2**20
    wire.rest()
    assert served.get("/healthz")[0] == 200


def test_a_field_behind_the_body_is_none_of_the_heads(served: Served, token: str) -> None:
    """RFC 9110, 6.5.1: nobody authenticates with a trailer."""
    wire = Wire(served)
    whole = asked(token, b"transfer-encoding: chunked", body=CHUNKED[:-2])
    field = b"authorization: Bearer " + token.encode() + b"\r\n"
    wire.send(whole.replace(field, b"", 1) + field + b"\r\n")
    answer = wire.rest()
    assert (statuses(answer), code_of(answer)) == ([401], "API_TOKEN_MISSING")


def test_a_body_that_comes_slowly_is_not_waited_for(served: Served, token: str) -> None:
    """Slow bodies: OWASP, Denial of Service cheat sheet."""
    wire = Wire(served)
    wire.send(asked(token, b"content-length: 1000", body=b"{"))
    answer = wire.rest()
    assert (statuses(answer), code_of(answer)) == ([504], "API_TIMEOUT")


def test_requests_in_a_row_are_answered_in_their_order(served: Served, token: str) -> None:
    wire = Wire(served)
    wire.send(asked(token, LENGTH, close=False) + SECOND + asked(token, LENGTH))
    answer = wire.rest()
    assert statuses(answer) == [200, 200, 200]
    assert [b"actor" in part for part in answer.split(b"HTTP/1.1 ")[1:]] == [True, False, True]


def test_a_message_in_parts_has_the_end_of_a_whole_one(served: Served) -> None:
    """RFC 6455, 10.4: parts of a message add up, each of them short."""
    address = served.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], compression=None) as ws:

        def parts() -> Iterator[str]:
            yield from ("x" * 1024 for _ in range(MESSAGE_KIB + 1))
            # Whatever is sent after that may arrive at a closed socket, which takes its last answer back.
            ws.recv_events_thread.join(SECONDS)

        with suppress(ConnectionClosed):
            ws.send(parts())
        with pytest.raises(ConnectionClosed) as caught:
            ws.recv(SECONDS)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1009


@pytest.mark.long
def test_pings_of_a_reader_that_reads_nothing_pile_up_nowhere(served: Served) -> None:
    """CVE-2019-9512 was this in HTTP/2: answers that nobody takes are kept until there is no memory."""
    wire = Wire(served)
    fields = b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    upgrade = b"upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-protocol: graphql-transport-ws\r\n"
    wire.send(b"GET /graphql HTTP/1.1\r\nhost: api\r\n" + upgrade + fields + b"\r\n")
    assert b"101 " in wire.socket.recv(4096)
    before, ping = resident(served), b"\x89" + bytes([0x80 | 125]) + bytes(4) + b"x" * 125
    sent = 0
    while wire.send(ping * 1000) and sent < 96 * 2**20:
        sent += 1000 * len(ping)
    assert sent > 16 * 2**20, "it was not tried"
    assert resident(served) - before < 40 * 2**20
    wire.socket.close()


def resident(served: Served) -> int:
    """Bytes of memory that the process has."""
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
