"""Events after their commit: how long until they are sealed and published, and how many a second can be.

`python -m bench.bench_events [--json] [--rounds N] [--seconds S]` (`make bench-events`). PostgreSQL commits durably and
NATS acknowledges what is on the disk (`sync_interval: always`). Writers, sealer, relay and both servers share the
machine's cores. Latency counts from the answer to the commit, in an open loop: writers wait for nothing after it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg
import nats
from nats.aio.client import Client

from bench.bench_treasury import SETTINGS, Results, fdatasync_milliseconds
from bench.measure import Figure, figure, report
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import embedded
from parpour_controlplane.migrations import CONTROL_PLANE
from parpour_controlplane.relaying.publishing import BATCH, COMMIT, EVENT, ensure_stream
from parpour_controlplane.relaying.relay import Relay, run_relay
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.sealer import Sealer, run_sealer
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import Bus, Place, Postgres, free_port

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SQL = Path(__file__).parent / "sql"
RATE = 2_000
"""Events a second."""
AT_ONCE = 20
"""Events of one commit."""
TENANTS = 50
IDLE = 5_000
"""Tenants that had an event and have none now."""
BACKLOG = 100_000
"""Events that wait when the rate is measured."""

WRITE = (SQL / "write_events.sql").read_text()
KEYS = SigningKeys((SigningKey(bytes(32)),))


def now() -> datetime:
    return datetime.now(UTC)


async def write(connection: Connection[Record], tenant: UUID, events: list[UUID]) -> None:
    """One commit of a tenant."""
    async with connection.transaction():
        await connection.execute("set local role parpour_owner")
        await connection.execute("select set_config('parpour.tenant', $1, true)", str(tenant))
        await connection.execute(WRITE, tenant, events)


class Watched:
    """A pool, or client and stream in one, that notes when the database or the stream has an event."""

    def __init__(self, target: Any, seen: dict[str, float]) -> None:
        self._target = target
        self._seen = seen
        self._batches: dict[str | None, list[str]] = {}
        self._more = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        if hasattr(self._target, name):
            return getattr(self._target, name)
        return getattr(self._target.jetstream(), name)

    @property
    def pool(self) -> Watched:
        return self

    def jetstream(self) -> Watched:
        return self

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        answer = await self._target.fetchval(query, *arguments)
        if "seal_block" in query:
            self._seen.update(dict.fromkeys(map(str, arguments[13]), time.perf_counter()))
        return answer

    async def publish(self, subject: str, body: bytes, **options: Any) -> Any:
        """A part of a batch, which is there when the last one is, or a message that is acknowledged by itself."""
        headers = options["headers"]
        batch = self._batches.setdefault(headers.get(BATCH), [])
        batch.append(headers[EVENT].partition(":")[2])
        if BATCH in headers and COMMIT not in headers:
            return await self._target.publish(subject, body, **options)
        answer = await self._target.jetstream().publish(subject, body, **options)
        self._seen.update(dict.fromkeys(self._batches.pop(headers.get(BATCH)), time.perf_counter()))
        self._more.set()
        return answer

    async def has(self, count: int) -> None:
        """Wait until so many events were seen."""
        while len(self._seen) < count:
            self._more.clear()
            await self._more.wait()


async def latencies(place: Place, client: Client, folder: Path, seconds: float, results: Results) -> None:
    """Seconds from commit to sealed and to published, at a rate that waits for nothing."""
    committed: dict[str, float] = {}
    sealed: dict[str, float] = {}
    published: dict[str, float] = {}
    stop = asyncio.Event()
    tenants = [uuid4() for _ in range(TENANTS)]
    writers = [await asyncpg.connect(place.dsn("postgres")) for _ in range(4)]
    free = asyncio.Queue[Any]()
    for writer in writers:
        free.put_nowait(writer)

    async def commit(turn: int) -> None:
        events = [uuid4() for _ in range(AT_ONCE)]
        connection = await free.get()
        await write(connection, tenants[turn % TENANTS], events)
        free.put_nowait(connection)
        committed.update(dict.fromkeys(map(str, events), time.perf_counter()))

    async with open_database(place.dsn("parpour_sealer")) as one, open_database(place.dsn("parpour_relay")) as two:
        sealer = asyncio.create_task(
            run_sealer(
                Watched(one.pool, sealed),  # type: ignore[arg-type]
                place.sealer,
                KEYS,
                FolderStore(folder),
                clock=now,
                random=os.urandom,
                stop=stop,
            )
        )
        watched: Any = Watched(client, published)
        relay = asyncio.create_task(run_relay(two, place.relay, watched, clock=time.time, stop=stop))
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for turn in range(int(seconds * RATE / AT_ONCE)):
                await asyncio.sleep(max(0.0, begin + turn * AT_ONCE / RATE - time.perf_counter()))
                group.create_task(commit(turn))
        rate = len(committed) / (time.perf_counter() - begin)
        async with asyncio.timeout(60):
            await watched.has(len(committed))
        stop.set()
        done = (await sealer, await relay)
    for connection in writers:
        await connection.close()
    assert len(published) == len(committed), done
    results.add("rate", rate)
    for name, seen in (("sealed", sealed), ("published", published)):
        taken = sorted(max(0.0, seen[event] - at) for event, at in committed.items())
        results.add(f"{name} p50", taken[len(taken) // 2] * 1000)
        results.add(f"{name} p99", taken[len(taken) * 99 // 100] * 1000)


async def backlog(place: Place, client: Client, folder: Path, results: Results) -> None:
    """Events a second that are sealed, and then published, when many wait."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    tenants = [uuid4() for _ in range(TENANTS)]
    for turn in range(BACKLOG // 1000):
        await write(connection, tenants[turn % TENANTS], [uuid4() for _ in range(1000)])
    await connection.close()
    async with open_database(place.dsn("parpour_sealer")) as one, open_database(place.dsn("parpour_relay")) as two:
        sealer = Sealer(one.pool, place.sealer, KEYS, FolderStore(folder), clock=now, random=os.urandom)
        begin = time.perf_counter()
        while await sealer.round():
            pass
        results.add("sealing", sealer.counts.events / (time.perf_counter() - begin))
        await sealer.finish()
        relay = Relay(two.pool, place.relay, client, client.jetstream(timeout=10), clock=time.time)
        begin = time.perf_counter()
        while await relay.round():
            pass
        results.add("publishing", relay.counts.events / (time.perf_counter() - begin))
        assert (sealer.counts.events, relay.counts.events) == (BACKLOG, BACKLOG)


async def idle(place: Place, folder: Path, results: Results) -> None:
    """Milliseconds of a round in which nobody of many tenants has anything."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    for _ in range(IDLE):
        await write(connection, uuid4(), [uuid4()])
    await connection.close()
    async with open_database(place.dsn("parpour_sealer")) as database:
        sealer = Sealer(database.pool, place.sealer, KEYS, FolderStore(folder), clock=now, random=os.urandom)
        begin = time.perf_counter()
        while await sealer.round():
            pass
        results.add("tenants", IDLE / (time.perf_counter() - begin))
        begin = time.perf_counter()
        for _ in range(100):
            await sealer.round()
        results.add("idle", (time.perf_counter() - begin) * 10)


async def measure(postgres: Postgres, folder: Path, *, rounds: int, seconds: float, results: Results) -> None:
    """All cases, in a database and a stream of their own each round."""
    for turn in range(rounds):
        print(f"round {turn + 1} of {rounds}", file=sys.stderr)
        place = await postgres.make_place(CONTROL_PLANE)
        bus = Bus(Path(tempfile.mkdtemp(dir=folder)), free_port())
        bus.start()
        try:
            client = await nats.connect(bus.url)
            await ensure_stream(client.jetstream())
            results.add("fdatasync", fdatasync_milliseconds(folder))
            await latencies(place, client, bus.folder / "checkpoints", seconds, results)
            await backlog(place, client, bus.folder / "checkpoints", results)
            await idle(place, bus.folder / "checkpoints", results)
            await client.close()
        finally:
            bus.kill()


def figures(results: Results) -> list[Figure]:
    """The table's rows."""
    values = results.values
    return [
        figure("fdatasync of 8 KiB, median", "ms", values["fdatasync"]),
        figure("events committed", "events/s", values["rate"]),
        figure("commit to sealed, p50", "ms", values["sealed p50"]),
        figure("commit to sealed, p99", "ms", values["sealed p99"], at_most=1000),
        figure("commit to published, p50", "ms", values["published p50"]),
        figure("commit to published, p99", "ms", values["published p99"], at_most=2000),
        figure("sealed, of a backlog", "events/s", values["sealing"], at_least=2000),
        figure("published, of a backlog", "events/s", values["publishing"], at_least=2000),
        figure("sealed, tenants with one event each", "tenants/s", values["tenants"]),
        figure(f"a round with {IDLE} idle tenants", "ms", values["idle"]),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=30, help="of writing in each round")
    options = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}"
    results = Results()
    with embedded(settings=SETTINGS) as cluster, tempfile.TemporaryDirectory() as folder:
        measured = measure(
            Postgres(cluster), Path(folder), rounds=options.rounds, seconds=options.seconds, results=results
        )
        asyncio.run(measured)
    report("Events after their commit", figures(results), as_json=options.json, load_before=load)


if __name__ == "__main__":
    main()
