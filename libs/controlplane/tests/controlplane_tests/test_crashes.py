"""Sealer and relay are killed at every effect they have, before it and after it, and what follows them loses nothing.

The list of crash points is not written down: the test walks it, one effect further each time, until a run has no more.
A crash before an effect leaves it undone, one after it leaves it done and unanswered, as a kill in between does.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.js.client import JetStreamContext

from parpour_controlplane.database import open_database
from parpour_controlplane.events import erase_payload
from parpour_controlplane.relaying.publishing import ensure_stream
from parpour_controlplane.relaying.relay import RelayPace
from parpour_controlplane.sealing.sealer import SealingPace
from parpour_controlplane.testing import RELAY_KEY, SEALER_KEY, Bus, Place

from .sealing_of import Connected, Sealing, connected, sealing, stream_of

pytestmark = pytest.mark.anyio


class Killed(BaseException):
    """What stands for the end of the process."""


class Fuse:
    """Counts effects, and blows at one of them."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at = at
        self.after = after
        self.effects: list[str] = []

    @property
    def blown(self) -> bool:
        return len(self.effects) >= self.at

    def wrap(self, target: Any, *names: str) -> Any:
        """The target, with these methods counted; a dead process has no further effects."""
        fuse = self

        class Wrapped:
            def __getattr__(self, name: str) -> Any:
                method = getattr(target, name)
                if name not in names:
                    return method
                return fuse.counted(method) if asyncio.iscoroutinefunction(method) else fuse.counted_at_once(method)

        return Wrapped()

    def count(self, what: object) -> bool:
        """Note an effect; True if the process dies at it."""
        if self.blown:
            raise Killed
        self.effects.append(str(what))
        return self.blown

    def counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*arguments: Any, **options: Any) -> Any:
            dies = self.count(arguments[0])
            if dies and not self.after:
                raise Killed
            result = await method(*arguments, **options)
            if dies:
                raise Killed
            return result

        return call

    def counted_at_once(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            dies = self.count(f"{method.__name__} {arguments[0]}")
            if dies and not self.after:
                raise Killed
            result = method(*arguments, **options)
            if dies:
                raise Killed
            return result

        return call


WITHOUT_LEASE = SealingPace(look=0.0, lease=0.0, sign=0.0, rest=0.0)
RELAY_WITHOUT_LEASE = RelayPace(look=0.0, lease=0.0, rest=0.0)
CALLS = ("fetch", "fetchrow", "fetchval")


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


async def until_killed(act: Callable[[], Any]) -> bool:
    """Whether it was killed."""
    killed = False
    try:
        await act()
    except* Killed:  # in a group or not
        killed = True
    return killed


async def assert_whole(here: Sealing, written: list[Any]) -> None:
    """Every committed event is sealed once, without gaps, and the chain verifies to its end."""
    places = await here.places()
    assert [position for position, _ in places] == list(range(1, len(written) + 1))
    assert sorted(str(event) for _, event in places) == sorted(map(str, written))
    assert (await here.verify()).events == len(written)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_sealer_killed_at_any_effect_leaves_nothing_out(here: Sealing, after: bool) -> None:
    written = []
    points: list[str] = []
    for at in itertools.count(1):
        fuse = Fuse(at, after=after)
        killed = here.sealer(calls=fuse.wrap(here.pool, *CALLS), store=fuse.wrap(here.store, "put"), pace=WITHOUT_LEASE)

        async def work(sealer: Any = killed) -> None:
            for _ in range(2):
                written.extend(await here.writer.write(here.tenant, 2))
                await sealer.round()
            await sealer.finish()

        was_killed = await until_killed(work)
        points = fuse.effects
        restarted = here.sealer(pace=WITHOUT_LEASE)
        while await restarted.round():
            pass
        await restarted.finish()
        await assert_whole(here, written)
        if not was_killed:
            break
    counted = ("take_chain", "head_root", "unsealed_events", "seal_block", "put", "note_signed", "release_chain")
    assert [sum(name in point for point in points) for name in counted] == [1, 1, 2, 2, 2, 2, 1]
    assert len(points) == 13


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_relay_killed_at_any_effect_leaves_nothing_out(here: Sealing, bus: Bus, after: bool) -> None:
    sealer = here.sealer(pace=WITHOUT_LEASE)
    written = []
    async with connected(bus) as client:
        await ensure_stream(client.jetstream)
        for at in itertools.count(1):
            written += await here.writer.write(here.tenant, 3)
            await sealer.round()
            fuse = Fuse(at, after=after)
            dying = Connected(fuse.wrap(client.client, "publish"), fuse.wrap(client.jetstream, "publish"))
            killed = relay_of(here, dying, calls=fuse.wrap(here.relaying, *CALLS))

            async def work(relay: Any = killed) -> None:
                while await relay.round():
                    pass
                await relay.finish()

            was_killed = await until_killed(work)
            restarted = relay_of(here, client)
            while await restarted.round():
                pass
            await restarted.finish()
            await assert_published(here, client.jetstream, written)
            if not was_killed:
                break
        counted = ("take_relay", "parpour.events", "advance_relay", "release_relay")
        assert [sum(name in point for point in fuse.effects) for name in counted] == [1, 3, 1, 1]


def relay_of(here: Sealing, bus: Connected, **options: Any) -> Any:
    return here.relay(bus, pace=RELAY_WITHOUT_LEASE, **options)


async def assert_published(here: Sealing, jetstream: JetStreamContext, written: list[Any]) -> None:
    """The stream has every sealed event, by one id each."""
    found = await stream_of(jetstream)
    names = {(published.event.id, published.position, headers["Parpour-Event"]) for _, headers, published in found}
    places = await here.places()
    assert names == {(event, position, f"{here.tenant}:{event}") for position, event in places}
    assert {headers["Nats-Msg-Id"] for _, headers, _ in found} == {f"{here.tenant}:{event}" for event in written}
    assert (await here.reconcile(jetstream)).agree


async def test_an_erasure_that_is_cut_off_is_finished_by_the_reconciler(here: Sealing, bus: Bus) -> None:
    sealer = here.sealer(pace=WITHOUT_LEASE)
    async with connected(bus) as client, open_database(here.place.dsn()) as database:
        await ensure_stream(client.jetstream)
        for after, at in itertools.product((False, True), range(1, 9)):
            (event,) = await here.writer.write(here.tenant)
            await sealer.round()
            relay = relay_of(here, client)
            await relay.round()
            context = here.place.app.mint(tenant=here.tenant, actor="user:ann")
            assert await erase_payload(database.pool, context, event, reason="asked for")
            await sealer.round()
            fuse = Fuse(at, after=after)
            dying = Connected(fuse.wrap(client.client, "publish"), fuse.wrap(client.jetstream, "publish", "delete_msg"))
            killed = relay_of(here, dying, calls=fuse.wrap(here.relaying, *CALLS))

            async def work(relay: Any = killed) -> None:
                await relay.round()
                await relay.forget()

            await until_killed(work)
            await relay_of(here, client).round()
            await here.reconcile(client.jetstream)
            copies = [one.event.payload for _, _, one in await stream_of(client.jetstream) if one.event.id == event]
            assert copies
            assert set(map(str, copies)) == {"None"}
            assert (await here.reconcile(client.jetstream)).agree


PROCESS = """
    import asyncio, os, sys, time
    from datetime import UTC, datetime
    from pathlib import Path
    import nats
    from parpour_controlplane.chain.checkpoints import SigningKey
    from parpour_controlplane.context import ContextKey, ContextMint
    from parpour_controlplane.database import open_database
    from parpour_controlplane.relaying.relay import RelayPace, run_relay
    from parpour_controlplane.sealing.keys import SigningKeys
    from parpour_controlplane.sealing.sealer import SealingPace, run_sealer
    from parpour_controlplane.sealing.stores import FolderStore

    async def main(sealing, relaying, sealer, relay, folder, bus):
        def mint(role, secret):
            return ContextMint(ContextKey("test-" + role[8:], role, bytes.fromhex(secret)), clock=time.time)

        client = await nats.connect(bus)
        stop = asyncio.Event()
        async with open_database(sealing) as one, open_database(relaying) as two:
            await asyncio.gather(
                run_sealer(one, mint("parpour_sealer", sealer), SigningKeys((SigningKey(bytes([1]) * 32),)),
                    FolderStore(Path(folder)), clock=lambda: datetime.now(UTC), random=os.urandom, stop=stop,
                    pace=SealingPace(look=0.01, lease=0.1, sign=0.02, rest=0.0, block_events=20)),
                run_relay(two, mint("parpour_relay", relay), client, clock=time.time, stop=stop,
                    pace=RelayPace(look=0.01, lease=0.1, rest=0.0, page=20)),
            )

    asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.long
async def test_processes_that_are_killed_again_and_again_leave_nothing_out(here: Sealing, bus: Bus) -> None:
    arguments = [
        here.place.dsn("parpour_sealer"),
        here.place.dsn("parpour_relay"),
        SEALER_KEY.secret.hex(),
        RELAY_KEY.secret.hex(),
        str(here.store.folder),
        bus.url,
    ]
    written: list[Any] = []

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROCESS), *arguments])

    process = start()
    for turn in range(8):
        end = asyncio.get_running_loop().time() + 1.5 + 0.13 * turn
        while asyncio.get_running_loop().time() < end:
            written += await here.writer.write(here.tenant, 5)
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = start()
    async with connected(bus) as client:
        for _ in range(300):
            await asyncio.sleep(0.1)
            if await here.writer.connection.fetchval("select min(relayed) from controlplane.chain_head") == len(
                written
            ):
                break
        process.kill()
        process.wait()
        await asyncio.sleep(0.1)
        sealer = here.sealer()
        await sealer.round()
        await sealer.finish()
        await assert_whole(here, written)
        await assert_published(here, client.jetstream, written)
