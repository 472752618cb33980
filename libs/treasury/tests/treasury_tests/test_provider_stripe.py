"""The adapter of Stripe on its double: every status, code, page and quirk."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import get_args
from urllib.parse import urlencode

import pytest
import stripe
from stripe.params import PayoutCreateParams
from stripe.params.treasury import OutboundPaymentCreateParams
from stripe.treasury import OutboundPayment

from parpour_treasury.providers.doubles import stripe as double_of_stripe
from parpour_treasury.providers.doubles.core import Fault, Reply, Request, Script
from parpour_treasury.providers.doubles.serving import Within
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.port import Outcome, ProviderFault
from parpour_treasury.providers.steps import Step
from parpour_treasury.providers.stripe import API_VERSION, OUTCOMES, Rail, StripeProvider

from .provider_worlds import BASE, KEY, START, Clock, drive, order, stripe_on

pytestmark = pytest.mark.anyio


async def no_sleep(seconds: float) -> None:
    """Does not wait."""


async def ask(
    double: StripeDouble, method: str, path: str, key: str = "", secret: str = "sk_test_x", **form: str
) -> Reply:
    """One raw request to the double."""
    headers = {"authorization": f"Bearer {secret}", **({"idempotency-key": key} if key else {})}
    text = urlencode(form)
    body, query = (text.encode(), "") if method == "POST" else (b"", text)
    exchange = await double.exchange(Request(method, path, query, headers, body), no_sleep)
    assert exchange.reply is not None
    return exchange.reply


def error_of(reply: Reply) -> dict[str, str]:
    found: dict[str, str] = json.loads(reply.body)["error"]
    return found


PAYOUT = {"amount": "1250", "currency": "usd", "destination": "ba_payee"}


@pytest.mark.parametrize(
    ("rail", "way", "outcome", "code"),
    [
        (Rail.OUTBOUND_PAYMENT, ("posted",), Outcome.SETTLED, "posted"),
        (Rail.OUTBOUND_PAYMENT, ("failed",), Outcome.FAILED, "failed"),
        (Rail.OUTBOUND_PAYMENT, ("canceled",), Outcome.FAILED, "canceled"),
        (Rail.OUTBOUND_PAYMENT, ("posted", "returned"), Outcome.RETURNED, "account_closed"),
        (Rail.PAYOUT, ("in_transit",), Outcome.SENT, "in_transit"),
        (Rail.PAYOUT, ("in_transit", "paid"), Outcome.SETTLED, "paid"),
        (Rail.PAYOUT, ("in_transit", "paid", "failed"), Outcome.FAILED, "account_closed"),
        (Rail.PAYOUT, ("canceled",), Outcome.FAILED, "canceled"),
    ],
)
async def test_a_status_and_what_it_means(rail: Rail, way: tuple[str, ...], outcome: Outcome, code: str) -> None:
    clock = Clock()
    double = StripeDouble(clock=clock)
    provider = stripe_on(double, rail=rail)
    asked = order(destination="ba_payee" if rail is Rail.PAYOUT else "pm_payee")
    sent = await provider.send(asked)
    assert (sent.outcome, sent.occurred_at) == (Outcome.SENT, START)
    for state in way:
        clock.pass_(hours=1)
        double.advance(sent.reference, state)
    found = await provider.look_up(asked, reference=sent.reference, since=START)
    assert (found.outcome, found.code, found.reference) == (outcome, code, sent.reference)
    listed = [payment async for payment in provider.payments_since(START - timedelta(hours=1))]
    assert [(one.spend_id, one.amount, one.currency, one.answer) for one in listed] == [
        (asked.spend_id, 1250, "USD", found)
    ]
    await provider.close()


def words(annotation: object) -> set[str]:
    """The words of a `Union[Literal[…], str]` of the SDK."""
    return {word for part in get_args(annotation) for word in get_args(part)}


def test_every_status_and_code_of_return_of_the_sdk_is_known() -> None:
    """The SDK's types are made from Stripe's description of its API; payouts have no such type there."""
    assert words(OutboundPayment.__annotations__["status"]) == set(OUTCOMES[Rail.OUTBOUND_PAYMENT])
    codes = words(OutboundPayment.ReturnedDetails.__annotations__["code"])
    assert codes == double_of_stripe.RETURN_CODES
    assert len(codes) == 10


def test_the_double_knows_the_parameters_that_the_sdk_knows() -> None:
    options = {"idempotency_key", "stripe_account", "stripe_context", "stripe_version", "api_key", "headers"}
    options |= {"content_type", "max_network_retries"}
    assert set(PayoutCreateParams.__annotations__) - options == double_of_stripe.PAYOUT_PARAMETERS
    assert set(OutboundPaymentCreateParams.__annotations__) - options == double_of_stripe.PAYMENT_PARAMETERS


async def test_the_version_is_named_and_the_sdk_does_not_ask_again() -> None:
    double = StripeDouble(clock=Clock(), script=Script([Fault.BROKEN] * 3))
    seen: list[Request] = []
    plain = double.exchange

    async def watch(request: Request, sleep: object) -> object:
        seen.append(request)
        return await plain(request, no_sleep)

    double.exchange = watch  # type: ignore[method-assign,assignment]
    assert (await stripe_on(double).send(order())).outcome is Outcome.UNKNOWN
    (request,) = seen
    assert request.headers["stripe-version"] == API_VERSION == stripe.api_version, "the SDK's types are of that version"
    assert request.headers["idempotency-key"] == order().key


async def test_a_stored_500_comes_back_for_a_day_and_the_list_tells_the_truth() -> None:
    clock = Clock()
    double = StripeDouble(clock=clock, script=Script([Fault.WORK_THEN_500]))
    provider = stripe_on(double)
    for _ in range(3):
        assert (await provider.send(order())).outcome is Outcome.UNKNOWN
        clock.pass_(hours=7)
    found = await provider.look_up(order(), reference="", since=START)
    assert (found.outcome, len(double.payments())) == (Outcome.SENT, 1)
    clock.pass_(hours=4)
    await provider.send(order())
    assert len(double.payments()) == 2, "a day later the key protects no more: so nothing is sent then"


async def test_keys_as_stripe_keeps_them() -> None:
    clock = Clock()
    double = StripeDouble(clock=clock)
    first = await ask(double, "POST", "/v1/payouts", "k", **PAYOUT)
    again = await ask(double, "POST", "/v1/payouts", "k", **PAYOUT)
    assert (again.status, again.body) == (first.status, first.body)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    other = await ask(double, "POST", "/v1/payouts", "k", **{**PAYOUT, "amount": "1251"})
    assert (other.status, error_of(other)["type"]) == (400, "idempotency_error")
    bad = await ask(double, "POST", "/v1/payouts", "fresh", **{**PAYOUT, "amount": "0"})
    assert (bad.status, error_of(bad)["code"]) == (400, "amount_too_small")
    good = await ask(double, "POST", "/v1/payouts", "fresh", **PAYOUT)
    assert good.status == 200, "what failed validation kept nothing"
    long = await ask(double, "POST", "/v1/payouts", "k" * 256, **PAYOUT)
    assert error_of(long)["code"] == "idempotency_key_too_long"
    poor = StripeDouble(clock=clock, available=1)
    refusals = [await ask(poor, "POST", "/v1/payouts", "k", **PAYOUT) for _ in range(2)]
    assert error_of(refusals[0])["code"] == "balance_insufficient"
    assert refusals[1].headers["idempotent-replayed"] == "true", "execution had begun, so the refusal is kept"


async def test_a_key_in_use_is_a_conflict_that_keeps_nothing() -> None:
    double = StripeDouble(clock=Clock(), script=Script([Fault.SLOW]))
    inner: list[Reply] = []

    async def meanwhile(seconds: float) -> None:
        inner.append(await ask(double, "POST", "/v1/payouts", "k", **PAYOUT))

    request = Request(
        "POST",
        "/v1/payouts",
        headers={"authorization": "Bearer sk_test_x", "idempotency-key": "k"},
        body=urlencode(PAYOUT).encode(),
    )
    outer = await double.exchange(request, meanwhile)
    assert [reply.status for reply in inner] == [409]
    assert error_of(inner[0])["code"] == "idempotency_key_in_use"
    assert outer.reply is not None
    assert outer.reply.status == 200
    assert len(double.payments()) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"colour": "red"}, "parameter_unknown"),
        ({"amount": ""}, "parameter_missing"),
        ({"currency": ""}, "parameter_missing"),
        ({"amount": "12.5"}, "parameter_invalid_integer"),
        ({"amount": "-5"}, "amount_too_small"),
        ({"currency": "USD"}, "invalid_currency"),
        ({"destination": "nobody"}, "resource_missing"),
    ],
)
async def test_what_is_not_valid_is_refused_by_its_parameter(change: dict[str, str], code: str) -> None:
    double = StripeDouble(clock=Clock())
    reply = await ask(double, "POST", "/v1/payouts", "k", **{**PAYOUT, **change})
    assert (reply.status, error_of(reply)["code"], error_of(reply)["param"]) == (400, code, next(iter(change)))
    assert double.payments() == []


@pytest.mark.parametrize("secret", ["", "sk_live_x", "rk_live_x", "nonsense"])
async def test_the_double_takes_only_keys_for_tests(secret: str) -> None:
    double = StripeDouble(clock=Clock())
    assert (await ask(double, "GET", "/v1/balance", secret=secret)).status == 401


async def test_a_refusal_is_a_failure_and_a_used_key_is_for_a_person() -> None:
    double = StripeDouble(clock=Clock())
    provider = stripe_on(double)
    refused = await provider.send(order(destination="nobody"))
    assert (refused.outcome, refused.code, refused.reference) == (Outcome.FAILED, "resource_missing", "")
    await provider.send(order())
    other = await provider.send(order(amount=1251))
    assert (other.outcome, other.code) == (Outcome.NEEDS_PERSON, "idempotency_error")
    assert len(double.payments()) == 1


async def test_a_refusal_after_silence_is_concluded_only_when_the_list_shows_nothing() -> None:
    clock = Clock()
    double = StripeDouble(clock=clock, script=Script([Fault.DROP]), available=1)
    journey = await drive(stripe_on(double), order(), clock)
    assert journey.last.step is Step.CONCLUDE_FAILED
    assert clock.now >= START + timedelta(hours=1)
    assert double.payments() == []


async def test_books_that_disagree_are_for_a_person() -> None:
    double = StripeDouble(clock=Clock())
    provider = stripe_on(double)
    sent = await provider.send(order())
    for asked in (order(amount=1), order(destination="pm_other"), order(2)):
        found = await provider.look_up(asked, reference=sent.reference, since=START)
        assert (found.outcome, found.code) == (Outcome.NEEDS_PERSON, "disagrees_with_order")
        assert found.evidence["id"] == sent.reference


async def test_lists_are_walked_to_their_end_and_lag_behind() -> None:
    clock = Clock()
    double = StripeDouble(clock=clock, list_lag=timedelta(minutes=5))
    provider = stripe_on(double)
    for number in range(1, 251):
        await provider.send(order(number))
    assert [one async for one in provider.payments_since(START)] == []
    absent = await provider.look_up(order(1), reference="", since=START)
    assert absent.outcome is Outcome.ABSENT
    clock.pass_(minutes=5)
    listed = [one.spend_id for one in [one async for one in provider.payments_since(START)]]
    assert len(listed) == len(set(listed)) == 250
    found = await provider.look_up(order(1), reference="", since=START)
    assert found.outcome is Outcome.SENT
    bad = await ask(double, "GET", "/v1/payouts", starting_after="po_none")
    assert error_of(bad)["code"] == "resource_missing"
    assert (await ask(double, "GET", "/v1/payouts", limit="101")).status == 400


async def test_fees_and_movements_are_told_to_the_unit() -> None:
    double = StripeDouble(clock=Clock(), available=10_000, fee=25)
    provider = stripe_on(double, rail=Rail.PAYOUT)
    sent = await provider.send(order(destination="ba_payee"))
    assert sent.fee is not None
    assert (sent.fee.amount, sent.fee.currency) == (25, "USD")
    double.advance(sent.reference, "in_transit")
    double.advance(sent.reference, "paid")
    double.advance(sent.reference, "failed", "no_account")
    moved = [(one.kind, one.amount, one.fee, one.source) async for one in provider.movements_since(START)]
    assert moved == [("payout_failure", 1250, 0, sent.reference), ("payout", -1250, 25, sent.reference)]
    balance = await provider.balance("USD")
    assert (balance.available, balance.pending) == (10_000, 0)


async def test_a_financial_account_tells_its_entries_and_balance() -> None:
    double = StripeDouble(clock=Clock(), available=10_000)
    provider = stripe_on(double)
    first, second = await provider.send(order(1)), await provider.send(order(2))
    double.advance(first.reference, "posted")
    balance = await provider.balance("USD")
    assert (balance.available, balance.pending) == (7_500, 1_250)
    double.advance(first.reference, "returned")
    double.advance(second.reference, "failed")
    moved = [(one.kind, one.amount, one.source) async for one in provider.movements_since(START)]
    assert moved == [
        ("outbound_payment_return", 1250, first.reference),
        ("outbound_payment", -1250, first.reference),
    ]
    assert (await provider.balance("EUR")).available == 0


async def test_the_test_helpers_move_a_payment_and_refuse_what_cannot_be() -> None:
    double = StripeDouble(clock=Clock())
    sent = await stripe_on(double).send(order())
    helper = f"/v1/test_helpers/treasury/outbound_payments/{sent.reference}"
    assert json.loads((await ask(double, "POST", f"{helper}/post")).body)["status"] == "posted"
    wrong = await ask(double, "POST", f"{helper}/return", **{"returned_details[code]": "bored"})
    assert wrong.status == 400
    back = await ask(double, "POST", f"{helper}/return", **{"returned_details[code]": "no_account"})
    assert json.loads(back.body)["returned_details"]["code"] == "no_account"
    assert (await ask(double, "POST", f"{helper}/post")).status == 400
    assert (await ask(double, "POST", f"/v1/payouts/{sent.reference}x/cancel")).status == 404


async def test_an_unknown_status_is_unknown_with_its_evidence() -> None:
    double = StripeDouble(clock=Clock())
    provider = stripe_on(double)
    sent = await provider.send(order())
    double_of_stripe.STEPS["treasury.outbound_payment", "processing"].add("teleported")
    try:
        double.advance(sent.reference, "teleported")
    finally:
        double_of_stripe.STEPS["treasury.outbound_payment", "processing"].discard("teleported")
    found = await provider.look_up(order(), reference=sent.reference, since=START)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "teleported")
    assert found.evidence["status"] == "teleported"


async def test_the_world_outlives_the_double(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "stripe.json"
    first = StripeDouble(clock=clock, path=path, script=Script([Fault.WORK_THEN_SILENCE]))
    assert (await stripe_on(first).send(order())).outcome is Outcome.UNKNOWN
    second = StripeDouble(clock=clock, path=path)
    assert (await stripe_on(second).send(order())).outcome is Outcome.SENT
    assert second.payments() == first.payments()
    assert len(second.payments()) == 1


async def test_lists_that_cannot_be_read_are_a_fault_without_words() -> None:
    double = StripeDouble(clock=Clock())
    provider = StripeProvider(KEY, financial_account="fa", egress=Egress(()), base_url=BASE)
    with pytest.raises(ProviderFault, match="EgressRefused"):
        await provider.balance("USD")
    with pytest.raises(ProviderFault, match="EgressRefused"):
        _ = [one async for one in provider.payments_since(START)]
    assert (await provider.look_up(order(), reference="", since=START)).outcome is Outcome.UNKNOWN
    missing = await stripe_on(double).look_up(order(), reference="obp_none", since=START)
    assert (missing.outcome, missing.code) == (Outcome.UNKNOWN, "resource_missing")


@pytest.mark.parametrize(
    "given", [{"rail": Rail.PAYOUT, "financial_account": "fa"}, {}, {"financial_account": "fa", "network": "swift"}]
)
async def test_a_rail_is_configured_wholly(given: dict[str, str]) -> None:
    egress = Egress((), loopback=True, inner=Within(StripeDouble(clock=Clock())))
    with pytest.raises(ValueError, match=r"outbound payments|network"):
        StripeProvider(KEY, egress=egress, base_url=BASE, **given)  # type: ignore[arg-type]
