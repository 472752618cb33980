"""The spending authority: decisions a second when saturated, and how long one takes at a steady rate.

`python -m bench.bench_spending [--json] [--rounds N] [--seconds S]` (`make bench-spending`). Every decision is granted
and reserves money: rules with limits at three levels, two windows, approval tiers, a reserve; durable commits, all
invariants, row-level security, events, recorded facts. Callers, service and PostgreSQL share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from itertools import count

import uvloop

from bench.bench_treasury import SETTINGS, Results, fdatasync_milliseconds, server_cpu
from bench.measure import Figure, figure, report
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import embedded
from parpour_controlplane.testing import Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.garbage import collect_seldom
from parpour_treasury.spending.rules import RuleBook, Window
from parpour_treasury.spending.testing import AGENT, RULES, Venture, new_venture

CLIENTS = 600
"""Callers that each wait for their answer before they ask again."""

OPEN_RATE = 300
"""Requests a second, whether or not the ones before were answered."""

PLENTY = 10**12
"""Minor units: nothing runs out."""

_KEYS = count()


def generous() -> RuleBook:
    """Rules of every sort, none of which stops a request for one cent."""
    windows = tuple(
        Window(name=scope, scope=scope, currency="USD", seconds=seconds, most_count=10**6, most_total=PLENTY)
        for scope, seconds in (("agent", 3600), ("payee", 86_400))
    )
    tiers = tuple(one.model_copy(update={"above": PLENTY}) for one in RULES.tiers)
    return RULES.model_copy(update={"windows": windows, "tiers": tiers})


async def ask(venture: Venture) -> None:
    """One decision."""
    outcome = await venture.authority.submit(venture.tenant, AGENT, venture.asking(1, key=f"bench-{next(_KEYS)}"))
    outcome.raise_for_refusal()


async def closed_loop(venture: Venture, seconds: float) -> float:
    """Decisions a second of many callers."""
    end = time.perf_counter() + seconds
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await ask(venture)
            done += 1

    begin = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - begin)


async def open_loop(venture: Venture, seconds: float) -> list[float]:
    """Seconds from when a request arrived to its answer, at a rate that does not wait for answers.

    Requests come from a thread, as they would from a socket: timers of an event loop are up to a millisecond late.
    """
    taken: list[float] = []
    loop = asyncio.get_running_loop()
    calls: list[asyncio.Task[None]] = []

    async def call(arrived: float) -> None:
        await ask(venture)
        taken.append(time.perf_counter() - arrived)

    def arrive(arrived: float) -> None:
        calls.append(loop.create_task(call(arrived)))

    def send() -> None:
        begin = time.perf_counter()
        for number in range(int(seconds * OPEN_RATE)):
            due = begin + number / OPEN_RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            loop.call_soon_threadsafe(arrive, due)

    await asyncio.to_thread(send)
    await asyncio.gather(*calls)
    return sorted(taken)


async def measure(postgres: Postgres, *, rounds: int, seconds: float, results: Results) -> None:
    """All rates and latencies, the cases taking turns."""
    place = await postgres.make_place(MIGRATIONS)
    async with open_database(place.dsn(), connections=4) as database:
        venture = await new_venture(database, place, rules=generous(), funds=PLENTY, cap=PLENTY)
        await closed_loop(venture, 2)
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            results.add("fdatasync", fdatasync_milliseconds(postgres.cluster.folder))
            cpu, begin = (server_cpu(postgres.cluster), time.process_time()), next(_KEYS)
            results.add("saturated", await closed_loop(venture, seconds))
            made = next(_KEYS) - begin
            results.add("server", (server_cpu(postgres.cluster) - cpu[0]) / made * 1e6)
            results.add("service", (time.process_time() - cpu[1]) / made * 1e6)
            taken = await open_loop(venture, seconds)
            results.add("p50", taken[len(taken) // 2] * 1000)
            results.add("p99", taken[len(taken) * 99 // 100] * 1000)
        assert await venture.faults() == []


def figures(results: Results) -> list[Figure]:
    """The table's rows."""
    values = results.values
    return [
        figure("fdatasync of 8 KiB, median", "ms", values["fdatasync"]),
        figure("decisions, saturated", "decisions/s", values["saturated"], at_least=1500),
        figure(f"one decision at {OPEN_RATE}/s, p50", "ms", values["p50"], at_most=5),
        figure(f"one decision at {OPEN_RATE}/s, p99", "ms", values["p99"]),
        figure("CPU of PostgreSQL, saturated", "µs/decision", values["server"]),
        figure("CPU of callers and service, saturated", "µs/decision", values["service"]),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20, help="of each case in each round")
    options = parser.parse_args(arguments)
    load = f"{os.getloadavg()[0]:.1f}"
    results = Results()
    collect_seldom()  # as the API does
    # The API's event loop.
    with embedded(settings=SETTINGS) as cluster, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(Postgres(cluster), rounds=options.rounds, seconds=options.seconds, results=results))
    report("The spending authority", figures(results), as_json=options.json, load_before=load)


if __name__ == "__main__":
    main()
