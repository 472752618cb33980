"""Fixed point, exact division, exp and log, against Python's exact integers and mpmath."""

from __future__ import annotations

import ctypes
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.kernel

U64 = st.integers(0, 2**64 - 1)
U63 = st.integers(0, 2**63 - 1)
LARGEST = float(np.finfo(float).max)
shared = settings(max_examples=120, deadline=None, suppress_health_check=[])


def pointer(array: np.ndarray) -> ctypes.c_void_p:
    """The address of an array's first element."""
    return ctypes.c_void_p(array.ctypes.data)


@given(st.integers(0, 2**31), st.integers(0, 2**31))
@shared
def test_a_product_of_shares_is_rounded_down_and_one_is_neutral(probe: ctypes.CDLL, a: int, b: int) -> None:
    assert probe.probe_q31_times(a, b) == a * b >> 31
    assert probe.probe_q31_times(a, 1 << 31) == a


@given(U63, st.integers(0, 2**31), U64)
@shared
def test_hazards_keep_their_digits(probe: ctypes.CDLL, hazard: int, factor: int, draw: int) -> None:
    u64 = ctypes.c_uint64
    assert probe.probe_q63_times(u64(hazard), factor) == hazard * factor >> 31
    assert probe.probe_q63_happens(u64(draw), u64(hazard)) == (draw >> 1 < hazard)


@given(st.integers(-(2**47), 2**47), st.integers(-(2**47), 2**47))
@shared
def test_ratios_round_towards_minus_infinity(probe: ctypes.CDLL, a: int, b: int) -> None:
    assert probe.probe_q32_times(ctypes.c_int64(a), ctypes.c_int64(b)) == a * b >> 32


@given(U64, U64, st.integers(1, 2**64 - 1))
@example(1, 1, 2)
@example(3, 1, 2)
@example(2**64 - 1, 2**64 - 1, 2**64 - 1)
@shared
def test_products_divide_to_the_floor_and_half_to_even(probe: ctypes.CDLL, a: int, b: int, divisor: int) -> None:
    if a > divisor:
        a %= divisor
    u64 = ctypes.c_uint64
    assert probe.probe_product_floor(u64(a), u64(b), u64(divisor)) == a * b // divisor
    assert probe.probe_product_half_even(u64(a), u64(b), u64(divisor)) == round(Fraction(a * b, divisor))


def units_away(found: float, exact: mpmath.mpf) -> float:
    """Distance in units of the last place of the true value."""
    return float(abs(mpmath.mpf(found) - exact) / mpmath.mpf(float(np.spacing(abs(float(exact))))))


def worst(function: object, truth: object, points: np.ndarray) -> float:
    """The greatest error of a function over points, in units of the last place."""
    out = np.zeros_like(points)
    function(pointer(points), pointer(out), len(points))  # type: ignore[operator]
    with mpmath.workprec(160):
        return max(units_away(y, truth(mpmath.mpf(x))) for x, y in zip(points.tolist(), out.tolist(), strict=True))  # type: ignore[operator]


def test_exp_is_within_one_unit_of_the_truth(probe: ctypes.CDLL) -> None:
    generator = np.random.default_rng(5)
    points = np.concatenate(
        [
            generator.uniform(-708.39, 709.78, 3000),
            generator.uniform(-1, 1, 3000),
            generator.normal(0, 1e-8, 500),
            [0.0],
        ]
    )
    assert worst(probe.probe_exponential, mpmath.exp, points) < 1.0


def test_log_is_within_one_unit_of_the_truth(probe: ctypes.CDLL) -> None:
    generator = np.random.default_rng(6)
    points = np.concatenate(
        [
            2.0 ** generator.uniform(-1022, 1023.9, 3000),
            generator.uniform(0.4, 2.2, 3000),
            1 + generator.normal(0, 1e-7, 500),
            [2.0, 0.5, 10.0],
        ]
    )
    assert worst(probe.probe_logarithm, mpmath.log, points) < 1.0


def test_exp_and_log_stay_finite_outside_their_range(probe: ctypes.CDLL) -> None:
    points = np.array([710.0, 1e300, -709.0, -1e300, 709.782712893384])
    out = np.zeros_like(points)
    probe.probe_exponential(pointer(points), pointer(out), len(points))
    assert out[:4].tolist() == [LARGEST, LARGEST, 0.0, 0.0]
    assert np.isfinite(out[4])
    points = np.array([0.0, -1.0, -0.0])
    out = np.zeros_like(points)
    probe.probe_logarithm(pointer(points), pointer(out), len(points))
    assert out.tolist() == [-LARGEST] * 3


@given(st.lists(st.integers(1, 2**64 - 1), min_size=2, max_size=40), U64, st.data())
@shared
def test_a_table_finds_the_first_value_whose_share_holds_the_draw(
    probe: ctypes.CDLL, bounds: list[int], draw: int, data: st.DataObject
) -> None:
    table = np.array(sorted(bounds), "u8")
    lowest = data.draw(st.integers(0, len(bounds) - 1))
    found = probe.probe_table_value(pointer(table), lowest, len(table), ctypes.c_uint64(draw))
    above = [v for v in range(lowest, len(table)) if draw < int(table[v])]
    assert found == (above[0] if above else len(table) - 1)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(0, 2000))
@shared
def test_a_rank_falls_into_the_bin_that_counts_it(probe: ctypes.CDLL, counts: list[int], rank: int) -> None:
    cumulative = np.cumsum(np.array(counts)).astype("u4")
    found = probe.probe_quantile(pointer(cumulative), len(cumulative), rank)
    expected = min(int(np.searchsorted(cumulative, rank, side="right")), len(counts) - 1)
    assert found == expected
