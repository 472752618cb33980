"""Two ventures that spend: whatever B asks with A's ids is answered as if there were no such thing, to the letter."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from parpour_treasury.spending.changes import EnvelopeBody, MemberBody

from .building import Api
from .isolating import SECRET, Attack, fingerprint, neutral
from .spending import Spending, spending

pytestmark = pytest.mark.anyio

NOBODY = str(UUID(int=99))
DIGEST = "0" * 64
LISTS = ("envelopes", "members", "ruleBooks", "payees", "spends", "changes")


@dataclass(frozen=True)
class Named:
    """What A has, and what B has of its own."""

    ads: str = ""
    budget: str = ""
    shop: str = ""
    own_ads: str = ""
    own_shop: str = ""
    spend: str = ""
    digest: str = ""
    change: str = ""
    change_digest: str = ""
    cursors: dict[str, str] = field(default_factory=lambda: dict.fromkeys(LISTS, ""))


@dataclass(frozen=True)
class Two:
    """A with something of everything, B as every venture of the tests."""

    a: Spending
    b: Spending
    named: Named


@pytest.fixture
async def two(api: Api) -> Two:
    a, b = await spending(api), await spending(api)
    asked = (await a.request("20.00", purpose=SECRET))["spend"]
    member = MemberBody(actor=f"user:{SECRET}", person=SECRET, roles=("auditor",))
    await a.venture.change(member)
    await a.venture.change(EnvelopeBody(envelope=uuid4(), code=SECRET, currency="USD", cap=7))
    ann = a.caller("ann")
    cursors = {}
    for name in LISTS:
        page = await ann.ask(f"{{ {name}(first: 1) {{ pageInfo {{ endCursor }} }} }}")
        cursors[name] = page[name]["pageInfo"]["endCursor"]
    proposed = await ann.ask(
        """mutation { proposeRelease(key: "p", what: FREEZE) { ... on ProposedChange { change { id digest } } } }"""
    )
    change = proposed["proposeRelease"]["change"]
    named = Named(
        str(a.venture.ads),
        str(a.venture.budget),
        str(a.venture.shop),
        str(b.venture.ads),
        str(b.venture.shop),
        asked["id"],
        asked["digest"],
        change["id"],
        change["digest"],
        cursors,
    )
    return Two(a, b, named)


def spending_attacks(two: Named) -> dict[str, list[Attack]]:
    """By root field: a document, the id of A's that it names, and one that nobody has."""
    refused = "__typename ... on Refusal { code message field }"
    told = "__typename ... on RefusedSpend { code codes } ... on Refusal { code message field }"
    place, payee = (two.ads, NOBODY), (two.shop, NOBODY)
    spend, change = (two.spend, NOBODY), (two.change, NOBODY)
    rest = 'amount: "1.00", currency: "USD", purpose: "p"'
    named = [
        (f'{{envelope: "%s", payee: "{two.own_shop}", {rest}}}', *place),
        (f'{{envelope: "{two.own_ads}", payee: "%s", {rest}}}', *payee),
    ]
    pair = '[{name: "id", value: "x"}]'
    on = f'digest: "{two.change_digest}"'
    return {
        "Query.venture": [("{ venture { frozenAt stoppedAt reason rules { document } } } # %s", "", "")],
        "Query.envelope": [('{ envelope(id: "%s") { code cap { amount } children { code } } }', *place)],
        "Query.payee": [('{ payee(id: "%s") { name destination { value } } }', *payee)],
        "Query.spend": [('{ spend(id: "%s") { purpose decisions { facts } } }', *spend)],
        "Query.change": [('{ change(id: "%s") { body digest } }', *change)],
        "Query.envelopes": [('{ envelopes(after: "%s") { nodes { code } } }', two.cursors["envelopes"], "x")],
        "Query.members": [('{ members(after: "%s") { nodes { actor } } }', two.cursors["members"], "x")],
        "Query.ruleBooks": [('{ ruleBooks(before: "%s") { nodes { document } } }', two.cursors["ruleBooks"], "x")],
        "Query.payees": [('{ payees(after: "%s") { nodes { name } } }', two.cursors["payees"], "x")],
        "Query.changes": [('{ changes(after: "%s") { nodes { body } } }', two.cursors["changes"], "x")],
        "Query.pendingApprovals": [
            ('{ pendingApprovals(after: "%s") { nodes { purpose } } }', two.cursors["spends"], "x"),
            ("{ pendingApprovals { nodes { purpose } } } # %s", "", ""),
        ],
        "Query.spends": [
            ('{ spends(after: "%s") { nodes { purpose } } }', two.cursors["spends"], "x"),
            ('{ spends(payee: "%s") { nodes { purpose } } }', *payee),
            ('{ spends(envelope: "%s") { nodes { purpose } } }', *place),
            ("{ spends { nodes { purpose } } } # %s", "", ""),
        ],
        "Query.explain": [
            (f"{{ explain(spend: {given}) {{ verdict codes lines }} }}", of_a, of_nobody)
            for given, of_a, of_nobody in named
        ],
        "Mutation.requestSpend": [
            (f'mutation {{ requestSpend(key: "KEY", spend: {given}) {{ {told} }} }}', of_a, of_nobody)
            for given, of_a, of_nobody in named
        ],
        "Mutation.cancelSpend": [(f'mutation {{ cancelSpend(key: "KEY", spend: "%s") {{ {refused} }} }}', *spend)],
        "Mutation.approveSpend": [
            (
                f'mutation {{ approveSpend(key: "KEY", spend: "%s", digest: "{two.digest}") {{ {told} }} }}',
                *spend,
            )
        ],
        "Mutation.rejectSpend": [(f'mutation {{ rejectSpend(key: "KEY", spend: "%s") {{ {refused} }} }}', *spend)],
        "Mutation.settleSpend": [
            (f'mutation {{ settleSpend(key: "KEY", spend: "%s", amount: "0") {{ {refused} }} }}', *spend)
        ],
        "Mutation.renewSpend": [
            (f'mutation {{ renewSpend(key: "KEY", spend: "%s", amount: "1") {{ {refused} }} }}', *spend)
        ],
        "Mutation.proposeMember": [
            (
                f'mutation {{ proposeMember(key: "KEY", actor: "%s", person: "p", roles: OWNER) {{ {refused} }} }}',
                f"user:{SECRET}",
                "user:nobody",
            )
        ],
        "Mutation.proposeEnvelope": [
            (
                f"""mutation {{ proposeEnvelope(key: "%s", parent: "{two.budget}", code: "x", currency: "USD",
                    cap: "1") {{ {refused} }} }}""",
                "e1",
                "e2",
            )
        ],
        "Mutation.proposePayee": [
            (
                f"""mutation {{ proposePayee(key: "%s", payee: "{two.shop}", name: "n", category: "c",
                    provider: STRIPE, destination: {pair}, account: {pair}) {{ {refused} }} }}""",
                "y1",
                "y2",
            )
        ],
        "Mutation.proposeRules": [
            (f'mutation {{ proposeRules(key: "%s", version: 2, document: "{{}}") {{ {refused} }} }}', "u1", "u2")
        ],
        "Mutation.proposeRelease": [
            ('mutation { proposeRelease(key: "p", what: PAYEE, payee: "%s") { __typename } }', payee[0], payee[0])
        ],
        "Mutation.proposeResolution": [
            (
                f"""mutation {{ proposeResolution(key: "%s", spend: "{two.spend}", outcome: FAILED,
                    evidence: {pair}) {{ {refused} }} }}""",
                "v1",
                "v2",
            )
        ],
        "Mutation.proposeLimits": [
            (f'mutation {{ proposeLimits(key: "KEY", account: "%s", minimum: "0") {{ {refused} }} }}', "998", "999")
        ],
        "Mutation.confirmChange": [(f'mutation {{ confirmChange(change: "%s", {on}) {{ {refused} }} }}', *change)],
        "Mutation.declineChange": [(f'mutation {{ declineChange(change: "%s", {on}) {{ {refused} }} }}', *change)],
        "Mutation.holdPayee": [(f'mutation {{ holdPayee(payee: "%s", reason: "r") {{ {refused} }} }}', *payee)],
        "Mutation.revokeMember": [
            (
                f'mutation {{ revokeMember(actor: "user:%s", reason: "r") {{ {refused} }} }}',
                SECRET,
                "nobody",
            )
        ],
        "Mutation.freezeVenture": [(f'mutation {{ freezeVenture(reason: "%s") {{ {refused} }} }}', "r", "r")],
        "Mutation.throwKillSwitch": [(f'mutation {{ throwKillSwitch(reason: "%s") {{ {refused} }} }}', "r", "r")],
    }


SPENDING = set(spending_attacks(Named()))
"""Root fields that are attacked here."""


async def test_b_sees_nothing_of_a_whatever_it_asks(two: Two) -> None:
    place, tenant = two.a.api.place, two.a.venture.tenant
    before = await fingerprint(place, tenant)
    owner = two.b.caller("ann")
    for name, ways in spending_attacks(two.named).items():
        for document, of_a, of_nobody in ways:
            theirs, nobodys = [
                await owner.send(document.replace("KEY", str(uuid4())) % one) for one in (of_a, of_nobody)
            ]
            assert theirs.status_code == nobodys.status_code, name
            assert "API_QUERY" not in theirs.text, theirs.text
            assert SECRET not in theirs.text.replace(of_a, ""), name
            assert str(tenant) not in theirs.text, name
            assert neutral(theirs.json(), of_a) == neutral(nobodys.json(), of_nobody), name
    assert await fingerprint(place, tenant) == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("POST", "/cancel", None),
        ("POST", "/approve", {"digest": DIGEST}),
        ("POST", "/reject", None),
    ],
)
async def test_b_reaches_no_spend_of_a_over_http(two: Two, method: str, path: str, body: dict[str, str] | None) -> None:
    answers = []
    for spend in (two.named.spend, NOBODY):
        headers = {**two.b.caller("ann").headers, "idempotency-key": str(uuid4())}
        response = await two.b.api.client.request(method, f"/v1/spends/{spend}{path}", json=body, headers=headers)
        answers.append((response.status_code, {**response.json(), "instance": ""}))
    assert answers[0] == answers[1]
    assert answers[0][1]["code"] == "TREASURY_SPEND_UNKNOWN"


async def test_b_spends_nothing_from_as_envelopes_over_http(two: Two) -> None:
    for name, of_a in (("envelope", two.named.ads), ("payee", two.named.shop)):
        answers = [
            (await two.b.post("/v1/spends", two.b.spend("1.00", **{name: value}))).json() for value in (of_a, NOBODY)
        ]
        assert answers[0]["code"] == answers[1]["code"] == f"TREASURY_{name.upper()}_UNKNOWN"
        assert answers[0]["codes"] == answers[1]["codes"]


async def test_b_may_use_the_same_keys_as_a(two: Two) -> None:
    mine = await two.a.request("1.00", key="same")
    theirs = await two.b.request("1.00", key="same")
    assert (mine["replayed"], theirs["replayed"]) == (False, False)
    assert mine["spend"]["id"] != theirs["spend"]["id"]
