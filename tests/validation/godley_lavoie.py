"""Godley and Lavoie's model SIM as a civilisation: one good made by labour alone, money from the government alone.

SIM (Monetary Economics, 2007, chapter 3) has Y = C + G, T = theta Y, YD = Y - T, C = alpha1 YD + alpha2 H(-1) and
H = H(-1) + YD - C, all in one period. A civilisation's week begins with pay, so what is sold in a week is earned in the
next: firms pay out all they hold, households spend, firms receive what households and the government spend. With H the
households' deposits at the week's end this leaves the book's equations as they are but for

    YD = (1 - theta) Y(-1),

and firms hold Y at the week's end. Rest is the book's, Y = G / theta and H = (1 - alpha1) / alpha2 YD; the way to it is
longer. From nothing, with G = 20, theta = 0.2, alpha1 = 0.6 and alpha2 = 0.4, the book's table 3.4 has Y = 38.5, 47.9 …
100, since income is earned and spent again within the period; here it is 20, 29.6, 36.8 … 100. At rest the government
owes H = 80 in the book and H + Y = 180 here, where the money on its way through firms is its debt too.

The good is one that keeps, so that what is not yet made comes out of store: SIM knows no limit of supply. Its price is
a millionth above the cost of labour, since a technology must leave some profit. People still die, if rarely, and what
they leave without heirs falls to the government: the equations take it out of H when it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.metrics import NATION_METRICS, cell_names
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

WEEKS = 120
BOOK = "0.6", "0.4", "0.2"
TABLE = 20.0, 38.5, 47.9, 100.0
"""Table 3.4: G, Y in the first two periods with it, and at rest."""
SERIES = {"product": "Y", "consumption": "C", "income": "YD", "deposits": "H"}


@dataclass(frozen=True)
class Economy:
    """Propensities to spend of income and of wealth, a week, and the share of income that is taxed."""

    of_income: Decimal
    of_wealth: Decimal
    tax: Decimal

    @classmethod
    def of(cls, of_income: str, of_wealth: str, tax: str) -> Economy:
        """From decimal text."""
        return cls(Decimal(of_income), Decimal(of_wealth), Decimal(tax))

    @property
    def wealth(self) -> Decimal:
        """Weeks of income that households own at rest."""
        return (1 - self.of_income) / self.of_wealth

    def document(self) -> str:
        """The scenario: households' share of wealth is a year's, and their first savings are those of rest."""
        return f"""\
apiVersion: civlab/v1
model: civilisation
title: The simplest model with government money
ticks: {WEEKS}
population: {{size: 3000}}
world:
  map: {{regions: 2}}
  nations:
    - name: Sim
      share: 1
      government:
        {{income_tax: {self.tax}, sales_tax: 0, profit_tax: 0, contributions: 0, benefit: 0, pension: 0,
         child_benefit: 0, debt: 0, purchases: fixed}}
people:
  mortality: 0.1
  total_fertility: 4
  retirement: 100
  health: {{onset: 0}}
  households: {{partner: 0, leave: 0.02}}
  schooling: {{basic: 0, trained: 1, expert: 0}}
  migration: {{rate: 0}}
economy:
  technology: {{kind: own, industries: {{manufactures: {{labour: 0.999999}}}}}}
  demand: {{consumption: {{manufactures: 1}}, government: {{manufactures: 1}}}}
  firms:
    {{employment: 0.5, learning: 1, adjustment: 0, building: 0, buffer: 0, payout: 0, cash: 1, debt: 0,
    surprises: 0}}
  prices: {{speed: 0, bound: 0, pressure: 0, freight: 0}}
  labour: {{wage: 8000000, quit: 0, search: 1, layoff: 1, flexibility: 0, progress: 0}}
  households: {{wealth: {52 * self.of_wealth}, savings: {self.wealth}, patience: 0, memory: 1}}
  credit: {{loan_to_value: 0, natural_rate: 0, inflation_target: 0, inflation: 0, growth: 0, spread: 0}}
  shocks: {{technology: 0, purchases: 0}}
climate: {{coupling: none}}
"""

    def path(
        self, *, purchases: float, deposits: float, cash: float, estates: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Y, C, YD and H by week from what households and firms hold at first; `estates` are lost to households by
        week."""
        rows, sold, held = [], cash, deposits
        for lost in estates:
            held -= lost
            earned = (1 - float(self.tax)) * sold
            spent = float(self.of_income) * earned + float(self.of_wealth) * held
            sold, held = spent + purchases, held + earned - spent
            rows.append((sold, spent, earned, held))
        return dict(zip(("Y", "C", "YD", "H"), np.array(rows).T, strict=True))


@dataclass(frozen=True)
class Course:
    """A civilisation's weeks beside the book's equations, in units of a hundredth of output at rest."""

    found: dict[str, NDArray[np.float64]]
    due: dict[str, NDArray[np.float64]]
    debt: float
    """Of the government at the end."""
    purchases: float
    unmet: float
    """Budgets that found no seller."""
    quiet: int
    """Weeks before the first estate without heirs."""

    def furthest(self) -> float:
        """Largest gap between the two in any week."""
        return float(max(np.abs(self.found[name] - self.due[name]).max() for name in self.due))


def held(world: World, name: str) -> int:
    """Sum of a column of money."""
    return sum(map(int, world.download(name)))


def put(world: World, name: str, values: NDArray[np.uint64]) -> None:
    """Sets a column before the first week."""
    world.arrays.put(name, world.backend.upload(values))


def empty(world: World) -> None:
    """Takes all money from households and firms: SIM's own beginning, before the government has bought anything."""
    base = world.download("base_money").copy()
    for name in ("deposit", "cash", "pool"):
        base -= held(world, name)
        put(world, name, np.zeros_like(world.download(name)))
    put(world, "base_money", base)


def simulate(economy: Economy, *, start: str = "rest", backend: Backend | None = None) -> Course:
    """A run from `rest`, from rest with a quarter `more` purchases, or from `nothing`."""
    compiled = compile_civilisation(parse_scenario(economy.document()))
    world = World.create(MODEL, [MemberSpec(0, 0, compiled)], seed=1, backend=backend or Backend.cpu(1))
    unit = held(world, "cash") / 100
    if start == "more":
        put(world, "purchases", world.download("purchases") * np.uint64(5) // np.uint64(4))
    elif start == "nothing":
        empty(world)
    world.arrays.put("column_digest", world.backend.upload(world.recount().reshape(-1)))
    purchases, deposits, cash = (held(world, name) / unit for name in ("purchases", "deposit", "cash"))
    world.advance(WEEKS)
    world.check()
    rows = world.member_rows("nation_rows", 0)[:, 0].astype("f8") / unit
    cells = dict(zip(cell_names(NATION_METRICS), rows.T, strict=True))
    return Course(
        found={symbol: cells[name] for name, symbol in SERIES.items()},
        due=economy.path(purchases=purchases, deposits=deposits, cash=cash, estates=cells["unclaimed"]),
        debt=float(cells["debt"][-1]),
        purchases=purchases,
        unmet=float(world.metrics(0, WEEKS)["unmet"].sum()),
        quiet=int(np.flatnonzero([*cells["unclaimed"], 1.0])[0]),
    )
