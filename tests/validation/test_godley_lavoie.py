"""A civilisation reduced to Godley and Lavoie's model SIM (Monetary Economics, 2007, chapter 3) is that model."""

from __future__ import annotations

import numpy as np
import pytest

from validation.godley_lavoie import BOOK, TABLE, Economy, simulate

pytestmark = pytest.mark.kernel
ROUNDING = 1e-3
"""Of 100: every payment loses less than a coin, and households' deposits add that up."""


@pytest.fixture(scope="module")
def book() -> Economy:
    """The book's numbers: it spends 0.6 of income and 0.4 of wealth, and taxes a fifth."""
    return Economy.of(*BOOK)


def test_it_rests_where_output_is_purchases_over_the_tax_rate(book: Economy) -> None:
    course = simulate(book)
    assert course.unmet == 0
    assert course.furthest() < ROUNDING
    assert course.purchases == pytest.approx(TABLE[0], abs=ROUNDING)
    for name, rest in (("Y", 100), ("C", 80), ("YD", 80), ("H", 80)):
        assert course.found[name][: course.quiet] == pytest.approx(rest, abs=ROUNDING)
        assert course.found[name] == pytest.approx(rest, abs=0.2)


@pytest.mark.parametrize("numbers", [BOOK, ("0.75", "0.125", "0.25"), ("0.9", "0.05", "0.4")], ids="-".join)
@pytest.mark.parametrize("start", ["nothing", "more"])
def test_the_way_to_rest_is_that_of_the_equations_when_pay_comes_a_week_after_sales(
    numbers: tuple[str, str, str], start: str
) -> None:
    course = simulate(Economy.of(*numbers), start=start)
    assert course.unmet == 0
    assert course.furthest() < ROUNDING


def test_from_nothing_it_reaches_the_table_of_the_book_later_and_owes_what_firms_hold_as_well(book: Economy) -> None:
    course = simulate(book, start="nothing")
    output = course.found["Y"]
    assert output[:3] == pytest.approx([20, 29.6, 36.768], abs=ROUNDING)
    assert (output[:2] < TABLE[1:3]).all()
    undisturbed = book.path(purchases=course.purchases, deposits=0, cash=0, estates=np.zeros(len(output)))
    assert undisturbed["Y"][-1] == pytest.approx(TABLE[3], abs=ROUNDING)
    assert course.furthest() < ROUNDING, "estates without heirs are all that keeps it from there"
    assert course.debt == pytest.approx(80 + 100, abs=0.01)
