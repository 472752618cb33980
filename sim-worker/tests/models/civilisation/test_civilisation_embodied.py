"""Energy that is embodied in goods against Leontief's inverse, and every joule that enters against where it went."""

from __future__ import annotations

import numpy as np
import pytest

from civlab.models.civilisation.layout import ENERGY_FLOWS, GOODS
from civlab.models.civilisation.production import production_of
from civlab.runtime.world import World
from parpour_contracts.scenario.civilisation.economy import EconomySection

from .civilisations import MeddledWorld, column, compiled, meddled

pytestmark = pytest.mark.kernel

QUIET = """\
people: {migration: {rate: 0}}
economy: {prices: {freight: 0}, labour: {progress: 0}}
climate: {coupling: none}
"""
"""No carriage, whose energy is no part of the technology, and nothing that disturbs the start's rest."""
WEEKS = 100
TOLERANCE = 1e-4
"""Of any good, when stores have turned over a few dozen times; what is missing falls tenfold in twenty weeks."""
STORES = ("embodied", "stock_embodied")


def embodied(world: World) -> int:
    """J embodied in all stores."""
    return sum(int(value) for name in STORES for value in column(world, name).reshape(-1))


def by_lot(world: World) -> np.ndarray:
    """J embodied in a lot of each good, over output in store and inputs."""
    industry, lot = column(world, "industry")[:, 0], world.members[0].scenario.record[0]["lot"].astype("f8")
    energy, units = (
        column(world, "stock_embodied").sum(axis=0, dtype="f8"),
        column(world, "stock").sum(axis=0, dtype="f8"),
    )
    for good in range(len(GOODS)):
        energy[good] += column(world, "embodied")[industry == good].sum(dtype="f8")
        units[good] += column(world, "inventory")[industry == good].sum(dtype="f8")
    return np.asarray(energy / units * lot)


def emptied(world: MeddledWorld) -> None:
    """Takes all embodied energy out of all stores, and out of the books."""
    for name in (*STORES, "book_embodied"):
        column(world, name)[:] = 0


def test_goods_that_begin_without_any_energy_take_on_leontiefs_intensities() -> None:
    """E = e (I - A)^-1 with e the primary energy that enters by a lot of fuel and of energy (Bullard and Herendeen
    1975, Energy Policy 3): worked out from the technology, which kernels have only row by row."""
    world = meddled(compiled(size=20_000, regions=4, ticks=WEEKS, more=QUIET))
    inputs = np.array(production_of(EconomySection()).inputs, "f8")
    record = world.members[0].scenario.record[0]
    entering = np.zeros(len(GOODS))
    fuel, energy = GOODS.index("fuel"), GOODS.index("energy")
    entering[fuel], entering[energy] = record["lot"][fuel] / 1000, record["renewable"][energy] / 1000
    due = np.linalg.solve(np.eye(len(GOODS)) - inputs.T, entering)
    emptied(world)
    far = []
    for weeks in (20, 20, WEEKS - 40):
        world.advance(weeks)
        far.append(float(np.abs(by_lot(world) / due - 1).max()))
    assert far[0] > 0.1
    assert far[1] < far[0] / 5
    assert far[2] < TOLERANCE


def test_primary_energy_is_in_stores_or_was_used_or_lost_to_the_joule() -> None:
    """Counted here from the flows of every week, over a year with carriage, moves and a climate."""
    world = meddled(compiled(ticks=52))
    flows = dict.fromkeys(ENERGY_FLOWS, 0)

    def count(now: World) -> None:
        totals = column(now, "flow_energy").sum(axis=0, dtype=object)
        for name, value in zip(ENERGY_FLOWS, totals, strict=True):
            flows[name] += int(value)

    before = embodied(world)
    world.acts = {"record": count}
    world.advance(world.ticks)
    assert embodied(world) == before + flows["primary"] - flows["embodied_used"] - flows["embodied_lost"]
    assert min(flows.values()) > 0
