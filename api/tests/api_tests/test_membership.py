"""Who may do what in a venture: its members' rows decide, beside the token; a revoked member is refused everywhere."""

from __future__ import annotations

import json
from typing import cast
from uuid import UUID, uuid4

import pytest

from parpour_api.graphql.spending.trusting import OF_SPENDING, WITHOUT_LIMITS
from parpour_api.identity import members
from parpour_api.identity.principal import ClaimNames, principal_of
from parpour_api.identity.tokens import RevokedList
from parpour_controlplane.eventtypes import EVENT_TYPES as OF_THE_CONTROL_PLANE
from parpour_controlplane.testing import seal
from parpour_treasury.eventtypes import EVENT_TYPES
from parpour_treasury.spending.facts import Member
from parpour_treasury.spending.register import Register

from .building import Api, claims, open_api
from .sockets import following
from .spending import Spending, confirmed, did, proposed, spending

pytestmark = pytest.mark.anyio

REVOKE = "... on RevokedMember { already member { actor revokedAt } }"


async def test_a_revoked_member_is_refused_everywhere_at_once(venture: Spending) -> None:
    other = venture.caller("other")
    spend = (await venture.request("1.00", by="other"))["spend"]["id"]
    told = await did(venture.caller("bob"), 'revokeMember(actor: "agent:other", reason: "lost")', REVOKE)
    assert (told["already"], bool(told["member"]["revokedAt"])) == (False, True)
    for query in (
        "{ me { actor } }",
        "{ spends { nodes { id } } }",
        'mutation { throwKillSwitch(reason: "r") { __typename } }',
    ):
        response = await other.send(query)
        assert (response.status_code, response.json()["code"]) == (401, "API_TOKEN_REVOKED")
    for method, path in (("GET", f"/v1/spends/{spend}"), ("POST", "/v1/spends"), ("GET", "/v1/books/export/hledger")):
        response = await venture.api.client.request(method, path, headers=other.headers)
        assert response.json()["code"] == "API_TOKEN_REVOKED"
    again = await did(venture.caller("bob"), 'revokeMember(actor: "agent:other", reason: "lost")', REVOKE)
    assert again["already"] is True


async def test_a_revocation_of_another_process_counts_within_seconds(
    venture: Spending, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = venture.caller("other")
    assert (await other.send("{ me { actor } }")).status_code == 200
    await venture.venture.governance.revoke(venture.venture.context("user:ann"), "agent:other", reason="r")
    assert members.FRESH_SECONDS <= 5
    monkeypatch.setattr(members, "FRESH_SECONDS", 0.0)
    assert (await other.send("{ me { actor } }")).json()["code"] == "API_TOKEN_REVOKED"


async def test_a_member_who_was_taken_back_is_served_again(venture: Spending) -> None:
    await did(venture.caller("bob"), 'revokeMember(actor: "user:dan", reason: "r")')
    dan = venture.caller("dan")
    assert (await dan.send("{ me { actor } }")).status_code == 401
    call = 'proposeMember(key: "back", actor: "user:dan", person: "dan", roles: [AUDITOR, APPROVER])'
    change = await proposed(venture.caller("bob"), call)
    assert change["kind"] == "MEMBER"
    assert (await confirmed(venture.caller("ann"), change))["change"]["state"] == "APPLIED"
    listed = await dan.ask("{ members { nodes { actor roles revokedAt } } }")
    assert {"actor": "user:dan", "roles": ["AUDITOR", "APPROVER"], "revokedAt": None} in listed["members"]["nodes"]


async def test_the_members_row_bounds_what_a_token_may_see(venture: Spending) -> None:
    """Dan's token says owner, his row auditor; the buyer's says auditor as well, its row agent."""
    dan = venture.caller("dan", roles=["owner", "approver"])
    assert await dan.codes("{ pendingApprovals { nodes { id } } }") == ["TREASURY_ROLE_MISSING"]
    assert (await did(dan, 'proposeRules(key: "k", version: 2, document: "{}")'))["code"] == "TREASURY_ROLE_MISSING"
    buyer = venture.caller("buyer", roles=["agent", "auditor"])
    assert await buyer.codes("{ members { nodes { actor } } }") == ["TREASURY_ROLE_MISSING"]
    assert await buyer.codes("{ ruleBooks { nodes { document } } }") == ["TREASURY_ROLE_MISSING"]


async def test_software_is_told_no_rules_whatever_its_roles(venture: Spending) -> None:
    call = 'proposeMember(key: "k", actor: "agent:auditor", roles: [AUDITOR, AGENT])'
    await confirmed(venture.caller("ann"), await proposed(venture.caller("bob"), call))
    auditor = venture.caller("buyer", sub="auditor", roles=["agent", "auditor"])
    await venture.request("1.00")
    for query in ("{ ruleBooks { nodes { document } } }", "{ changes { nodes { body } } }"):
        assert await auditor.codes(query) == ["TREASURY_NOT_A_PERSON"]
    told = await auditor.ask(
        """{ venture { rules { document } } envelopes { nodes { cap { amount } left { amount } } }
            spends { nodes { actor quorum decisions { facts } hold { id } journals { number } outcomes { fee { minor } }
                approvals { person } course { attempts } payee { destination { value } } } } }"""
    )
    assert told["venture"] == {"rules": None}
    assert told["envelopes"]["nodes"] == [{"cap": None, "left": None}] * 2
    nothing = dict.fromkeys(("quorum", "decisions", "hold", "journals", "outcomes", "approvals", "course"))
    assert told["spends"]["nodes"] == [{"actor": "agent:buyer", **nothing, "payee": {"destination": None}}]


async def test_no_event_and_no_account_tells_software_a_limit_whatever_its_roles(venture: Spending) -> None:
    call = 'proposeMember(key: "k", actor: "agent:auditor", roles: [AUDITOR, AGENT])'
    await confirmed(venture.caller("ann"), await proposed(venture.caller("bob"), call))
    await venture.request("1.00")
    await seal(venture.api.place)
    program = venture.caller("buyer", sub="auditor", roles=["agent", "auditor", "treasurer"])
    asked = (
        "{ events(first: 200) { nodes { type payload } } accounts { nodes { minimum { minor } available { minor } } } }"
    )
    shown, whole = [await caller.ask(asked) for caller in (program, venture.caller("ann"))]
    hidden = {one["type"] for one in shown["events"]["nodes"] if one["payload"] is None}
    assert hidden >= {"treasury.envelope.changed", "treasury.payee.changed", "treasury.account.opened"}
    assert "treasury.spend.reserved" not in hidden
    assert all(one["payload"] for one in whole["events"]["nodes"])
    assert {json.dumps(one) for one in shown["accounts"]["nodes"]} == {'{"minimum": null, "available": null}'}
    assert any(one["minimum"] for one in whole["accounts"]["nodes"])
    stranger = await venture.caller("ann", sub="stranger").ask(asked)
    unknown = {one["type"] for one in stranger["events"]["nodes"] if one["payload"] is None}
    assert unknown == hidden - {"treasury.account.opened"}, "the venture knows no such person"
    async with following(program, venture.api) as socket:
        told = await socket.events(len(shown["events"]["nodes"]))
    assert {one["type"] for one in told if one["payload"] is None} == hidden


def test_whether_a_type_of_event_tells_limits_is_said_of_each() -> None:
    limits = {"treasury.account.opened", "treasury.account.limited"} | OF_SPENDING
    for one in (*EVENT_TYPES, *OF_THE_CONTROL_PLANE):
        assert one.name.startswith(WITHOUT_LIMITS) != (one.name in limits), one.name


async def test_the_platforms_own_tenant_is_nobodys(api: Api) -> None:
    response = await api.caller(UUID(int=0)).send("{ me { actor } }")
    assert (response.status_code, response.json()["code"]) == (401, "API_TOKEN_CLAIMS")


async def test_a_step_up_is_what_the_installation_takes_for_one(api: Api) -> None:
    """With `step_up` set, a password alone is no step-up, however recent."""
    async with open_api(api.place, step_up="phr,mfa") as strict:
        venture = await spending(strict)
        spend = (await venture.request("11.00"))["spend"]
        weak = await venture.approve(spend, by="cat", acr="pwd")
        assert (weak["__typename"], weak["code"]) == ("Refusal", "TREASURY_STEP_UP_NEEDED")
        assert (await venture.approve(spend, by="cat"))["code"] == "TREASURY_STEP_UP_NEEDED"
        assert (await venture.approve(spend, by="cat", acr="mfa", key=str(uuid4())))["__typename"] == "ApprovedSpend"


async def test_a_revocation_ends_the_sockets_of_the_account(api: Api) -> None:
    async with open_api(api.place, socket_trust_seconds=0.1) as quick:
        venture = await spending(quick)
        async with following(venture.caller("dan"), quick) as socket:
            await did(venture.caller("bob"), 'revokeMember(actor: "user:dan", reason: "r")')
            assert await socket.closed() == (4401, "API_TOKEN_REVOKED")


async def test_one_look_at_a_member_serves_five_seconds_of_requests(venture: Spending) -> None:
    now, looks = 0.0, 0
    register = venture.venture.register

    class Counted:
        async def membership(self, context: str) -> Member | None:
            nonlocal looks
            looks += 1
            return await register.membership(context)

    known = members.Members(cast("Register", Counted()), venture.api.place.app, listed=RevokedList(), clock=lambda: now)
    tenant = venture.venture.tenant
    bob = principal_of(claims(tenant, sub="bob"), ClaimNames())
    eve = principal_of(claims(tenant, sub="eve"), ClaimNames())
    for _ in range(5):
        found = await known.member(bob)
        assert found is not None
        assert found.roles == ("treasurer", "approver")
        assert await known.member(eve) is None
        assert not await known.revoked(bob)
    assert looks == 2
    now = members.FRESH_SECONDS
    await known.member(bob)
    assert looks == 3
    known.forget(tenant)
    await known.member(bob)
    assert looks == 4
