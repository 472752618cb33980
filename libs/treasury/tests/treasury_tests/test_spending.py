"""The authority over the database: limits, approvals, changes and stops, and attacks on each."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import Approve, Cancel
from parpour_treasury.spending.changes import (
    EnvelopeBody,
    LimitsBody,
    MemberBody,
    ReleaseBody,
    RulesBody,
    change_digest,
    read_body,
)
from parpour_treasury.spending.deciding import Verdict
from parpour_treasury.spending.rules import RuleBook, Window
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import (
    AGENT,
    MEMBERS,
    RULES,
    Venture,
    new_venture,
    open_venture,
    payee_body,
    payment_worker,
)
from parpour_treasury.testing import new_books

pytestmark = pytest.mark.anyio


async def room(venture: Venture, code: str = "ads") -> tuple[int, int]:
    """What an envelope has reserved and spent."""
    found = {one.code: one for one in await venture.register.envelopes(venture.context())}[code]
    return found.reserved, found.spent


async def bank(venture: Venture) -> tuple[int, int]:
    """What the bank account has, and what is kept of it."""
    account = await venture.books.ledger.account(venture.context(), venture.accounts["assets:bank:usd"])
    return account.posted, account.pending_credit


async def test_a_small_request_is_reserved_at_once(venture: Venture) -> None:
    outcome = await venture.request(900)
    assert (outcome.state, outcome.codes) == (State.RESERVED, ())
    spend = await venture.spend(outcome.spend)
    hold = await venture.books.ledger.hold(venture.context(), spend.hold_id or uuid4())
    assert [leg.amount for leg in hold.legs] == [900, -900]
    assert hold.expires_at == spend.expires_at
    assert await room(venture) == await room(venture, "budget") == (900, 0)
    assert await bank(venture) == (1_000_000, 900)


@pytest.mark.parametrize(
    ("amount", "fields", "code"),
    [
        (5_001, {}, "TREASURY_SPEND_CAP_EXCEEDED"),
        (1, {"actor": "user:dan"}, "TREASURY_SPEND_NOT_ALLOWED"),
        (1, {"actor": "user:eve"}, "TREASURY_MEMBER_UNKNOWN"),
        (1, {"payee": UUID(int=1)}, "TREASURY_PAYEE_UNKNOWN"),
        (1, {"envelope": UUID(int=1)}, "TREASURY_ENVELOPE_UNKNOWN"),
        (1, {"currency": "EUR"}, "TREASURY_SPEND_NOT_ALLOWED"),
    ],
)
async def test_what_no_rule_allows_is_refused_and_kept(
    venture: Venture, amount: int, fields: dict[str, Any], code: str
) -> None:
    outcome = await venture.request(amount, **fields)
    assert (outcome.state, outcome.codes[0]) == (State.REFUSED, code)
    assert (await venture.spend(outcome.spend)).code == code
    assert await room(venture) == (0, 0)


async def test_the_budget_stops_what_the_envelope_would_allow(place: Place) -> None:
    rules = RULES.model_copy(update={"tiers": ()})
    async with open_venture(place, cap=3_000, rules=rules) as venture:
        other = uuid4()
        body = EnvelopeBody(envelope=other, parent=venture.budget, code="other", currency="USD", cap=9_000)
        await venture.change(body)
        assert (await venture.request(900)).accepted
        assert (await venture.request(900, envelope=other)).accepted
        assert (await venture.request(900, payee=venture.firm, envelope=other)).accepted
        refused = await venture.request(301, payee=venture.firm, envelope=other)
        assert refused.codes == ("TREASURY_ENVELOPE_EXCEEDED",)
        decisions = await venture.register.decisions(venture.context(), refused.spend or other)
        assert [one.subject for one in decisions[0].decision.reasons] == ["envelope/budget"]
        assert await venture.faults() == []


async def test_an_envelope_is_open_in_its_time(venture: Venture) -> None:
    now = datetime.now(UTC)
    body = EnvelopeBody(
        envelope=venture.ads,
        parent=venture.budget,
        code="ads",
        currency="USD",
        cap=1,
        closes_at=now - timedelta(seconds=1),
    )
    await venture.change(body)
    assert (await venture.request(1)).codes == ("TREASURY_ENVELOPE_CLOSED",)


async def test_money_that_is_not_there_and_reserves_are_not_spent(place: Place) -> None:
    async with open_venture(place, funds=10_500) as venture:
        assert (await venture.request(501)).codes == ("TREASURY_RESERVE_PROTECTED",)
        assert (await venture.request(500)).accepted
        assert (await venture.request(1)).codes == ("TREASURY_RESERVE_PROTECTED",)
        await venture.change_rules(RULES.model_copy(update={"reserves": ()}))
        assert (await venture.request(500, payee=venture.firm)).accepted
        far = await venture.request(20_000, actor="user:ann")
        assert far.codes == ("TREASURY_FUNDS_INSUFFICIENT",)


async def test_velocity_counts_what_was_granted_whatever_became_of_it(place: Place) -> None:
    window = Window(name="w", scope="agent", currency="USD", seconds=3600, most_count=2, most_total=1_000)
    async with open_venture(place, rules=RULES.model_copy(update={"windows": (window,)})) as venture:
        first = await venture.request(600)
        await venture.cancel(first.spend or uuid4())
        assert (await venture.request(401)).codes == ("TREASURY_VELOCITY_EXCEEDED",)
        assert (await venture.request(400)).accepted
        assert (await venture.request(1)).codes[0] == "TREASURY_VELOCITY_EXCEEDED"
        assert (await venture.request(900, actor="agent:other", payee=venture.firm)).accepted
        assert await venture.faults() == []


async def test_a_window_forgets_what_is_older(venture: Venture) -> None:
    window = Window(name="w", scope="venture", currency="USD", seconds=1, most_count=1)
    await venture.change_rules(RULES.model_copy(update={"windows": (window,)}))
    assert (await venture.request(1)).accepted
    assert (await venture.request(1)).codes == ("TREASURY_VELOCITY_EXCEEDED",)
    await asyncio.sleep(1.05)
    assert (await venture.request(1)).accepted


async def test_a_new_payee_cools_off(venture: Venture) -> None:
    fresh = uuid4()
    await venture.change(payee_body(fresh, account="9"))
    assert (await venture.request(1, payee=fresh)).codes == ("TREASURY_PAYEE_COOLING",)
    await venture.change(payee_body(venture.shop, account="77"))
    assert (await venture.request(1)).codes == ("TREASURY_PAYEE_COOLING",)


async def test_an_approval_reserves(venture: Venture) -> None:
    asked = await venture.request(2_000)
    assert (asked.state, asked.accepted) == (State.AWAITING_APPROVAL, True)
    assert await room(venture) == (0, 0)
    approved = await venture.approve(asked.spend, "user:cat")
    assert (approved.state, approved.codes) == (State.RESERVED, ())
    assert await room(venture) == (2_000, 0)
    for made, again in await venture.register.replay(venture.context(), asked.spend or uuid4()):
        assert made == again
    verdicts = [
        one.decision.verdict for one in await venture.register.decisions(venture.context(), asked.spend or uuid4())
    ]
    assert verdicts == [Verdict.AWAIT, Verdict.RESERVE]


async def test_the_maker_approves_nothing_of_theirs(venture: Venture) -> None:
    """Neither with the account that asked, nor with another, nor for an agent that they answer for."""
    by_cat = await venture.request(2_000, actor="user:cat")
    assert (await venture.approve(by_cat.spend, "user:cat")).codes == ("TREASURY_APPROVAL_OWN",)
    assert (await venture.approve(by_cat.spend, "user:cat-phone")).codes == ("TREASURY_APPROVAL_OWN",)
    by_agent_of_bob = await venture.request(2_000)
    assert (await venture.approve(by_agent_of_bob.spend, "user:bob")).codes == ("TREASURY_APPROVAL_OWN",)
    assert {(await venture.spend(one.spend)).state for one in (by_cat, by_agent_of_bob)} == {State.AWAITING_APPROVAL}


async def test_two_accounts_of_one_person_count_once(venture: Venture) -> None:
    asked = await venture.request(11_000, actor="user:ann")
    assert (await venture.approve(asked.spend, "user:cat")).state == State.AWAITING_APPROVAL
    assert (await venture.approve(asked.spend, "user:cat-phone")).codes == ("TREASURY_APPROVAL_REPEATED",)
    assert (await venture.approve(asked.spend, "user:cat")).codes == ("TREASURY_APPROVAL_REPEATED",)
    assert (await venture.approve(asked.spend, "user:bob")).state == State.RESERVED


async def test_only_people_who_are_trusted_with_it_approve(venture: Venture) -> None:
    asked = await venture.request(2_000)
    for actor, code in (
        ("agent:other", "TREASURY_NOT_A_PERSON"),
        ("user:dan", "TREASURY_ROLE_MISSING"),
        ("user:eve", "TREASURY_MEMBER_UNKNOWN"),
    ):
        assert (await venture.approve(asked.spend, actor)).codes == (code,)
    await venture.governance.revoke(venture.context(), "user:cat", reason="lost a phone")
    assert (await venture.approve(asked.spend, "user:cat")).codes == ("TREASURY_MEMBER_REVOKED",)
    assert (await venture.approve(UUID(int=5), "user:ann", digest=b"x" * 32)).codes == ("TREASURY_SPEND_UNKNOWN",)


async def test_an_approval_needs_a_fresh_login(venture: Venture) -> None:
    asked = await venture.request(2_000)
    assert (await venture.approve(asked.spend, "user:cat", age=301)).codes == ("TREASURY_STEP_UP_NEEDED",)
    assert (await venture.approve(asked.spend, "user:cat", age=-3600)).codes == ("TREASURY_STEP_UP_NEEDED",)
    assert (await venture.approve(asked.spend, "user:cat", age=250)).accepted


async def test_an_approval_of_one_spend_serves_no_other(venture: Venture) -> None:
    one, two = await venture.request(1_100), await venture.request(1_200)
    digest = (await venture.spend(one.spend)).digest
    assert (await venture.approve(two.spend, "user:cat", digest=digest)).codes == ("TREASURY_APPROVAL_MISMATCH",)
    assert (await venture.approve(one.spend, "user:cat", digest=digest)).accepted


async def test_what_was_split_needs_the_approvals_of_the_whole(venture: Venture) -> None:
    assert [(await venture.request(400)).state for _ in range(3)] == [
        State.RESERVED,
        State.RESERVED,
        State.AWAITING_APPROVAL,
    ]
    assert (await venture.request(400, payee=venture.firm)).state == State.RESERVED
    many = await asyncio.gather(*(venture.request(90, payee=venture.firm) for _ in range(20)))
    assert [one.state for one in many].count(State.RESERVED) == 6


async def test_the_quorum_grows_with_what_the_payee_got_meanwhile(venture: Venture) -> None:
    asked = await venture.request(4_000)
    for _ in range(2):
        more = await venture.request(3_500, actor="user:ann")
        await venture.approve(more.spend, "user:cat")
    assert (await venture.approve(asked.spend, "user:cat")).state == State.AWAITING_APPROVAL
    assert (await venture.spend(asked.spend)).quorum == 2
    assert (await venture.approve(asked.spend, "user:ann")).state == State.RESERVED


async def test_other_rules_or_another_payee_undo_what_waits(venture: Venture) -> None:
    one, two = await venture.request(1_500), await venture.request(1_500, payee=venture.firm)
    await venture.change(payee_body(venture.shop, name="The Shop Ltd"))
    assert (await venture.approve(one.spend, "user:cat")).codes[0] == "TREASURY_PAYEE_CHANGED"
    await venture.change_rules(RULES.model_copy(update={"lifetime_seconds": 3600}))
    assert (await venture.approve(two.spend, "user:cat")).codes == ("TREASURY_RULES_CHANGED",)
    assert {(await venture.spend(spend.spend)).state for spend in (one, two)} == {State.REFUSED}


async def test_an_approval_by_somebody_revoked_since_does_not_count(venture: Venture) -> None:
    asked = await venture.request(11_000, actor="user:ann")
    await venture.approve(asked.spend, "user:cat")
    await venture.governance.revoke(venture.context(), "user:cat", reason="gone")
    assert (await venture.approve(asked.spend, "user:bob")).state == State.AWAITING_APPROVAL


async def test_one_person_rejects(venture: Venture) -> None:
    asked = await venture.request(2_000)
    spend = asked.spend or uuid4()
    assert (await venture.reject(spend, "user:dan")).codes == ("TREASURY_ROLE_MISSING",)
    assert (await venture.reject(spend, "user:cat")).state == State.REJECTED
    assert (await venture.approve(spend, "user:ann")).codes == ("TREASURY_SPEND_STATE",)
    assert [one.verdict for one in await venture.register.approvals(venture.context(), spend)] == ["reject"]


async def test_who_asked_or_may_takes_back(venture: Venture) -> None:
    one, two, three = [(await venture.request(500)).spend or uuid4() for _ in range(3)]
    assert (await venture.cancel(one, "agent:other")).codes == ("TREASURY_ROLE_MISSING",)
    assert (await venture.cancel(one)).state == State.CANCELLED
    assert (await venture.cancel(one)).codes == ("TREASURY_SPEND_STATE",)
    assert (await venture.cancel(two, "user:bob")).state == State.CANCELLED
    assert (await venture.cancel(three, "user:ann")).state == State.CANCELLED
    assert await room(venture) == (0, 0)
    assert await bank(venture) == (1_000_000, 0)


async def test_an_internal_spend_is_settled_by_what_was_used(venture: Venture) -> None:
    spend = (await venture.request(800, payee=venture.platform)).spend or uuid4()
    assert (await venture.settle(spend, 801)).codes == ("TREASURY_SPEND_EXCEEDED",)
    assert (await venture.settle(spend, 300, actor="agent:other")).codes == ("TREASURY_ROLE_MISSING",)
    assert (await venture.settle(spend, 300)).state == State.SETTLED
    assert await room(venture) == await room(venture, "budget") == (0, 300)
    assert await venture.books.balance(venture.accounts["expenses:compute:usd"]) == 300
    assert await venture.books.balance(venture.accounts["liabilities:platform:usd"]) == -300
    unused = (await venture.request(10, payee=venture.platform)).spend or uuid4()
    assert (await venture.settle(unused, 0)).state == State.CANCELLED
    paid = (await venture.request(10)).spend or uuid4()
    assert (await venture.settle(paid, 10)).codes == ("TREASURY_SPEND_STATE",)
    assert (await venture.renew(paid, 10)).codes == ("TREASURY_SPEND_STATE",)


async def test_a_reservation_is_renewed_by_a_decision_about_the_difference(venture: Venture) -> None:
    await venture.change_rules(RULES.model_copy(update={"tiers": ()}))
    spend = (await venture.request(800, payee=venture.platform, lifetime_seconds=60)).spend or uuid4()
    before = await venture.spend(spend)
    assert (await venture.renew(spend, 4_201)).codes == ("TREASURY_SPEND_CAP_EXCEEDED",)
    assert (await venture.renew(spend, 4_200)).state == State.RESERVED
    after = await venture.spend(spend)
    assert (after.amount, after.expires_at > before.expires_at, after.hold_id != before.hold_id) == (5_000, True, True)
    assert await room(venture) == (5_000, 0)
    assert len(await venture.register.decisions(venture.context(), spend)) == 3
    assert (await venture.settle(spend, 5_000)).state == State.SETTLED


async def test_a_renewal_that_would_need_people_is_refused(venture: Venture) -> None:
    spend = (await venture.request(800, payee=venture.platform)).spend or uuid4()
    assert (await venture.renew(spend, 300)).codes == ("TREASURY_APPROVAL_NEEDED",)
    assert (await venture.spend(spend)).amount == 800


async def test_a_key_answers_once_and_for_one_request(venture: Venture) -> None:
    ask = venture.asking(900, key="k")
    first = await venture.submit(AGENT, ask)
    again = await venture.submit(AGENT, ask)
    assert (again.spend, again.state, again.replayed) == (first.spend, "reserved", True)
    for other in (replace(ask, amount=901), replace(ask, purpose="else"), replace(ask, payee=venture.firm)):
        assert (await venture.submit(AGENT, other)).codes == ("TREASURY_IDEMPOTENCY_KEY_REUSED",)
    assert (await venture.submit("agent:other", ask)).codes == ("TREASURY_IDEMPOTENCY_KEY_REUSED",)
    refused = venture.asking(9_000, key="r")
    one, two = await venture.submit(AGENT, refused), await venture.submit(AGENT, refused)
    assert (one.codes, one.spend) == (two.codes, two.spend)
    spend = first.spend or uuid4()
    assert (await venture.submit(AGENT, Cancel(key="k", spend=spend))).codes == ("TREASURY_IDEMPOTENCY_KEY_REUSED",)
    assert len(await venture.register.spends(venture.context())) == 2


async def test_a_hundred_with_one_key_reserve_once(venture: Venture) -> None:
    ask = venture.asking(900, key="one")
    outcomes = await asyncio.gather(*(venture.submit(AGENT, ask) for _ in range(100)))
    assert len({one.spend for one in outcomes}) == 1
    assert await room(venture) == (900, 0)


async def test_a_frozen_venture_reserves_and_sends_nothing(place: Place, venture: Venture) -> None:
    waiting, reserved = await venture.request(2_000), await venture.request(900, payee=venture.firm)
    assert await venture.governance.freeze(venture.context("user:dan"), reason="odd payments")
    assert not await venture.governance.freeze(venture.context(), reason="again")
    assert (await venture.request(1)).codes == ("TREASURY_VENTURE_FROZEN",)
    assert (await venture.approve(waiting.spend, "user:cat")).codes == ("TREASURY_VENTURE_FROZEN",)
    async with payment_worker(place, venture) as worker:
        assert await worker.claim() == []
        with pytest.raises(TreasuryError, match="TREASURY_CHANGE_OWN"):
            await venture.change(ReleaseBody(what="freeze"), by="user:ann", confirmed_by="user:ann")
        await venture.change(ReleaseBody(what="freeze"))
        assert [one["spend"] for one in await worker.claim()] == [str(reserved.spend)]
    assert (await venture.approve(waiting.spend, "user:cat")).state == State.RESERVED


async def test_anybody_throws_the_kill_switch_and_two_people_release_it(venture: Venture) -> None:
    assert await venture.governance.throw_kill_switch(venture.context("system:watch"), reason="alarm")
    assert (await venture.request(1)).codes == ("TREASURY_KILL_SWITCH",)
    assert (await venture.register.stops(venture.context())).stopped_by == "system:watch"
    await venture.change(ReleaseBody(what="kill-switch"))
    assert (await venture.request(1)).accepted


async def test_a_payee_that_is_held_gets_nothing_more(place: Place, venture: Venture) -> None:
    await venture.request(900)
    assert await venture.governance.hold_payee(venture.context("user:cat"), venture.shop, reason="odd")
    assert (await venture.request(1)).codes == ("TREASURY_PAYEE_HELD",)
    async with payment_worker(place, venture) as worker:
        assert await worker.claim() == []
        await venture.change(ReleaseBody(what="payee", payee=venture.shop))
        assert len(await worker.claim()) == 1


async def test_a_revoked_agent_spends_nothing_more(place: Place, venture: Venture) -> None:
    await venture.request(900)
    await venture.governance.revoke(venture.context(), AGENT, reason="went mad")
    assert (await venture.request(1)).codes == ("TREASURY_MEMBER_REVOKED",)
    async with payment_worker(place, venture) as worker:
        assert await worker.claim() == []
        await venture.change(MemberBody(actor=AGENT, person="bob", roles=("agent",)))
        assert len(await worker.claim()) == 1


async def test_one_person_changes_nothing_that_decides_about_money(venture: Venture) -> None:
    """Neither by confirming, nor with another account, nor by other words than were proposed."""
    change = uuid4()
    body = RulesBody(version=2, rules=RuleBook())
    governance, digest, now = venture.governance, change_digest(change, body), datetime.now(UTC)
    await venture.change(MemberBody(actor="user:bob-phone", person="bob", roles=("owner",)))
    await governance.propose(venture.context("user:bob"), change, body)

    async def refused(code: str, actor: str, **fields: Any) -> None:
        with pytest.raises(TreasuryError, match=code):
            await governance.confirm(
                venture.context(actor), change, **{"digest": digest, "authenticated_at": now, **fields}
            )

    await refused("TREASURY_CHANGE_OWN", "user:bob-phone")
    await refused("TREASURY_CHANGE_OWN", "user:bob")
    await refused("TREASURY_ROLE_MISSING", "user:cat")
    await refused("TREASURY_NOT_A_PERSON", AGENT)
    await refused("TREASURY_MEMBER_UNKNOWN", "user:eve")
    await refused("TREASURY_APPROVAL_MISMATCH", "user:ann", digest=b"x" * 32)
    await refused("TREASURY_STEP_UP_NEEDED", "user:ann", authenticated_at=now - timedelta(seconds=301))
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_UNKNOWN"):
        await governance.confirm(venture.context(), uuid4(), digest=digest, authenticated_at=now)
    with pytest.raises(TreasuryError, match="TREASURY_ROLE_MISSING"):
        await governance.propose(venture.context("user:cat"), uuid4(), body)
    await governance.confirm(venture.context(), change, digest=digest, authenticated_at=now)
    await governance.confirm(venture.context(), change, digest=digest, authenticated_at=now)
    assert (await venture.register.rules(venture.context()))[0] == 2
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_CLOSED"):
        await governance.decline(venture.context("user:bob"), change, digest=digest)
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_STALE"):
        await venture.change(body)
    with pytest.raises(TreasuryError, match="TREASURY_IDEMPOTENCY_KEY_REUSED"):
        await governance.propose(venture.context("user:bob"), change, RulesBody(version=3, rules=RuleBook()))
    assert (await venture.request(1)).codes[0] == "TREASURY_SPEND_NOT_ALLOWED"


async def test_one_person_tightens_and_two_loosen_the_limits_of_what_spends_take_from(venture: Venture) -> None:
    ledger, bank = venture.books.ledger, venture.accounts["assets:bank:usd"]
    held = (await ledger.account(venture.context(), bank)).posted

    async def limit(minimum: int | None, maximum: int | None = None) -> None:
        await ledger.limit_account(venture.context(), bank, minimum=minimum, maximum=maximum)

    await limit(held - 500, held + 1)
    for minimum, maximum in (
        (held - 501, held + 1),
        (held - 500, held + 2),
        (held - 500, None),
        (None, held + 1),
    ):
        with pytest.raises(TreasuryError, match="TREASURY_CHANGE_NEEDED"):
            await limit(minimum, maximum)
    assert (await venture.request(501)).codes == ("TREASURY_FUNDS_INSUFFICIENT",)
    body = LimitsBody(account=bank, minimum=0)
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_OWN"):
        await venture.change(body, by="user:ann", confirmed_by="user:ann")
    await venture.change(body)
    assert (await venture.request(501)).codes == ()
    with pytest.raises(TreasuryError, match="TREASURY_LIMIT_EXCEEDED"):
        await venture.change(LimitsBody(account=bank, minimum=held + 1))
    with pytest.raises(TreasuryError, match="TREASURY_ACCOUNT_UNKNOWN"):
        await venture.change(LimitsBody(account=999))
    spare = await venture.books.open("spare")
    await ledger.limit_account(venture.context(), spare, minimum=0, maximum=None)
    await ledger.limit_account(venture.context(), spare, minimum=None, maximum=None)
    assert await venture.faults() == []


async def test_a_change_is_declined(venture: Venture) -> None:
    change = uuid4()
    body = EnvelopeBody(envelope=uuid4(), code="more", currency="USD", cap=1)
    await venture.governance.propose(venture.context("user:bob"), change, body)
    await venture.governance.decline(venture.context("user:bob"), change, digest=change_digest(change, body))
    assert [one.state for one in await venture.register.changes(venture.context())] == ["rejected"]
    assert len(await venture.register.envelopes(venture.context())) == 2


async def test_who_was_revoked_proposed_nothing(venture: Venture) -> None:
    change = uuid4()
    body = EnvelopeBody(envelope=uuid4(), code="more", currency="USD", cap=1)
    await venture.governance.propose(venture.context("user:bob"), change, body)
    await venture.governance.revoke(venture.context(), "user:bob", reason="gone")
    with pytest.raises(TreasuryError, match="TREASURY_MEMBER_REVOKED"):
        await venture.governance.confirm(
            venture.context(),
            change,
            digest=change_digest(change, body),
            authenticated_at=datetime.now(UTC),
        )


async def test_a_venture_keeps_two_people_who_can_change_it(place: Place, venture: Venture) -> None:
    with pytest.raises(TreasuryError, match="TREASURY_TWO_PEOPLE_NEEDED"):
        await venture.change(MemberBody(actor="user:bob", person="bob", roles=("auditor",)))
    async with open_database(place.dsn()) as database:
        books = await new_books(database, place.app)
        with pytest.raises(TreasuryError, match="TREASURY_TWO_PEOPLE_NEEDED"):
            await venture.governance.bootstrap(books.context, members=MEMBERS[:1], rules=RULES, envelopes=())


async def test_a_venture_is_set_up_once(venture: Venture) -> None:
    mine = MemberBody(actor="user:eve", person="eve", roles=("owner",))
    assert not await venture.governance.bootstrap(
        venture.context("user:eve"), members=[mine], rules=RULES, envelopes=()
    )
    assert "user:eve" not in {one.actor for one in await venture.register.members(venture.context())}


async def test_a_tenant_without_rules_spends_nothing(place: Place, venture: Venture) -> None:
    async with open_database(place.dsn()) as database:
        books = await new_books(database, place.app)
        with pytest.raises(TreasuryError, match="TREASURY_RULES_UNKNOWN"):
            await venture.authority.submit(books.tenant, AGENT, venture.asking(1))
        with pytest.raises(TreasuryError, match="TREASURY_RULES_UNKNOWN"):
            await venture.authority.explain(books.tenant, AGENT, venture.asking(1))
        with pytest.raises(TreasuryError, match="TREASURY_RULES_UNKNOWN"):
            await venture.register.rules(books.context)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"code": "ads", "envelope": UUID(int=3)}, "TREASURY_ENVELOPE_IN_USE"),
        ({"code": "new", "envelope": UUID(int=3), "parent": UUID(int=4)}, "TREASURY_ENVELOPE_UNKNOWN"),
        ({"code": "new", "envelope": UUID(int=3), "currency": "EUR"}, "TREASURY_ENVELOPE_UNKNOWN"),
    ],
)
async def test_envelopes_that_cannot_be_are_refused(venture: Venture, body: dict[str, Any], code: str) -> None:
    values = {"currency": "USD", "cap": 1, "parent": venture.budget, **body}
    with pytest.raises(TreasuryError, match=code):
        await venture.change(EnvelopeBody(**values))


async def test_a_cap_goes_no_lower_than_what_is_taken(venture: Venture) -> None:
    await venture.request(900)
    body = EnvelopeBody(envelope=venture.ads, parent=venture.budget, code="ads", currency="USD", cap=899)
    with pytest.raises(TreasuryError, match="TREASURY_ENVELOPE_IN_USE"):
        await venture.change(body)
    await venture.change(body.model_copy(update={"cap": 900}))
    assert (await venture.request(1)).codes == ("TREASURY_ENVELOPE_EXCEEDED",)


async def test_a_retired_payee_stays_retired(venture: Venture) -> None:
    body = payee_body(venture.shop)
    await venture.change(body.model_copy(update={"retired": True}))
    assert (await venture.request(1)).codes == ("TREASURY_PAYEE_RETIRED",)
    with pytest.raises(TreasuryError, match="TREASURY_PAYEE_RETIRED"):
        await venture.change(body)
    with pytest.raises(TreasuryError, match="TREASURY_PAYEE_UNKNOWN"):
        await venture.change(payee_body(uuid4()).model_copy(update={"retired": True}))


async def test_a_dry_run_tells_people_why_and_software_that(venture: Venture) -> None:
    ask = venture.asking(6_000)
    told = await venture.authority.explain(venture.tenant, AGENT, ask)
    assert (told.verdict, told.codes, told.lines, told.quorum) == (
        Verdict.REFUSE,
        ("TREASURY_SPEND_CAP_EXCEEDED",),
        (),
        None,
    )
    person = await venture.authority.explain(venture.tenant, "user:ann", replace(ask, amount=60_000))
    assert any("at most 50000" in line for line in person.lines)
    fine = await venture.authority.explain(venture.tenant, "user:ann", replace(ask, amount=20_000))
    assert (fine.verdict, fine.quorum) == (Verdict.AWAIT, 2)
    assert await venture.register.spends(venture.context()) == []


async def test_requests_and_reservations_expire_with_their_holds(venture: Venture) -> None:
    waiting = await venture.request(2_000, lifetime_seconds=1)
    reserved = await venture.request(900, payee=venture.firm, lifetime_seconds=1)
    await asyncio.sleep(1.05)
    # Whatever comes next expires them, a journal of something else too.
    await venture.fund(1)
    assert (await venture.spend(reserved.spend)).state == State.EXPIRED
    assert await room(venture) == (0, 0)
    assert await venture.books.ledger.sweep(venture.context()) == 1
    assert (await venture.spend(waiting.spend)).state == State.EXPIRED
    assert (await venture.approve(waiting.spend, "user:cat")).codes == ("TREASURY_SPEND_STATE",)
    assert (await venture.cancel(reserved.spend or uuid4())).codes == ("TREASURY_SPEND_STATE",)


async def test_the_ledgers_own_commands_do_not_reach_the_hold_of_a_spend(venture: Venture) -> None:
    hold = (await venture.spend((await venture.request(900)).spend)).hold_id or uuid4()
    assert (await venture.books.void(hold)).code == "TREASURY_HOLD_OF_SPEND"
    assert (await venture.books.settle(hold)).code == "TREASURY_HOLD_OF_SPEND"
    part = await venture.books.settle(hold, (1, -1), release=False)
    assert part.code == "TREASURY_HOLD_OF_SPEND"


async def test_the_ledgers_own_commands_do_not_reach_the_journals_of_a_spend(venture: Venture) -> None:
    spend = (await venture.request(800, payee=venture.platform)).spend or uuid4()
    await venture.settle(spend, 300)
    settled = next(one for one in await venture.books.ledger.journals(venture.context()) if one.correlation == spend)
    assert (await venture.books.reverse(settled.number)).code == "TREASURY_JOURNAL_OF_SPEND"
    owed, used = venture.accounts["liabilities:platform:usd"], venture.accounts["expenses:compute:usd"]
    named = await venture.books.post((owed, 1), (used, -1), correlation=spend)
    assert named.code == "TREASURY_JOURNAL_OF_SPEND"
    assert (await venture.books.post((owed, 1), (used, -1))).code is None


async def test_an_ask_that_cannot_be_is_refused_before_it_is_sent(venture: Venture) -> None:
    for fields, code in (
        ({"amount": 0}, "AMOUNT_NOT_POSITIVE"),
        ({"amount": -1}, "AMOUNT_NOT_POSITIVE"),
        ({"amount": 1.0}, "AMOUNT_MALFORMED"),
        ({"amount": 2**62}, "TREASURY_BALANCE_OVERFLOW"),
        ({"currency": "usd"}, "CURRENCY_UNKNOWN"),
        ({"purpose": ""}, "TREASURY_COMMAND_MALFORMED"),
        ({"purpose": "a\nb"}, "TREASURY_COMMAND_MALFORMED"),
        ({"key": ""}, "TREASURY_COMMAND_MALFORMED"),
        ({"lifetime_seconds": 0}, "TREASURY_COMMAND_MALFORMED"),
    ):
        with pytest.raises(TreasuryError, match=code):
            replace(venture.asking(1), **fields)
    with pytest.raises(TreasuryError, match="TREASURY_COMMAND_MALFORMED"):
        Approve(key="k", spend=uuid4(), digest=b"", authenticated_at=datetime(2026, 1, 1))
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_MALFORMED"):
        read_body("envelope", '{"cap":1.5}')
    with pytest.raises(TreasuryError, match="TREASURY_CHANGE_MALFORMED"):
        read_body("burn", "{}")
    with pytest.raises(TreasuryError, match="TREASURY_COMMAND_MALFORMED"):
        await venture.governance.freeze(venture.context(), reason="")


async def test_many_authorities_never_overspend_an_envelope(place: Place) -> None:
    """As many processes would: they meet at the ledger's head, and know nothing of each other."""
    rules = RULES.model_copy(update={"tiers": (), "windows": ()})
    async with open_venture(place, rules=rules, cap=1_000, connections=6) as venture:
        fleet = [type(venture.authority)(venture.books.database, place.app) for _ in range(5)]
        outcomes = await asyncio.gather(
            *(fleet[n % 5].submit(venture.tenant, AGENT, venture.asking(7)) for n in range(400))
        )
        assert sum(one.accepted for one in outcomes) == 1_000 // 7
        assert {one.codes for one in outcomes} == {(), ("TREASURY_ENVELOPE_EXCEEDED",)}
        assert await room(venture) == await room(venture, "budget") == (994, 0)
        assert await venture.faults() == []


async def test_a_window_holds_for_many_at_once(place: Place) -> None:
    window = Window(name="w", scope="payee", currency="USD", seconds=3600, most_count=10)
    async with open_venture(place, rules=RULES.model_copy(update={"windows": (window,)}), connections=6) as venture:
        fleet = [type(venture.authority)(venture.books.database, place.app) for _ in range(3)]
        outcomes = await asyncio.gather(
            *(fleet[n % 3].submit(venture.tenant, AGENT, venture.asking(7)) for n in range(60))
        )
        assert sum(one.accepted for one in outcomes) == 10


async def test_facts_of_another_transaction_decide_nothing(place: Place, venture: Venture) -> None:
    session = await asyncpg.connect(place.dsn())
    context = place.app.mint_several(tenant=venture.tenant, actors=[AGENT])
    nothing = ", ".join(["'{}'"] * 17)
    record = f"select treasury.record_decisions($1, $2, {nothing})"
    facts = "select treasury.spending_facts($1, $2, '{}', '{}', '{}', '{}', '{}', null)"
    await session.execute(facts, context, [AGENT])
    with pytest.raises(asyncpg.PostgresError, match="TREASURY_BATCH_MALFORMED"):
        await session.execute(record, context, [AGENT])
    await session.close()


async def test_a_venture_decides_for_itself_alone(place: Place, venture: Venture) -> None:
    """What is B's or nobody's is the same to A."""
    async with open_database(place.dsn()) as database:
        other = await new_venture(database, place)
        theirs = await other.request(2_000)
        digest = (await other.spend(theirs.spend)).digest
        for spend in (theirs.spend, UUID(int=9)):
            assert (await venture.approve(spend, "user:cat", digest=digest)).codes == ("TREASURY_SPEND_UNKNOWN",)
        for payee in (other.shop, UUID(int=9)):
            assert (await venture.request(1, payee=payee)).codes == ("TREASURY_PAYEE_UNKNOWN",)
        for envelope in (other.ads, UUID(int=9)):
            assert (await venture.request(1, envelope=envelope)).codes == ("TREASURY_ENVELOPE_UNKNOWN",)
        assert (await other.spend(theirs.spend)).state == State.AWAITING_APPROVAL
        assert await other.faults() == []
