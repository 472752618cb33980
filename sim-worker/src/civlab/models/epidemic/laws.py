"""From a written law to a table of integers: exact arithmetic, so every machine compiles the same bits.

Floats are not used: their exp and log differ between machines. `decimal` rounds both correctly, and fifty digits leave
nothing of their rounding in 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from itertools import accumulate
from math import lcm

from parpour_contracts.scenario.epidemic import FixedLaw, Law, PoissonLaw, TableLaw

ONE = 1 << 64
EXACT = Context(prec=60)
SCALE = Decimal(1 << 256)
MOST_KEPT = 4096


def whole_weights(weights: Sequence[Fraction]) -> list[int]:
    """The same proportions as integers: multiplied by the least common denominator."""
    scale = lcm(*(weight.denominator for weight in weights))
    return [int(weight * scale) for weight in weights]


def weights_of(law: Law, length: int) -> list[int]:
    """Weight of each value 0 … length - 1 as integers; what lies beyond is left out.

    Fixed and table laws are exact; the others are rounded at their sixtieth digit.
    """
    if isinstance(law, FixedLaw):
        return [int(value == law.value) for value in range(length)]
    if isinstance(law, TableLaw):
        return whole_weights([Fraction(law.weights.get(value, Decimal(0))) for value in range(length)])
    if isinstance(law, PoissonLaw):
        chance = EXACT.exp(-law.mean)
        ratios = [EXACT.divide(law.mean, Decimal(value)) for value in range(1, length)]
    else:
        share = EXACT.divide(law.dispersion, EXACT.add(law.dispersion, law.mean))
        chance = EXACT.exp(EXACT.multiply(law.dispersion, EXACT.ln(share)))
        rest = EXACT.subtract(Decimal(1), share)
        ratios = [
            EXACT.divide(EXACT.multiply(EXACT.add(law.dispersion, Decimal(value - 1)), rest), Decimal(value))
            for value in range(1, length)
        ]
    found = [chance]
    for ratio in ratios:
        chance = EXACT.multiply(chance, ratio)
        found.append(chance)
    return [int(EXACT.multiply(item, SCALE)) for item in found]


def cumulative(weights: Sequence[int], length: int) -> list[int]:
    """Q0.64 table: entry v is floor(2^64 P(X <= v)); from the last value with weight on it is 2^64 - 1.

    The remainder of a truncated law falls on its last value, as `table_value` reads it.
    """
    total = sum(weights)
    running = accumulate((*weights, *(0 for _ in range(length - len(weights)))))
    return [min((upto << 64) // total, ONE - 1) for upto in running]


tabulated: dict[tuple[str, int], list[int]] = {}


def law_table(law: Law, length: int) -> list[int]:
    """Cumulative table of a law cut at `length` values; kept, since the points of a design mostly share their laws."""
    key = (law.model_dump_json(), length)
    if key not in tabulated:
        if len(tabulated) >= MOST_KEPT:
            tabulated.clear()
        tabulated[key] = cumulative(weights_of(law, length), length)
    return tabulated[key]


def shares(table: Sequence[int], lowest: int = 0) -> list[int]:
    """The chance, in units of 2^-64, with which `table_value` gives each value: what the kernels really draw from."""
    below = 0
    found: list[int] = []
    for value, bound in enumerate(table):
        upper = ONE if value == len(table) - 1 else bound
        found.append(upper - below if value >= lowest else 0)
        below = upper if value >= lowest else 0
    return found


def miss_table(chance: int, length: int) -> list[int]:
    """Q0.64 chance that k contacts in a row do not transmit, k = 0 … length - 1 (entry 0 is not read).

    `chance` is the Q0.64 probability of one contact, 0 < chance <= 2^64.
    """
    stay = ONE - chance
    table = [ONE - 1]
    power = ONE
    for k in range(1, length):
        power *= stay
        table.append(power >> (64 * k))
    return table


def q31(share: Decimal | Fraction) -> int:
    """Q1.31 of a share in [0, 1], half to even."""
    return round(Fraction(share) * (1 << 31))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to the weights, `total` in all: floor plus largest remainder, ties to the first."""
    whole = sum(weights)
    floors = [weight * total // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(weights[i] * total % whole), i))
    for i in order[: total - sum(floors)]:
        floors[i] += 1
    return floors
