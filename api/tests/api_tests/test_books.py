"""The books over GraphQL: what is written is read, to the unit, and refusals are results."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from parpour_controlplane.database import open_database
from parpour_controlplane.events import erase_payload
from parpour_controlplane.testing import Place, seal
from parpour_treasury import reading

from .building import POST, Api, open_api

pytestmark = pytest.mark.anyio

REFUSED = "... on Refusal { code field message }"


async def test_who_asks_is_who_the_token_says(api: Api) -> None:
    caller = await api.venture(sub="bot-7", actor_kind="agent", roles=["agent"])
    data = await caller.ask("{ me { tenant actor roles person authenticatedAt } }")
    assert data["me"]["tenant"] == str(caller.tenant)
    assert (data["me"]["actor"], data["me"]["roles"], data["me"]["person"]) == ("agent:bot-7", ["AGENT"], None)


async def test_a_journal_is_posted_and_read_back_exactly(api: Api) -> None:
    caller = await api.venture()
    bank = await caller.open("assets:bank:usd", minimum="0")
    funding = await caller.open("equity:funding:usd", "EQUITY")
    posted = await caller.post(bank, funding, "1000.50", description="first money")
    assert posted == {"replayed": False, "journal": {"number": "1"}}
    data = await caller.ask(
        """{ ledger { accounts journals recordedAt lockedUntil }
            journal(number: "1") { kind description actor legs { side amount { amount currency minor }
                balance { amount } account { id code available { amount } minimum { amount } maximum { amount } } } }
            account(id: "1") { code balance { amount minor } incoming { amount } outgoing { amount } } }"""
    )
    assert data["ledger"]["journals"] == "1"
    assert data["ledger"]["lockedUntil"] is None
    debit, credit = data["journal"]["legs"]
    assert debit["amount"] == {"amount": "1000.50", "currency": "USD", "minor": "100050"}
    assert (debit["side"], credit["side"]) == ("DEBIT", "CREDIT")
    assert debit["account"] == {
        "id": bank,
        "code": "assets:bank:usd",
        "available": {"amount": "1000.50"},
        "minimum": {"amount": "0.00"},
        "maximum": None,
    }
    assert credit["balance"] == {"amount": "-1000.50"}
    assert credit["account"]["available"] is None
    assert data["account"]["balance"] == {"amount": "1000.50", "minor": "100050"}


async def test_a_balance_can_be_asked_for_at_two_times(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    past = datetime.now(UTC) - timedelta(days=3)
    await caller.post(bank, funding, "7", effectiveAt=past.isoformat())
    await caller.post(bank, funding, "5")
    query = """query($then: DateTime!, $before: DateTime!) { account(id: "2") {
        now: balance { amount } then: balance(effectiveAt: $then) { amount }
        unknown: balance(effectiveAt: $then, recordedAt: $then) { amount }
        before: balance(effectiveAt: $before) { amount } } }"""
    data = await caller.ask(query, {"then": past.isoformat(), "before": (past - timedelta(seconds=1)).isoformat()})
    amounts = {name: value["amount"] for name, value in data["account"].items()}
    assert amounts == {"now": "12.00", "then": "7.00", "unknown": "0.00", "before": "0.00"}


async def test_a_hold_is_placed_settled_in_part_and_voided(api: Api) -> None:
    caller = await api.venture()
    bank, spending = await caller.open("bank", minimum="0"), await caller.open("spending", "EXPENSE")
    funding = await caller.open("funding", "EQUITY")
    await caller.post(bank, funding, "100")
    legs = [
        {"account": spending, "side": "DEBIT", "amount": "40.00", "currency": "USD"},
        {"account": bank, "side": "CREDIT", "amount": "40.00", "currency": "USD"},
    ]
    place = """mutation($legs: [LegInput!]!) { placeHold(key: "h", legs: $legs) {
        ... on PlacedHold { replayed hold { id state legs { side amount { amount } settled { amount } } } } %s } }"""
    placed = (await caller.ask(place % REFUSED, {"legs": legs}))["placeHold"]
    assert placed["hold"]["state"] == "OPEN"
    again = (await caller.ask(place % REFUSED, {"legs": legs}))["placeHold"]
    assert again == {**placed, "replayed": True}
    data = await caller.ask('{ account(id: "1") { available { amount } outgoing { amount } } }')
    assert data["account"] == {"available": {"amount": "60.00"}, "outgoing": {"amount": "40.00"}}
    settle = """mutation($hold: ID!, $key: String!, $amounts: [String!]) {
        settleHold(key: $key, hold: $hold, amounts: $amounts, release: false) {
            ... on SettledHold { hold { state legs { settled { amount } } } journal { kind hold } } %s } }"""
    hold = placed["hold"]["id"]
    part = (await caller.ask(settle % REFUSED, {"hold": hold, "key": "s", "amounts": ["15", "15.00"]}))["settleHold"]
    assert [leg["settled"]["amount"] for leg in part["hold"]["legs"]] == ["15.00", "15.00"]
    assert part["journal"] == {"kind": "SETTLEMENT", "hold": hold}
    for amounts, code in [
        (["1"], "TREASURY_COMMAND_MALFORMED"),
        (["-1", "1"], "AMOUNT_NOT_POSITIVE"),
        (["26", "26"], "TREASURY_HOLD_EXCEEDED"),
    ]:
        refused = await caller.ask(settle % REFUSED, {"hold": hold, "key": f"s{code}", "amounts": amounts})
        assert refused["settleHold"]["code"] == code
    void = 'mutation($hold: ID!) { voidHold(key: "v", hold: $hold) { ... on VoidedHold { hold { state } } %s } }'
    assert (await caller.ask(void % REFUSED, {"hold": hold}))["voidHold"] == {"hold": {"state": "VOIDED"}}
    listed = await caller.ask("{ holds { nodes { id state } } }")
    assert listed["holds"]["nodes"] == [{"id": hold, "state": "VOIDED"}]
    balance = await caller.ask('{ account(id: "2") { balance { amount } } }')
    assert balance["account"]["balance"]["amount"] == "15.00"


async def test_a_journal_is_reversed_once_a_period_locked_and_an_account_limited_and_closed(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    await caller.post(bank, funding, "9")
    reverse = f"""mutation($key: String!) {{ reverseJournal(key: $key, journal: "1") {{
        ... on PostedJournal {{ journal {{ kind reverses }} }} {REFUSED} }} }}"""
    first = (await caller.ask(reverse, {"key": "r"}))["reverseJournal"]
    assert first == {"journal": {"kind": "REVERSAL", "reverses": "1"}}
    assert (await caller.ask(reverse, {"key": "r2"}))["reverseJournal"]["code"] == "TREASURY_JOURNAL_REVERSED"
    lock = f"""mutation($until: DateTime!) {{ lockPeriod(until: $until) {{
        ... on LockedPeriod {{ lockedUntil }} {REFUSED} }} }}"""
    until = datetime.now(UTC) - timedelta(days=1)
    assert "lockedUntil" in (await caller.ask(lock, {"until": until.isoformat()}))["lockPeriod"]
    late = await caller.post(bank, funding, "1", effectiveAt=(until - timedelta(hours=1)).isoformat())
    assert late["code"] == "TREASURY_PERIOD_LOCKED"
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert (await caller.ask(lock, {"until": tomorrow.isoformat()}))["lockPeriod"][
        "code"
    ] == "TREASURY_PERIOD_OUT_OF_ORDER"
    limit = f"""mutation {{ limitAccount(account: "1", minimum: "-5.5", maximum: "10") {{
        ... on LimitedAccount {{ account {{ minimum {{ amount }} maximum {{ amount }} }} }} {REFUSED} }} }}"""
    limited = (await caller.ask(limit))["limitAccount"]["account"]
    assert limited == {"minimum": {"amount": "-5.50"}, "maximum": {"amount": "10.00"}}
    assert (await caller.post(bank, funding, "10.01"))["code"] == "TREASURY_LIMIT_EXCEEDED"
    close = (
        f'mutation {{ closeAccount(account: "1") {{ ... on ClosedAccount {{ account {{ closedAt }} }} {REFUSED} }} }}'
    )
    assert (await caller.ask(close))["closeAccount"]["account"]["closedAt"]
    assert (await caller.post(bank, funding, "1"))["code"] == "TREASURY_ACCOUNT_CLOSED"
    await caller.post(funding, await caller.open("other"), "1")
    in_use = close.replace('"1"', '"2"')
    assert (await caller.ask(in_use))["closeAccount"]["code"] == "TREASURY_ACCOUNT_IN_USE"


async def test_the_trial_balance_sums_to_zero_and_a_statement_adds_up(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    begin = datetime.now(UTC) - timedelta(days=9)
    for day in range(5):
        await caller.post(bank, funding, f"{day + 1}", effectiveAt=(begin + timedelta(days=day)).isoformat())
    lines = (await caller.ask("{ trialBalance { nodes { code balance { minor } account { id } } } }"))["trialBalance"][
        "nodes"
    ]
    assert sum(int(one["balance"]["minor"]) for one in lines) == 0
    assert [one["account"]["id"] for one in lines] == ["1", "2"]
    query = """query($since: DateTime!, $until: DateTime!, $after: String) {
        statement(account: "2", since: $since, until: $until) { opening { minor } closing { minor } account { code }
            movements(first: 2, after: $after) {
                nodes { journal amount { minor } } pageInfo { hasNextPage endCursor } } } }"""
    window = {"since": (begin + timedelta(hours=1)).isoformat(), "until": (begin + timedelta(days=4)).isoformat()}
    first = (await caller.ask(query, window))["statement"]
    second = (await caller.ask(query, {**window, "after": first["movements"]["pageInfo"]["endCursor"]}))["statement"]
    moved = first["movements"]["nodes"] + second["movements"]["nodes"]
    assert [one["journal"] for one in moved] == ["2", "3", "4"]
    assert first["movements"]["pageInfo"]["hasNextPage"]
    assert not second["movements"]["pageInfo"]["hasNextPage"]
    opening, closing = int(first["opening"]["minor"]), int(first["closing"]["minor"])
    assert (opening, closing) == (100, 1000)
    assert opening + sum(int(one["amount"]["minor"]) for one in moved) == closing


async def test_pages_go_both_ways_and_meet(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    for amount in range(1, 8):
        await caller.post(bank, funding, str(amount))
    query = """query($first: Int, $last: Int, $after: String, $before: String) {
        journals(first: $first, last: $last, after: $after, before: $before) {
            edges { cursor node { number } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

    async def page(**asked: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await caller.ask(query, asked))["journals"]
        return [one["node"]["number"] for one in found["edges"]], found["pageInfo"]

    front, info = await page(first=3)
    assert (front, info["hasNextPage"], info["hasPreviousPage"]) == (["1", "2", "3"], True, False)
    middle, info2 = await page(first=3, after=info["endCursor"])
    assert (middle, info2["hasNextPage"], info2["hasPreviousPage"]) == (["4", "5", "6"], True, True)
    back, info3 = await page(last=2)
    assert (back, info3["hasNextPage"], info3["hasPreviousPage"]) == (["6", "7"], False, True)
    before, _ = await page(last=2, before=info3["startCursor"])
    assert before == ["4", "5"]
    between, info4 = await page(first=9, after=info["endCursor"], before=info3["startCursor"])
    assert (between, info4["hasNextPage"]) == (["4", "5"], False)
    assert await page(first=0) == (
        [],
        {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    )


async def test_events_tell_what_was_done(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    await caller.post(bank, funding, "3", description="told")
    assert (await caller.ask("{ events { nodes { id } } }"))["events"]["nodes"] == [], "nothing has its place yet"
    await seal(api.place)
    query = """query($subject: String, $after: String) { events(subject: $subject, first: 2, after: $after) {
        nodes { position type subject actor payload version taint } pageInfo { endCursor hasNextPage } } }"""
    first = (await caller.ask(query, {}))["events"]
    assert [one["type"] for one in first["nodes"]] == ["treasury.account.opened"] * 2
    rest = (await caller.ask(query, {"after": first["pageInfo"]["endCursor"]}))["events"]
    assert [(one["type"], one["subject"], one["actor"]) for one in rest["nodes"]] == [
        ("treasury.journal.posted", "journal/1", "user:ann")
    ]
    named = (await caller.ask(query, {"subject": "journal/1"}))["events"]["nodes"]
    assert named == rest["nodes"]
    assert json.loads(named[0]["payload"])["description"] == "told"
    backward = "{ events(last: 2) { nodes { position } pageInfo { hasPreviousPage } } }"
    last = (await caller.ask(backward))["events"]
    assert ([one["position"] for one in last["nodes"]], last["pageInfo"]["hasPreviousPage"]) == (["2", "3"], True)


async def test_what_an_event_said_is_null_after_it_was_erased(api: Api) -> None:
    caller = await api.venture()
    await caller.open("bank")
    await seal(api.place)
    (told,) = (await caller.ask("{ events { nodes { id payload } } }"))["events"]["nodes"]
    assert json.loads(told["payload"])["code"] == "bank"
    async with open_database(api.place.dsn(), connections=1) as database:
        context = api.place.app.mint(tenant=caller.tenant, actor="user:ann")
        assert await erase_payload(database.pool, context, UUID(told["id"]), reason="asked for")
    await seal(api.place)
    erased, erasure = (await caller.ask("{ events { nodes { id payload type } } }"))["events"]["nodes"]
    assert (erased["id"], erased["payload"]) == (told["id"], None)
    assert erasure["type"] == "controlplane.payload.erased"


AMOUNTS = [
    ("1.234", "USD", "AMOUNT_TOO_PRECISE"),
    ("1.00", "JPY", "AMOUNT_TOO_PRECISE"),
    ("-1", "USD", "AMOUNT_NOT_POSITIVE"),
    ("0", "USD", "AMOUNT_NOT_POSITIVE"),
    ("92233720368547758.08", "USD", "AMOUNT_OUT_OF_RANGE"),
    ("92233720368547758.07", "USD", "TREASURY_BALANCE_OVERFLOW"),
    ("1e3", "USD", "AMOUNT_MALFORMED"),
    ("NaN", "USD", "AMOUNT_MALFORMED"),
    ("1", "EUR", "TREASURY_CURRENCY_MISMATCH"),
    ("1", "XXX", "CURRENCY_UNKNOWN"),
    ("1", "usd", "CURRENCY_UNKNOWN"),
]


@pytest.mark.parametrize(("amount", "currency", "code"), AMOUNTS)
async def test_an_amount_that_is_none_is_refused_and_nothing_moves(
    api: Api, amount: str, currency: str, code: str
) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    assert (await caller.post(bank, funding, amount, currency=currency))["code"] == code
    assert (await caller.ask("{ ledger { journals } }"))["ledger"]["journals"] == "0"


@pytest.mark.parametrize("amount", [12.5, 12, True, None, [], {}])
async def test_an_amount_is_text_and_nothing_else(api: Api, amount: object) -> None:
    caller = await api.venture()
    legs = [{"account": "1", "side": "DEBIT", "amount": amount, "currency": "USD"}] * 2
    response = await caller.send(
        POST, {"key": "k", "legs": legs}, headers={"accept": "application/graphql-response+json"}
    )
    assert response.status_code == 400
    assert [one["extensions"]["code"] for one in response.json()["errors"]] == ["API_VARIABLES_INVALID"] * len(
        response.json()["errors"]
    )


async def test_a_float_in_the_document_is_refused(api: Api) -> None:
    caller = await api.venture()
    leg = '{account: "1", side: DEBIT, amount: 1.5, currency: "USD"}'
    assert await caller.codes(f'mutation {{ postJournal(key: "k", legs: [{leg}]) {{ __typename }} }}') == [
        "API_QUERY_INVALID"
    ]


async def test_a_leg_without_its_opposite_is_refused(api: Api) -> None:
    caller = await api.venture()
    bank = await caller.open("bank")
    legs = [{"account": bank, "side": "DEBIT", "amount": "1", "currency": "USD"}]
    assert (await caller.ask(POST, {"key": "k", "legs": legs}))["postJournal"]["code"] == "TREASURY_JOURNAL_UNBALANCED"
    assert (await caller.ask(POST, {"key": "k", "legs": []}))["postJournal"]["code"] == "TREASURY_JOURNAL_EMPTY"
    assert (await caller.ask(POST, {"key": "", "legs": legs * 2}))["postJournal"][
        "code"
    ] == "TREASURY_COMMAND_MALFORMED"


async def test_a_key_answers_as_before_and_serves_no_other_request(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    assert not (await caller.post(bank, funding, "5", key="k"))["replayed"]
    again = await caller.post(bank, funding, "5", key="k")
    assert again == {"replayed": True, "journal": {"number": "1"}}
    assert (await caller.post(bank, funding, "6", key="k"))["code"] == "TREASURY_IDEMPOTENCY_KEY_REUSED"
    other = api.caller(caller.tenant, sub="bob")
    assert (await other.post(bank, funding, "5", key="k"))["code"] == "TREASURY_IDEMPOTENCY_KEY_REUSED"


async def test_a_hundred_clients_with_one_key_post_one_journal(api: Api) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    answers = await asyncio.gather(*(caller.post(bank, funding, "5", key="one") for _ in range(100)))
    assert {one["journal"]["number"] for one in answers} == {"1"}
    data = await caller.ask('{ ledger { journals } account(id: "1") { balance { amount } } }')
    assert data == {"ledger": {"journals": "1"}, "account": {"balance": {"amount": "5.00"}}}


HOSTILE = [
    "'; drop table treasury.leg; --",
    "\\'; --",
    "$$;$$",
    "{{x}} ${jndi:ldap://x}",
    "%s %1$s %(x)s",
    "</script><script>alert(1)</script>",
    'a\r\n{"level":"info","message":"forged"}',
    "\u202e☂\u0000",
    "null",
    "x" * 20_000,
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_kept_as_it_is_or_refused_in_every_field(
    api: Api, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    answer = await caller.post(bank, funding, "1", description=text)
    if "journal" in answer:
        data = await caller.ask('{ journal(number: "1") { description } }')
        assert data["journal"]["description"] == text
    else:
        assert answer["code"] == "TREASURY_COMMAND_MALFORMED"
    for field, value in (
        ("key", {"key": text}),
        ("currency", {"key": "c", "currency": text}),
        ("amount", {"key": "a", "amount": text}),
        ("account", {"key": "i", "account": text}),
    ):
        leg = {"account": bank, "side": "DEBIT", "amount": "1", "currency": "USD"}
        leg |= {name: one for name, one in value.items() if name in leg}
        legs = [leg, {"account": funding, "side": "CREDIT", "amount": "1", "currency": "USD"}]
        result = (await caller.ask(POST, {"key": value["key"], "legs": legs}))["postJournal"]
        assert "journal" in result or result["code"], field
    opening = """mutation($text: String!, $other: String!) {
        a: openAccount(code: $text, name: "n", kind: ASSET, currency: "USD") { __typename ... on Refusal { code } }
        b: openAccount(code: $other, name: $text, kind: ASSET, currency: "USD") { __typename ... on Refusal { code } }
        c: openAccount(code: "c", name: "n", kind: ASSET, currency: "USD", minimum: $text) { __typename } }"""
    data = await caller.ask(opening, {"text": text, "other": f"x{uuid4().hex}"})
    assert {one["__typename"] for one in data.values()} <= {"OpenedAccount", "Refusal"}
    lookups = """query($text: ID!, $subject: String!) { account(id: $text) { id } journal(number: $text) { number }
        hold(id: $text) { id }
        statement(account: $text, since: "2020-01-01T00:00:00Z", until: "2020-01-02T00:00:00Z") { since } }"""
    data = await caller.ask(lookups.replace(", $subject: String!", ""), {"text": text})
    assert set(data.values()) == {None}
    assert set(await caller.codes("query($t: String!) { events(after: $t) { nodes { id } } }", {"t": text})) == {
        "API_CURSOR_INVALID"
    }
    subject = await caller.send("query($t: String!) { events(subject: $t) { nodes { id } } }", {"t": text})
    assert subject.status_code == 200
    assert "API_FIELD_FAILED" not in subject.text
    assert "API_INTERNAL" not in caplog.text


async def test_what_a_request_reads_is_of_one_moment(api: Api) -> None:
    """Balances of two accounts that change together agree within each answer, while others write."""
    caller = await api.venture()
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")

    async def write() -> None:
        for _ in range(30):
            await caller.post(bank, funding, "1")

    async def read() -> None:
        for _ in range(30):
            data = await caller.ask(
                """{ a: account(id: "1") { balance { minor } } ledger { journals }
                    b: account(id: "2") { balance { minor } } }"""
            )
            assert data["a"] == data["b"]
            assert int(data["a"]["balance"]["minor"]) == 100 * int(data["ledger"]["journals"])

    await asyncio.gather(write(), read(), read())


async def test_a_list_loads_its_accounts_in_one_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await api.venture()
    accounts = [await caller.open(f"a{number}") for number in range(6)]
    for one, other in pairwise(accounts):
        await caller.post(one, other, "1")
    asked: list[int] = []
    real = reading.accounts_of

    async def counted(connection: Any, numbers: Any) -> Any:
        asked.append(len(numbers))
        return await real(connection, numbers)

    monkeypatch.setattr("parpour_api.graphql.session.accounts_of", counted)
    await caller.ask("{ journals { nodes { legs { account { code } } } } }")
    assert asked == [6]


async def test_one_connection_is_enough_for_whatever_is_asked(place: Place) -> None:
    """Nobody holds a connection for reading while waiting for one to write with."""
    async with open_api(place, connections=1) as api, asyncio.timeout(20):
        caller = await api.venture()
        bank, other = await caller.open("bank"), await caller.open("other")
        legs = [
            {"account": bank, "side": "DEBIT", "amount": "4", "currency": "USD"},
            {"account": other, "side": "CREDIT", "amount": "4", "currency": "USD"},
        ]
        document = """mutation($key: String!, $hold: ID!, $legs: [LegInput!]!) {
            first: limitAccount(account: "1", maximum: "100") { ... on LimitedAccount { account { id } } }
            placeHold(key: $key, hold: $hold, legs: $legs) { ... on PlacedHold { hold { legs { account { code } } } } }
            settleHold(key: "s", hold: $hold, amounts: ["1", "1"], release: false) {
                ... on SettledHold { journal { legs { account { balance { amount } } } } } }
            postJournal(key: "p", legs: $legs) { ... on PostedJournal { journal { number } } } }"""

        async def asked(number: int) -> Any:
            hold = str(uuid5(UUID(int=1), str(number)))
            text = document.replace('"s"', f'"s{number}"').replace('"p"', f'"p{number}"')
            return await caller.ask(text, {"key": f"h{number}", "hold": hold, "legs": legs})

        for data in await asyncio.gather(*(asked(number) for number in range(8))):
            assert data["settleHold"]["journal"]["legs"][0]["account"]["balance"]
            assert data["postJournal"]["journal"]["number"]
