"""What a lot of each good takes, as exact shares of its price: from the published table, or from the scenario.

The published table is turned into a closed world in three steps that the model's document explains: fuel that fuel and
energy firms sell among themselves is netted out, the fuel that the energy industry burns is set to its physical share,
and taxes on production are taken out of prices by the dual of Leontief's model, so that every price is one again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from civlab.errors import CivlabError
from civlab.models.civilisation.matrices import (
    Matrix,
    Vector,
    dot,
    inverse,
    less_from_identity,
    parts,
    productive,
    transpose,
)
from civlab.models.civilisation.national_table import NationalTable, energy_balance, national_table
from parpour_contracts.scenario.civilisation.economy import (
    GOODS,
    Demand,
    EconomySection,
    Energy,
    Good,
    Industry,
    OwnTechnology,
)

FUEL, ENERGY = GOODS.index("fuel"), GOODS.index("energy")
PLACES = range(len(GOODS))
FUEL_LOT = 10**13
"""mJ of fuel in a lot: 10 GJ."""
GOODS_LOT = 10**6
DEFAULT = Energy()
"""How energy is won in the table's year, as the scenario's document rounds it."""
DIGITS = 10**12
"""Shares of the table are kept to twelve digits, which keeps fractions short; what that leaves is profit."""
SMALL_INPUT, SMALL_SHARE = Fraction(1, 500), Fraction(1, 100)
"""Inputs below this share of output and goods below this share of a final use are left out."""


@dataclass(frozen=True)
class Production:
    """Shares of the price of a lot of each good at the prices of the start; a column sums to one with its profit."""

    inputs: Matrix
    """[good][industry]."""
    labour: Vector
    """With contributions."""
    wear: Vector
    """Capital worn out."""
    capital: Vector
    """Years of output."""
    pay: Vector
    """Labour income of a person engaged over the mean of all."""
    consumption: Vector
    """Shares of goods in spending; so the next two."""
    investment: Vector
    government: Vector
    fuel_lot: int
    """mJ of a lot of fuel."""
    energy_lot: int
    """mJ of a lot of energy."""

    @property
    def profit(self) -> Vector:
        """What is left of the price."""
        return tuple(1 - sum(row[j] for row in self.inputs) - self.labour[j] - self.wear[j] for j in PLACES)

    def inverse(self) -> Matrix:
        """Leontief's inverse: output of each good, direct and indirect, for a lot of final use of another."""
        return inverse(less_from_identity(self.inputs))


def production_of(section: EconomySection) -> Production:
    """What the section says or names.

    Raises CivlabError TECHNOLOGY_UNPRODUCTIVE where goods use up as much as is made, SCENARIO_INVALID where a good
    costs more than its price or is wanted and cannot be made.
    """
    base = published()
    technology = section.technology
    if isinstance(technology, OwnTechnology):
        found, path = own(base, technology), "economy.technology.industries"
    else:
        found, path = with_energy(base, section.energy), "economy.energy"
    found = with_demand(found, section.demand)
    if not productive(found.inputs):
        message = "goods use up at least as much of goods as is made (spectral radius 1 or more): lower the inputs"
        raise CivlabError("TECHNOLOGY_UNPRODUCTIVE", path, message)
    for good, profit in zip(GOODS, found.profit, strict=True):
        if profit <= 0:
            where = f"{path}.{good}" if isinstance(technology, OwnTechnology) else path
            message = f"{good} costs at least its price (all shares sum to {float(1 - profit):.3f}): make it of less"
            raise CivlabError("SCENARIO_INVALID", where, message)
    if isinstance(technology, OwnTechnology):
        refuse_unmade(found, technology.industries)
    return found


@lru_cache(maxsize=1)
def published() -> Production:
    """The published table as a closed world at prices of one."""
    return rounded(closed(national_table()))


def closed(table: NationalTable) -> Production:
    """A national table without foreign trade, taxes on production and changes of stores."""
    surplus = [
        table.output[j] - sum(row[j] for row in table.inputs) - table.compensation[j] - table.taxes[j] for j in PLACES
    ]
    flows = [list(row) for row in table.inputs]
    output = list(table.output)
    for own_use in (FUEL, ENERGY):
        output[own_use] -= flows[own_use][own_use]
        flows[own_use][own_use] = Fraction(0)
    elsewhere = sum(flows[FUEL][j] for j in PLACES if j != ENERGY) + table.consumption[FUEL]
    power = energy_balance().power_fuel
    flows[FUEL][ENERGY] = elsewhere * power / (1 - power)
    old = tuple(tuple(kept(i, flows[i][j] / output[j]) for j in PLACES) for i in PLACES)
    value = tuple((table.compensation[j] + surplus[j]) / output[j] for j in PLACES)
    price = tuple(dot(value, column) for column in transpose(inverse(less_from_identity(old))))
    worth = tuple(price[j] * output[j] for j in PLACES)
    inputs = tuple(tuple(old[i][j] * price[i] / price[j] for j in PLACES) for i in PLACES)
    bought = [v if v > sum(table.investment) * SMALL_SHARE else Fraction(0) for v in table.investment]
    capital_price = sum(p * v for p, v in zip(price, bought, strict=True)) / sum(bought, Fraction(0))
    labour = tuple((table.compensation[j] + table.self_employed[j]) / worth[j] for j in PLACES)
    pay = [(table.compensation[j] + table.self_employed[j]) / table.persons[j] for j in PLACES]
    mean = sum((*table.compensation, *table.self_employed), Fraction(0)) / sum(table.persons, Fraction(0))
    return Production(
        inputs=inputs,
        labour=labour,
        wear=tuple(table.worn[j] * capital_price / worth[j] for j in PLACES),
        capital=tuple(table.capital[j] * capital_price / worth[j] for j in PLACES),
        pay=tuple(value / mean for value in pay),
        fuel_lot=FUEL_LOT,
        energy_lot=int(
            inputs[FUEL][ENERGY] * FUEL_LOT * Fraction(DEFAULT.efficiency) / (1 - Fraction(DEFAULT.renewable))
        ),
        consumption=revalued(table.consumption, price),
        investment=revalued(table.investment, price),
        government=revalued(table.government, price),
    )


def rounded(production: Production) -> Production:
    """The same goods with shares of twelve digits."""
    return replace(
        production,
        inputs=tuple(digits(row) for row in production.inputs),
        labour=digits(production.labour),
        wear=digits(production.wear),
        capital=digits(production.capital),
        pay=digits(production.pay),
        consumption=shares_of(production.consumption),
        investment=shares_of(production.investment),
        government=shares_of(production.government),
    )


def digits(values: Vector) -> Vector:
    """Values to twelve digits."""
    return tuple(Fraction(round(value * DIGITS), DIGITS) for value in values)


def shares_of(values: Vector) -> Vector:
    """Shares to twelve digits that sum to one."""
    return tuple(Fraction(part, DIGITS) for part in parts(DIGITS, values))


def kept(good: int, share: Fraction) -> Fraction:
    """An input's share of output, unless it is small and no carrier of energy."""
    return share if good in (FUEL, ENERGY) or share >= SMALL_INPUT else Fraction(0)


def revalued(amounts: Vector, price: Vector) -> Vector:
    """Shares of goods at new prices, small ones left out."""
    least = sum(amounts) * SMALL_SHARE
    worth = [a * p if a > least else Fraction(0) for a, p in zip(amounts, price, strict=True)]
    return tuple(value / sum(worth) for value in worth)


def with_energy(base: Production, energy: Energy) -> Production:
    """The same goods, energy won otherwise: fuel burnt for a lot follows from the efficiency and what needs no fuel.

    Prices follow cost at the same markups, so where energy takes less fuel a lot of it holds more.
    """
    if (energy.renewable, energy.efficiency) == (DEFAULT.renewable, DEFAULT.efficiency):
        return base
    fuel = Fraction(base.energy_lot, base.fuel_lot) * (1 - Fraction(energy.renewable)) / Fraction(energy.efficiency)
    inputs = tuple(tuple(fuel if (i, j) == (FUEL, ENERGY) else base.inputs[i][j] for j in PLACES) for i in PLACES)
    return rounded(repriced(base, inputs))


def repriced(base: Production, inputs: Matrix) -> Production:
    """The goods with other inputs of a lot, in new lots that cost the same with the same markups.

    Raises CivlabError TECHNOLOGY_UNPRODUCTIVE where no prices cover costs and markups.
    """
    markup = tuple(1 / (1 - profit) for profit in base.profit)
    cost = tuple(tuple(markup[j] * (inputs[i][j] + base.investment[i] * base.wear[j]) for j in PLACES) for i in PLACES)
    if not productive(cost):
        message = "energy takes so much fuel that no price covers its cost: raise the efficiency or what needs no fuel"
        raise CivlabError("TECHNOLOGY_UNPRODUCTIVE", "economy.energy", message)
    work = tuple(markup[j] * base.labour[j] for j in PLACES)
    price = tuple(dot(work, column) for column in transpose(inverse(less_from_identity(cost))))
    renewal = dot(base.investment, price)
    return replace(
        base,
        inputs=tuple(tuple(inputs[i][j] * price[i] / price[j] for j in PLACES) for i in PLACES),
        labour=tuple(base.labour[j] / price[j] for j in PLACES),
        wear=tuple(base.wear[j] * renewal / price[j] for j in PLACES),
        capital=tuple(base.capital[j] * renewal / price[j] for j in PLACES),
        fuel_lot=round(base.fuel_lot / price[FUEL]),
        energy_lot=round(base.energy_lot / price[ENERGY]),
    )


def own(base: Production, technology: OwnTechnology) -> Production:
    """The scenario's own technology; a good that it leaves out is made of labour alone, and nobody buys it."""
    nothing = Industry(labour=Decimal("0.5"))
    found = [technology.industries.get(good, nothing) for good in GOODS]
    return replace(
        base,
        inputs=tuple(tuple(Fraction(industry.inputs.get(good, Decimal(0))) for industry in found) for good in GOODS),
        labour=tuple(Fraction(industry.labour) for industry in found),
        wear=tuple(Fraction(industry.capital) * Fraction(industry.wear) for industry in found),
        capital=tuple(Fraction(industry.capital) for industry in found),
        pay=(Fraction(1),) * len(GOODS),
    )


def with_demand(base: Production, demand: Demand) -> Production:
    """The same goods, bought in the scenario's shares."""
    return replace(
        base,
        consumption=chosen(demand.consumption, base.consumption),
        investment=chosen(demand.investment, base.investment),
        government=chosen(demand.government, base.government),
    )


def chosen(given: Mapping[Good, Decimal] | None, base: Vector) -> Vector:
    """The shares that are given, or else those of the base."""
    return base if given is None else tuple(Fraction(given.get(good, Decimal(0))) for good in GOODS)


def refuse_unmade(found: Production, industries: Mapping[Good, Industry]) -> None:
    """Raises CivlabError SCENARIO_INVALID where a good is used or bought that no industry makes."""
    final = {"households": found.consumption, "governments": found.government}
    if any(found.wear):
        final["investors"] = found.investment
    for place, good in enumerate(GOODS):
        if good in industries:
            continue
        users = [GOODS[j] for j in PLACES if found.inputs[place][j]]
        buyers = [name for name, shares in final.items() if shares[place]]
        if users or buyers:
            message = (
                f"nobody can make {good}, which {', '.join([*users, *buyers])} would use: add the industry, or take "
                "the good out of inputs and of economy.demand"
            )
            raise CivlabError("SCENARIO_INVALID", f"economy.technology.industries.{good}", message)
