"""The published tables that a scenario names: age pyramid, household sizes, age mixing, severity.

They are read as exact decimals; data/README.md holds sources and licences.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import cache
from importlib.resources import files

from civlab.models.epidemic.layout import AGES, GROUPS, HOUSEHOLD_SIZES

OLDEST = 100


def rows(name: str) -> list[list[str]]:
    """The rows of a data file, its heading included."""
    return list(csv.reader((files("civlab.models.epidemic") / "data" / name).read_text("utf-8").splitlines()))


@cache
def pyramid(name: str) -> tuple[Fraction, ...]:
    """Weight of each year of age 0 … 100; a group's persons are spread evenly over its years."""
    if name == "uniform":
        return tuple(Fraction(int(age < OLDEST)) for age in range(OLDEST + 1))
    weights = [Fraction(0)] * (OLDEST + 1)
    for first, last, thousands in rows(f"pyramid_{name.replace('-', '_')}.csv")[1:]:
        years = range(int(first), int(last) + 1)
        for age in years:
            weights[age] = Fraction(thousands) / len(years)
    return tuple(weights)


@cache
def household_shares(name: str) -> tuple[Fraction, ...]:
    """Share of households with 1 … 10 persons."""
    shares = [Fraction(0)] * HOUSEHOLD_SIZES
    for persons, percent in rows(f"households_{name.replace('-', '_')}.csv")[1:]:
        shares[int(persons) - 1] = Fraction(percent) / 100
    return tuple(shares)


@cache
def mixing(name: str) -> tuple[tuple[Fraction, ...], ...]:
    """Contacts a day of a person in group a (row) with persons in group b (column)."""
    return tuple(tuple(Fraction(cell) for cell in row) for row in rows(f"mixing_{name.replace('-', '_')}.csv"))


def group_of(age: int) -> int:
    """Age group of the mixing matrix: five-year groups, the last is 75 and over."""
    return min(age // 5, GROUPS - 1)


@cache
def severity(name: str) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """By year of age: share of infections admitted, and share of the admitted who die."""
    admitted = [Fraction(0)] * AGES
    fatal = [Fraction(0)] * AGES
    for first, percent_admitted, percent_fatal in rows(f"severity_{name.replace('-', '_')}.csv")[1:]:
        for age in range(int(first), AGES):
            admitted[age] = Fraction(percent_admitted) / 100
            fatal[age] = (
                Fraction(percent_fatal) / Fraction(percent_admitted) if Fraction(percent_admitted) else Fraction(0)
            )
    return tuple(admitted), tuple(fatal)
