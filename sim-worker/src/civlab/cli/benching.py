"""`civlab bench`: a few seconds that tell what this machine does."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass

import click

from civlab.cli.output import human_count, print_json, print_table
from civlab.runs.devices import BACKENDS, choose_backend
from civlab.runs.spec import RunSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, parse_scenario

REPEATS = 3


@dataclass(frozen=True)
class Timed:
    """One row: a world of this size on this many threads, the best of three; seconds are of wall time."""

    scenario: str
    tick: str
    agents: int
    ticks: int
    threads: int
    generate_seconds: float
    run_seconds: float
    agent_updates_per_second: int


@click.command()
@click.option(
    "--scenario",
    "names",
    type=click.Choice(sorted(BUILTIN)),
    multiple=True,
    default=("epidemic-contact", "epidemic"),
    show_default=True,
    help="A builtin scenario; may be repeated.",
)
@click.option("--agents", type=click.IntRange(1000, 5_000_000), default=200_000, show_default=True)
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def bench(names: tuple[str, ...], agents: int, backend: str, as_json: bool) -> None:
    """Time builtin scenarios here, on one thread and on all.

    The figures that the documentation quotes come from `make bench-epidemic`; this is the short form.

    \b
    Examples:
      civlab bench
      civlab bench --agents 1000000 --json
    """
    rows: list[Timed] = []
    processors = len(os.sched_getaffinity(0))
    for name in names:
        path = parse_scenario(BUILTIN[name]).agents_path
        spec = RunSpec.create(BUILTIN[name], overrides={path: str(agents)} if path else None)
        for threads in sorted({1, processors}):
            rows.append(_timed(name, spec, choose_backend(backend, threads=threads), threads))
    if as_json:
        print_json({"rows": [asdict(row) for row in rows]})
        return
    print_table(
        f"Best of {REPEATS}",
        ("scenario", "agents", "ticks", "threads", "generate s", "run s", "rate"),
        [
            (
                row.scenario,
                f"{row.agents:,}",
                row.ticks,
                row.threads,
                f"{row.generate_seconds:.2f}",
                f"{row.run_seconds:.2f}",
                f"{human_count(row.agent_updates_per_second)} agent-{row.tick}s/s",
            )
            for row in rows
        ],
        right="agents,ticks,threads,generate s,run s,rate",
    )


def _timed(name: str, spec: RunSpec, backend: Backend, threads: int) -> Timed:
    best = (float("inf"), float("inf"))
    for _ in range(REPEATS):
        started = time.perf_counter()
        world = World.create(spec.model, spec.members([0]), seed=spec.seed, backend=backend)
        generated = time.perf_counter()
        world.advance(spec.ticks)
        best = min(best, (time.perf_counter() - generated, generated - started))
    updates = spec.agents(0) * spec.ticks
    return Timed(
        name, spec.scenario.tick_name, spec.agents(0), spec.ticks, threads, best[1], best[0], round(updates / best[0])
    )
