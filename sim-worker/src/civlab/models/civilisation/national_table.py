"""The published table behind the economy: use, make, employment and capital of the United States in 2014, by good.

Sources, licences and the concordance are in data/README.md. Commodities become industries by market shares (the
industry-technology assumption); all numbers are exact, in millions of dollars of 2014 at producers' prices.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib import resources

from civlab.models.civilisation.matrices import Matrix, Vector, matrix, times
from parpour_contracts.scenario.civilisation.economy import GOODS

INDUSTRIES = 71
CONSUMPTION = ("F010",)
INVESTMENT = ("F02R", *(f"F{who}{what}" for who in ("02", "06", "07", "10") for what in "SEN"))
GOVERNMENT = ("F06C", "F07C", "F10C")
GENERAL_GOVERNMENT = ("GFGD", "GFGN", "GFE", "GSLG", "GSLE")
HOUSING_RATE = Fraction("0.0163")
"""Depreciation of residential capital a year (Bureau of Economic Analysis rates, mean of residential types)."""
COAL, UTILITIES = "212", "22"
"""Mining except oil and gas sells hardly anything but coal to utilities: that cell is fuel."""


@dataclass(frozen=True)
class NationalTable:
    """The table by good and industry, millions of dollars."""

    inputs: Matrix
    """[good][industry]."""
    consumption: Vector
    investment: Vector
    government: Vector
    compensation: Vector
    """Wages and employers' contributions."""
    self_employed: Vector
    """Labour income of the self-employed, part of the surplus."""
    taxes: Vector
    """Taxes on production and imports less subsidies."""
    surplus: Vector
    """Gross operating surplus."""
    output: Vector
    persons: Vector
    """Persons engaged."""
    capital: Vector
    """Net stock at current cost at the year's start."""
    worn: Vector
    """Capital worn out in the year."""


@dataclass(frozen=True)
class EnergyBalance:
    """Shares and efficiencies of the table's year."""

    power_fuel: Fraction
    """Share of fossil fuel that is burnt for electric power."""
    renewable: Fraction
    """Share of electric power that needs no fossil fuel; nuclear power included."""
    efficiency: Fraction
    """Electric power for the fossil energy burnt."""
    low_carbon: Fraction
    """Electric power for the primary energy of nuclear and renewable sources."""


QUADS_A_TWH = Fraction("0.003412141633")
"""Quadrillion Btu of a terawatt-hour."""

Rows = Mapping[str, Mapping[str, str]]


def rows_of(name: str) -> Rows:
    """A data file's rows by their first column."""
    text = resources.files("civlab.models.civilisation").joinpath("data", name).read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return {next(iter(row.values())): row for row in rows}


def by_good(value: Callable[[str], Fraction], concordance: Rows, codes: tuple[str, ...]) -> Vector:
    """Sums over the codes of each good."""
    return tuple(
        sum((value(code) for code in codes if concordance[code]["good"] == good), Fraction(0)) for good in GOODS
    )


@lru_cache(maxsize=1)
def national_table() -> NationalTable:
    """The table, read once."""
    concordance = rows_of("concordance.csv")
    commodities = tuple(concordance)
    industries = commodities[:INDUSTRIES]
    use = rows_of("use_2014.csv")
    make = rows_of("make_2014.csv")

    def made(industry: str) -> Vector:
        return by_good(lambda code: Fraction(make[industry][code]), concordance, commodities)

    def used(column: str) -> Vector:
        amounts = by_good(lambda code: Fraction(use[code][column]), concordance, commodities)
        return moved_coal(amounts, Fraction(use[COAL][column])) if column == UTILITIES else amounts

    by_industry = [made(code) for code in industries]
    made_by_good = [
        sum_of([row for row, code in zip(by_industry, industries, strict=True) if concordance[code]["good"] == good])
        for good in GOODS
    ]
    columns = [sum_of([used(code) for code in industries if concordance[code]["good"] == good]) for good in GOODS]
    totals = sum_of(made_by_good)
    shares = tuple(tuple(value / total for value, total in zip(row, totals, strict=True)) for row in made_by_good)

    def final(names: tuple[str, ...]) -> Vector:
        column = sum_of([used(name) for name in names])
        return tuple(row[0] for row in times(shares, matrix([[value] for value in column])))

    def row(code: str) -> Vector:
        return by_good(lambda industry: Fraction(use[code][industry]), concordance, industries)

    accounts = rows_of("accounts_2014.csv")

    def self_employed(code: str) -> Fraction:
        return Fraction(use["V001"][code]) * (ratio(accounts, concordance, code, "labour", "compensation") - 1)

    def persons(code: str) -> Fraction:
        return Fraction(use["T008"][code]) * ratio(accounts, concordance, code, "persons", "output")

    capital, worn = capital_of(concordance, industries, use, accounts)
    return NationalTable(
        inputs=times(shares, matrix(list(zip(*columns, strict=True)))),
        consumption=final(CONSUMPTION),
        investment=final(INVESTMENT),
        government=final(GOVERNMENT),
        compensation=row("V001"),
        self_employed=by_good(self_employed, concordance, industries),
        taxes=row("V002"),
        surplus=row("V003"),
        output=row("T008"),
        persons=by_good(persons, concordance, industries),
        capital=capital,
        worn=worn,
    )


def sum_of(vectors: list[Vector]) -> Vector:
    """The sum of vectors."""
    return tuple(sum(values, Fraction(0)) for values in zip(*vectors, strict=True))


def moved_coal(amounts: Vector, coal: Fraction) -> Vector:
    """What utilities use, coal counted as fuel."""
    moved = list(amounts)
    moved[GOODS.index("materials")] -= coal
    moved[GOODS.index("fuel")] += coal
    return tuple(moved)


def ratio(accounts: Rows, concordance: Rows, code: str, above: str, below: str) -> Fraction:
    """A ratio of the socio-economic accounts for an industry of the table."""
    names = concordance[code]["accounts"].split()
    return Fraction(sum(int(accounts[n][above]) for n in names), sum(int(accounts[n][below]) for n in names))


def capital_of(concordance: Rows, industries: tuple[str, ...], use: Rows, accounts: Rows) -> tuple[Vector, Vector]:
    """Capital and its yearly wear by industry.

    Private fixed assets but housing: stocks of 96 types of asset times their rates. Housing: what the accounts show for
    real estate beyond those. Government: its surplus is by definition the consumption of its capital.
    """
    assets = rows_of("capital_2013.csv").values()
    stock = {code: Fraction(0) for code in industries}
    worn = dict(stock)
    for code in industries:
        for sheet in concordance[code]["capital"].split():
            stock[code] += sum(int(asset[sheet]) for asset in assets)
            worn[code] += sum(int(asset[sheet]) * Fraction(asset["rate"]) for asset in assets)
    housing = Fraction(accounts["L68"]["capital"]) - stock["ORE"]
    stock["HS"], worn["HS"] = housing, housing * HOUSING_RATE
    surplus = {code: Fraction(use["V003"][code]) for code in GENERAL_GOVERNMENT}
    for code, own in surplus.items():
        worn[code] = own
        stock[code] = Fraction(accounts["O84"]["capital"]) * own / sum(surplus.values())
    return (
        by_good(stock.__getitem__, concordance, industries),
        by_good(worn.__getitem__, concordance, industries),
    )


@lru_cache(maxsize=1)
def energy_balance() -> EnergyBalance:
    """The energy balance of the table's year."""
    value = {item: Fraction(row["value"]) for item, row in rows_of("energy_2014.csv").items()}
    fossil = value["generation_fossil"]
    low_carbon = value["generation"] - fossil
    return EnergyBalance(
        power_fuel=value["fossil_power"] / value["fossil_total"],
        renewable=low_carbon / value["generation"],
        efficiency=fossil * QUADS_A_TWH / value["fossil_power"],
        low_carbon=low_carbon * QUADS_A_TWH / (value["nuclear_power"] + value["renewable_power"]),
    )
