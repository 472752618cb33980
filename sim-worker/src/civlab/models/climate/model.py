"""The climate as a model of the runtime: its declaration, and what it does around the tick.

The equations are in model.md and in the kernels' headers, which other models include.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from civlab.models.climate import layout
from civlab.models.climate.compile import CompiledClimate, compile_climate
from civlab.models.climate.phases import PHASES
from civlab.runtime.arrays import Arrays, MemberSpec, shared_scenarios
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World


def arrange(members: Sequence[MemberSpec[CompiledClimate]], *, seed: int, backend: Backend) -> Arrays:
    """Members in their order, with the tiles and the parameter set of each: its stream's among the scenario's sets."""
    scenarios, scenario_of = shared_scenarios(members)
    records = np.concatenate([scenario.record for scenario in scenarios])
    ticks = [scenario.ticks for scenario in scenarios]
    records["year_first"] = np.cumsum(ticks) - ticks
    begin, end = runs(scenario_of)
    sizes = {
        "member": len(members),
        "tile": len(begin),
        "scenario": len(scenarios),
        "year": sum(ticks),
        "tick": members[0].scenario.ticks,
    }
    plan = {
        "tile_begin": begin,
        "tile_end": end,
        "tile_scenario": scenario_of[begin],
        "member_scenario": scenario_of,
        "constants": records,
        "year": np.concatenate([scenario.years for scenario in scenarios]),
    }
    sets = np.array([member.scenario.sets[member.stream % len(member.scenario.sets)] for member in members])
    plan |= {column.name: sets[:, k] for k, column in enumerate(layout.PUBLISHED)}
    arrays = Arrays.empty(MODEL, backend=backend, seed=seed, sizes=sizes)
    arrays.record["tiles"] = len(begin)
    arrays.upload(plan)
    arrays.allocate_rest()
    return arrays


def runs(scenario_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Begin and end of the tiles: members of one scenario that follow each other, at most TILE of them."""
    changes = np.flatnonzero(np.diff(scenario_of)) + 1
    bounds = [0, *changes.tolist(), len(scenario_of)]
    begin = [at for low, high in itertools.pairwise(bounds) for at in range(low, high, layout.TILE)]
    return np.array(begin, "u4"), np.array([*begin[1:], len(scenario_of)], "u4")


def generate(arrays: Arrays) -> None:
    """Works out each member's step and its state before the first tick."""
    arrays.run("climate_prepare", "member")


def fault(world: World) -> Fault | None:
    """The first member in which carbon was lost or made."""
    faults = world.download("fault")
    for number in np.flatnonzero(faults)[:1]:
        message = f"carbon was not conserved in tick {int(faults[number]) - 1}; this is a fault of the program"
        return Fault(int(number), message)
    return None


MODEL = Model(
    name="climate",
    kinds=(),
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(layout.CONSTANTS, layout.YEAR),
    phases=PHASES,
    chained=layout.CHAINED,
    metrics=layout.METRICS,
    compile=compile_climate,
    arrange=arrange,
    generate=generate,
    fault=fault,
    constants=layout.HEADER_CONSTANTS,
    enumerations=layout.ENUMERATIONS,
    inside={"tile": ("member",)},
)
