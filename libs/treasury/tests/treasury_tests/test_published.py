"""Cases that others have published, each with where it comes from: what went wrong elsewhere must not go wrong here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.evidence import masked
from parpour_treasury.providers.port import Outcome
from parpour_treasury.providers.stripe import Rail
from parpour_treasury.providers.stripe_units import from_stripe, to_stripe
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.changes import MemberBody, change_digest, read_body
from parpour_treasury.spending.testing import PaymentWorker, Venture, payee_body
from parpour_treasury.statements.model import parse_minor
from parpour_treasury.testing import Books, open_books

from .provider_worlds import START, Clock, order, stripe_on

pytestmark = pytest.mark.anyio


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


# Formance, "Reverting a transaction": money that has been spent since cannot be taken back from who spent it.


async def test_a_reversal_overdraws_nobody(books: Books) -> None:
    purse, funding, shop = await books.open("purse", minimum=0), await books.open("funding"), await books.open("shop")
    given = await books.post((purse, 100), (funding, -100))
    await books.post((shop, 60), (purse, -60))
    assert given.journal
    assert (await books.reverse(given.journal)).code == "TREASURY_LIMIT_EXCEEDED"
    assert [await books.balance(one) for one in (purse, funding, shop)] == [40, -100, 60]


# TigerBeetle, "Two-phase transfers": what was posted of a pending transfer is final, and the rest is free exactly once.


async def test_what_a_hold_posted_stays_when_the_rest_is_voided(books: Books) -> None:
    purse, funding, shop = await books.open("purse", minimum=0), await books.open("funding"), await books.open("shop")
    await books.post((purse, 100), (funding, -100))
    hold, _ = await books.place((shop, 80), (purse, -80))
    assert (await books.settle(hold, [30, -30], release=False)).code is None
    assert (await books.settle(hold, [51, -51], release=False)).code == "TREASURY_HOLD_EXCEEDED"
    assert (await books.settle(hold, [-30, 30], release=False)).code == "TREASURY_HOLD_EXCEEDED"
    assert (await books.void(hold)).code is None
    for again in (await books.void(hold), await books.settle(hold), await books.settle(hold, [1, -1])):
        assert again.code == "TREASURY_HOLD_CLOSED"
    assert [await books.balance(one) for one in (purse, shop)] == [70, 30]
    assert await books.ledger.faults(books.context) == []


async def test_a_reversal_of_what_a_hold_posted_keeps_nothing_again(books: Books) -> None:
    purse, funding, shop = await books.open("purse", minimum=0), await books.open("funding"), await books.open("shop")
    await books.post((purse, 100), (funding, -100))
    hold, _ = await books.place((shop, 100), (purse, -100))
    settled = await books.settle(hold, [100, -100])
    assert settled.journal
    assert (await books.reverse(settled.journal)).code is None
    assert (await books.post((shop, 100), (purse, -100))).code is None
    assert await books.ledger.faults(books.context) == []


# Stripe and RFC draft "Idempotency-Key": a key is of who used it. Another tenant's same key is another request.


async def test_one_key_in_two_tenants_is_two_requests(books: Books, place: Place) -> None:
    async with open_books(place) as other:
        for one in (books, other):
            bank, funding = await one.open("bank"), await one.open("funding")
            assert (await one.post((bank, 5), (funding, -5), key="the same")).code is None
        assert (await other.post((2, 7), (1, -7), key="the same")).code == "TREASURY_IDEMPOTENCY_KEY_REUSED"
        assert [await one.balance(1) for one in (books, other)] == [5, 5]


# pgledger and TigerBeetle, overflow of balances: what all accounts come to together may pass 64 bits.


async def test_sums_of_all_books_may_pass_64_bits(books: Books) -> None:
    ends = [(await books.open(f"rich{number}"), await books.open(f"owed{number}")) for number in range(3)]
    for rich, owed in ends:
        assert (await books.post((rich, BALANCE_MAX), (owed, -BALANCE_MAX))).code is None
        assert (await books.post((rich, 1), (owed, -1))).code == "TREASURY_BALANCE_OVERFLOW"
    found = await books.ledger.trial_balance(books.context)
    assert sum(one.balance for one in found if one.balance > 0) == 3 * BALANCE_MAX > 2**63
    assert sum(one.balance for one in found) == 0
    assert await books.ledger.faults(books.context) == []


# "Trojan Source" (CVE-2021-42574) and Unicode TR 36: a name that is shown as another one is confirmed as another one.


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u2066", "\ufeff", "\u2028", "\x85", "\x1b", "\n"])
def test_a_name_that_is_shown_as_another_is_refused(hidden: str) -> None:
    payee = payee_body(UUID(int=1)).to_wire()
    for kind, body in (
        ("payee", {**payee, "name": f"Acme{hidden}dtL"}),
        ("member", {"actor": "user:a", "person": f"ann{hidden}", "roles": ["owner"]}),
        ("member", {"actor": f"user:a{hidden}", "person": "ann", "roles": ["owner"]}),
    ):
        with pytest.raises(TreasuryError, match="TREASURY_CHANGE_MALFORMED"):
            read_body(kind, json.dumps(body))
