"""The epidemic as a model of the runtime: its declaration, and what it does around the tick.

The rules themselves are in model.md and in the kernels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.models.epidemic import layout
from civlab.models.epidemic.compile import CompiledScenario, compile_scenario
from civlab.models.epidemic.generate import arrange, generate
from civlab.models.epidemic.layout import STATES
from civlab.models.epidemic.phases import PHASES
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.model import Fault, Model
from civlab.runtime.world import World


def arrange_members(members: Sequence[MemberSpec[CompiledScenario]], *, seed: int, backend: Backend) -> Arrays:
    """Empty arrays with the plan of members and tiles filled in; raises CivlabError WORLD_TOO_LARGE."""
    return arrange(MODEL, members, seed=seed, backend=backend)


def restored(world: World) -> None:
    """Counts the agents by state, as the last tick before the snapshot left them."""
    stock = np.zeros((len(world.members), 8), "u4")
    for number in range(len(world.members)):
        states = world.member_column("state", number)
        stock[number, : len(STATES)] = np.bincount(states, minlength=len(STATES))
    world.arrays.put("stock", world.backend.upload(stock.reshape(-1)))


def fault(world: World) -> Fault | None:
    """The first member in which a person was lost or made."""
    faults = world.download("fault")
    for number in np.flatnonzero(faults)[:1]:
        message = f"persons were not conserved in tick {int(faults[number]) - 1}; this is a fault of the program"
        return Fault(int(number), message)
    return None


MODEL = Model(
    name="epidemic",
    kinds=layout.KINDS,
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(layout.SCENARIO, layout.DAY),
    phases=PHASES,
    chained=layout.CHAINED,
    metrics=layout.METRICS,
    compile=compile_scenario,
    arrange=arrange_members,
    generate=generate,
    restored=restored,
    fault=fault,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)
