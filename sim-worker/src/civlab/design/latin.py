"""Latin hypercube points as exact fractions.

Each dimension is cut into as many equal strata as there are points, and a keyed permutation gives every point a
stratum of its own (McKay, Beckman and Conover, Technometrics 21, 239, 1979). The permutation is a total sort by
(word, index) rather than a shuffle, so a tie of words cannot depend on the sorting algorithm.
"""

from __future__ import annotations

from fractions import Fraction

from civlab.design.bits import keyed_words


def latin_hypercube(*, points: int, dimensions: int, seed: int) -> list[list[Fraction]]:
    """`points` rows of `dimensions` fractions in [0, 1), one in each of the `points` strata of a dimension."""
    columns: list[list[Fraction]] = []
    for dimension in range(dimensions):
        order = keyed_words(f"latin-order:{dimension}", seed, points)
        places = keyed_words(f"latin-place:{dimension}", seed, points)
        stratum = {point: rank for rank, point in enumerate(sorted(range(points), key=lambda p: (order[p], p)))}
        columns.append(
            [Fraction((stratum[point] << 32) + (places[point] >> 32), points << 32) for point in range(points)]
        )
    return [list(row) for row in zip(*columns, strict=True)]
