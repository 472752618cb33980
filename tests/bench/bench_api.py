"""The tenant API: requests a second of one worker, end to end, with the database on every request.

`python -m bench.bench_api [--json] [--rounds N] [--seconds S]` (`make bench-api`). The worker is a process as it runs
in production: uvicorn, tokens, limits (their rates raised), a log line a request. The load generator keeps a number of
connections busy over bare sockets, in this process; PostgreSQL, worker and generator share the machine's cores, so the
worker's own CPU a request is told beside the rate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.bench_spending import PLENTY, generous
from bench.measure import Figure, figure, report
from harness.api_server import Served, serving
from parpour_controlplane.database import open_database
from parpour_controlplane.embedded import embedded
from parpour_controlplane.testing import Place, Postgres
from parpour_treasury import MIGRATIONS
from parpour_treasury.books import Kind
from parpour_treasury.spending.testing import new_venture
from parpour_treasury.testing import Books, new_books

SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "120"}
CONNECTIONS = 32
"""Clients that each wait for their answer before they ask again."""
JOURNALS = 2_000
RAISED = {
    f"PARPOUR_API_{who}_POINTS_{what}": "1000000000"
    for who in ("PRINCIPAL", "TENANT")
    for what in ("A_SECOND", "BURST")
}

ACCOUNT = '{ account(id: "1") { id code balance { amount currency } available { amount } } }'
PAGE = (
    "{ journals(last: 20) { nodes { number description legs { side amount { amount currency } account { code } } } } }"
)
POST = """mutation($key: String!) { postJournal(key: $key, legs: [
    {account: "1", side: CREDIT, amount: "0.01", currency: "USD"},
    {account: "2", side: DEBIT, amount: "0.01", currency: "USD"}]) {
    ... on PostedJournal { journal { number } } ... on Refusal { code } } }"""


SPEND = """mutation($key: String!, $spend: SpendInput!) { requestSpend(key: $key, spend: $spend) {
    ... on RequestedSpend { spend { id state digest } } ... on RefusedSpend { code } ... on Refusal { code } } }"""
SPENDS = "{ spends(last: 20) { nodes { state purpose amount { amount } envelope { code } payee { name } } } }"


@dataclass
class Results:
    """What the rounds gave, by figure."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)
        print(f"  {name}: {value:.4g}", file=sys.stderr)


def post(token: str, path: str, document: dict[str, Any], more: str = "") -> bytes:
    """A POST of JSON as bytes."""
    body = json.dumps(document).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n{more}"
        f"content-type: application/json\r\naccept: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def request(token: str, query: str, variables: dict[str, Any] | None = None) -> bytes:
    """A GraphQL request as bytes."""
    return post(token, "/graphql", {"query": query, "variables": variables or {}})


async def answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, lower = head[9:12], head.lower()
    place = lower.index(b"content-length: ") + 16
    body = await reader.readexactly(int(head[place : head.index(b"\r", place)]))
    if status not in (b"200", b"201") or b'"errors"' in body or (b'"code":"' in body and b"Refusal" in body):
        raise RuntimeError(f"{status!r} {body[:300]!r}")
    return body


async def load(served: Served, make: Callable[[], bytes], seconds: float) -> tuple[float, list[float]]:
    """Answers a second, and how many seconds each took."""
    host, port = served.url.removeprefix("http://").split(":")
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        while (begin := time.perf_counter()) < end:
            writer.write(make())
            await answer(reader)
            taken.append(time.perf_counter() - begin)
        writer.close()

    begin = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return len(taken) / (time.perf_counter() - begin), sorted(taken)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def prepared(place: Place) -> UUID:
    """A tenant with some books."""
    async with open_database(place.dsn(), connections=4) as database:
        books: Books = await new_books(database, place.app)
        await books.open("assets:bank:usd", minimum=0)
        await books.open("expenses:spending:usd", Kind.EXPENSE)
        await books.open("equity:funding:usd", Kind.EQUITY)
        await books.post((1, 10**12), (3, -(10**12)))
        for _ in range(JOURNALS // 500):
            await asyncio.gather(*(books.post((1, -100), (2, 100), description="a journal") for _ in range(500)))
        return books.tenant


async def spending(place: Place) -> tuple[UUID, dict[str, str]]:
    """A venture that spends, and what is asked of it again and again."""
    async with open_database(place.dsn(), connections=4) as database:
        venture = await new_venture(database, place, rules=generous(), funds=PLENTY, cap=PLENTY)
        asked = {"envelope": str(venture.ads), "payee": str(venture.shop), "amount": "0.01", "currency": "USD"}
        return venture.tenant, {**asked, "purpose": "banners"}


def measure(place: Place, folder: Path, *, rounds: int, seconds: float, results: Results) -> None:
    """All rates, the cases taking turns."""
    tenant = asyncio.run(prepared(place))
    spender, asked = asyncio.run(spending(place))
    keys = count()
    with serving(place, folder, **RAISED) as served:
        token = served.token(tenant, "owner")
        account, page, me = request(token, ACCOUNT), request(token, PAGE), request(token, "{ me { actor } }")
        run, owner = uuid4().hex, served.token(spender, "owner")
        spends = request(owner, SPENDS)

        def key() -> str:
            return f"{run}-{next(keys)}"

        cases: dict[str, Callable[[], bytes]] = {
            "account": lambda: account,
            "page": lambda: page,
            "me": lambda: me,
            "post": lambda: request(token, POST, {"key": key()}),
            "spend": lambda: post(owner, "/v1/spends", asked, f"idempotency-key: {key()}\r\n"),
            "mutation": lambda: request(owner, SPEND, {"key": key(), "spend": asked}),
            "spends": lambda: spends,
        }
        for make in cases.values():
            asyncio.run(load(served, make, 1))
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            for name, make in cases.items():
                cpu = cpu_seconds(served.process.pid)
                rate, taken = asyncio.run(load(served, make, seconds))
                results.add(f"{name}, rate", rate)
                results.add(f"{name}, p50", statistics.median(taken) * 1000)
                results.add(f"{name}, p99", taken[len(taken) * 99 // 100] * 1000)
                results.add(f"{name}, cpu", (cpu_seconds(served.process.pid) - cpu) / len(taken) * 1e6)


NAMES = {
    "account": "query of an account and its balance",
    "page": "query of 20 journals with legs and accounts",
    "me": "query that needs no database",
    "post": "mutation that posts a journal",
    "spend": "spend request over plain HTTP, to its reservation",
    "mutation": "spend request over GraphQL, to its reservation",
    "spends": "query of 20 spends with envelopes and payees",
}


GOALS = {"account": 800, "spend": 300, "mutation": 300}
"""Requests a second, at least."""


def figures(results: Results) -> list[Figure]:
    """The table's rows."""
    rows = []
    for name, words in NAMES.items():
        goal = GOALS.get(name)
        rows.append(figure(words, "requests/s", results.values[f"{name}, rate"], at_least=goal))
        rows.append(figure("    its latency, p50", "ms", results.values[f"{name}, p50"]))
        rows.append(figure("    its latency, p99", "ms", results.values[f"{name}, p99"]))
        rows.append(figure("    its CPU in the worker", "µs", results.values[f"{name}, cpu"]))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15, help="of each case in each round")
    options = parser.parse_args(arguments)
    before = f"{os.getloadavg()[0]:.1f}"
    results = Results()
    with embedded(settings=SETTINGS) as cluster, tempfile.TemporaryDirectory() as folder:
        place = asyncio.run(Postgres(cluster).make_place(MIGRATIONS))
        measure(place, Path(folder), rounds=options.rounds, seconds=options.seconds, results=results)
    report(
        f"The tenant API, one worker, {CONNECTIONS} connections",
        figures(results),
        as_json=options.json,
        load_before=before,
    )


if __name__ == "__main__":
    main()
