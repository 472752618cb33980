"""The chance of transmission a contact a day that gives a scenario's R0, solved exactly.

R0 here is the number of persons whom one case, drawn at random, infects in a fully susceptible population: the sum
over layers of mean other contacts times the chance of transmission to one contact over the whole infectious period.
On the community graph the contact through which the case was infected is not counted (excess degree); households,
classes and teams are counted by their mean size, so in them R0 holds for a first case and later generations find
fewer susceptible contacts (model.md, "Transmission").
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from civlab.models.epidemic.laws import ONE

BITS = 96


def excess_degree(shares: Sequence[int]) -> Fraction:
    """Mean number of other contacts of a person reached through a contact: (E[d^2] - E[d]) / E[d].

    `shares` are the weights of the degrees 0, 1, ….
    """
    mean = sum(degree * share for degree, share in enumerate(shares))
    square = sum(degree * degree * share for degree, share in enumerate(shares))
    return Fraction(square - mean, mean) if mean else Fraction(0)


def transmissibility(chance: int, days: Sequence[int]) -> int:
    """Chance that one contact is infected over the infectious period, 1 - E[(1 - p)^D], in units of 2^-96.

    `chance` is Q0.64; `days` are the chances of each length of the period in units of 2^-64.
    """
    stay = (ONE - chance) << (BITS - 64)
    power = 1 << BITS
    escaped = 0
    for share in days:
        escaped += share * power
        power = power * stay >> BITS
    return (1 << BITS) - (escaped >> 64)


def weighted(chance: int, weight: Fraction) -> int:
    """Q0.64 chance of a layer: weight times the base chance, at most one."""
    return min(chance * weight.numerator // weight.denominator, ONE)


def reproduction(chance: int, layers: Sequence[tuple[Fraction, Fraction]], days: Sequence[int]) -> Fraction:
    """R0 of a base chance: layers are (mean other contacts, weight)."""
    whole = lcm(*(contacts.denominator for contacts, _ in layers))
    parts = (int(contacts * whole) * transmissibility(weighted(chance, weight), days) for contacts, weight in layers)
    return Fraction(sum(parts), whole << BITS)


def chance_for(r0: Fraction, layers: Sequence[tuple[Fraction, Fraction]], days: Sequence[int]) -> int | None:
    """Least Q0.64 base chance whose R0 is at least `r0`; None if even certain transmission falls short."""
    if reproduction(ONE, layers, days) < r0:
        return None
    longest = max(length for length, share in enumerate(days) if share) + 1
    low, high = 0, ONE
    while high - low > 1:
        middle = (low + high) // 2
        if reproduction(middle, layers, days[:longest]) < r0:
            low = middle
        else:
            high = middle
    return high
