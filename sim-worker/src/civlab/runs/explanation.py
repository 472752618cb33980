"""What a run would do, before it does it: phases, parameters, memory, and a time from a short trial."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from civlab.runs.spec import RunSpec
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.phases import Phase
from civlab.runtime.world import World
from parpour_contracts.run import WORKER_BASE_MEMORY
from parpour_contracts.scenario import Estimate, Parameter, estimate, parameters

TRIAL_AGENTS = 20_000
"""The trial's population at most: large enough to be past the fixed costs, small enough for a second."""


@dataclass(frozen=True)
class Explanation:
    """A run laid open. Times are a trial's on this machine, scaled; memory is an upper bound."""

    title: str
    tick_name: str
    members: int
    ticks: int
    agents: int
    memory_bytes: int
    """Bytes of all members' worlds held at once, and of the copies that checkpoints and tables make of them."""
    copies_bytes: int
    """Bytes of those copies."""
    member_bytes: int
    """Bytes of the largest member's world and copies."""
    program_bytes: int
    """Bytes that the program takes besides, whatever it simulates."""
    bytes_an_agent: int
    """Bytes of a world by agent, rounded up; of the member with most."""
    seconds: float
    agent_updates_per_second: int
    parameters: Mapping[str, Parameter]
    phases: tuple[Phase, ...]
    launches: Mapping[str, int]
    """By phase the number of the launch that it is part of, from 1: between launches all tiles wait for each other."""
    phase_nanoseconds: Mapping[str, float]
    """By phase, what a tick of it costs an agent, in nanoseconds of the trial's clock."""
    columns: tuple[tuple[str, str, str, str], ...]
    metrics: tuple[tuple[str, str, str], ...]


def explain_spec(spec: RunSpec, backend: Backend) -> Explanation:
    """Explain a run; a trial of at most 20,000 agents is run for the time."""
    sizes = _estimates(spec)
    updates, seconds, costs = _trial(spec, backend)
    agents = sum(spec.agents(index) for index in range(spec.ensemble.members))
    rate = updates / seconds
    model = spec.model
    return Explanation(
        title=spec.scenario.title,
        tick_name=spec.scenario.tick_name,
        members=spec.ensemble.members,
        ticks=spec.ticks,
        agents=agents,
        memory_bytes=sum(size.peak for size in sizes),
        copies_bytes=sum(size.copies for size in sizes),
        member_bytes=max(size.peak for size in sizes),
        program_bytes=WORKER_BASE_MEMORY,
        bytes_an_agent=max(-(-size.bytes // size.agents) for size in sizes),
        seconds=agents * spec.ticks / rate,
        agent_updates_per_second=round(rate),
        parameters=parameters(spec.scenario),
        phases=model.phases,
        launches={phase.name: n for n, launch in enumerate(model.launches, 1) for phase in launch.phases},
        phase_nanoseconds=costs,
        columns=tuple((c.name, c.dtype, c.role, c.meaning) for c in model.columns if c.role in ("dynamic", "static")),
        metrics=tuple((m.name, m.unit, m.meaning) for m in model.metrics),
    )


def _estimates(spec: RunSpec) -> list[Estimate]:
    """What each member takes; members of the same parameters are estimated once."""
    by_values = {point.values: point for point in spec.points}
    known = {values: estimate(spec.scenario_of(point)) for values, point in by_values.items()}
    return [known[point.values] for point in spec.points]


def _trial(spec: RunSpec, backend: Backend) -> tuple[int, float, dict[str, float]]:
    """Agent-updates and seconds of one small member, its generation included, and nanoseconds an update by phase."""
    small = spec.scenario.shrunk(TRIAL_AGENTS)
    member = MemberSpec(index=0, stream=0, scenario=spec.model.compile(small))
    World.create(spec.model, [member], seed=spec.seed, backend=backend)
    started = time.perf_counter()
    world = World.create(spec.model, [member], seed=spec.seed, backend=backend)
    world.fused = False
    world.advance(spec.ticks)
    updates = small.agents * spec.ticks
    costs = {name: timing.seconds / updates * 1e9 for name, timing in world.timings.items()}
    return updates, time.perf_counter() - started, costs
