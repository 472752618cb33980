"""Checks an ensemble's design against the parameters that a scenario has, before anything is started.

The operator asks this at acceptance and civlab again before it runs, so both refuse the same inputs in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Protocol

from parpour_contracts.scenario.errors import nearest
from parpour_contracts.simulation import GRID_LIMIT, Design, DesignParameter, DesignType, Ensemble

LISTING = (DesignType.GRID, DesignType.LIST)
"""The designs whose document names every value."""


class Range(Protocol):
    """What this check needs to know of a parameter."""

    @property
    def minimum(self) -> Decimal | int | None: ...
    @property
    def maximum(self) -> Decimal | int | None: ...


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an input, with the field and the remedy."""

    code: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.code}]"


def listed_points(design: Design) -> int:
    """Number of combinations of a Grid, or of points of a List; 1 for every other design."""
    lengths = [len(p.values or ()) for p in design.parameters]
    if design.type is DesignType.LIST:
        return max(lengths, default=0)
    return prod(lengths) if design.type is DesignType.GRID else 1


def check_ensemble(ensemble: Ensemble, known: Mapping[str, Range]) -> tuple[Problem, ...]:
    """Everything that is wrong with the design, in the order of its fields."""
    design = ensemble.design
    problems: list[Problem] = []
    seen: set[str] = set()
    for index, parameter in enumerate(design.parameters):
        where = f"ensemble.design.parameters[{index}]"
        if parameter.name in seen:
            problems.append(Problem("DESIGN_DUPLICATE_PARAMETER", f"{where}.name", f"{parameter.name} stands twice"))
        seen.add(parameter.name)
        if parameter.name not in known:
            hint = nearest(parameter.name, known) or "; `civlab explain` lists them"
            problems.append(
                Problem("SCENARIO_UNKNOWN_PARAMETER", f"{where}.name", f"no parameter {parameter.name!r}{hint}")
            )
            continue
        problems += _check_values(design, parameter, known[parameter.name], where)
    problems += _check_shape(ensemble)
    return tuple(problems)


def _check_shape(ensemble: Ensemble) -> list[Problem]:
    design, where = ensemble.design, "ensemble.design.parameters"
    if design.type is DesignType.REPLICATE:
        if design.parameters:
            return [Problem("DESIGN_SHAPE", where, "a Replicate design varies no parameter; choose another type")]
        return []
    if not design.parameters:
        return [Problem("DESIGN_SHAPE", where, f"a {design.type} design needs at least one parameter")]
    points = listed_points(design)
    if design.type is DesignType.LIST and any(len(p.values or ()) != points for p in design.parameters):
        return [Problem("DESIGN_SHAPE", where, "a List needs as many values of each parameter; add those that lack")]
    if points and ensemble.members % points:
        multiples = max(points, ensemble.members // points * points)
        what = f"grid's {points} combinations" if design.type is DesignType.GRID else f"list's {points} points"
        message = f"{ensemble.members} is not a multiple of the {what}; use {multiples}"
        return [Problem("DESIGN_MEMBERS_NOT_A_MULTIPLE", "ensemble.members", message)]
    return []


def _check_values(design: Design, parameter: DesignParameter, known: Range, where: str) -> list[Problem]:
    if design.type in LISTING:
        if not parameter.values:
            return [Problem("DESIGN_SHAPE", f"{where}.values", f"a {design.type} needs values")]
        if design.type is DesignType.GRID and len(parameter.values) > GRID_LIMIT:
            message = f"a Grid takes at most {GRID_LIMIT} values of a parameter, not {len(parameter.values)}"
            return [Problem("DESIGN_SHAPE", f"{where}.values", message)]
        texts = [(f"{where}.values[{i}]", text) for i, text in enumerate(parameter.values)]
    elif parameter.minimum is None or parameter.maximum is None:
        return [Problem("DESIGN_SHAPE", where, f"a {design.type} design needs minimum and maximum")]
    else:
        texts = [(f"{where}.minimum", parameter.minimum), (f"{where}.maximum", parameter.maximum)]
    problems: list[Problem] = []
    values: list[Decimal] = []
    for path, text in texts:
        try:
            value = Decimal(text)
        except InvalidOperation:
            problems.append(Problem("SCENARIO_WRONG_TYPE", path, f"{text!r} is not a decimal number"))
            continue
        values.append(value)
        problems += _check_range(value, known, path)
    if design.type not in LISTING and not problems and values[0] >= values[1]:
        message = f"{values[0]} is not below the maximum {values[1]}"
        problems.append(Problem("SCENARIO_OUT_OF_RANGE", f"{where}.minimum", message))
    return problems


def _check_range(value: Decimal, known: Range, path: str) -> list[Problem]:
    if not value.is_finite():
        return [Problem("SCENARIO_OUT_OF_RANGE", path, f"{value} is not a finite number")]
    if known.minimum is not None and value < known.minimum:
        return [Problem("SCENARIO_OUT_OF_RANGE", path, f"{value} is below the minimum {known.minimum}")]
    if known.maximum is not None and value > known.maximum:
        return [Problem("SCENARIO_OUT_OF_RANGE", path, f"{value} is above the maximum {known.maximum}")]
    return []
