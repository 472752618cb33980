"""What matters: indices of sensitivity by parameter, worked out by SALib from the outcomes at its points.

Intervals are SALib's bootstrap, seeded; the bounds stated here are 95 % ones, as half-widths.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.extra import generator, library
from civlab.analysis.sampling import LEVELS, Method, Sample
from civlab.errors import CivlabError

RESAMPLES = 500
CONFIDENCE = 0.95


@dataclass(frozen=True)
class SobolIndex:
    """Shares of the outcome's variance: `first` is the parameter's alone, `total` adds all that it takes part in."""

    name: str
    first: float
    first_interval: float
    total: float
    total_interval: float


@dataclass(frozen=True)
class ElementaryEffect:
    """Effects of a parameter over its whole range, in the outcome's unit: their mean, the mean of their sizes (`star`)
    and their standard deviation, which is large where the effect is curved or depends on other parameters."""

    name: str
    mean: float
    star: float
    star_interval: float
    sigma: float


Indices = tuple[SobolIndex, ...] | tuple[ElementaryEffect, ...]


def sensitivity_indices(sample: Sample, outcomes: NDArray[np.float64], *, seed: int) -> Indices:
    """The indices of each parameter from the outcome at each of the sample's points, f64 [points].

    Raises CivlabError SENSITIVITY_NO_VARIANCE when all outcomes are equal, SENSITIVITY_NOT_A_NUMBER when one is no
    number, and EXTRA_MISSING.
    """
    broken = np.flatnonzero(~np.isfinite(outcomes))
    if len(broken):
        message = f"the outcome at point {broken[0]} is no number; choose another outcome, or narrower ranges"
        raise CivlabError("SENSITIVITY_NOT_A_NUMBER", "outcome", message)
    if np.ptp(outcomes) == 0:
        message = f"all points give the same outcome, {outcomes[0]:g}; widen the ranges or choose another outcome"
        raise CivlabError("SENSITIVITY_NO_VARIANCE", "outcome", message)
    analyzer, randomness = library(f"SALib.analyze.{sample.method}"), generator("intervals", seed)
    settings = {"num_resamples": RESAMPLES, "conf_level": CONFIDENCE, "seed": randomness}
    names = sample.problem["names"]
    if sample.method is Method.SOBOL:
        with warnings.catch_warnings(action="ignore"):  # of resamples without variance, which count as zero
            found = analyzer.analyze(sample.problem, outcomes, calc_second_order=False, **settings)
        columns = (found[key].tolist() for key in ("S1", "S1_conf", "ST", "ST_conf"))
        return tuple(SobolIndex(*row) for row in zip(names, *columns, strict=True))
    found = analyzer.analyze(sample.problem, sample.unit, outcomes, num_levels=LEVELS, **settings)
    effects = ([float(value) for value in found[key]] for key in ("mu", "mu_star", "mu_star_conf", "sigma"))
    return tuple(ElementaryEffect(*row) for row in zip(names, *effects, strict=True))
