"""What surrounds the schema: roles, rates, bounds, headers, problem details, log lines, downloads."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from graphql import GraphQLObjectType, is_required_argument

from parpour_api import books_export
from parpour_api.access import EVERYONE, FIELDS, KEEPERS, READERS
from parpour_api.app import openapi
from parpour_api.errors import CATALOGUE
from parpour_api.graphql.operations import digest_of
from parpour_api.graphql.schema import executable
from parpour_api.identity.principal import Role
from parpour_controlplane.migrations import Migration
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS, reading

from .building import Api, Keyring, claims, open_api

pytestmark = pytest.mark.anyio

GRAPHQL = "application/graphql-response+json"
ME = "{ me { actor } }"


def root_fields() -> set[str]:
    schema = executable()
    roots = [schema.query_type, schema.mutation_type]
    return {f"{root.name}.{name}" for root in roots if isinstance(root, GraphQLObjectType) for name in root.fields}


def followable() -> set[str]:
    kind = executable().subscription_type
    return set(kind.fields) if isinstance(kind, GraphQLObjectType) else set()


def test_every_field_and_every_download_has_its_roles_and_nothing_else_has() -> None:
    http = {
        f"{method.upper()} {path}"
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
        if not {"probes", "webhooks"} & set(operation["tags"])
    }
    always = {"Query.__typename", "Query.__schema", "Query.__type", "Mutation.__typename"}
    followed = {f"Subscription.{name}" for name in followable()}
    assert set(FIELDS) == root_fields() | http | always | followed
    of_everyone = {name for name, roles in FIELDS.items() if name.startswith("Mutation.") and roles == EVERYONE}
    assert of_everyone == {"Mutation.__typename", "Mutation.throwKillSwitch"}
    others = {name for name, roles in FIELDS.items() if name.startswith("Mutation.") and Role.AGENT in roles}
    spends = {"requestSpend", "cancelSpend", "settleSpend", "renewSpend"}
    assert others - of_everyone == {f"Mutation.{name}" for name in spends}


def arguments(field: Any) -> str:
    """Arguments that validation takes, for any field."""
    samples = {
        "ID": '"1"',
        "String": '"x"',
        "DateTime": '"2026-01-01T00:00:00Z"',
        "AccountKind": "ASSET",
        "LegInput": '[{account: "1", side: DEBIT, amount: "1", currency: "USD"}]',
        "SpendInput": '{envelope: "1", payee: "1", amount: "1", currency: "USD", purpose: "x"}',
        "PairInput": '[{name: "x", value: "x"}]',
        "Int": "1",
        "Role": "[AUDITOR]",
        "PayeeProvider": "STRIPE",
        "ReleaseKind": "FREEZE",
        "ResolvedAs": "SENT",
        "Date": '"2026-01-01"',
        "EntryPlaceInput": '[{statement: "1", position: 1}]',
        "MovementPlaceInput": '[{journal: "1", leg: 1}]',
        "ExceptionOutcome": "RESOLVED",
        "ProviderPaymentInput": "[]",
    }
    required = [
        f"{name}: {samples[re.sub('[^A-Za-z]', '', str(argument.type))]}"
        for name, argument in field.args.items()
        if is_required_argument(argument)
    ]
    return f"({', '.join(required)})" if required else ""


def call_of(name: str) -> str:
    """A request of one root field."""
    root, _, field = name.partition(".")
    schema = executable()
    kind = schema.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    return (
        f"{'mutation' if root == 'Mutation' else 'query'} {{ {field}{arguments(kind.fields[field])} {{ __typename }} }}"
    )


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_answered_its_fields_and_refused_every_other(api: Api, role: Role) -> None:
    venture = await api.venture()
    kind = "agent" if role is Role.AGENT else "user"
    caller = api.caller(venture.tenant, roles=[role], actor_kind=kind)
    for name in sorted(root_fields()):
        body = (await caller.send(call_of(name))).json()
        codes = [one["extensions"]["code"] for one in body.get("errors", ())]
        if role in FIELDS[name]:
            assert "API_FORBIDDEN" not in codes, name
        else:
            assert codes == ["API_FORBIDDEN"], name
            assert "data" not in body


async def test_whoever_has_no_role_is_refused_every_field(api: Api) -> None:
    caller = api.caller((await api.venture()).tenant, roles=[])
    for name in sorted(root_fields()):
        assert await caller.codes(call_of(name)) == ["API_FORBIDDEN"], name


async def test_an_operation_with_one_forbidden_field_does_nothing_at_all(api: Api) -> None:
    venture = await api.venture()
    agent = api.caller(venture.tenant, roles=["agent"], actor_kind="agent")
    for query in (
        "{ me { actor } ledger { journals } }",
        "{ me { actor } ...F } fragment F on Query { ledger @skip(if: true) { journals } }",
        "query A { me { actor } } query B { ledger { journals } }",
    ):
        response = await agent.send(query, headers={"accept": GRAPHQL})
        assert response.status_code in (400, 403)
        assert "data" not in response.json()
    assert {"owner", "treasurer"} == {str(role) for role in KEEPERS}
    assert Role.AGENT not in READERS < EVERYONE


async def test_problems_are_problem_details_with_a_stable_code(api: Api) -> None:
    for method, path, code in [
        ("GET", "/nowhere", "API_NOT_FOUND"),
        ("POST", "/healthz", "API_METHOD_NOT_ALLOWED"),
        ("DELETE", "/graphql", "API_METHOD_NOT_ALLOWED"),
        ("GET", "/graphql", "API_TOKEN_MISSING"),
        ("POST", "/graphql", "API_TOKEN_MISSING"),
        ("GET", "/v1/books/export/hledger", "API_TOKEN_MISSING"),
    ]:
        response = await api.client.request(method, path)
        problem = response.json()
        assert response.headers["content-type"] == "application/problem+json"
        assert (problem["code"], problem["status"]) == (code, response.status_code)
        assert response.status_code == CATALOGUE[code].status
        assert problem["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
        assert problem["type"] == f"urn:parpour:code:{code}"
        assert ("allow" in response.headers) == (response.status_code == 405)
        assert ("www-authenticate" in response.headers) == (response.status_code == 401)


async def test_a_token_of_another_issuer_tells_nothing(api: Api) -> None:
    venture = await api.venture()
    other = Keyring()
    other.add("k1")
    response = await api.client.post(
        "/graphql",
        json={"query": ME},
        headers={"authorization": f"Bearer {other.sign(claims(venture.tenant))}"},
    )
    assert (response.status_code, response.json()["code"]) == (401, "API_TOKEN_SIGNATURE")
    assert str(venture.tenant) not in response.text


async def test_answers_bear_their_id_and_headers_that_close_doors(api: Api) -> None:
    venture = await api.venture()
    asked = str(uuid4())
    response = await venture.send(ME, headers={"x-request-id": asked})
    assert response.headers["x-request-id"] == asked
    for name, value in {
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "strict-transport-security": "max-age=31536000",
    }.items():
        assert response.headers[name] == value
    forged = await venture.send(ME, headers={"x-request-id": "x\ty"})
    assert UUID(forged.headers["x-request-id"])


@pytest.mark.parametrize(
    ("headers", "content", "code"),
    [
        ({"content-type": "text/plain"}, b'{"query": "{me{actor}}"}', "API_MEDIA_TYPE"),
        ({"content-type": "application/x-www-form-urlencoded"}, b"query={me{actor}}", "API_MEDIA_TYPE"),
        (
            {"content-type": "application/json", "accept": "text/html"},
            b'{"query": "{me{actor}}"}',
            "API_NOT_ACCEPTABLE",
        ),
        ({"content-type": "application/json"}, b"[" + b'{"query": "{me{actor}}"},' * 99 + b"{}]", "API_BATCH_REFUSED"),
        ({"content-type": "application/json"}, b"[" * 9000, "API_BODY_MALFORMED"),
        ({"content-type": "application/json"}, b'{"query": "' + b"x" * 300_000 + b'"}', "API_BODY_TOO_LARGE"),
        ({"content-type": "application/json", "content-length": "-1"}, b"{}", "API_BODY_TOO_LARGE"),
    ],
)
async def test_a_request_that_is_none_is_refused(api: Api, headers: dict[str, str], content: bytes, code: str) -> None:
    venture = await api.venture()
    response = await api.client.post("/graphql", content=content, headers={**venture.headers, **headers})
    assert (response.json()["code"], response.status_code) == (code, CATALOGUE[code].status)


async def test_a_body_without_an_end_is_cut_off(api: Api) -> None:
    venture = await api.venture()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    response = await api.client.post(
        "/graphql", content=endless(), headers={**venture.headers, "content-type": "application/json"}
    )
    assert response.status_code == 413
    assert sent < 2**20


async def test_get_reads_and_never_writes(api: Api) -> None:
    venture = await api.venture()
    read = await api.client.get("/graphql", params={"query": ME}, headers=venture.headers)
    assert read.json()["data"]["me"]["actor"] == "user:ann"
    write = 'mutation { openAccount(code: "x", name: "x", kind: ASSET, currency: "USD") { __typename } }'
    for params in (
        {"query": write},
        {"query": f"{write.replace('mutation', 'mutation M')} query Q {ME}", "operationName": "M"},
    ):
        response = await api.client.get("/graphql", params=params, headers=venture.headers)
        assert (response.status_code, response.json()["code"], response.headers["allow"]) == (
            405,
            "API_MUTATION_BY_GET",
            "POST",
        )
    assert (await venture.ask("{ ledger { accounts } }"))["ledger"]["accounts"] == "0"


async def test_the_status_tells_where_the_client_can_hear_it(api: Api) -> None:
    venture = await api.venture()
    for query, code in [("{", "API_QUERY_MALFORMED"), ("{ nothing }", "API_QUERY_INVALID")]:
        plain, told = await venture.send(query), await venture.send(query, headers={"accept": GRAPHQL})
        assert (plain.status_code, told.status_code) == (200, 400)
        for response in (plain, told):
            body = response.json()
            assert [one["extensions"]["code"] for one in body["errors"]] == [code]
            assert "data" not in body


async def test_the_price_is_told_and_bounded(place: Place) -> None:
    async with open_api(place, query_cost_max=60) as api:
        venture = await api.venture()
        body = (await venture.send("{ accounts(first: 10) { nodes { id } } }")).json()
        assert body["extensions"]["cost"] == {"points": 11, "maximum": 60}
        assert await venture.codes("{ accounts(first: 60) { nodes { id } } }") == ["API_QUERY_TOO_COSTLY"]
        assert await venture.codes("query($n: Int!) { accounts(first: $n) { nodes { id } } }", {"n": 60}) == [
            "API_QUERY_TOO_COSTLY"
        ]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("first: 201", "API_PAGE_INVALID"),
        ("first: -1", "API_PAGE_INVALID"),
        ("first: 1, last: 1", "API_PAGE_INVALID"),
        ('after: "forged"', "API_CURSOR_INVALID"),
    ],
)
async def test_a_page_that_is_none_is_refused(api: Api, page: str, code: str) -> None:
    venture = await api.venture()
    for field in ("accounts", "journals", "holds", "trialBalance", "events"):
        assert await venture.codes(f"{{ {field}({page}) {{ __typename }} }}") == [code]


async def test_a_cursor_serves_its_list_and_its_tenant(api: Api) -> None:
    venture, other = await api.venture(), await api.venture()
    for caller in (venture, other):
        await caller.open("a")
        await caller.open("b")
    page = await venture.ask("{ accounts(first: 1) { pageInfo { endCursor } } }")
    cursor = page["accounts"]["pageInfo"]["endCursor"]
    query = "query($c: String) { %s(after: $c) { __typename } }"
    assert await venture.ask(query % "accounts", {"c": cursor})
    for caller, field in ((other, "accounts"), (venture, "journals"), (venture, "trialBalance"), (venture, "events")):
        assert await caller.codes(query % field, {"c": cursor}) == ["API_CURSOR_INVALID"]


async def test_who_asks_too_much_waits_and_others_do_not(place: Place) -> None:
    async with open_api(place, principal_points_a_second=1, principal_points_burst=5) as api:
        venture = await api.venture()
        answers = await asyncio.gather(*(venture.send(ME) for _ in range(20)))
        refused = [one for one in answers if one.status_code != 200]
        assert 5 <= len(answers) - len(refused) < 20
        assert {(one.status_code, one.json()["code"]) for one in refused} == {(429, "API_RATE_LIMITED")}
        assert all(int(one.headers["retry-after"]) >= 1 for one in refused)
        assert (await api.caller(venture.tenant, sub="bob").send(ME)).status_code == 200
    async with open_api(place, tenant_points_a_second=1, tenant_points_burst=3) as api:
        venture = await api.venture()
        callers = [api.caller(venture.tenant, sub=f"u{number}") for number in range(20)]
        answers = await asyncio.gather(*(one.send(ME) for one in callers))
        assert 3 <= sum(one.status_code == 200 for one in answers) < 20
        assert (await (await api.venture()).send(ME)).status_code == 200


async def test_a_costly_operation_takes_its_price_from_the_rate(place: Place) -> None:
    async with open_api(place, principal_points_a_second=1, principal_points_burst=60) as api:
        venture = await api.venture()
        assert (await venture.send("{ accounts { nodes { id } } }")).status_code == 200
        assert (await venture.send("{ accounts { nodes { id } } }")).status_code == 429
        assert (await venture.send(ME)).status_code == 200


async def test_only_listed_operations_where_that_is_set(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "operations.json"
    file.write_text(json.dumps({digest_of(ME): ME}))
    async with open_api(place, persisted_file=file, persisted_only=True, introspection=False) as api:
        venture = await api.venture()
        by_digest = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest_of(ME)}}}
        response = await api.client.post("/graphql", json=by_digest, headers=venture.headers)
        assert response.json()["data"]["me"]["actor"] == "user:ann"
        assert (await venture.send(ME)).status_code == 200
        refused = await venture.send("{ ledger { journals } }")
        assert (refused.status_code, refused.json()["code"]) == (403, "API_OPERATION_NOT_LISTED")


async def test_whoever_was_revoked_is_refused(place: Place) -> None:
    async with open_api(place, revoked=frozenset({"user:mallory"})) as api:
        venture = await api.venture()
        mallory = api.caller(venture.tenant, sub="mallory")
        assert (await mallory.send(ME)).json()["code"] == "API_TOKEN_REVOKED"
        assert (await venture.send(ME)).status_code == 200


async def test_a_request_that_takes_too_long_is_ended(place: Place) -> None:
    async with open_api(place, request_seconds_max=0.3) as api:
        venture = await api.venture()

        async def endless() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(30)

        began = time.monotonic()
        response = await api.client.post(
            "/graphql", content=endless(), headers={**venture.headers, "content-type": "application/json"}
        )
        assert (response.status_code, response.json()["code"]) == (504, "API_TIMEOUT")
        assert time.monotonic() - began < 5


async def test_every_mutation_is_noted_refused_ones_too(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "parpour_api.audit")
    venture = await api.venture()
    bank, funding = await venture.open("bank"), await venture.open("funding", "EQUITY")
    await venture.post(bank, funding, "1", key="k")
    await venture.post(bank, funding, "0", key="z")
    auditor = api.caller(venture.tenant, roles=["auditor"], sub="eve")
    await auditor.codes(
        """mutation { closeAccount(account: "1") { __typename }
            lockPeriod(until: "2020-01-01T00:00:00Z") { __typename } }"""
    )
    noted = [
        (one.fields["actor"], one.fields["field"], one.fields["outcome"])  # type: ignore[attr-defined]
        for one in caplog.records
    ]
    assert noted == [
        ("user:ann", "openAccount", "OK"),
        ("user:ann", "openAccount", "OK"),
        ("user:ann", "postJournal", "OK"),
        ("user:ann", "postJournal", "AMOUNT_NOT_POSITIVE"),
        ("user:eve", "closeAccount", "API_FORBIDDEN"),
        ("user:eve", "lockPeriod", "API_FORBIDDEN"),
    ]
    for one in caplog.records:
        fields = one.fields  # type: ignore[attr-defined]
        assert (fields["tenant"], bool(UUID(fields["request"]))) == (str(venture.tenant), True)


async def test_figures_name_no_tenant_and_no_path_of_a_caller(place: Place) -> None:
    async with open_api(place) as api:
        venture = await api.venture()
        await venture.open("a")
        await api.client.get(f"/secret/{venture.tenant}")
        await api.client.request("BREW", "/graphql")
        text = (await api.client.get("/metrics")).text
        assert str(venture.tenant) not in text
        assert "secret" not in text
        assert "BREW" not in text
        assert 'parpour_api_mutations_total{code="OK",field="openAccount"} 1.0' in text
        assert 'route="other"' in text
        await venture.codes("{ nothing }")
        assert 'parpour_api_refusals_total{code="API_QUERY_INVALID"} 1.0' in (await api.client.get("/metrics")).text


async def test_a_database_without_our_schema_is_not_ready(postgres: Postgres) -> None:
    async with open_api(await postgres.empty()) as api:
        assert (await api.client.get("/healthz")).status_code == 200
        response = await api.client.get("/readyz")
        assert (response.status_code, response.json()["code"]) == (503, "API_SCHEMA_MISSING")


async def test_a_database_that_lacks_a_migration_is_not_ready(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    later = Migration("treasury", 9999, "later", "select 1")
    monkeypatch.setattr("parpour_api.waiting.MIGRATIONS", (*MIGRATIONS, later))
    response = await api.client.get("/readyz")
    assert (response.status_code, response.json()["code"]) == (503, "API_SCHEMA_MISSING")


@asynccontextmanager
async def some_books(api: Api) -> AsyncIterator[Any]:
    venture = await api.venture()
    bank, funding = await venture.open("assets:bank", minimum="0"), await venture.open("equity:funding", "EQUITY")
    yen, equity = await venture.open("assets:yen", currency="JPY"), await venture.open("equity:yen", "EQUITY", "JPY")
    for amount in range(1, 20):
        await venture.post(bank, funding, f"{amount}.25", description=f"number {amount}; a |comment")
        await venture.post(yen, equity, f"{amount}", currency="JPY")
    yield venture


@pytest.mark.parametrize(
    ("language", "command"),
    [("hledger", ["hledger", "-f", "{}", "check"]), ("ledger", ["ledger", "-f", "{}", "--pedantic", "balance"])],
)
async def test_a_download_holds_for_the_program_that_it_is_for(
    api: Api, tmp_path: Path, language: str, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The truth is the program's own check of every assertion; journals are read in pages, here in short ones."""
    monkeypatch.setattr("parpour_api.books_export.PAGE", 2)
    async with some_books(api) as venture:
        response = await api.client.get(f"/v1/books/export/{language}", headers=venture.headers)
        assert response.status_code == 200
        assert response.headers["content-disposition"].startswith("attachment; filename=")
        file = tmp_path / "books"
        file.write_bytes(response.content)
        program = shutil.which(command[0])
        assert program
        run = await asyncio.to_thread(
            subprocess.run, [part.format(file) for part in command], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr


async def test_a_download_that_takes_too_long_leaves_its_connection_to_others(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, ending = books_export.LANGUAGES[books_export.Language.LEDGER]

    def slowly(*arguments: Any) -> Iterator[str]:
        for line in write(*arguments):
            time.sleep(0.005)
            yield line

    monkeypatch.setattr("parpour_api.books_export.PAGE", 1)
    monkeypatch.setitem(books_export.LANGUAGES, books_export.Language.LEDGER, (slowly, ending))
    async with open_api(place, connections=1) as patient, some_books(patient) as venture:
        async with open_api(place, connections=1, request_seconds_max=0.01) as api:
            hasty = api.caller(venture.tenant)
            for _ in range(5):
                response = await api.client.get("/v1/books/export/ledger", headers=hasty.headers)
                assert (response.status_code, response.json()["code"]) == (504, "API_TIMEOUT")
        whole = await patient.client.get("/v1/books/export/ledger", headers=venture.headers)
        assert whole.status_code == 200


async def test_a_download_is_the_tenants_own_and_for_readers(api: Api) -> None:
    async with some_books(api) as venture:
        other = await api.venture()
        path = "/v1/books/export/beancount"
        assert b"number 3" in (await api.client.get(path, headers=venture.headers)).content
        assert b"number" not in (await api.client.get(path, headers=other.headers)).content
        agent = api.caller(venture.tenant, roles=["agent"], actor_kind="agent")
        response = await api.client.get(path, headers=agent.headers)
        assert (response.status_code, response.json()["code"]) == (403, "API_FORBIDDEN")
        response = await api.client.get("/v1/books/export/cobol", headers=venture.headers)
        assert (response.status_code, response.json()["code"]) == (422, "API_REQUEST_MALFORMED")


async def test_downloads_are_made_a_few_at_a_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    venture = await api.venture()
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()
    real = books_export._written

    async def slow(*arguments: Any) -> Any:
        begun.release()
        await go_on.wait()
        return await real(*arguments)

    monkeypatch.setattr(books_export, "_written", slow)
    path = "/v1/books/export/hledger"
    making = [asyncio.ensure_future(api.client.get(path, headers=venture.headers)) for _ in range(2)]
    for _ in making:
        await begun.acquire()
    busy = await api.client.get(path, headers=venture.headers)
    assert (busy.status_code, busy.json()["code"], busy.headers["retry-after"]) == (503, "API_BUSY", "1")
    go_on.set()
    assert [one.status_code for one in await asyncio.gather(*making)] == [200, 200]
    assert (await api.client.get(path, headers=venture.headers)).status_code == 200


async def test_a_failure_inside_is_told_by_its_code_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(_connection: object) -> None:
        raise ValueError("the inside of the house")

    monkeypatch.setattr(reading, "head", fails)
    venture = await api.venture()
    body = (await venture.send("{ ledger { journals } }")).json()
    assert [one["extensions"]["code"] for one in body["errors"]] == ["API_FIELD_FAILED"]
    assert "inside" not in json.dumps(body)
    assert "the inside of the house" in caplog.text


async def test_a_database_that_is_gone_is_said_to_be(postgres: Postgres, place: Place) -> None:
    lost = await postgres.make_place(MIGRATIONS)
    async with open_api(lost) as api:
        venture = await api.venture()
        await venture.open("a")
        administrator = await asyncpg.connect(place.dsn("postgres"))
        await administrator.execute(f"alter database {lost.name} connection limit 0")
        await administrator.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", lost.name
        )
        await administrator.close()
        assert set(await venture.codes("{ ledger { journals } }")) <= {"DATABASE_UNAVAILABLE"}
        refused = await venture.post("1", "1", "1")
        assert refused["code"] == "TREASURY_UNAVAILABLE"
        assert (await api.client.get("/readyz")).json()["code"] == "DATABASE_UNAVAILABLE"
        assert (await api.client.get("/healthz")).status_code == 200
