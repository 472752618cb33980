"""What a civilisation takes of memory, against what its document announces before anything is allocated."""

from __future__ import annotations

import pytest

from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import builtin_scenario, estimate, override, parse_scenario


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"population.size": "2000", "ticks": "10"},
        {"population.size": "60000", "world.map.regions": "300", "world.map.sea": "0.9"},
        {"population.room": "3", "ticks": "2000"},
    ],
)
def test_memory_stays_within_the_estimate_and_close_to_it(values: dict[str, str]) -> None:
    scenario = override(parse_scenario(builtin_scenario("two-nations")), values)
    compiled = MODEL.compile(scenario)
    members = [MemberSpec(number, number, compiled) for number in range(2)]
    world = World.create(MODEL, members, seed=1, backend=Backend.cpu(1))
    announced = estimate(scenario, members=2).bytes
    assert 0.7 * announced < world.arrays.bytes() <= announced


def test_a_million_citizens_take_less_than_320_bytes_each() -> None:
    scenario = override(parse_scenario(builtin_scenario("two-nations")), {"population.size": "1000000"})
    assert estimate(scenario).bytes < 320 * scenario.agents
