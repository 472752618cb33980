"""The climate model and FaIR give the same climates: to a millionth of a kelvin in every member and year."""

from __future__ import annotations

import numpy as np
import pytest

from validation.climate_ensemble import MEMBERS, ensemble, world_of
from validation.fair_peer import prepare

YEARS = 350
PATHWAYS = ("ssp245", "ssp534-over")


@pytest.mark.kernel
@pytest.mark.long
def test_a_thousand_and_one_members_follow_fair_within_a_millionth_of_a_kelvin() -> None:
    """FaIR 2.2, calibration 1.4.1, CO2, CH4 and N2O from emissions, other forcing prescribed, no noise."""
    scenarios = [ensemble(name, years=YEARS) for name in PATHWAYS]
    fair = prepare(scenarios)
    fair.run()
    world = world_of(scenarios)
    world.advance(YEARS)
    ours = world.metrics(0, YEARS)
    shape = (YEARS, len(PATHWAYS), MEMBERS)
    theirs = fair.temperature()
    assert np.ptp(theirs[-1, 1]) > 1
    assert np.abs(ours["temperature"].reshape(shape) - theirs).max() < 1e-6
    for gas, close in (("CO2", 1e-4), ("CH4", 1e-4), ("N2O", 1e-6)):
        assert np.abs(ours[gas.lower()].reshape(shape) - fair.concentration(gas)).max() < close
