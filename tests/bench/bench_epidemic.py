"""The epidemic's figures: rate, threads, peers, layers, chain, memory and bandwidth.

`python -m bench.bench_epidemic [--json] [--rounds N] [--only SECTION …]` (`make bench-epidemic`). Generation is not in
the rates (it has a figure of its own); beside each figure with a goal stand neighbouring cases, since a rate that holds
for one R0 or one degree alone says little.
"""

from __future__ import annotations

import argparse
import os
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

from bench.bandwidth import bandwidth_figures
from bench.chain_cost import chain_figures
from bench.layer_cost import layer_figures
from bench.measure import Action, Figure, Sample, figure, interleaved, ratios, report
from bench.peer_rates import peer_figures
from bench.worlds import agent_days, contact_layer, world_of
from civlab.runtime.backend import Backend
from parpour_contracts.scenario import EpidemicScenario

NEIGHBOURS = {
    "R0 1.5": {"disease.r0": "1.5"},
    "R0 4": {"disease.r0": "4"},
    "degree 10": {"contacts.community.degree.value": "10"},
    "degree 40": {"contacts.community.degree.value": "40"},
    "100,000 agents": {"population.size": "100000"},
    "4,000,000 agents": {"population.size": "4000000"},
}


def run_of(scenario: EpidemicScenario, backend: Backend) -> Action:
    """A generated world's whole run."""
    world = world_of(scenario, backend=backend)
    return lambda: world.advance(scenario.ticks)


def million_rates(scenario: EpidemicScenario, samples: Sequence[Sample]) -> list[float]:
    """Million agent-days a CPU second of each run."""
    return [agent_days(scenario) / sample.cpu / 1e6 for sample in samples]


def rate_figures(*, rounds: int) -> list[Figure]:
    """The rate on one thread and two, and its neighbours on one."""
    base = contact_layer()
    scenarios = {name: contact_layer(changes) for name, changes in NEIGHBOURS.items()}
    one = Backend.cpu(threads=1)
    cases = {"one thread": partial(run_of, base, one)}
    if len(os.sched_getaffinity(0)) > 1:
        cases["two threads"] = partial(run_of, base, Backend.cpu(threads=2))
    cases |= {name: partial(run_of, scenario, one) for name, scenario in scenarios.items()}
    samples = interleaved(cases, rounds=rounds)
    single = samples["one thread"]
    unit = "M agent-days / CPU s"
    results = [figure("1 M agents, degree 20, R0 2.5, one thread", unit, million_rates(base, single), at_least=50)]
    if "two threads" in samples:
        double = samples["two threads"]
        faster = ratios([s.wall for s in single], [s.wall for s in double])
        dearer = ratios([s.cpu for s in double], [s.cpu for s in single])
        results += [
            figure("… on two threads", unit, million_rates(base, double)),
            figure("… two threads are faster (elapsed time)", "times", faster, at_least=1.8),
            figure("… two threads' CPU time over one's", "times", dearer),
        ]
    results += [figure(f"… {name}", unit, million_rates(scenarios[name], samples[name])) for name in scenarios]
    return results


def memory_figures(*, rounds: int) -> list[Figure]:
    """Bytes an agent while a world runs, and the time to generate it."""
    scenario = contact_layer()
    size = scenario.population.size
    tracemalloc.start()
    world = world_of(scenario, backend=Backend.cpu(threads=1))
    peak = tracemalloc.get_traced_memory()[1] / size
    tracemalloc.stop()
    held = world.arrays.bytes() / size
    samples = interleaved({"generation": lambda: partial(world_of, scenario, backend=world.backend)}, rounds=rounds)
    return [
        figure("memory, 20 contacts an agent", "bytes an agent", [held], at_most=120),
        figure("… at most while it is generated", "bytes an agent", [peak]),
        figure("generation of 1 M agents", "CPU s", [sample.cpu for sample in samples["generation"]]),
        figure("digest of state and chain at the end", "CPU s", digest_seconds(rounds=rounds)),
    ]


def digest_seconds(*, rounds: int) -> list[float]:
    """CPU seconds to recount and hash the state of a million agents."""
    world = world_of(contact_layer(), backend=Backend.cpu(threads=1))
    samples = interleaved({"member digests": lambda: world.member_digests}, rounds=rounds)
    return [sample.cpu for sample in samples["member digests"]]


def device_figures(*, rounds: int) -> list[Figure]:
    """The rate on a CUDA device by elapsed time; none where no device is visible."""
    try:
        import cupy
    except ImportError:
        return []
    if not cupy.cuda.is_available():
        return []
    backend = Backend.cuda()
    scenario = contact_layer({"population.size": "10000000"})
    samples = interleaved({"10 M agents": partial(run_of, scenario, backend)}, rounds=rounds)["10 M agents"]
    rates = [agent_days(scenario) / sample.wall / 1e9 for sample in samples]
    return [figure("10 M agents on a CUDA device", "G agent-days / s", rates, at_least=10)]


SECTIONS: dict[str, Callable[..., list[Figure]]] = {
    "rate": rate_figures,
    "peers": peer_figures,
    "memory": memory_figures,
    "layers": layer_figures,
    "chain": chain_figures,
    "bandwidth": bandwidth_figures,
    "device": device_figures,
}


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to measure")
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    figures = [item for name in arguments.only for item in SECTIONS[name](rounds=arguments.rounds)]
    report("Epidemic on a contact network", figures, as_json=arguments.json, load_before=load)


if __name__ == "__main__":
    main()
