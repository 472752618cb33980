"""The world of the economy's oracle: firms, households, markets and states as objects that know each other.

It is filled from a member's columns; attributes bear the columns' names, so that they can be put back and compared.
What belongs to one week alone is set anew by the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from civlab.models.civilisation.layout import ADULT, DRAWS, EPOCH, GOODS, REACH, SKILLS, WEEKS

from ..epidemic_oracle import philox

FOOD, FUEL, ENERGY = GOODS.index("food"), GOODS.index("fuel"), GOODS.index("energy")
ALL_GOODS, ALL_SKILLS = range(len(GOODS)), range(len(SKILLS))
TRADED = [good for good in ALL_GOODS if good != ENERGY]
"""Goods with markets of posted prices."""
BASE = 10_000
DRAW = {name: number for number, name in enumerate(DRAWS, 1)}
DISC = [(q, r) for r in range(-3, 4) for q in range(-3, 4) if abs(q + r) <= 3]
Columns = Mapping[str, Sequence[int]]

OF_FIRMS = ("cash", "loan", "capital", "inventory", "embodied", "price", "sales", "haul", "barred")
OF_BANKS = ("equity", "lent")
OF_NATIONS = (
    "treasury", "debt", "pool", "policy_rate", "inflation", "growth", "technology", "level", "purchases", "swing",
    "output", "energy_price", "abroad",
)  # fmt: skip


def nothing() -> list[int]:
    """A zero for each good."""
    return [0] * len(GOODS)


@dataclass(eq=False)
class Bank:
    """A bank; `made`, `repaid`, `earned` and `lost` are what happens to its loans in a week."""

    nation: Nation
    equity: int
    lent: int
    asked: int = field(init=False, default=0)
    made: int = field(init=False, default=0)
    repaid: int = field(init=False, default=0)
    earned: int = field(init=False, default=0)
    lost: int = field(init=False, default=0)


@dataclass(eq=False)
class Nation:
    """A state, its central bank's expectations and the flows of its week."""

    number: int
    treasury: int
    debt: int
    pool: int
    policy_rate: int
    inflation: int
    growth: int
    technology: int
    level: int
    purchases: int
    swing: int
    output: int
    energy_price: int
    abroad: int
    regions: list[Region] = field(init=False, default_factory=list)
    banks: list[Bank] = field(init=False, default_factory=list)
    flows: Counter[str] = field(init=False, default_factory=Counter)

    @property
    def firms(self) -> list[Firm]:
        """The nation's firms in order."""
        return [firm for region in self.regions for firm in region.firms]


@dataclass(eq=False)
class Region:
    """A region; `reach` are the regions of its disc in order, with their distance in cells."""

    number: int
    nation: Nation
    wage: int
    reserve: int
    tariff: list[int]
    left: list[int]
    """What the climate leaves of productivity, by good, Q31."""
    attraction: list[int]
    reach: list[tuple[Region, int]] = field(init=False, default_factory=list)
    firms: list[Firm] = field(init=False, default_factory=list)
    households: list[Household] = field(init=False, default_factory=list)
    citizens: list[Citizen] = field(init=False, default_factory=list)
    census: Counter[str] = field(init=False, default_factory=Counter)
    made: list[int] = field(init=False, default_factory=nothing)
    budget_households: list[int] = field(init=False, default_factory=nothing)
    budget_public: list[int] = field(init=False, default_factory=nothing)
    paid_households: list[int] = field(init=False, default_factory=nothing)
    paid_public: list[int] = field(init=False, default_factory=nothing)
    paid_firms: list[int] = field(init=False, default_factory=nothing)
    fill: list[int] = field(init=False, default_factory=nothing)

    def of(self, industry: int) -> list[Firm]:
        """The firms of an industry in order."""
        return [firm for firm in self.firms if firm.industry == industry]


@dataclass(eq=False)
class Firm:
    """A firm, with its plan of the week."""

    slot: int
    region: Region
    bank: Bank
    industry: int
    cash: int
    loan: int
    capital: int
    inventory: int
    embodied: int
    price: int
    sales: int
    haul: int
    barred: int
    stock: list[int]
    stock_embodied: list[int]
    staff: list[int]
    target: int = field(init=False, default=0)
    want: list[int] = field(init=False, default_factory=list)
    lapse: list[int] = field(init=False, default_factory=list)
    pay: list[int] = field(init=False, default_factory=list)
    wages: int = field(init=False, default=0)
    """First what the plan sets aside, then what was paid, contributions included in neither."""
    borrow: int = field(init=False, default=0)
    bid: int = field(init=False, default=0)
    order: list[int] = field(init=False, default_factory=nothing)
    invest: list[int] = field(init=False, default_factory=nothing)
    spent: int = field(init=False, default=0)
    revenue: int = field(init=False, default=0)
    built: int = field(init=False, default=0)


@dataclass(eq=False)
class Household:
    """Who shares an account."""

    slot: int
    size: int
    deposit: int
    income: int
    earned: int = field(init=False, default=0)
    budget: list[int] = field(init=False, default_factory=nothing)


@dataclass(eq=False)
class Citizen:
    """One person."""

    slot: int
    born: int
    skill: int
    ill: bool
    household: Household
    firm: Firm | None

    def stage(self, tick: int, retirement: int) -> str:
        """Whether too young, too old or of working age."""
        weeks = tick + EPOCH - self.born
        return "minors" if weeks < ADULT * WEEKS else "retired" if weeks >= retirement * WEEKS else "grown"


class EconomyWorld:
    """One member as objects."""

    def __init__(self, columns: Columns, scenario: Mapping[str, Any], *, seed: int, stream: int) -> None:
        self.scenario, self.seed, self.stream = scenario, seed, stream
        self.columns = {name: list(values) for name, values in columns.items()}
        self.tick = 0
        self.rules: Counter[str] = Counter()
        """How often each branch of the rules was taken."""
        self.burnt = self.gained = 0
        self.granted: dict[Bank, int] = {}
        self.quanta: dict[Firm, int] = {}
        self.energy_sold: dict[Nation, dict[Region, int]] = {}
        self.energy_expected: dict[Nation, int] = {}
        self.sold_abroad: Counter[tuple[int, int, int]] = Counter()
        c = self.columns
        count = len(c["treasury"])
        self.nations = [Nation(number, **{name: c[name][number] for name in OF_NATIONS}) for number in range(count)]
        self.regions = [self.region(number) for number in range(len(c["region_nation"]))]
        for region in self.regions:
            links = zip(c["reach"][region.number * REACH : (region.number + 1) * REACH], DISC, strict=True)
            region.reach = [
                (self.regions[link - 1], (abs(q) + abs(r) + abs(q + r)) // 2) for link, (q, r) in links if link
            ]
            region.nation.regions.append(region)
        owners = [self.nations[number] for number in c["bank_nation"]]
        self.banks = [
            Bank(nation, equity, lent) for nation, equity, lent in zip(owners, c["equity"], c["lent"], strict=True)
        ]
        for bank in self.banks:
            bank.nation.banks.append(bank)
        self.firms = [self.firm(region, slot) for region in self.regions for slot in range(*self.slots("firm", region))]
        self.people()

    def slots(self, kind: str, region: Region) -> list[int]:
        """First slot of a region's entities, and the one after the last."""
        return self.columns[f"region_{kind}"][2 * region.number : 2 * region.number + 2]

    def row(self, name: str, number: int) -> list[int]:
        """An entity's goods in a column."""
        return self.columns[name][len(GOODS) * number : len(GOODS) * (number + 1)]

    def region(self, number: int) -> Region:
        """A region as the columns have it, without its neighbours."""
        c = self.columns
        reserve = whole(c["reserve"][2 * number : 2 * number + 2])[0]
        tariff, left, attraction = (self.row(name, number) for name in ("tariff", "yield", "attraction"))
        nation = self.nations[c["region_nation"][number]]
        return Region(number, nation, c["wage"][number], reserve, tariff, left, attraction)

    def firm(self, region: Region, slot: int) -> Firm:
        """A firm as the columns have it, entered in its region."""
        c = self.columns
        firm = Firm(
            slot=slot,
            region=region,
            bank=self.banks[c["bank"][slot]],
            industry=c["industry"][slot],
            stock=self.row("stock", slot),
            stock_embodied=self.row("stock_embodied", slot),
            staff=c["staff"][3 * slot : 3 * slot + 3],
            **{name: c[name][slot] for name in OF_FIRMS},
        )
        region.firms.append(firm)
        return firm

    def people(self) -> None:
        """Households and citizens as the columns have them."""
        c = self.columns
        homes: dict[int, Household] = {}
        for region in self.regions:
            region.households = [
                Household(slot, c["size"][slot], c["deposit"][slot], c["income"][slot])
                for slot in range(*self.slots("household", region))
                if c["size"][slot]
            ]
            homes.update((household.slot, household) for household in region.households)
        for region in self.regions:
            region.citizens = []
            for slot in range(*self.slots("citizen", region)):
                if not c["household"][slot]:
                    continue
                traits, job = c["traits"][slot], c["employer"][slot]
                firm = self.firms[job - 1] if job else None
                skill, ill = traits >> 1 & 3, traits >> 3 & 3 == 2
                home = homes[c["household"][slot] - 1]
                region.citizens.append(Citizen(slot, c["born"][slot], skill, ill, home, firm))

    def after_others(self, columns: Columns) -> None:
        """What the rounds of people and the year of the climate have left before the economy's week."""
        self.columns.update({name: list(values) for name, values in columns.items()})
        c = self.columns
        self.people()
        for firm in self.firms:
            firm.staff = c["staff"][3 * firm.slot : 3 * firm.slot + 3]
        for region in self.regions:
            region.left = self.row("yield", region.number)
        for nation in self.nations:
            nation.treasury = c["treasury"][nation.number]

    def draw(self, name: str, entity: int, number: int = 0) -> tuple[int, int, int, int]:
        """Four words of a named draw in this tick."""
        return philox(
            (self.seed & 0xFFFFFFFF, self.seed >> 32), (entity, self.tick, DRAW[name] << 24 | number, self.stream)
        )

    def state(self) -> dict[str, list[int]]:
        """The columns as the kernels hold them."""
        found = dict(self.columns)
        found["employer"] = [0] * len(found["employer"])
        for name in ("deposit", "income"):
            found[name] = [0] * len(found[name])
        for region in self.regions:
            for citizen in region.citizens:
                found["employer"][citizen.slot] = citizen.firm.slot + 1 if citizen.firm else 0
            for household in region.households:
                found["deposit"][household.slot] = household.deposit
                found["income"][household.slot] = household.income
        for names, entities in ((OF_FIRMS, self.firms), (OF_BANKS, self.banks), (OF_NATIONS, self.nations)):
            for name in names:
                found[name] = [getattr(entity, name) for entity in entities]
        for name in ("stock", "stock_embodied", "staff"):
            found[name] = [value for firm in self.firms for value in getattr(firm, name)]
        found["wage"] = [region.wage for region in self.regions]
        found["tariff"] = [price for region in self.regions for price in region.tariff]
        found["reserve"] = limbs(region.reserve for region in self.regions)
        return found


def whole(parts: Sequence[int]) -> list[int]:
    """Numbers of 128 bits from pairs of 64, the low one first."""
    return [low + (high << 64) for low, high in zip(parts[::2], parts[1::2], strict=True)]


def limbs(values: Iterable[int]) -> list[int]:
    """Numbers of 128 bits as such pairs."""
    return [limb for value in values for limb in (value & 0xFFFFFFFFFFFFFFFF, value >> 64)]
