"""Builds small whole civilisations for the tests, and worlds in which something is changed behind the kernels' back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile import CompiledCivilisation, compile_civilisation
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.phases import Phase
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

GOODS = len(layout.GOODS)
Act = Callable[[World], None]


def document(*, size: int = 6000, regions: int = 6, ticks: int = 60, nations: int = 2, more: str = "") -> str:
    """A scenario document; `more` holds other sections as lines."""
    share = 100 // nations
    listed = [f"    - {{name: Nation {k}, share: 0.{share:02d}}}\n" for k in range(nations - 1)]
    listed.append(f"    - {{name: Last, share: {1 - share * (nations - 1) / 100:.2f}}}\n")
    return (
        f"apiVersion: civlab/v1\nmodel: civilisation\ntitle: A small world\nticks: {ticks}\n"
        f"population: {{size: {size}}}\nworld:\n  map: {{regions: {regions}}}\n  nations:\n{''.join(listed)}{more}"
    )


def compiled(*, more: str = "", **sizes: int) -> CompiledCivilisation:
    """A compiled scenario."""
    return compile_civilisation(parse_scenario(document(more=more, **sizes)))


def specs(scenarios: Sequence[CompiledCivilisation]) -> list[MemberSpec[CompiledCivilisation]]:
    """A member a scenario, each with its own stream."""
    return [MemberSpec(number, 40 + number, scenario) for number, scenario in enumerate(scenarios)]


def world_of(*scenarios: CompiledCivilisation, backend: Backend | None = None, seed: int = 7) -> World:
    """A world of one member a scenario."""
    return World.create(MODEL, specs(scenarios), seed=seed, backend=backend or Backend.cpu(1))


class MeddledWorld(World):
    """A world in which acts of the test come between phases, once each: `acts` by the phase that they come before."""

    fused = False
    acts: Mapping[str, Act]

    def run_phase(self, phase: Phase) -> None:
        """The act, if there is one for this phase, and then the phase."""
        if phase.name in self.acts:
            self.acts[phase.name](self)
        super().run_phase(phase)


def meddled(*scenarios: CompiledCivilisation, seed: int = 7) -> MeddledWorld:
    """A world to be meddled with; no act is planned yet."""
    world = MeddledWorld.create(MODEL, specs(scenarios), seed=seed, backend=Backend.cpu(1))
    assert isinstance(world, MeddledWorld)
    world.acts = {}
    return world


def column(world: World, name: str, member: int = 0) -> np.ndarray:
    """A member's part of a column of a world on the CPU, to read or to write: [entities, width]."""
    declared = world.model.column(name)
    first, count = world.segment(declared.per, member)
    values: np.ndarray = world.arrays.column[name]
    return values.reshape(-1, declared.width)[first : first + count]


def cell(name: str, names: Sequence[str]) -> int:
    """Place of a name in one of the layout's lists."""
    return list(names).index(name)
