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
    more = _more(currency)
    if more >= 0:
        return int(minor * 10**more)
    units, rest = divmod(minor, 10**-more)
    return None if rest else units


def from_stripe(amount: int, currency: str) -> int:
    """Minor units of one of Stripe's amounts.

    Raises:
        ValueError: if minor units are too coarse for it.
    """
    more = _more(currency)
    if more <= 0:
        return int(amount * 10**-more)
    minor, rest = divmod(amount, 10**more)
    if rest:
        raise ValueError(f"{currency} has no such part")
    return minor


def _more(currency: str) -> int:
    """How many decimals more Stripe has than the currency; none, of one that ISO 4217 does not have."""
    exponent = EXPONENTS.get(currency, 0)
    return DECIMALS.get(currency, exponent) - exponent
