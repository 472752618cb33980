"""Facts of real economies in an ensemble of a hundred civilisations, and the estimators that measure them.

Sources stand beside each fact's band in stylised_facts. Facts that the model does not have are not asserted; the table
of validation.civilisation_facts lists them.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from validation.civilisation_ensemble import LARGE, MEMBERS, SMALL, Size, simulate
from validation.civilisation_facts import findings
from validation.economic_statistics import (
    autocorrelation,
    correlation,
    cycle,
    gini,
    l_kurtosis,
    slope,
    spread,
    spread_by_size,
    subbotin_shape,
    tail_exponent,
)

RANDOM = np.random.default_rng(11)
MANY = 200_000


@pytest.mark.kernel
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("size", "facts"), [pytest.param(SMALL, 17, id="in time"), pytest.param(LARGE, 1, id="sizes")])
def test_the_facts_that_the_model_is_said_to_have_lie_in_their_published_bands_over_a_hundred_seeds(
    size: Size, facts: int
) -> None:
    ensemble = simulate(size)
    assert ensemble.members == MEMBERS >= 100
    found = {finding.fact.name: finding.verdict for finding in findings(ensemble, size) if finding.fact.asserted}
    assert found == dict.fromkeys(found, "holds")
    assert len(found) == facts


@pytest.mark.unit
def test_the_trend_of_hodrick_and_prescott_takes_lines_and_leaves_fast_waves() -> None:
    """Its gain at a frequency w is 4 s (1 - cos w)^2 / (1 + 4 s (1 - cos w)^2).

    King and Rebelo 1993, Journal of Economic Dynamics and Control 17, 207.
    """
    time = np.arange(400.0)
    frequency = 2 * math.pi / 20
    wave = np.sin(frequency * time)
    strength = 4 * 1600 * (1 - math.cos(frequency)) ** 2
    left = cycle((3 + 0.5 * time + wave)[:, None])[:, 0]
    assert left[100:300] == pytest.approx(wave[100:300] * strength / (1 + strength), abs=1e-3)


@pytest.mark.unit
def test_correlations_and_slopes_are_those_of_the_process_that_made_the_sample() -> None:
    noise, other = RANDOM.normal(size=(2, 4000, 20))
    series = np.zeros_like(noise)
    for t in range(1, len(series)):
        series[t] = 0.6 * series[t - 1] + noise[t]
    series += 100 * np.arange(20)
    assert autocorrelation(series, 1) == pytest.approx(0.6, abs=0.01)
    assert autocorrelation(series, 3) == pytest.approx(0.6**3, abs=0.02)
    assert spread(series) == pytest.approx(1 / math.sqrt(1 - 0.36), rel=0.01)
    assert slope(series, -0.4 * series + other) == pytest.approx(-0.4, abs=0.01)
    assert correlation(series, series + spread(series) * other) == pytest.approx(math.sqrt(0.5), abs=0.01)


@pytest.mark.unit
@pytest.mark.parametrize("exponent", [1.06, 2.0])
def test_the_tail_of_a_pareto_sample_has_its_exponent(exponent: float) -> None:
    sizes = RANDOM.pareto(exponent, MANY) + 1
    assert tail_exponent(sizes) == pytest.approx(exponent, rel=0.03)


@pytest.mark.unit
def test_tents_and_bells_are_told_apart() -> None:
    for sample, kurtosis, shape in ((RANDOM.laplace(size=MANY), 17 / 72, 1), (RANDOM.normal(size=MANY), 0.1226, 2)):
        assert l_kurtosis(sample) == pytest.approx(kurtosis, abs=0.003)
        assert subbotin_shape(sample * 0.05 + 7) == pytest.approx(shape, rel=0.03)


@pytest.mark.unit
def test_the_fall_of_spread_with_size_is_that_of_the_sample() -> None:
    sizes = np.exp(RANDOM.uniform(0, 6, MANY))
    assert spread_by_size(sizes, RANDOM.normal(size=MANY) * sizes**-0.16) == pytest.approx(0.16, abs=0.01)


@pytest.mark.unit
def test_gini_of_exponential_holdings_is_a_half() -> None:
    """Dragulescu and Yakovenko 2001, European Physical Journal B 20, 585."""
    assert gini(RANDOM.exponential(size=MANY)) == pytest.approx(0.5, abs=0.005)
    assert gini(np.full(10, 3.0)) == pytest.approx(0, abs=1e-12)
