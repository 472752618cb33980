"""Logit weights of posted prices, against mpmath."""

from __future__ import annotations

import ctypes

import mpmath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.kernel
shared = settings(max_examples=200, deadline=None)

ONE = 2**32
PRICE = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 10**6))
BETA = st.one_of(st.integers(0, 2**63 - 1), st.integers(0, 20 * 2**32))


def weight(probe: ctypes.CDLL, price: int, least: int, mean: int, beta: int) -> int:
    """The kernel's weight."""
    u64 = ctypes.c_uint64
    return int(probe.probe_logit(u64(price), u64(least), u64(mean), ctypes.c_int64(beta)))


@given(PRICE, PRICE, PRICE.filter(bool), BETA)
@example(2**64 - 1, 0, 1, 2**63 - 1)
@example(1, 0, 2**64 - 1, 1)
@shared
def test_a_weight_is_within_one_unit_of_the_logit(
    probe: ctypes.CDLL, one: int, other: int, mean: int, beta: int
) -> None:
    least, price = sorted((one, other))
    with mpmath.workprec(200):
        exact = mpmath.exp(-mpmath.mpf(beta) / ONE * (price - least) / mean) * ONE
        assert abs(weight(probe, price, least, mean, beta) - exact) <= 1


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=20), BETA)
@shared
def test_the_cheapest_weighs_one_and_dearer_never_weighs_more(probe: ctypes.CDLL, prices: list[int], beta: int) -> None:
    mean = sum(prices) // len(prices)
    weights = [weight(probe, price, min(prices), mean, beta) for price in sorted(prices)]
    assert weights[0] == ONE
    assert weights == sorted(weights, reverse=True)


def test_without_choosing_or_without_prices_all_weigh_the_same(probe: ctypes.CDLL) -> None:
    assert weight(probe, 900, 1, 30, 0) == ONE
    assert weight(probe, 0, 0, 0, 5 * ONE) == ONE
    assert weight(probe, 2**64 - 1, 0, 0, 2**63 - 1) == ONE


def test_a_doubled_price_at_beta_one_halves_by_the_number_e(probe: ctypes.CDLL) -> None:
    assert weight(probe, 2000, 1000, 1000, ONE) == round(ONE / 2.718281828459045)
