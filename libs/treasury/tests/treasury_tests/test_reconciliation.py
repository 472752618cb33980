"""Statements and reconciliation in the database: taken once, matched once, decided by people, explained to the unit."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.events import events_about
from parpour_controlplane.testing import Place
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.telling import tell
from parpour_treasury.books import Kind
from parpour_treasury.commands import Leg, Post
from parpour_treasury.reconciliation import reading, states
from parpour_treasury.reconciliation.evidence import bundle, evidence, faults
from parpour_treasury.reconciliation.reconciler import Check, Payment, Reconciler, suggestion
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.governing import Governance
from parpour_treasury.spending.testing import AGENT, give_people, new_venture, payment_worker
from parpour_treasury.statements.camt053 import read_camt053
from parpour_treasury.statements.model import BankStatement, Entry, check_follows
from parpour_treasury.statements.store import Imported, Statements
from parpour_treasury.testing import Books, new_books, snapshot

from .camt_files import chained, written

pytestmark = pytest.mark.anyio
DAY = date(2026, 3, 2)
IBAN = "DE89370400440532013000"


@dataclass
class Bank:
    """A bank account of a tenant, funded with 1000.00 before its first statement, and short verbs."""

    books: Books
    database: Database
    statements: Statements
    reconciler: Reconciler
    account: int
    funding: int
    transit: int
    fees: int
    returns: int

    def context(self, actor: str = "user:ann") -> str:
        return self.books.mint.mint(tenant=self.books.tenant, actor=actor)

    async def move(self, amount: int, *, days: int = 0, correlation: UUID | None = None, to: int | None = None) -> UUID:
        """Move something on the bank's account at noon of the n-th day; returns the correlation."""
        correlation = correlation or uuid4()
        at = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC) + timedelta(days=days)
        legs = [Leg(self.account, amount, "EUR"), Leg(to or self.transit, -amount, "EUR")]
        command = Post(key=self.books.key(), correlation=correlation, legs=legs, effective_at=at)
        outcome = await self.books.batcher.submit(self.books.tenant, "agent:payer", command)
        outcome.raise_for_refusal()
        return correlation

    async def take(self, *statements: BankStatement) -> list[Imported]:
        data = written(*statements)
        return await self.statements.take(self.context(), self.account, data, read_camt053(data), format="camt.053")

    async def run(self, payments: dict[UUID, Payment] | None = None) -> None:
        await self.reconciler.run(self.context("system:reconciliation"), self.account, payments=payments)

    async def queue(self) -> list[tuple[str, str, int]]:
        found = await self.reconciler.exceptions(self.context(), self.account, states=states.STATES)
        return [(one.kind, one.state, one.amount) for one in found]

    async def check(self, number: int | None = None) -> Check:
        return await self.reconciler.check(self.context(), self.account, number=number)


@pytest.fixture
async def bank(database: Database, place: Place) -> Bank:
    return await new_bank(database, place)


async def new_bank(database: Database, place: Place) -> Bank:
    books = await new_books(database, place.app)
    accounts = [
        await books.open(code, kind, "EUR", minimum=minimum)
        for code, kind, minimum in (
            ("assets:bank:eur", Kind.ASSET, 0),
            ("equity:funding:eur", Kind.EQUITY, None),
            ("assets:in-transit:eur", Kind.ASSET, None),
            ("expenses:fees:eur", Kind.EXPENSE, None),
            ("assets:returns:eur", Kind.ASSET, None),
        )
    ]
    await give_people(books)
    bank = Bank(books, database, Statements(database), Reconciler(database, place.app), *accounts)
    await bank.move(100_000, days=-1, to=bank.funding)
    await bank.statements.bind(bank.context(), bank.account, identification=IBAN, since=DAY)
    return bank


def entry(
    amount: int, *, days: int = 0, reference: str = "", end_to_end: str = "", name: str = "", code: str = "544"
) -> Entry:
    return Entry(amount, DAY + timedelta(days=days), None, reference, end_to_end, counterparty=name, code=code)


def days(*entries: Sequence[Entry]) -> list[BankStatement]:
    return chained(*map(list, entries), opening=100_000)


async def refused(asked: object, code: str) -> TreasuryError:
    with pytest.raises(TreasuryError) as caught:
        await asked  # type: ignore[misc]
    assert caught.value.code == code
    return caught.value


async def test_a_statement_is_taken_once_however_often_it_comes(bank: Bank) -> None:
    first, second = days([entry(-500, reference="R1", name="Zoë ☂")], [entry(70, reference="R2")])
    assert await bank.take(first) == [Imported(bank.account, 1, False)]
    assert await bank.take(first) == [Imported(bank.account, 1, True)]
    assert await bank.take(second) == [Imported(bank.account, 2, False)]
    assert await bank.statements.statement(bank.context(), bank.account, 1) == first
    await refused(bank.statements.statement(bank.context(), bank.account, 3), "STATEMENT_UNKNOWN")
    async with bank.database.transaction(bank.context()) as connection:
        digest = await connection.fetchval("select digest from treasury.statement where number = 1")
        events = await events_about(connection, f"statement/{bank.account}-1")
    assert digest == hashlib.sha256(written(first)).digest()
    assert [one.type for one in events] == ["treasury.statement.imported"]
    assert (events[0].payload or {})["sha256"] == digest.hex()


async def test_a_changed_statement_under_the_same_identification_is_refused(bank: Bank) -> None:
    (first,) = days([entry(-500, reference="R1")])
    await bank.take(first)
    other = days([entry(-500, reference="R9")])[0]
    await refused(bank.take(other), "STATEMENT_CHANGED")
    data = written(first)
    renamed = replace(first, statement="S99")
    await refused(
        bank.statements.take(bank.context(), bank.account, data, [renamed], format="camt.053"), "STATEMENT_CHANGED"
    )
    respaced = data.replace(b"><", b"> <")
    await refused(
        bank.statements.take(bank.context(), bank.account, respaced, read_camt053(respaced), format="camt.053"),
        "STATEMENT_CHANGED",
    )


async def test_a_statement_that_leaves_a_gap_or_is_of_another_account_is_refused(bank: Bank) -> None:
    first, second, third = days([entry(-500)], [entry(-1)], [entry(-2)])
    await bank.take(first)
    await refused(bank.take(third), "STATEMENT_NOT_CONTINUOUS")
    await refused(bank.take(replace(second, sequence=5)), "STATEMENT_NOT_CONTINUOUS")
    await refused(bank.take(replace(second, account="DE00")), "STATEMENT_OF_ANOTHER_ACCOUNT")
    await refused(bank.take(replace(second, currency="USD")), "STATEMENT_CURRENCY_MISMATCH")
    # A file of which one statement is refused leaves nothing behind.
    with pytest.raises(TreasuryError):
        await bank.take(second, replace(third, sequence=9))
    assert await bank.take(second, third) == [Imported(bank.account, 2, False), Imported(bank.account, 3, False)]


async def test_a_banks_numbers_may_begin_anew_with_a_year(bank: Bank) -> None:
    first = replace(days([entry(-500)])[0], sequence=250)
    one = BankStatement("Y", IBAN, "EUR", first.closing, date(2026, 12, 31), first.closing, date(2027, 1, 4), (), 2)
    await bank.take(first)
    for later in (one, replace(one, closed_on=date(2026, 12, 31), sequence=1)):
        await refused(bank.take(later), "STATEMENT_NOT_CONTINUOUS")
        with pytest.raises(TreasuryError, match="STATEMENT_NOT_CONTINUOUS"):
            check_follows(first, later)
    assert await bank.take(replace(one, sequence=1)) == [Imported(bank.account, 2, False)]


HOSTILE = [
    "'; drop table treasury.leg; --",
    "$$;$$",
    "{{x}}",
    "%s %1$s",
    "</Ntry>",
    "a\nlevel=info",
    "\u202e☂",
    "null",
    '"}',
    "\\x00",
]


async def test_hostile_text_is_kept_as_it_is_and_matches_nothing_else(bank: Bank) -> None:
    (one,) = days(
        [replace(entry(-n, reference=f"R{n}", name=text), description=text) for n, text in enumerate(HOSTILE, 1)]
    )
    await bank.take(one)
    assert await bank.statements.statement(bank.context(), bank.account, 1) == one
    await bank.run()
    assert {kind for kind, *_ in await bank.queue()} == {"unmatched-entry"}
    assert faults(await evidence(bank.database, bank.context(), bank.account, day=DAY)) == []


async def test_a_bank_account_is_bound_once_and_by_a_person(bank: Bank) -> None:
    bind = bank.statements.bind
    assert not await bind(bank.context(), bank.account, identification=IBAN, since=DAY)
    exists = "RECONCILIATION_BANK_ACCOUNT_EXISTS"
    await refused(bind(bank.context(), bank.account, identification="other", since=DAY), exists)
    await refused(bind(bank.context(), bank.transit, identification=IBAN, since=DAY), exists)
    await refused(bind(bank.context(AGENT), bank.transit, identification="x", since=DAY), "TREASURY_NOT_A_PERSON")
    unknown = "RECONCILIATION_BANK_ACCOUNT_UNKNOWN"
    await refused(bind(bank.context(), bank.funding, identification="x", since=DAY), unknown)
    await refused(bank.reconciler.run(bank.context(), bank.transit), unknown)
    await refused(bank.reconciler.run(bank.context(), bank.account), "STATEMENT_UNKNOWN")
    await refused(bank.check(), "STATEMENT_UNKNOWN")
    data = written(*days([]))
    await refused(
        bank.statements.take(bank.context(), bank.transit, data, read_camt053(data), format="camt.053"), unknown
    )


async def test_entries_and_movements_of_the_books_are_matched_and_the_rest_waits_in_the_queue(bank: Bank) -> None:
    spend = await bank.move(-500)
    known = await bank.move(-300)
    await bank.move(-70)
    await bank.take(
        *days(
            [
                entry(-500, reference="R1", end_to_end=spend.hex),
                entry(-300, reference="R2", name="Acme"),
                entry(-25, reference="R3", code="PMNT/ICDT/CHRG"),
                entry(40, reference="R4"),
            ]
        )
    )
    await bank.run({known: Payment(counterparty="ACME")})
    assert await bank.queue() == [("fee", "open", -25), ("unmatched-entry", "open", 40)]
    async with bank.database.transaction(bank.context()) as connection:
        rows = await connection.fetch("select rule, explanation from treasury.match order by match")
        events = await events_about(connection, f"match/{bank.account}-1")
    assert [row["rule"] for row in rows] == ["reference", "amount-date-counterparty"]
    assert json.loads(rows[0]["explanation"])["references"] == [spend.hex]
    assert [one.type for one in events] == ["treasury.match.made"]
    check = await bank.check()
    assert (check.bank, check.ledger, check.difference) == (99_215, 99_130, 85)
    assert {one.item: check.total(one.item) for one in check.differences} == {"in transit": 70, "open exception": 15}
    assert (check.unexplained, check.agrees) == (0, True)
    before = await bank.queue()
    await bank.run({known: Payment(counterparty="ACME")})
    assert await bank.queue() == before


async def test_an_exception_that_matches_later_is_closed_by_the_match(bank: Bank) -> None:
    spend = uuid4()
    await bank.take(*days([entry(-500, reference="R1", end_to_end=str(spend))]))
    await bank.run()
    assert await bank.queue() == [("unmatched-entry", "open", -500)]
    await bank.move(-500, correlation=spend)
    await bank.run()
    assert await bank.queue() == [("unmatched-entry", "matched", -500)]
    assert (await bank.check()).differences == ()


async def test_a_movement_that_the_bank_does_not_have_becomes_an_exception_after_a_week(bank: Bank) -> None:
    await bank.move(-500)
    first, *others = days(*([[]] * 9))
    await bank.take(first)
    await bank.run()
    assert await bank.queue() == []
    assert (await bank.check()).total("in transit") == 500
    await bank.take(*others)
    await bank.run()
    assert await bank.queue() == [("unmatched-movement", "open", -500)]
    assert (await bank.check()).total("open exception") == 500


async def a_fee(bank: Bank) -> UUID:
    await bank.take(*days([entry(-25, reference="R3", code="PMNT/ICDT/CHRG")]))
    await bank.run()
    (one,) = await bank.reconciler.exceptions(bank.context(), bank.account)
    return one.exception


async def propose(bank: Bank, exception: UUID, actor: str = "user:ann") -> None:
    standing = await bank.reconciler.exception(bank.context(), exception)
    found = suggestion(standing, bank=bank.account, fees=bank.fees, returns=bank.returns, currency="EUR")
    assert found is not None
    legs, description = found
    await bank.reconciler.propose(
        bank.context(actor), exception, outcome="resolved", legs=legs, description=description, evidence="see R3"
    )


async def test_a_fee_is_posted_when_a_second_person_confirms_and_once(bank: Bank) -> None:
    fee = await a_fee(bank)
    await propose(bank, fee)
    tenant = bank.books.tenant
    await refused(bank.reconciler.confirm(tenant, "user:ann", fee), "RECONCILIATION_SECOND_PERSON_REQUIRED")
    await refused(bank.reconciler.confirm(tenant, AGENT, fee), "TREASURY_NOT_A_PERSON")
    assert await bank.books.balance(bank.fees) == 0
    answers = await asyncio.gather(
        *(bank.reconciler.confirm(tenant, actor, fee) for actor in ("user:bob", "user:bob", "user:eve")),
        return_exceptions=True,
    )
    numbers = {one for one in answers if isinstance(one, int)}
    assert len(numbers) == 1
    closed_by = (await bank.reconciler.exception(bank.context(), fee)).closed_by
    assert await bank.reconciler.confirm(tenant, f"user:{closed_by}", fee) in numbers
    assert await bank.books.balance(bank.fees) == 25
    assert await bank.books.balance(bank.account) == 99_975
    assert await bank.queue() == [("fee", "resolved", -25)]
    check = await bank.check()
    # The journal takes effect when it is posted, after the statement's day.
    assert [(one.item, one.amount) for one in check.differences] == [("other day", -25)]
    assert check.unexplained == 0
    assert await bank.books.ledger.faults(bank.context()) == []
    standing, told = await snapshot(bank.books)
    assert compare(standing, tell(told)) == []
    async with bank.database.transaction(bank.context()) as connection:
        events = await events_about(connection, f"exception/{fee}")
    assert [one.type.rpartition(".")[2] for one in events] == ["opened", "proposed", "resolved"]


async def test_a_return_that_reached_the_bank_goes_against_what_waits_for_it(bank: Bank) -> None:
    spend = await bank.move(-500)
    await bank.take(
        *days(
            [
                entry(-500, reference="R1", end_to_end=spend.hex),
                entry(500, reference="R2", end_to_end=spend.hex),
            ]
        )
    )
    await bank.run()
    (back,) = await bank.reconciler.exceptions(bank.context(), bank.account)
    assert (back.kind, back.amount) == ("returned", 500)
    await propose(bank, back.exception)
    await bank.reconciler.confirm(bank.books.tenant, "user:bob", back.exception)
    assert await bank.books.balance(bank.returns) == -500
    assert await bank.books.balance(bank.account) == 100_000


async def test_a_movement_that_never_left_is_taken_back_against_itself(bank: Bank) -> None:
    await bank.move(-500)
    await bank.take(*days(*([[]] * 9)))
    await bank.run()
    (stuck,) = await bank.reconciler.exceptions(bank.context(), bank.account)
    legs = [Leg(bank.account, 500, "EUR"), Leg(bank.transit, -500, "EUR")]
    await bank.reconciler.propose(
        bank.context(),
        stuck.exception,
        outcome="resolved",
        legs=legs,
        description="never sent",
        evidence="the bank's letter",
    )
    await bank.reconciler.confirm(bank.books.tenant, "user:bob", stuck.exception)
    assert await bank.books.balance(bank.account) == 100_000
    assert (await bank.check()).unexplained == 0


async def test_a_proposal_that_moves_something_else_is_refused_and_posts_nothing(bank: Bank) -> None:
    fee = await a_fee(bank)
    legs = [Leg(bank.fees, 24, "EUR"), Leg(bank.account, -24, "EUR")]
    await bank.reconciler.propose(
        bank.context(), fee, outcome="resolved", legs=legs, description="a fee", evidence="see R3"
    )
    journals = len(await bank.books.ledger.journals(bank.context()))
    await refused(bank.reconciler.confirm(bank.books.tenant, "user:bob", fee), "RECONCILIATION_PROPOSAL_MISMATCH")
    assert len(await bank.books.ledger.journals(bank.context())) == journals
    await bank.reconciler.withdraw(bank.context("user:bob"), fee)
    await propose(bank, fee)
    await bank.reconciler.confirm(bank.books.tenant, "user:bob", fee)


async def test_a_refusal_of_the_ledger_leaves_the_proposal_and_is_not_remembered(bank: Bank) -> None:
    fee = await a_fee(bank)
    await propose(bank, fee)
    drained = await bank.move(-100_000)
    await refused(bank.reconciler.confirm(bank.books.tenant, "user:bob", fee), "TREASURY_LIMIT_EXCEEDED")
    await bank.move(100_000, correlation=drained)
    await bank.reconciler.confirm(bank.books.tenant, "user:bob", fee)


async def test_people_close_exceptions_with_evidence_and_software_does_not(bank: Bank) -> None:
    fee = await a_fee(bank)
    decide = bank.reconciler.decide
    await refused(decide(bank.context(AGENT), fee, outcome="written-off", evidence="x"), "TREASURY_NOT_A_PERSON")
    for nothing in ("", "  ", "x" * 2001):
        await refused(
            decide(bank.context(), fee, outcome="written-off", evidence=nothing), "RECONCILIATION_EVIDENCE_MISSING"
        )
    await refused(decide(bank.context(), uuid4(), outcome="resolved", evidence="x"), "RECONCILIATION_EXCEPTION_UNKNOWN")
    await refused(decide(bank.context(), fee, outcome="matched", evidence="x"), "RECONCILIATION_EXCEPTION_CLOSED")
    await decide(bank.context(), fee, outcome="written-off", evidence="below what we pursue")
    await refused(decide(bank.context(), fee, outcome="resolved", evidence="x"), "RECONCILIATION_EXCEPTION_CLOSED")
    await refused(bank.reconciler.confirm(bank.books.tenant, "user:bob", fee), "RECONCILIATION_EXCEPTION_CLOSED")
    await refused(bank.reconciler.withdraw(bank.context(), fee), "RECONCILIATION_EXCEPTION_CLOSED")
    check = await bank.check()
    assert [(one.item, one.amount) for one in check.differences] == [("decided", -25)]
    await bank.run()
    assert await bank.queue() == [("fee", "written-off", -25)]
    async with bank.database.transaction(bank.context()) as connection:
        events = await events_about(connection, f"exception/{fee}")
    assert [one.type.rpartition(".")[2] for one in events] == ["opened", "writtenoff"]
    assert (events[1].payload or {})["evidence"] == "below what we pursue"


async def test_an_exception_of_a_is_to_b_as_if_it_were_not(bank: Bank, place: Place) -> None:
    fee = await a_fee(bank)
    other = await new_bank(bank.database, place)
    for asked in (
        other.reconciler.decide(other.context(), fee, outcome="resolved", evidence="x"),
        other.reconciler.withdraw(other.context(), fee),
        other.reconciler.exception(other.context(), fee),
        other.reconciler.confirm(other.books.tenant, "user:bob", fee),
    ):
        await refused(asked, "RECONCILIATION_EXCEPTION_UNKNOWN")
    await refused(other.check(1), "STATEMENT_UNKNOWN")
    assert await bank.queue() == [("fee", "open", -25)]


async def test_the_states_of_an_exception_are_those_of_the_table(place: Place) -> None:
    session = await asyncpg.connect(place.dsn("postgres"))
    rows = await session.fetch(
        "select a, b, treasury.exception_step(a, b) as may from unnest($1::text[]) a cross join unnest($1::text[]) b",
        list(states.STATES),
    )
    await session.close()
    steps = {(before, after) for (before, _), after in states.STEPS.items()}
    assert {(row["a"], row["b"]) for row in rows if row["may"]} == steps
    assert {step[0] for step in steps} == {"open", "proposed", "matched"}


CHANGES = [
    "update treasury.statement_entry set amount = amount + 1",
    "delete from treasury.statement_entry",
    "update treasury.statement set closing = closing + 1",
    "update treasury.match set rule = 'decision'",
    "delete from treasury.matched_entry",
    "delete from treasury.matched_leg",
    "truncate treasury.matched_leg",
    "insert into treasury.undone_match select tenant_id, account_id, match, 'x', now(), 'x' from treasury.match; "
    "delete from treasury.matched_entry",
    "update treasury.exception set amount = 1",
    "delete from treasury.exception",
    "update treasury.bank_account set identification = 'x'",
    "insert into treasury.statement_entry select tenant_id, account_id, number, 99, 1, booked_on, null, '', '', '', "
    "'', '', '', false, 0 from treasury.statement_entry limit 1",
    "insert into treasury.matched_entry select tenant_id, account_id, number, position, 1 from treasury.exception",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_written_stays_whoever_writes(bank: Bank, place: Place, change: str) -> None:
    spend = await bank.move(-500)
    await bank.take(*days([entry(-500, reference="R1", end_to_end=spend.hex), entry(-25, reference="R2")]))
    await bank.run()
    session = await asyncpg.connect(place.dsn("postgres"))
    transaction = session.transaction()
    await transaction.start()
    await session.execute("set local role parpour_owner")
    await session.execute("select set_config('parpour.tenant', $1, true)", str(bank.books.tenant))
    with pytest.raises(asyncpg.PostgresError, match="IMMUTABLE"):
        await session.execute(change)
    await transaction.rollback()
    await session.close()


async def test_a_match_that_does_not_add_up_or_is_made_twice_is_refused(bank: Bank) -> None:
    spend = await bank.move(-500)
    await bank.take(*days([entry(-500, reference="R1", end_to_end=spend.hex), entry(-25, reference="R2")]))
    journal = (await bank.books.ledger.journals(bank.context()))[-1].number

    async def record(entries: list[list[int]], legs: list[list[int]]) -> None:
        match = {"rule": "reference", "explanation": {}, "entries": entries, "legs": legs}
        await bank.database.pool.execute(
            "select treasury.record_reconciliation($1, $2, $3, $4)",
            bank.context(),
            bank.account,
            json.dumps([match]),
            "[]",
        )

    for entries, legs in (
        ([[1, 2]], [[journal, 1]]),
        ([[1, 1]], []),
        ([[1, 1], [1, 2]], [[journal, 1]]),
        ([[1, 1]], [[journal, 2]]),
    ):
        with pytest.raises(asyncpg.PostgresError, match="RECONCILIATION_MATCH_UNBALANCED"):
            await record(entries, legs)
    await record([[1, 1]], [[journal, 1]])
    with pytest.raises(asyncpg.PostgresError, match="RECONCILIATION_STALE"):
        await record([[1, 1]], [[journal, 1]])


async def test_two_reconciliations_at_once_match_everything_once(bank: Bank) -> None:
    spends = [await bank.move(-amount) for amount in range(1, 30)]
    await bank.take(*days([entry(-n, reference=f"R{n}", end_to_end=one.hex) for n, one in enumerate(spends, 1)]))
    outcomes = await asyncio.gather(*(bank.run() for _ in range(4)), return_exceptions=True)
    assert {getattr(one, "code", None) for one in outcomes} <= {None, "RECONCILIATION_STALE"}
    assert None in outcomes
    async with bank.database.transaction(bank.context()) as connection:
        assert await connection.fetchval("select count(*) from treasury.matched_leg") == 29
    assert (await bank.check()).differences == ()


async def test_the_opening_balance_is_checked_against_the_books_before_it(bank: Bank) -> None:
    await bank.take(*chained([], opening=99_000))
    check = await bank.check()
    assert [(one.item, one.amount) for one in check.differences] == [("opening", -1000)]
    assert not check.agrees


async def test_an_entry_that_was_not_reconciled_is_named(bank: Bank) -> None:
    await bank.take(*days([entry(-25, reference="R3")]))
    check = await bank.check()
    assert [(one.item, one.subject, one.amount) for one in check.differences] == [
        ("not reconciled", f"statement/{bank.account}-1-1", -25)
    ]
    assert (check.unexplained, check.agrees) == (0, False)


_MOVES = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 4), st.booleans(), st.integers(0, 3)), max_size=8)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=_MOVES, strays=st.lists(st.tuples(st.integers(-90, 90).filter(bool), st.integers(0, 4)), max_size=4))
def test_whatever_happens_the_difference_is_explained_to_the_unit(
    place: Place, moves: list[tuple[int, int, bool, int]], strays: list[tuple[int, int]]
) -> None:
    """Payments that reach the bank late or never, and entries that the books do not have: after each day."""

    async def play() -> None:
        async with open_database(place.dsn(), connections=2) as database:
            bank = await new_bank(database, place)
            booked: list[list[Entry]] = [[] for _ in range(8)]
            for amount, day, arrives, delay in moves:
                spend = await bank.move(-amount, days=day)
                if arrives:
                    booked[day + delay].append(
                        entry(-amount, days=day + delay, reference=f"P{spend.hex}", end_to_end=spend.hex)
                    )
            for number, (amount, day) in enumerate(strays):
                booked[day].append(entry(amount, days=day, reference=f"X{number}"))
            statements = days(*booked)
            for one in statements:
                await bank.take(one)
                await bank.run()
                check = await bank.check()
                assert (check.unexplained, check.agrees, check.bank) == (0, True, one.closing)
            for number in range(1, len(statements) + 1):
                assert (await bank.check(number)).unexplained == 0
            late = sum(amount for amount, *_, arrives, _delay in moves if not arrives)
            final = await bank.check()
            assert sum(x.amount for x in final.differences if x.subject.startswith("journal/")) == late
            assert all(a.closing == b.opening for a, b in pairwise(statements))

    asyncio.run(play())


async def test_the_evidence_of_a_day_is_the_same_bytes_each_time_and_names_everything(bank: Bank) -> None:
    spend = await bank.move(-500)
    statements = days([entry(-500, reference="R1", end_to_end=spend.hex), entry(-25, reference="R2")], [entry(-1)])
    await bank.take(*statements)
    await bank.run()
    (fee, _) = await bank.reconciler.exceptions(bank.context(), bank.account)
    await bank.reconciler.decide(bank.context(), fee.exception, outcome="written-off", evidence="small ☂")
    made = [await evidence(bank.database, bank.context(), bank.account, day=DAY) for _ in range(2)]
    assert made[0] == made[1]
    assert faults(made[0]) == []
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        parts = {name: json.loads(archive.read(name)) for name in archive.namelist()}
    assert parts["manifest.json"]["day"] == "2026-03-02"
    assert [one["sha256"] for one in parts["statements.json"]] == [hashlib.sha256(written(*statements)).hexdigest()]
    assert [(one["amount"], one["match"]) for one in parts["entries.json"]] == [(-500, 1), (-25, None)]
    assert [(one["rule"], one["entries"]) for one in parts["matches.json"]] == [("reference", [[1, 1]])]
    assert [(one["state"], one["evidence"]) for one in parts["exceptions.json"]] == [("written-off", "small ☂")]
    assert [one["correlation"] for one in parts["journals.json"]] == [str(spend)]
    assert sorted(one["type"] for one in parts["events.json"]) == [
        "treasury.exception.opened",
        "treasury.exception.writtenoff",
        "treasury.journal.posted",
        "treasury.match.made",
        "treasury.statement.imported",
    ]


@pytest.mark.unit
def test_a_bundle_whose_part_was_changed_says_which() -> None:
    made = bundle({"a": [1], "b": [2]}, about={"day": "x"})
    assert made == bundle({"b": [2], "a": [1]}, about={"day": "x"})
    assert faults(made) == []
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            after.writestr(name, b"[3]\n" if name == "b.json" else before.read(name))
        after.writestr("c.json", b"[]")
    assert faults(changed.getvalue()) == ["b.json", "c.json"]


async def test_a_person_says_which_are_the_same_money_where_no_rule_could(bank: Bank) -> None:
    """Two entries of one amount and name, two movements of that amount, and nothing that tells them apart."""
    for _ in range(2):
        await bank.move(-500)
    (first,) = days([entry(-500, name="Shop"), entry(-500, name="Shop"), entry(-70)])
    await bank.take(first)
    await bank.run()
    assert [state for _, state, amount in await bank.queue() if amount == -500] == ["open"] * 2
    confirm = bank.reconciler.confirm_match
    legs = [(2, 1), (3, 1)]
    match = await confirm(
        bank.context(), bank.account, entries=[(1, 1)], movements=[legs[0]], evidence="asked the shop"
    )
    assert match == 1
    assert sorted(state for _, state, amount in await bank.queue() if amount == -500) == ["matched", "open"]
    async with bank.database.transaction(bank.context()) as connection:
        (made,) = await reading.page_of_matches(connection, bank.account, after=0, before=9, limit=9)
    assert (made.rule, made.entries, made.movements) == ("decision", ((1, 1),), ((2, 1),))
    assert json.loads(made.explanation) == {"rule": "decision", "by": "ann", "evidence": "asked the shop"}
    for actor, entries, movements, why, code in [
        ("user:ann", [(1, 1)], [legs[1]], "again", "RECONCILIATION_EXCEPTION_CLOSED"),
        ("user:ann", [(1, 2)], [legs[0]], "again", "RECONCILIATION_STALE"),
        ("user:ann", [(1, 3)], [legs[1]], "another sum", "RECONCILIATION_MATCH_UNBALANCED"),
        ("user:ann", [(1, 2)], [], "one side alone", "RECONCILIATION_MATCH_UNBALANCED"),
        ("user:ann", [(1, 2), (1, 2)], [legs[1]], "twice", "RECONCILIATION_STALE"),
        ("user:ann", [(1, 9)], [legs[1]], "nothing", "RECONCILIATION_PART_UNKNOWN"),
        ("user:ann", [(1, 2)], [(99, 1)], "nothing", "RECONCILIATION_PART_UNKNOWN"),
        ("user:ann", [(1, 2)], [(3, 2)], "of another account", "RECONCILIATION_PART_UNKNOWN"),
        ("user:ann", [(1, 2)], [legs[1]], "  ", "RECONCILIATION_EVIDENCE_MISSING"),
        (AGENT, [(1, 2)], [legs[1]], "software", "TREASURY_NOT_A_PERSON"),
        ("user:dan", [(1, 2)], [legs[1]], "an auditor", "TREASURY_ROLE_MISSING"),
    ]:
        asked = confirm(bank.context(actor), bank.account, entries=entries, movements=movements, evidence=why)
        await refused(asked, code)
    unbound = confirm(bank.context(), bank.funding, entries=[], movements=[(1, 2)], evidence="x")
    await refused(unbound, "RECONCILIATION_BANK_ACCOUNT_UNKNOWN")
    assert (await bank.check()).agrees


async def matches(bank: Bank) -> list[reading.MatchState]:
    async with bank.database.transaction(bank.context()) as connection:
        return await reading.page_of_matches(connection, bank.account, after=0, before=99, limit=99)


async def test_a_match_that_a_rule_made_is_undone_and_left_to_people(bank: Bank) -> None:
    """Two payments of one amount: the rule took the first movement for the entry, and it was the second."""
    first = await bank.move(-500)
    await bank.take(*days([entry(-500, reference="R1", end_to_end=first.hex)]))
    await bank.run()
    await bank.move(-500)
    undo = bank.reconciler.undo_match
    for actor, match, why, code in [
        (AGENT, 1, "software", "TREASURY_NOT_A_PERSON"),
        ("user:dan", 1, "an auditor", "TREASURY_ROLE_MISSING"),
        ("user:ann", 1, " ", "RECONCILIATION_EVIDENCE_MISSING"),
        ("user:ann", 9, "none", "RECONCILIATION_MATCH_UNKNOWN"),
    ]:
        await refused(undo(bank.context(actor), bank.account, match, evidence=why), code)
    assert (await bank.check()).total("in transit") == 500
    await undo(bank.context(), bank.account, 1, evidence="the bank says it was the other")
    await undo(bank.context(), bank.account, 1, evidence="the bank says it was the other")
    await refused(undo(bank.context(), bank.account, 1, evidence="again"), "RECONCILIATION_MATCH_UNDONE")
    assert sorted(await bank.queue()) == [("unmatched-entry", "open", -500), ("unmatched-movement", "open", -500)]
    for _ in range(2):
        # The rule would find it again.
        await bank.run()
    (made,) = await matches(bank)
    assert (made.entries, made.movements) == (((1, 1),), ((2, 1),))
    assert (made.undone_by, made.undone_because) == ("ann", "the bank says it was the other")
    check = await bank.check()
    assert (check.unexplained, check.total("open exception"), check.total("in transit")) == (0, 0, 500)
    await bank.reconciler.confirm_match(
        bank.context(), bank.account, entries=[(1, 1)], movements=[(3, 1)], evidence="the other"
    )
    assert sorted(state for _, state, _ in await bank.queue()) == ["matched", "open"]
    async with bank.database.transaction(bank.context()) as connection:
        events = await events_about(connection, f"match/{bank.account}-1")
    assert [one.type for one in events] == ["treasury.match.made", "treasury.match.undone"]


async def test_an_exception_that_a_wrong_match_closed_is_open_again(bank: Bank) -> None:
    spend = uuid4()
    await bank.take(*days([entry(-500, reference="R1", end_to_end=str(spend))]))
    await bank.run()
    await bank.move(-500, correlation=spend)
    await bank.run()
    await bank.reconciler.undo_match(bank.context(), bank.account, 1, evidence="another payment")
    await bank.run()
    assert sorted(await bank.queue()) == [("unmatched-entry", "open", -500), ("unmatched-movement", "open", -500)]
    archive = zipfile.ZipFile(io.BytesIO(await evidence(bank.database, bank.context(), bank.account, day=DAY)))
    (kept,) = json.loads(archive.read("matches.json"))
    assert kept["undone"]["evidence"] == "another payment"
    assert {"treasury.match.made", "treasury.match.undone"} <= {
        one["type"] for one in json.loads(archive.read("events.json"))
    }


async def test_what_a_person_matched_another_person_undoes(bank: Bank) -> None:
    await bank.move(-500)
    await bank.take(*days([entry(-500, name="Shop")]))
    parts: Any = {"entries": [(1, 1)], "movements": [(2, 1)]}
    await bank.reconciler.confirm_match(bank.context(), bank.account, **parts, evidence="asked")
    undo = bank.reconciler.undo_match
    await refused(undo(bank.context(), bank.account, 1, evidence="wrong"), "RECONCILIATION_SECOND_PERSON_REQUIRED")
    await undo(bank.context("user:bob"), bank.account, 1, evidence="wrong")
    assert await bank.reconciler.confirm_match(bank.context(), bank.account, **parts, evidence="right") == 2


async def test_what_two_people_posted_is_reversed_and_not_undone(bank: Bank) -> None:
    fee = await a_fee(bank)
    await propose(bank, fee)
    await bank.reconciler.confirm(bank.books.tenant, "user:bob", fee)
    asked = bank.reconciler.undo_match(bank.context(), bank.account, 1, evidence="no fee")
    await refused(asked, "RECONCILIATION_MATCH_POSTED")


async def test_what_somebody_proposed_who_was_revoked_is_not_posted(bank: Bank) -> None:
    fee = await a_fee(bank)
    await propose(bank, fee, "user:eve")
    await Governance(bank.database).revoke(bank.context(), "user:eve", reason="it was not eve")
    await refused(bank.reconciler.confirm(bank.books.tenant, "user:bob", fee), "TREASURY_MEMBER_REVOKED")
    await bank.reconciler.withdraw(bank.context(), fee)
    assert await bank.queue() == [("fee", "open", -25)]


async def test_a_match_of_a_closed_day_stays(bank: Bank) -> None:
    spend = await bank.move(-500)
    await bank.take(*days([entry(-500, reference="R1", end_to_end=spend.hex)]))
    await bank.run()
    await bank.books.ledger.lock_period(
        bank.context(), until=datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=1)
    )
    asked = bank.reconciler.undo_match(bank.context(), bank.account, 1, evidence="too late")
    await refused(asked, "TREASURY_PERIOD_LOCKED")
    assert (await bank.check()).differences == ()


async def test_what_a_provider_calls_a_spend_is_known_without_being_told(place: Place) -> None:
    """The spend's payment is under its provider's reference in the bank's statement."""
    async with open_database(place.dsn(), connections=4) as database:
        venture = await new_venture(database, place)
        account = venture.accounts["assets:bank:usd"]
        asked = await venture.request(700)
        assert asked.spend
        async with payment_worker(place, venture) as worker:
            await worker.claim()
            await worker.begin(asked.spend)
            await worker.advance(asked.spend, "sent", provider="po_77")
        statements, reconciler = Statements(database), Reconciler(database, place.app)
        await statements.bind(venture.context(), account, identification="acct_1", since=datetime.now(UTC).date())
        today = datetime.now(UTC).date()
        payout = Entry(-700, today, None, "po_77", counterparty="STRIPE")
        one = BankStatement("S1", "acct_1", "USD", 0, today, -700, today, (payout,))
        await statements.take(venture.context(), account, b"x", [one], format="test")
        found = await reconciler.run(venture.context("system:reconciliation"), account)
        assert [(match.rule, match.entries) for match in found.matches] == [("reference", ((1, 1),))]
