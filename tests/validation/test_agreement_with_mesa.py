"""civlab and Mesa each follow the law of their own round, and the laws meet where money is plentiful.

What Mesa, mesa-frames and civlab call a round differs (see boltzmann_laws), so with one unit each they come to rest at
different laws; a test that took them for one would have to be too coarse to find an error.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from validation.boltzmann_laws import (
    AT_ONCE,
    PAIRS,
    TURNS,
    Activation,
    distance,
    equal,
    geometric,
    gini,
    law_after,
    most_apart,
)
from validation.exchange_world import world_of

AGENTS, ROUNDS, MOST = 12_000, 30, 60


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize("money", [1, 3])
def test_civlab_and_mesa_follow_the_laws_of_their_rounds_and_no_other(money: int) -> None:
    from validation.mesa_peer import MesaRun  # takes as long as a test to import

    world = world_of(agents=AGENTS, money=money, rounds=ROUNDS)
    world.advance(ROUNDS)
    mesa = MesaRun.prepare(np.full(AGENTS, money), rounds=ROUNDS, seed=1)
    mesa.run()
    held = {"civlab": world.member_column("money", 0).astype(np.int64), "Mesa": mesa.held()}
    rules = {"civlab": PAIRS, "Mesa": TURNS}
    laws = {name: law_after(rule, equal(money, most=MOST), ROUNDS) for name, rule in rules.items()}
    for name, other in (("civlab", "Mesa"), ("Mesa", "civlab")):
        assert held[name].sum() == money * AGENTS
        assert distance(laws[name], held[name]) < most_apart(AGENTS) < distance(laws[other], held[name])


@pytest.mark.unit
@pytest.mark.parametrize("money", [1, 4])
def test_the_laws_rest_where_closed_forms_say(money: int) -> None:
    """Pairs at the geometric law, whose Gini is (1 + T)/(1 + 2 T); all at once at the queue M/D/1's idle share."""
    most, rounds = 30 * (1 + money), 60 * (1 + money) ** 2
    pairs = law_after(PAIRS, equal(money, most=most), rounds)
    assert np.allclose(pairs, geometric(money, most=most), atol=1e-7)
    assert math.isclose(gini(pairs), (1 + money) / (1 + 2 * money), rel_tol=1e-6)
    queue = law_after(AT_ONCE, equal(money, most=most), rounds)
    assert math.isclose(queue[0], math.sqrt(1 + money**2) - money, rel_tol=1e-6)


@pytest.mark.unit
@pytest.mark.parametrize("rule", [PAIRS, TURNS, AT_ONCE], ids=["pairs", "turns", "at once"])
def test_every_round_keeps_the_money_and_all_laws_become_exponential_as_money_grows(rule: Activation) -> None:
    apart, unequal = [], []
    for money in (1, 4, 16):
        most = 16 * (1 + money)
        law = law_after(rule, geometric(money, most=most), 40 + 2 * money**2)
        values = np.arange(most + 1)
        assert math.isclose(law @ values, money, rel_tol=1e-3)
        apart.append(np.abs(np.cumsum(law) - (1 - np.exp(-(values + 0.5) / money))).max())
        unequal.append(abs(gini(law) - 0.5))
    assert apart == sorted(apart, reverse=True)
    assert apart[-1] < 0.03
    assert unequal[-1] < 0.02
