"""Totals of 128 bits in memory, their parallel sum, and counters that say so instead of wrapping."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .segments import Segments, limbs, whole

pytestmark = pytest.mark.kernel
shared = settings(max_examples=50, deadline=None)

LEAST, MOST = -(2**127), 2**127 - 1
I128 = st.one_of(
    st.integers(LEAST, MOST), st.integers(-5, 5), st.integers(MOST - 3, MOST), st.integers(LEAST, LEAST + 3)
)
I64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-9, 9))
U64 = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 9))


def at(array: np.ndarray) -> ctypes.c_void_p:
    """The address of an array, which lives as long."""
    return array.ctypes.data_as(ctypes.c_void_p)


@given(I128, I128)
@shared
def test_a_total_in_memory_adds_subtracts_and_compares(probe: ctypes.CDLL, total: int, value: int) -> None:
    for function, exact in ((probe.probe_wide_add, total + value), (probe.probe_wide_subtract, total - value)):
        held = limbs([total])
        fits = LEAST <= exact <= MOST
        assert function(at(held), at(limbs([value]))) == (not fits)
        assert whole(held) == [exact if fits else total]
    assert probe.probe_wide_compare(at(limbs([total])), at(limbs([value]))) == (total > value) - (total < value)


@given(st.lists(I128, max_size=30))
@example([MOST, MOST, LEAST, LEAST])
@example([MOST, 1, -1])
@shared
def test_a_sum_may_pass_128_bits_on_its_way(probe: ctypes.CDLL, values: list[int]) -> None:
    cells, total = np.zeros(4, "u8"), limbs([77])
    overflows = probe.probe_wide_sum(at(cells), at(limbs(values)), len(values), at(total))
    fits = LEAST <= sum(values) <= MOST
    assert overflows == (not fits)
    assert whole(total) == [sum(values) if fits else 77]


@given(st.lists(st.lists(st.integers(-(2**100), 2**100), max_size=60), min_size=1, max_size=5), st.integers(1, 4))
@shared
def test_tiles_add_to_one_total_at_once(kernels: ctypes.CDLL, values: list[list[int]], threads: int) -> None:
    world = Segments(kernels, [len(listed) for listed in values], tile=7, room=2, threads=threads)
    world.begin_sum([value for listed in values for value in listed])
    for _ in range(2):
        assert world.sum() == [sum(listed) for listed in values]


def test_a_sum_beyond_128_bits_is_a_fault_of_its_segment_and_tick(kernels: ctypes.CDLL) -> None:
    world = Segments(kernels, [2, 2, 10], tile=1)
    world.begin_sum([MOST, MOST, 1, 2, *([LEAST] * 5), *([MOST] * 5)])
    assert world.sum(tick=3)[1:] == [3, -5]
    assert world.faults() == [(3, 8), None, None]


@pytest.mark.parametrize("operation", range(3))
@given(I64, I64)
@shared
def test_signed_counters_saturate_and_name_themselves(probe: ctypes.CDLL, operation: int, a: int, b: int) -> None:
    exact = (a + b, a - b, a * b)[operation]
    out = np.zeros(1, "i8")
    fault = probe.probe_checked_i64(operation, ctypes.c_int64(a), ctypes.c_int64(b), at(out))
    nearest = min(max(exact, -(2**63)), 2**63 - 1)
    assert (int(out[0]), fault) == (nearest, 0 if nearest == exact else 7)


@pytest.mark.parametrize("operation", range(3))
@given(U64, U64)
@shared
def test_unsigned_counters_saturate_and_name_themselves(probe: ctypes.CDLL, operation: int, a: int, b: int) -> None:
    exact = (a + b, a - b, a * b)[operation]
    out = np.zeros(1, "u8")
    fault = probe.probe_checked_u64(operation, ctypes.c_uint64(a), ctypes.c_uint64(b), at(out))
    nearest = min(max(exact, 0), 2**64 - 1)
    assert (int(out[0]), fault) == (nearest, 0 if nearest == exact else 7)


@pytest.mark.parametrize("operation", range(2))
@given(I128, I128)
@shared
def test_totals_saturate_and_name_themselves(probe: ctypes.CDLL, operation: int, a: int, b: int) -> None:
    exact = (a + b, a - b)[operation]
    out = np.zeros(2, "u8")
    fault = probe.probe_checked_i128(operation, at(limbs([a])), at(limbs([b])), at(out))
    nearest = min(max(exact, LEAST), MOST)
    assert (whole(out), fault) == ([nearest], 0 if nearest == exact else 7)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 2), st.integers(0, 2**32 - 1)), min_size=1, max_size=20), st.data())
@shared
def test_the_first_fault_stays_whoever_comes_first(
    probe: ctypes.CDLL, raised: list[tuple[int, int]], data: st.DataObject
) -> None:
    faults = [(tick, code) for tick, code in raised if code]
    order = data.draw(st.permutations(raised))
    cell, out = np.zeros(1, "u8"), np.zeros(2, "u4")
    ticks, codes = (np.array(column, "u4") for column in zip(*order, strict=True))
    probe.probe_faults(at(cell), at(ticks), at(codes), len(order), at(out))
    if faults:
        assert tuple(out.tolist()) == min(faults, key=lambda fault: (fault[0], -fault[1]))
    else:
        assert cell[0] == 0


@given(st.one_of(st.integers(1, 2**127 - 1), st.integers(1, 2**64), st.integers(1, 9)), U64, st.integers(0, 2**127))
@example(2**64, 2**64 - 1, 2**64 - 1)
@example(2**64 - 1, 2**64 - 1, 2**64 - 2)
@example(1, 2**64 - 1, 0)
@example(2**63 + 2**32, 2**64 - 2, 2**63 + 2**32 - 3)  # the reciprocal's quotient needs its second correction
@example(2**127 - 1, 2**64 - 1, 2**127 - 2)
@example((2**63 << 64) - 1, 2**64 - 1, (2**63 << 64) - 2)
@settings(max_examples=200, deadline=None)
def test_a_product_of_192_bits_divides_exactly(probe: ctypes.CDLL, divisor: int, b: int, a: int) -> None:
    a %= divisor
    rest = np.zeros(2, "u8")
    found = probe.probe_divide_product(at(limbs([a])), ctypes.c_uint64(b), at(limbs([divisor])), at(rest))
    assert (found, whole(rest)[0]) == divmod(a * b, divisor)


@given(st.lists(I64, max_size=40))
@example([-(2**63)] * 40)
@example([2**63 - 1] * 40)
@shared
def test_a_column_of_64_bits_adds_up_in_128(probe: ctypes.CDLL, values: list[int]) -> None:
    column, sums = np.array(values, "i8"), np.zeros(4, "u8")
    probe.probe_sums(at(column), len(values), at(sums[:2]), at(sums[2:]))
    assert whole(sums) == [sum(values), sum(column.view("u8").tolist())]
