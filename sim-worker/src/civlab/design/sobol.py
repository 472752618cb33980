"""Sobol points in exact 32-bit integers.

The sequence follows Antonov and Saleev's Gray-code order with the direction numbers of Joe and Kuo, and a digital
shift keyed by the seed replaces Owen scrambling: it keeps every stratification of the sequence and is one exclusive
or, where scrambling would need a tree of random bits for each point.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from civlab.design.bits import keyed_words

BITS = 32
DIMENSIONS = 20


@cache
def direction_numbers(dimension: int) -> tuple[int, ...]:
    """The 32 direction numbers V_1..V_32 of one dimension (counted from 1), as 32-bit integers.

    Source: Joe and Kuo (2008), `joe_kuo.csv`; the recurrence is Bratley and Fox, ACM TOMS 14, 88 (1988).
    """
    if dimension == 1:
        return tuple(1 << (BITS - 1 - bit) for bit in range(BITS))
    degree, coefficients, initial = _primitive_polynomials()[dimension]
    values = [number << (BITS - 1 - bit) for bit, number in enumerate(initial)]
    for bit in range(degree, BITS):
        value = values[bit - degree] ^ (values[bit - degree] >> degree)
        for inner in range(1, degree):
            if coefficients >> (degree - 1 - inner) & 1:
                value ^= values[bit - inner]
        values.append(value)
    return tuple(values)


def sobol_points(*, points: int, dimensions: int, seed: int | None) -> list[list[int]]:
    """`points` rows of `dimensions` integers k, each standing for the fraction k / 2^32.

    With `seed` None the plain sequence comes back (its first point is the origin); otherwise every dimension is
    shifted by one keyed 32-bit word.
    """
    shift = [0] * dimensions if seed is None else [word >> 32 for word in keyed_words("sobol", seed, dimensions)]
    directions = [direction_numbers(dimension) for dimension in range(1, dimensions + 1)]
    state = [0] * dimensions
    rows: list[list[int]] = []
    for index in range(points):
        rows.append([value ^ offset for value, offset in zip(state, shift, strict=True)])
        changed = (~index & (index + 1)).bit_length() - 1
        state = [value ^ numbers[changed] for value, numbers in zip(state, directions, strict=True)]
    return rows


@cache
def _primitive_polynomials() -> dict[int, tuple[int, int, tuple[int, ...]]]:
    text = resources.files("civlab.design").joinpath("joe_kuo.csv").read_text(encoding="utf-8")
    table: dict[int, tuple[int, int, tuple[int, ...]]] = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        dimension, degree, coefficients, initial = line.split(",")
        numbers = tuple(int(number) for number in initial.split())
        table[int(dimension)] = (int(degree), int(coefficients), numbers)
    return table
