"""From a fraction of a range to the decimal text that a parameter is set to.

A sampled value keeps nine significant digits of its range's width: enough for any parameter, short enough to read in
a table, and exact, since text is what the scenario parser takes.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

SIGNIFICANT_DIGITS = 9


def scale_real(fraction: Fraction, *, low: Decimal, high: Decimal) -> str:
    """The value `low + fraction * (high - low)`, rounded half to even at nine digits of the width."""
    width = high - low
    places = max(0, SIGNIFICANT_DIGITS - 1 - width.adjusted())
    exact = Fraction(low) + fraction * Fraction(width)
    scaled = round(exact * 10**places)
    text = f"{Decimal(scaled).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale_integer(fraction: Fraction, *, low: int, high: int) -> str:
    """One of the integers low..high, each standing for an equal share of [0, 1]."""
    return str(min(high, low + int(fraction * (high - low + 1))))
