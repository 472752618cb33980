"""The ledger as a user sees it: journals, limits, holds, reversals, times, periods and keys."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from parpour_controlplane.events import events_about
from parpour_treasury.books import Kind, NewAccount, standard_accounts
from parpour_treasury.commands import BALANCE_MAX, Leg, Post
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.testing import CORRELATION, Books

pytestmark = pytest.mark.anyio


async def funded(books: Books, amount: int = 1000) -> tuple[int, int, int]:
    """(bank, funding, spending), with an amount in the bank, which allows no overdraft."""
    bank = await books.open("assets:bank", minimum=0)
    funding = await books.open("equity:funding", Kind.EQUITY)
    spending = await books.open("expenses:spending", Kind.EXPENSE)
    assert (await books.post((bank, amount), (funding, -amount))).journal == 1
    return bank, funding, spending


async def test_a_journal_moves_balances_and_tells_what_it_left(books: Books) -> None:
    bank, funding, spending = await funded(books)
    outcome = await books.post((bank, -300), (spending, 250), (funding, 50), description="3 legs; 'quoted' \\ ☂")
    journal = await books.ledger.journal(books.context, 2)
    assert outcome.journal == 2
    assert journal.legs == books.legs([(bank, -300), (spending, 250), (funding, 50)])
    assert journal.balances == (700, 250, -950)
    assert (journal.actor, journal.kind, journal.description) == ("user:ann", "posting", "3 legs; 'quoted' \\ ☂")
    assert await books.ledger.faults(books.context) == []


async def test_a_limit_refuses_one_command_and_not_its_neighbours(books: Books) -> None:
    bank, _, spending = await funded(books, 1000)
    outcomes = await asyncio.gather(*(books.post((bank, -amount), (spending, amount)) for amount in (600, 500, 400, 1)))
    assert [one.code for one in outcomes] == [None, "TREASURY_LIMIT_EXCEEDED", None, "TREASURY_LIMIT_EXCEEDED"]
    assert [one.journal for one in outcomes] == [2, None, 3, None]
    assert [one.account for one in outcomes] == [None, bank, None, bank]
    assert await books.balance(bank) == 0


@pytest.mark.parametrize("kind", Kind)
async def test_limits_are_in_the_accounts_own_direction(books: Books, kind: Kind) -> None:
    account = await books.open("limited", kind, minimum=-10, maximum=100)
    other = await books.open("other")
    for own, code in [(101, "TREASURY_LIMIT_EXCEEDED"), (100, None), (-111, "TREASURY_LIMIT_EXCEEDED"), (-110, None)]:
        assert (await books.post((account, own * kind.sign), (other, -own * kind.sign))).code == code
    assert await books.balance(account) == -10 * kind.sign
    with pytest.raises(TreasuryError, match="TREASURY_LIMIT_EXCEEDED"):
        await books.ledger.limit_account(books.context, account, minimum=0, maximum=None)
    await books.ledger.limit_account(books.context, account, minimum=-20, maximum=None)
    assert (await books.post((account, -10 * kind.sign), (other, 10 * kind.sign))).accepted


async def test_an_account_that_comes_twice_in_a_journal_is_judged_by_its_end(books: Books) -> None:
    bank, _, spending = await funded(books, 100)
    outcome = await books.post((bank, -150), (bank, 60), (spending, 90))
    assert outcome.accepted
    assert await books.balance(bank) == 10


async def test_refusals_of_a_single_command(books: Books) -> None:
    bank, _funding, spending = await funded(books)
    euros = await books.open("assets:bank:eur", currency="EUR")
    closed = await books.open("assets:closed")
    await books.ledger.close_account(books.context, closed)
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert (await books.post((bank, -1), (99, 1))).code == "TREASURY_ACCOUNT_UNKNOWN"
    assert (await books.post((0, -1), (bank, 1))).code == "TREASURY_ACCOUNT_UNKNOWN"
    assert (await books.post((bank, -1), (closed, 1))).code == "TREASURY_ACCOUNT_CLOSED"
    assert (await books.post((bank, -1), (spending, 1), at=later)).code == "TREASURY_EFFECTIVE_IN_FUTURE"
    wrong = Post(key="w", correlation=CORRELATION, legs=(Leg(bank, -1, "USD"), Leg(euros, 1, "USD")))
    refused = await books.batcher.submit(books.tenant, books.actor, wrong)
    assert (refused.code, refused.account) == ("TREASURY_CURRENCY_MISMATCH", euros)
    with pytest.raises(TreasuryError, match=f"TREASURY_CURRENCY_MISMATCH: account {euros}"):
        refused.raise_for_refusal()
    assert await books.ledger.faults(books.context) == []


async def test_two_currencies_balance_each_by_itself(books: Books) -> None:
    accounts = [
        await books.open(f"a{place}", currency=currency) for place, currency in enumerate(("USD", "USD", "EUR", "EUR"))
    ]
    usd, usd2, eur, eur2 = accounts
    assert (await books.post((usd, 110), (usd2, -110), (eur, -100), (eur2, 100))).accepted
    assert [line.balance for line in await books.ledger.trial_balance(books.context)] == [110, -110, -100, 100]


async def test_balances_never_wrap_around(books: Books) -> None:
    one, two = await books.open("one"), await books.open("two")
    most = BALANCE_MAX
    assert (await books.post((one, most), (two, -most))).accepted
    for amounts in [
        ((one, 1), (two, -1)),
        ((one, most), (two, -most)),
        ((one, most), (one, most), (two, -most), (two, -most)),
    ]:
        assert (await books.post(*amounts)).code == "TREASURY_BALANCE_OVERFLOW"
    _, held = await books.place((one, 1), (two, -1))
    assert held.code == "TREASURY_BALANCE_OVERFLOW"
    assert (await books.post((one, -most), (two, most))).accepted


async def test_a_key_answers_as_before_and_refuses_another_request(books: Books) -> None:
    bank, _, spending = await funded(books)
    first = await books.post((bank, -10), (spending, 10), key="k")
    again = await books.post((bank, -10), (spending, 10), key="k")
    other = await books.post((bank, -11), (spending, 11), key="k")
    assert (again.journal, again.replayed, first.replayed) == (first.journal, True, False)
    assert other.code == "TREASURY_IDEMPOTENCY_KEY_REUSED"
    books.actor = "user:bob"
    assert (await books.post((bank, -10), (spending, 10), key="k")).code == "TREASURY_IDEMPOTENCY_KEY_REUSED"
    assert await books.balance(bank) == 990


async def test_a_refusal_is_remembered_though_it_would_be_accepted_now(books: Books) -> None:
    bank, funding, spending = await funded(books, 10)
    assert (await books.post((bank, -20), (spending, 20), key="k")).code == "TREASURY_LIMIT_EXCEEDED"
    await books.post((bank, 100), (funding, -100))
    again = await books.post((bank, -20), (spending, 20), key="k")
    assert (again.code, again.account, again.replayed) == ("TREASURY_LIMIT_EXCEEDED", bank, True)


async def test_a_hold_counts_against_what_is_available(books: Books) -> None:
    bank, _, spending = await funded(books)
    hold, placed = await books.place((bank, -700), (spending, 700))
    assert placed.accepted
    account = await books.ledger.account(books.context, bank)
    assert (account.posted, account.pending_credit, account.available) == (1000, 700, 300)
    assert (await books.post((bank, -301), (spending, 301))).code == "TREASURY_LIMIT_EXCEEDED"
    assert (await books.place((bank, -301), (spending, 301)))[1].code == "TREASURY_LIMIT_EXCEEDED"
    assert (await books.void(hold)).accepted
    assert (await books.ledger.account(books.context, bank)).available == 1000
    assert (await books.ledger.hold(books.context, hold)).state == "voided"
    assert (await books.void(hold)).code == "TREASURY_HOLD_CLOSED"
    assert (await books.void(uuid4())).code == "TREASURY_HOLD_UNKNOWN"


async def test_a_hold_is_settled_in_parts_and_its_rest_released(books: Books) -> None:
    bank, _, spending = await funded(books)
    hold, _ = await books.place((bank, -700), (spending, 700))
    assert (await books.settle(hold, (-100, 100), release=False)).journal == 2
    state = await books.ledger.hold(books.context, hold)
    assert (state.state, state.settled) == ("open", (-100, 100))
    assert (await books.ledger.account(books.context, bank)).available == 300
    assert (await books.settle(hold, (-601, 601))).code == "TREASURY_HOLD_EXCEEDED"
    assert (await books.settle(hold, (1, -1))).code == "TREASURY_HOLD_EXCEEDED"
    assert (await books.settle(hold, (-5,))).code == "TREASURY_HOLD_EXCEEDED"
    assert (await books.settle(hold, (-5, 6))).code == "TREASURY_JOURNAL_UNBALANCED"
    assert (await books.settle(hold, (0, 0))).code == "TREASURY_JOURNAL_EMPTY"
    settled = await books.settle(hold, (-200, 200))
    assert settled.journal == 3
    assert (await books.ledger.hold(books.context, hold)).state == "settled"
    assert (await books.ledger.account(books.context, bank)).available == 700
    assert (await books.ledger.journal(books.context, 3)).hold == hold
    assert (await books.settle(hold)).code == "TREASURY_HOLD_CLOSED"
    assert await books.ledger.faults(books.context) == []


async def test_a_hold_of_many_legs_settles_some_of_them(books: Books) -> None:
    bank, funding, spending = await funded(books)
    hold, _ = await books.place((bank, -100), (spending, 60), (funding, 40))
    assert (await books.settle(hold, (-60, 60, 0), release=False)).accepted
    assert (await books.settle(hold)).accepted
    journals = await books.ledger.journals(books.context, after=1)
    assert [len(journal.legs) for journal in journals] == [2, 2]
    assert (await books.ledger.hold(books.context, hold)).state == "settled"


async def test_a_hold_of_the_largest_amounts_is_settled_in_parts(books: Books) -> None:
    accounts = [await books.open(f"a{number}") for number in range(4)]
    signs = (1, -1, 1, -1)
    hold, _ = await books.place(*((one, sign * BALANCE_MAX) for one, sign in zip(accounts, signs, strict=True)))
    assert (await books.settle(hold, signs, release=False)).accepted
    assert (await books.ledger.hold(books.context, hold)).state == "open"
    assert (await books.settle(hold)).accepted
    assert (await books.ledger.hold(books.context, hold)).state == "settled"
    assert [await books.balance(one) for one in accounts] == [sign * BALANCE_MAX for sign in signs]


async def test_a_hold_expires_before_anything_else_is_decided(books: Books) -> None:
    bank, _, spending = await funded(books)
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    hold, placed = await books.place((bank, -1000), (spending, 1000), expires=soon)
    assert placed.accepted
    assert (await books.place((bank, 0 - 1), (spending, 1), hold=hold))[1].code == "TREASURY_HOLD_EXISTS"
    assert (await books.post((bank, -1), (spending, 1))).code == "TREASURY_LIMIT_EXCEEDED"
    await asyncio.sleep(0.35)
    assert (await books.post((bank, -1), (spending, 1))).accepted
    assert (await books.settle(hold)).code == "TREASURY_HOLD_EXPIRED"
    assert (await books.ledger.hold(books.context, hold)).state == "expired"
    past, refused = await books.place((bank, -1), (spending, 1), expires=soon)
    assert refused.code == "TREASURY_HOLD_EXPIRED"
    with pytest.raises(TreasuryError, match="TREASURY_HOLD_UNKNOWN"):
        await books.ledger.hold(books.context, past)
    assert await books.ledger.faults(books.context) == []


async def test_the_sweeper_expires_where_nobody_writes(books: Books) -> None:
    bank, _, spending = await funded(books)
    await books.place((bank, -1), (spending, 1), expires=datetime.now(UTC) + timedelta(seconds=0.1))
    await asyncio.sleep(0.15)
    assert await books.ledger.sweep(books.context) == 1
    assert await books.ledger.sweep(books.context) == 0


async def test_a_journal_is_reversed_once(books: Books) -> None:
    bank, _, spending = await funded(books)
    await books.post((bank, -10), (spending, 10))
    reversal = await books.reverse(2)
    assert reversal.journal == 3
    journal = await books.ledger.journal(books.context, 3)
    assert (journal.kind, journal.reverses, journal.legs) == ("reversal", 2, books.legs([(bank, 10), (spending, -10)]))
    assert (await books.reverse(2)).code == "TREASURY_JOURNAL_REVERSED"
    assert (await books.reverse(3)).code == "TREASURY_JOURNAL_IS_REVERSAL"
    assert (await books.reverse(9)).code == "TREASURY_JOURNAL_UNKNOWN"
    await books.post((bank, -995), (spending, 995))
    assert (await books.reverse(1)).code == "TREASURY_LIMIT_EXCEEDED"


async def test_reversals_of_one_journal_that_arrive_together_post_once(books: Books) -> None:
    bank, funding, _ = await funded(books)
    outcomes = await asyncio.gather(*(books.reverse(1) for _ in range(5)))
    assert sorted(one.code or "" for one in outcomes) == ["", *["TREASURY_JOURNAL_REVERSED"] * 4]
    assert (await books.balance(bank), await books.balance(funding)) == (0, 0)


async def test_balances_at_any_effective_and_recorded_time(books: Books) -> None:
    bank, funding, spending = await funded(books, 1000)
    day = timedelta(days=1)
    now = (await books.ledger.journal(books.context, 1)).effective_at
    await books.post((bank, 5), (funding, -5), at=now - 3 * day)
    known = (await books.ledger.journal(books.context, 2)).recorded_at
    await books.post((bank, -7), (spending, 7), at=now - 2 * day)

    async def at(effective: datetime | None, recorded: datetime | None = None) -> int:
        return await books.ledger.balance(books.context, bank, effective=effective, recorded=recorded)

    assert [await at(now - days * day) for days in (4, 3, 2, 1)] == [0, 5, -2, -2]
    assert await at(now) == await at(None) == 998
    assert [await at(now - days * day, known) for days in (4, 3, 2)] == [0, 5, 5]
    assert await at(None, known) == 1005
    assert await at(None, now - day) == 0
    statement = await books.ledger.statement(books.context, bank, since=now - 2 * day, until=now + day)
    assert (statement.opening, [one.amount for one in statement.movements], statement.closing) == (5, [-7, 1000], 998)


async def test_a_locked_period_takes_nothing_more_and_keeps_what_it_came_to(books: Books) -> None:
    bank, funding, spending = await funded(books)
    day = timedelta(days=1)
    now = datetime.now(UTC)
    await books.post((bank, 5), (funding, -5), at=now - 3 * day)
    await books.ledger.lock_period(books.context, until=now - 2 * day)
    await books.ledger.lock_period(books.context, until=now - 2 * day)
    assert (await books.post((bank, 5), (funding, -5), at=now - 3 * day)).code == "TREASURY_PERIOD_LOCKED"
    assert (await books.reverse(2, at=now - 3 * day)).code == "TREASURY_PERIOD_LOCKED"
    assert (await books.post((bank, -2), (spending, 2), at=now - day)).accepted
    await books.ledger.lock_period(books.context, until=now)
    assert (await books.reverse(2)).accepted
    for until in (now - day, now + day):
        with pytest.raises(TreasuryError, match="TREASURY_PERIOD_OUT_OF_ORDER"):
            await books.ledger.lock_period(books.context, until=until)
    balances = [
        await books.ledger.balance(books.context, bank, effective=now - hours * day / 24) for hours in (60, 36, 12)
    ]
    assert balances == [5, 5, 3]
    assert await books.ledger.balance(books.context, bank) == 998
    assert sum(line.balance for line in await books.ledger.trial_balance(books.context, effective=now)) == 0


async def test_a_period_ends_at_a_time_that_states_its_zone(books: Books) -> None:
    with pytest.raises(TreasuryError, match="TREASURY_COMMAND_MALFORMED: until"):
        await books.ledger.lock_period(books.context, until=datetime(2026, 1, 1))


async def test_a_period_is_locked_whose_balance_no_account_ever_had(books: Books) -> None:
    """What took effect before a time was recorded among what took effect after it, and may come to more."""
    one, two = await books.open("one"), await books.open("two")
    now, day, most = datetime.now(UTC), timedelta(days=1), BALANCE_MAX
    for days, amount in ((1, -most), (3, most), (3, most)):
        assert (await books.post((one, amount), (two, -amount), at=now - days * day)).accepted
    await books.ledger.lock_period(books.context, until=now - 2 * day)
    assert await books.ledger.balance(books.context, one, effective=now - 2 * day) == 2 * most
    assert await books.ledger.balance(books.context, one) == most
    assert await books.ledger.faults(books.context) == []


async def test_accounts_are_found_again_and_closed_when_empty(books: Books) -> None:
    bank, funding, _ = await funded(books)
    assert await books.open("assets:bank", minimum=0) == bank
    with pytest.raises(TreasuryError, match="TREASURY_ACCOUNT_EXISTS"):
        await books.open("assets:bank", minimum=1)
    with pytest.raises(TreasuryError, match="TREASURY_LIMIT_EXCEEDED"):
        await books.open("assets:reserve", minimum=1)
    with pytest.raises(TreasuryError, match="TREASURY_ACCOUNT_IN_USE"):
        await books.ledger.close_account(books.context, bank)
    with pytest.raises(TreasuryError, match="TREASURY_ACCOUNT_UNKNOWN"):
        await books.ledger.close_account(books.context, 99)
    await books.reverse(1)
    await books.ledger.close_account(books.context, bank)
    await books.ledger.close_account(books.context, bank)
    assert [account.closed_at is None for account in await books.ledger.accounts(books.context)] == [False, True, True]
    assert (await books.ledger.account(books.context, funding)).kind is Kind.EQUITY


@pytest.mark.parametrize("code", ["", "Assets", "assets:", "a b", "a" * 201, "assets:bänk", "a';drop"])
async def test_an_account_code_that_is_none_is_refused(books: Books, code: str) -> None:
    with pytest.raises(TreasuryError, match="TREASURY_COMMAND_MALFORMED"):
        await books.open(code)


@pytest.mark.parametrize(
    ("currency", "minimum", "code"),
    [
        ("XXX", None, "CURRENCY_UNKNOWN"),
        ("USD", -(2**63), "TREASURY_BALANCE_OVERFLOW"),
        ("USD", -(2**70), "TREASURY_BALANCE_OVERFLOW"),
        ("USD", -1.5, "AMOUNT_MALFORMED"),
    ],
)
async def test_an_account_that_could_not_be_kept_is_refused(
    books: Books, currency: str, minimum: int | None, code: str
) -> None:
    with pytest.raises(TreasuryError, match=code):
        await books.open("a", Kind.INCOME, currency, minimum=minimum)
    if minimum is not None:
        account = await books.open("a", Kind.INCOME)
        with pytest.raises(TreasuryError, match=code):
            await books.ledger.limit_account(books.context, account, minimum=minimum, maximum=None)


async def test_the_standard_accounts_are_there_in_each_currency(books: Books) -> None:
    for currency in ("USD", "JPY"):
        for account in standard_accounts(currency):
            await books.ledger.open_account(books.context, account)
    codes = {account.code for account in await books.ledger.accounts(books.context)}
    assert {
        f"{name}:jpy" for name in ("assets:clearing", "assets:in-transit", "expenses:fees", "assets:returns")
    } <= codes


async def test_a_tenant_without_books_is_told_so(books: Books) -> None:
    books.tenant = uuid4()
    with pytest.raises(TreasuryError, match="TREASURY_LEDGER_UNKNOWN"):
        await books.post((1, 1), (2, -1))
    with pytest.raises(TreasuryError, match="TREASURY_LEDGER_UNKNOWN"):
        await books.ledger.open_account(books.context, NewAccount("a", "a", Kind.ASSET, "USD"))


async def test_every_accepted_command_writes_one_event_of_its_actor(books: Books) -> None:
    bank, _, spending = await funded(books)
    hold, _ = await books.place((bank, -700), (spending, 700))
    await books.settle(hold, (-100, 100), release=False)
    await books.void(hold)
    books.actor = "agent:é|☂"
    await books.reverse(2)
    await books.post((bank, -5000), (spending, 5000))
    async with books.ledger._database.transaction(books.context) as connection:
        of_hold = await events_about(connection, f"hold/{hold}")
        rows = await connection.fetch(
            "select type, actor, subject, payload::jsonb -> 'legs' as legs from controlplane.event "
            "where type not like '%account%'"
        )
    assert [(row["type"], row["actor"], row["legs"]) for row in rows] == [
        ("treasury.journal.posted", "user:ann", '[[1, 1000, "USD"], [2, -1000, "USD"]]'),
        ("treasury.hold.placed", "user:ann", '[[1, -700, "USD"], [3, 700, "USD"]]'),
        ("treasury.hold.settled", "user:ann", '[[1, -100, "USD"], [3, 100, "USD"]]'),
        ("treasury.hold.voided", "user:ann", "[]"),
        ("treasury.journal.reversed", "agent:é|☂", '[[1, 100, "USD"], [3, -100, "USD"]]'),
    ]
    assert [row["subject"] for row in rows] == ["journal/1", f"hold/{hold}", "journal/2", f"hold/{hold}", "journal/3"]
    assert [(one.tenant, one.type) for one in of_hold] == [
        (books.tenant, "treasury.hold.placed"),
        (books.tenant, "treasury.hold.voided"),
    ]
    assert of_hold[0].correlation == CORRELATION
