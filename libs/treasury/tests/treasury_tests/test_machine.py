"""Random commands in random batches, on the database and on the model: the same answers, the same books."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from parpour_controlplane.database import open_database
from parpour_controlplane.testing import Place
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.telling import tell
from parpour_treasury.batcher import COMMANDS_MAX, Waiting, next_batch
from parpour_treasury.batches import Outcome, Request
from parpour_treasury.books import Kind
from parpour_treasury.commands import Command, Hold, Leg, Post, Reverse, Settle, Void
from parpour_treasury.testing import CORRELATION, Books, new_books, snapshot

from .ledger_model import Answer, ModelLedger

LIMITS: tuple[tuple[int | None, int | None], ...] = ((0, None), (None, None), (-50, 50), (None, 0), (None, None))
"""Bounds of the accounts, numbered from 1; account 6 is not there."""

KEYS = st.integers(0, 400).map("k{}".format)
ACCOUNTS = st.integers(1, 6)
HOLDS = st.integers(1, 6).map(lambda number: UUID(int=number))
AMOUNTS = st.integers(1, 60)


@st.composite
def legs(draw: st.DrawFn) -> tuple[Leg, ...]:
    """Two to four legs that sum to zero, an account sometimes more than once."""
    amounts = draw(st.lists(st.integers(-60, 60).filter(bool), min_size=1, max_size=3))
    amounts.append(-sum(amounts))
    if not amounts[-1]:
        amounts = [amounts[0], -amounts[0]]
    return tuple(Leg(draw(ACCOUNTS), amount, "USD") for amount in amounts)


COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Post, key=KEYS, correlation=st.just(CORRELATION), legs=legs()),
    st.builds(Hold, key=KEYS, correlation=st.just(CORRELATION), hold=HOLDS, legs=legs()),
    st.builds(
        Settle,
        key=KEYS,
        correlation=st.just(CORRELATION),
        hold=HOLDS,
        amounts=st.none()
        | AMOUNTS.map(lambda amount: (amount, -amount))
        | AMOUNTS.map(lambda amount: (-amount, amount)),
        release=st.booleans(),
    ),
    st.builds(Void, key=KEYS, correlation=st.just(CORRELATION), hold=HOLDS),
    st.builds(Reverse, key=KEYS, correlation=st.just(CORRELATION), journal=st.integers(1, 12)),
)


class LedgerMachine(RuleBasedStateMachine):
    """One tenant, driven in batches."""

    runner: asyncio.Runner
    books_of: Iterator[Books]

    @initialize()
    def open(self) -> None:
        self.books = next(self.books_of)
        self.model = ModelLedger(dict(enumerate(LIMITS, 1)))
        self.runner.run(self._open())

    async def _open(self) -> None:
        for number, (lower, upper) in enumerate(LIMITS, 1):
            assert await self.books.open(f"a{number}", Kind.ASSET, minimum=lower, maximum=upper) == number

    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=12), repeat=st.booleans())
    def batch(self, commands: list[Command], repeat: bool) -> None:
        if repeat:
            commands = commands + commands[:3]
        assert self.runner.run(self._submit(commands)) == self._expected(commands)

    async def _submit(self, commands: list[Command]) -> list[Answer]:
        books = self.books
        outcomes = await asyncio.gather(*(books.batcher.submit(books.tenant, books.actor, one) for one in commands))
        return [(one.code, one.journal) for one in outcomes]

    def _expected(self, commands: list[Command]) -> list[Answer]:
        """The model's answers, in the batches that the batcher makes: what meets itself in one comes in the next."""
        loop = self.runner.get_loop()
        asked = [Waiting(Request.of(one, actor=self.books.actor), loop.create_future()) for one in commands]
        waiting = deque(asked)
        while batch := next_batch(waiting, batch_max=COMMANDS_MAX):
            self.model.start_batch()
            for one in batch:
                code, journal = self.model.execute(one.request.command, self.books.actor)
                for future in (one.answer, *one.same):
                    future.set_result(Outcome(code, None, journal, replayed=False, at=datetime.now(UTC)))
        return [(outcome.code, outcome.journal) for outcome in (one.answer.result() for one in asked)]

    @invariant()
    def the_books_are_those_of_the_model(self) -> None:
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        books = self.books
        for account in await books.ledger.accounts(books.context):
            ours = (account.posted, account.pending_debit, account.pending_credit)
            number = account.account
            assert ours == (self.model.posted[number], self.model.pending(number, 1), self.model.pending(number, -1))
        assert await books.ledger.faults(books.context) == []
        journals = await books.ledger.journals(books.context)
        assert [one.legs for one in journals] == [tuple(legs) for legs, _ in self.model.journals]
        standing, told = await snapshot(books)
        assert compare(standing, tell(told)) == []


def test_the_database_does_what_the_model_does(place: Place) -> None:
    with asyncio.Runner() as runner:

        async def entered() -> tuple[object, object]:
            manager = open_database(place.dsn(), connections=2)
            return manager, await manager.__aenter__()

        manager, database = runner.run(entered())

        def books() -> Iterator[Books]:
            for _ in count():
                yield runner.run(new_books(database, place.app))  # type: ignore[arg-type]

        LedgerMachine.runner, LedgerMachine.books_of = runner, books()
        try:
            run_state_machine_as_test(
                LedgerMachine,
                settings=settings(
                    max_examples=max(8, settings().max_examples // 10),
                    stateful_step_count=6,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(manager.__aexit__(None, None, None))  # type: ignore[attr-defined]


@pytest.mark.anyio
async def test_commands_that_share_batches_leave_sound_books(books: Books) -> None:
    """Hundreds at once, so that batches are full: no order is promised, but every invariant holds."""
    draw = random.Random(11)
    for number, (lower, upper) in enumerate(LIMITS, 1):
        await books.open(f"a{number}", minimum=lower, maximum=upper)

    def command(place: int) -> Command:
        kind = draw.choice(["post", "post", "hold", "settle", "void", "reverse"])
        key, hold = f"c{place if place % 5 else place - 1}", UUID(int=draw.randint(1, 40))
        one, two = draw.sample(range(1, 7), 2)
        pair = (Leg(one, amount := draw.randint(1, 40), "USD"), Leg(two, -amount, "USD"))
        if kind == "post":
            return Post(key=key, correlation=CORRELATION, legs=pair)
        if kind == "hold":
            return Hold(key=key, correlation=CORRELATION, hold=hold, legs=pair)
        if kind == "settle":
            return Settle(key=key, correlation=CORRELATION, hold=hold, release=draw.random() < 0.5)
        if kind == "void":
            return Void(key=key, correlation=CORRELATION, hold=hold)
        return Reverse(key=key, correlation=CORRELATION, journal=draw.randint(1, 60))

    for round_ in range(4):
        commands = [command(round_ * 400 + place) for place in range(400)]
        outcomes = await asyncio.gather(*(books.batcher.submit(books.tenant, books.actor, one) for one in commands))
        assert await books.ledger.faults(books.context) == []
        assert any(one.accepted for one in outcomes)
        assert any(one.code == "TREASURY_LIMIT_EXCEEDED" for one in outcomes)
    model = ModelLedger(dict(enumerate(LIMITS, 1)))
    for journal in await books.ledger.journals(books.context):
        for leg in journal.legs:
            model.posted[leg.account] += leg.amount
    assert {a.account: a.posted for a in await books.ledger.accounts(books.context)} == {
        number: model.posted[number] for number in model.bounds
    }
