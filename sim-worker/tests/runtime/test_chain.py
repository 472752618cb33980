"""Digests and links of the chain, against the reference library and exact sums."""

from __future__ import annotations

import ctypes

import blake3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.runtime.chain import hash_arrays, head_bytes, head_words, run_digest

pytestmark = pytest.mark.kernel
shared = settings(max_examples=100, deadline=None)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
@shared
def test_a_link_is_the_keyed_blake3_of_its_message(probe: ctypes.CDLL, head: bytes, message: bytes) -> None:
    words = head_words(head).copy()
    block = np.frombuffer(message, "u4").copy()
    probe.probe_link(ctypes.c_void_p(words.ctypes.data), ctypes.c_void_p(block.ctypes.data))
    assert head_bytes(words) == blake3.blake3(message, key=head).digest()


def digest(probe: ctypes.CDLL, column: int, index: int, before: int, after: int) -> tuple[int, int]:
    """The digest of one change."""
    out = (ctypes.c_uint64 * 2)()
    probe.probe_digest(column, index, before, after, out)
    return out[0], out[1]


def test_a_change_and_its_undoing_cancel_and_zero_adds_nothing(probe: ctypes.CDLL) -> None:
    there, back = digest(probe, 3, 17, 5, 9), digest(probe, 3, 17, 9, 5)
    assert [(a + b) % 2**64 for a, b in zip(there, back, strict=True)] == [0, 0]
    assert digest(probe, 3, 17, 0, 0) == (0, 0)


def test_terms_of_different_columns_indices_and_values_differ(probe: ctypes.CDLL) -> None:
    terms = {digest(probe, c, i, 0, v) for c in range(9) for i in range(40) for v in range(1, 40)}
    assert len(terms) == 9 * 40 * 39
    assert len({low for low, _ in terms}) == len({high for _, high in terms}) == len(terms)


def terms(probe: ctypes.CDLL, column: int, index: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Both lanes of the terms of 64-bit elements, [2, elements]."""
    index, value = np.ascontiguousarray(index, "u8"), np.ascontiguousarray(value, "u8")
    lanes = np.empty((2, len(index)), "u8")
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (index, value, lanes[0], lanes[1])]
    probe.probe_terms(column, *pointers[:2], len(index), *pointers[2:])
    return lanes


def splitmix64(state: int) -> int:
    """SplitMix64's finaliser, after Vigna's public-domain code."""
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
    return state ^ state >> 31


@given(st.integers(0, 64), st.integers(0, 2**40), st.integers(1, 2**64 - 1))
@shared
def test_a_term_of_64_bits_is_the_stated_formula(probe: ctypes.CDLL, column: int, index: int, value: int) -> None:
    key = (index + 1) * 0x9E3779B97F4A7C15 + (column + 1) * 0xA0761D6478BD642F
    low = splitmix64((value + key) % 2**64)
    high = (low + value) % 2**64
    high = (high ^ high >> 32) * 0xD6E8FEB86659FD93 % 2**64
    found = terms(probe, column, np.array([index]), np.array([value], "u8"))
    assert found.reshape(-1).tolist() == [low, high ^ high >> 32]


def test_errors_that_conserve_a_sum_hide_from_16_bits_of_a_digest_as_often_as_chance_has_it(
    probe: ctypes.CDLL,
) -> None:
    count, rng = 1 << 20, np.random.default_rng(1)
    payer, payee = rng.integers(0, 1 << 20, (2, count))
    payee += payer == payee
    holds, has = rng.integers(1_000, 1 << 20, (2, count))
    paid = rng.integers(1, 500, count)
    changes = (
        terms(probe, 3, payer, holds - paid)
        - terms(probe, 3, payer, holds)
        + terms(probe, 3, payee, has + paid)
        - terms(probe, 3, payee, has)
    )
    for low_from in (0, 28, 56):
        for high_from in (0, 28, 56):
            hidden = (changes[0] >> np.uint64(low_from) & 255 == 0) & (changes[1] >> np.uint64(high_from) & 255 == 0)
            assert hidden.sum() == pytest.approx(count / 2**16, abs=5 * (count / 2**16) ** 0.5)


def test_hashes_of_arrays_tell_where_one_ends_and_the_next_begins() -> None:
    one = hash_arrays(b"x", [np.array([1, 2], "u1"), np.array([3], "u1")])
    other = hash_arrays(b"x", [np.array([1], "u1"), np.array([2, 3], "u1")])
    assert one != other


def test_the_digest_of_a_run_depends_on_the_order_of_its_members() -> None:
    first, second = b"a" * 32, b"b" * 32
    assert run_digest([first, second]) != run_digest([second, first])
