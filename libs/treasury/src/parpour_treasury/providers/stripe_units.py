"""Stripe's units, which are not those of ISO 4217 for every currency.

Whoever sends ISO's minor units of an Icelandic króna pays a hundredth, and of a Malagasy ariary a hundredfold.
Source: Stripe, supported currencies: zero-decimal currencies, and special cases.
"""

from __future__ import annotations

from parpour_treasury.currencies import EXPONENTS

DECIMALS = {"ISK": 2, "MGA": 0, "UGX": 2}
"""Decimals of Stripe's amounts where they are others than those of the currency."""


def to_stripe(minor: int, currency: str) -> int | None:
    """An amount in Stripe's units; None if they are too coarse for it."""
    finer, coarser = _scales(currency)
    units, rest = divmod(minor * finer, coarser)
    return None if rest else units


def from_stripe(amount: int, currency: str) -> int:
    """Minor units of one of Stripe's amounts.

    Raises:
        ValueError: if minor units are too coarse for it.
    """
    finer, coarser = _scales(currency)
    minor, rest = divmod(amount * coarser, finer)
    if rest:
        raise ValueError(f"{currency} has no such part")
    return minor


def _scales(currency: str) -> tuple[int, int]:
    """How many of Stripe's units a minor unit is, and the reverse: one of them is 1, and mostly both are."""
    exponent = EXPONENTS.get(currency, 0)
    more = DECIMALS.get(currency, exponent) - exponent
    return int("1" + "0" * more), int("1" + "0" * -more)
