"""The energy call against what is known of it: Cobb-Douglas exchange, uniform prices, priority in a shortage.

A civilisation of a few regions serves as the vessel: the test sets bids, budgets and stores, and runs the phases of the
call alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.models.civilisation.layout import CALLS, GOODS, LADDER
from civlab.models.civilisation.phases import PHASES
from civlab.runtime.world import World

from .civilisations import cell, column, compiled, world_of

pytestmark = pytest.mark.kernel

ENERGY = GOODS.index("energy")
QUANTUM = 1024
"""mJ."""
CALL = ("bid", "call", "margin", "allot", "deliver")
TOP, STEP = 240, 12
"""Step of the ladder at which the first industry in the order of priority bids, and how far the next is below."""
RICH = 2**60


@dataclass
class Grid:
    """A world of four regions in two nations in which only the energy call takes place."""

    world: World

    @classmethod
    def empty(cls, *, nations: int = 2) -> Grid:
        """Nobody bids, nobody offers, all firms are rich."""
        grid = cls(world_of(compiled(size=1000, regions=4, nations=nations, ticks=500)))
        for name in ("bid", "inventory", "spent"):
            grid.of(name)[:] = 0
        grid.of("cash")[:] = RICH
        return grid

    def of(self, name: str) -> np.ndarray:
        """A column to read and write; of one element an entity, without the second axis."""
        values = column(self.world, name)
        return values[:, 0] if values.shape[1] == 1 else values

    def run(self, *phases: str) -> None:
        """Runs phases by name."""
        for phase in PHASES:
            if phase.name in phases:
                self.world.run_phase(phase)

    def result(self, name: str) -> np.ndarray:
        """A cell of the call's result by nation."""
        return self.of("call")[:, cell(name, CALLS)]

    @property
    def sellers(self) -> np.ndarray:
        """Firms that make energy."""
        return np.flatnonzero(self.of("industry") == ENERGY)

    def region_of_firms(self) -> np.ndarray:
        """Region of each firm."""
        ends = self.world.arrays.column["cluster_end"]
        return np.asarray(np.searchsorted(ends, np.arange(len(self.of("industry"))), side="right"))

    def nation_of_firms(self) -> np.ndarray:
        """Nation of each firm."""
        return np.asarray(self.of("region_nation")[self.region_of_firms()], "i8")

    @property
    def lot(self) -> int:
        """mJ of a lot of energy."""
        return int(self.world.members[0].scenario.record[0]["lot"][ENERGY])

    def ladder(self, nation: int) -> list[int]:
        """The prices of the steps, from half the last price to one and a half times it."""
        last = int(self.of("energy_price")[nation])
        return [max(last * (LADDER // 2 + step) // LADDER, 1) for step in range(LADDER)]


def offer(grid: Grid, firms: np.ndarray, quanta: np.ndarray, price: int) -> None:
    """Sellers' stores and their posted price."""
    grid.of("inventory")[firms] = quanta * QUANTUM
    grid.of("price")[firms] = price


@settings(max_examples=25, deadline=None)
@given(
    budgets=st.lists(st.integers(0, 10**9), min_size=8, max_size=8).filter(lambda drawn: sum(drawn) > 10**7),
    stores=st.lists(st.integers(1, 10**6), min_size=4, max_size=4),
    scale=st.integers(70, 140),
)
def test_fixed_sums_on_a_fixed_supply_clear_at_the_closed_form_of_cobb_douglas_exchange(
    budgets: list[int], stores: list[int], scale: int
) -> None:
    """Who spends B of a Cobb-Douglas income on a supply Q pays p = B / Q and gets Q b / B for a sum b (Varian,
    Microeconomic Analysis, 1992, section 17.2)."""
    grid = Grid.empty(nations=1)
    first = [int(np.flatnonzero((grid.region_of_firms() == r) & (grid.of("industry") == ENERGY))[0]) for r in range(4)]
    total, lots = sum(budgets), Fraction(scale, 100) * sum(budgets) / 10_000
    quanta = [int(lots * grid.lot / QUANTUM * store / sum(stores)) + 1 for store in stores]
    grid.of("budget_households")[:, ENERGY] = budgets[:4]
    grid.of("budget_public")[:, ENERGY] = budgets[4:]
    offer(grid, np.array(first), np.array(quanta), 1)
    grid.run(*CALL)
    closed = Fraction(total * grid.lot, sum(quanta) * QUANTUM)
    ladder = grid.ladder(0)
    price = int(grid.result("price")[0])
    above = ladder[ladder.index(price) + 1]
    assert price - 1 <= closed <= above + 1
    assert int(grid.result("volume")[0]) == sum(quanta) == int(grid.of("energy_final").sum())
    for region in range(4):
        spent = budgets[region] + budgets[4 + region]
        bought = int(grid.of("energy_final")[region]) * QUANTUM
        exact = Fraction(spent * grid.lot)
        assert exact / above - 3 * QUANTUM <= bought <= exact / price
        paid = int(grid.of("paid_public")[region, ENERGY])
        assert paid <= budgets[4 + region]
        assert int(grid.of("fill")[region, ENERGY]) <= 2**32
    assert grid.of("inventory")[first].tolist() == [0] * 4


@pytest.mark.parametrize("ratio", [Fraction(1, 9), Fraction(9, 10), Fraction(1), Fraction(31, 7)])
def test_repeated_calls_find_the_closed_form_from_far_away(ratio: Fraction) -> None:
    grid = Grid.empty(nations=1)
    seller = grid.sellers[:1]
    budget = 10**9
    quanta = int(budget * grid.lot / (10_000 * ratio) / QUANTUM)
    closed = Fraction(budget * grid.lot, quanta * QUANTUM)
    for _ in range(80):
        grid.of("budget_households")[:, ENERGY] = [budget // 2, budget // 4, 0, 0]
        grid.of("budget_public")[:, ENERGY] = [0, budget // 4, 0, 0]
        offer(grid, seller, np.array([quanta]), 1)
        grid.run(*CALL, "govern")
    price, about = int(grid.result("price")[0]), int(grid.of("energy_price")[0])
    assert abs(closed - price) <= Fraction(about, LADDER) + 1
    assert abs(closed - about) <= 2 * Fraction(about, LADDER) + 4


ORDERS = st.lists(st.integers(0, 10**6), min_size=12, max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    bids=ORDERS,
    bidders=st.lists(st.integers(0, 10**6), min_size=12, max_size=12, unique=True),
    budgets=st.lists(st.integers(0, 10**5), min_size=8, max_size=8),
    stores=st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    prices=st.lists(st.integers(1, 30_000), min_size=4, max_size=4),
    last=st.lists(st.sampled_from([256, 1000, 10_000, 10**8]), min_size=2, max_size=2),
)
def test_every_call_is_that_of_a_brute_force_auction(
    bids: list[int], bidders: list[int], budgets: list[int], stores: list[int], prices: list[int], last: list[int]
) -> None:
    grid = Grid.empty()
    firms = len(grid.of("industry"))
    region, nation = grid.region_of_firms(), grid.nation_of_firms()
    for bid, bidder in zip(bids, bidders, strict=True):
        grid.of("bid")[bidder % firms] = bid
    wanted = grid.of("bid").astype("i8").copy()
    grid.of("energy_price")[:] = last
    grid.of("budget_households")[:, ENERGY] = budgets[:4]
    grid.of("budget_public")[:, ENERGY] = budgets[4:]
    for number, (store, price) in enumerate(zip(stores, prices, strict=True)):
        seller = grid.sellers[region[grid.sellers] == number][:1]
        offer(grid, seller, np.array([store]), price * last[int(grid.of("region_nation")[number])] // 10_000 + 1)
    offered = grid.of("inventory").astype("i8") // QUANTUM
    posted = grid.of("price").astype("i8").copy()
    limits = grid.world.members[0].scenario.record[0]["priority"][grid.of("industry")].astype("i8")
    grid.run(*CALL)
    got, sold = grid.of("bid").astype("i8"), offered - grid.of("inventory").astype("i8") // QUANTUM
    final, national = grid.of("energy_final").astype("i8"), grid.of("region_nation").astype("i8")
    assert (got <= wanted).all()
    for n in range(2):
        ladder, here = grid.ladder(n), nation == n
        spent = [b for r in range(4) if national[r] == n for b in (budgets[r], budgets[4 + r])]
        step, volume = brute_force(ladder, spent, grid.lot, (wanted[here], limits[here]), (offered[here], posted[here]))
        assert int(grid.result("price")[n]) == ladder[step]
        assert int(grid.result("volume")[n]) == volume == int(sold[here].sum())
        assert volume == int(got[here].sum()) + int(final[national == n].sum())
        marginal = int(grid.result("bid_step")[n])
        assert (got[here & (limits > marginal)] == wanted[here & (limits > marginal)]).all()
        assert not got[here & (limits < marginal)].any()
        cheap, dear = here & (posted <= ladder[step]), here & (posted > ladder[step])
        assert step == LADDER - 1 or not sold[dear].any()
        assert (sold[cheap] <= offered[cheap]).all()
    cost = [int(q) * QUANTUM * int(grid.result("price")[n]) // grid.lot for q, n in zip(got, nation, strict=True)]
    assert (RICH - grid.of("cash").astype("i8")).tolist() == cost == grid.of("spent").tolist()


def brute_force(
    ladder: list[int],
    budgets: list[int],
    lot: int,
    bids: tuple[np.ndarray, np.ndarray],
    offers: tuple[np.ndarray, np.ndarray],
) -> tuple[int, int]:
    """Step and volume of the call: of all prices that with the most trade, then the least excess, then the lowest."""
    found = []
    for step, price in enumerate(ladder):
        demand = int(bids[0][bids[1] >= step].sum()) + sum(budget * lot // price // QUANTUM for budget in budgets)
        last = step == len(ladder) - 1
        supply = int(offers[0].sum() if last else offers[0][offers[1] <= price].sum())
        found.append((-min(demand, supply), abs(demand - supply), step))
    volume, _, step = min(found)
    return step, -volume


def test_in_a_shortage_industries_are_served_in_the_order_of_their_priority() -> None:
    order = compiled().record[0]["priority"].astype("i8")
    assert sorted(order.tolist()) == [TOP - STEP * k for k in range(len(GOODS) - 1, -1, -1)]
    grid = Grid.empty(nations=1)
    industry = grid.of("industry").astype("i8")
    limits = order[industry]
    for share in (0, 1, 35, 50, 80, 99, 100):
        grid.of("spent")[:] = 0
        grid.of("bid")[:] = 1000 + np.arange(len(industry))
        wanted = grid.of("bid").astype("i8").copy()
        supply = int(wanted.sum()) * share // 100
        offer(grid, grid.sellers, np.array([0] * len(grid.sellers)), 1)
        offer(grid, grid.sellers[:1], np.array([supply]), 1)
        grid.run(*CALL)
        got = grid.of("bid").astype("i8")
        assert int(got.sum()) == supply
        left = supply
        for limit in sorted(set(limits.tolist()), reverse=True):
            tier = limits == limit
            due = min(left, int(wanted[tier].sum()))
            assert int(got[tier].sum()) == due
            if due < int(wanted[tier].sum()):
                fair = wanted[tier] * due / wanted[tier].sum()
                assert (np.abs(got[tier] - fair) < len(np.unique(grid.region_of_firms())) + 1).all()
            left -= due
