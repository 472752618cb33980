"""The API as a process on a socket: audits of others, fuzzing by its OpenAPI document, its stop."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from harness.api_server import Served, log_lines, serving
from parpour_api.app import openapi
from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place, seal
from parpour_treasury.batcher import Batcher
from parpour_treasury.books import Kind
from parpour_treasury.ledger import Ledger
from parpour_treasury.spending.testing import new_venture
from parpour_treasury.testing import Books

AUDITS = Path(__file__).parent.parent / "graphql_http"
AUDITS_PASSED = 61


@pytest.fixture(scope="module")
def served(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    plenty = {f"PARPOUR_API_{whose}_POINTS_BURST": "1000000" for whose in ("PRINCIPAL", "TENANT")}
    with serving(place, tmp_path_factory.mktemp("api"), **plenty) as served:
        yield served


@pytest.fixture(scope="module")
def tenant(place: Place) -> UUID:
    async def make() -> UUID:
        async with open_database(place.dsn(), connections=1) as database:
            return (await new_venture(database, place)).tenant

    return asyncio.run(make())


@pytest.fixture(scope="session")
def audits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The audit suite of graphql-http, installed from its lock outside of the source tree."""
    folder = tmp_path_factory.mktemp("audits")
    for name in ("package.json", "package-lock.json", "audits.mjs"):
        shutil.copy(AUDITS / name, folder)
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=300,
    )
    return folder


def test_every_audit_of_graphql_over_http_passes(served: Served, tenant: UUID, audits: Path) -> None:
    """The truth is the suite of the GraphQL over HTTP specification's own editors."""
    environ = {"URL_TO_AUDIT": f"{served.url}/graphql", "TOKEN": served.token(tenant, "owner"), "PATH": "/usr/bin:/bin"}
    node = shutil.which("node")
    assert node
    run = subprocess.run([node, "audits.mjs"], cwd=audits, env=environ, check=True, capture_output=True, timeout=120)
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert [one for one in results if one["status"] != "ok"] == []
    assert len(results) == AUDITS_PASSED


SCHEMA = schemathesis.openapi.from_dict(openapi())
PLACE_OF_TOKEN = "Bearer here"
"""Cases are made before there is an issuer; this stands where a case bears a token that is taken."""


Case = schemathesis.Case[Any]


@SCHEMA.auth()
class Bearer:
    """Sends a token with every case that is not about there being none."""

    def get(self, case: Case, context: object) -> str:
        return PLACE_OF_TOKEN

    def set(self, case: Case, data: str, context: object) -> None:
        case.headers["Authorization"] = data


@SCHEMA.parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_of_the_document_is_answered_otherwise(case: Case, served: Served, tenant: UUID) -> None:
    if case.headers.get("Authorization") == PLACE_OF_TOKEN:
        case.headers["Authorization"] = f"Bearer {served.token(tenant, 'owner')}"
    # How many decimals an amount may have depends on its currency, which no schema says.
    excluded: list[Any] = [positive_data_acceptance] if case.path.startswith("/v1/spends") else []
    case.call_and_validate(base_url=served.url, excluded_checks=excluded)


def test_probes_need_no_token_and_downloads_do(served: Served) -> None:
    assert served.get("/healthz")[0] == 200
    assert served.get("/readyz") == (200, b'{"status":"ready"}')
    status, body = served.get("/v1/books/export/hledger")
    assert (status, json.loads(body)["code"]) == (401, "API_TOKEN_MISSING")


def test_a_token_of_a_key_that_came_later_is_taken_and_one_of_a_withdrawn_key_in_the_end_not(
    served: Served, tenant: UUID
) -> None:
    before = served.token(tenant, "auditor")
    served.issuer.issuer.rotate()
    assert served.get("/v1/books/export/ledger", before)[0] == 200


@pytest.fixture(scope="module")
def told(place: Place) -> UUID:
    """A tenant of whom more is told than sockets keep."""
    made = uuid4()

    async def make() -> None:
        async with open_database(place.dsn(), connections=4) as database:
            await Ledger(database).create_tenant(place.app.mint(tenant=made, actor="user:ann"), name="a tenant")
            books = Books(made, place.app, database, Ledger(database), Batcher(Ledger(database), place.app))
            await books.open("bank")
            await books.open("funding", Kind.EQUITY)
            await asyncio.gather(*(books.post((1, 1), (2, -1), description="x" * 900) for _ in range(500)))
        await seal(place)

    asyncio.run(make())
    return made


@contextmanager
def follow(served: Served, token: str, fields: str) -> Iterator[ClientConnection]:
    """A socket that follows everything."""
    protocols = [Subprotocol("graphql-transport-ws")]
    address = served.url.replace("http", "ws") + "/graphql"
    with connect(address, subprotocols=protocols, compression=None, max_queue=1) as socket:
        socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(socket.recv(10)) == {"type": "connection_ack"}
        query = f"subscription {{ events(after: 0) {{ {fields} }} }}"
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
        yield socket


def read_out(socket: ClientConnection) -> tuple[int, Close | None]:
    """How many messages still come before the end, and what is said at it."""
    taken = 0
    while True:
        try:
            socket.recv(10)
        except ConnectionClosed as ended:
            return taken, ended.rcvd
        taken += 1


def until_ended(served: Served, *, sockets: int) -> None:
    """Wait until the process has let go of so many sockets, of which it leaves a line each."""
    end = time.monotonic() + 20
    while served.log.read_text().count('"message": "socket"') < sockets:
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.long
def test_a_socket_follows_and_one_that_does_not_read_is_told_that_it_was_cut_off(
    place: Place, told: UUID, tmp_path: Path
) -> None:
    with serving(place, tmp_path, PARPOUR_API_SOCKET_SEND_SECONDS_MAX="0.5") as served:
        token = served.token(told, "auditor")
        with follow(served, token, "position") as quick:
            positions = [json.loads(quick.recv(10))["payload"]["data"]["events"]["position"] for _ in range(502)]
        assert positions == [str(number) for number in range(1, 503)]
        fields = "position " + " ".join(f"p{number}: payload" for number in range(20))
        with follow(served, token, fields) as slow:
            until_ended(served, sockets=2)
            taken, close = read_out(slow)
        assert close == Close(4410, "API_SUBSCRIBER_SLOW")
        assert taken < 502
        served.process.terminate()
        served.process.wait(30)
        outcomes = [one["outcome"] for one in log_lines(served) if one["message"] == "socket"]
        assert sorted(map(str, outcomes)) == ["API_SUBSCRIBER_SLOW", "OK"]
        assert token not in served.log.read_text()


@pytest.mark.long
def test_a_stop_closes_sockets_and_waits_for_none(place: Place, told: UUID, tmp_path: Path) -> None:
    with (
        serving(place, tmp_path) as served,
        follow(served, served.token(told, "auditor"), "position") as socket,
    ):
        socket.recv(10)
        began = time.monotonic()
        served.process.terminate()
        read_out(socket)
        assert served.process.wait(30) in (0, -15)
        assert time.monotonic() - began < 10


def test_a_stop_carries_out_what_was_asked_and_loses_no_line(place: Place, tenant: UUID, tmp_path: Path) -> None:
    with serving(place, tmp_path) as served:
        token = served.token(tenant, "owner", sub="stopper")

        def opened(number: int) -> bool:
            account = f'code: "stop{number}", name: "n", kind: ASSET, currency: "USD"'
            query = f"mutation {{ openAccount({account}) {{ __typename }} }}"
            request = Request(
                f"{served.url}/graphql",
                data=json.dumps({"query": query}).encode(),
                headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
            )
            try:
                with urlopen(request, timeout=20) as response:
                    return "OpenedAccount" in response.read().decode()
            except OSError:
                return False

        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(opened, number) for number in range(40)]
            while not any(one.done() for one in answers):
                time.sleep(0.005)
            served.process.terminate()
            done = sum(one.result() for one in answers)
        assert served.process.wait(30) in (0, -15)
        lines = log_lines(served)
        audited = [one for one in lines if one["logger"] == "parpour_api.audit"]
        assert sum(one["outcome"] == "OK" for one in audited) >= done > 0
        assert token not in served.log.read_text()
        assert not [one for one in lines if one["level"] == "error"]
