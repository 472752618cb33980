"""What the database refuses even to its own owner: open journals, late legs, gaps, changes, and broken limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from parpour_controlplane.testing import Place
from parpour_treasury.testing import Books, open_books

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio

LEG = "insert into treasury.leg select '{tenant}', {journal}, {account}, {amount}, 0, '2026-01-01', {position}, 'USD'"
JOURNAL = (
    "insert into treasury.journal select '{tenant}', {journal}, now(), '2026-01-01', 'posting', '', 'a', "
    "'00000000-0000-0000-0000-000000000001'"
)


@asynccontextmanager
async def owner(place: Place, books: Books) -> AsyncIterator[Connection[Record]]:
    """A session of the owner inside the tenant's context, in a transaction."""
    connection = await asyncpg.connect(place.dsn("parpour_migrator"))
    try:
        async with connection.transaction():
            await connection.execute("set local role parpour_owner")
            await connection.execute("select set_config('parpour.tenant', $1, true)", str(books.tenant))
            yield connection
    finally:
        await connection.close()


def leg(books: Books, journal: int, account: int, amount: int, position: int) -> str:
    return LEG.format(tenant=books.tenant, journal=journal, account=account, amount=amount, position=position)


def journal(books: Books, number: int) -> str:
    return JOURNAL.format(tenant=books.tenant, journal=number)


async def with_journal(books: Books) -> None:
    one, two = await books.open("one", minimum=0), await books.open("two")
    await books.post((one, 5), (two, -5))


async def test_legs_and_then_their_journal_stand(place: Place, books: Books) -> None:
    await with_journal(books)
    async with owner(place, books) as connection:
        for statement in (leg(books, 2, 1, 3, 1), leg(books, 2, 2, -3, 2), journal(books, 2)):
            await connection.execute(statement)
    assert len(await books.ledger.journals(books.context)) == 2


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        ([(2, 1, 3, 1), (2, 2, -2, 2), 2], "TREASURY_JOURNAL_UNBALANCED"),
        ([2], "TREASURY_JOURNAL_UNBALANCED"),
        ([(2, 1, 3, 1), (2, 2, -3, 2), 2, (2, 1, 1, 3)], "IMMUTABLE"),
        ([(1, 1, 3, 3), (1, 2, -3, 4)], "IMMUTABLE"),
        ([(2, 1, 3, 1), (2, 2, -3, 2)], "leg_tenant_id_journal_fkey"),
        ([(3, 1, 3, 1), (3, 2, -3, 2), 3], "TREASURY_JOURNAL_OUT_OF_ORDER"),
        ([(2, 9, 3, 1)], "leg_tenant_id_account_id_currency_fkey"),
    ],
)
async def test_a_journal_is_whole_or_not_at_all(
    place: Place, books: Books, statements: list[int | tuple[int, int, int, int]], message: str
) -> None:
    await with_journal(books)

    async def write() -> None:
        async with owner(place, books) as connection:
            for one in statements:
                await connection.execute(journal(books, one) if isinstance(one, int) else leg(books, *one))

    with pytest.raises(asyncpg.PostgresError, match=message):
        await write()
    assert len(await books.ledger.journals(books.context)) == 1
    assert await books.ledger.faults(books.context) == []


async def test_a_leg_waits_for_others_who_write_journals(place: Place, books: Books) -> None:
    """Two transactions cannot add to one journal without knowing of each other."""
    await with_journal(books)

    async def add_beside() -> None:
        async with owner(place, books) as other:
            await other.execute("set local lock_timeout = '100ms'")
            await other.execute(leg(books, 2, 2, -3, 2))

    async with owner(place, books) as connection:
        await connection.execute(leg(books, 2, 1, 3, 1))
        with pytest.raises(asyncpg.LockNotAvailableError):
            await add_beside()
        await connection.execute(leg(books, 2, 2, -3, 2))
        await connection.execute(journal(books, 2))


@pytest.mark.parametrize(
    "statement",
    [
        "update treasury.journal set description = 'x'",
        "delete from treasury.journal",
        "truncate treasury.journal cascade",
        "update treasury.leg set amount = 1",
        "delete from treasury.leg",
        "truncate treasury.leg cascade",
        "update treasury.account set currency = 'EUR'",
        "update treasury.account set code = 'x'",
        "delete from treasury.account",
        "update treasury.request set code = null",
        "delete from treasury.request",
        "update treasury.hold_leg set amount = 1",
        "delete from treasury.hold",
        "update treasury.closing_balance set balance = 0",
        "delete from treasury.period",
        "update controlplane.event set actor = 'x'",
        "delete from controlplane.event",
        "update treasury.ledger set journals = 0",
        "update treasury.ledger set accounts = 0",
        "update treasury.ledger set recorded_at = '-infinity'",
        "delete from treasury.ledger",
    ],
)
async def test_what_is_written_stays_as_it_is(place: Place, books: Books, statement: str) -> None:
    await with_journal(books)
    with pytest.raises(asyncpg.PostgresError, match="IMMUTABLE"):
        async with owner(place, books) as connection:
            await connection.execute(statement)


async def test_so_many_holds_expire_at_once_as_one_statement_can_bear(place: Place, books: Books) -> None:
    await with_journal(books)
    for _ in range(5):
        await books.place((1, -1), (2, 1), expires=datetime.now(UTC) + timedelta(seconds=0.5))
    async with owner(place, books) as connection:
        await connection.execute("select pg_sleep(0.5)")
        expire = "select treasury.expire_holds($1, clock_timestamp(), 2)"
        assert [await connection.fetchval(expire, books.tenant) for _ in range(4)] == [2, 2, 1, 0]
    assert await books.ledger.faults(books.context) == []


async def test_a_clock_that_was_set_back_refuses_nothing(place: Place, books: Books) -> None:
    """A refusal is remembered, so one that a clock had caused would stay."""
    await with_journal(books)
    async with owner(place, books) as connection:
        await connection.execute("update treasury.ledger set locked_until = now() + interval '1 hour'")
    assert (await books.post((1, 5), (2, -5))).accepted
    one, two = await books.ledger.journals(books.context)
    assert two.effective_at == two.recorded_at > one.recorded_at


async def test_a_hold_that_is_closed_stays_closed(place: Place, books: Books) -> None:
    await with_journal(books)
    hold, _ = await books.place((1, -5), (2, 5))
    await books.void(hold)
    with pytest.raises(asyncpg.PostgresError, match="IMMUTABLE"):
        async with owner(place, books) as connection:
            await connection.execute("update treasury.hold set state = 'open', closed_at = null")


async def test_a_limit_holds_whatever_the_functions_decide(place: Place, books: Books) -> None:
    await with_journal(books)
    for change in ("posted = -1", "pending_credit = 6", "pending_debit = -1"):
        with pytest.raises(asyncpg.CheckViolationError, match="within_limits"):
            async with owner(place, books) as connection:
                await connection.execute(f"update treasury.account set {change} where account_id = 1")


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("update treasury.leg set amount = amount + 1 where position = 1", "a journal does not sum to zero"),
        ("update treasury.leg set amount = amount * 2", "a balance is not the sum of its legs"),
        (
            "update treasury.leg set balance = balance + 1 where position = 1",
            "the balance beside a leg is not the sum up to it",
        ),
        (
            "update treasury.account set posted = posted + 1 where account_id = 1",
            "a balance is not the sum of its legs",
        ),
        ("delete from treasury.leg", "a journal has no legs"),
        ("delete from treasury.journal where number = 1", "journal numbers have a gap"),
        (
            "update treasury.account set pending_debit = 1 where account_id = 2",
            "what an account keeps free is not the sum of its open holds",
        ),
        ("delete from controlplane.event where subject = 'journal/1'", "an accepted request has no event"),
        ("update treasury.hold_leg set amount = amount - 1 where position = 1", "a hold does not sum to zero"),
        ("update treasury.hold_leg set settled = 0", "what a hold settled is not what its journals posted"),
        ("update treasury.closing_balance set balance = 1", "a closing balance is not the sum of the legs before it"),
        (
            "update treasury.journal set effective_at = '2020-01-01' where number = 2",
            "a journal takes effect in a period that was locked before",
        ),
        ("insert into controlplane.event select * from controlplane.event", "a journal has more events than one"),
    ],
)
async def test_faults_are_named_when_an_administrator_tampers(place: Place, tampering: str, fault: str) -> None:
    async with open_books(place) as books:
        await with_journal(books)
        await books.ledger.lock_period(books.context, until=datetime(2026, 1, 1, tzinfo=UTC))
        hold, _ = await books.place((1, -5), (2, 5))
        await books.settle(hold, (-2, 2))
        assert await books.ledger.faults(books.context) == []
        administrator = await asyncpg.connect(place.dsn("postgres"))
        mine = f"tenant_id = '{books.tenant}'"
        if tampering.startswith("insert"):
            columns = "tenant_id, type, version, occurred_at, actor, correlation, subject, payload"
            statement = (
                f"insert into controlplane.event ({columns}) select {columns} from controlplane.event where {mine}"
            )
        else:
            statement = f"{tampering} {'and' if 'where' in tampering else 'where'} {mine}"
        async with administrator.transaction():
            await administrator.execute("set local session_replication_role = replica")
            await administrator.execute(statement)
        await administrator.close()
        assert fault in {name for name, _ in await books.ledger.faults(books.context)}
