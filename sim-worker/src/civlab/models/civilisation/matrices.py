"""Exact linear algebra on fractions, for matrices of a national account's size.

Floats would make the compiled scenario depend on the machine's library; nine industries are few enough for fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

Vector = tuple[Fraction, ...]
Matrix = tuple[Vector, ...]


def matrix(rows: Sequence[Sequence[Fraction | int]]) -> Matrix:
    """The matrix of these rows."""
    return tuple(tuple(Fraction(value) for value in row) for row in rows)


def transpose(a: Matrix) -> Matrix:
    """Rows as columns."""
    return tuple(zip(*a, strict=True))


def times(a: Matrix, b: Matrix) -> Matrix:
    """The matrix product."""
    columns = transpose(b)
    return tuple(tuple(dot(row, column) for column in columns) for row in a)


def apply(a: Matrix, x: Vector) -> Vector:
    """The matrix times a column vector."""
    return tuple(dot(row, x) for row in a)


def dot(x: Vector, y: Vector) -> Fraction:
    """The scalar product."""
    return sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))


def less_from_identity(a: Matrix) -> Matrix:
    """The identity less `a`."""
    return tuple(tuple(Fraction(i == j) - value for j, value in enumerate(row)) for i, row in enumerate(a))


def inverse(a: Matrix) -> Matrix:
    """The inverse by Gauss and Jordan's elimination; raises ZeroDivisionError where there is none."""
    size = len(a)
    rows = [[*row, *(Fraction(i == j) for j in range(size))] for i, row in enumerate(a)]
    for column in range(size):
        pivot = next((r for r in range(column, size) if rows[r][column] != 0), None)
        if pivot is None:
            raise ZeroDivisionError("the matrix has no inverse")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = rows[column][column]
        rows[column] = [value / scale for value in rows[column]]
        for r in range(size):
            factor = rows[r][column]
            if r != column and factor:
                rows[r] = [value - factor * lead for value, lead in zip(rows[r], rows[column], strict=True)]
    return tuple(tuple(row[size:]) for row in rows)


def productive(a: Matrix) -> bool:
    """Whether a matrix of non-negative inputs has a spectral radius below one.

    By Hawkins and Simon (1949), exactly if all leading principal minors of the identity less `a` are positive: the
    pivots of an elimination without exchanges.
    """
    rows = [list(row) for row in less_from_identity(a)]
    for column in range(len(rows)):
        if rows[column][column] <= 0:
            return False
        for r in range(column + 1, len(rows)):
            factor = rows[r][column] / rows[column][column]
            rows[r] = [value - factor * lead for value, lead in zip(rows[r], rows[column], strict=True)]
    return True


def parts(total: int, weights: Sequence[Fraction | int]) -> list[int]:
    """The total split by weights, by largest remainders; equal remainders go to the first."""
    whole = sum(weights, Fraction(0))
    exact = [total * Fraction(weight) / whole for weight in weights]
    found = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda k: (found[k] - exact[k], k))
    for k in order[: total - sum(found)]:
        found[k] += 1
    return found
