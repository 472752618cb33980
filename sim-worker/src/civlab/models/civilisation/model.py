"""The civilisation as a model of the runtime: its declaration, and what it does around the tick.

The rules are in model.md; the tick's table is in phases.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.models.civilisation import generate as founding
from civlab.models.civilisation import layout
from civlab.models.civilisation.compile import CompiledCivilisation, compile_civilisation
from civlab.models.civilisation.layout_economy import SCENARIO
from civlab.models.civilisation.layout_land import LAND, YEAR
from civlab.models.civilisation.layout_people import PEOPLE
from civlab.models.civilisation.metrics import METRICS
from civlab.models.civilisation.phases import PHASES
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World

REMEDIES = {
    "full_citizens": "the room for people is used up; raise population.room",
    "full_households": "the room for households is used up; raise population.room",
}
RUN_AWAY = (
    "beyond the range in which prices, pay and productivity are counted; they run away: lower economy.prices.pressure, "
    "economy.credit.inflation_target or economy.labour.progress, or take fewer ticks"
)


def arrange(members: Sequence[MemberSpec[CompiledCivilisation]], *, seed: int, backend: Backend) -> Arrays:
    """Members laid out as far as their maps need; `generate` lays out the rest."""
    arrays = founding.arrange(MODEL, members, seed=seed, backend=backend)
    arrays.members = tuple(members)
    return arrays


def generate(arrays: Arrays) -> None:
    """Draws the maps, lays out people and firms, and founds the economy."""
    founding.generate(arrays, arrays.members)


def fault(world: World) -> Fault | None:
    """The first broken invariant, with its place and how much is missing."""
    faults = world.download("fault")
    for number in np.flatnonzero(faults)[:1]:
        cell = int(faults[number])
        tick, name = 0xFFFFFFFF - (cell >> 32), layout.FAULTS[(cell & 0xFFFFFFFF) - 1]
        if name in REMEDIES:
            return Fault(int(number), f"{REMEDIES[name]} (tick {tick})", code="WORLD_FULL")
        low, high = (int(part) for part in world.download("fault_residue")[2 * number : 2 * number + 2])
        place = int(world.download("fault_place")[number])
        residue = (low & 0xFFFFFFFFFFFFFFFF) + (high << 64)
        where = f"invariant {name}" + (f", place {place}" if place else "")
        message = f"tick {tick}: {residue:+d} more than there should be; this is a fault of the program"
        if name == "bounds":
            return Fault(int(number), f"tick {tick}: {residue:+d} {RUN_AWAY}", where=where, code="PRICES_UNBOUNDED")
        if name == "overflow":
            message = (
                f"tick {tick}: a total would leave its range; "
                "take fewer citizens or more regions, or fewer people for a citizen"
            )
        return Fault(int(number), message, where=where)
    return None


def agents(world: World) -> list[int]:
    """Citizens at the start of each member; there are more slots."""
    return [int(member.scenario.lands["citizens"][0]) for member in world.members]


MODEL = Model(
    name="civilisation",
    kinds=layout.KINDS,
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(SCENARIO, PEOPLE, LAND, YEAR),
    phases=PHASES,
    chained=layout.CHAINED,
    metrics=METRICS,
    compile=compile_civilisation,
    arrange=arrange,
    generate=generate,
    fault=fault,
    agents=agents,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
    inside=layout.INSIDE,
)
