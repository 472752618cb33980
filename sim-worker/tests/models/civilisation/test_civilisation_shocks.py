"""What befalls nations and firms by chance has the deviation and the memory that the scenario asks for."""

from __future__ import annotations

import numpy as np
import pytest

from civlab.models.civilisation.layout import WEEKS
from civlab.models.civilisation.model import MODEL
from civlab.runtime.backend import Backend
from civlab.runtime.world import World

from .civilisations import compiled, specs
from .economy_oracle_numbers import ONE, bell

MEMBERS, TICKS = 24, 208


@pytest.mark.unit
def test_the_bell_shaped_chance_is_nearly_normal() -> None:
    """Mean 0, variance 1; kurtosis 3 - 1.2 / 8 for a sum of eight uniform numbers (Irwin 1927; Hall 1927)."""
    words = np.random.default_rng(5).integers(0, 1 << 32, (60_000, 4), dtype="u8")
    drawn = np.array([bell(row) for row in words.tolist()]) / ONE
    assert drawn.mean() == pytest.approx(0, abs=0.015)
    assert drawn.var() == pytest.approx(1, abs=0.02)
    assert (drawn**4).mean() == pytest.approx(2.85, abs=0.08)


@pytest.mark.kernel
def test_nations_are_shocked_as_the_scenario_says_each_for_itself(backend: Backend) -> None:
    scenario = compiled(size=1000, regions=2, nations=2, ticks=TICKS)
    world = World.create(MODEL, specs([scenario] * MEMBERS), seed=3, backend=backend)
    swings, technology = [world.download("swing").copy()], [world.download("technology").copy()]
    for _ in range(TICKS):
        world.advance()
        swings.append(world.download("swing").copy())
        technology.append(world.download("technology").copy())
    swing = np.array(swings) / ONE
    moved = swing[1:] - 0.99766 * swing[:-1]
    assert moved.std() == pytest.approx(0.0114, rel=0.02)
    assert swing[0].max() == 0
    assert swing[-1].std() == pytest.approx(0.0114 * ((1 - 0.99766 ** (2 * TICKS)) / (1 - 0.99766**2)) ** 0.5, rel=0.3)
    leaps = np.diff(np.log(np.array(technology, "f8")), axis=0)
    assert leaps.std() == pytest.approx(0.002, rel=0.02)
    assert leaps.mean() == pytest.approx(0.01 / WEEKS, abs=0.0001)
    for draws in (moved, leaps):
        together = np.asarray(np.corrcoef(draws.T))
        assert np.abs(together - np.identity(len(together))).max() < 0.35
    assert abs(np.asarray(np.corrcoef(moved.ravel(), leaps.ravel()))[0, 1]) < 0.03


@pytest.mark.kernel
def test_without_shocks_nations_keep_to_their_rules(backend: Backend) -> None:
    calm = "economy: {shocks: {technology: 0, purchases: 0}}\n"
    world = World.create(MODEL, specs([compiled(size=1000, regions=2, nations=2, more=calm)]), seed=3, backend=backend)
    world.advance(30)
    assert not world.download("swing").any()
    growth = np.diff(world.download("technology"))
    assert not growth.any()
