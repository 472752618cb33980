"""When the fuel is gone a world goes on, poorer, by the energy that needs none; without such energy it stands still."""

from __future__ import annotations

import numpy as np
import pytest

from civlab.models.civilisation.layout import GOODS
from civlab.runtime.world import World

from .civilisations import column, compiled, world_of

pytestmark = pytest.mark.kernel

ENERGY, FUEL = GOODS.index("energy"), GOODS.index("fuel")
WEEKS = 156


def ended(renewable: str) -> World:
    """A world of 3,000 in its third year, after a quarter's fuel."""
    more = (
        "  fuel: {years: 0.25, spread: 0.1}\n"
        f"economy: {{energy: {{renewable: {renewable}}}}}\nclimate: {{coupling: none}}\n"
    )
    world = world_of(compiled(size=3000, regions=2, nations=1, ticks=WEEKS, more=more))
    world.advance(WEEKS)
    record = world.members[0].scenario.record[0]
    grain = int(record["extraction"][FUEL])
    assert column(world, "reserve")[:, 1].max() == 0
    assert int(column(world, "reserve")[:, 0].max()) < grain, "less than a lot is left in the ground"
    return world


def wide(world: World, name: str) -> list[int]:
    """A metric of 128 bits, by week."""
    return [int(low) + (int(high) << 64) for low, high in world.metrics(0, WEEKS)[name][:, 0]]


def test_energy_that_needs_no_fuel_is_still_made_and_all_prices_stay_within_bounds() -> None:
    world = ended("0.5")
    sold = wide(world, "energy_sold")
    assert min(sold[-52:]) > max(sold[:8]) / 50
    assert sum(wide(world, "fuel_burnt")[-26:]) < sum(wide(world, "fuel_burnt")[:26]) / 1000
    metrics = world.metrics(0, WEEKS)
    real = metrics["product_real"][:, 0].astype("f8")
    assert 0 < real[-26:].mean() < real[:8].mean()
    assert metrics["price_level"].max() < 30 * 10_000
    assert (column(world, "energy_price") <= 8 * column(world, "level")).all()


def test_without_such_energy_next_to_nothing_is_sold() -> None:
    """What is left is energy that stood in stores."""
    sold = wide(ended("0"), "energy_sold")
    assert sum(sold[-26:]) < sum(sold[:26]) / 1000


def test_firms_that_find_no_fuel_let_their_people_go() -> None:
    world = ended("0.5")
    there = column(world, "industry")[:, 0] == FUEL
    assert int(column(world, "staff")[there].sum()) <= 1, "excess is dismissed by and by"
    assert np.count_nonzero(there) >= 2
