"""Mark-0 (Gualdi, Tarzia, Zamponi and Bouchaud 2015) tips between full employment and none; so does a civilisation.

The place of the transition is that of the paper's rules, run by the short program of `mark0`, whose rules are those of
the authors' own (github.com/KarlNaumann/Mark0). The civilisation tips elsewhere; by how much must follow from the rules
in which it differs, one by one.
"""

from __future__ import annotations

import numpy as np
import pytest

from civlab.runtime.backend import Backend
from validation.mark0 import ADAPTED, HEADS, PAPER, WEEKS, Rules, civilisation, employable, mark0, place_of

AROUND = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6)


def place(rules: Rules) -> float:
    """Where a program of Mark-0 tips."""
    return place_of(AROUND, [float(mark0(ratio, rules, steps=WEEKS)[-1]) for ratio in AROUND])


@pytest.mark.long
def test_the_papers_rules_tip_between_six_and_eight_tenths() -> None:
    for seed in range(2):
        assert mark0(0.6, PAPER, seed=seed)[-200:].mean() > 0.8
        assert mark0(0.8, PAPER, seed=seed)[-200:].mean() < 0.05
    assert place(PAPER) == pytest.approx(0.7, abs=0.05)


@pytest.mark.long
def test_what_differs_moves_the_place_as_much_as_it_makes_in_vain() -> None:
    even = place(Rules(even_prices=True))
    by_offer = place(Rules(even_prices=True, by_offer=True, idle=True))
    again = place(Rules(even_prices=True, by_offer=True, idle=True, again=True))
    assert 0.5 < even < place(PAPER)
    assert by_offer == pytest.approx(even, abs=0.05)
    assert again > 1.8 * by_offer
    assert by_offer < place(ADAPTED) < 0.8 * again


@pytest.mark.kernel
@pytest.mark.long
def test_a_civilisation_tips_from_full_employment_to_nearly_none_where_its_rules_say() -> None:
    low, high = (0.1, 0.15, 0.2), (2.0, 5.0, 10.0)
    found = civilisation((*low, *AROUND[3:6], *high), seeds=2, backend=Backend.cpu(2))
    last = found[:, :, -50:].mean(axis=2)
    assert (last[:3] > 0.8).all()
    assert (last[6:] < 0.1).all()
    assert np.abs(found[:, :, 0] - 0.5).max() < 0.02, "all begin alike"
    tipping = place_of(AROUND[3:6], found[3:6, :, -1].mean(axis=1))
    assert tipping == pytest.approx(place(ADAPTED), rel=0.1)
    assert tipping > 1.2 * place(PAPER)
    due = [float(mark0(ratio, ADAPTED, steps=WEEKS)[-1]) for ratio in low]
    assert last[:3].mean(axis=1) == pytest.approx(due, abs=0.03)


@pytest.mark.kernel
def test_firms_are_as_large_as_the_adapted_rules_take_them_to_be() -> None:
    assert employable() == pytest.approx(HEADS, rel=0.03)
