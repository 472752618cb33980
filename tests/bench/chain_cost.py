"""What the chain costs: the same run with the shipped library and with one built without running digests."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from bench.measure import Action, Figure, figure, interleaved
from bench.worlds import contact_layer, world_of
from civlab.runtime.backend import Backend, CpuBackend, best_level, load
from civlab.runtime.building import build
from parpour_contracts.scenario import EpidemicScenario

CASES = {"R0 2.5": {}, "R0 4, degree 10": {"disease.r0": "4", "contacts.community.degree.value": "10"}}


def run_of(scenario: EpidemicScenario, backend: Backend) -> Action:
    """A generated world's run."""
    world = world_of(scenario, backend=backend)
    return partial(world.advance, scenario.ticks)


def chain_figures(*, rounds: int) -> list[Figure]:
    """Share of the tick's CPU time that digests and links take."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "unchained.so"
        build(best_level(), target, defines=["CIVLAB_UNCHAINED"])
        unchained = CpuBackend(load(str(target)), 1)
    results = []
    for label, changes in CASES.items():
        scenario = contact_layer(changes)
        cases = {
            "chained": partial(run_of, scenario, Backend.cpu(threads=1)),
            "without": partial(run_of, scenario, unchained),
        }
        samples = interleaved(cases, rounds=rounds)
        pairs = zip(samples["chained"], samples["without"], strict=True)
        shares = [100 * (chained.cpu - without.cpu) / chained.cpu for chained, without in pairs]
        results.append(figure(f"chain, 1 M agents, {label}", "% of the run", shares, at_most=15))
    return results
