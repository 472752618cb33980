"""Emission pathways: published families and their composition, year by year.

Composition is exact (fractions), and each yearly number is rounded once to the nearest f64 at the end, so a blend has
one value on every machine.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from types import MappingProxyType

from parpour_contracts.scenario.climate import FAMILIES, Blend, Course, Family, Overlay, Pathway, Point, Splice

DATA = Path(__file__).parent / "data"
BASELINE_YEAR = 1750
QUANTITIES = ("co2", "ch4", "n2o", "other_forcing", "ch4_lifetime_factor")
"""GtCO2, MtCH4, MtN2O a year, W m-2, and the factor of methane's lifetime by species that are not modelled."""

Amounts = tuple[Fraction, ...]
"""One value for each of QUANTITIES."""
Yearly = Mapping[int, Amounts]


def yearly(pathway: Pathway) -> Yearly:
    """Exact yearly amounts of a pathway, for as many years as all its parts have."""
    if isinstance(pathway, Family):
        return family(pathway.name)
    if isinstance(pathway, Splice):
        before, after = yearly(pathway.before), yearly(pathway.after)
        parts = {year: (before if year < pathway.year else after) for year in sorted({*before, *after})}
        return {year: part[year] for year, part in parts.items() if year in part}
    if isinstance(pathway, Blend):
        first, second = yearly(pathway.first), yearly(pathway.second)
        return {
            year: mixed(first[year], second[year], ramp(pathway, year)) for year in sorted(first.keys() & second.keys())
        }
    if isinstance(pathway, Course):
        return course(pathway)
    return {year: shifted(pathway, year, amounts) for year, amounts in yearly(pathway.base).items()}


def course(own: Course) -> dict[int, Amounts]:
    """Straight lines between the points, level before the first and after the last."""
    still = family("none")
    years = [point.year for point in own.points]
    amounts = [amounts_of(point, still[BASELINE_YEAR]) for point in own.points]
    found = {}
    for year in still:
        after = min(bisect_right(years, year), len(years) - 1)
        before = max(after - 1, 0)
        along = Fraction(year - years[before], years[after] - years[before]) if before < after else Fraction(0)
        found[year] = mixed(amounts[before], amounts[after], min(max(along, Fraction(0)), Fraction(1)))
    return found


def amounts_of(point: Point, still: Amounts) -> Amounts:
    """A point's amounts, with those of the start for a gas that it does not give."""
    ch4, n2o = (still[place] if own is None else Fraction(own) for place, own in ((1, point.ch4), (2, point.n2o)))
    return Fraction(point.co2), ch4, n2o, Fraction(point.forcing), Fraction(1)


def ramp(blend: Blend, year: int) -> Fraction:
    """Weight of the second pathway: 0 until `begin`, evenly up to its full weight at `end`."""
    if year <= blend.begin and blend.begin < blend.end:
        return Fraction(0)
    if year < blend.end:
        return Fraction(blend.weight) * Fraction(year - blend.begin, blend.end - blend.begin)
    return Fraction(blend.weight)


def mixed(first: Amounts, second: Amounts, weight: Fraction) -> Amounts:
    """(1 - weight) first + weight second."""
    return tuple(a + weight * (b - a) for a, b in zip(first, second, strict=True))


def shifted(overlay: Overlay, year: int, amounts: Amounts) -> Amounts:
    """The amounts with the overlay's change where it holds; methane's lifetime is left alone."""
    if not overlay.begin <= year < overlay.until:
        return amounts
    change = (overlay.co2, overlay.ch4, overlay.n2o, overlay.forcing, Decimal(0))
    return tuple(amount + Fraction(more) for amount, more in zip(amounts, change, strict=True))


@cache
def family(name: str) -> Yearly:
    """A published pathway by its name or its family's."""
    name = FAMILIES.get(name, name)
    if name == "none":
        history = family("ssp245")
        still = (Fraction(0), history[BASELINE_YEAR][1], history[BASELINE_YEAR][2], Fraction(0), Fraction(1))
        return MappingProxyType(dict.fromkeys(history, still))
    if name == "dice-2016r-baseline":
        return MappingProxyType(table("dice_2016r_baseline.csv"))
    return MappingProxyType(table("historical.csv") | table(f"{name}.csv"))


def table(file: str) -> dict[int, Amounts]:
    """A file of yearly amounts; quantities without a column are zero, a factor without one is 1."""
    with (DATA / file).open(newline="", encoding="utf-8") as lines:
        return {
            int(row["year"]): tuple(Fraction(row.get(name, str(int(name == QUANTITIES[4])))) for name in QUANTITIES)
            for row in csv.DictReader(lines)
        }
