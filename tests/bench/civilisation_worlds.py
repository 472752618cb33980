"""Civilisations for the benchmarks: the builtin two nations with other numbers of citizens and regions.

Firms go with citizens, one to fifty, as the scenario has it where it does not say; how many regions there are is each
benchmark's own choice, because a map has at most 2,000.
"""

from __future__ import annotations

from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, CivilisationScenario, override, parse_scenario

SEED = 1
CITIZENS, REGIONS = 1_000_000, 500
"""The world that the goals are set for; it has 20,000 firms."""
YEAR = 52
PEOPLE = 1_000_000_000
"""Most people for whom citizens stand: no more than would emit what the whole world does."""


def civilisation(*, citizens: int = CITIZENS, regions: int = REGIONS, ticks: int = YEAR) -> CivilisationScenario:
    """The builtin two nations at another size."""
    changes = {
        "ticks": str(ticks),
        "population.size": str(citizens),
        "world.map.regions": str(regions),
        "climate.people_per_citizen": str(min(1000, PEOPLE // citizens)),
    }
    scenario = override(parse_scenario(BUILTIN["two-nations"]), changes)
    assert isinstance(scenario, CivilisationScenario)
    return scenario


def world_of(scenario: CivilisationScenario, *, backend: Backend, members: int = 1) -> World:
    """A generated world at tick 0: so many members of one scenario, each with its own draws."""
    compiled = compile_civilisation(scenario)
    specs = [MemberSpec(index=number, stream=number, scenario=compiled) for number in range(members)]
    return World.create(MODEL, specs, seed=SEED, backend=backend)


def citizen_ticks(scenario: CivilisationScenario) -> int:
    """Citizens at the start times ticks: the unit of work in which rates are stated."""
    return scenario.population.size * scenario.ticks
