"""The uniform-price call against a search of the whole ladder, and against an exchange whose price is known."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .segments import whole
from .test_share import rationed

pytestmark = pytest.mark.kernel
shared = settings(max_examples=120, deadline=None)

QUANTITY = st.one_of(st.integers(0, 4), st.integers(0, 2**64 - 1))
LADDERS = st.lists(st.tuples(QUANTITY, QUANTITY), min_size=1, max_size=40)
ORDERS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12)), max_size=30)
"""Limits and quantities."""


@dataclass(frozen=True)
class Clearing:
    """What a call reports: price, limits where the volume runs out, what those share, volume and excess."""

    step: int
    bid_step: int
    ask_step: int
    bid_left: int
    ask_left: int
    volume: int
    excess: int


def address(array: np.ndarray) -> ctypes.c_void_p:
    """The address of an array, which lives as long."""
    return array.ctypes.data_as(ctypes.c_void_p)


def clear(probe: ctypes.CDLL, demand: list[int], supply: list[int]) -> Clearing:
    """The kernel's clearing."""
    out = np.zeros(9, "u8")
    probe.probe_auction(address(np.array(demand, "u8")), address(np.array(supply, "u8")), len(demand), address(out))
    return Clearing(*(int(x) for x in out[:5]), *whole(out[5:]))


def curves(demand: list[int], supply: list[int]) -> list[tuple[int, int]]:
    """Demand and supply at every price."""
    return [(sum(demand[k:]), sum(supply[: k + 1])) for k in range(len(demand))]


@given(LADDERS)
@example([(2**64 - 1, 2**64 - 1)] * 1024)
@example([(0, 0)] * 3)
@example([(5, 0), (0, 5)])
@shared
def test_the_price_has_the_most_volume_then_the_least_excess_then_is_the_lowest(
    probe: ctypes.CDLL, ladder: list[tuple[int, int]]
) -> None:
    demand, supply = [d for d, _ in ladder], [s for _, s in ladder]
    at = curves(demand, supply)
    best = min(range(len(at)), key=lambda k: (-min(at[k]), abs(at[k][0] - at[k][1]), k))
    found = clear(probe, demand, supply)
    assert (found.step, found.volume, found.excess) == (best, min(at[best]), at[best][0] - at[best][1])
    assert sum(demand[found.bid_step + 1 :]) + found.bid_left == found.volume
    assert sum(supply[: found.ask_step]) + found.ask_left == found.volume
    assert found.bid_left <= demand[found.bid_step]
    assert found.ask_left <= supply[found.ask_step]
    if found.volume:
        assert found.ask_step <= found.step <= found.bid_step, "nobody trades beyond their limit"


def fill(
    probe: ctypes.CDLL, ladders: tuple[list[int], list[int]], orders: list[tuple[int, int]], *, bids: bool
) -> list[int]:
    """What each order gets."""
    count = len(orders)
    limit, quantity = np.array([x for x, _ in orders], "u4"), np.array([q for _, q in orders], "u8")
    filled, scratch = np.zeros(count, "u8"), np.zeros(2 * count, "u8")
    sides = [np.array(side, "u8") for side in ladders]
    columns = address(limit), address(quantity), count, address(filled), address(scratch)
    probe.probe_auction_fill(address(sides[0]), address(sides[1]), len(sides[0]), int(bids), *columns)
    return [int(x) for x in filled]


def served_by_priority(orders: list[tuple[int, int]], volume: int, *, bids: bool) -> list[int]:
    """Better limits first; the limit at which the volume runs out is rationed by the largest remainder."""
    out = [0] * len(orders)
    for limit in sorted({limit for limit, _ in orders}, reverse=bids):
        place = [i for i, order in enumerate(orders) if order[0] == limit]
        for i, quantity in zip(place, rationed(volume, [orders[i][1] for i in place]), strict=True):
            out[i] = quantity
            volume -= quantity
    return out


@given(ORDERS, ORDERS)
@shared
def test_better_limits_trade_first_and_the_last_limit_is_rationed(
    probe: ctypes.CDLL, bids: list[tuple[int, int]], offers: list[tuple[int, int]]
) -> None:
    demand, supply = ([sum(q for x, q in side if x == k) for k in range(9)] for side in (bids, offers))
    found = clear(probe, demand, supply)
    bought, sold = fill(probe, (demand, supply), bids, bids=True), fill(probe, (demand, supply), offers, bids=False)
    assert bought == served_by_priority(bids, found.volume, bids=True)
    assert sold == served_by_priority(offers, found.volume, bids=False)
    assert sum(bought) == sum(sold) == found.volume


@given(
    st.lists(
        st.tuples(st.integers(1, 99), st.integers(10**9, 10**12), st.integers(10**9, 10**12)), min_size=2, max_size=12
    )
)
@settings(max_examples=25, deadline=None)
def test_an_exchange_of_cobb_douglas_traders_clears_within_one_step_of_its_closed_form(
    probe: ctypes.CDLL, traders: list[tuple[int, int, int]]
) -> None:
    """A trader who spends the share a of a wealth m + p x on the good wants a (m + p x) / p of it, so the market clears
    at p = sum(a m) / sum((1 - a) x) (Mas-Colell, Whinston, Green: Microeconomic Theory, 1995, example 15.B.1).
    """
    exact = Fraction(sum(a * m for a, m, _ in traders), sum((100 - a) * x for a, _, x in traders))
    steps = 256
    step = exact / Fraction(7 * steps, 16)
    demand_at, supply_at = [0] * (steps + 1), [0] * steps
    for k in range(steps):
        price = step * (k + 1)
        for a, m, x in traders:
            net = Fraction(a * m, 100) / price - Fraction((100 - a) * x, 100)
            demand_at[k] += max(0, int(net))
            supply_at[k] += max(0, int(-net))
    demand = [demand_at[k] - demand_at[k + 1] for k in range(steps)]
    supply = [supply_at[k] - (supply_at[k - 1] if k else 0) for k in range(steps)]
    found = clear(probe, demand, supply)
    assert abs(step * (found.step + 1) - exact) <= step
