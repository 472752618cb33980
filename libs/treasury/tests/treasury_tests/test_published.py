"""Cases that others have published, each with where it comes from: what went wrong elsewhere must not go wrong here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.evidence import masked
from parpour_treasury.providers.port import Outcome
from parpour_treasury.providers.stripe import Rail
from parpour_treasury.providers.stripe_units import from_stripe, to_stripe
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.changes import MemberBody, change_digest
from parpour_treasury.spending.testing import PaymentWorker, Venture, open_venture, payment_worker
from parpour_treasury.statements.model import parse_minor

from .provider_worlds import START, Clock, order, stripe_on

pytestmark = pytest.mark.anyio


@pytest.fixture
async def venture(place: Place) -> AsyncIterator[Venture]:
    async with open_venture(place) as venture:
        yield venture
        assert await venture.faults() == []
        assert await venture.untold() == []


@pytest.fixture
async def worker(place: Place, venture: Venture) -> AsyncIterator[PaymentWorker]:
    async with payment_worker(place, venture) as worker:
        yield worker


# Stripe, "Supported currencies": MGA has no decimals there; ISK and UGX have two, which are always zero.


@pytest.mark.parametrize(
    ("currency", "minor", "units"),
    [("USD", 1250, 1250), ("JPY", 500, 500), ("KWD", 5120, 5120), ("ISK", 5, 500), ("UGX", 5, 500), ("MGA", 1200, 12)],
)
async def test_stripe_is_paid_in_its_own_units(currency: str, minor: int, units: int) -> None:
    double = StripeDouble(clock=Clock(), fee=100)
    provider = stripe_on(double, rail=Rail.PAYOUT)
    asked = order(currency=currency, amount=minor, destination="ba_payee")
    sent = await provider.send(asked)
    assert (sent.outcome, sent.evidence["amount"]) == (Outcome.SENT, units)
    assert (await provider.look_up(asked, reference=sent.reference, since=START)).outcome is Outcome.SENT
    assert (await provider.look_up(asked, reference="", since=START)).reference == sent.reference
    (listed,) = [payment async for payment in provider.payments_since(START - timedelta(hours=1))]
    assert (listed.amount, listed.currency) == (minor, currency)
    (moved,) = [one async for one in provider.movements_since(START - timedelta(hours=1))]
    assert moved.amount == -minor
    assert from_stripe(units, currency) == minor


async def test_what_stripe_has_no_unit_for_is_not_sent() -> None:
    double = StripeDouble(clock=Clock())
    provider = stripe_on(double, rail=Rail.PAYOUT)
    answer = await provider.send(order(currency="MGA", amount=1250, destination="ba_payee"))
    assert (answer.outcome, answer.code) == (Outcome.FAILED, "amount_unrepresentable")
    assert [one async for one in provider.payments_since(START - timedelta(hours=1))] == []
    assert to_stripe(1250, "MGA") is None
    with pytest.raises(ValueError, match="ISK"):
        from_stripe(4010, "ISK")


async def test_a_fraction_that_stripe_no_longer_pays_is_a_refusal() -> None:
    """Stripe, special cases: a payout in HUF or TWD is divisible by 100."""
    double = StripeDouble(clock=Clock())
    answer = await stripe_on(double, rail=Rail.PAYOUT).send(order(currency="HUF", amount=1250, destination="ba_payee"))
    assert answer.outcome is Outcome.FAILED


# PostgreSQL, "JSON types": \u0000 and half of a surrogate pair are JSON, and no text.


@pytest.mark.parametrize("hostile", ["\0", "a\0b", "\ud800", "\udfff tail"])
async def test_a_providers_odd_characters_hinder_no_outcome(
    venture: Venture, worker: PaymentWorker, hostile: str
) -> None:
    asked = await venture.request(100)
    assert asked.spend
    await worker.claim()
    await worker.begin(asked.spend)
    evidence = masked({"memo": hostile, hostile: [{"bank_name": hostile}]})
    outcomes = [{"reference": "r", "step": "sent", "providerReference": "po_1", "evidence": evidence, "fee": 0}]
    state = await worker._call(
        "select treasury.learn($1, $2, 1, $3, null, false, $4)", asked.spend, json.dumps({}), json.dumps(outcomes)
    )
    assert state == "sent"


# NIST SP 800-53 AC-5 and AC-6: an authorisation ends with the role that it came from.


async def test_who_is_no_approver_any_more_has_approved_nothing(venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(2_000)
    (await venture.approve(asked.spend, "user:cat")).raise_for_refusal()
    await venture.change(MemberBody(actor="user:cat", person="cat", roles=("auditor",)))
    assert await worker.claim() == []
    spend = await venture.spend(asked.spend)
    assert (spend.state, spend.code) == ("cancelled", "TREASURY_APPROVAL_NEEDED")


async def test_what_was_claimed_is_not_sent_once_its_approver_is_none(venture: Venture, worker: PaymentWorker) -> None:
    asked = await venture.request(2_000)
    assert asked.spend
    (await venture.approve(asked.spend, "user:cat")).raise_for_refusal()
    await worker.claim()
    await venture.change(MemberBody(actor="user:cat", person="cat", roles=("auditor",)))
    assert await worker.begin(asked.spend) == "stopped"


async def test_two_accounts_that_turn_out_to_be_one_person_count_once(venture: Venture, worker: PaymentWorker) -> None:
    """Two approved as two people; then it comes out that they are one."""
    asked = await venture.request(12_000, actor="user:bob")
    for actor in ("user:cat", "user:ann"):
        (await venture.approve(asked.spend, actor)).raise_for_refusal()
    assert (await venture.spend(asked.spend)).quorum == 2
    await venture.change(MemberBody(actor="user:cat", person="ann", roles=("approver",)))
    assert await worker.claim() == []
    assert (await venture.spend(asked.spend)).code == "TREASURY_APPROVAL_NEEDED"


async def test_who_may_not_propose_any_more_has_proposed_nothing(venture: Venture) -> None:
    await venture.change(MemberBody(actor="user:eve", person="eve", roles=("treasurer",)))
    change, body = UUID(int=77), MemberBody(actor="user:mallory", person="mallory", roles=("owner",))
    await venture.governance.propose(venture.context("user:bob"), change, body)
    await venture.change(MemberBody(actor="user:bob", person="bob", roles=("auditor",)), by="user:eve")
    with pytest.raises(TreasuryError, match="TREASURY_ROLE_MISSING"):
        await venture.governance.confirm(
            venture.context(), change, digest=change_digest(change, body), authenticated_at=datetime.now(UTC)
        )


# XML Schema part 2, 3.2.3 decimal: digits may be missing before or after the point; then there have to be some.


@pytest.mark.parametrize(
    ("text", "minor"), [("2.50", 250), (".5", 50), ("5.", 500), ("007.", 700), (".00", 0), ("0", 0), ("1.500000", 150)]
)
def test_every_way_to_write_a_decimal_is_read(text: str, minor: int) -> None:
    assert parse_minor(text, "EUR", "Amt") == minor
    assert parse_minor(f"-{text}", "EUR", "Amt") == -minor


@pytest.mark.parametrize(
    "text", ["", ".", "+", "-.", "1..2", "1.2.3", "1_0", "0x1", " 1", "1 ", "٣", "1e2", "∞", "--1"]
)
def test_what_is_no_decimal_is_refused(text: str) -> None:
    with pytest.raises(TreasuryError, match="STATEMENT_AMOUNT_MALFORMED"):
        parse_minor(text, "EUR", "Amt")
