"""Points for sensitivity analyses, sampled by SALib and turned into an exact list.

SALib samples the unit cube in floats, seeded; each coordinate becomes decimal text, and the texts are the design of an
ordinary run. So the points stand in the run's document and its hash covers them: a later SALib that samples otherwise
makes another run, and never silently other results under the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.extra import generator, library
from civlab.errors import CivlabError
from parpour_contracts.simulation import Design, DesignParameter, DesignType

LEVELS = 4
"""Levels of Morris' grid; steps are then two thirds of a range, as Campolongo and others (2007) advise."""
FEWEST_SAMPLES, MOST_SAMPLES = 2, 1 << 16


class Method(StrEnum):
    """How sensitivity is measured."""

    SOBOL = "sobol"
    MORRIS = "morris"


@dataclass(frozen=True)
class Sample:
    """Points of the unit cube, f64 [points, parameters] in SALib's order, for these ranges."""

    method: Method
    ranges: tuple[DesignParameter, ...]
    unit: NDArray[np.float64]

    @property
    def problem(self) -> dict[str, Any]:
        """The problem as SALib states one; bounds are the unit cube's, so effects are those of whole ranges."""
        return {
            "num_vars": len(self.ranges),
            "names": [each.name for each in self.ranges],
            "bounds": [[0.0, 1.0]] * len(self.ranges),
        }


def sample_points(method: Method, ranges: Sequence[DesignParameter], *, samples: int, seed: int) -> Sample:
    """SALib's points: `samples` times (parameters + 2) by Saltelli's scheme, times (parameters + 1) by Morris'.

    Sources: Saltelli and others, Computer Physics Communications 181, 2010, 259; Morris, Technometrics 33, 1991, 161.
    Raises CivlabError SENSITIVITY_SAMPLES and EXTRA_MISSING.
    """
    if not FEWEST_SAMPLES <= samples <= MOST_SAMPLES or (method is Method.SOBOL and samples & (samples - 1)):
        power = " and a power of two, for which the sequence is balanced" if method is Method.SOBOL else ""
        message = f"{samples} must be within {FEWEST_SAMPLES}..{MOST_SAMPLES}{power}; take 64 or 1024"
        raise CivlabError("SENSITIVITY_SAMPLES", "samples", message)
    plan = Sample(method, tuple(ranges), np.empty((0, len(ranges))))
    sampler, randomness = library(f"SALib.sample.{method}"), generator("sample", seed)
    if method is Method.SOBOL:
        unit = sampler.sample(plan.problem, samples, calc_second_order=False, seed=randomness)
    else:
        unit = sampler.sample(plan.problem, samples, num_levels=LEVELS, seed=randomness)
    return Sample(method, plan.ranges, unit)


def listed_design(sample: Sample, scales: Sequence[Callable[[Fraction], str]]) -> Design:
    """The sample as a list of exact points; `scales` are the functions that `checked_ranges` gave."""
    parameters = []
    for each, scale, column in zip(sample.ranges, scales, sample.unit.T.tolist(), strict=True):
        texts = {value: scale(Fraction(value)) for value in set(column)}
        parameters.append(DesignParameter(name=each.name, values=tuple(texts[value] for value in column)))
    return Design(type=DesignType.LIST, parameters=tuple(parameters))
