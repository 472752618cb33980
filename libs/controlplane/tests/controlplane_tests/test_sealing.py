"""The sealer gives every committed event one place, whoever else seals, and signs no history that was taken back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_controlplane.chain.ordering import causes_first
from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import SealingPace, run_sealer
from parpour_controlplane.testing import Place

from .sealing_of import KEY, NEXT_KEY, QUICK, Sealing, now, sealing, writer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


async def test_events_get_places_without_gaps_in_their_order(here: Sealing) -> None:
    written = await here.writer.write(here.tenant, 3)
    sealer = here.sealer()
    assert await sealer.round() == 3
    written += await here.writer.write(here.tenant, 2)
    assert await sealer.round() == 2
    assert await sealer.round() == 0
    assert await here.places() == list(enumerate(written, 1))
    verified = await here.verify()
    assert (verified.events, verified.blocks, verified.erased) == (5, 2, 0)


async def test_what_is_not_committed_holds_back_what_began_later(here: Sealing) -> None:
    """Otherwise it would have to go before what has its place already."""
    sealer = here.sealer()
    async with writer(here.place) as other:
        transaction = await other.begin(here.tenant)
        first = await other.event(here.tenant)
        (later,) = await here.writer.write(here.tenant)
        assert await sealer.round() == 0
        await transaction.commit()
    assert await sealer.round() == 2
    assert [event for _, event in await here.places()] == [first, later]


async def test_what_was_rolled_back_has_no_place(here: Sealing) -> None:
    transaction = await here.writer.begin(here.tenant)
    await here.writer.event(here.tenant)
    await transaction.rollback()
    (event,) = await here.writer.write(here.tenant)
    assert await here.sealer().round() == 1
    assert await here.places() == [(1, event)]


@pytest.mark.parametrize("block", [1, 2, 1000])
async def test_an_effect_of_an_older_transaction_comes_after_its_cause(here: Sealing, block: int) -> None:
    """Under READ COMMITTED a transaction sees what commits while it runs, though its own number is lower."""
    async with writer(here.place) as other, writer(here.place) as third:
        older = await other.begin(here.tenant)
        unrelated = await other.event(here.tenant)
        between = await third.begin(here.tenant)
        effect_between = await third.event(here.tenant)
        (cause,) = await here.writer.write(here.tenant)
        effect = await other.event(here.tenant, cause=cause)
        await older.commit()
        last = await third.event(here.tenant, cause=effect)
        await between.commit()
    sealer = here.sealer(pace=SealingPace(block_events=block, lease=0.2, sign=0.0))
    while await sealer.round():
        pass
    order = [event for _, event in await here.places()]
    assert sorted(order, key=str) == sorted([unrelated, effect_between, cause, effect, last], key=str)
    assert order.index(cause) < order.index(effect) < order.index(last)
    assert (await here.verify()).events == 5


EACH_OTHERS_CAUSE = """
    insert into controlplane.event
        (tenant_id, event_id, type, version, occurred_at, actor, correlation, causation, subject, payload)
    select $1, i, 'a.b.c', 1, now(), 'x', $1, j, 'x', '{}' from (values ($2::uuid, $3::uuid), ($3, $2)) as pairs(i, j)
"""


async def test_a_cause_that_nobody_wrote_is_refused(here: Sealing) -> None:
    (mine,) = await here.writer.write(here.tenant)
    elsewhere = uuid4()
    (theirs,) = await here.writer.write(elsewhere)
    for cause in (uuid4(), theirs):
        with pytest.raises(asyncpg.PostgresError, match="EVENT_CAUSE_UNKNOWN"):
            await here.writer.write(here.tenant, cause=cause)
    await here.writer.write(here.tenant, cause=mine)
    await here.sealer().round()
    await here.writer.write(here.tenant, cause=mine)
    transaction = await here.writer.begin(here.tenant)
    with pytest.raises(asyncpg.PostgresError, match="EVENT_CAUSE_UNKNOWN"):
        await here.writer.connection.execute(
            EACH_OTHERS_CAUSE,
            here.tenant,
            uuid4(),
            uuid4(),
        )
    await transaction.rollback()


async def test_two_sealers_that_race_give_each_event_one_place(here: Sealing) -> None:
    sealers = [here.sealer(pace=SealingPace(lease=0.0, sign=0.0, rest=0.0, block_events=7)) for _ in range(3)]
    written: list[UUID] = []
    stop = asyncio.Event()

    async def write() -> None:
        for _ in range(40):
            written.extend(await here.writer.write(here.tenant, 3))
        stop.set()

    async def seal(number: int) -> None:
        while not stop.is_set() or await sealers[number].round():
            await sealers[number].round()

    await asyncio.gather(write(), *(seal(number) for number in range(3)))
    while await sealers[0].round():
        pass
    await sealers[0].finish()
    places = await here.places()
    assert [position for position, _ in places] == list(range(1, 121))
    assert {event for _, event in places} == set(written)
    assert sum(sealer.counts.events for sealer in sealers) == 120
    assert [sealer.counts.failed for sealer in sealers] == [0, 0, 0]
    assert (await here.verify()).events == 120


async def test_a_sealer_that_was_paused_is_refused_by_the_database(here: Sealing) -> None:
    paused, other = here.sealer(), here.sealer()
    await here.writer.write(here.tenant)
    assert await paused.round() == 1
    await here.writer.write(here.tenant)
    assert await other.round() == 0, "the tenant is taken"
    await asyncio.sleep(QUICK.lease)
    assert await other.round() == 1
    await here.writer.write(here.tenant)
    assert await paused.round() == 0
    assert (paused.counts.stale, paused.counts.failed) == (1, 0)
    assert await other.round() == 1
    assert (await here.verify()).events == 3


async def test_a_sealer_that_finishes_leaves_its_tenants_to_others(here: Sealing) -> None:
    slow = SealingPace(lease=60.0, sign=60.0)
    first, second = here.sealer(pace=slow), here.sealer(pace=slow)
    for sealer in (first, second):
        await here.writer.write(here.tenant)
        await here.writer.write(here.tenant)
        assert await sealer.round() == 2
        await here.writer.write(here.tenant)
        assert await sealer.round() == 1, "signed not yet, since the last checkpoint is younger than a minute"
        await sealer.finish()
    assert (await here.verify()).events == 6


async def test_blocks_whose_sealer_died_before_it_signed_are_signed_by_the_next(here: Sealing) -> None:
    first = here.sealer(pace=SealingPace(lease=0.1, sign=60.0))
    for _ in range(2):
        await here.writer.write(here.tenant)
        await first.round()
    _, signed = here.store.last(here.tenant)
    assert signed is not None
    assert signed.head.size == 1
    await asyncio.sleep(0.1)
    await here.sealer().round()
    assert (await here.verify()).events == 2
    found = await here.pool.fetch("select tenant_id from controlplane.chain_head")
    assert found == [], "and nobody looks at the tenant any more"


async def test_idle_tenants_are_not_looked_at(here: Sealing) -> None:
    """A round asks one question, however many tenants there are, unless there is something to seal."""
    asked: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            method = getattr(here.pool, name)

            def call(query: str, *arguments: object) -> object:
                asked.append(query)
                return method(query, *arguments)

            return call

    tenants = [uuid4() for _ in range(30)]
    for tenant in tenants:
        await here.writer.write(tenant)
    sealer = here.sealer(calls=Watched())
    assert await sealer.round() == 30
    asked.clear()
    assert await sealer.round() == 0
    assert len(asked) == 1


async def test_a_tenant_that_fails_hinders_no_other(here: Sealing) -> None:
    (event,) = await here.writer.write(here.tenant)
    administrator = here.writer.connection
    columns = "type, version, occurred_at, actor, correlation, subject, payload"
    await administrator.execute(
        f"insert into controlplane.event (tenant_id, event_id, {columns}) "
        f"select tenant_id, event_id, {columns} from controlplane.event where event_id = $1",
        event,
    )
    others = [uuid4() for _ in range(3)]
    for tenant in others:
        await here.writer.write(tenant)
    sealer = here.sealer(pace=SealingPace(lease=0.2, sign=0.0, rest=60.0))
    assert await sealer.round() == 3
    assert sealer.counts.failed == 1
    assert str(here.tenant) in sealer.counts.last_error
    assert await here.places() == []
    assert await sealer.round() == 0
    assert sealer.counts.failed == 1, "it rests"


async def test_how_long_a_tenant_waits_is_told_and_ends_with_its_next_block(here: Sealing) -> None:
    ahead, gone = timedelta(0), [True]

    class Gone:
        """A pool that cannot read events, until it can."""

        def __getattr__(self, name: str) -> object:
            return getattr(here.pool, name)

        async def fetch(self, query: str, *arguments: object) -> object:
            if gone[0] and "unsealed_events" in query:
                raise OSError("no answer")
            return await here.pool.fetch(query, *arguments)

    sealer = here.sealer(calls=Gone(), clock=lambda: now() + ahead)
    await here.writer.write(here.tenant)
    await sealer.round()
    assert sealer.counts.behind_seconds == 0
    ahead = timedelta(minutes=2)
    await sealer.round()
    assert 120 <= sealer.counts.behind_seconds < 180
    gone[0], ahead = False, timedelta(minutes=4)
    assert await sealer.round() == 1
    assert sealer.counts.behind_seconds == 0


async def test_a_block_that_leaves_out_an_event_of_its_transactions_is_refused(here: Sealing) -> None:
    await here.writer.write(here.tenant, 2)

    class Leaving:
        """A pool of a sealer that does not seal everything."""

        def __getattr__(self, name: str) -> object:
            return getattr(here.pool, name)

        async def fetch(self, query: str, *arguments: object) -> object:
            rows = await here.pool.fetch(query, *arguments)
            return rows[:1]

    sealer = here.sealer(calls=Leaving())
    assert await sealer.round() == 0
    assert "SEALER_INCOMPLETE" in sealer.counts.last_error
    assert await here.places() == []


async def tampered(here: Sealing, *statements: str) -> None:
    async with here.writer.connection.transaction():
        await here.writer.connection.execute("set local session_replication_role = replica")
        for statement in statements:
            await here.writer.connection.execute(statement)


async def test_a_database_that_forgot_what_was_signed_is_sealed_no_further(here: Sealing) -> None:
    sealer = here.sealer()
    for _ in range(2):
        await here.writer.write(here.tenant)
        await sealer.round()
    await tampered(
        here,
        "delete from controlplane.sealed_event where position = 2",
        "delete from controlplane.block where number = 2",
        "update controlplane.chain_head h set position = 1, blocks = 1, signed = 1, hash = b.hash, "
        "peaks = array[b.hash] from controlplane.block b",
    )
    await here.writer.write(here.tenant)
    await asyncio.sleep(QUICK.lease)
    restarted = here.sealer()
    assert await restarted.round() == 0
    assert "CHAIN_ROLLED_BACK" in restarted.counts.last_error


async def test_a_database_that_contradicts_what_was_signed_is_sealed_no_further(here: Sealing) -> None:
    await here.writer.write(here.tenant)
    await here.sealer().round()
    await tampered(here, "update controlplane.block set head_root = sha256(head_root)")
    await here.writer.write(here.tenant)
    await asyncio.sleep(QUICK.lease)
    restarted = here.sealer()
    assert await restarted.round() == 0
    assert "CHAIN_FORKED" in restarted.counts.last_error


async def test_a_new_key_is_named_by_the_old_one_and_trusted_through_it(here: Sealing) -> None:
    idle = uuid4()
    for tenant in (here.tenant, idle):
        await here.writer.write(tenant)
    first = here.sealer()
    await first.round()
    await first.finish()
    without = here.sealer(keys=(NEXT_KEY,))
    await here.writer.write(here.tenant)
    assert await without.round() == 0
    assert "SIGNING_KEY_MISSING" in without.counts.last_error
    await asyncio.sleep(QUICK.lease)
    both = here.sealer(keys=(KEY, NEXT_KEY))
    await both.hand_over()
    assert await both.round() == 1
    await both.finish()
    new_only = here.sealer(keys=(NEXT_KEY,))
    for tenant in (here.tenant, idle):
        await here.writer.write(tenant)
        await here.writer.write(tenant)
    assert await new_only.round() == 4
    assert [one.key_id for one in here.store.read(idle)] == [KEY.key_id, KEY.key_id, NEXT_KEY.key_id]
    for tenant in (here.tenant, idle):
        assert (await here.verify(tenant, keys=(KEY,))).events >= 3


async def test_run_sealer_seals_until_it_is_told_to_stop(here: Sealing) -> None:
    stop = asyncio.Event()
    async with open_database(here.place.dsn("parpour_sealer"), connections=2) as database:
        task = asyncio.create_task(
            run_sealer(
                database,
                here.place.sealer,
                SigningKeys((KEY,)),
                here.store,
                clock=now,
                random=os.urandom,
                stop=stop,
                pace=QUICK,
            )
        )
        begin = now()
        await here.writer.write(here.tenant, 2)
        while len(await here.places()) < 2:
            assert now() - begin < timedelta(seconds=5)
            await asyncio.sleep(0.01)
        stop.set()
        counts = await task
    assert (counts.events, counts.failed) == (2, 0)
    assert (await here.verify()).events == 2


class Node:
    def __init__(self, number: int, cause: int | None) -> None:
        self.id = UUID(int=number)
        self.causation = None if cause is None else UUID(int=cause)


@given(st.lists(st.integers(-5, 30), max_size=30), st.randoms(use_true_random=False))
def test_causes_come_first_and_nothing_else_moves(causes: list[int], random: object) -> None:
    """Each node's cause is one of lower number, one from outside, or none; then all are shuffled."""
    nodes = [Node(number, cause % number if number and cause >= 0 else None) for number, cause in enumerate(causes)]
    shuffled = list(nodes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    ordered = causes_first(shuffled)
    assert sorted(node.id for node in ordered) == sorted(node.id for node in nodes)
    places = {node.id: place for place, node in enumerate(ordered)}
    for node in ordered:
        assert node.causation is None or places[node.causation] < places[node.id]
    assert causes_first(ordered) == ordered


def test_events_that_cause_each_other_have_no_order() -> None:
    with pytest.raises(ValueError, match="each other's causes"):
        causes_first([Node(1, 2), Node(2, 1)])
    with pytest.raises(ValueError, match="one id"):
        causes_first([Node(1, None), Node(1, None), Node(2, 1)])
    outside = [Node(1, 9), Node(2, None)]
    assert causes_first(outside) == outside
