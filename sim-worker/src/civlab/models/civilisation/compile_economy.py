"""Compiles the economic section into the integers that kernels read.

Everything follows from the account of the start: a unit of labour makes what its pay is worth, a price is its cost
times a markup, and a government buys what its taxes leave. Fractions are exact until they become fixed-point numbers
here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

import numpy as np

from civlab.models.civilisation.accounts import (
    WEEKS,
    Composition,
    WorldAccount,
    close_world,
    efficiencies,
)
from civlab.models.civilisation.matrices import Vector, dot, inverse, less_from_identity, parts, transpose
from civlab.models.civilisation.national_table import energy_balance
from civlab.models.civilisation.production import (
    ENERGY,
    FUEL,
    GOODS_LOT,
    PLACES,
    Production,
)
from parpour_contracts.scenario.civilisation.economy import BASE_PRICE, GOODS, EconomySection, Government, OwnTechnology

CAPITAL_UNIT = 10**6
JOULE = 1000
"""mJ."""
MEGAJOULE = 10**9
TOP_PRIORITY, PRIORITY_STEP = 240, 12
"""Step of the ladder of the industry served first, and from one to the next; the last price is step 128."""
SKILL_ROUNDS = 100
ONE = 1 << 60

COVER = ("1", "2", "1.5", "3", "3", "0.5", "1", "0.1", "0.1")
"""Weeks of sales kept in store. Manufacturers and trade hold 1.3 months of sales in all stores (United States Census
Bureau, Manufacturing and Trade Inventories, 2014); what cannot be stored keeps a little room. Energy is in part gas, of
which six weeks' use lies in store (Energy Information Administration 2014)."""
INPUT_COVER = ("1.5", "2", "1.5", "2", "2", "1.5", "1.5", "1.5", "1.5")
"""Weeks of use of inputs; what is bought in a week is used in the next, so less than one starves."""
PERISH = ("0.01", "0", "0.02", "0.001", "0.001", "0.001", "0.02", "0.05", "0.05")
"""Share of unsold output lost in a week; food: a few weeks in cold storage, services: work done in vain."""
CRITICAL = (1, 1, 1, 1, 1, 0, 1, 0, 0)
"""Inputs without which a week's output stops: goods, energy and carriage (Pichler et al. 2022, Journal of Economic
Dynamics and Control 144: buildings and most services can wait); but see `critical`."""
FREIGHT = ("0.004", "0.002", "0", "0.008", "0.002", "0.6", "0.3", "0.5", "0.7")
"""Rise of the price by a cell of distance: goods by weight, services by what it takes to meet."""
FREIGHT_ENERGY = (20, 10, 0, 25, 2, 0, 0, 0, 0)
"""MJ to carry a lot over a cell: 150 km by lorry and rail at about 0.9 MJ/t km, for 10 kg of manufactures to 200 kg of
materials; fuel by pipe and rail."""
ELASTICITY = ("0.5", "0.8", "0.6", "0.9", "1.1", "1", "1", "1.1", "1")
"""Elasticities of spending to income, before they are scaled to average one: food is a necessity (Engel's law)."""
FRISCH = Fraction(-2)
"""Elasticity of the marginal utility of spending at high incomes (Frisch 1959; Lluch, Powell and Williams 1977)."""


def critical(*, industry: int, good: int) -> int:
    """1 for an input without which an industry's output stops.

    Fuel and energy need each other only: parts and carriage can wait there, or one idle week of any industry would end
    all. An industry that is short of its own good uses what it is making.
    """
    core = (FUEL, ENERGY)
    return int(CRITICAL[good] and good != industry and (industry not in core or good in core))


def fixed(value: Fraction | Decimal | int, bits: int) -> int:
    """value * 2^bits, rounded half to even."""
    return round(Fraction(value) * (1 << bits))


def weekly(rate: Decimal, bits: int = 32) -> int:
    """One part in 52 of a yearly rate."""
    return fixed(Fraction(rate) / WEEKS, bits)


def fill_economy(
    row: np.void,
    section: EconomySection,
    governments: Sequence[Government],
    *,
    shares: Sequence[Fraction],
    composition: Composition,
    firms: int,
    ticks: int,
    retirement: int,
) -> WorldAccount:
    """Writes the scenario's `Scenario` record and returns the account behind it.

    Args:
        row: One element of `SCENARIO`.
        section: The economic section.
        governments: One a nation.
        shares: The nations' shares of the citizens; they sum to one.
        composition: Who the citizens are.
        firms: Firms of the world.
        ticks: Weeks of the run.
        retirement: Age at which citizens retire, years.

    Raises:
        CivlabError: TECHNOLOGY_UNPRODUCTIVE, SCENARIO_INVALID (see `close_world`).
    """
    world = close_world(section, governments, tuple(shares), composition)
    fill_technology(row, section, world, governments)
    fill_work(row, section, world, composition)
    fill_demand(row, section, world)
    fill_rules(row, section)
    fill_governments(row, section, governments, world)
    row["firms"], row["nations"], row["ticks"], row["retirement"] = firms, len(governments), ticks, retirement
    return world


def lots(production: Production) -> list[int]:
    """Units of each good in a lot."""
    return [production.fuel_lot if g == FUEL else production.energy_lot if g == ENERGY else GOODS_LOT for g in PLACES]


def technology_units(production: Production) -> list[list[int]]:
    """Units of each input for a lot of output, [industry][good]."""
    lot = lots(production)
    return [[round(production.inputs[g][j] * lot[g]) for g in PLACES] for j in PLACES]


def renewable_primary(production: Production, section: EconomySection) -> int:
    """mJ of primary energy for a lot of energy that comes from no fuel."""
    burnt = production.inputs[FUEL][ENERGY] * production.fuel_lot * Fraction(section.energy.efficiency)
    return round(max(production.energy_lot - burnt, Fraction(0)) / energy_balance().low_carbon)


def primary_energy(production: Production, section: EconomySection) -> list[int]:
    """mJ of primary energy that enters the world with a lot of each good, not by an input."""
    return [
        production.fuel_lot if g == FUEL else renewable_primary(production, section) if g == ENERGY else 0
        for g in PLACES
    ]


def embodied_energy(production: Production, section: EconomySection) -> Vector:
    """mJ of primary energy embodied in a lot of each good, by Leontief's inverse of the units that kernels read."""
    lot = lots(production)
    used = technology_units(production)
    inputs = tuple(tuple(Fraction(used[j][g], lot[g]) for j in PLACES) for g in PLACES)
    total = transpose(inverse(less_from_identity(inputs)))
    direct = tuple(Fraction(value) for value in primary_energy(production, section))
    return tuple(dot(line, direct) for line in total)


def of_industries(section: EconomySection, name: str, usual: Sequence[str]) -> list[Decimal]:
    """A number of each industry: the scenario's own where it has one."""
    own = section.technology.industries if isinstance(section.technology, OwnTechnology) else {}
    given = [getattr(own.get(good), name, None) for good in GOODS]
    return [Decimal(text) if value is None else value for value, text in zip(given, usual, strict=True)]


def fill_technology(
    row: np.void, section: EconomySection, world: WorldAccount, governments: Sequence[Government]
) -> None:
    """Lots, inputs, productivity, capital, energy and markups."""
    production = world.production
    lot = lots(production)
    rate = dot(world.shares, tuple(Fraction(government.contributions) for government in governments))
    hour = section.labour.wage * (1 + rate)
    row["lot"] = lot
    row["technology"] = technology_units(production)
    row["productivity"] = [round(lot[j] * hour / (BASE_PRICE * production.labour[j])) for j in PLACES]
    use = Fraction(section.firms.use)
    row["capacity"] = [
        round(lot[j] * CAPITAL_UNIT / (years * WEEKS * BASE_PRICE * use)) if years else 0
        for j, years in enumerate(production.capital)
    ]
    row["depreciation"] = [
        fixed(wear / years / WEEKS, 32) if years else 0
        for wear, years in zip(production.wear, production.capital, strict=True)
    ]
    row["markup"] = [fixed(1 / (1 - profit), 32) for profit in production.profit]
    row["renewable"][ENERGY] = renewable_primary(production, section)
    row["without_fuel"] = fixed(section.energy.renewable, 32)
    row["electric"] = fixed(section.energy.efficiency, 32)
    row["extraction"][FUEL] = round(production.fuel_lot * (1 + Fraction(section.energy.losses)))
    row["intensity"] = [round(value / JOULE) for value in embodied_energy(production, section)]
    row["priority"] = [TOP_PRIORITY - PRIORITY_STEP * section.energy.priority.index(good) for good in GOODS]
    row["cover"] = [fixed(weeks, 32) for weeks in of_industries(section, "cover", COVER)]
    row["input_cover"] = [fixed(Decimal(text), 32) for text in INPUT_COVER]
    row["perish"] = [fixed(share, 32) for share in of_industries(section, "perish", PERISH)]
    row["critical"] = [[critical(industry=j, good=g) for g in PLACES] for j in PLACES]
    row["freight"] = [fixed(Fraction(text) * Fraction(section.prices.freight), 32) for text in FREIGHT]
    row["freight_energy"] = [round(value * MEGAJOULE * Fraction(section.prices.freight)) for value in FREIGHT_ENERGY]


def labour_by_skill(world: WorldAccount, section: EconomySection, composition: Composition) -> list[list[int]]:
    """Efficiency units by industry and skill, 2^60 in all: industries by their cost of labour, skills by who there is.

    Industries that pay more than the mean begin with more experts; then rows and columns are scaled in turn (RAS).
    """
    efficiency = efficiencies(section)
    cost = [world.production.labour[j] * world.output[j] for j in PLACES]
    rows = parts(ONE, cost)
    columns = parts(ONE, [composition.skills[k] * efficiency[k] for k in range(3)])
    tilt = [int(value**2 * (1 << 20)) for value in world.production.pay]
    cells = [
        [(columns[0] << 20) // by, columns[1], columns[2] * by >> 20] if total else [0, 0, 0]
        for by, total in zip(tilt, rows, strict=True)
    ]
    for _ in range(SKILL_ROUNDS):
        cells = [scaled(line, rows[j]) for j, line in enumerate(cells)]
        by_skill = [scaled([line[k] for line in cells], columns[k]) for k in range(3)]
        cells = [[by_skill[k][j] for k in range(3)] for j in PLACES]
    return cells


def scaled(cells: list[int], total: int) -> list[int]:
    """The cells in proportion, to a new total, rounded down."""
    whole = sum(cells)
    return [cell * total // whole for cell in cells] if whole else cells


def fill_work(row: np.void, section: EconomySection, world: WorldAccount, composition: Composition) -> None:
    """Skills: who works where."""
    efficiency = efficiencies(section)
    heads = [
        [Fraction(cells[k]) / efficiency[k] for k in range(3)] for cells in labour_by_skill(world, section, composition)
    ]
    everybody = tuple(composition.skills)
    row["efficiency"] = [int(value * 256) for value in efficiency]
    row["employment"] = parts(1 << 63, [sum(line, Fraction(0)) for line in heads])
    row["mix"] = [parts(1 << 63, line if any(line) else everybody) for line in heads]


def necessities(world: WorldAccount) -> tuple[list[Fraction], list[Fraction]]:
    """Subsistence, base money a citizen and week, and tastes of the linear expenditure system.

    At mean spending goods are bought in the account's shares and with the elasticities above: subsistence is
    c (1 + e / Frisch's parameter) and a taste the share times e (Dervis, de Melo and Robinson 1982, appendix A5).
    """
    shares = world.production.consumption
    elastic = elasticities(shares)
    need = [share * world.consumption * (1 + e / FRISCH) for share, e in zip(shares, elastic, strict=True)]
    return need, [share * e for share, e in zip(shares, elastic, strict=True)]


def elasticities(shares: Sequence[Fraction]) -> list[Fraction]:
    """The goods' elasticities in total spending, in the ratios of ELASTICITY so that their mean by these shares is one.

    None exceeds minus Frisch's parameter, where a good's subsistence is nothing; the others rise for what that takes.
    """
    raw = [Fraction(text) for text in ELASTICITY]
    most = Fraction(-FRISCH)
    found = raw
    while True:
        free = [number for number, value in enumerate(found) if value < most]
        capped = sum((share for number, share in enumerate(shares) if number not in free), Fraction(0))
        mean = sum((shares[number] * raw[number] for number in free), Fraction(0))
        factor = (1 - most * capped) / mean if mean else Fraction(1)
        scaled = [min(value * factor, most) if number in free else most for number, value in enumerate(raw)]
        if all(scaled[number] < most for number in free) or not mean:
            return scaled
        found = scaled


def fill_demand(row: np.void, section: EconomySection, world: WorldAccount) -> None:
    """What households, governments and investors buy."""
    need, taste = necessities(world)
    production = world.production
    row["subsistence"] = [int(value) for value in need]
    row["taste"] = parts(1 << 63, taste)
    row["public_share"] = parts(1 << 63, production.government)
    row["capital_share"] = parts(1 << 63, production.investment)
    households = section.households
    wealth = Fraction(households.wealth) / WEEKS
    row["wealth_propensity"] = fixed(wealth, 32)
    row["propensity"] = max(fixed(1 - wealth * (Fraction(households.savings) + 1), 32), 0)
    row["income_memory"], row["savings"] = fixed(households.memory, 32), fixed(households.savings, 32)


def fill_rules(row: np.void, section: EconomySection) -> None:
    """The rules of firms, prices, work, banks and the central bank."""
    firms, prices, labour, credit = section.firms, section.prices, section.labour, section.credit
    values: Mapping[str, int] = {
        "choice": fixed(prices.choice, 32),
        "nearness": fixed(prices.nearness, 32),
        "wage": labour.wage,
        "use": fixed(firms.use, 32),
        "learning": fixed(firms.learning, 32),
        "surprise": fixed(firms.surprise, 32),
        "surprises": chance(firms.surprises),
        "adjustment": fixed(firms.adjustment, 32),
        "building": fixed(firms.building, 32),
        "buffer": fixed(firms.buffer, 32),
        "payout": fixed(firms.payout, 32),
        "employed": fixed(firms.employment, 32),
        "firm_cash": fixed(firms.cash, 32),
        "firm_debt": fixed(firms.debt, 32),
        "dispersion": fixed(firms.dispersion, 32),
        "price_speed": fixed(prices.speed, 32),
        "price_bound": fixed(prices.bound, 32),
        "price_pressure": fixed(prices.pressure, 32),
        "price_noise": fixed(prices.noise, 32),
        "quit": chance(labour.quit),
        "search": chance(labour.search),
        "hiring": fixed(labour.hiring, 32),
        "layoff": fixed(labour.layoff, 32),
        "wage_flexibility": weekly(labour.flexibility),
        "unemployment": fixed(labour.unemployment, 32),
        "progress": weekly(labour.progress),
        "inflation_target": weekly(credit.inflation_target),
        "credibility": fixed(credit.credibility, 32),
        "patience": fixed(section.households.patience, 32),
        "natural_rate": weekly(credit.natural_rate),
        "spread": weekly(credit.spread),
        "rate_memory": fixed(credit.smoothing, 32),
        "rate_inflation": fixed(credit.inflation, 32),
        "rate_growth": fixed(credit.growth, 32),
        "capital_ratio": fixed(credit.capital_ratio, 32),
        "loan_to_value": fixed(credit.loan_to_value, 32),
        "repayment": weekly(credit.repayment),
        "recovery": fixed(credit.recovery, 32),
        "exclusion": credit.exclusion,
        "swing": fixed(section.shocks.purchases, 32),
        "leap": fixed(section.shocks.technology, 32),
        "swing_memory": fixed(section.shocks.memory, 32),
        "debt_speed": fixed(credit.debt_speed, 32),
    }
    for name, value in values.items():
        row[name] = value


def chance(value: Decimal) -> int:
    """A chance as Q0.32, at most one less than a whole."""
    return min(fixed(value, 32), (1 << 32) - 1)


def fill_governments(
    row: np.void, section: EconomySection, governments: Sequence[Government], world: WorldAccount
) -> None:
    """Taxes, benefits, purchases and banks of each nation."""
    for number, (government, account) in enumerate(zip(governments, world.nations, strict=True)):
        row["tax_income"][number] = fixed(government.income_tax, 32)
        row["tax_sales"][number] = fixed(government.sales_tax, 32)
        row["tax_profit"][number] = fixed(government.profit_tax, 32)
        row["contributions"][number] = fixed(government.contributions, 32)
        row["benefit"][number] = fixed(government.benefit, 32)
        row["pension"][number] = fixed(government.pension, 32)
        row["child_benefit"][number] = fixed(government.child_benefit, 32)
        row["debt_target"][number] = fixed(government.debt, 32)
        before = account.wages - account.taxes_wages + account.transfers
        row["dividends"][number] = fixed((account.profits - account.taxes_profits + account.interest) / before, 32)
        row["public_size"][number] = fixed(account.purchases / account.wages, 32)
        row["banks"][number] = section.credit.banks
        row["purchases_fixed"][number] = government.purchases == "fixed"


def fuel_of_citizen(world: WorldAccount, section: EconomySection) -> tuple[int, int]:
    """mJ of fuel a citizen and week: taken from the ground, and burnt."""
    burnt = world.output[FUEL] / BASE_PRICE * world.production.fuel_lot
    return round(burnt * (1 + Fraction(section.energy.losses))), round(burnt)
