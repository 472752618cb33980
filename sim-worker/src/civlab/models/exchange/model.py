"""Random exchange of money as a model of the runtime: its declaration, and what it does around the tick.

The rules themselves are in model.md and in the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.models.exchange import layout
from civlab.models.exchange.compile import CompiledExchange, compile_exchange
from civlab.models.exchange.phases import PHASES
from civlab.runtime.arrays import Arrays, MemberSpec, agents_in_turn, shared_scenarios
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World


def arrange(members: Sequence[MemberSpec[CompiledExchange]], *, seed: int, backend: Backend) -> Arrays:
    """Members one after the other, cut into tiles.

    Raises CivlabError WORLD_TOO_LARGE if the members' slots cannot be numbered in 32 bits.
    """
    population = np.array([member.scenario.population for member in members], np.int64)
    plan, first, slots = agents_in_turn(members, population, pad=layout.PAD, tile=layout.TILE)
    scenarios, plan["member_scenario"] = shared_scenarios(members)
    plan["scenario"] = np.concatenate([scenario.record for scenario in scenarios])
    sizes = {
        "agent": int(first[-1] + slots[-1]),
        "member": len(members),
        "tile": len(plan["tile_member"]),
        "scenario": len(scenarios),
        "tick": members[0].scenario.ticks,
    }
    arrays = Arrays.empty(MODEL, backend=backend, seed=seed, sizes=sizes)
    arrays.lay_out("agent", first=first, count=population)
    arrays.record["tiles"] = sizes["tile"]
    arrays.upload(plan)
    arrays.allocate_rest()
    return arrays


def generate(arrays: Arrays) -> None:
    """Gives every agent the same money."""
    arrays.run("exchange_endow", "tile")


def fault(world: World) -> Fault | None:
    """The first member in which money was lost or made, or in which an agent fell below zero."""
    faults = world.download("fault")
    for number in np.flatnonzero(faults)[:1]:
        cell = int(faults[number])
        tick = 0xFFFFFFFF - (cell >> 32)
        if layout.FAULTS[(cell & 0xFFFFFFFF) - 1] == "debt":
            message = f"an agent holds less than nothing since tick {tick}; this is a fault of the program"
            return Fault(int(number), message, code="DEBT_FOUND")
        return Fault(int(number), f"money was not conserved in tick {tick}; this is a fault of the program")
    return None


MODEL = Model(
    name="exchange",
    kinds=layout.KINDS,
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(layout.SCENARIO,),
    phases=PHASES,
    chained=layout.CHAINED,
    metrics=layout.METRICS,
    compile=compile_exchange,
    arrange=arrange,
    generate=generate,
    fault=fault,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)
