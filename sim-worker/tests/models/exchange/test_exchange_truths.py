"""The stationary laws of random exchange against closed forms that owe nothing to the program.

Without saving, money ends up exponential with the mean as its temperature (Drăgulescu and Yakovenko, Eur. Phys. J. B
17, 2000, 723): on whole units every division of the money is equally likely, so one agent's share is geometric. With a
saving propensity it is close to a gamma law (Patriarca, Chakraborti and Kaski, Phys. Rev. E 70, 2004, 016104), whose
variance is exact (Lallouache, Jedidi and Chakraborti, Sci. Cult. 76, 2010). Seeds are fixed: a test that holds, holds.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from civlab.models.exchange.figures import shape, stationary_density
from civlab.results.inequality import gini

from .worlds import rested

pytestmark = pytest.mark.kernel

AGENTS = 40_000
MONEY = 10**6
LEVEL = 1e-4
"""Chance at which a Kolmogorov–Smirnov test would reject the truth if the seed were drawn."""
MOST_APART = math.sqrt(-math.log(LEVEL / 2) / 2 / AGENTS)
"""Its critical distance for independent agents; that the total is fixed makes the true one smaller."""
MEMORYLESS = ("{law: share-of-pair}", "{law: share-of-mean}", "{law: pooled}")


@pytest.mark.parametrize("law", MEMORYLESS)
def test_money_ends_up_exponential_with_the_mean_as_temperature_and_a_gini_of_one_half(law: str) -> None:
    held = rested(law, size=AGENTS, money=MONEY, ticks=80)
    assert stats.kstest(held, stats.expon(scale=MONEY).cdf).statistic < MOST_APART
    # Gail and Gastwirth (JRSS B 40, 1978, 350): for exponential samples the Gini has variance 1 / (12 (n - 1))
    found = gini(np.sort(held.astype("u8"))) / 1e6
    assert abs(found - 0.5) < 4 / math.sqrt(12 * (AGENTS - 1))


def test_fixed_payments_of_a_coin_end_up_geometric() -> None:
    held = rested("{law: fixed-amount, amount: 1}", size=AGENTS, money=4, ticks=500)
    values = np.arange(held.max() + 1)
    found = np.searchsorted(np.sort(held), values, side="right") / AGENTS
    assert np.abs(found - (1 - (4 / 5) ** (values + 1))).max() < MOST_APART


def test_what_a_fixed_payment_moves_are_whole_multiples_of_it() -> None:
    held = rested("{law: fixed-amount, amount: 7}", size=1000, money=70, ticks=60)
    assert not (held % 7).any()
    assert len(np.unique(held)) > 10


@pytest.mark.parametrize("saving", [0.25, 0.5, 0.9])
def test_saving_gives_the_gamma_law_of_patriarca_and_others(saving: float) -> None:
    held = rested(f"{{law: pooled, saving: {saving}}}", size=AGENTS, money=MONEY, ticks=150) / MONEY
    n = 1 + 3 * saving / (1 - saving)
    variance = (1 - saving) / (1 + 2 * saving)
    assert abs(held.var() - variance) < 4 * variance * math.sqrt((2 + 6 / n) / AGENTS)
    assert stats.kstest(held, stats.gamma(n, scale=1 / n).cdf).statistic < MOST_APART
    assert stats.kstest(held, stats.expon().cdf).statistic > 5 * MOST_APART


@pytest.mark.parametrize("saving", [0.0, 0.3, 0.9])
def test_the_chart_draws_the_gamma_law(saving: float) -> None:
    n = shape(saving)
    holding = np.array([0.05, 0.5, 1.0, 3.0])
    assert np.allclose(stationary_density(holding, saving), stats.gamma(n, scale=1 / n).pdf(holding), rtol=1e-12)


def test_the_gini_is_exact_beyond_64_bits() -> None:
    rng = np.random.default_rng(5)
    held = np.sort(rng.integers(0, 10**12, 40_000).astype("u8"))
    exact = sum((2 * i - len(held) - 1) * int(x) for i, x in enumerate(held, 1)) / (len(held) * int(held.sum()))
    assert gini(held) == round(exact * 1e6)
    assert gini(np.full(9, 5, "u8")) == 0
    assert gini(np.array([0, 0, 0, 8], "u8")) == 750_000
