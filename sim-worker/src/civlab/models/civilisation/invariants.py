"""The table of the invariants I1 to I18: each counted anew at the end of a run, and what it should be.

Kernels check them in every tick; this counts them once more from the columns and the history, in Python's own integers
and by other code, so that a run's files carry the proof with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.crowds import ILL, crowds
from civlab.models.civilisation.history import by_market, by_nation, integers, trade, wide
from civlab.models.civilisation.layout import GOODS, HIGHEST_PRICE
from civlab.models.civilisation.proofs import INVARIANTS, NUMBERED
from civlab.results.declaration import Table, TableColumn
from civlab.results.inequality import exact_sum
from civlab.results.schema import WIDE
from civlab.runtime.columns import metric_values
from civlab.runtime.world import World

Pair = tuple[int, int]
"""What was counted, and what it should be."""
FUEL, ENERGY = GOODS.index("fuel"), GOODS.index("energy")
CARBON_UNIT = 10**15
"""Kilograms of carbon are grams a GJ times mJ over this."""
AMOUNTS = (
    "deposit", "income", "crowd_deposit", "crowd_income", "cash", "loan", "capital", "inventory", "embodied", "stock",
    "stock_embodied", "treasury", "debt", "pool", "lent",
)  # fmt: skip
"""Columns of what cannot be negative."""


@dataclass(frozen=True)
class Count:
    """A member of a world at its end."""

    world: World
    number: int

    def column(self, name: str) -> np.ndarray:
        """A column of the member's entities."""
        return self.world.member_column(name, self.number)

    def total(self, name: str) -> int:
        """The exact sum of a column."""
        values = self.column(name)
        if values.dtype.kind == "i":
            return sum(int(value) for value in values.reshape(-1))
        return exact_sum(values.astype("u8").reshape(-1))

    def book(self, name: str) -> list[int]:
        """Numbers of 128 bits of the member."""
        return integers(self.column(name).reshape(-1, 2))

    def metric(self, name: str) -> int:
        """The sum of a metric over all ticks."""
        values = metric_values(self.world.model.metrics, self.world.member_rows("history", self.number))[name]
        return sum(int(value) for value in values[:, 0])

    def wide_metric(self, name: str) -> int:
        """The same for a metric of 128 bits."""
        values = metric_values(self.world.model.metrics, self.world.member_rows("history", self.number))[name]
        return sum(integers(values.reshape(-1, 2)))

    @cached_property
    def nations(self) -> dict[str, np.ndarray]:
        """Metrics of the nations."""
        return by_nation(self.world, self.number)

    def since_first(self, name: str) -> int:
        """The sum of a metric of all nations over the ticks after the first."""
        return sum(int(value) for value in self.nations[name][1:].reshape(-1))

    def at_first(self, name: str) -> int:
        """A stock of all nations at the end of the first tick."""
        return sum(int(value) for value in self.nations[name][0])

    def balance(self, stocks: Sequence[str], gains: Sequence[str], losses: Sequence[str]) -> int:
        """What stocks should have come to by the flows since the first tick."""
        return sum(map(self.at_first, stocks)) + sum(map(self.since_first, gains)) - sum(map(self.since_first, losses))


def goods(count: Count) -> Pair:
    """Units in all stores are those that the flows left."""
    return count.total("inventory") + count.total("stock"), sum(count.book("book_goods"))


def money(count: Count) -> Pair:
    """Deposits and equity are base money and all debts."""
    deposits = sum(map(count.total, ("deposit", "crowd_deposit", "cash", "treasury", "pool")))
    return deposits + count.total("equity"), sum(map(count.total, ("base_money", "loan", "debt")))


def energy(count: Count) -> Pair:
    """Energy in the ground and in stores, and what was dissipated, is what there was and what was gained."""
    there, gained, gone = count.book("book_energy")
    inventory, stock, industry = count.column("inventory"), count.column("stock"), count.column("industry")
    stored = sum(exact_sum(inventory[industry == good]) + exact_sum(stock[:, good]) for good in (FUEL, ENERGY))
    return sum(integers(count.column("reserve"))) + stored + gone, there + gained


def carbon(count: Count) -> Pair:
    """Carbon emitted is in the air or was taken up; and all fuel burnt was counted as carbon, or is due to be."""
    emitted, air, sinks = (int(value) for value in count.column("carbon").reshape(-1))
    burnt = count.wide_metric("fuel_burnt") - count.book("carbon_due")[0]
    of_fuel = burnt * int(count.world.members[count.number].scenario.lands["carbon_factor"][0])
    own = count.total("carbon_own") * CARBON_UNIT + count.total("carbon_rest")
    return (air + sinks, emitted) if of_fuel == own else (own, of_fuel)


def population(count: Count) -> Pair:
    """Citizens alive are those of the start, and births less deaths, and as many as their households have."""
    start = int(count.world.members[count.number].scenario.lands["citizens"][0])
    alive, housed = int(np.count_nonzero(count.column("household"))), count.total("size")
    if alive != housed:
        return housed, alive
    return alive + count.total("crowd_people"), start + count.metric("births") - count.metric("deaths")


def labour(count: Count) -> Pair:
    """Firms have as many employees as citizens have jobs, and no more in a crowd than it has able adults."""
    found = crowds(count.world, count.number)
    of_skill = found.citizens[..., 1:, :ILL].sum(axis=(1, 2, 4))
    in_crowds = int(np.minimum(found.staff, of_skill).sum())
    return count.total("staff"), int(np.count_nonzero(count.column("employer"))) + in_crowds


def firm_sheet(count: Count) -> Pair:
    """What firms hold is what their receipts and payments left."""
    losses = ("wages", "contributions", "spent", "interest", "taxes_profit", "repaid", "paid_out")
    return count.total("cash"), count.balance(("cash",), ("lent", "revenue"), losses)


def bank_sheet(count: Count) -> Pair:
    """Banks' capital and the dividends on their way are what interest and losses left."""
    gains, losses = ("interest", "interest_public", "rescues", "paid_out"), ("write_offs", "dividends")
    return count.total("equity") + count.total("pool"), count.balance(("equity", "pool"), gains, losses)


def household_sheet(count: Count) -> Pair:
    """What households hold is what income, spending and unclaimed estates left."""
    held = count.total("deposit") + count.total("crowd_deposit")
    return held, count.balance(("deposits",), ("income",), ("consumption", "unclaimed"))


def government_sheet(count: Count) -> Pair:
    """Treasuries less debts are what taxes and payments left."""
    gains = ("taxes_income", "taxes_sales", "taxes_profit", "contributions", "unclaimed")
    losses = ("benefits", "pensions", "child_benefits", "purchases", "interest_public", "rescues")
    due = count.balance(("treasury",), gains, losses) - count.at_first("debt")
    return count.total("treasury") - count.total("debt"), due


def trading(count: Count) -> Pair:
    """What nations sold abroad is what they bought there, and what the matrix of trade adds up to."""
    sold = trade(count.world, count.number)
    nations = sold.shape[1]
    inland = sum(int(value) for value in sold[:, np.arange(nations), :, np.arange(nations)].reshape(-1))
    exports = sum(int(value) for value in count.nations["exports"].reshape(-1))
    imports = sum(int(value) for value in count.nations["imports"].reshape(-1))
    abroad = sum(int(value) for value in sold.reshape(-1)) - inland
    return exports, imports if abroad == exports else abroad


def rationing(count: Count) -> Pair:
    """Units that were sold are units that were received, of all goods over the whole run."""
    markets = by_market(count.world, count.number)
    sold, received = (sum(integers(markets[name].reshape(-1, 2))) for name in ("sold", "received"))
    return sold, received


def land(count: Count) -> Pair:
    """Land by use is the area of all regions."""
    area = int(count.world.members[count.number].scenario.lands["area"][0])
    return count.total("land"), area * len(count.column("region_cell"))


def credit(count: Count) -> Pair:
    """What firms owe is what banks have lent."""
    return count.total("loan"), count.total("lent")


def inheritance(count: Count) -> Pair:
    """Estates went to heirs or fell to treasuries, to the unit."""
    unclaimed = sum(int(value) for value in count.nations["unclaimed"].reshape(-1))
    return count.metric("inherited") + unclaimed, count.metric("estates")


def negative(count: Count) -> Pair:
    """No amount is negative."""
    return sum(int((count.column(name).view("i8") < 0).sum()) for name in AMOUNTS), 0


def bounds(count: Count) -> Pair:
    """Prices and pay lie within their bounds."""
    outside = 0
    for name in ("price", "tariff", "wage", "level", "energy_price"):
        values = count.column(name)
        outside += int(((values < 1) | (values > HIGHEST_PRICE)).sum())
    return outside, 0


def chain(count: Count) -> Pair:
    """Every column of the state is what its changes add up to; both digests are those of the last full count."""
    world = count.world
    running, recount = (
        world.download(name).reshape(len(world.members), -1, 2)[count.number]
        for name in ("column_digest", "column_recount")
    )
    return int((running == recount).all(axis=1).sum()), len(world.model.dynamic)


COUNTS: tuple[Callable[[Count], Pair], ...] = (
    goods,
    money,
    energy,
    carbon,
    population,
    labour,
    firm_sheet,
    bank_sheet,
    household_sheet,
    government_sheet,
    trading,
    rationing,
    land,
    credit,
    inheritance,
    negative,
    bounds,
    chain,
)
"""I1 to I18, in the order of their numbers."""
STATED = INVARIANTS[:NUMBERED]


def invariants(world: World, number: int) -> Sequence[NDArray[Any]]:
    """The invariants of a member at the end, after `world.check()`."""
    count = Count(world, number)
    pairs = [counted(count) for counted in COUNTS]
    return [
        np.arange(1, len(pairs) + 1),
        np.arange(len(pairs)),
        np.arange(len(pairs)),
        wide(pair[0] for pair in pairs),
        wide(pair[1] for pair in pairs),
        wide(pair[0] - pair[1] for pair in pairs),
    ]


TABLES = (
    Table(
        "invariant",
        (
            TableColumn("number", pa.uint8(), "", "number of the invariant, 1 to 18"),
            TableColumn("invariant", pa.string(), "", "its name", tuple(stated.name for stated in STATED)),
            TableColumn("equation", pa.string(), "", "what holds", tuple(stated.equation for stated in STATED)),
            TableColumn("counted", WIDE, "", "what was counted at the end"),
            TableColumn("due", WIDE, "", "what it should be"),
            TableColumn("residue", WIDE, "", "the difference: 0"),
        ),
        rows=invariants,
        meaning="one row a member and invariant, counted at the end: "
        + "; ".join(f"I{place} {(rule.__doc__ or '').strip().rstrip('.')}" for place, rule in enumerate(COUNTS, 1)),
    ),
)
