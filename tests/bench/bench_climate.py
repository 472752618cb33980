"""The climate's figures: member-years a CPU second beside FaIR in the same run, by phase, and the agreement.

`python -m bench.bench_climate [--json] [--rounds N]` (`make bench-climate`). 1,001 members of eight pathways over 350
years, three gases; preparation is in neither rate, records and the chain of every member are in civlab's.
"""

from __future__ import annotations

import argparse

import numpy as np

from bench.measure import Action, Figure, figure, interleaved, ratios, report
from civlab.runtime.world import World
from validation.climate_ensemble import MEMBERS, PATHWAYS, ensemble, world_of
from validation.fair_peer import VERSION, FairRun, prepare

YEARS = 350
MEMBER_YEARS = MEMBERS * len(PATHWAYS) * YEARS
GOAL = 10
RUNS = 4
"""Of civlab in a round: one takes a tenth of FaIR's time, in which a neighbour on the machine may be busy or not."""


class Finished:
    """What the last run of each program left, to compare the two after the rounds."""

    def __init__(self) -> None:
        self.scenarios = [ensemble(name, years=YEARS) for name in PATHWAYS]
        self.world: World | None = None
        self.fair: FairRun | None = None

    def civlab(self) -> Action:
        """Worlds of all members, one thread; their records are touched once, as FaIR's are when they are allocated."""
        self.world = None
        worlds = [world_of(self.scenarios) for _ in range(RUNS)]
        for world in worlds:
            world.arrays.column["history"].fill(0)
        self.world = worlds[-1]

        def run() -> None:
            for world in worlds:
                world.advance(YEARS)

        return run

    def peer(self) -> Action:
        """FaIR's run of the same."""
        self.fair = None
        self.fair = prepare(self.scenarios)
        return self.fair.run

    def apart(self) -> float:
        """Greatest difference of temperature, K."""
        assert self.world is not None
        assert self.fair is not None
        ours = self.world.metrics(0, YEARS)["temperature"].reshape(YEARS, len(PATHWAYS), MEMBERS)
        return float(np.abs(ours - self.fair.temperature()).max())


def climate_figures(*, rounds: int) -> list[Figure]:
    """Rates, their ratio, nanoseconds a phase, and how far the two are apart."""
    runs = Finished()
    samples = interleaved({"civlab": runs.civlab, "FaIR": runs.peer}, rounds=rounds)
    runs_of = {"civlab": RUNS, "FaIR": 1}
    cpu = {name: [sample.cpu / runs_of[name] for sample in listed] for name, listed in samples.items()}
    unit = "M member-years / CPU s"
    results = [
        figure("civlab, one thread, chain and records on", unit, [MEMBER_YEARS / s / 1e6 for s in cpu["civlab"]]),
        figure(f"FaIR {VERSION}", unit, [MEMBER_YEARS / s / 1e6 for s in cpu["FaIR"]]),
        figure("civlab over FaIR", "times", ratios(cpu["FaIR"], cpu["civlab"]), at_least=GOAL),
        figure("greatest difference of temperature", "K", [runs.apart()], at_most=1e-6),
    ]
    assert runs.world is not None
    for name, timing in runs.world.timings.items():
        results.append(figure(f"… phase {name}", "ns a member-year", [timing.seconds / MEMBER_YEARS * 1e9]))
    return results


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each case")
    options = parser.parse_args()
    report("Climate", climate_figures(rounds=options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
