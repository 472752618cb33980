"""The ensemble in which the climate model and FaIR are compared: 1,001 members of calibration 1.4.1.

The published ensemble has 841 sets. The 160 that are missing to 1,001 are the means of neighbouring sets (0 and 1, 1
and 2, …), which are no published climates but lie among them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from civlab.models.climate.compile import CompiledClimate, compile_climate
from civlab.models.climate.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import ClimateScenario, parse_scenario

MEMBERS = 1001
PATHWAYS = ("ssp119", "ssp126", "ssp245", "ssp370", "ssp434", "ssp460", "ssp534-over", "ssp585")


def ensemble(pathway: str, *, years: int = 350, members: int = MEMBERS) -> CompiledClimate:
    """A pathway from 1750 with the first `members` sets, and methane's lifetime left to the gases that are modelled."""
    scenario = parse_scenario(
        f"apiVersion: civlab/v1\nmodel: climate\ntitle: {pathway}\nticks: {years}\n"
        f"pathway: {{kind: family, name: {pathway}}}\n"
    )
    assert isinstance(scenario, ClimateScenario)
    compiled = compile_climate(scenario)
    published = np.array(compiled.sets)
    between = (published[:-1] + published[1:]) / 2
    sets = np.concatenate([published, between])[:members]
    amounts = compiled.years.copy()
    amounts["ch4_factor"] = 1.0
    return replace(
        compiled,
        digest=bytes(reversed(compiled.digest)),
        years=amounts,
        sets=tuple(tuple(float(value) for value in row) for row in sets),
    )


def world_of(scenarios: list[CompiledClimate], *, threads: int = 1) -> World:
    """All members of all scenarios in one batch, scenario by scenario."""
    members = [MemberSpec(k, k, scenario) for scenario in scenarios for k in range(len(scenario.sets))]
    return World.create(MODEL, members, seed=0, backend=Backend.cpu(threads))
