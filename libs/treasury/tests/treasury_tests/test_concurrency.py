"""Many at once: no overspend, one answer a key, no partial batch, and nothing lost when the database goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import embedded
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.batcher import ATTEMPTS, Batcher
from parpour_treasury.batches import Outcome, Request
from parpour_treasury.books import Kind
from parpour_treasury.commands import Leg, Post
from parpour_treasury.ledger import Ledger
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.testing import CORRELATION, Books, new_books, open_books

pytestmark = pytest.mark.anyio


async def funded(books: Books, amount: int) -> tuple[int, int]:
    bank, spending = await books.open("bank", minimum=0), await books.open("spending", Kind.EXPENSE)
    funding = await books.open("funding", Kind.EQUITY)
    await books.post((bank, amount), (funding, -amount))
    return bank, spending


def fleet(books: Books, size: int) -> list[Batcher]:
    """Batchers of as many processes, which know nothing of each other."""
    return [Batcher(books.ledger, books.mint) for _ in range(size)]


@pytest.mark.parametrize("processes", [1, 5])
async def test_a_hundred_clients_with_one_key_move_money_once(place: Place, processes: int) -> None:
    async with open_books(place, connections=8) as books:
        bank, spending = await funded(books, 1000)
        command = Post(key="one", correlation=CORRELATION, legs=books.transfer(bank, spending, 10))
        batchers = fleet(books, processes)
        outcomes = await asyncio.gather(
            *(batchers[n % processes].submit(books.tenant, books.actor, command) for n in range(100))
        )
        assert {one.journal for one in outcomes} == {2}
        assert await books.balance(bank) == 990


async def test_a_key_with_a_hundred_bodies_moves_money_once(books: Books) -> None:
    bank, spending = await funded(books, 1000)
    outcomes = await asyncio.gather(*(books.post((bank, -n), (spending, n), key="one") for n in range(1, 101)))
    codes = [one.code for one in outcomes]
    assert (codes.count(None), codes.count("TREASURY_IDEMPOTENCY_KEY_REUSED")) == (1, 99)
    assert await books.balance(bank) == 1000 - (codes.index(None) + 1)


@pytest.mark.parametrize("processes", [1, 4])
async def test_concurrent_requests_never_overspend(place: Place, processes: int) -> None:
    async with open_books(place, connections=8) as books:
        bank, spending = await funded(books, 1000)
        batchers = fleet(books, processes)

        def command(number: int) -> Post:
            return Post(key=f"p{number}", correlation=CORRELATION, legs=books.transfer(bank, spending, 7))

        outcomes = await asyncio.gather(
            *(batchers[n % processes].submit(books.tenant, books.actor, command(n)) for n in range(300))
        )
        assert sum(one.accepted for one in outcomes) == 1000 // 7
        assert {one.code for one in outcomes} == {None, "TREASURY_LIMIT_EXCEEDED"}
        assert await books.balance(bank) == 1000 % 7
        numbers = sorted(one.journal for one in outcomes if one.journal)
        assert numbers == list(range(2, 2 + 1000 // 7))
        assert await books.ledger.faults(books.context) == []


async def test_every_path_takes_its_locks_in_one_order(place: Place) -> None:
    """Posting both ways, holding, voiding, sweeping and locking periods at once ends without a deadlock."""
    async with open_books(place, connections=8) as books:
        one, two = await books.open("one"), await books.open("two")
        batchers = fleet(books, 4)

        async def work(number: int) -> None:
            books_of = Books(
                books.tenant, books.mint, books.database, books.ledger, batchers[number % 4], actor=f"agent:{number}"
            )
            books_of.key = lambda: f"{number}-{next(books_of._keys)}"  # type: ignore[method-assign]
            hold, _ = await books_of.place((one, 3), (two, -3), expires=datetime.now(UTC))
            await asyncio.gather(
                books_of.post((one, 1), (two, -1)),
                books_of.post((two, 1), (one, -1)),
                books_of.void(hold),
                books.ledger.sweep(books.context),
                books.ledger.lock_period(books.context, until=datetime(2020, 1, 1, tzinfo=UTC)),
                books.ledger.limit_account(books.context, one, minimum=None, maximum=None),
            )

        await asyncio.gather(*(work(number) for number in range(12)))
        assert await books.ledger.faults(books.context) == []


class FailingLedger(Ledger):
    """A ledger whose database misbehaves as it is told, before or after it has done its work."""

    def __init__(self, inner: Ledger, failures: Sequence[tuple[str, Exception]]) -> None:
        super().__init__(inner._database)
        self.failures = list(failures)
        self.calls = 0

    async def execute(self, context: str, requests: Sequence[Request]) -> list[Outcome]:
        self.calls += 1
        moment, error = self.failures.pop(0) if self.failures else ("", Exception())
        if moment == "before":
            raise error
        outcomes = await super().execute(context, requests)
        if moment == "after":
            raise error
        return outcomes


LOST: tuple[Exception, ...] = (
    asyncpg.ConnectionDoesNotExistError("gone"),
    ConnectionResetError(),
    asyncpg.DeadlockDetectedError("deadlock"),
    asyncpg.AdminShutdownError("stop"),
    TimeoutError(),
)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_a_batch_whose_answer_is_lost_is_sent_again_and_counts_once(
    books: Books, moment: str, error: Exception
) -> None:
    bank, spending = await funded(books, 1000)
    failing = FailingLedger(books.ledger, [(moment, error)])
    books.batcher = Batcher(failing, books.mint)
    outcomes = await asyncio.gather(*(books.post((bank, -1), (spending, 1)) for _ in range(5)))
    assert all(one.accepted for one in outcomes)
    assert failing.calls == 2
    assert await books.balance(bank) == 995


async def test_a_batch_that_takes_too_long_is_carried_out_one_by_one(books: Books) -> None:
    bank, spending = await funded(books, 1000)
    failing = FailingLedger(books.ledger, [("before", asyncpg.QueryCanceledError("statement timeout"))])
    books.batcher = Batcher(failing, books.mint)
    outcomes = await asyncio.gather(*(books.post((bank, -1), (spending, 1)) for _ in range(5)))
    assert all(one.accepted for one in outcomes)
    assert failing.calls == 1 + 5


async def test_a_transient_error_is_told_and_never_remembered(books: Books) -> None:
    bank, spending = await funded(books, 1000)
    failures: list[tuple[str, Exception]] = [("before", ConnectionResetError())] * ATTEMPTS
    books.batcher = Batcher(FailingLedger(books.ledger, failures), books.mint)
    with pytest.raises(TreasuryError, match="TREASURY_UNAVAILABLE"):
        await books.post((bank, -1), (spending, 1), key="k")
    outcome = await books.post((bank, -1), (spending, 1), key="k")
    assert (outcome.accepted, outcome.replayed) == (True, False)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("legs", (Leg(1, 1, "USD"),), TreasuryError),
        ("legs", (Leg(1, 2**63, "USD"), Leg(2, -(2**63), "USD")), asyncpg.DataError),
        ("legs", (Leg(1, 2**62, "USD"), Leg(2, -(2**62), "USD")), None),
        ("description", "\ud800", UnicodeEncodeError),
        ("description", "\0", asyncpg.PostgresError),
        ("correlation", None, asyncpg.NotNullViolationError),
    ],
)
async def test_one_command_that_breaks_the_batch_takes_no_other_with_it(
    books: Books, field: str, value: Any, error: type[Exception] | None
) -> None:
    """A command is checked when it is made; one that slipped through must harm nobody but its own caller."""
    bank, spending = await funded(books, 1000)
    poison = Post(key="poison", correlation=CORRELATION, legs=books.transfer(bank, spending, 1))
    object.__setattr__(poison, field, value)
    asked: list[Any] = [books.post((bank, -1), (spending, 1)) for _ in range(4)]
    asked.insert(2, books.batcher.submit(books.tenant, books.actor, poison))
    outcomes: list[Any] = await asyncio.gather(*asked, return_exceptions=True)
    if error is None:
        assert outcomes[2].code == "TREASURY_BALANCE_OVERFLOW"
    else:
        assert isinstance(outcomes[2], error)
    assert [one.accepted for place, one in enumerate(outcomes) if place != 2] == [True] * 4
    assert await books.balance(bank) == 996


class GatedLedger(Ledger):
    """A ledger whose database answers only once its gate is open."""

    def __init__(self, inner: Ledger) -> None:
        super().__init__(inner._database)
        self.reached = asyncio.Event()
        self.gate = asyncio.Event()

    async def execute(self, context: str, requests: Sequence[Request]) -> list[Outcome]:
        self.reached.set()
        await self.gate.wait()
        return await super().execute(context, requests)


async def in_flight_and_waiting(books: Books) -> tuple[GatedLedger, asyncio.Task[Outcome], asyncio.Task[Outcome]]:
    """Two callers: the command of one is in flight behind a gate, that of the other waits."""
    bank, spending = await funded(books, 1000)
    gated = GatedLedger(books.ledger)
    books.batcher = Batcher(gated, books.mint)
    first = asyncio.create_task(books.post((bank, -1), (spending, 1)))
    await gated.reached.wait()
    second = asyncio.create_task(books.post((bank, -10), (spending, 10)))
    await asyncio.sleep(0)
    return gated, first, second


async def test_a_caller_that_goes_away_takes_back_what_was_not_sent(books: Books) -> None:
    gated, first, second = await in_flight_and_waiting(books)
    second.cancel()
    gated.gate.set()
    assert (await first).accepted
    await books.batcher.drain()
    assert await books.balance(1) == 999


async def test_a_caller_that_goes_away_leaves_what_was_sent_to_be_carried_out(books: Books) -> None:
    gated, first, second = await in_flight_and_waiting(books)
    first.cancel()
    gated.gate.set()
    assert (await second).accepted
    assert await books.balance(1) == 989


async def test_giving_up_to_wait_for_the_end_stops_nothing(books: Books) -> None:
    gated, first, second = await in_flight_and_waiting(books)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(books.batcher.drain(), 0.01)
    gated.gate.set()
    assert [(await asyncio.wait_for(one, 5)).accepted for one in (first, second)] == [True, True]


async def test_callers_are_told_when_the_work_is_stopped(books: Books) -> None:
    _, first, second = await in_flight_and_waiting(books)
    task = books.batcher._group._lanes[books.tenant].task
    assert task is not None
    task.cancel()
    for one in (first, second):
        with pytest.raises(TreasuryError, match="TREASURY_UNAVAILABLE"):
            await asyncio.wait_for(one, 5)
    assert books.batcher.idle


async def test_who_is_no_actor_leaves_nothing_behind(books: Books) -> None:
    books.actor = "two\nlines"
    with pytest.raises(ValueError, match="not an actor"):
        await books.post((1, -1), (2, 1))
    assert books.batcher.idle


async def test_too_much_waiting_is_refused_at_once(books: Books) -> None:
    bank, spending = await funded(books, 1000)
    books.batcher = Batcher(books.ledger, books.mint, waiting_max=10)
    outcomes = await asyncio.gather(*(books.post((bank, -1), (spending, 1)) for _ in range(30)), return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, TreasuryError)]
    assert {one.code for one in refused} == {"TREASURY_OVERLOADED"}
    assert await books.balance(bank) == 1000 - (30 - len(refused))


@pytest.mark.long
async def test_nothing_that_was_answered_is_lost_when_the_server_crashes() -> None:
    with embedded() as cluster:
        place = await Postgres(cluster).make_place(MIGRATIONS)
        async with open_database(place.dsn(), connections=4) as database:
            books = await new_books(database, place.app)
            bank, spending = await funded(books, 10_000)

            async def spend() -> int:
                done = 0
                for _ in range(40):
                    try:
                        done += (await books.post((bank, -1), (spending, 1))).accepted
                    except TreasuryError:
                        continue
                return done

            async def disturb() -> None:
                for _ in range(3):
                    await asyncio.sleep(0.15)
                    await asyncio.to_thread(cluster.crash)
                    await asyncio.to_thread(cluster.start)

            *answered, _ = await asyncio.gather(*(spend() for _ in range(20)), disturb())
            balance = await books.balance(bank)
            assert 10_000 - balance >= sum(one for one in answered if one is not None)
            assert await books.ledger.faults(books.context) == []
