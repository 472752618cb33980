"""Currencies beside the maintenance agency's own table, and amounts that are read strictly."""

from __future__ import annotations

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.currencies import EXPONENTS, INT64_MAX, format_amount, parse_amount, parse_limit
from parpour_treasury.refusals import TreasuryError

pytestmark = pytest.mark.unit


def test_the_exponents_are_those_of_iso_4217() -> None:
    official = {one.code.upper(): one.exponent for one in iso4217.Currency if one.exponent is not None}
    assert official == EXPONENTS


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("12.50", "USD", 1250),
        ("12.5", "USD", 1250),
        ("12", "USD", 1200),
        ("0.01", "USD", 1),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        ("92233720368547758.07", "USD", INT64_MAX),
    ],
)
def test_an_amount_is_read(text: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        (12.5, "USD", "AMOUNT_MALFORMED"),
        (12, "USD", "AMOUNT_MALFORMED"),
        (True, "USD", "AMOUNT_MALFORMED"),
        (None, "USD", "AMOUNT_MALFORMED"),
        ("", "USD", "AMOUNT_MALFORMED"),
        ("1e3", "USD", "AMOUNT_MALFORMED"),
        ("NaN", "USD", "AMOUNT_MALFORMED"),
        ("+1", "USD", "AMOUNT_MALFORMED"),
        (" 1", "USD", "AMOUNT_MALFORMED"),
        ("1\n", "USD", "AMOUNT_MALFORMED"),
        ("01", "USD", "AMOUNT_MALFORMED"),
        (".5", "USD", "AMOUNT_MALFORMED"),
        ("5.", "USD", "AMOUNT_MALFORMED"),
        ("1,000", "USD", "AMOUNT_MALFORMED"),
        ("\u0661", "USD", "AMOUNT_MALFORMED"),
        ("9" * 5000, "USD", "AMOUNT_MALFORMED"),
        ("1.234", "USD", "AMOUNT_TOO_PRECISE"),
        ("1.00", "JPY", "AMOUNT_TOO_PRECISE"),
        ("-1", "USD", "AMOUNT_NOT_POSITIVE"),
        ("0", "USD", "AMOUNT_NOT_POSITIVE"),
        ("0.00", "USD", "AMOUNT_NOT_POSITIVE"),
        ("92233720368547758.08", "USD", "AMOUNT_OUT_OF_RANGE"),
        ("1", "XXX", "CURRENCY_UNKNOWN"),
        ("1", "XAU", "CURRENCY_UNKNOWN"),
        ("1", "usd", "CURRENCY_UNKNOWN"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_code(text: object, currency: str, code: str) -> None:
    with pytest.raises(TreasuryError) as caught:
        parse_amount(text, currency, field="legs[1].amount")
    assert caught.value.code == code
    assert caught.value.field == ("legs[1].currency" if code == "CURRENCY_UNKNOWN" else "legs[1].amount")


@given(minor=st.integers(-INT64_MAX, INT64_MAX), currency=st.sampled_from(sorted(EXPONENTS)))
def test_a_limit_may_have_any_sign_and_survives_being_written_and_read(minor: int, currency: str) -> None:
    assert parse_limit(format_amount(minor, currency), currency, field="minimum") == minor


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (0, "AMOUNT_MALFORMED"),
        ("--1", "AMOUNT_MALFORMED"),
        ("-1.234", "AMOUNT_TOO_PRECISE"),
        ("-92233720368547758.08", "AMOUNT_OUT_OF_RANGE"),
    ],
)
def test_what_is_no_limit_is_refused_with_its_code(text: object, code: str) -> None:
    with pytest.raises(TreasuryError, match=code):
        parse_limit(text, "USD", field="minimum")


@given(minor=st.integers(1, INT64_MAX), currency=st.sampled_from(sorted(EXPONENTS)))
def test_an_amount_survives_being_written_and_read(minor: int, currency: str) -> None:
    assert parse_amount(format_amount(minor, currency), currency) == minor
    assert format_amount(-minor, currency) == "-" + format_amount(minor, currency)
