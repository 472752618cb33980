"""Each refusal of the spending authority that a caller can meet: one case for each code, told as a result."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import parpour_treasury
from parpour_treasury.refusals import REFUSALS, TreasuryError
from parpour_treasury.spending.changes import EnvelopeBody
from parpour_treasury.spending.testing import RULES, payee_body

from .building import Api
from .spending import Spending, confirmed, did, proposed, spending

pytestmark = pytest.mark.anyio

Case = Callable[[Spending], Awaitable[Any]]
NOBODY = str(uuid4())
PAIR = [{"name": "id", "value": "ba_9"}]
RELEASE = 'proposeRelease(key: "%s", what: FREEZE)'


async def envelope(venture: Spending, **fields: Any) -> str:
    """A new envelope's id."""
    body = EnvelopeBody(**{"envelope": uuid4(), "code": f"e{uuid4().hex}", "currency": "USD", "cap": 100_000, **fields})
    await venture.venture.change(body)
    return str(body.envelope)


async def waiting(venture: Spending, **more: Any) -> Any:
    """A spend that waits for one approval."""
    return (await venture.request("11.00", **more))["spend"]


async def cap(venture: Spending) -> Any:
    return await venture.request("60.00")


async def not_allowed(venture: Spending) -> Any:
    """The token says owner, the venture says auditor: the venture is right."""
    variables = {"key": str(uuid4()), "spend": venture.spend("1.00")}
    query = """mutation($key: String!, $spend: SpendInput!) { requestSpend(key: $key, spend: $spend) {
        __typename ... on RefusedSpend { code } } }"""
    return (await venture.caller("dan", roles=["owner"]).ask(query, variables))["requestSpend"]


async def member_unknown(venture: Spending) -> Any:
    return await did(venture.caller("bob"), 'revokeMember(actor: "user:eve", reason: "r")')


async def member_revoked(venture: Spending) -> Any:
    """Another process has revoked it, a moment after this one has looked."""
    await venture.request("1.00", by="other")
    await venture.venture.governance.revoke(venture.venture.context("user:ann"), "agent:other", reason="r")
    return await venture.request("1.00", by="other")


async def payee_unknown(venture: Spending) -> Any:
    return await venture.request("1.00", payee=NOBODY)


async def payee_cooling(venture: Spending) -> Any:
    body = payee_body(uuid4(), name="New", account="77")
    await venture.venture.change(body)
    return await venture.request("1.00", payee=str(body.payee))


async def payee_held(venture: Spending) -> Any:
    held = await did(
        venture.caller("dan"),
        f'holdPayee(payee: "{venture.venture.firm}", reason: "r")',
        "... on HeldPayee { already }",
    )
    assert held["already"] is False
    return await venture.request("1.00", payee=str(venture.venture.firm))


async def payee_retired(venture: Spending) -> Any:
    body = payee_body(uuid4(), name="Old", account="78")
    await venture.venture.change(body)
    await venture.venture.change(body.model_copy(update={"retired": True}))
    return await venture.request("1.00", payee=str(body.payee))


async def payee_changed(venture: Spending) -> Any:
    spend = await waiting(venture, payee=str(venture.venture.shop))
    await venture.venture.change(payee_body(venture.venture.shop, account="79"))
    return await venture.approve(spend, by="cat")


async def change_needed(venture: Spending) -> Any:
    bank = venture.venture.accounts["assets:bank:usd"]
    return await did(venture.caller("ann"), f'limitAccount(account: "{bank}", minimum: "-1000")')


async def envelope_unknown(venture: Spending) -> Any:
    return await venture.request("1.00", envelope=NOBODY)


async def envelope_closed(venture: Spending) -> Any:
    past = datetime.now(UTC) - timedelta(days=1)
    return await venture.request("1.00", envelope=await envelope(venture, closes_at=past))


async def envelope_exceeded(venture: Spending) -> Any:
    return await venture.request("2.00", envelope=await envelope(venture, cap=100))


async def envelope_in_use(venture: Spending) -> Any:
    wanted = f'envelope: "{venture.venture.budget}", code: "other", currency: "USD", cap: "1"'
    change = await proposed(venture.caller("bob"), f'proposeEnvelope(key: "in-use", {wanted})')
    return await confirmed(venture.caller("ann"), change)


async def currency_mismatch(venture: Spending) -> Any:
    return await venture.request("1.00", currency="EUR")


async def account_unknown(venture: Spending) -> Any:
    euros = await envelope(venture, currency="EUR")
    return await venture.request("1.00", currency="EUR", envelope=euros)


async def velocity(venture: Spending) -> Any:
    await venture.request("450.00", by="ann")
    return await venture.request("450.00", by="ann")


async def key_reused(venture: Spending) -> Any:
    await venture.request("1.00", key="reused")
    return await venture.request("2.00", key="reused")


async def spend_unknown(venture: Spending) -> Any:
    return await venture.approve({"id": NOBODY, "digest": "0" * 64}, by="cat")


async def spend_state(venture: Spending) -> Any:
    spend = await waiting(venture)
    rejected = await did(
        venture.caller("cat"),
        f'rejectSpend(key: "reject", spend: "{spend["id"]}")',
        "... on RejectedSpend { spend { state } }",
    )
    assert rejected["spend"]["state"] == "REJECTED"
    return await venture.approve(spend, by="cat")


async def mismatch(venture: Spending) -> Any:
    return await venture.approve({**await waiting(venture), "digest": "0" * 64}, by="cat")


async def own(venture: Spending) -> Any:
    """Bob answers for the agent that asks."""
    return await venture.approve(await waiting(venture), by="bob")


async def repeated(venture: Spending) -> Any:
    spend = (await venture.request("120.00", by="ann"))["spend"]
    first = await venture.approve(spend, by="cat")
    assert (first["__typename"], first["spend"]["state"]) == ("ApprovedSpend", "AWAITING_APPROVAL")
    return await venture.approve(spend, by="cat-phone")


async def step_up(venture: Spending) -> Any:
    spend = await waiting(venture)
    untold = await venture.approve(spend, by="cat", auth_time=None)
    assert untold["code"] == "TREASURY_STEP_UP_NEEDED"
    return await venture.approve(spend, by="cat", auth_time=int(time.time()) - 400)


async def not_a_person(venture: Spending) -> Any:
    agent = venture.caller("buyer", roles=["treasurer"])
    return await did(agent, 'freezeVenture(reason: "r")')


async def role_missing(venture: Spending) -> Any:
    spend = await waiting(venture, by="ann")
    return await did(venture.caller("other"), f'cancelSpend(key: "not-theirs", spend: "{spend["id"]}")')


async def metered(venture: Spending, amount: str) -> str:
    """An internal spend's id."""
    spend = (await venture.request(amount, payee=str(venture.venture.platform)))["spend"]
    assert spend["state"] == "RESERVED"
    identity: str = spend["id"]
    return identity


async def approval_needed(venture: Spending) -> Any:
    spend = await metered(venture, "5.00")
    return await did(venture.caller("buyer"), f'renewSpend(key: "renew", spend: "{spend}", amount: "8.00")')


async def spend_exceeded(venture: Spending) -> Any:
    spend = await metered(venture, "1.00")
    return await did(venture.caller("buyer"), f'settleSpend(key: "settle", spend: "{spend}", amount: "1.01")')


async def command_malformed(venture: Spending) -> Any:
    return await venture.request("1.00", purpose="two\nlines")


async def overflow(venture: Spending) -> Any:
    return await venture.request("90000000000000000")


async def not_positive(venture: Spending) -> Any:
    return await venture.request("0")


async def amount_malformed(venture: Spending) -> Any:
    return await venture.request("1e3")


async def change_unknown(venture: Spending) -> Any:
    return await confirmed(venture.caller("ann"), {"id": NOBODY, "digest": "0" * 64})


async def change_malformed(venture: Spending) -> Any:
    return await proposed(
        venture.caller("bob"), 'proposeEnvelope(key: "m", code: "Not a name", currency: "USD", cap: "1")'
    )


async def change_own(venture: Spending) -> Any:
    ann = venture.caller("ann")
    return await confirmed(ann, await proposed(ann, RELEASE % "own"))


async def change_closed(venture: Spending) -> Any:
    bob = venture.caller("bob")
    change = await proposed(bob, RELEASE % "closed")
    withdrawn = await did(
        bob,
        f'declineChange(change: "{change["id"]}", digest: "{change["digest"]}")',
        "... on DeclinedChange { change { state } }",
    )
    assert withdrawn["change"]["state"] == "REJECTED"
    return await confirmed(venture.caller("ann"), change)


async def change_stale(venture: Spending) -> Any:
    change = await proposed(venture.caller("bob"), 'proposeRules(key: "stale", version: 9, document: "{}")')
    return await confirmed(venture.caller("ann"), change)


async def rules_malformed(venture: Spending) -> Any:
    return await proposed(
        venture.caller("bob"), 'proposeRules(key: "x", version: 2, document: $document)', document='{"allow": 7}'
    )


async def two_people(venture: Spending) -> Any:
    change = await proposed(
        venture.caller("bob"), 'proposeMember(key: "t", actor: "user:ann", person: "ann", roles: [AUDITOR])'
    )
    return await confirmed(venture.caller("ann"), change)


async def rules_changed(venture: Spending) -> Any:
    spend = await waiting(venture)
    await venture.venture.change_rules(RULES)
    return await venture.approve(spend, by="cat")


async def frozen(venture: Spending) -> Any:
    assert (await did(venture.caller("dan"), 'freezeVenture(reason: "r")'))["__typename"] == "StoppedVenture"
    refused = await venture.request("1.00")
    change = await proposed(venture.caller("bob"), RELEASE % "unfreeze")
    assert (await confirmed(venture.caller("ann"), change))["change"]["state"] == "APPLIED"
    return refused


async def killed(venture: Spending) -> Any:
    agent = venture.caller("buyer")
    for already in (False, True):
        thrown = await did(
            agent, 'throwKillSwitch(reason: "r")', "... on StoppedVenture { already venture { reason } }"
        )
        assert thrown["already"] is already
    return await venture.request("1.00")


CASES: dict[str, Case] = {
    "AMOUNT_MALFORMED": amount_malformed,
    "AMOUNT_NOT_POSITIVE": not_positive,
    "TREASURY_ACCOUNT_UNKNOWN": account_unknown,
    "TREASURY_APPROVAL_MISMATCH": mismatch,
    "TREASURY_APPROVAL_NEEDED": approval_needed,
    "TREASURY_APPROVAL_OWN": own,
    "TREASURY_APPROVAL_REPEATED": repeated,
    "TREASURY_BALANCE_OVERFLOW": overflow,
    "TREASURY_CHANGE_CLOSED": change_closed,
    "TREASURY_CHANGE_MALFORMED": change_malformed,
    "TREASURY_CHANGE_NEEDED": change_needed,
    "TREASURY_CHANGE_OWN": change_own,
    "TREASURY_CHANGE_STALE": change_stale,
    "TREASURY_CHANGE_UNKNOWN": change_unknown,
    "TREASURY_COMMAND_MALFORMED": command_malformed,
    "TREASURY_CURRENCY_MISMATCH": currency_mismatch,
    "TREASURY_ENVELOPE_CLOSED": envelope_closed,
    "TREASURY_ENVELOPE_EXCEEDED": envelope_exceeded,
    "TREASURY_ENVELOPE_IN_USE": envelope_in_use,
    "TREASURY_ENVELOPE_UNKNOWN": envelope_unknown,
    "TREASURY_IDEMPOTENCY_KEY_REUSED": key_reused,
    "TREASURY_MEMBER_UNKNOWN": member_unknown,
    "TREASURY_NOT_A_PERSON": not_a_person,
    "TREASURY_PAYEE_COOLING": payee_cooling,
    "TREASURY_PAYEE_HELD": payee_held,
    "TREASURY_PAYEE_RETIRED": payee_retired,
    "TREASURY_PAYEE_UNKNOWN": payee_unknown,
    "TREASURY_ROLE_MISSING": role_missing,
    "TREASURY_RULES_MALFORMED": rules_malformed,
    "TREASURY_SPEND_CAP_EXCEEDED": cap,
    "TREASURY_SPEND_EXCEEDED": spend_exceeded,
    "TREASURY_SPEND_NOT_ALLOWED": not_allowed,
    "TREASURY_SPEND_STATE": spend_state,
    "TREASURY_SPEND_UNKNOWN": spend_unknown,
    "TREASURY_STEP_UP_NEEDED": step_up,
    "TREASURY_TWO_PEOPLE_NEEDED": two_people,
    "TREASURY_MEMBER_REVOKED": member_revoked,
    "TREASURY_VENTURE_FROZEN": frozen,
    "TREASURY_RULES_CHANGED": rules_changed,
    "TREASURY_PAYEE_CHANGED": payee_changed,
    "TREASURY_VELOCITY_EXCEEDED": velocity,
    "TREASURY_KILL_SWITCH": killed,
}
"""In an order in which none spoils the next: what changes the rules or the shop, or stops everything, comes last."""

ELSEWHERE = {
    "TREASURY_FUNDS_INSUFFICIENT": "another venture, below",
    "TREASURY_RESERVE_PROTECTED": "another venture, below",
    "TREASURY_RULES_UNKNOWN": "another venture, below",
    "TREASURY_LEDGER_UNKNOWN": "a tenant without books, below",
    "TREASURY_LIMIT_EXCEEDED": "an account's own limit, below",
    "TREASURY_BATCH_MALFORMED": "only a program that speaks SQL meets it",
}
"""Codes of the same sources that the walk below does not meet."""


def codes_of_the_authority() -> set[str]:
    """Codes that the authority's sources mention, in Python and in SQL."""
    root = Path(parpour_treasury.__file__).parent
    found: set[str] = set()
    for path in (root / "spending").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in REFUSALS:
                found.add(node.value)
    for name in ("0009_authority", "0010_changes", "0024_limits_of_accounts"):
        found |= set(re.findall(r"refuse\('([A-Z_]+)'", (root / f"sql/migrations/{name}.sql").read_text()))
    return found


def test_every_code_of_the_authority_has_its_case() -> None:
    assert codes_of_the_authority() == set(CASES) | set(ELSEWHERE)


async def test_each_refusal_is_a_result_with_its_code(venture: Spending) -> None:
    for code, case in CASES.items():
        told = await case(venture)
        assert told["__typename"] in ("Refusal", "RefusedSpend"), (code, told)
        assert code in told.get("codes", [told["code"]]), (code, told)
    assert await venture.venture.faults() == []


async def test_what_the_bank_lacks_and_what_a_reserve_keeps_is_refused(api: Api) -> None:
    venture = await spending(api, funds=12_000)
    assert (await venture.request("30.00"))["code"] == "TREASURY_RESERVE_PROTECTED"
    assert (await venture.request("130.00", by="ann"))["code"] == "TREASURY_FUNDS_INSUFFICIENT"


async def test_a_tenant_that_was_never_set_up_spends_nothing(api: Api) -> None:
    call = (
        """requestSpend(key: "k", spend: {envelope: "%s", payee: "%s", amount: "1", currency: "USD", purpose: "p"})"""
    )
    owner = await api.venture()
    for caller, code in (
        (owner, "TREASURY_RULES_UNKNOWN"),
        (api.caller(uuid4()), "TREASURY_LEDGER_UNKNOWN"),
    ):
        assert (await did(caller, call % (NOBODY, NOBODY)))["code"] == code
        assert (await did(caller, 'freezeVenture(reason: "r")'))["code"] == "TREASURY_MEMBER_UNKNOWN"
        assert await caller.codes("{ venture { frozenAt } }") == ["TREASURY_MEMBER_UNKNOWN"]


@pytest.mark.parametrize("code", ["TREASURY_UNAVAILABLE", "TREASURY_OVERLOADED"])
async def test_what_may_be_asked_again_is_a_result_as_well(
    venture: Spending, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise TreasuryError(code)

    monkeypatch.setattr("parpour_treasury.batcher.GroupCommit.ask", lost)
    assert (await venture.request("1.00"))["code"] == code
    response = await venture.post("/v1/spends", venture.spend("1.00"))
    assert (response.status_code, response.json()["code"]) == (503, code)


async def test_an_accounts_own_limit_refuses_what_the_rules_allow(venture: Spending) -> None:
    account = venture.venture.accounts["assets:in-transit:usd"]
    limited = await did(venture.caller("ann"), f'limitAccount(account: "{account}", maximum: "1.50")')
    assert limited["__typename"] == "LimitedAccount"
    assert (await venture.request("1.00"))["spend"]["state"] == "RESERVED"
    refused = await venture.request("1.00", payee=str(venture.venture.firm))
    assert (refused["__typename"], refused["code"]) == ("Refusal", "TREASURY_LIMIT_EXCEEDED")
