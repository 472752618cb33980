"""Exact measures of inequality: the Gini coefficient and shares of the richest, in whole millionths.

They are worked out in integers from sorted holdings, so they have the same digits on every machine; and piece
by piece, since a copy of every holding would come on top of the largest world that fits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

MILLION = 1_000_000
LIMB = np.uint64(0xFFFFFFFF)
AT_A_TIME = 1 << 16
"""Entities that are worked on at a time: what comes in between then takes no memory to speak of."""


def parts(count: int) -> Iterator[slice]:
    """Cuts `count` entities into runs of AT_A_TIME, in order."""
    for first in range(0, count, AT_A_TIME):
        yield slice(first, min(first + AT_A_TIME, count))


def exact_sum(values: NDArray[np.uint64]) -> int:
    """The sum of fewer than 2^32 numbers, beyond 64 bits if need be."""
    runs = [values[part] for part in parts(len(values))]
    return sum((int((run >> np.uint64(32)).sum()) << 32) + int((run & LIMB).sum()) for run in runs)


def sums_between(ordered: NDArray[np.uint64], bounds: NDArray[np.int64]) -> NDArray[np.int64]:
    """The sums of holdings from each bound to the next, whose total is below 2^63; one element fewer than bounds."""
    return np.array([int(ordered[first:last].sum()) for first, last in itertools.pairwise(bounds)], dtype=np.int64)


def gini(ordered: NDArray[np.uint64]) -> int:
    """The Gini coefficient of ascending holdings whose sum is below 2^64, in millionths, halves up: sum of
    (2 i - n - 1) x_i over n times the total, i from 1; 0 where nobody holds anything."""
    count, total = len(ordered), int(ordered.sum())
    if total == 0:
        return 0
    # sum of i x_i = sum of the sums of the greatest 1, 2, … holdings
    ranked, richer, falling = 0, 0, ordered[::-1]
    for part in parts(count):
        sums = np.cumsum(falling[part])
        ranked += exact_sum(sums) + richer * len(sums)
        richer += int(sums[-1])
    above, below = MILLION * (2 * ranked - (count + 1) * total), count * total
    return (2 * above + below) // (2 * below)


def share_of_richest(ordered: NDArray[np.uint64], parts: int) -> int:
    """Share of the total that the richest of `parts` equal parts holds, in millionths, halves up; 0 of nothing."""
    total = int(ordered.sum())
    rich = int(ordered[len(ordered) - len(ordered) // parts :].sum())
    return (2 * MILLION * rich + total) // (2 * total) if total else 0
