"""Pathways: published data, and what splice, blend and overlay make of them."""

from __future__ import annotations

from decimal import Context, Decimal
from fractions import Fraction

import pytest

from civlab.errors import CivlabError
from civlab.models.climate.compile import compile_climate
from civlab.models.climate.configuration import published
from civlab.models.climate.pathways import family, yearly
from parpour_contracts.scenario import ClimateScenario, parse_scenario
from parpour_contracts.scenario.climate import Course, Point

pytestmark = pytest.mark.unit

HEAD = "apiVersion: civlab/v1\nmodel: climate\ntitle: t\n"


def scenario(pathway: str, rest: str = "ticks: 300\n") -> ClimateScenario:
    """A scenario with this pathway."""
    parsed = parse_scenario(f"{HEAD}{rest}pathway: {pathway}\n")
    assert isinstance(parsed, ClimateScenario)
    return parsed


def test_the_families_share_their_history_and_part_in_2015() -> None:
    """CO2 of 2014: 39.63 GtCO2, RCMIP 5.1.0, as in the input of CMIP6."""
    parts = [family(name) for name in ("low", "middle", "high", "overshoot")]
    assert len({tuple(part[2014]) for part in parts}) == 1
    assert float(parts[0][2014][0]) == pytest.approx(39.630948)
    assert parts[0][2100][0] < parts[3][2060][0] < parts[1][2060][0] < parts[2][2060][0]


def test_a_splice_is_one_pathway_before_the_year_and_the_other_from_it_on() -> None:
    low, high = "{kind: family, name: low}", "{kind: family, name: high}"
    spliced = yearly(scenario(f"{{kind: splice, before: {high}, after: {low}, year: 2040}}").pathway)
    assert spliced[2039] == family("high")[2039]
    assert spliced[2040] == family("low")[2040]


def test_a_blend_rises_evenly_to_its_weight() -> None:
    ends = "first: {kind: family, name: high}, second: {kind: family, name: low}"
    blended = yearly(scenario(f"{{kind: blend, {ends}, begin: 2030, end: 2050, weight: 0.5}}").pathway)
    high, low = family("high"), family("low")
    assert blended[2030] == high[2030]
    assert blended[2040][0] == high[2040][0] + Fraction(1, 4) * (low[2040][0] - high[2040][0])
    assert blended[2090][1] == (high[2090][1] + low[2090][1]) / 2


def test_an_overlay_adds_in_its_years_alone() -> None:
    changed = yearly(
        scenario("{kind: overlay, base: {kind: family, name: low}, begin: 2030, until: 2032, co2: -2.5}").pathway
    )
    low = family("low")
    assert [changed[year][0] - low[year][0] for year in (2029, 2030, 2031, 2032)] == [
        0,
        Fraction(-5, 2),
        Fraction(-5, 2),
        0,
    ]
    assert changed[2030][1:] == low[2030][1:]


def test_a_run_beyond_its_pathway_is_refused_with_the_years_there_are() -> None:
    with pytest.raises(CivlabError, match="2015 to 2510") as caught:
        compile_climate(scenario("{kind: family, name: dice-2016r-baseline}", "ticks: 10\nstart: 2000\n"))
    assert caught.value.code == "PATHWAY_TOO_SHORT"


def test_the_published_ensemble_has_841_sets_that_differ() -> None:
    assert len(set(published())) == 841


def test_a_course_of_your_own_is_straight_between_its_points_and_level_beyond_them() -> None:
    begin, middle, end = (
        "year: 2000, co2: 30, ch4: 300, forcing: 0.5",
        "year: 2010, co2: 40, ch4: 310",
        "co2: -10, ch4: 350",
    )
    points = f"{{{begin}}}, {{{middle}}}, {{year: 2030, {end}}}"
    own = yearly(scenario(f"{{kind: own, points: [{points}]}}").pathway)
    assert own.keys() == family("none").keys()
    for year, co2, ch4, forcing in (
        (1750, 30, 300, Fraction(1, 2)),
        (2000, 30, 300, Fraction(1, 2)),
        (2003, 33, 303, Fraction(7, 20)),
        (2010, 40, 310, 0),
        (2025, Fraction(5, 2), 340, 0),
        (2030, -10, 350, 0),
        (2500, -10, 350, 0),
    ):
        assert list(own[year]) == [co2, ch4, family("none")[1750][2], forcing, 1]


def test_a_course_through_every_year_of_a_family_is_that_family() -> None:
    published = family("middle")
    names = ("co2", "ch4", "n2o", "forcing")
    points = tuple(
        Point(year=year, **{name: exact_decimal(value) for name, value in zip(names, amounts[:4], strict=True)})
        for year, amounts in sorted(published.items())
    )
    own = yearly(Course(kind="own", points=points))
    assert {year: amounts[:4] for year, amounts in own.items()} == {
        year: amounts[:4] for year, amounts in published.items()
    }


def exact_decimal(value: Fraction) -> Decimal:
    """The decimal that a published number is."""
    found = Context(prec=60).divide(Decimal(value.numerator), Decimal(value.denominator))
    assert Fraction(found) == value
    return found
