"""Many small worlds against one large one: 1,000 members of 1,000 agents take how many times as long as 1 × 1,000,000.

`python -m bench.bench_ensemble [--json] [--rounds N]` (`make bench-ensemble`). Every member begins with the same share
of infected persons, so that all cases have the same work; generation is compared too.
"""

from __future__ import annotations

import argparse
import os
from functools import partial

from bench.measure import Action, Figure, figure, interleaved, ratios, report
from bench.worlds import contact_layer, world_of
from civlab.runtime.backend import Backend
from parpour_contracts.scenario import EpidemicScenario

TOTAL = 1_000_000
INFECTED_SHARE = 100
"""One person in so many is infected at the start."""
MEMBERS = (1, 10, 100, 1000, 10_000)


def member_scenario(members: int) -> EpidemicScenario:
    """One member's scenario when a million agents are cut into so many members."""
    size = TOTAL // members
    return contact_layer({"population.size": str(size), "introductions.0.count": str(max(1, size // INFECTED_SHARE))})


def generation_of(members: int, backend: Backend) -> Action:
    """Generating all members."""
    return partial(world_of, member_scenario(members), backend=backend, members=members)


def run_of(members: int, backend: Backend) -> Action:
    """Running all members, generated."""
    scenario = member_scenario(members)
    world = world_of(scenario, backend=backend, members=members)
    return partial(world.advance, scenario.ticks)


def figures(*, rounds: int) -> list[Figure]:
    """CPU time of each cut over the uncut million, on one thread; elapsed time on two."""
    one = Backend.cpu(threads=1)
    runs = interleaved({f"{n} members": partial(run_of, n, one) for n in MEMBERS}, rounds=rounds)
    cpu = {n: [sample.cpu for sample in runs[f"{n} members"]] for n in MEMBERS}
    results = [figure("1 × 1,000,000 agents, 180 days", "CPU s", cpu[1])]
    for n in MEMBERS[1:]:
        goal = 1.3 if n == 1000 else None
        results.append(figure(f"{n:,} × {TOTAL // n:,}", "times as long", ratios(cpu[n], cpu[1]), at_most=goal))
    made = interleaved({f"{n} members": partial(generation_of, n, one) for n in (1, 1000)}, rounds=rounds)
    longer = ratios([s.cpu for s in made["1000 members"]], [s.cpu for s in made["1 members"]])
    results.append(figure("generation, 1,000 × 1,000", "times as long as 1 × 1,000,000", longer))
    if len(os.sched_getaffinity(0)) > 1:
        two = Backend.cpu(threads=2)
        both = {"one": partial(run_of, 1000, one), "two": partial(run_of, 1000, two)}
        samples = interleaved(both, rounds=rounds)
        faster = ratios([s.wall for s in samples["one"]], [s.wall for s in samples["two"]])
        results.append(figure("1,000 × 1,000, two threads are faster (elapsed time)", "times", faster))
    return results


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    report("Ensembles", figures(rounds=arguments.rounds), as_json=arguments.json, load_before=load)


if __name__ == "__main__":
    main()
