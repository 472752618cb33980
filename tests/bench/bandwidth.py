"""Phases that stream whole columns, against the copy bandwidth of the same memory.

The columns must not fit any cache, and the narrowest has one byte an agent: hence several members side by side, without
contacts, in which a few persons stay infectious so that every phase has to look at everyone.
"""

from __future__ import annotations

from functools import partial

from bench import machine
from bench.measure import Figure, figure
from bench.worlds import world_of
from civlab.models.epidemic.phases import PHASES
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

MEMBER = 4_000_000
SCENARIO = """
apiVersion: civlab/v1
model: epidemic
title: A few infectious persons whom nobody meets
ticks: {ticks}
population: {{size: {size}, pyramid: uniform, households: single}}
contacts: {{community: null}}
disease:
  probability: 0.01
  exposed: {{law: fixed, value: 1}}
  infectious: {{law: fixed, value: 100}}
introductions: [{{tick: 0, count: 100}}]
"""


def tick_seconds(world: World) -> dict[str, float]:
    """CPU seconds of each phase in one more tick."""
    world.fused = False
    before = {name: timing.seconds for name, timing in world.timings.items()}
    world.advance()
    return {name: timing.seconds - before.get(name, 0) for name, timing in world.timings.items()}


def bandwidth_figures(*, rounds: int) -> list[Figure]:
    """Bytes a CPU second of each streaming phase and its share of a copy's, tick by tick between copies."""
    members = -(-4 * machine.last_level_cache() // MEMBER)
    scenario = parse_scenario(SCENARIO.format(ticks=rounds + 2, size=MEMBER))
    world = world_of(scenario, backend=Backend.cpu(threads=1), members=members)
    world.advance(2)
    copies: list[float] = []
    seconds: dict[str, list[float]] = {phase.name: [] for phase in PHASES}
    for _ in range(rounds):
        copies.append(machine.copy_bandwidth() / 1e9)
        for name, spent in tick_seconds(world).items():
            seconds[name].append(spent)
    megabytes = partial(sum_of_columns, world)
    results = [figure("copy between arrays of 4 × the last-level cache", "GB / CPU s read and written", copies)]
    for phase in PHASES:
        if phase.streams:
            rates = [megabytes(phase.streams) / spent / 1e9 for spent in seconds[phase.name]]
            shares = [100 * rate / copy for rate, copy in zip(rates, copies, strict=True)]
            results.append(figure(f"phase {phase.name}, streaming", "GB / CPU s", rates))
            results.append(figure("… of the copy", "%", shares, at_least=60))
    return results


def sum_of_columns(world: World, names: tuple[str, ...]) -> int:
    """Bytes of some columns."""
    return sum(int(world.arrays.column[name].nbytes) for name in names)
