"""Spending over GraphQL: asked, approved, explained and read back, by members as the venture trusts them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .spending import Spending

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
