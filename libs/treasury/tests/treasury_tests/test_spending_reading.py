"""Pages of what the authority keeps: from either end they say what the whole list says, and each thing has its own."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.reading import FIRST_ID, LAST_ID
from parpour_treasury.spending import reading
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.changes import ReleaseBody
from parpour_treasury.spending.reading import BEGINNING, END, Wanted
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT, Venture, payment_worker

pytestmark = pytest.mark.anyio


async def test_spends_are_paged_by_time_from_either_end_and_by_what_is_wanted(venture: Venture) -> None:
    ids = [(await venture.request(amount)).spend for amount in (100, 200, 9_000, 300, 1_100)]
    async with venture.books.database.transaction(venture.context()) as connection:
        whole = await reading.page_of_spends(connection, after=BEGINNING, before=END, limit=9)
        assert [one.spend_id for one in whole] == ids
        for backward in (False, True):
            found: list[UUID] = []
            after, before = BEGINNING, END
            while rows := await reading.page_of_spends(
                connection, after=after, before=before, limit=2, backward=backward
            ):
                page = [one.spend_id for one in rows]
                found = page + found if backward else found + page
                edge = rows[0] if backward else rows[-1]
                place = (edge.requested_at, edge.spend_id)
                after, before = (after, place) if backward else (place, before)
            assert found == ids

        async def chosen(**fields: object) -> list[UUID]:
            wanted = Wanted(**fields)  # type: ignore[arg-type]
            rows = await reading.page_of_spends(connection, after=BEGINNING, before=END, limit=9, wanted=wanted)
            return [one.spend_id for one in rows]

        assert await chosen(state=State.REFUSED) == [ids[2]]
        assert await chosen(payee=venture.shop, actor=AGENT) == ids
        assert await chosen(payee=venture.firm) == await chosen(envelope=venture.budget) == []
        assert await chosen(actor="agent:other") == []
        late = (whole[-1].requested_at - timedelta(microseconds=1), LAST_ID)
        assert [one.spend_id for one in await reading.page_of_spends(connection, after=late, before=END, limit=9)] == [
            ids[-1]
        ]


async def test_what_is_pending_is_what_ones_approval_would_count_for(venture: Venture) -> None:
    first, second = (await venture.request(11_000, actor="user:ann")).spend, (await venture.request(2_000)).spend
    await venture.approve(first, "user:cat")
    for actor, expected in (
        ("user:ann", [second]),
        ("user:bob", [first]),
        ("user:cat", [second]),
        ("user:cat-phone", [second]),
        ("user:dan", [first, second]),
    ):
        member = await venture.register.membership(venture.context(actor))
        assert member is not None
        async with venture.books.database.transaction(venture.context(actor)) as connection:
            rows = await reading.page_of_pending(connection, member, after=BEGINNING, before=END, limit=9)
        assert [one.spend_id for one in rows] == expected, actor


async def test_a_membership_is_ones_own_and_of_ones_venture(venture: Venture) -> None:
    bob = await venture.register.membership(venture.context("user:bob"))
    assert bob is not None
    assert (bob.person, bob.roles, bob.revoked) == ("bob", ("treasurer", "approver"), False)
    assert await venture.register.membership(venture.context("user:eve")) is None
    elsewhere = venture.books.mint.mint(tenant=uuid4(), actor="user:bob")
    assert await venture.register.membership(elsewhere) is None
    await venture.governance.revoke(venture.context("user:ann"), "user:bob", reason="r")
    bob = await venture.register.membership(venture.context("user:bob"))
    assert bob is not None
    assert bob.revoked


async def test_each_spend_has_its_own_approvals_decisions_outcomes_and_journals(place: Place, venture: Venture) -> None:
    paid, other = (await venture.request(900)).spend, (await venture.request(800, payee=venture.firm)).spend
    assert paid
    assert other
    async with payment_worker(place, venture) as worker:
        await worker.claim()
        await worker.begin(paid)
        for step in ("sent", "settled", "returned"):
            await worker.advance(paid, step, fee=7 if step == "sent" else 0)
    async with venture.books.database.transaction(venture.context()) as connection:
        ids = [paid, other]
        journals = await reading.journals_of_spends(connection, ids)
        assert {one.correlation for one in journals[paid]} == {paid}
        assert len(journals[paid]) == 4
        assert other not in journals
        outcomes = await reading.outcomes_of(connection, ids)
        assert [(one.step, one.fee) for one in outcomes[paid]] == [("sent", 7), ("settled", 0), ("returned", 0)]
        decisions = await reading.decisions_of(connection, ids)
        assert {spend: len(rows) for spend, rows in decisions.items()} == {paid: 1, other: 1}
        assert set(await reading.courses_of(connection, ids)) == {paid}
        assert await reading.approvals_of(connection, ids) == {}
        spends = await reading.spends_of(connection, [*ids, uuid4()])
        assert {spends[one].state for one in ids} == {State.RETURNED, State.SUBMITTING}
        holds = await reading.holds_of(connection, [one.hold_id for one in spends.values() if one.hold_id])
        assert len(holds) == 2
        within = await reading.envelopes_within(connection, [venture.budget, venture.ads])
        assert {parent: [one.code for one in rows] for parent, rows in within.items()} == {venture.budget: ["ads"]}


async def test_changes_rules_members_payees_and_envelopes_are_paged_from_either_end(venture: Venture) -> None:
    made = [await venture.change(ReleaseBody(what="freeze")) for _ in range(3)]
    async with venture.books.database.transaction(venture.context()) as connection:
        last = await reading.page_of_changes(connection, after=BEGINNING, before=END, limit=2, backward=True)
        assert [one.change_id for one in last] == made[1:]
        assert await reading.page_of_changes(connection, after=BEGINNING, before=END, limit=2, state="proposed") == []
        assert set(await reading.changes_of(connection, made)) == set(made)
        rules = await reading.page_of_rules(connection, after=0, before=reading.VERSION_END, limit=9)
        assert [one.version for one in rules] == [1]
        assert (await reading.rules_of(connection, [1, 2])).keys() == {1}
        everyone = [one.actor for one in await reading.page_of_members(connection, after="", before=None, limit=99)]
        assert everyone == sorted(everyone)
        before = await reading.page_of_members(connection, after="", before="user:ann", limit=9, backward=True)
        assert [one.actor for one in before] == ["agent:buyer", "agent:other"]
        assert set(await reading.members_of(connection, ["user:ann", "user:eve"])) == {"user:ann"}
        end = LAST_ID
        payees = [one.payee_id for one in await reading.page_of_payees(connection, after=FIRST_ID, before=end, limit=9)]
        assert sorted(payees) == payees
        assert set(payees) == {venture.shop, venture.firm, venture.platform}
        codes = [one.code for one in await reading.page_of_envelopes(connection, after="ads", before=None, limit=9)]
        assert codes == ["budget"]


async def test_an_authority_that_tells_has_each_spend_as_its_ask_left_it(place: Place, venture: Venture) -> None:
    authority = Authority(venture.books.database, place.app, tells=True)
    ask = venture.asking(1_100)
    outcome = await authority.submit(venture.tenant, AGENT, ask)
    assert outcome.row is not None
    assert (outcome.row.spend_id, outcome.row.state) == (outcome.spend, State.AWAITING_APPROVAL)
    assert outcome.row == await venture.spend(outcome.spend)
    again = await authority.submit(venture.tenant, AGENT, ask)
    assert (again.replayed, again.row) == (True, outcome.row)
    assert (await venture.submit(AGENT, ask)).row is None
