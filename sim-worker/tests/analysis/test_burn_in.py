"""The truncation rule against series whose transient is known: autoregressions, steps and trends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.analysis.burn_in import mser
from civlab.errors import CivlabError

pytestmark = pytest.mark.unit
MEAN = 10.0


def autoregression(*, ticks: int, persistence: float, start: float, seed: int) -> np.ndarray:
    """x_t = MEAN + persistence (x_(t-1) - MEAN) + a standard normal, from `start` above the mean."""
    from scipy.signal import lfilter  # takes as long as a test to import

    noise = np.random.default_rng(seed).normal(size=ticks)
    steps: np.ndarray = MEAN + lfilter([1], [1, -persistence], noise, zi=[persistence * start])[0]
    return steps


@pytest.mark.parametrize(("persistence", "start"), [(0.5, 80.0), (0.9, 80.0), (0.9, -300.0), (0.97, 200.0)])
def test_an_autoregressions_transient_is_cut_and_its_mean_is_found(persistence: float, start: float) -> None:
    """The transient is start * persistence^t; the mean of n stationary ticks has the error 1 / (1 - p) / sqrt(n)."""
    ticks, error = 4000, 1 / (1 - persistence) / np.sqrt(4000)
    faded = np.log(1 / abs(start)) / np.log(persistence)  # ticks until the transient is one deviation of the noise
    cuts = []
    for seed in range(15):
        found = mser(autoregression(ticks=ticks, persistence=persistence, start=start, seed=seed))
        assert found.found
        assert abs(found.mean - MEAN) < 4 * error
        cuts.append(found.tick)
    assert min(cuts) > 0.2 * faded
    assert np.median(cuts) < 2 * faded + 20


def test_a_stationary_series_loses_next_to_nothing() -> None:
    cuts = []
    for seed in range(20):
        found = mser(autoregression(ticks=4000, persistence=0.5, start=0.0, seed=seed))
        assert found.found
        cuts.append(found.tick)
    assert np.median(cuts) < 50


def test_a_step_is_cut_at_the_batch_in_which_it_ends() -> None:
    series = np.where(np.arange(300) < 62, 100.0, 1.0)
    assert (mser(series).tick, mser(series).mean) == (65, 1.0)
    assert mser(series, batch=1).tick == 62


@pytest.mark.parametrize(
    "course",
    [
        np.arange(400.0),
        -np.arange(400.0),
        np.exp(np.arange(400) / 40),
        np.where(np.arange(400) < 260, 0.0, 9.0),
        np.sqrt(np.arange(400.0)),
    ],
    ids=["rise", "fall", "growth", "late step", "slowing rise"],
)
def test_a_series_that_does_not_settle_is_said_to_be_too_short(course: np.ndarray) -> None:
    for seed in range(5):
        assert not mser(course + np.random.default_rng(seed).normal(size=400) * 0.3).found


def test_a_constant_series_is_stationary_from_the_start() -> None:
    found = mser(np.full(60, 7.5))
    assert (found.tick, found.found, found.mean, found.error) == (0, True, 7.5, 0.0)


@settings(max_examples=30)
@given(series=st.lists(st.floats(-1e6, 1e6), min_size=50, max_size=120))
def test_the_statistic_is_whites_formula(series: list[float]) -> None:
    """The formula of White (1997) written out with loops, over batches of five."""
    means = [sum(series[5 * i : 5 * i + 5]) / 5 for i in range(len(series) // 5)]
    n = len(means)
    found = mser(np.array(series)).statistic
    assert len(found) == n // 2 + 1
    for d, value in enumerate(found):
        kept = means[d:]
        centre = sum(kept) / len(kept)
        assert value == pytest.approx(sum((y - centre) ** 2 for y in kept) / (n - d) ** 2, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(
    ("series", "code"),
    [
        (np.zeros(49), "BURN_IN_TOO_SHORT"),
        (np.array([]), "BURN_IN_TOO_SHORT"),
        (np.append(np.zeros(99), np.nan), "BURN_IN_NOT_A_NUMBER"),
        (np.append(np.inf, np.zeros(99)), "BURN_IN_NOT_A_NUMBER"),
    ],
)
def test_a_series_that_the_rule_cannot_judge_is_refused(series: np.ndarray, code: str) -> None:
    with pytest.raises(CivlabError) as refused:
        mser(series)
    assert refused.value.code == code
