"""The ledger: durable transfers a second, batched and not, on one hot account and on many; latencies, bytes, growth.

`python -m bench.bench_treasury [--json] [--rounds N] [--seconds S] [--journals N] [--pgledger FOLDER]` (`make
bench-treasury`; with PGLEDGER=FOLDER, a checkout of github.com/pgr0ss/pgledger runs beside it). Everything is on:
durable commits, every invariant, row-level security, foreign keys, events, idempotency keys. Peers run in the same
server and the same rounds. One is an application with these duties that does not batch, in this language with this
driver; the others do less, and pgbench drives them, so that their client costs them nothing. The clients of our ledger,
its batcher and PostgreSQL share the machine's cores, so what is measured is the whole and not the database alone.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import re
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from bench.measure import Figure, figure, ratios, report
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import EmbeddedCluster, embedded
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.garbage import collect_seldom
from parpour_treasury.testing import Books, new_books

if TYPE_CHECKING:
    from asyncpg import Connection, Record

SQL = Path(__file__).parent / "sql"
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30s",
    "max_connections": "120",
}
"""Durable, with a checkpoint every half minute, so that a run of a minute has some in it."""

ACCOUNTS = 10_000
CLIENTS = 3_000
"""Callers that each wait for their answer before they ask again."""
PEER_CLIENTS = 20
APPLICATION_TENANT = uuid.UUID(int=1)
OPEN_RATE = 1_000
"""Single calls a second, whether or not the ones before were answered."""

GROWTH_ROUNDS = 7

Choose = Callable[[random.Random], tuple[int, int]]


def spread(draw: random.Random) -> tuple[int, int]:
    """Two of all accounts."""
    source = draw.randrange(ACCOUNTS)
    return source + 1, (source + 1 + draw.randrange(ACCOUNTS - 1)) % ACCOUNTS + 1


def hot(draw: random.Random) -> tuple[int, int]:
    """One account pays all others."""
    return 1, 2 + draw.randrange(ACCOUNTS - 1)


@dataclass
class Results:
    """What the rounds gave, by figure."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)
        print(f"  {name}: {value:.4g}", file=sys.stderr)


async def closed_loop(books: Books, choose: Choose, seconds: float) -> float:
    """Transfers a second of many callers."""
    end = time.perf_counter() + seconds
    done = 0

    async def caller(number: int) -> None:
        nonlocal done
        draw = random.Random(number)
        while time.perf_counter() < end:
            source, target = choose(draw)
            (await books.post((source, -1), (target, 1), description="a transfer")).raise_for_refusal()
            done += 1

    begin = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(CLIENTS)))
    return done / (time.perf_counter() - begin)


async def open_loop(books: Books, seconds: float) -> list[float]:
    """Seconds from when a call was due to its answer, at a rate that does not wait for answers."""
    draw = random.Random(1)
    taken: list[float] = []

    async def call(due: float) -> None:
        source, target = spread(draw)
        (await books.post((source, -1), (target, 1))).raise_for_refusal()
        taken.append(time.perf_counter() - due)

    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * OPEN_RATE)):
            due = begin + number / OPEN_RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(call(due))
    return sorted(taken)


async def peer(place: Place, script: str, seconds: float) -> float:
    """Transfers a second of the peer, by pgbench."""
    command = [str(place.cluster.programs.root / "bin" / "pgbench"), "-n", "-M", "prepared", "-c", str(PEER_CLIENTS)]
    command += [
        "-T",
        str(int(seconds)),
        "-f",
        str(SQL / script),
        "-h",
        str(place.cluster.folder),
        "-U",
        "postgres",
        place.name,
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    found = re.search(r"tps = ([0-9.]+)", output.decode())
    if process.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {output.decode()}")
    return float(found[1])


async def application(place: Place, choose: Choose, seconds: float) -> float:
    """Transfers a second of an application with our duties that locks rows and commits each transfer by itself."""
    end = time.perf_counter() + seconds
    done = 0

    async def caller(number: int) -> None:
        nonlocal done
        draw = random.Random(number)
        connection = await asyncpg.connect(place.dsn("application_app"))
        try:
            while time.perf_counter() < end:
                await application_transfer(connection, *choose(draw))
                done += 1
        finally:
            await connection.close()

    begin = time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(PEER_CLIENTS)))
    return done / (time.perf_counter() - begin)


async def application_transfer(connection: Connection[Record], source: int, target: int) -> None:
    """One transfer of one unit, with its journal, legs and event."""
    key, description = uuid.uuid4(), "a transfer"
    digest = hashlib.sha256(f"{source} {target} 1 {description}".encode()).digest()
    async with connection.transaction():
        await connection.execute("select set_config('application.tenant', $1, true)", str(APPLICATION_TENANT))
        locked = "select id, balance from application.account where tenant = $1 and id = any($2) order by id for update"
        balances = {
            row["id"]: row["balance"] for row in await connection.fetch(locked, APPLICATION_TENANT, [source, target])
        }
        journal = await connection.fetchval(
            "insert into application.journal (tenant, key, digest, description) values ($1, $2, $3, $4) returning id",
            APPLICATION_TENANT,
            key,
            digest,
            description,
        )
        legs = [(source, -1, balances[source] - 1), (target, 1, balances[target] + 1)]
        for number, (account, amount, balance) in enumerate(legs):
            await connection.execute(
                "update application.account set balance = $3 where tenant = $1 and id = $2",
                APPLICATION_TENANT,
                account,
                balance,
            )
            await connection.execute(
                "insert into application.leg values ($1, $2, $3, $4, $5, $6, 'USD')",
                APPLICATION_TENANT,
                journal,
                number,
                account,
                amount,
                balance,
            )
        await connection.execute(
            "insert into application.event (tenant, type, payload) values ($1, 'journal.posted', $2)",
            APPLICATION_TENANT,
            json.dumps({"journal": journal, "description": description, "legs": [leg[:2] for leg in legs]}),
        )


def fdatasync_milliseconds(folder: Path, *, times: int = 200) -> float:
    """Median of writing 8 KiB and having it on the disk."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.seek(0)
            file.write(os.urandom(8192))
            file.flush()
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


def server_cpu(cluster: EmbeddedCluster) -> float:
    """CPU seconds of the server's processes that run now."""
    postmaster = (cluster.data / "postmaster.pid").read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # After the name in brackets: state, parent, and from the twelfth on user and system time.
            fields = stat.read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if fields[1] == postmaster else 0
    return ticks / os.sysconf("SC_CLK_TCK")


async def bytes_written(place: Place) -> tuple[int, int]:
    """(in tables and indexes, in the log) so far."""
    connection = await asyncpg.connect(place.dsn("postgres"))
    row = await connection.fetchrow((SQL / "bytes_written.sql").read_text())
    await connection.close()
    assert row is not None
    return int(row["stored"]), int(row["logged"])


async def opened(books: Books) -> Books:
    """Books with their accounts."""
    for first in range(0, ACCOUNTS, 100):
        await asyncio.gather(*(books.open(f"a{number}") for number in range(first, first + 100)))
    return books


async def prepare_pgledger(administrator: Connection[Record], checkout: Path) -> None:
    """Install pgledger beside our books, with as many accounts."""
    for file in (*sorted((checkout / "vendor" / "scoville-pgsql-ulid").glob("*.sql")), checkout / "pgledger.sql"):
        await administrator.execute(file.read_text())
    await administrator.execute((SQL / "pgledger_accounts.sql").read_text())


async def measure(
    postgres: Postgres, *, rounds: int, seconds: float, results: Results, pgledger: Path | None = None
) -> None:
    """All rates and latencies, the cases taking turns."""
    place = await postgres.make_place(MIGRATIONS)
    administrator = await asyncpg.connect(place.dsn("postgres"))
    for peer_ledger in ("naive_ledger.sql", "application_ledger.sql"):
        await administrator.execute((SQL / peer_ledger).read_text())
    if pgledger is not None:
        await prepare_pgledger(administrator, pgledger)
    await administrator.close()
    async with open_database(place.dsn(), connections=4) as database:
        books = await opened(await new_books(database, place.app))
        await closed_loop(books, spread, 2)
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            results.add("fdatasync", fdatasync_milliseconds(postgres.cluster.folder))
            before, number = await bytes_written(place), await last_journal(books)
            cpu = server_cpu(postgres.cluster), time.process_time()
            results.add("batched, spread", await closed_loop(books, spread, seconds))
            after, made = await bytes_written(place), await last_journal(books) - number
            results.add("server", (server_cpu(postgres.cluster) - cpu[0]) / made * 1e6)
            results.add("service", (time.process_time() - cpu[1]) / made * 1e6)
            results.add("stored", (after[0] - before[0]) / made)
            results.add("logged", (after[1] - before[1]) / made)
            results.add("application, spread", await application(place, spread, seconds))
            results.add("naive, spread", await peer(place, "naive_spread.sql", seconds))
            results.add("batched, hot", await closed_loop(books, hot, seconds))
            results.add("application, hot", await application(place, hot, seconds))
            results.add("naive, hot", await peer(place, "naive_hot.sql", seconds))
            for case in ("spread", "hot") if pgledger is not None else ():
                results.add(f"pgledger, {case}", await peer(place, f"pgledger_{case}.sql", seconds))
            taken = await open_loop(books, min(seconds, 20))
            results.add("p50", taken[len(taken) // 2] * 1000)
            results.add("p99", taken[len(taken) * 99 // 100] * 1000)
        faults = await books.ledger.faults(books.context) if await last_journal(books) < 1_000_000 else []
        assert faults == [], faults


async def last_journal(books: Books) -> int:
    """Number of the last journal."""
    async with books.ledger._database.transaction(books.context) as connection:
        return int(await connection.fetchval("select journals from treasury.ledger"))


async def grow(postgres: Postgres, *, journals: int, results: Results) -> None:
    """Milliseconds of one lone command, on books with few journals and on others with many, which take turns.

    The vacuum that a burst leaves to do is done before.
    """
    async with contextlib.AsyncExitStack() as stack:
        both: list[tuple[str, Books]] = []
        for name, wanted in (("lone call, few", 10_000), ("lone call, many", journals)):
            place = await postgres.make_place(MIGRATIONS)
            database = await stack.enter_async_context(open_database(place.dsn(), connections=4))
            books = await opened(await new_books(database, place.app))
            while (missing := wanted - await last_journal(books)) > 0:
                await closed_loop(books, spread, min(20.0, max(0.5, missing / 10_000)))
            administrator = await asyncpg.connect(place.dsn("postgres"))
            await administrator.execute("vacuum analyze")
            await administrator.execute("checkpoint")
            await administrator.close()
            both.append((name, books))
        for _ in range(GROWTH_ROUNDS):
            for name, books in both:
                results.add(name, await lone_calls(books))


async def lone_calls(books: Books) -> float:
    """Median milliseconds of single calls, each after the one before."""
    taken = []
    for number in range(500):
        begin = time.perf_counter()
        await books.post((number + 1, -1), (number + 2, 1))
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken) * 1000


def figures(results: Results) -> list[Figure]:
    """The table's rows."""
    values = results.values
    rows = [figure("fdatasync of 8 KiB, median", "ms", values["fdatasync"])]
    for case in ("spread", "hot"):
        ours = values[f"batched, {case}"]
        dutiful, bare = values[f"application, {case}"], values[f"naive, {case}"]
        rows.append(figure(f"batched, {case}", "transfers/s", ours, at_least=8000))
        rows.append(figure(f"naive with our duties, {case}", "transfers/s", dutiful))
        rows.append(figure(f"batched over naive with our duties, {case}", "times", ratios(ours, dutiful), at_least=5))
        rows.append(figure(f"naive and bare, {case}", "transfers/s", bare))
        rows.append(figure(f"batched over naive and bare, {case}", "times", ratios(ours, bare)))
        if pgledger := values.get(f"pgledger, {case}"):
            rows.append(figure(f"pgledger, {case}", "transfers/s", pgledger))
            rows.append(figure(f"batched over pgledger, {case}", "times", ratios(ours, pgledger)))
    rows.append(figure(f"single calls at {OPEN_RATE}/s, p50", "ms", values["p50"]))
    rows.append(figure(f"single calls at {OPEN_RATE}/s, p99", "ms", values["p99"], at_most=25))
    rows.append(figure("CPU of PostgreSQL, spread", "µs/journal", values["server"]))
    rows.append(figure("CPU of callers and batcher, spread", "µs/journal", values["service"]))
    rows.append(figure("tables and indexes", "bytes/journal", values["stored"]))
    rows.append(figure("log", "bytes/journal", values["logged"]))
    if "lone call, many" in values:
        rows.append(figure("lone call, 10,000 journals, p50", "ms", values["lone call, few"]))
        rows.append(figure("lone call, many journals, p50", "ms", values["lone call, many"]))
        many_over_few = ratios(values["lone call, many"], values["lone call, few"])
        rows.append(figure("many over few", "times", many_over_few, at_most=1.3))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60, help="of each case in each round")
    parser.add_argument("--journals", type=int, default=0, help="also grow books to so many (1000000 for the figure)")
    parser.add_argument("--pgledger", type=Path, metavar="FOLDER", help="a checkout of pgledger, to measure beside")
    options = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}"
    results = Results()
    collect_seldom()  # as the API does
    with embedded(settings=SETTINGS) as cluster:
        postgres = Postgres(cluster)
        asyncio.run(
            measure(
                postgres, rounds=options.rounds, seconds=options.seconds, results=results, pgledger=options.pgledger
            )
        )
        if options.journals:
            asyncio.run(grow(postgres, journals=options.journals, results=results))
    report("The ledger", figures(results), as_json=options.json, load_before=load)


if __name__ == "__main__":
    main()
