"""Exact measures of inequality: the Gini coefficient and shares of the richest, in whole millionths.

They are worked out in integers from sorted holdings, so they have the same digits on every machine.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MILLION = 1_000_000
LIMB = np.uint64(0xFFFFFFFF)


def exact_sum(values: NDArray[np.uint64]) -> int:
    """The sum of fewer than 2^32 numbers, beyond 64 bits if need be."""
    return (int((values >> np.uint64(32)).sum()) << 32) + int((values & LIMB).sum())


def gini(ordered: NDArray[np.uint64]) -> int:
    """The Gini coefficient of ascending holdings whose sum is below 2^64, in millionths, halves up: sum of
    (2 i - n - 1) x_i over n times the total, i from 1; 0 where nobody holds anything."""
    count, total = len(ordered), int(ordered.sum())
    if total == 0:
        return 0
    ranked = exact_sum(np.cumsum(ordered[::-1]))
    # sum of i x_i = sum of the sums of the greatest 1, 2, … holdings
    above, below = MILLION * (2 * ranked - (count + 1) * total), count * total
    return (2 * above + below) // (2 * below)


def share_of_richest(ordered: NDArray[np.uint64], parts: int) -> int:
    """Share of the total that the richest of `parts` equal parts holds, in millionths, halves up; 0 of nothing."""
    total = int(ordered.sum())
    rich = int(ordered[len(ordered) - len(ordered) // parts :].sum())
    return (2 * MILLION * rich + total) // (2 * total) if total else 0
