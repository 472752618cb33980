"""Random exchange of money as a model of the runtime: its declaration, and what it does around the tick.

The rules themselves are in model.md and in the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.errors import CivlabError
from civlab.models.exchange import layout
from civlab.models.exchange.compile import CompiledExchange, compile_exchange
from civlab.models.exchange.phases import PHASES
from civlab.runtime.arrays import Arrays, MemberSpec, tiles_of
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World


def arrange(members: Sequence[MemberSpec[CompiledExchange]], *, seed: int, backend: Backend) -> Arrays:
    """Members one after the other, cut into tiles.

    Raises CivlabError WORLD_TOO_LARGE if the members' slots cannot be numbered in 32 bits.
    """
    population = np.array([member.scenario.population for member in members], np.int64)
    slots = (population // layout.PAD + 1) * layout.PAD
    first = np.cumsum(slots) - slots
    agents = int(first[-1] + slots[-1])
    if agents >= 1 << 32:
        raise CivlabError("WORLD_TOO_LARGE", "population.size", "too many agents in one batch; use more shards")
    tile_member, begin, end = tiles_of(first, population, tile=layout.TILE)
    records, scenario_of = shared_records(members)
    plan = {
        "tile_member": tile_member.astype("u4"),
        "tile_begin": begin.astype("u4"),
        "tile_end": end.astype("u4"),
        "member_first": first.astype("u4"),
        "member_population": population.astype("u4"),
        "member_stream": np.array([member.stream for member in members], "u4"),
        "member_scenario": scenario_of,
        "scenario": records,
    }
    sizes = {
        "agent": agents,
        "member": len(members),
        "tile": len(tile_member),
        "scenario": len(records),
        "tick": members[0].scenario.ticks,
    }
    arrays = Arrays.empty(MODEL, backend=backend, seed=seed, sizes=sizes)
    arrays.lay_out("agent", first=first, count=population)
    arrays.record["tiles"] = len(tile_member)
    for name, values in plan.items():
        arrays.put(name, backend.upload(values))
    for column in MODEL.columns:
        if column.name not in plan:
            arrays.allocate(column.name)
    return arrays


def shared_records(members: Sequence[MemberSpec[CompiledExchange]]) -> tuple[np.ndarray, np.ndarray]:
    """Compiled records without repetition, and the place of each member's record."""
    records = {member.scenario.digest: member.scenario.record for member in members}
    place = {digest: number for number, digest in enumerate(records)}
    return np.concatenate(list(records.values())), np.array([place[m.scenario.digest] for m in members], "u4")


def generate(arrays: Arrays) -> None:
    """Gives every agent the same money."""
    arrays.run("exchange_endow", "tile")


def restored(world: World) -> None:
    """Nothing outlives a tick but the state."""


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
    restored=restored,
    fault=fault,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)
