"""Payments through a bank that loses answers, by workers that are killed anywhere: each is paid once, or not at all."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.embedded import installed
from parpour_controlplane.testing import Place
from parpour_treasury.payments.worker import PaymentWorker
from parpour_treasury.providers.port import Outcome
from parpour_treasury.reconciliation.tokens import TokenFile
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.changes import ResolutionBody
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import RULES, Venture, new_venture, open_venture

from .bank import ABSENCE_AFTER, WINDOWS, Bank

pytestmark = pytest.mark.anyio

FREELY = RULES.model_copy(update={"tiers": (), "windows": ()})
"""Nobody has to approve, and nothing counts how often."""

POINTS = ("claimed", "begun", "counted", "answered", "learnt")
SEEDS, BATCH = 250, 50
FEW = 5
"""Seeds of a batch on the older versions of PostgreSQL. The whole course has hundreds of its own in tests/faults."""

ENDS = {
    Outcome.SETTLED: State.SETTLED,
    Outcome.FAILED: State.FAILED,
    Outcome.RETURNED: State.RETURNED,
    Outcome.SENT: State.SENT,
}


class Killed(BaseException):
    """The worker was killed here."""


def kill_at(point: str) -> Callable[[str], None]:
    def kill(here: str) -> None:
        if here == point:
            raise Killed

    return kill


@dataclass
class World:
    """Ventures, a bank each, a clock that tests move, and workers that come and go."""

    place: Place
    database: Database
    banks: dict[UUID, Bank]
    tokens: TokenFile
    draw: random.Random = field(default_factory=lambda: random.Random(0))
    killing: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def provider(self, tenant: UUID, name: str) -> Bank | None:
        return self.banks.get(tenant) if name == "stripe" else None

    def names(self, tenant: UUID) -> list[str]:
        return ["stripe"] if tenant in self.banks else []

    def worker(self, at_point: Callable[[str], None] = lambda _: None) -> PaymentWorker:
        return PaymentWorker(
            self.database, self.place.payment, self, self.tokens, clock=lambda: self.now, at_point=at_point
        )

    def maybe_kill(self, _point: str) -> None:
        if self.draw.random() < self.killing:
            raise Killed

    async def turn(self) -> None:
        """One turn of a worker that may be killed in it, after time went on."""
        self.now += timedelta(seconds=self.draw.choice([1, 30, 400, 2000]))
        for bank in self.banks.values():
            bank.at = self.now
        await make_due(self.place, self.now)
        try:
            await self.worker(self.maybe_kill).turn()
        except Killed:
            return


async def make_due(place: Place, now: datetime) -> None:
    """What is due by the tests' clock is due by the database's."""
    administrator = await asyncpg.connect(place.dsn("postgres"))
    try:
        await administrator.execute(
            "update treasury.payment_course set next_at = clock_timestamp() - interval '1 second' where next_at <= $1",
            now,
        )
    finally:
        await administrator.close()


@asynccontextmanager
async def one_venture(place: Place, bank: Bank, folder: Path) -> AsyncIterator[tuple[Venture, World]]:
    """A venture whose payments go to a bank."""
    async with (
        open_venture(place, rules=FREELY) as venture,
        open_database(place.dsn("parpour_payment"), connections=2) as database,
    ):
        yield venture, World(place, database, {venture.tenant: bank}, TokenFile(folder))


async def check(venture: Venture, bank: Bank, spends: list[UUID]) -> set[State]:
    """Each was paid at most once, the books say what the bank did, and nothing contradicts itself."""
    found = set()
    for spend in spends:
        paid, standing = bank.of(spend), await venture.spend(spend)
        assert len(paid) <= 1
        expected = ENDS[paid[0].outcome] if paid else State.FAILED
        assert standing.state is expected
        found.add(standing.state)
    assert await venture.faults() == []
    assert await venture.untold() == []
    return found


@pytest.mark.long
@pytest.mark.parametrize("batch", range(SEEDS // BATCH))
async def test_each_is_paid_once_whatever_is_lost_and_whoever_is_killed(
    place: Place, batch: int, tmp_path: Path
) -> None:
    """Each seed is a venture with a bank of its own; the worker that is killed has them all in its hands."""
    newest = place.cluster.programs.major == max(installed())
    async with (
        open_database(place.dsn(), connections=4) as books,
        open_database(place.dsn("parpour_payment"), connections=4) as database,
    ):
        world = World(place, database, {}, TokenFile(tmp_path), random.Random(batch), killing=0.02)
        asked: list[tuple[Venture, list[UUID]]] = []
        for seed in range(batch * BATCH, batch * BATCH + (BATCH if newest else FEW)):
            bank = Bank(random.Random(seed))
            bank.trouble = bank.draw.choice([0.2, 0.5, 0.8])
            venture = await new_venture(books, place, rules=FREELY)
            world.banks[venture.tenant] = bank
            outcomes = [await venture.request(bank.draw.randint(1, 900)) for _ in range(bank.draw.randint(1, 3))]
            asked.append((venture, [one.spend for one in outcomes if one.spend is not None]))
        for _ in range(8):
            await world.turn()
            for bank in world.banks.values():
                bank.go_on()
        world.killing = 0.0
        for bank in world.banks.values():
            bank.trouble = 0.0
        for _ in range(12):
            await world.turn()
        ends = set()
        for venture, spends in asked:
            ends |= await check(venture, world.banks[venture.tenant], spends)
        assert ends >= ({State.SETTLED, State.FAILED, State.RETURNED} if newest else {State.SETTLED})


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_that_is_killed_at_a_point_leaves_the_payment_to_the_next(
    place: Place, point: str, tmp_path: Path
) -> None:
    bank = Bank(random.Random(2), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        assert asked.spend is not None
        with pytest.raises(Killed):
            await world.worker(kill_at(point)).turn()
        for _ in range(10):
            await world.turn()
        assert await check(venture, bank, [asked.spend]) == {State.SENT}


async def test_two_workers_pay_once(place: Place, tmp_path: Path) -> None:
    bank = Bank(random.Random(3), trouble=0.0, refusals=0.0)
    async with (
        one_venture(place, bank, tmp_path) as (venture, world),
        open_database(place.dsn("parpour_payment"), connections=4) as database,
    ):
        other = World(place, database, world.banks, TokenFile(tmp_path))
        asked = [await venture.request(10) for _ in range(20)]
        for _ in range(3):
            await asyncio.gather(world.worker().turn(), other.worker().turn())
        assert await check(venture, bank, [one.spend for one in asked if one.spend]) == {State.SENT}
        assert len(bank.paid) == 20


async def test_what_is_frozen_before_it_was_sent_is_released(place: Place, tmp_path: Path) -> None:
    """The stated end of what was claimed and never sent is failed, and its money is free again."""
    bank = Bank(random.Random(4), trouble=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        with pytest.raises(Killed):
            await world.worker(kill_at("claimed")).turn()
        await venture.governance.freeze(venture.context(), reason="a lost laptop")
        await world.turn()
        assert bank.paid == []
        assert (await venture.spend(asked.spend)).state is State.FAILED
        assert await venture.faults() == []


def lossy(seed: int) -> Bank:
    """A bank that takes no request in before its answer is lost, until its trouble is over."""
    bank = Bank(random.Random(seed), trouble=1.0)
    bank.draw.choice = lambda options: options[0]  # type: ignore[method-assign,assignment]
    return bank


async def test_what_is_frozen_while_in_doubt_is_found_out_and_not_sent_again(place: Place, tmp_path: Path) -> None:
    bank = lossy(5)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        await world.turn()
        await venture.governance.freeze(venture.context(), reason="a lost laptop")
        bank.trouble = 0.0
        for _ in range(5):
            world.now += ABSENCE_AFTER
            await world.turn()
        assert bank.paid == []
        assert (await venture.spend(asked.spend)).state is State.FAILED


async def test_a_webhook_is_a_reason_to_look_and_taken_once(place: Place, tmp_path: Path) -> None:
    """What was settled comes back: nobody would look before half a day is over, but for the hint."""
    bank = Bank(random.Random(6), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        await world.turn()
        bank.paid[0].outcome = Outcome.SETTLED
        for _ in range(3):
            world.now += WINDOWS.poll
            await world.turn()
        assert (await venture.spend(asked.spend)).state is State.SETTLED
        bank.paid[0].outcome = Outcome.RETURNED
        world.now += timedelta(hours=3)
        await world.turn()
        assert (await venture.spend(asked.spend)).state is State.SETTLED
        hint = "select treasury.hint($1, 'stripe', 'evt_1', 'outbound_payment.returned', $2)"
        pool = venture.books.database.pool
        assert await pool.fetchval(hint, venture.context(), bank.paid[0].reference)
        assert not await pool.fetchval(hint, venture.context(), bank.paid[0].reference)
        await world.turn()
        assert (await venture.spend(asked.spend)).state is State.RETURNED
        assert await venture.faults() == []


@pytest.mark.parametrize("end", [Outcome.FAILED, Outcome.RETURNED])
async def test_what_arrived_and_comes_back_is_found_without_its_webhook(
    place: Place, tmp_path: Path, end: Outcome
) -> None:
    """Stripe, payouts: one that was paid may fail within five business days; and a webhook may be lost."""
    bank = Bank(random.Random(8), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked, other = await venture.request(700), await venture.request(800)
        await world.turn()
        for paid in bank.paid:
            paid.outcome = Outcome.SETTLED
        for _ in range(3):
            world.now += WINDOWS.poll
            await world.turn()
        for _ in range(7):
            world.now += timedelta(days=1)
            await world.turn()
        assert (await venture.spend(asked.spend)).state is State.SETTLED
        assert asked.spend
        bank.of(asked.spend)[0].outcome = end
        world.now += WINDOWS.late_poll
        await world.turn()
        assert (await venture.spend(asked.spend)).state is State(end.value)
        assert (await venture.spend(other.spend)).state is State.SETTLED
        world.now += WINDOWS.may_come_back
        for _ in range(2):
            await world.turn()
        pool = venture.books.database
        async with pool.transaction(venture.context()) as connection:
            assert await connection.fetchval("select count(next_at) from treasury.payment_course") == 0
        assert await venture.faults() == []
        assert await venture.untold() == []


async def test_past_the_window_a_person_is_asked_and_nothing_is_sent_again(place: Place, tmp_path: Path) -> None:
    bank = lossy(7)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        await world.turn()
        bank.trouble = 0.0
        world.now += WINDOWS.send_again
        for _ in range(4):
            world.now += ABSENCE_AFTER
            await world.turn()
        assert bank.paid == []
        assert (await venture.spend(asked.spend)).state is State.UNKNOWN
        async with venture.books.database.transaction(venture.context()) as connection:
            row = await connection.fetchrow("select next_at, asks_person from treasury.payment_course")
            events = await connection.fetchval(
                "select count(*) from controlplane.event where type = 'treasury.payment.unresolved'"
            )
        assert row is not None
        assert (row["next_at"], row["asks_person"], events) == (None, True, 1)


async def test_what_people_found_to_be_sent_is_followed_to_its_end(place: Place, tmp_path: Path) -> None:
    """Nobody tells that it settled: no webhook comes, and the worker had stopped asking."""
    bank = Bank(random.Random(15), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        assert asked.spend is not None
        with pytest.raises(Killed):
            await world.worker(kill_at("answered")).turn()
        bank.trouble = 2.0
        world.now += WINDOWS.ask_person
        for _ in range(4):
            world.now += ABSENCE_AFTER
            await world.turn()
        assert (await venture.spend(asked.spend)).state is State.UNKNOWN
        bank.trouble, bank.paid[0].outcome = 0.0, Outcome.SETTLED
        found = {"provider_reference": bank.paid[0].reference, "evidence": {"call": "the bank has it"}}
        await venture.change(ResolutionBody(spend=asked.spend, outcome="sent", **found))
        assert (await venture.spend(asked.spend)).state is State.SENT
        await world.turn()
        assert await check(venture, bank, [asked.spend]) == {State.SETTLED}


async def test_of_what_is_under_way_and_never_told_of_again_a_person_is_asked(place: Place, tmp_path: Path) -> None:
    """A request that was turned down at the provider: look-ups do not see it, and its money is not away for ever."""
    bank = Bank(random.Random(16), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        assert asked.spend is not None
        await world.turn()
        turned_down = ResolutionBody(spend=asked.spend, outcome="failed", evidence={"call": "it was turned down"})
        bank.trouble = 2.0
        for days in (0, 6):
            world.now += timedelta(days=days, hours=1)
            await world.turn()
            with pytest.raises(TreasuryError, match="TREASURY_SPEND_STATE"):
                await venture.change(turned_down)
        world.now += timedelta(days=1)
        await world.turn()
        async with venture.books.database.transaction(venture.context()) as connection:
            row = await connection.fetchrow("select next_at, asks_person from treasury.payment_course")
        assert row is not None
        assert row["asks_person"]
        assert row["next_at"] is not None
        await venture.change(turned_down)
        assert (await venture.spend(asked.spend)).state is State.FAILED
        assert await venture.books.balance(venture.accounts["assets:bank:usd"]) == 1_000_000
        assert await venture.faults() == []


async def test_what_was_begun_and_first_looked_for_past_the_window_is_for_people_to_resolve(
    place: Place, tmp_path: Path
) -> None:
    """The worker was killed before it sent, and its successor came a day later: nobody ever answered anything."""
    bank = Bank(random.Random(17), trouble=0.0, refusals=0.0)
    async with one_venture(place, bank, tmp_path) as (venture, world):
        asked = await venture.request(700)
        assert asked.spend is not None
        with pytest.raises(Killed):
            await world.worker(kill_at("begun")).turn()
        world.now += WINDOWS.send_again + ABSENCE_AFTER
        await world.turn()
        assert (await venture.spend(asked.spend)).state is State.UNKNOWN
        evidence = {"call": "the bank has no such payment"}
        await venture.change(ResolutionBody(spend=asked.spend, outcome="failed", evidence=evidence))
        assert await check(venture, bank, [asked.spend]) == {State.FAILED}
