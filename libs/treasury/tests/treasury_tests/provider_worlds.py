"""Builders of the providers' tests: a clock that is told the time, doubles, adapters on them, and a worker's loop."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.core import Double
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.serving import Hook, Within
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.mercury import MercuryProvider, Way
from parpour_treasury.providers.port import PaymentOrder, Provider
from parpour_treasury.providers.steps import History, Next, Step, begin, learn, next_step
from parpour_treasury.providers.stripe import Rail, StripeProvider

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:1"
KEY = Secret("sk_test_double")
TOKEN = Secret("secret-token:mercury_sandbox_double")
STRIPE_HOOK = Secret("whsec_of_the_endpoint")
MERCURY_HOOK = Secret("hook-of-mercury")


@dataclass
class Clock:
    """A clock that is told the time."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


def order(number: int = 1, **changes: Any) -> PaymentOrder:
    """An order of 12.50 dollars."""
    spend = UUID(int=number)
    given: dict[str, Any] = {
        "spend_id": spend,
        "key": f"spend-{spend}",
        "amount": 1250,
        "currency": "USD",
        "destination": "pm_payee",
        "purpose": "invoice 7",
    }
    return PaymentOrder(**{**given, **changes})


def stripe_on(
    double: Double, *, rail: Rail = Rail.OUTBOUND_PAYMENT, hook: Hook | None = None, network: str = "ach"
) -> StripeProvider:
    """The adapter on a double within the process."""
    return StripeProvider(
        KEY,
        rail=rail,
        financial_account="fa_double" if rail is Rail.OUTBOUND_PAYMENT else "",
        network=network,
        webhook_secrets=[STRIPE_HOOK],
        egress=Egress((), loopback=True, inner=Within(double, hook=hook)),
        base_url=BASE,
    )


def mercury_on(double: Double, *, way: Way = Way.TRANSACTION, hook: Hook | None = None) -> MercuryProvider:
    """The adapter on a double within the process."""
    return MercuryProvider(
        TOKEN,
        account="acc_double",
        way=way,
        webhook_secrets=[MERCURY_HOOK],
        egress=Egress((), loopback=True, inner=Within(double, hook=hook)),
        base_url=BASE,
    )


@dataclass
class Setting:
    """A provider's double, the adapter on it, and where it pays."""

    double: StripeDouble | MercuryDouble
    provider: Provider
    destination: str
    clock: Clock
    settled: tuple[str, ...] = field(default=())


SETTINGS = ("stripe outbound payment", "stripe payout", "mercury transaction", "mercury request")


def setting(name: str, *, list_lag: timedelta = timedelta(0)) -> Setting:
    """One of SETTINGS."""
    clock = Clock()
    if name.startswith("stripe"):
        rail = Rail.PAYOUT if name.endswith("payout") else Rail.OUTBOUND_PAYMENT
        double = StripeDouble(clock=clock, list_lag=list_lag, webhook_secret=STRIPE_HOOK)
        steps = ("in_transit", "paid") if rail is Rail.PAYOUT else ("posted",)
        destination = "ba_payee" if rail is Rail.PAYOUT else "pm_payee"
        return Setting(double, stripe_on(double, rail=rail), destination, clock, steps)
    way = Way.REQUEST if name.endswith("request") else Way.TRANSACTION
    bank = MercuryDouble(clock=clock, list_lag=list_lag, webhook_secret=MERCURY_HOOK)
    return Setting(bank, mercury_on(bank, way=way), "recipient-1", clock, ("sent",))


@dataclass
class Journey:
    """How a payment came out: what was known at the end, the last step, and how often each step was taken."""

    history: History
    last: Next
    taken: list[Step]


async def drive(
    provider: Provider, asked: PaymentOrder, clock: Clock, *, seed: int = 0, crash: float = 0.0, steps_max: int = 400
) -> Journey:
    """What the payment worker does, crashes included: a crash loses an answer, never what was saved before."""
    draw = random.Random(seed)
    history, taken = History(), []
    for _ in range(steps_max):
        following = next_step(history, provider.windows, clock.now)
        taken.append(following.step)
        match following.step:
            case Step.WAIT:
                assert following.at > clock.now, "a wait ends later"
                clock.now = following.at
                continue
            case Step.SEND:
                history = begin(history, clock.now)
                answer = await provider.send(asked)
            case Step.LOOK_UP:
                assert history.begun_at is not None, "nothing is looked for that was never sent"
                answer = await provider.look_up(asked, reference=history.reference, since=history.begun_at)
            case _:
                return Journey(history, following, taken)
        clock.pass_(seconds=draw.uniform(0.01, 40))
        if draw.random() >= crash:
            history = learn(history, answer, clock.now, of=following.step)
        if history.answer is not None:
            return Journey(history, following, taken)
    raise AssertionError(f"no end after {steps_max} steps: {history}")
