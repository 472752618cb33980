"""Spending over GraphQL: asked, approved, explained and read back, by members as the venture trusts them."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from parpour_api.errors import CATALOGUE
from parpour_api.graphql.session import Reader
from parpour_treasury.spending.testing import payment_worker

from .building import Api
from .spending import ON_REFUSAL, REQUEST, Spending, confirmed, did, proposed, spending

pytestmark = pytest.mark.anyio


async def test_a_spend_is_asked_for_approved_and_read_back(venture: Spending) -> None:
    asked = await venture.request("20.00")
    assert asked["__typename"] == "RequestedSpend"
    assert asked["spend"]["state"] == "AWAITING_APPROVAL"
    assert asked["spend"]["amount"] == {"amount": "20.00", "currency": "USD", "minor": "2000"}
    pending = "{ pendingApprovals { nodes { id digest } } }"
    waiting = (await venture.caller("cat").ask(pending))["pendingApprovals"]["nodes"]
    assert waiting == [{"id": asked["spend"]["id"], "digest": asked["spend"]["digest"]}]
    approved = await venture.approve(waiting[0], by="cat")
    assert approved["__typename"] == "ApprovedSpend"
    assert approved["spend"]["state"] == "RESERVED"
    assert (await venture.caller("cat").ask(pending))["pendingApprovals"]["nodes"] == []
    told = await venture.caller("ann").ask(
        """query($id: ID!) { spend(id: $id) { state quorum actor
            envelope { code parent { code } reserved { amount } left { amount } }
            payee { name provider destination { name value } }
            hold { state legs { amount { amount } } }
            approvals { person verdict }
            decisions { number verdict replays quorum allowedBy reasons { code } }
            outcomes { step } journals { number } course { attempts } } }""",
        {"id": asked["spend"]["id"]},
    )
    spend = told["spend"]
    assert (spend["state"], spend["quorum"], spend["actor"]) == ("RESERVED", 1, "agent:buyer")
    assert spend["envelope"] == {
        "code": "ads",
        "parent": {"code": "budget"},
        "reserved": {"amount": "20.00"},
        "left": {"amount": "4980.00"},
    }
    assert spend["payee"]["destination"] == [{"name": "id", "value": "ba_1"}]
    assert spend["hold"] == {"state": "OPEN", "legs": [{"amount": {"amount": "20.00"}}] * 2}
    assert spend["approvals"] == [{"person": "cat", "verdict": "APPROVE"}]
    assert [(one["number"], one["verdict"], one["replays"]) for one in spend["decisions"]] == [
        (1, "AWAIT", True),
        (2, "RESERVE", True),
    ]
    assert (spend["outcomes"], spend["journals"], spend["course"]) == ([], [], None)


async def test_a_request_that_the_rules_refuse_is_an_answer_with_every_code(venture: Spending) -> None:
    refused = await venture.request("60.00", payee=str(venture.venture.firm))
    assert (refused["__typename"], refused["code"]) == ("RefusedSpend", "TREASURY_SPEND_CAP_EXCEEDED")
    assert refused["spend"]["state"] == "REFUSED"
    everything = await venture.request("6000.00", by="ann")
    assert set(everything["codes"]) == {
        "TREASURY_SPEND_CAP_EXCEEDED",
        "TREASURY_ENVELOPE_EXCEEDED",
        "TREASURY_VELOCITY_EXCEEDED",
    }


async def test_the_same_key_is_answered_as_it_was(venture: Spending) -> None:
    first = await venture.request("1.00", key="k")
    again = await venture.request("1.00", key="k")
    assert again == {**first, "replayed": True}
    refused = await venture.request("60.00", key="refused")
    assert await venture.request("60.00", key="refused") == {**refused, "replayed": True}
    other = await venture.request("2.00", key="k")
    assert (other["__typename"], other["code"]) == ("Refusal", "TREASURY_IDEMPOTENCY_KEY_REUSED")


async def test_an_explanation_tells_people_limits_and_agents_codes(venture: Spending) -> None:
    query = """query($spend: SpendInput!) { explain(spend: $spend) { verdict codes lines quorum
        reasons { code subject limit used } } }"""
    asked = {"spend": venture.spend("6000.00")}
    agent = (await venture.caller("buyer").ask(query, asked))["explain"]
    assert agent["verdict"] == "REFUSE"
    assert "TREASURY_ENVELOPE_EXCEEDED" in agent["codes"]
    assert (agent["lines"], agent["quorum"], agent["reasons"]) == (None, None, None)
    person = (await venture.caller("ann").ask(query, asked))["explain"]
    assert {"code": "TREASURY_ENVELOPE_EXCEEDED", "subject": "envelope/ads", "limit": "500000", "used": "0"} in person[
        "reasons"
    ]
    assert any("envelope/budget" in line for line in person["lines"])
    assert (await venture.caller("ann").ask("{ spends { nodes { id } } }"))["spends"]["nodes"] == []


ENVELOPES = """{ envelopes { nodes { id code currency cap { amount } reserved { amount } spent { amount }
    left { amount } parent { code } children { code } } } }"""


async def test_envelopes_are_a_tree_and_tell_software_no_limits(venture: Spending) -> None:
    await venture.request("5.00")
    ads, budget = (await venture.caller("dan").ask(ENVELOPES))["envelopes"]["nodes"]
    assert (ads["code"], ads["parent"], ads["children"]) == ("ads", {"code": "budget"}, [])
    assert (budget["parent"], budget["children"]) == (None, [{"code": "ads"}])
    assert budget["left"] == {"amount": "4995.00"}
    for one in (await venture.caller("buyer").ask(ENVELOPES))["envelopes"]["nodes"]:
        assert one["code"] in ("ads", "budget")
        assert {one[name] and one[name]["amount"] for name in ("cap", "reserved", "spent", "left")} == {None}


async def test_spends_are_listed_by_their_filters_from_either_end(venture: Spending) -> None:
    for amount in ("1.00", "2.00", "60.00"):
        await venture.request(amount)
    await venture.request("3.00", by="other", payee=str(venture.venture.firm))
    ann = venture.caller("ann")

    async def listed(arguments: str) -> list[str]:
        page = await ann.ask(f"{{ spends({arguments}) {{ nodes {{ amount {{ amount }} }} }} }}")
        return [one["amount"]["amount"] for one in page["spends"]["nodes"]]

    assert await listed("first: 9") == ["1.00", "2.00", "60.00", "3.00"]
    assert await listed("last: 2") == ["60.00", "3.00"]
    assert await listed("state: REFUSED") == ["60.00"]
    assert await listed(f'payee: "{venture.venture.firm}"') == ["3.00"]
    assert await listed('payee: "nothing"') == []
    assert await listed(f'envelope: "{venture.venture.budget}"') == []
    assert await listed('actor: "agent:buyer", state: REFUSED') == ["60.00"]
    assert await listed('until: "2020-01-01T00:00:00Z"') == []
    assert await listed('since: "2020-01-01T00:00:00Z", last: 1') == ["3.00"]
    page = await ann.ask("{ spends(first: 2) { pageInfo { endCursor hasNextPage } } }")
    cursor = page["spends"]["pageInfo"]["endCursor"]
    assert page["spends"]["pageInfo"]["hasNextPage"]
    assert await listed(f'first: 2, after: "{cursor}"') == ["60.00", "3.00"]
    assert await listed(f'last: 1, before: "{cursor}"') == ["1.00"]


async def test_an_agent_sees_its_own_spends_and_no_others(venture: Spending) -> None:
    own, others = await venture.request("1.00"), await venture.request("1.00", by="other")
    agent = venture.caller("buyer")
    listed = await agent.ask("{ spends { nodes { id quorum approvals { person } decisions { facts } } } }")
    assert listed["spends"]["nodes"] == [
        {"id": own["spend"]["id"], "quorum": None, "approvals": None, "decisions": None}
    ]
    assert (await agent.ask('{ spends(actor: "agent:other") { nodes { id } } }'))["spends"]["nodes"] == []
    query = "query($id: ID!) { spend(id: $id) { id } }"
    assert (await agent.ask(query, {"id": others["spend"]["id"]}))["spend"] is None
    assert (await agent.ask(query, {"id": own["spend"]["id"]}))["spend"] == {"id": own["spend"]["id"]}


async def test_requests_of_many_callers_share_a_commit(venture: Spending) -> None:
    """The process has one authority: decisions of one batch are of one moment."""
    answers: list[Any] = await asyncio.gather(
        *(venture.request("1.00", by=name) for _ in range(30) for name in ("buyer", "ann"))
    )
    assert {one["__typename"] for one in answers} == {"RequestedSpend"}
    dan = venture.caller("dan")
    page = await dan.ask("{ spends(first: 100) { nodes { decisions { decidedAt } } } }")
    moments = {one["decisions"][0]["decidedAt"] for one in page["spends"]["nodes"]}
    assert len(page["spends"]["nodes"]) == 60
    assert len(moments) < 20


async def test_requests_at_once_never_spend_more_than_there_is(api: Api) -> None:
    venture = await spending(api, cap=500)
    answers = await asyncio.gather(
        *(
            venture.request("0.40", payee=str(payee))
            for _ in range(15)
            for payee in (venture.venture.shop, venture.venture.firm)
        )
    )
    reserved = [one for one in answers if one["__typename"] == "RequestedSpend"]
    assert len(reserved) == 12
    assert {one["code"] for one in answers if one not in reserved} == {"TREASURY_ENVELOPE_EXCEEDED"}
    left = (await venture.caller("ann").ask(ENVELOPES))["envelopes"]["nodes"][0]["left"]
    assert left == {"amount": "0.20"}
    assert await venture.venture.faults() == []


PAID = """query($id: ID!) { spend(id: $id) { state step settled { amount } providerReference submittedAt
    course { attempts questions asksPerson } outcomes { step reference fee { amount } actor }
    journals { number description legs { account { code } side amount { amount } } } } }"""


async def test_a_payments_course_outcomes_and_journals_are_told(venture: Spending) -> None:
    spend = (await venture.request("9.00"))["spend"]
    identity = UUID(spend["id"])
    ann = venture.caller("ann")
    async with payment_worker(venture.api.place, venture.venture) as worker:
        await worker.claim()
        await worker.begin(identity)
        assert (await ann.ask(PAID, {"id": spend["id"]}))["spend"]["state"] == "SUBMITTING"
        await worker.advance(identity, "sent", fee=25, provider="po_1")
        await worker.advance(identity, "settled")
    told = (await ann.ask(PAID, {"id": spend["id"]}))["spend"]
    assert (told["state"], told["settled"]["amount"], told["providerReference"]) == ("SETTLED", "9.00", "po_1")
    assert told["course"] == {"attempts": 0, "questions": 0, "asksPerson": False}
    assert [(one["step"], one["fee"]["amount"], one["actor"]) for one in told["outcomes"]] == [
        ("SENT", "0.25", "system:payments"),
        ("SETTLED", "0.00", "system:payments"),
    ]
    moved = [[leg["account"]["code"] for leg in one["legs"]] for one in told["journals"]]
    assert moved == [
        ["assets:in-transit:usd", "assets:bank:usd"],
        ["expenses:fees:usd", "assets:bank:usd"],
        ["expenses:spending:usd", "assets:in-transit:usd"],
    ]


async def test_what_is_metered_is_renewed_settled_and_has_its_journal(venture: Spending) -> None:
    spend = (await venture.request("2.00", payee=str(venture.venture.platform)))["spend"]["id"]
    buyer = venture.caller("buyer")
    made = "spend { state amount { amount } settled { amount } }"
    call = f'renewSpend(key: "r", spend: "{spend}", amount: "1.00", lifetimeSeconds: 60)'
    renewed = await did(buyer, call, f"... on RenewedSpend {{ replayed {made} }}")
    assert (renewed["replayed"], renewed["spend"]["amount"]["amount"]) == (False, "3.00")
    call = f'settleSpend(key: "s", spend: "{spend}", amount: "2.50")'
    settled = await did(buyer, call, f"... on SettledSpend {{ replayed {made} }}")
    assert (settled["spend"]["state"], settled["spend"]["settled"]["amount"]) == ("SETTLED", "2.50")
    journals = (await venture.caller("ann").ask(PAID, {"id": spend}))["spend"]["journals"]
    assert [leg["amount"]["amount"] for leg in journals[0]["legs"]] == ["2.50", "2.50"]


async def test_a_payment_of_which_nobody_knows_is_decided_by_two_people(venture: Spending) -> None:
    spend = (await venture.request("9.00"))["spend"]["id"]
    async with payment_worker(venture.api.place, venture.venture) as worker:
        await worker.claim()
        await worker.begin(UUID(spend))
        await worker.advance(UUID(spend), "unknown")
    call = f'proposeResolution(key: "r", spend: "{spend}", outcome: FAILED, evidence: $evidence)'
    found = [{"name": "asked", "value": "Stripe's support, ticket 7"}]
    change = await proposed(venture.caller("bob"), call, evidence=found)
    assert (await confirmed(venture.caller("ann"), change))["change"]["state"] == "APPLIED"
    told = (await venture.caller("ann").ask(PAID, {"id": spend}))["spend"]
    assert (told["state"], told["outcomes"][-1]["actor"]) == ("FAILED", "user:ann")


async def test_two_people_change_envelopes_payees_and_rules(venture: Spending) -> None:
    ann, bob = venture.caller("ann"), venture.caller("bob")
    pairs = [{"name": "id", "value": "ba_7"}]
    bank = venture.venture.accounts["assets:bank:usd"]
    for call, variables in (
        (
            f"""proposeEnvelope(key: "e", parent: "{venture.venture.budget}", code: "travel", currency: "USD",
                cap: "10")""",
            {},
        ),
        (
            """proposePayee(key: "p", name: "The Inn ☂ “Zur Post”", category: "travel", provider: MERCURY,
                destination: $pairs, account: $pairs)""",
            {"pairs": pairs},
        ),
        ('proposeRules(key: "r", version: 2, document: $document)', {"document": '{"payeeCoolOffSeconds": 0}'}),
        ('proposeRelease(key: "l", what: KILL_SWITCH)', {}),
        (f'proposeLimits(key: "b", account: "{bank}", minimum: "-12.5")', {}),
    ):
        change = await proposed(bob, call, **variables)
        assert change["state"] == "PROPOSED", change
        assert await proposed(bob, call, **variables) == change
        assert (await confirmed(ann, change))["change"]["state"] == "APPLIED"
    told = await ann.ask(
        """{ envelopes { nodes { code cap { amount } } } payees { nodes { name usableFrom provider } }
            ruleBooks { nodes { version document proposedBy approvedBy } } venture { rules { version } }
            changes(state: APPLIED) { nodes { kind proposedBy decidedBy } } }"""
    )
    assert {"code": "travel", "cap": {"amount": "10.00"}} in told["envelopes"]["nodes"]
    assert "The Inn ☂ “Zur Post”" in {one["name"] for one in told["payees"]["nodes"]}
    last = told["ruleBooks"]["nodes"][-1]
    assert (last["version"], last["proposedBy"], last["approvedBy"]) == (2, "user:bob", "user:ann")
    assert json.loads(last["document"])["payeeCoolOffSeconds"] == 0
    assert told["venture"] == {"rules": {"version": 2}}
    assert [one["kind"] for one in told["changes"]["nodes"]] == [
        "ENVELOPE",
        "PAYEE",
        "RULES",
        "RELEASE",
        "LIMITS",
    ]
    limits = await ann.ask(
        "query($id: ID!) { account(id: $id) { minimum { amount } maximum { amount } } }", {"id": bank}
    )
    assert limits["account"] == {"minimum": {"amount": "-12.50"}, "maximum": None}


async def test_a_longer_list_asks_the_database_no_more_questions(
    venture: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    read = Reader.read

    async def counted(self: Reader, ask: Any) -> Any:
        nonlocal asked
        asked += 1
        return await read(self, ask)

    for number in range(6):
        await venture.request("1.00", payee=str(venture.venture.shop if number % 2 else venture.venture.firm))
    monkeypatch.setattr(Reader, "read", counted)
    query = """query($first: Int!) { spends(first: $first) { nodes { envelope { parent { children { code } } }
        payee { name } hold { state legs { account { code } } } approvals { person } decisions { replays }
        course { attempts } outcomes { step } journals { number } } } }"""
    questions = []
    for first in (1, 6):
        asked = 0
        page = await venture.caller("ann").ask(query, {"first": first})
        assert len(page["spends"]["nodes"]) == first
        questions.append(asked)
    assert questions[0] == questions[1] < 15


HOSTILE = (
    "'; drop table treasury.spend; --",
    '"}) { id } } #',
    "<script>alert(1)</script>",
    "{{7*7}} ${jndi:ldap://x}",
    "\u202egnp.exe",
    "a" * 10_000,
    "\x00",
    "line\nbreak",
    "\ud800",
    "💸" * 50,
)


async def test_no_text_of_a_caller_is_anything_but_text(venture: Spending, caplog: pytest.LogCaptureFixture) -> None:
    """Kept to the letter, or refused with a code; never carried out, and never a line of a log."""
    for text in HOSTILE:
        refusals = await codes_met(venture, text)
        assert refusals <= set(CATALOGUE), text
        assert not refusals & {"API_INTERNAL", "API_FIELD_FAILED", "TREASURY_UNAVAILABLE", "DATABASE_UNAVAILABLE"}, text
    assert not [one for one in caplog.records if one.levelname == "ERROR"]
    assert await venture.venture.faults() == []


async def codes_met(venture: Spending, text: str) -> set[str]:
    """The codes of a text in every field that takes one."""
    ann, bob = venture.caller("ann"), venture.caller("bob")
    met: set[str] = set()
    asked = (await ann.send(REQUEST, {"key": text, "spend": venture.spend("1.00", purpose=text)})).json()
    spend = asked.get("data", {}).get("requestSpend", {}).get("spend")
    assert spend is None or spend["purpose"] == text
    for call in (
        "proposeMember(key: $x, actor: $x, person: $x, roles: OWNER)",
        'proposeEnvelope(key: "k", code: $x, currency: $x, cap: $x)',
        """proposePayee(key: "p", name: $x, category: $x, provider: STRIPE, destination: {name: $x, value: $x},
            account: {name: $x, value: $x})""",
        "proposeRules(key: $x, version: 2, document: $x)",
        'proposeLimits(key: "l", account: "1", minimum: $x, maximum: $x)',
        "freezeVenture(reason: $x)",
        "revokeMember(actor: $x, reason: $x)",
    ):
        response = await bob.send(f"mutation($x: String!) {{ r: {call} {{ {ON_REFUSAL} }} }}", {"x": text})
        assert response.status_code < 500
        told = response.json()
        met |= {one["extensions"]["code"] for one in told.get("errors", ())} | {told.get("code", "")}
        met |= {told["data"]["r"].get("code", "")} if told.get("data") else set()
    for call in ("envelope(id: $x)", "payee(id: $x)", "spend(id: $x)", "change(id: $x)"):
        response = await ann.send(f"query($x: ID!) {{ r: {call} {{ id }} }}", {"x": text})
        assert response.json().get("data", {"r": None})["r"] is None
    response = await ann.send("query($x: String!) { spends(actor: $x) { nodes { id } } }", {"x": text})
    assert response.status_code < 500
    return met - {""}


AMOUNTS = (
    ("-1", "USD", "AMOUNT_NOT_POSITIVE"),
    ("-0", "USD", "AMOUNT_NOT_POSITIVE"),
    ("0.00", "USD", "AMOUNT_NOT_POSITIVE"),
    ("0.001", "USD", "AMOUNT_TOO_PRECISE"),
    ("1.5", "JPY", "AMOUNT_TOO_PRECISE"),
    ("1,50", "USD", "AMOUNT_MALFORMED"),
    ("1e2", "USD", "AMOUNT_MALFORMED"),
    ("NaN", "USD", "AMOUNT_MALFORMED"),
    ("0x10", "USD", "AMOUNT_MALFORMED"),
    ("٣", "USD", "AMOUNT_MALFORMED"),
    ("9223372036854775807", "JPY", "TREASURY_BALANCE_OVERFLOW"),
    ("9223372036854775808", "JPY", "AMOUNT_OUT_OF_RANGE"),
    ("1.00", "USDT", "CURRENCY_UNKNOWN"),
    ("1.00", "usd", "CURRENCY_UNKNOWN"),
)


async def test_an_amount_that_is_none_is_refused(venture: Spending) -> None:
    for amount, currency, code in AMOUNTS:
        refused = await venture.request(amount, currency=currency)
        assert (refused["__typename"], refused["code"]) == ("Refusal", code), amount


async def test_a_number_is_no_amount(venture: Spending) -> None:
    variables = {"key": "k", "spend": venture.spend("1") | {"amount": 12.5}}
    assert await venture.caller("buyer").codes(REQUEST, variables) == ["API_VARIABLES_INVALID"]
