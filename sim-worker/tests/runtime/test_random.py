"""Random numbers and permutations: known answers, and properties of a bijection."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

pytestmark = pytest.mark.kernel

KNOWN = [
    ((0, 0), (0, 0, 0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 4, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        (0xA4093822, 0x299F31D0),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]
"""Known answers of philox4x32-10 from Random123 (kat_vectors)."""


def words(*values: int) -> ctypes.Array[ctypes.c_uint32]:
    """A C array of 32-bit words."""
    return (ctypes.c_uint32 * len(values))(*values)


@pytest.mark.parametrize(("key", "counter", "expected"), KNOWN)
def test_philox_gives_the_known_answers(
    probe: ctypes.CDLL, key: tuple[int, ...], counter: tuple[int, ...], expected: str
) -> None:
    out = words(0, 0, 0, 0)
    probe.probe_philox(words(*key), words(*counter), out)
    assert " ".join(f"{word:08x}" for word in out) == expected


def permutation(probe: ctypes.CDLL, key: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of all elements, and elements of all places."""
    forth, back = np.zeros(size, "u4"), np.zeros(size, "u4")
    mixed = words(*np.random.default_rng(key).integers(0, 2**32, 4).tolist())
    probe.probe_permutation(mixed, size, ctypes.c_void_p(forth.ctypes.data), ctypes.c_void_p(back.ctypes.data))
    return forth, back


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 100, 1023, 1024, 1025, 99991, 100000])
def test_a_permutation_is_a_bijection_and_its_inverse_undoes_it(probe: ctypes.CDLL, size: int) -> None:
    forth, back = permutation(probe, 12345, size)
    assert np.array_equal(np.sort(forth), np.arange(size))
    assert np.array_equal(back[forth], np.arange(size))


def test_permutations_of_five_come_up_equally_often(probe: ctypes.CDLL) -> None:
    keys = 6_000
    seen: dict[tuple[int, ...], int] = {}
    for key in range(keys):
        order = tuple(int(x) for x in permutation(probe, key * 7919 + 1, 5)[0])
        seen[order] = seen.get(order, 0) + 1
    expected = keys / 120
    statistic = sum((count - expected) ** 2 / expected for count in seen.values()) + expected * (120 - len(seen))
    assert statistic < 190, "the 99.99 % point of chi-square with 119 degrees of freedom is 184"


def test_neighbours_are_torn_apart_as_in_a_random_permutation(probe: ctypes.CDLL) -> None:
    size = 100_000
    forth, _ = permutation(probe, 99, size)
    gaps = np.diff(forth.astype("i8"))
    assert abs(np.abs(gaps).mean() / (size / 3) - 1) < 0.01
    assert (np.abs(gaps) == 1).sum() < 12
    cycles, seen = 0, np.zeros(size, bool)
    for start in range(size):
        if not seen[start]:
            cycles += 1
            at = start
            while not seen[at]:
                seen[at] = True
                at = int(forth[at])
    assert 2 <= cycles <= 30, "a random permutation of 100,000 has about 12 cycles"


def places(probe: ctypes.CDLL, key: int, size: int, elements: np.ndarray) -> np.ndarray:
    """Places of some elements of a large domain; checks that the inverse finds them back."""
    place, back = np.zeros(len(elements), "u4"), np.zeros(len(elements), "u4")
    mixed = words(*np.random.default_rng(key).integers(0, 2**32, 4).tolist())
    addresses = [column.ctypes.data_as(ctypes.c_void_p) for column in (elements, place, back)]
    probe.probe_places(mixed, size, addresses[0], len(elements), *addresses[1:])
    assert np.array_equal(back, elements)
    return place


@pytest.mark.parametrize("size", [1_000, 1_000_003, 100_000_000])
def test_a_queue_of_any_length_is_shuffled_evenly(probe: ctypes.CDLL, size: int) -> None:
    """Chi-square over 100 stretches of the queue, fixed keys; its 99.99 % point with 99 degrees of freedom is 161."""
    elements = np.unique(np.linspace(0, size - 1, 20_000).astype("u4"))
    found = places(probe, 7, size, elements)
    assert np.unique(found).size == elements.size
    assert found.max() < size
    one_key = np.bincount(found.astype("u8") * 100 // size, minlength=100)
    expected = len(elements) / 100
    assert ((one_key - expected) ** 2 / expected).sum() < 161, "many elements under one key"
    first_two = np.array([places(probe, key, size, np.array([0, 1], "u4")) for key in range(2_000)])
    for column in range(2):
        by_key = np.bincount(first_two[:, column].astype("u8") * 100 // size, minlength=100)
        assert ((by_key - 20) ** 2 / 20).sum() < 161, "one element under many keys"
    tenths = first_two.astype("u8") * 10 // size
    both = np.bincount(tenths[:, 0] * 10 + tenths[:, 1], minlength=100)
    assert ((both - 20) ** 2 / 20).sum() < 161, "neighbours together"
