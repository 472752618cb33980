"""The sort of ragged segments against Python's stable sort, for any tiles, threads and lanes."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .segments import Segments

pytestmark = pytest.mark.kernel
shared = settings(max_examples=40, deadline=None)

LENGTHS = st.lists(st.integers(0, 300), min_size=1, max_size=12).filter(any)
KEYS = st.sampled_from([("u4", 3), ("u4", 9), ("u4", 32), ("u8", 1), ("u8", 17), ("u8", 64)])
"""Type of the keys, and how many of their bits are used."""


def keys_of(seed: int, count: int, dtype: str, bits: int) -> np.ndarray:
    """Random keys of so many bits."""
    return np.random.default_rng(seed).integers(0, 2**bits, count, dtype=dtype)


def sorted_by_python(lengths: list[int], keys: np.ndarray, items: np.ndarray) -> tuple[list[int], list[int]]:
    """Each segment's (key, item) in stable order."""
    pairs: list[tuple[int, int]] = []
    at = 0
    for length in lengths:
        segment = zip(keys[at : at + length].tolist(), items[at : at + length].tolist(), strict=True)
        pairs += sorted(segment, key=lambda pair: pair[0])
        at += length
    return [key for key, _ in pairs], [item for _, item in pairs]


@given(LENGTHS, KEYS, st.integers(0, 2**32), st.sampled_from([1, 7, 64, 4096]), st.integers(0, 90), st.integers(1, 4))
@shared
def test_segments_are_sorted_stably_whatever_the_tiles_and_threads(
    kernels: ctypes.CDLL, lengths: list[int], kind: tuple[str, int], seed: int, tile: int, room: int, threads: int
) -> None:
    keys = keys_of(seed, sum(lengths), *kind)
    items = keys_of(seed + 1, sum(lengths), "u4", 32)
    passes = -(-kind[1] // 8)
    world = Segments(kernels, lengths, tile=tile, room=room, threads=threads)
    world.begin_sort(keys, items, passes)
    found = world.sort()
    assert (found[0].tolist(), found[1].tolist()) == sorted_by_python(lengths, keys, items)
    assert not world.column["sort_pass"].reshape(-1, 2)[:, 0].any(), "the next sort begins with the first pass"
    room_left = np.setdiff1d(np.arange(world.slots), world.held)
    assert (world.column["key0"][room_left] == 0x5A).all(), "nothing beyond a segment's length is touched"
    assert (world.column["key1"][room_left] == 0x77).all()


@given(LENGTHS, KEYS, st.integers(0, 2**32), st.integers(1, 4))
@shared
def test_one_tile_sorts_a_short_segment(
    kernels: ctypes.CDLL, lengths: list[int], kind: tuple[str, int], seed: int, threads: int
) -> None:
    keys = keys_of(seed, sum(lengths), *kind)
    items = np.arange(sum(lengths), dtype="u4")
    world = Segments(kernels, lengths, room=3, threads=threads)
    world.begin_sort(keys, items, 8)
    found = world.sort_small()
    assert (found[0].tolist(), found[1].tolist()) == sorted_by_python(lengths, keys, items)
    assert np.array_equal(world.column["key0"][world.held], keys), "the input stays"


def test_a_short_segment_may_fill_a_tile(kernels: ctypes.CDLL) -> None:
    keys = keys_of(3, 4096, "u8", 64)
    world = Segments(kernels, [4096])
    world.begin_sort(keys, np.arange(4096), 8)
    assert np.array_equal(world.sort_small()[1], np.argsort(keys, kind="stable"))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_long_segment_beside_short_ones_keeps_the_order_of_equals(kernels: ctypes.CDLL, threads: int) -> None:
    lengths = [1, 60_000, 0, 5, 4096, 4097]
    keys = keys_of(4, sum(lengths), "u4", 12)
    items = np.arange(len(keys), dtype="u4")
    world = Segments(kernels, lengths, room=1000, threads=threads)
    world.begin_sort(keys, items, 2)
    segment = np.repeat(np.arange(len(lengths)), lengths)
    assert np.array_equal(world.sort()[1], np.lexsort((items, keys, segment)))


def test_a_second_sort_follows_segments_that_have_shrunk(kernels: ctypes.CDLL) -> None:
    keys = keys_of(5, 900, "u4", 16)
    world = Segments(kernels, [300, 600], tile=128)
    world.begin_sort(keys, np.arange(900), 2)
    world.sort()
    shorter = Segments(kernels, [200, 10], tile=128)
    shorter.begin_sort(keys[:210], np.arange(210), 2)
    for name in ("sort_count", "sort_base", "sort_pass"):
        kept = world.column[name][: len(shorter.column[name])]
        shorter.put(name, kept)
    expected = np.concatenate([np.argsort(keys[:200], kind="stable"), 200 + np.argsort(keys[200:210], kind="stable")])
    assert np.array_equal(shorter.sort()[1], expected)
