"""The relay publishes what is sealed, and the reconciler finds and mends what a stream has lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.js.client import JetStreamContext

from parpour_contracts.subjects import EVENTS_FILTER, EVENTS_STREAM, event_subject, events_of, parse_event_subject
from parpour_controlplane.database import open_database
from parpour_controlplane.events import erase_payload
from parpour_controlplane.relaying import publishing
from parpour_controlplane.relaying.publishing import ensure_stream
from parpour_controlplane.relaying.reconciling import reconcile_all
from parpour_controlplane.relaying.relay import RelayCounts, run_relay
from parpour_controlplane.sealing.sealer import SealingPace
from parpour_controlplane.testing import Bus, Place

from .sealing_of import QUICK_RELAY, Connected, Sealing, connected, sealing, set_back, stream_of, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


@pytest.fixture
async def client(bus: Bus) -> AsyncIterator[Connected]:
    async with connected(bus) as made:
        await ensure_stream(made.jetstream)
        yield made


@pytest.fixture
def jetstream(client: Connected) -> JetStreamContext:
    made: JetStreamContext = client.jetstream
    return made


async def positions(jetstream: JetStreamContext) -> list[int]:
    return [published.position for _, _, published in await stream_of(jetstream)]


async def test_only_what_is_sealed_is_published_in_its_order(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    written = await here.writer.write(here.tenant, 3)
    relay = here.relay(client)
    await relay.round()
    assert await stream_of(jetstream) == []
    await here.sealer().round()
    await here.writer.write(here.tenant)
    await relay.round()
    found = await stream_of(jetstream)
    assert [(one.position, one.event.id) for _, _, one in found] == list(enumerate(written, 1))
    assert {headers["Nats-Msg-Id"] for _, headers, _ in found} == {f"{here.tenant}:{event}" for event in written}
    assert found[0][2].event.payload == {"a": 1, "b": None}
    message = await jetstream.get_msg(EVENTS_STREAM, 1)
    assert parse_event_subject(message.subject or "") == (here.tenant, "control.thing.done")


async def test_a_relay_that_lost_its_mark_repeats_by_the_same_id(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    await here.writer.write(here.tenant, 300)
    await here.sealer().round()

    class Lost(Exception):
        pass

    class Forgetful:
        """A pool that dies when the mark should move."""

        def __getattr__(self, name: str) -> object:
            return getattr(here.relaying, name)

        async def fetchval(self, query: str, *arguments: object) -> object:
            if "advance" in query:
                raise Lost
            return await here.relaying.fetchval(query, *arguments)

    with pytest.raises(BaseExceptionGroup):
        await here.relay(client, calls=Forgetful()).round()
    second = here.relay(client)
    while await second.round() == 0:
        pass
    assert second.counts.repeated == 300
    assert await positions(jetstream) == list(range(1, 301))
    assert (await here.reconcile(jetstream)).agree


async def test_a_relay_goes_back_with_its_database(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    """A crash takes a mark back, and a backup events too: a relay that lives on goes by what the database says then."""
    await here.writer.write(here.tenant, 3)
    sealer, relay = here.sealer(), here.relay(client)
    await sealer.round()
    assert await relay.round() == 3
    session = await asyncpg.connect(here.place.dsn("postgres"))
    # As a server that starts anew would have it, which no statement may do.
    await session.execute("set session_replication_role = replica")
    await session.execute("update controlplane.chain_head set relayed = 1 where tenant_id = $1", here.tenant)
    await session.close()
    assert await relay.round() == relay.counts.repeated == 2
    assert await positions(jetstream) == [1, 2, 3]
    assert (await here.reconcile(jetstream)).events == 3


@pytest.mark.parametrize("anew", [False, True])
async def test_after_a_restore_new_events_are_published_where_lost_ones_stood(
    here: Sealing, client: Connected, jetstream: JetStreamContext, anew: bool
) -> None:
    """The stream still has the lost ones, which are reported, and no message of what an event was before."""
    left = await here.writer.write(here.tenant, 2)
    sealer, relay = here.sealer(), here.relay(client)
    await sealer.round()
    lost = await here.writer.write(here.tenant)
    waiting = await here.writer.write(here.tenant)
    again = await here.writer.write(here.tenant)
    await sealer.round()
    await sealer.finish()
    assert await relay.round() == 5
    if anew:
        await relay.finish()
        relay = here.relay(client)
    await set_back(here, 1, waiting=[*waiting, *again])
    assert await here.sealer().round() == await relay.round() == 0
    await here.resuming().resume(here.tenant, by="user:ann", reason="a disk was lost")
    new = await here.writer.write(here.tenant)
    sealer = here.sealer()
    while await sealer.round():
        pass
    await sealer.finish()
    while not await relay.round():
        pass
    await relay.forget()
    told = here.store.read(here.tenant)[2].hash
    order = [*left, *waiting, *again, UUID(bytes=told[:16]), *new]
    assert await here.places() == list(enumerate(order, 1))
    leaves = await here.writer.connection.fetch("select position, leaf from controlplane.sealed_event")
    messages = {(one.position, one.event.id, one.leaf) for _, _, one in await stream_of(jetstream)}
    assert messages >= {(row["position"], order[row["position"] - 1], row["leaf"].hex()) for row in leaves}
    found = await here.reconcile(jetstream)
    assert (found.missing, found.stale) == ([], [])
    unknown = [one for sequence, _, one in await stream_of(jetstream) if sequence in found.unknown]
    assert [one.event.id for one in unknown] == [*lost, *waiting, *again]


async def test_an_event_that_is_sealed_anew_at_its_place_is_published_anew(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    """Its id and its position are what they were, and the stream would take the new message for a repetition."""
    await here.writer.write(here.tenant)
    sealer, relay = here.sealer(), here.relay(client)
    await sealer.round()
    (waiting,) = await here.writer.write(here.tenant)
    await sealer.round()
    await sealer.finish()
    assert await relay.round() == 2
    ((_, _, before),) = [one for one in await stream_of(jetstream) if one[2].position == 2]
    await set_back(here, 1, waiting=[waiting])
    await here.resuming().resume(here.tenant, by="user:ann", reason="a disk was lost")
    sealer = here.sealer()
    while await sealer.round():
        pass
    while not await relay.round():
        pass
    await relay.forget()
    assert relay.counts.erased == 1
    ((_, _, after),) = [one for one in await stream_of(jetstream) if one[2].position == 2]
    assert after.event == before.event
    assert after.leaf != before.leaf
    assert (await here.reconcile(jetstream)).agree


async def test_a_stale_relay_cannot_move_the_mark(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    await here.writer.write(here.tenant)
    sealer = here.sealer()
    await sealer.round()
    first, second = here.relay(client), here.relay(client)
    assert await first.round() == 1
    assert await second.round() == 0
    await here.writer.write(here.tenant)
    await sealer.round()
    while await second.round() == 0:
        pass
    await here.writer.write(here.tenant)
    await sealer.round()
    assert await first.round() == 0
    assert first.counts.stale == 1
    assert await second.round() == 1


async def test_a_purged_stream_is_filled_again(here: Sealing, client: Connected, jetstream: JetStreamContext) -> None:
    await here.writer.write(here.tenant, 20)
    await here.sealer().round()
    await here.relay(client).round()
    assert (await here.reconcile(jetstream)).agree
    for sequence in (3, 7):
        await jetstream.delete_msg(EVENTS_STREAM, sequence)
    seen = await here.reconcile(jetstream, repair=False)
    assert (seen.missing, seen.messages) == ([3, 7], 18)
    assert (await here.reconcile(jetstream)).missing == [3, 7]
    assert sorted(await positions(jetstream)) == list(range(1, 21))
    await jetstream.purge_stream(EVENTS_STREAM)
    assert (await here.reconcile(jetstream)).missing == list(range(1, 21))
    assert await positions(jetstream) == list(range(1, 21))
    await jetstream.delete_stream(EVENTS_STREAM)
    assert len((await here.reconcile(jetstream)).missing) == 20
    assert (await here.reconcile(jetstream)).agree


async def test_a_bus_that_dies_in_the_middle_has_everything_in_the_end(
    here: Sealing, bus: Bus, client: Connected, jetstream: JetStreamContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer, relay = here.sealer(), here.relay(client)
    await here.writer.write(here.tenant, 10)
    await sealer.round()
    await relay.round()
    bus.kill()
    await here.writer.write(here.tenant, 10)
    await sealer.round()
    with monkeypatch.context() as patch:
        # Nobody answers, however long one waits.
        patch.setattr(publishing, "ACKNOWLEDGED_SECONDS", 0.5)
        assert await relay.round() == 0
    assert relay.counts.failed == 1
    bus.start()
    while await relay.round() == 0:
        pass
    assert sorted(set(await positions(jetstream))) == list(range(1, 21))
    assert (await here.reconcile(jetstream)).agree


async def test_what_is_no_event_is_reported(here: Sealing, client: Connected, jetstream: JetStreamContext) -> None:
    await here.writer.write(here.tenant, 2)
    await here.sealer().round()
    await here.relay(client).round()
    subject = events_of(here.tenant).replace(">", "control.thing.done")
    tenant, other = here.tenant, uuid4()
    for headers in (
        None,
        {"Parpour-Position": "9", "Parpour-Event": f"{tenant}:{other}"},
        {"Parpour-Position": "1", "Parpour-Event": f"{tenant}:{other}"},
        {"Parpour-Position": "2", "Parpour-Event": f"{other}:{other}"},
        {"Parpour-Position": "x", "Parpour-Event": "x"},
    ):
        await jetstream.publish(subject, b"{}", headers=headers)
    found = await here.reconcile(jetstream)
    assert (sorted(found.unknown), found.missing, found.messages) == ([3, 4, 5, 6, 7], [], 7)


async def test_what_was_erased_leaves_the_stream_and_is_published_as_erased(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    first, *_ = await here.writer.write(here.tenant, 2)
    sealer, relay = here.sealer(), here.relay(client)
    await sealer.round()
    await relay.round()
    async with open_database(here.place.dsn()) as database:
        context = here.place.app.mint(tenant=here.tenant, actor="user:ann")
        assert await erase_payload(database.pool, context, first, reason="she asked for it")
    await sealer.round()
    await relay.round()
    await relay.forget()
    found = await stream_of(jetstream)
    assert [(one.position, one.event.payload is None) for _, _, one in found] == [(2, False), (3, False), (1, True)]
    assert found[1][2].event.type == "controlplane.payload.erased"
    assert found[1][2].event.causation == first
    assert relay.counts.erased == 1
    assert (await here.reconcile(jetstream)).agree


async def test_all_tenants_are_reconciled_and_strangers_named(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    other, stranger = uuid4(), uuid4()
    for tenant in (here.tenant, other):
        await here.writer.write(tenant, 2)
    await here.sealer().round()
    await here.relay(client).round()
    await jetstream.publish(event_subject(tenant=stranger, type="control.thing.done"), b"{}")
    await jetstream.publish("parpour.events.nobody.control.thing.done", b"{}")
    await jetstream.delete_msg(EVENTS_STREAM, 1)
    found = {one.tenant: one async for one in reconcile_all(here.relaying, here.place.relay, jetstream)}
    assert set(found) == {here.tenant, other, stranger}
    assert (found[stranger].events, found[stranger].unknown) == (0, [5])
    assert sorted(len(found[tenant].missing) for tenant in (here.tenant, other)) == [0, 1]
    again = [one async for one in reconcile_all(here.relaying, here.place.relay, jetstream)]
    assert [one.tenant for one in again if not one.agree] == [stranger]


async def test_run_relay_publishes_and_forgets_until_it_is_told_to_stop(here: Sealing, bus: Bus) -> None:
    """It also makes the stream, if there is none."""
    stop, counts = asyncio.Event(), RelayCounts()
    (event,) = await here.writer.write(here.tenant)
    sealer = here.sealer()
    await sealer.round()
    async with (
        connected(bus) as client,
        open_database(here.place.dsn("parpour_relay"), connections=2) as database,
        open_database(here.place.dsn()) as service,
    ):
        task = asyncio.create_task(
            run_relay(
                database, here.place.relay, client.client, clock=time.time, stop=stop, pace=QUICK_RELAY, counts=counts
            )
        )
        await until(lambda: counts.events == 1)
        context = here.place.app.mint(tenant=here.tenant, actor="user:ann")
        assert await erase_payload(service.pool, context, event, reason="she asked for it")
        await sealer.round()
        await until(lambda: counts.erased == 1)
        stop.set()
        assert await task == RelayCounts(events=2, erased=1)
        assert {one.event.payload is None for _, _, one in await stream_of(client.jetstream)} == {True, False}
        assert (await here.reconcile(client.jetstream)).agree


async def test_a_stream_that_takes_no_batches_has_everything_too(here: Sealing, bus: Bus) -> None:
    await here.writer.write(here.tenant, 300)
    await here.sealer().round()
    async with connected(bus) as client:
        await client.jetstream.add_stream(name=EVENTS_STREAM, subjects=[EVENTS_FILTER])
        await ensure_stream(client.jetstream)
        relay = here.relay(client)
        await relay.round()
        assert (relay.counts.events, relay.counts.failed) == (300, 0)
        assert sorted(await positions(client.jetstream)) == list(range(1, 301))
        assert (await here.reconcile(client.jetstream)).agree


async def test_a_message_that_is_too_large_hinders_its_own_tenant_alone(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    transaction = await here.writer.begin(here.tenant)
    await here.writer.event(here.tenant, payload='{"a": "' + "x" * 1_100_000 + '"}')
    await transaction.commit()
    others = [uuid4() for _ in range(3)]
    for tenant in others:
        await here.writer.write(tenant, 2)
    await here.sealer().round()
    relay = here.relay(client)
    assert await relay.round() == 6
    assert relay.counts.failed == 1
    assert "MaxPayloadError" in relay.counts.last_error
    assert {one.event.tenant for _, _, one in await stream_of(jetstream)} == set(others)


async def test_many_tenants_are_each_published_in_their_order(
    here: Sealing, client: Connected, jetstream: JetStreamContext
) -> None:
    tenants = [uuid4() for _ in range(40)]
    for _ in range(2):
        for tenant in tenants:
            await here.writer.write(tenant, 3)
        await here.sealer(pace=SealingPace(lease=0.0, sign=0.0)).round()
    relay = here.relay(client)
    assert await relay.round() == 240
    found = await stream_of(jetstream)
    for tenant in tenants:
        assert [one.position for _, _, one in found if one.event.tenant == tenant] == [1, 2, 3, 4, 5, 6]
    assert (relay.counts.repeated, relay.counts.failed) == (0, 0)
