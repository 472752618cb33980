"""From an ensemble's declaration to its members.

A member is a random stream and the parameters that its design point sets. Replicates of a grid share their streams
between points: two points then differ by their parameters alone (common random numbers). Points of a Latin hypercube
or a Sobol sequence have a stream each, because there the spread between members should hold the model's own chance.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Protocol

from civlab.design.latin import latin_hypercube
from civlab.design.scale import scale_integer, scale_real
from civlab.design.sobol import DIMENSIONS, sobol_points
from civlab.errors import CivlabError
from parpour_contracts.simulation import DesignParameter, DesignType, Ensemble


class Range(Protocol):
    """What a design must know of a parameter: whether it counts, and its bounds."""

    @property
    def kind(self) -> str: ...
    @property
    def minimum(self) -> Decimal | None: ...
    @property
    def maximum(self) -> Decimal | None: ...


@dataclass(frozen=True)
class MemberPoint:
    """One member: its index in the ensemble, its random stream and the parameters that its point sets."""

    index: int
    stream: int
    values: tuple[tuple[str, str], ...]


def design_parameters(ensemble: Ensemble) -> tuple[str, ...]:
    """The dotted paths that the design varies, in its order."""
    return tuple(parameter.name for parameter in ensemble.design.parameters)


def plan_members(ensemble: Ensemble, *, seed: int, parameters: Mapping[str, Range]) -> tuple[MemberPoint, ...]:
    """Every member of the ensemble, in order.

    `parameters` are the scenario's, by dotted path. Raises CivlabError with one of DESIGN_PARAMETER_UNKNOWN,
    DESIGN_PARAMETER_REPEATED, DESIGN_PARAMETERS_MISSING, DESIGN_VALUES_WRONG, DESIGN_OUT_OF_RANGE,
    DESIGN_MEMBERS_NOT_A_MULTIPLE and DESIGN_TOO_MANY_DIMENSIONS.
    """
    design = ensemble.design
    names = design_parameters(ensemble)
    _check_names(names, parameters)
    if design.type is DesignType.REPLICATE:
        if names:
            raise CivlabError(
                "DESIGN_VALUES_WRONG",
                "ensemble.design.parameters",
                "a Replicate design varies no parameter; remove them or choose Grid, LatinHypercube or Sobol",
            )
        return tuple(MemberPoint(index, index, ()) for index in range(ensemble.members))
    if not names:
        raise CivlabError(
            "DESIGN_PARAMETERS_MISSING",
            "ensemble.design.parameters",
            f"a {design.type.value} design needs at least one parameter to vary",
        )
    if design.type is DesignType.GRID:
        return _grid(ensemble)
    return _sampled(ensemble, seed=seed, parameters=parameters)


def _grid(ensemble: Ensemble) -> tuple[MemberPoint, ...]:
    axes: list[list[tuple[str, str]]] = []
    for parameter in ensemble.design.parameters:
        if not parameter.values or parameter.minimum is not None or parameter.maximum is not None:
            raise CivlabError(
                "DESIGN_VALUES_WRONG",
                parameter.name,
                "a Grid needs a list of values and no minimum or maximum; sampled ranges belong to "
                "LatinHypercube or Sobol",
            )
        axes.append([(parameter.name, value) for value in parameter.values])
    points = list(itertools.product(*axes))
    replicates, remainder = divmod(ensemble.members, len(points))
    if remainder or not replicates:
        nearest = max(1, replicates + (2 * remainder >= len(points))) * len(points)
        raise CivlabError(
            "DESIGN_MEMBERS_NOT_A_MULTIPLE",
            "ensemble.members",
            f"{ensemble.members} members cannot be shared equally by the grid's {len(points)} points; "
            f"use a multiple of {len(points)}, for example {nearest}",
        )
    return tuple(
        MemberPoint(point * replicates + replicate, replicate, values)
        for point, values in enumerate(points)
        for replicate in range(replicates)
    )


def _sampled(ensemble: Ensemble, *, seed: int, parameters: Mapping[str, Range]) -> tuple[MemberPoint, ...]:
    varied = ensemble.design.parameters
    rows: list[list[Fraction]]
    if ensemble.design.type is DesignType.SOBOL:
        if len(varied) > DIMENSIONS:
            raise CivlabError(
                "DESIGN_TOO_MANY_DIMENSIONS",
                "ensemble.design.parameters",
                f"a Sobol design varies at most {DIMENSIONS} parameters, not {len(varied)}; "
                "use LatinHypercube for more",
            )
        words = sobol_points(points=ensemble.members, dimensions=len(varied), seed=seed)
        rows = [[Fraction(word, 1 << 32) for word in row] for row in words]
    else:
        rows = latin_hypercube(points=ensemble.members, dimensions=len(varied), seed=seed)
    scales = [_scaler(parameter, parameters[parameter.name]) for parameter in varied]
    return tuple(
        MemberPoint(
            index,
            index,
            tuple(
                (parameter.name, scale(fraction))
                for parameter, scale, fraction in zip(varied, scales, row, strict=True)
            ),
        )
        for index, row in enumerate(rows)
    )


def _scaler(parameter: DesignParameter, known: Range) -> Callable[[Fraction], str]:
    if parameter.values is not None or parameter.minimum is None or parameter.maximum is None:
        raise CivlabError(
            "DESIGN_VALUES_WRONG",
            parameter.name,
            "LatinHypercube and Sobol need minimum and maximum and no list of values; lists belong to Grid",
        )
    low, high = _number(parameter.name, parameter.minimum), _number(parameter.name, parameter.maximum)
    if not low < high:
        raise CivlabError(
            "DESIGN_OUT_OF_RANGE",
            parameter.name,
            f"the range {low}..{high} is empty; the minimum must be below the maximum",
        )
    if (known.minimum is not None and low < known.minimum) or (known.maximum is not None and high > known.maximum):
        raise CivlabError(
            "DESIGN_OUT_OF_RANGE",
            parameter.name,
            f"the range {low}..{high} leaves the allowed {known.minimum}..{known.maximum}",
        )
    if known.kind == "integer":
        if low != low.to_integral_value() or high != high.to_integral_value():
            raise CivlabError(
                "DESIGN_VALUES_WRONG",
                parameter.name,
                f"is a whole number, so its range must have whole ends, not {low}..{high}",
            )
        return lambda fraction: scale_integer(fraction, low=int(low), high=int(high))
    if known.kind != "decimal":
        raise CivlabError(
            "DESIGN_VALUES_WRONG",
            parameter.name,
            f"is of kind {known.kind}, which has no range; vary it in a Grid",
        )
    return lambda fraction: scale_real(fraction, low=low, high=high)


def _number(path: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise CivlabError("DESIGN_VALUES_WRONG", path, f"{text!r} is not a decimal number")
    return number


def _check_names(names: tuple[str, ...], parameters: Mapping[str, Range]) -> None:
    for position, name in enumerate(names):
        if name not in parameters:
            nearest = difflib.get_close_matches(name, parameters, n=1, cutoff=0.5)
            hint = f"did you mean {nearest[0]}?" if nearest else "civlab explain lists the parameters"
            raise CivlabError("DESIGN_PARAMETER_UNKNOWN", name, f"the scenario has no parameter of this name; {hint}")
        if name in names[:position]:
            raise CivlabError("DESIGN_PARAMETER_REPEATED", name, "the design names this parameter twice")
