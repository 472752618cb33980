"""The adapter of Mercury on its double: exact dollars, keys, equal payments, requests, statuses and lists."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.providers import mercury
from parpour_treasury.providers.doubles.core import Fault, Reply, Request, Script
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.mercury import (
    BASE_URL,
    DUPLICATE_WINDOW,
    Way,
    body_of,
    cents,
    dollars,
    read_json,
    spend_of,
)
from parpour_treasury.providers.port import Outcome, ProviderFault
from parpour_treasury.providers.steps import Step

from .provider_worlds import START, Clock, drive, mercury_on, order

anyio = pytest.mark.anyio


@given(st.integers(1, 2**53 - 1))
def test_cents_survive_the_edge_exactly(amount: int) -> None:
    text = dollars(amount)
    assert cents(read_json(text.encode())) == amount
    assert Decimal(text) * 100 == amount


@given(st.integers(1, 10**13))
def test_what_a_double_prints_is_read_as_the_cents_it_means(amount: int) -> None:
    """Mercury's numbers are doubles, printed in the shortest way that reads back: up to 10^15 digits keep cents."""
    assert cents(read_json(json.dumps(amount / 100).encode())) == amount


@pytest.mark.parametrize(
    "text", ["12.505", "0.001", "1e-3", '"12.50"', "true", "null", "[]", "1e30", "NaN", "Infinity", "{", "9" * 5000]
)
def test_what_is_no_amount_of_cents_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        cents(read_json(text.encode()))


@pytest.mark.parametrize(
    ("text", "amount"), [("12.5", 1250), ("1E2", 10000), ("-0.01", -1), ("12.500", 1250), ("7", 700)]
)
def test_every_way_to_write_a_number_is_read(text: str, amount: int) -> None:
    assert cents(read_json(text.encode())) == amount


def test_a_body_is_json_with_an_exact_number() -> None:
    text = body_of(order(amount=110, purpose='a "quote"'), method="ach")
    assert b'"amount": 1.10,' in text
    body = json.loads(text)
    assert (body["recipientId"], body["idempotencyKey"]) == ("pm_payee", order().key)
    assert spend_of(body["note"]) == order().spend_id
    assert "purpose" in json.loads(body_of(order(), method="domesticWire"))
    for bad in (order(currency="EUR"), order(amount=2**53)):
        with pytest.raises(ValueError, match=r"dollars|cents"):
            body_of(bad, method="ach")


@pytest.mark.parametrize("note", [None, 7, "", "parpour", "parpour x", "x parpour 1"])
def test_other_notes_name_no_spend(note: object) -> None:
    assert spend_of(note) is None


@anyio
@pytest.mark.parametrize(
    ("way", "outcome"),
    [
        ((), Outcome.SENT),
        (("sent",), Outcome.SETTLED),
        (("failed",), Outcome.FAILED),
        (("cancelled",), Outcome.FAILED),
        (("sent", "failed"), Outcome.FAILED),
        (("blocked",), Outcome.UNKNOWN),
    ],
)
async def test_a_status_and_what_it_means(way: tuple[str, ...], outcome: Outcome) -> None:
    clock = Clock()
    double = MercuryDouble(clock=clock)
    provider = mercury_on(double)
    sent = await provider.send(order(destination="r"))
    for state in way:
        clock.pass_(hours=1)
        double.advance(sent.reference, state)
    found = await provider.look_up(order(destination="r"), reference=sent.reference, since=START)
    assert (found.outcome, found.reference) == (outcome, sent.reference)
    assert found.evidence["status"] == (way[-1] if way else "pending")
    assert found.evidence["details"]["electronicRoutingInfo"]["accountNumber"] == "…6789"
    assert found.occurred_at == (START if way in {(), ("cancelled",), ("blocked",)} else clock.now)


@anyio
async def test_an_equal_payment_within_a_day_is_queued_and_then_sent() -> None:
    clock = Clock()
    double = MercuryDouble(clock=clock)
    provider = mercury_on(double)
    await provider.send(order(1, destination="r"))
    clock.pass_(hours=1)
    second = await provider.send(order(2, destination="r"))
    assert (second.outcome, second.code, second.patience) == (Outcome.LATER, "duplicate", DUPLICATE_WINDOW)
    journey = await drive(provider, order(2, destination="r"), clock)
    assert journey.history.outcome is Outcome.SENT
    assert clock.now >= START + timedelta(hours=24)
    assert [paid.spend_id for paid in double.payments()] == [str(order(1).spend_id), str(order(2).spend_id)]


@anyio
async def test_a_key_that_was_used_is_a_conflict_with_the_first_payment() -> None:
    double = MercuryDouble(clock=Clock())
    content = body_of(order(destination="r"), method="ach")
    replies = [await ask(double, "POST", "/transactions", content) for _ in range(2)]
    assert [reply.status for reply in replies] == [200, 409]
    assert replies[0].body == replies[1].body
    other = await ask(double, "POST", "/transactions", body_of(order(destination="r", amount=99), method="ach"))
    assert (other.status, other.body) == (409, replies[0].body)
    answer = await mercury_on(double).send(order(destination="r", amount=99))
    assert (answer.outcome, answer.code) == (Outcome.NEEDS_PERSON, "disagrees_with_order")


async def ask(
    double: MercuryDouble,
    method: str,
    rest: str,
    body: bytes = b"",
    token: str = "secret-token:mercury_sandbox_x",
    query: str = "",
) -> Reply:
    """One raw request to the double."""

    async def no_sleep(seconds: float) -> None:
        """Does not wait."""

    request = Request(
        method, f"/api/v1/account/{double.account}{rest}", query, {"authorization": f"Bearer {token}"}, body
    )
    exchange = await double.exchange(request, no_sleep)
    assert exchange.reply is not None
    return exchange.reply


@anyio
@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": "12.50"},
        {"amount": 0.005},
        {"recipientId": ""},
        {"paymentMethod": "cash"},
        {"paymentMethod": "domesticWire"},
        {"colour": "red"},
        {"idempotencyKey": None},
        {"note": "a\0b"},
        {"amount": 10**11},
    ],
)
async def test_what_is_not_valid_is_refused(change: dict[str, object]) -> None:
    double = MercuryDouble(clock=Clock())
    body = {**json.loads(body_of(order(destination="r"), method="ach")), **change}
    assert (await ask(double, "POST", "/transactions", json.dumps(body).encode())).status == 400
    assert double.payments() == []


@anyio
async def test_the_double_takes_only_tokens_of_the_sandbox_and_its_own_account() -> None:
    double = MercuryDouble(clock=Clock())
    assert (await ask(double, "GET", "", token="secret-token:mercury_production_x")).status == 401
    assert (await ask(double, "GET", "", token="")).status == 401
    double.account = "other"
    lost = await mercury_on(double).send(order())
    assert (lost.outcome, lost.code) == (Outcome.FAILED, "http_404")


@anyio
async def test_a_request_is_sent_until_a_person_at_mercury_decides() -> None:
    clock = Clock()
    double = MercuryDouble(clock=clock)
    provider = mercury_on(double, way=Way.REQUEST)
    asked = order(destination="r")
    sent = await provider.send(asked)
    assert (sent.outcome, sent.code) == (Outcome.SENT, "pendingApproval")
    waiting = await provider.look_up(asked, reference=sent.reference, since=START)
    assert (waiting.outcome, waiting.code) == (Outcome.UNKNOWN, "no_transaction_yet")
    double.advance(sent.reference.removeprefix("request:"), "approved")
    approved = await provider.look_up(asked, reference=sent.reference, since=START)
    assert approved.outcome is Outcome.SENT
    assert not approved.reference.startswith("request:")
    double.advance(approved.reference, "sent")
    assert (await provider.look_up(asked, reference=approved.reference, since=START)).outcome is Outcome.SETTLED
    assert len(double.payments()) == 1
    clock.pass_(hours=25)
    other = await provider.send(order(2, destination="r"))
    double.advance(other.reference.removeprefix("request:"), "rejected")
    again = await provider.send(order(2, destination="r"))
    assert (again.outcome, again.code) == (Outcome.FAILED, "rejected")


@anyio
async def test_a_request_whose_answer_was_lost_is_in_no_list_and_ends_with_a_person_if_never_answered() -> None:
    clock = Clock()
    faults = [Fault.WORK_THEN_SILENCE, *[Fault.DROP] * 300]
    double = MercuryDouble(clock=clock, script=Script(faults))
    journey = await drive(mercury_on(double, way=Way.REQUEST), order(destination="r"), clock, steps_max=1000)
    assert journey.last.step is Step.ASK_PERSON
    assert len(double.payments()) == 1


@anyio
async def test_lists_are_walked_by_date_and_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mercury, "PAGE", 100)
    clock = Clock()
    double = MercuryDouble(clock=clock)
    provider = mercury_on(double)
    for number in range(1, 252):
        await provider.send(order(number, destination="r", amount=number))
    listed = [payment async for payment in provider.payments_since(START)]
    assert [(one.spend_id, one.amount) for one in listed] == [
        (order(number).spend_id, number) for number in range(1, 252)
    ]
    found = await provider.look_up(order(251, destination="r", amount=251), reference="", since=START)
    assert found.outcome is Outcome.SENT
    clock.pass_(days=40)
    assert json.loads((await ask(double, "GET", "/transactions")).body)["total"] == 0, "a month by default"
    for query in ("limit=0", "limit=1001", "offset=-1", "start=soon"):
        assert (await ask(double, "GET", "/transactions", query=query)).status == 400
    moved = [one async for one in provider.movements_since(START)]
    assert (len(moved), moved[0].amount) == (251, -1)


@anyio
async def test_the_balance_is_exact() -> None:
    double = MercuryDouble(clock=Clock(), available=100_010)
    provider = mercury_on(double)
    await provider.send(order(destination="r", amount=11))
    balance = await provider.balance("USD")
    assert (balance.available, balance.pending) == (99_999, 11)
    assert (await provider.balance("EUR")).available == 0
    double.account = "other"
    with pytest.raises(ProviderFault, match="http_404"):
        await provider.balance("USD")


@anyio
async def test_another_currency_is_refused_before_anything_leaves() -> None:
    double = MercuryDouble(clock=Clock())
    answer = await mercury_on(double).send(order(currency="EUR"))
    assert (answer.outcome, answer.code) == (Outcome.FAILED, "not_representable")
    assert double.payments() == []
    assert BASE_URL == "https://api.mercury.com"
