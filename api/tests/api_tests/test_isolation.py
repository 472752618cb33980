"""Two tenants over the API: whatever B asks with A's ids is answered as if there were no such thing, to the letter."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import GraphQLObjectType

from parpour_api.graphql.schema import executable
from parpour_controlplane.testing import Place, seal

from .building import Api, Caller
from .isolating import SECRET, Attack, fingerprint, neutral
from .test_banking import ATTACKED
from .test_spending_isolation import SPENDING

pytestmark = pytest.mark.anyio

UNKNOWN_NUMBER = "77"
UNKNOWN_HOLD = str(UUID(int=99))


@dataclass
class Two:
    """A with something of everything, B with nearly nothing."""

    a: Caller
    b: Caller
    hold: str
    journal: str
    account: str
    cursors: dict[str, str]
    events: list[str]


@pytest.fixture
async def two(api: Api) -> Two:
    a, b = await api.venture(), await api.venture(sub="bob")
    await b.open("bank")
    for number in range(4):
        await a.open(f"{SECRET}{number}")
    for number in range(3):
        await a.post("3", "4", "5", key=f"{SECRET}{number}", description=SECRET)
    place = """mutation($legs: [LegInput!]!) { placeHold(key: "h", legs: $legs, description: "%s") {
        ... on PlacedHold { hold { id } } } }"""
    legs = [
        {"account": account, "side": side, "amount": "1", "currency": "USD"}
        for account, side in (("3", "CREDIT"), ("4", "DEBIT"))
    ]
    hold = (await a.ask(place % SECRET, {"legs": legs}))["placeHold"]["hold"]["id"]
    await seal(api.place)
    cursors = {}
    for name in ("accounts", "journals", "holds", "trialBalance", "events"):
        page = await a.ask(f"{{ {name}(first: 1) {{ pageInfo {{ endCursor }} }} }}")
        cursors[name] = page[name]["pageInfo"]["endCursor"]
    events = (await a.ask("{ events { nodes { subject } } }"))["events"]["nodes"]
    return Two(a, b, hold, "3", "4", cursors, [one["subject"] for one in events])


def attacks(two: Two) -> dict[str, list[Attack]]:
    """By root field: a document, the id of A's that it names, and one that nobody has."""
    debit, credit = '{account: "%s", side: DEBIT, ', '{account: "1", side: CREDIT, '
    rest = 'amount: "1", currency: "USD"}'
    legs = f"[{debit}{rest}, {credit}{rest}]"
    refused = "__typename ... on Refusal { code message field }"
    account, journal, hold = (two.account, UNKNOWN_NUMBER), (two.journal, UNKNOWN_NUMBER), (two.hold, UNKNOWN_HOLD)
    at = "2026-01-01T00:00:00Z"
    return {
        "Query.account": [('{ account(id: "%s") { id code balance { amount } } }', *account)],
        "Query.journal": [('{ journal(number: "%s") { number description } }', *journal)],
        "Query.hold": [('{ hold(id: "%s") { id description } }', *hold)],
        "Query.statement": [
            ('{ statement(account: "%s", since: "' + at + '", until: "' + at + '") { closing { amount } } }', *account)
        ],
        "Query.accounts": [('{ accounts(after: "%s") { nodes { code } } }', two.cursors["accounts"], "x")],
        "Query.journals": [('{ journals(after: "%s") { nodes { number } } }', two.cursors["journals"], "x")],
        "Query.holds": [('{ holds(after: "%s") { nodes { id } } }', two.cursors["holds"], "x")],
        "Query.trialBalance": [('{ trialBalance(before: "%s") { nodes { code } } }', two.cursors["trialBalance"], "x")],
        "Query.events": [
            ('{ events(after: "%s") { nodes { type } } }', two.cursors["events"], "x"),
            *(
                ('{ events(subject: "%s") { nodes { type } } }', subject, "journal/77")
                for subject in two.events
                if subject != "account/1"
            ),
        ],
        "Query.ledger": [("{ ledger { accounts journals } } # %s", "", "")],
        "Query.me": [("{ me { tenant } } # %s", "", "")],
        "Mutation.openAccount": [
            (
                f'mutation {{ openAccount(code: "%s", name: "n", kind: ASSET, currency: "USD") {{ {refused} }} }}',
                f"{SECRET}1",
                "nobody-has-it",
            )
        ],
        "Mutation.limitAccount": [
            (f'mutation {{ limitAccount(account: "%s", minimum: "0") {{ {refused} }} }}', *account)
        ],
        "Mutation.closeAccount": [(f'mutation {{ closeAccount(account: "%s") {{ {refused} }} }}', *account)],
        "Mutation.postJournal": [
            (f'mutation {{ postJournal(key: "p-%s", legs: {legs % "4"}) {{ {refused} }} }}', "4", "77"),
            (f'mutation {{ postJournal(key: "%s", legs: {legs % "1"}) {{ {refused} }} }}', f"{SECRET}0", "new-key"),
        ],
        "Mutation.reverseJournal": [
            (f'mutation {{ reverseJournal(key: "r-%s", journal: "{journal[0]}") {{ {refused} }} }}', "3", "77")
        ],
        "Mutation.settleHold": [
            (f'mutation {{ settleHold(key: "s-%s", hold: "{two.hold}") {{ {refused} }} }}', "3", "77")
        ],
        "Mutation.voidHold": [(f'mutation {{ voidHold(key: "v-%s", hold: "{two.hold}") {{ {refused} }} }}', "3", "77")],
        "Mutation.lockPeriod": [('mutation { lockPeriod(until: "2020-01-01T00:00:00Z") { __typename } } # %s', "", "")],
        # The last one: afterwards B has a hold of this id too.
        "Mutation.placeHold": [
            (f'mutation {{ placeHold(key: "%s", hold: "{two.hold}", legs: {legs % "1"}) {{ {refused} }} }}', "h", "h2")
        ],
    }


def test_every_root_field_is_attacked() -> None:
    schema = executable()
    followed = schema.subscription_type
    assert isinstance(followed, GraphQLObjectType)
    assert set(followed.fields) == {"events"}, "test_following has the attacks on these"
    roots = [schema.query_type, schema.mutation_type]
    fields = {f"{root.name}.{name}" for root in roots if isinstance(root, GraphQLObjectType) for name in root.fields}
    someone = Caller(httpx.AsyncClient(), UUID(int=1), "")
    lists = ("accounts", "journals", "holds", "trialBalance", "events")
    nothing = Two(someone, someone, "", "", "", dict.fromkeys(lists, ""), [])
    banking = {one for one in fields if one.partition(".")[2] in ATTACKED}
    assert set(attacks(nothing)) | SPENDING | banking == fields


async def test_b_sees_nothing_of_a_whatever_it_asks(place: Place, two: Two) -> None:
    before = await fingerprint(place, two.a.tenant)
    for field, ways in attacks(two).items():
        for document, of_a, of_nobody in ways:
            theirs, nobodys = await two.b.send(document % of_a), await two.b.send(document % of_nobody)
            assert theirs.status_code == nobodys.status_code, field
            assert "API_QUERY" not in theirs.text, field
            assert SECRET not in theirs.text.replace(of_a, ""), field
            assert str(two.a.tenant) not in theirs.text, field
            if not field.endswith(("placeHold", "postJournal")):
                assert neutral(theirs.json(), of_a) == neutral(nobodys.json(), of_nobody), field
    assert await fingerprint(place, two.a.tenant) == before


async def test_b_may_use_the_same_keys_and_ids_as_a(two: Two) -> None:
    """They are other keys: neither a refusal nor a replay tells that A has them."""
    await two.b.open("other")
    answer = await two.b.post("1", "2", "5", key=f"{SECRET}0")
    assert answer == {"replayed": False, "journal": {"number": "1"}}
    legs = [
        {"account": account, "side": side, "amount": "1", "currency": "USD"}
        for account, side in (("1", "CREDIT"), ("2", "DEBIT"))
    ]
    document = """mutation($hold: ID!, $legs: [LegInput!]!) { placeHold(key: "h", hold: $hold, legs: $legs) {
        ... on PlacedHold { replayed hold { id } } ... on Refusal { code } } }"""
    placed = (await two.b.ask(document, {"hold": two.hold, "legs": legs}))["placeHold"]
    assert placed == {"replayed": False, "hold": {"id": two.hold}}
    void = 'mutation($hold: ID!) { voidHold(key: "v", hold: $hold) { ... on VoidedHold { hold { state } } } }'
    assert (await two.b.ask(void, {"hold": two.hold}))["voidHold"]["hold"]["state"] == "VOIDED"
    standing = await two.a.ask("query($hold: ID!) { hold(id: $hold) { state } }", {"hold": two.hold})
    assert standing["hold"]["state"] == "OPEN"


async def test_the_tenant_comes_from_the_token_whatever_else_is_said(api: Api, two: Two) -> None:
    other = str(two.a.tenant)
    response = await api.client.post(
        f"/graphql?tenant={other}&tenant_id={other}",
        json={
            "query": "{ me { tenant } accounts { nodes { code } } }",
            "variables": {"tenant": other},
            "extensions": {"tenant": other},
        },
        headers={**two.b.headers, "x-tenant": other, "x-forwarded-tenant": other, "cookie": f"tenant={other}"},
    )
    data = response.json()["data"]
    assert data["me"]["tenant"] == str(two.b.tenant)
    assert [one["code"] for one in data["accounts"]["nodes"]] == ["bank"]


async def test_requests_of_two_tenants_at_once_do_not_mix(api: Api, two: Two) -> None:
    """One pool of connections serves both; each answer is its own tenant's."""
    query = "{ me { tenant } accounts { nodes { code } } }"

    async def asked(caller: Caller) -> Any:
        return caller.tenant, await caller.ask(query)

    answers = await asyncio.gather(*(asked(caller) for _ in range(40) for caller in (two.a, two.b)))
    for tenant, data in answers:
        assert data["me"]["tenant"] == str(tenant)
        assert (SECRET in json.dumps(data)) == (tenant == two.a.tenant)


async def test_a_token_that_ends_stops_serving(api: Api, two: Two) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=20)).timestamp()
    late = api.caller(two.a.tenant, now=past)
    assert (await late.send("{ me { actor } }")).json()["code"] == "API_TOKEN_EXPIRED"
