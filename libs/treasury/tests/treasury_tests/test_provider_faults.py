"""Whatever goes wrong between us and a provider, each order is paid at most once and the outcome is the truth."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest

from parpour_treasury.providers.doubles.core import Fault, Script
from parpour_treasury.providers.port import Answer, Outcome, PaymentOrder
from parpour_treasury.providers.steps import Step

from .provider_worlds import SETTINGS, drive, order, setting

pytestmark = pytest.mark.anyio
SEEDS = 100
"""For each of the four settings."""
STANDS = {Outcome.SENT, Outcome.SETTLED}


@pytest.mark.parametrize("name", SETTINGS)
async def test_whatever_goes_wrong_an_order_is_paid_at_most_once_and_its_outcome_is_the_truth(name: str) -> None:
    for seed in range(SEEDS):
        draw = random.Random(seed)
        world = setting(name, list_lag=timedelta(minutes=draw.choice([0, 0, 5, 50])))
        asked = order(seed + 1, destination=world.destination, amount=draw.randint(1, 10**9))
        world.double.script = Script.of_seed(seed)
        journey = await drive(world.provider, asked, world.clock, seed=seed, crash=draw.choice([0.0, 0.3]))
        paid = [one for one in world.double.payments() if one.spend_id == str(asked.spend_id)]
        assert len(paid) <= 1, (seed, paid)
        assert journey.history.outcome in STANDS, (seed, journey)
        assert len(paid) == 1, (seed, journey)
        assert paid[0].stands, (seed, paid)
        assert (paid[0].amount, paid[0].currency, paid[0].destination) == (asked.amount, "USD", asked.destination)
        assert paid[0].key == asked.key
        await world.provider.close()


@pytest.mark.parametrize("name", SETTINGS)
async def test_a_provider_that_is_down_for_two_days_never_pays_twice_and_ends_with_a_person_at_worst(name: str) -> None:
    kinds = (Fault.DROP, Fault.BROKEN, Fault.WORK_THEN_500, Fault.WORK_THEN_DROP, Fault.CONFLICT)
    ends = set()
    for seed in range(25):
        world = setting(name, list_lag=timedelta(minutes=30))
        asked = order(seed + 1, destination=world.destination)
        draw = random.Random(seed)
        bad = draw.choices(kinds, weights=[10, 10, 1, 1, 10], k=400)
        world.double.script = Script(bad if seed % 2 else [Fault.DROP] * 400)
        journey = await drive(world.provider, asked, world.clock, seed=seed, steps_max=1000)
        paid = [one for one in world.double.payments() if one.spend_id == str(asked.spend_id)]
        assert len(paid) <= 1
        if journey.history.outcome in STANDS:
            assert len(paid) == 1
        else:
            assert journey.last.step is Step.ASK_PERSON
            since = journey.history.open_since
            assert since is not None
            assert world.clock.now >= since + world.provider.windows.send_again
        ends.add(journey.history.outcome)
    assert None in ends, "some end with a person"


async def test_the_check_would_see_a_payment_made_twice() -> None:
    """A worker that sends anew under a new key after silence pays twice: so the properties above can fail."""
    world = setting("stripe payout")
    world.double.script = Script([Fault.WORK_THEN_SILENCE])
    asked = order(destination=world.destination)
    for attempt in range(2):
        await world.provider.send(replace(asked, key=f"{asked.key}-{attempt}"))
    assert len(world.double.payments()) == 2
    found = await world.provider.look_up(asked, reference="", since=world.clock.now)
    assert (found.outcome, found.code) == (Outcome.NEEDS_PERSON, "paid_more_than_once")


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(
    ("fault", "outcome", "paid"),
    [
        (Fault.NONE, Outcome.SENT, 1),
        (Fault.DROP, Outcome.UNKNOWN, 0),
        (Fault.WORK_THEN_DROP, Outcome.UNKNOWN, 1),
        (Fault.WORK_THEN_SILENCE, Outcome.UNKNOWN, 1),
        (Fault.WORK_THEN_500, Outcome.UNKNOWN, 1),
        (Fault.BROKEN, Outcome.UNKNOWN, 0),
        (Fault.LIMITED, Outcome.LATER, 0),
        (Fault.CONFLICT, Outcome.UNKNOWN, 0),
        (Fault.GARBLED, Outcome.UNKNOWN, 1),
        (Fault.SLOW, Outcome.SENT, 1),
        (Fault.HOOK_FIRST, Outcome.SENT, 1),
    ],
)
async def test_what_an_answer_proves(name: str, fault: Fault, outcome: Outcome, paid: int) -> None:
    world = setting(name)
    world.double.script = Script([fault])
    answer = await world.provider.send(order(destination=world.destination))
    assert answer.outcome is outcome, answer
    assert len(world.double.payments()) == paid
    await world.provider.close()


@pytest.mark.parametrize("name", SETTINGS)
async def test_the_same_key_pays_once(name: str) -> None:
    world = setting(name)
    asked: PaymentOrder = order(destination=world.destination)
    answers: list[Answer] = [await world.provider.send(asked) for _ in range(3)]
    assert {answer.outcome for answer in answers} == {Outcome.SENT}
    assert len({answer.reference for answer in answers}) == 1
    assert len(world.double.payments()) == 1
