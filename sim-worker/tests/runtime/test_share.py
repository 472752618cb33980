"""Apportionment and rationing by the largest remainder, against exact integers sorted by Python."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .segments import SHARE_PASSES_WIDE, Segments

pytestmark = pytest.mark.kernel
shared = settings(max_examples=60, deadline=None)

WITHOUT_WEIGHT, TOO_LARGE, UNFINISHED = 1, 2, 3
CLOSE = [719612150698182312, 922576386083076257, 817995855850670139, 295850362644840752]
"""Shares of 1950821238804798840 whose keys of 64 bits begin with the same two bits, which are not zero."""
WEIGHTS = st.one_of(
    st.lists(st.integers(0, 2**50), min_size=1, max_size=200),
    st.lists(st.integers(0, 3), min_size=1, max_size=200),
    st.integers(1, 200).map(lambda n: [7] * n),
)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Hamilton's method by its definition: floors, then one more to the largest remainders, the first of equals."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares


def rationed(supply: int, demands: Sequence[int]) -> list[int]:
    """Deliveries of a supply."""
    return list(demands) if supply >= sum(demands) else largest_remainder(supply, demands)


def short(function: object, total: int, weights: Sequence[int]) -> list[int]:
    """The shares by one lane."""
    count = len(weights)
    columns = np.array(weights, "u8"), np.zeros(count, "u8"), np.zeros(count, "u8")
    addresses = [ctypes.c_void_p(column.ctypes.data) for column in columns]
    function(ctypes.c_uint64(total), addresses[0], count, addresses[1], addresses[2])  # type: ignore[operator]
    return [int(share) for share in columns[1]]


@given(st.integers(0, 2**64 - 1), WEIGHTS.filter(any))
@example(2, [1, 1, 1])
@example(2**64 - 1, [2**63, 2**63 - 1])
@example(255, [1] * 256)
@shared
def test_one_lane_gives_out_the_total_by_largest_remainders(probe: ctypes.CDLL, total: int, weights: list[int]) -> None:
    assert short(probe.probe_apportion, total, weights) == largest_remainder(total, weights)


@given(st.integers(0, 2**52), WEIGHTS)
@shared
def test_one_lane_delivers_no_more_than_is_demanded_or_there_is(
    probe: ctypes.CDLL, supply: int, demands: list[int]
) -> None:
    found = short(probe.probe_ration, supply, demands)
    assert found == rationed(supply, demands)
    assert sum(found) == min(supply, sum(demands))
    assert all(share <= demand for share, demand in zip(found, demands, strict=True))


@given(
    st.lists(st.tuples(st.integers(0, 2**60), WEIGHTS.filter(any)), min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from([1, 13, 4096]),
    st.integers(0, 40),
    st.integers(1, 4),
)
@shared
def test_long_segments_are_shared_exactly_whatever_the_tiles_and_threads(
    kernels: ctypes.CDLL,
    segments: list[tuple[int, list[int]]],
    rations: bool,
    tile: int,
    room: int,
    threads: int,
) -> None:
    lengths = [len(weights) for _, weights in segments]
    world = Segments(kernels, lengths, tile=tile, room=room, threads=threads)
    every = [weight for _, weights in segments for weight in weights]
    world.begin_share(np.array(every, "u8"), [total for total, _ in segments], rations=rations)
    rule = rationed if rations else largest_remainder
    expected = [share for total, weights in segments for share in rule(total, weights)]
    for _ in range(2):
        assert world.share().tolist() == expected, "also the second time, in cells that the first has used"
    assert world.faults() == [None] * len(segments)


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=300).filter(any),
    st.integers(0, 2**64 - 2),
    st.integers(1, 3),
)
@example([2**64 - 1] * 300, 2**64 - 2, 1)
@example(CLOSE, -(-(1950821238804798840 << 64) // sum(CLOSE)), 1)
@shared
def test_sums_beyond_64_bits_are_shared_exactly(
    kernels: ctypes.CDLL, weights: list[int], part: int, threads: int
) -> None:
    total = sum(weights) * part // 2**64
    world = Segments(kernels, [len(weights)], tile=50, threads=threads)
    world.begin_share(np.array(weights, "u8"), [total], rations=True)
    assert world.share(passes=SHARE_PASSES_WIDE).tolist() == rationed(total, weights)
    assert world.faults() == [None]


def test_totals_beyond_64_bits_are_shared_exactly(kernels: ctypes.CDLL) -> None:
    weights = [3, 5, 7] * 100
    total = 2**70 + 12345
    world = Segments(kernels, [len(weights)])
    world.begin_share(np.array(weights, "u8"), [total], rations=False)
    assert world.share().tolist() == largest_remainder(total, weights)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_hundred_thousand_shares_with_many_equal_remainders(kernels: ctypes.CDLL, threads: int) -> None:
    generator = np.random.default_rng(8)
    weights = generator.choice([1, 2, 40, 41, 10**9], 100_000).astype("u8")
    total = int(weights.sum()) // 3 + 17
    world = Segments(kernels, [len(weights)], threads=threads)
    world.begin_share(weights, [total], rations=False)
    assert world.share().tolist() == largest_remainder(total, weights.tolist())


def test_shares_that_cannot_be_are_reported_by_segment(kernels: ctypes.CDLL) -> None:
    world = Segments(kernels, [2, 3, 1, 2])
    world.begin_share(np.array([0, 0, 1, 1, 1, 5, 1, 1], "u8"), [5, 4, 2**64, 0], rations=False)
    assert world.share(tick=6)[:5].tolist() == [0, 0, 2, 1, 1]
    assert world.faults() == [(6, WITHOUT_WEIGHT), None, (6, TOO_LARGE), None]


def test_too_few_passes_are_reported(kernels: ctypes.CDLL) -> None:
    world = Segments(kernels, [1000])
    world.begin_share(np.full(1000, 3, "u8"), [999], rations=False)
    world.share(passes=1)
    assert world.faults() == [(0, UNFINISHED)]
    world.put("fault", np.zeros(1, "u8"))
    assert world.share(passes=2).tolist() == [1] * 999 + [0], "ten bits of index are two passes"
    assert world.faults() == [None]
