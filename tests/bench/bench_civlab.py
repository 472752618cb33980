"""The civilisation's figures: rate, phases, bandwidth, memory, growth with size, proofs, results, checkpoints, peers.

`python -m bench.bench_civlab [--json] [--rounds N] [--only SECTION …]` (`make bench-civlab`). The world is the builtin
two nations with a million citizens, 20,000 firms and 500 regions, from its first tick on; a citizen-tick is one citizen
at the start in one week. Generation and results are in no rate, the chain and all invariants are in each.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench import machine
from bench.bench_climate import climate_figures
from bench.bench_exchange import MAIN, compared
from bench.civilisation_runs import checkpoint_figures, command_figures, result_figures
from bench.civilisation_streams import stream_figures
from bench.civilisation_worlds import CITIZENS, REGIONS, citizen_ticks, civilisation, world_of
from bench.measure import Action, Figure, figure, interleaved, ratios, report, timed, unmeasured
from civlab.models.civilisation.phases import STAGES
from civlab.runtime.backend import Backend, CpuBackend, best_level, load
from civlab.runtime.building import build
from civlab.runtime.world import World
from parpour_contracts.scenario import CivilisationScenario

RATE = "M citizen-ticks / s"
CPU_RATE = "M citizen-ticks / CPU s"
GOAL = 8
PROOFS = ("audit", "record", "chain")
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
CITIZENS_A_REGION = 5_000
"""Of the worlds that grow: the largest then has as many regions as a map may have."""
GROWTH_TICKS = 20
SHOWN = 0.01
"""Phases below this share of the tick are put together."""
MANY = 50_000_000
"""Citizens of each of the two members that a device gets."""


class Runs:
    """Runs of one scenario on a backend, each in a new world; the worlds' clocks are kept.

    With `apart`, a barrier stands after every phase, so that each has a clock of its own.
    """

    def __init__(
        self, scenario: CivilisationScenario, backend: Backend, *, members: int = 1, apart: bool = False
    ) -> None:
        self.scenario = scenario
        self.backend = backend
        self.members = members
        self.apart = apart
        self.nanoseconds: dict[str, list[float]] = {}
        """Of each phase by citizen-tick, run by run."""
        self.bytes: dict[str, float] = {}
        """That a call of each phase streams, a citizen."""

    def prepare(self) -> Action:
        """A run in a new world."""
        return partial(self._run, self.world())

    def world(self) -> World:
        """A new world, whose records are touched once before it runs."""
        world = world_of(self.scenario, backend=self.backend, members=self.members)
        world.fused = not self.apart
        for column in world.model.histories:
            world.arrays.column[column.name].fill(0)
        return world

    def _run(self, world: World) -> None:
        world.advance(self.scenario.ticks)
        self.keep(world)

    def keep(self, world: World) -> None:
        """Takes the clocks of a world that has run."""
        done = self.members * citizen_ticks(self.scenario)
        for name, timing in world.timings.items():
            self.nanoseconds.setdefault(name, []).append(timing.seconds / done * 1e9)
            self.bytes[name] = timing.bytes / timing.calls / self.scenario.population.size / self.members

    def total(self, names: Sequence[str]) -> list[float]:
        """Nanoseconds of some phases together, run by run."""
        return [sum(values) for values in zip(*(self.nanoseconds[name] for name in names), strict=True)]


def rates(scenario: CivilisationScenario, seconds: Sequence[float]) -> list[float]:
    """Million citizen-ticks a second."""
    return [citizen_ticks(scenario) / second / 1e6 for second in seconds]


def rate_figures(*, rounds: int) -> list[Figure]:
    """The rate on two threads and on one, by elapsed and by CPU time, and the phases of one thread."""
    scenario = civilisation()
    one, two = (Runs(scenario, Backend.cpu(threads)) for threads in (1, 2))
    apart = Runs(scenario, Backend.cpu(1), apart=True)
    actions = {"one thread": one.prepare, "two threads": two.prepare, "apart": apart.prepare}
    samples = interleaved(actions, rounds=rounds)
    single, double = samples["one thread"], samples["two threads"]
    streamed = sum(apart.bytes.values())
    copies = [machine.copy_bandwidth() / streamed / 1e6 for _ in range(rounds)]
    title = f"{CITIZENS:,} citizens, {scenario.firms:,} firms, {REGIONS} regions"
    return [
        figure(f"{title}: two threads", RATE, rates(scenario, [s.wall for s in double]), at_least=GOAL),
        figure("… by CPU time", CPU_RATE, rates(scenario, [s.cpu for s in double])),
        figure("… one thread", CPU_RATE, rates(scenario, [s.cpu for s in single])),
        figure(
            "… two threads are faster (elapsed)", "times", ratios([s.wall for s in single], [s.wall for s in double])
        ),
        figure(f"… what a copy's bandwidth would allow, {streamed:.0f} bytes streamed", CPU_RATE, copies),
        figure(
            "… one thread over a barrier after each phase",
            "times",
            ratios([s.cpu for s in samples["apart"]], [s.cpu for s in single]),
        ),
        *phase_figures(apart),
    ]


def phase_figures(runs: Runs) -> list[Figure]:
    """Nanoseconds a citizen and tick of each stage and of its larger phases, with the bytes that they stream."""
    unit = "CPU ns a citizen-tick"
    whole = statistics.median(runs.total(list(runs.nanoseconds)))
    results = [figure("all phases, one thread", unit, runs.total(list(runs.nanoseconds)))]
    for stage, phases in STAGES.items():
        names = [phase.name for phase in phases]
        results.append(figure(f"stage {stage}", unit, runs.total(names)))
        large = [name for name in names if statistics.median(runs.nanoseconds[name]) >= SHOWN * whole]
        for name in large:
            streamed = f", {runs.bytes[name]:.1f} bytes a citizen" if runs.bytes[name] else ""
            results.append(figure(f"… phase {name}{streamed}", unit, runs.nanoseconds[name]))
        if large and len(large) < len(names):
            rest = [name for name in names if name not in large]
            results.append(figure(f"… the other {len(rest)}", unit, runs.total(rest)))
    return results


PEAK = """
import resource
from bench.civilisation_worlds import civilisation, world_of
from civlab.runtime.backend import Backend
world = world_of(civilisation(citizens=10_000_000, regions=2_000, ticks=8), backend=Backend.cpu())
world.advance(8)
print(world.arrays.bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def memory_figures(*, rounds: int) -> list[Figure]:
    """Bytes a citizen, and the peak of a process that generates ten million and runs two rounds of people."""
    del rounds
    world = world_of(civilisation(), backend=Backend.cpu(1))
    tests = str(Path(__file__).resolve().parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (tests, os.environ.get("PYTHONPATH"))))}
    command = [sys.executable, "-c", PEAK]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    held, peak = (int(word) for word in done.stdout.split())
    a_citizen = world.arrays.bytes() / CITIZENS
    return [
        figure("memory, with room for a quarter more", "bytes a citizen", [a_citizen], at_most=320),
        figure("… 10 M citizens", "GiB", [held / 2**30]),
        figure("… peak of their process", "GiB", [peak / 2**30], at_most=8),
    ]


def growing(citizens: int) -> Action:
    """A run of a world of this size, or of several one after the other where it is small."""
    scenario = civilisation(citizens=citizens, regions=citizens // CITIZENS_A_REGION, ticks=GROWTH_TICKS)
    runs = [Runs(scenario, Backend.cpu(1)).prepare() for _ in range(copies_of(citizens))]
    return lambda: [run() for run in runs]


def copies_of(citizens: int) -> int:
    """Worlds of one timed run."""
    return max(1, min(10, 1_000_000 // citizens))


def growth_figures(*, rounds: int) -> list[Figure]:
    """Cost by size, and the exponent of CPU time in citizens: the slope of the logarithms by least squares."""
    samples = interleaved({f"{size:,} citizens": partial(growing, size) for size in SIZES}, rounds=rounds)
    seconds = [
        [sample.cpu / copies_of(size) for sample in listed]
        for size, listed in zip(SIZES, samples.values(), strict=True)
    ]
    slopes = [float(np.polyfit(np.log(SIZES), np.log(turn), 1)[0]) for turn in zip(*seconds, strict=True)]
    return [
        *(
            figure(
                f"{size:,} citizens in {size // CITIZENS_A_REGION:,} regions",
                "CPU ns a citizen-tick",
                [spent / size / GROWTH_TICKS * 1e9 for spent in listed],
            )
            for size, listed in zip(SIZES, seconds, strict=True)
        ),
        figure("exponent of CPU time in citizens, 10⁴ to 10⁷", "", slopes, at_most=1.05),
    ]


def proof_figures(*, rounds: int) -> list[Figure]:
    """What the chain and the audit take: the run without digests beside it, and the phases that audit, record, seal."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "unchained.so"
        build(best_level(), target, defines=["CIVLAB_UNCHAINED"])
        without = Runs(civilisation(), CpuBackend(load(str(target)), 1), apart=True)
    chained = Runs(civilisation(), Backend.cpu(1), apart=True)
    pairs = [in_turns(chained, without) for _ in range(rounds)]
    return proof_shares(pairs, chained)


def in_turns(first: Runs, second: Runs) -> tuple[float, float]:
    """CPU seconds of a run of each, tick by tick in turns: what slows the machine for a while slows both alike."""
    runs = (first, second)
    worlds, spent = [run.world() for run in runs], [0.0, 0.0]
    for tick in range(first.scenario.ticks):
        for number in (tick % 2, 1 - tick % 2):
            spent[number] += timed(worlds[number].advance).cpu
    for run, world in zip(runs, worlds, strict=True):
        run.keep(world)
    return spent[0], spent[1]


def proof_shares(pairs: Sequence[tuple[float, float]], chained: Runs) -> list[Figure]:
    """Shares of the run with the chain, pair by pair; a pair is CPU seconds with the chain and without."""
    seconds = citizen_ticks(chained.scenario) / 1e9
    proofs = [nanoseconds * seconds for nanoseconds in chained.total(PROOFS)]
    whole = [cpu for cpu, _ in pairs]
    digests = [cpu - without for cpu, without in pairs]
    both = [100 * (a + b) / cpu for a, b, cpu in zip(digests, proofs, whole, strict=True)]
    return [
        figure("chain and invariants, 1 M citizens", "% of the run", both, at_most=15),
        figure("… digests of what changes", "% of the run", [100 * share for share in ratios(digests, whole)]),
        figure(f"… phases {', '.join(PROOFS)}", "% of the run", [100 * share for share in ratios(proofs, whole)]),
    ]


def device_figures(*, rounds: int) -> list[Figure]:
    """The rate on a CUDA device by elapsed time, if one is visible."""
    name, unit = f"{2 * MANY:,} citizens on a CUDA device", "G citizen-ticks / s"
    try:
        import cupy
    except ImportError:
        return [unmeasured(name, unit, "no device", at_least=3)]
    if not cupy.cuda.is_available():
        return [unmeasured(name, unit, "no device", at_least=3)]
    scenario = civilisation(citizens=MANY, regions=2_000, ticks=GROWTH_TICKS)
    runs = Runs(scenario, Backend.cuda(), members=2)
    samples = interleaved({name: runs.prepare}, rounds=rounds)[name]
    found = [2 * citizen_ticks(scenario) / sample.wall / 1e9 for sample in samples]
    return [figure(name, unit, found, at_least=3)]


def peer_figures(*, rounds: int) -> list[Figure]:
    """The climate beside FaIR, random exchange beside Mesa and mesa-frames: their own benchmarks in few rounds."""
    few = min(3, rounds)
    return [*climate_figures(rounds=few), *compared(MAIN, rounds=few, goals=True)]


SECTIONS: dict[str, Callable[..., list[Figure]]] = {
    "rate": rate_figures,
    "bandwidth": stream_figures,
    "memory": memory_figures,
    "growth": growth_figures,
    "proofs": proof_figures,
    "results": result_figures,
    "checkpoint": checkpoint_figures,
    "command": command_figures,
    "device": device_figures,
    "peers": peer_figures,
}


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to measure")
    arguments = parser.parse_args()
    load_before = f"{os.getloadavg()[0]:.1f}"
    figures = [item for name in arguments.only for item in SECTIONS[name](rounds=arguments.rounds)]
    report("Civilisation", figures, as_json=arguments.json, load_before=load_before)


if __name__ == "__main__":
    main()
