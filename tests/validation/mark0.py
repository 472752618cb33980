"""Mark-0's transition between full employment and none, in the paper's rules and in a civilisation reduced to them.

Gualdi, Tarzia, Zamponi and Bouchaud, Tipping points in macroeconomic agent-based models, J. Economic Dynamics and
Control 50, 2015, 29 (arXiv 1307.5319): firms make Y, are asked for D, and close a share of the gap a period, eta+ of it
by hiring and eta- by dismissing. By R = eta+/eta- an economy ends with nearly all at work or with nearly nobody.
`mark0` follows their rules with pay fixed and debt unlimited (Theta without bound). While R is small, firms make less
than is asked for, sell all of it above its cost and drain the households; while it is large they make too much, and
their losses feed the households.

The civilisation takes over the paper's numbers: half of income and wealth is spent a week, beta = 2, a tenth of the
excess of staff is dismissed a week, and prices over pay have the mean 1.039 and the deviation 3.6 %, independent from
week to week, which is what the paper's rule makes of gamma = 0.1 at any R. Firms begin with so much money that they
cannot fail, and pay none of it out. Its rules differ, and `Rules` has the differences one by one:

- prices are drawn around their mean and do not answer to what is asked for;
- buyers go by what a firm offers, not to all firms alike, so a firm is asked for more as it grows;
- a firm makes no more than it expects to sell, so staff are idle where the paper has goods unsold: the same money;
- whoever finds a firm sold out buys from another, so less is made in vain and households are drained sooner;
- firms count in heads: floor + 1 are half a head more than needed on average, and paid for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.metrics import NATION_METRICS, cell_names
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

FIRING = 0.1
MARKUP, DEVIATION = 1.039, 0.0364
"""Of prices over pay, which is one, and of prices over their mean: what the paper's rule comes to."""
WEEKS = 1000
FIRMS, CITIZENS = 240, 24_000
HEADS = 75
"""Of a firm when all work: citizens who may, over firms."""
SCENARIO = """\
apiVersion: civlab/v1
model: civilisation
title: Mark-0
ticks: {weeks}
population: {{size: {citizens}}}
world:
  map: {{regions: 2}}
  nations:
    - name: Mark
      share: 1
      government:
        {{income_tax: 0, sales_tax: 0, profit_tax: 0, contributions: 0, benefit: 0, pension: 0, child_benefit: 0,
         debt: 0, purchases: fixed}}
people:
  mortality: 0.1
  total_fertility: 2.2
  retirement: 100
  health: {{onset: 0}}
  households: {{partner: 0, leave: 0.02}}
  schooling: {{basic: 0, trained: 1, expert: 0}}
  migration: {{rate: 0}}
economy:
  technology: {{kind: own, industries: {{services: {{labour: {labour}, cover: 0, perish: 1}}}}}}
  demand: {{consumption: {{services: 1}}, government: {{services: 1}}}}
  firms:
    {{number: {firms}, employment: 0.5, learning: 1, adjustment: 0, building: 0, buffer: 0, payout: 0, cash: 10,
     debt: 0, dispersion: 0.1, surprises: 0}}
  prices: {{speed: 1, bound: 1, pressure: 0, freight: 0, noise: 0.063, choice: 2}}
  labour: {{wage: 8000000, quit: 0, search: 1, hiring: {hiring}, layoff: {firing}, flexibility: 0, progress: 0}}
  households: {{wealth: 26, savings: 1, patience: 0, memory: 1}}
  credit: {{loan_to_value: 0, natural_rate: 0, inflation_target: 0, inflation: 0, growth: 0, spread: 0}}
  shocks: {{technology: 0, purchases: 0}}
climate: {{coupling: none}}
"""

Course = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """Where Mark-0 leaves the paper; `spare` is staff beyond need over a firm's staff when all work."""

    even_prices: bool = False
    by_offer: bool = False
    idle: bool = False
    again: bool = False
    spare: float = 0.0


PAPER = Rules()
ADAPTED = Rules(even_prices=True, by_offer=True, idle=True, again=True, spare=0.5 / HEADS)


def mark0(ratio: float, rules: Rules = PAPER, *, steps: int = 3000, firms: int = 2000, seed: int = 0) -> Course:
    """Unemployment by step from half employment; household, firm, pay and productivity are one.

    c = 1/2, beta = 2, gamma = 0.1 and dividends of 2 % of profits as in the authors' program; no dividends where
    prices are even.
    """
    random = np.random.default_rng(seed)
    staff = 0.5 * (1 + 0.1 * random.uniform(-1, 1, firms))
    price = np.full(firms, MARKUP) if rules.even_prices else 1 + 0.1 * random.uniform(-1, 1, firms)
    cash = 2 * staff * random.random(firms)
    savings, asked, found = firms - cash.sum(), staff.copy(), np.empty(steps)
    mean = float((price * staff).sum() / staff.sum())
    for step in range(steps):
        idle = 1 - staff.sum() / firms
        lack = asked + rules.spare - staff
        seekers = idle * (staff / staff.mean() if rules.by_offer else 1)
        more = np.minimum(ratio * FIRING * lack, seekers)
        price = next_price(price, mean, lack, rules, random)
        staff = np.where(lack > 0, staff + more, np.maximum(staff + FIRING * lack, 0))
        staff *= min(1, firms / staff.sum())
        made = np.minimum(staff, asked) if rules.idle else staff
        mean = float((price * staff).sum() / staff.sum())
        budget = (staff.sum() + max(savings, 0)) / 2
        weight = np.exp(-2 * (price - price.min()) / mean) * (made * price if rules.by_offer else 1)
        money = budget * weight / weight.sum()
        asked = money / price
        earned = np.minimum(money, made * price)
        if rules.again:
            left = made * price - earned
            earned += left * min(1, (budget - earned.sum()) / max(left.sum(), 1e-300))
        profit = earned - staff
        cash += profit
        dividend = np.where((cash > 0) & (profit > 0) & (not rules.even_prices), 0.02 * profit, 0)
        cash -= dividend
        savings += dividend.sum() - profit.sum()
        found[step] = 1 - staff.sum() / firms
    return found


def next_price(price: Course, mean: float, lack: Course, rules: Rules, random: np.random.Generator) -> Course:
    """Up by chance where a cheap firm lacks goods, down where a dear one has too many; or drawn anew around a mean."""
    if rules.even_prices:
        return np.asarray(MARKUP * (1 + DEVIATION * 3**0.5 * random.uniform(-1, 1, len(price))))
    move = 0.1 * random.random(len(price))
    up, down = (lack > 0) & (price < mean), (lack <= 0) & (price > mean)
    return np.asarray(price * (1 + np.where(up, move, np.where(down, -move, 0))))


def world_of(members: Sequence[tuple[float, int]], *, weeks: int, backend: Backend) -> World:
    """Civilisations of these ratios and seeds in one batch."""
    specs = []
    for number, (ratio, seed) in enumerate(members):
        text = SCENARIO.format(
            weeks=weeks,
            citizens=CITIZENS,
            firms=FIRMS,
            labour=f"{1 / MARKUP:.6f}",
            hiring=f"{ratio * FIRING:.6f}",
            firing=FIRING,
        )
        specs.append(MemberSpec(number, seed, compile_civilisation(parse_scenario(text))))
    return World.create(MODEL, specs, seed=1, backend=backend)


def civilisation(
    ratios: Sequence[float], *, weeks: int = WEEKS, seeds: int = 1, backend: Backend | None = None
) -> NDArray[np.float64]:
    """Unemployment [ratio, seed, week] of civilisations that begin at half employment."""
    members = [(ratio, seed) for ratio in ratios for seed in range(seeds)]
    world = world_of(members, weeks=weeks, backend=backend or Backend.cpu(1))
    world.advance(weeks)
    world.check()
    places = [cell_names(NATION_METRICS).index(name) for name in ("unemployed", "employed")]
    rows = np.array([world.member_rows("nation_rows", member)[:, 0][:, places] for member in range(len(members))], "f8")
    return np.asarray(rows[..., 0] / rows.sum(axis=-1)).reshape(len(ratios), seeds, weeks)


def employable() -> float:
    """Citizens who may work, over firms, in the first week."""
    world = world_of([(1.0, 0)], weeks=1, backend=Backend.cpu(1))
    world.advance(1)
    row = world.member_rows("nation_rows", 0)[0, 0]
    return float(sum(row[cell_names(NATION_METRICS).index(name)] for name in ("unemployed", "employed"))) / FIRMS


def place_of(ratios: Sequence[float], unemployment: Sequence[float] | Course) -> float:
    """The ratio at which half employment neither falls nor rises, on straight lines between those that were tried."""
    above = [value < 0.5 for value in unemployment].index(True)
    low, high = (unemployment[place] - 0.5 for place in (above - 1, above))
    return float(ratios[above - 1] + (ratios[above] - ratios[above - 1]) * low / (low - high))
