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
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World


def arrange(members: Sequence[MemberSpec[CompiledClimate]], *, seed: int, backend: Backend) -> Arrays:
    """Members in their order, with the tiles and the parameter set of each: its stream's among the scenario's sets."""
    place: dict[bytes, int] = {}
    records: list[np.ndarray] = []
    years: list[np.ndarray] = []
    first = 0
    for scenario in {member.scenario.digest: member.scenario for member in members}.values():
        record = scenario.record.copy()
        record["year_first"] = first
        place[scenario.digest] = len(records)
        records.append(record)
        years.append(scenario.years)
        first += scenario.ticks
    scenario_of = np.array([place[member.scenario.digest] for member in members], "u4")
    begin, end = runs(scenario_of)
    sizes = {
        "member": len(members),
        "tile": len(begin),
        "scenario": len(records),
        "year": first,
        "tick": members[0].scenario.ticks,
    }
    plan = {
        "tile_begin": begin,
        "tile_end": end,
        "tile_scenario": scenario_of[begin],
        "member_scenario": scenario_of,
        "constants": np.concatenate(records),
        "year": np.concatenate(years),
    }
    sets = np.array([member.scenario.sets[member.stream % len(member.scenario.sets)] for member in members])
    plan |= {column.name: sets[:, k] for k, column in enumerate(layout.PUBLISHED)}
    arrays = Arrays.empty(MODEL, backend=backend, seed=seed, sizes=sizes)
    arrays.record["tiles"] = len(begin)
    for name, values in plan.items():
        arrays.put(name, backend.upload(values))
    for column in MODEL.columns:
        if column.name not in plan:
            arrays.allocate(column.name)
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


def restored(world: World) -> None:
    """Nothing outlives a tick but the state."""


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
    restored=restored,
    fault=fault,
    constants=layout.HEADER_CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)
