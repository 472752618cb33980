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


def test_hashes_of_arrays_tell_where_one_ends_and_the_next_begins() -> None:
    one = hash_arrays(b"x", [np.array([1, 2], "u1"), np.array([3], "u1")])
    other = hash_arrays(b"x", [np.array([1], "u1"), np.array([2, 3], "u1")])
    assert one != other


def test_the_digest_of_a_run_depends_on_the_order_of_its_members() -> None:
    first, second = b"a" * 32, b"b" * 32
    assert run_digest([first, second]) != run_digest([second, first])
