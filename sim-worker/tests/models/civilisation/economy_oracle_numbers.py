"""Whole numbers of the economy's oracle: fractions of 2^32, shares by largest remainders, and the logit of prices.

The exponential is written out in Python floats, which are the machine's own doubles: it is + - * / alone, so the bits
are those of any other program that takes the same steps.
"""

from __future__ import annotations

from collections.abc import Sequence

ONE = 1 << 32
"""A whole, where fractions are Q32."""
LN2_HIGH, LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
INVERSE_LN2, ROUNDING = float.fromhex("0x1.71547652b82fep+0"), float.fromhex("0x1.8p52")
FACTORIALS = (6227020800, 479001600, 39916800, 3628800, 362880, 40320, 5040, 720, 120, 24, 6)


def part(amount: int, fraction: int) -> int:
    """A fraction of an amount, rounded down."""
    return amount * fraction >> 32


def toward_zero(amount: int, by: int) -> int:
    """A quotient whose magnitude is rounded down."""
    return amount // by if amount >= 0 else -(-amount // by)


def within(amount: int, low: int, high: int) -> int:
    """The nearest number between two bounds."""
    return min(max(amount, low), high)


def shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """Hamilton's method: floors, then one more to the largest remainders, the first of equals; nothing of nothing."""
    whole = sum(weights)
    if not total:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in order[: total - sum(shares)]:
        shares[place] += 1
    return shares


def rationed(supply: int, demands: Sequence[int]) -> list[int]:
    """All that is demanded, or the supply shared out."""
    return list(demands) if supply >= sum(demands) else shared_out(supply, demands)


def bell(words: Sequence[int]) -> int:
    """A bell-shaped chance, Q32: eight uniform numbers of 16 bits, less their mean, over their sum's deviation."""
    halves = [half for word in words for half in (word & 0xFFFF, word >> 16)]
    return (sum(halves) - 4 * 0xFFFF) * 80265


def exponential(x: float) -> float:
    """e^x for x from -700 to 0, by Cody and Waite's reduction and the series of the 13 first powers."""
    whole = (x * INVERSE_LN2 + ROUNDING) - ROUNDING
    high, low = x - whole * LN2_HIGH, whole * LN2_LOW
    rest = high - low
    lost = (high - rest) - low
    series = 0.0
    for factorial in FACTORIALS:
        series = series * rest + 1.0 / factorial
    series = series * rest + 0.5
    return (1.0 + (rest + (rest * rest * series + (lost + lost * rest)))) * 2.0 ** int(whole)


def logit(price: int, least: int, mean: int, choice: int) -> int:
    """Weight of a price beside the least one, Q32: e^(-choice (price - least) / mean)."""
    if price <= least or not mean or not choice:
        return ONE
    exponent = float(choice) / 4294967296.0 * (float(price - least) / float(mean))
    return int(exponential(-exponent) * 4294967296.0 + 0.5) if exponent < 700 else 0
