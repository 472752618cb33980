"""From an ensemble's declaration to its members.

A member is a random stream and the parameters that its design point sets. Replicates of a grid or a list share their
streams between points: two points then differ by their parameters alone (common random numbers). Points of a Latin
hypercube or a Sobol sequence have a stream each, because there the spread between members should hold the model's own
chance.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Protocol

from civlab.design.latin import latin_hypercube
from civlab.design.scale import scale_integer, scale_real
from civlab.design.sobol import sobol_points
from civlab.errors import CivlabError
from parpour_contracts.ensembles import LISTING, check_ensemble
from parpour_contracts.simulation import DesignParameter, DesignType, Ensemble


class Range(Protocol):
    """What a design must know of a parameter: whether it counts, and its bounds."""

    @property
    def kind(self) -> str: ...
    @property
    def minimum(self) -> Decimal | int | None: ...
    @property
    def maximum(self) -> Decimal | int | None: ...


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

    `parameters` are the scenario's, by dotted path. Raises CivlabError with the codes of
    `parpour_contracts.ensembles.check_ensemble`.
    """
    for problem in check_ensemble(ensemble, parameters):
        raise CivlabError(problem.code, problem.path, problem.message)
    if ensemble.design.type is DesignType.REPLICATE:
        return tuple(MemberPoint(index, index, ()) for index in range(ensemble.members))
    if ensemble.design.type in LISTING:
        return _listed(ensemble)
    return _sampled(ensemble, seed=seed, parameters=parameters)


def _listed(ensemble: Ensemble) -> tuple[MemberPoint, ...]:
    design = ensemble.design
    axes = [[(parameter.name, value) for value in parameter.values or ()] for parameter in design.parameters]
    points = list(itertools.product(*axes) if design.type is DesignType.GRID else zip(*axes, strict=True))
    replicates = ensemble.members // len(points)
    return tuple(
        MemberPoint(point * replicates + replicate, replicate, values)
        for point, values in enumerate(points)
        for replicate in range(replicates)
    )


def _sampled(ensemble: Ensemble, *, seed: int, parameters: Mapping[str, Range]) -> tuple[MemberPoint, ...]:
    varied = ensemble.design.parameters
    rows: list[list[Fraction]]
    if ensemble.design.type is DesignType.SOBOL:
        words = sobol_points(points=ensemble.members, dimensions=len(varied), seed=seed)
        rows = [[Fraction(word, 1 << 32) for word in row] for row in words]
    else:
        rows = latin_hypercube(points=ensemble.members, dimensions=len(varied), seed=seed)
    scales = [scaler(parameter, parameters[parameter.name]) for parameter in varied]
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


def scaler(parameter: DesignParameter, known: Range) -> Callable[[Fraction], str]:
    """What turns a fraction of [0, 1] into the text of a value in the parameter's range.

    Raises CivlabError SCENARIO_WRONG_TYPE for a range of a whole number whose ends are none.
    """
    low, high = Decimal(parameter.minimum or 0), Decimal(parameter.maximum or 0)
    if known.kind != "integer":
        return lambda fraction: scale_real(fraction, low=low, high=high)
    if low != low.to_integral_value() or high != high.to_integral_value():
        raise CivlabError(
            "SCENARIO_WRONG_TYPE",
            parameter.name,
            f"is a whole number, so its range must have whole ends, not {low}..{high}",
        )
    return lambda fraction: scale_integer(fraction, low=int(low), high=int(high))
