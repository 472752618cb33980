"""Worlds for the benchmarks: the builtin contact-layer scenario and what is changed in it."""

from __future__ import annotations

from collections.abc import Mapping

from civlab.models.epidemic.compile import compile_scenario
from civlab.models.epidemic.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import BUILTIN, EpidemicScenario, Scenario, override, parse_scenario

SEED = 1


def contact_layer(changes: Mapping[str, str] | None = None) -> EpidemicScenario:
    """The builtin `epidemic-contact` (1 M agents, degree 20, R0 2.5, 180 days) with parameters changed by path."""
    scenario = override(parse_scenario(BUILTIN["epidemic-contact"]), dict(changes or {}))
    assert isinstance(scenario, EpidemicScenario)
    return scenario


def world_of(scenario: Scenario, *, backend: Backend, members: int = 1) -> World:
    """A generated world at tick 0: so many members of one scenario, each with its own network."""
    compiled = compile_scenario(scenario)
    specs = [MemberSpec(index=number, stream=number, scenario=compiled) for number in range(members)]
    return World.create(MODEL, specs, seed=SEED, backend=backend)


def agent_days(scenario: EpidemicScenario, *, members: int = 1) -> int:
    """Agents times days: the unit of work in which rates are stated."""
    return scenario.population.size * scenario.ticks * members
