"""Containment of a venture, an agent and a payee: whatever was in flight comes to the end that was stated."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.changes import Body, MemberBody, ReleaseBody
from parpour_treasury.spending.containing import FATES, METERED, Cause, Contained, Containment
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT, Venture, payment_worker

pytestmark = pytest.mark.anyio

CAUSES: dict[str, Callable[[Venture], Cause]] = {
    "venture": lambda venture: Cause(),
    "agent": lambda venture: Cause(actor=AGENT),
    "payee": lambda venture: Cause(payee=venture.shop),
}


async def contain(
    venture: Venture, cause: Cause, *, actor: str = "user:ann", call_off: bool = True, reason: str = "odd payments"
) -> Contained:
    containment = Containment(venture.governance, venture.authority, venture.register, venture.books.mint)
    return await containment.contain(venture.tenant, actor, cause, reason=reason, call_off=call_off)


async def in_each_state(place: Place, venture: Venture) -> dict[State, UUID]:
    """A spend of the agent on the shop in each state that is in flight."""
    found: dict[State, UUID] = {}
    async with payment_worker(place, venture) as worker:
        for state in (State.SENT, State.UNKNOWN, State.SUBMITTING):
            asked = await venture.request(100)
            assert asked.spend is not None
            await worker.claim()
            if state is not State.SUBMITTING:
                await worker.advance(asked.spend, state.value, reference=f"{asked.spend}")
            found[state] = asked.spend
    for state, amount in ((State.RESERVED, 100), (State.AWAITING_APPROVAL, 2_000)):
        asked = await venture.request(amount)
        assert asked.spend is not None
        assert asked.state == state
        found[state] = asked.spend
    return found


@pytest.mark.parametrize("name", CAUSES)
async def test_what_was_not_sent_is_called_off_and_the_rest_is_followed(
    place: Place, venture: Venture, name: str
) -> None:
    flying = await in_each_state(place, venture)
    done = await contain(venture, CAUSES[name](venture))
    assert done.stopped
    found = {one.spend: one for one in done.endings}
    assert set(found) == set(flying.values())
    for state, spend in flying.items():
        ends = state in (State.AWAITING_APPROVAL, State.RESERVED)
        after = State.CANCELLED if ends else state
        ending = found[spend]
        assert (ending.before, ending.after, ending.code) == (state, after, None)
        assert ending.fate == ("" if ends else FATES[state])
        assert (await venture.spend(spend)).state is after
    async with payment_worker(place, venture) as worker:
        assert await worker.claim() == []
        # What is on its way is recorded, whatever was stopped.
        assert await worker.advance(flying[State.SENT], "settled", reference="later") == "settled"
        assert await worker.advance(flying[State.UNKNOWN], "failed", reference="later") == "failed"
        # Nothing is sent that was not sent before.
        assert await worker.begin(flying[State.SUBMITTING]) == "stopped"


@pytest.mark.parametrize("name", CAUSES)
async def test_what_is_not_called_off_waits_and_goes_on_when_it_is_let_go(
    place: Place, venture: Venture, name: str
) -> None:
    asked = await venture.request(900)
    done = await contain(venture, CAUSES[name](venture), call_off=False)
    assert [(one.spend, one.fate) for one in done.endings] == [(asked.spend, FATES[State.RESERVED])]
    async with payment_worker(place, venture) as worker:
        assert await worker.claim() == []
        release: dict[str, Body] = {
            "venture": ReleaseBody(what="freeze"),
            "agent": MemberBody(actor=AGENT, person="bob", roles=("agent",)),
            "payee": ReleaseBody(what="payee", payee=venture.shop),
        }
        await venture.change(release[name])
        assert [one["spend"] for one in await worker.claim()] == [str(asked.spend)]


async def test_what_is_of_somebody_else_goes_on(place: Place, venture: Venture) -> None:
    other = await venture.request(100, actor="agent:other", payee=venture.firm)
    assert (await contain(venture, Cause(actor=AGENT))).endings == ()
    assert (await contain(venture, Cause(payee=venture.shop))).endings == ()
    async with payment_worker(place, venture) as worker:
        assert [one["spend"] for one in await worker.claim()] == [str(other.spend)]


async def test_what_a_stolen_account_has_approved_is_not_sent(place: Place, venture: Venture) -> None:
    asked = [await venture.request(2_000) for _ in range(2)]
    await venture.approve(asked[0].spend, "user:cat-phone")
    async with payment_worker(place, venture) as worker:
        (claimed,) = await worker.claim()
        assert claimed["spend"] == str(asked[0].spend)
        await venture.approve(asked[1].spend, "user:cat-phone")
        done = await contain(venture, Cause(actor="user:cat-phone"))
        assert {one.spend: one.after for one in done.endings} == {
            asked[0].spend: State.SUBMITTING,
            asked[1].spend: State.CANCELLED,
        }
        assert await worker.begin(UUID(claimed["spend"])) == "stopped"


async def test_metered_work_is_charged_and_not_renewed(venture: Venture) -> None:
    run = await venture.request(300, payee=venture.platform)
    assert run.spend is not None
    done = await contain(venture, Cause())
    assert [(one.after, one.fate) for one in done.endings] == [(State.RESERVED, METERED)]
    assert (await venture.renew(run.spend, 10)).codes == ("TREASURY_VENTURE_FROZEN",)
    assert (await venture.settle(run.spend, 120)).state == State.SETTLED


async def test_the_same_again_changes_nothing_that_has_ended(venture: Venture) -> None:
    await venture.request(100)
    assert len((await contain(venture, Cause())).endings) == 1
    again = await contain(venture, Cause())
    assert (again.stopped, again.endings) == (False, ())


async def test_who_may_stop_it_but_call_nothing_off_stops_it(venture: Venture) -> None:
    asked = await venture.request(100)
    done = await contain(venture, Cause(), actor="user:dan")
    (ending,) = done.endings
    assert (done.stopped, ending.code, ending.fate) == (True, "TREASURY_ROLE_MISSING", FATES[State.RESERVED])
    assert (await venture.spend(asked.spend)).state is State.RESERVED
    # A treasurer does it afterwards.
    assert [one.after for one in (await contain(venture, Cause(), actor="user:bob")).endings] == [State.CANCELLED]


async def test_what_could_not_be_called_off_says_why_and_is_the_next_time(place: Place, venture: Venture) -> None:
    for _ in range(2):
        await venture.request(100)
    busy = Authority(venture.books.database, place.app, waiting_max=1)
    containment = Containment(venture.governance, busy, venture.register, place.app)
    done = await containment.contain(venture.tenant, "user:ann", Cause(), reason="odd payments", call_off=True)
    assert done.stopped
    assert [(one.after, one.code) for one in done.endings] == [
        (State.CANCELLED, None),
        (State.RESERVED, "TREASURY_OVERLOADED"),
    ]
    assert [one.after for one in (await contain(venture, Cause())).endings] == [State.CANCELLED]


async def test_software_contains_nothing(venture: Venture) -> None:
    asked = await venture.request(100)
    with pytest.raises(TreasuryError, match="TREASURY_NOT_A_PERSON"):
        await contain(venture, Cause(), actor=AGENT)
    assert (await venture.spend(asked.spend)).state is State.RESERVED


def test_an_incident_is_about_one_thing() -> None:
    with pytest.raises(ValueError, match="not both"):
        Cause(actor=AGENT, payee=UUID(int=1))
