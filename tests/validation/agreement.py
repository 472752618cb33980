"""Whether two simulators give the same distribution of epidemics, and whether the question was asked sharply enough.

Two kinds of answer are needed: tests of difference (Kolmogorov–Smirnov and Anderson–Darling on each figure, a
permutation test on the whole daily course), corrected together by Holm so that one family of comparisons errs with
the stated probability; and an equivalence statement, since a test that finds nothing may only be weak: the 95 %
interval of the ratio of means has to lie inside a stated band.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from validation.contact_epidemic import Course

FAMILY_LEVEL = 0.01
"""Probability that one whole family of comparisons reports any difference where there is none."""
RESAMPLES = 1999

BANDS: Mapping[str, float] = {"final size": 0.01, "peak day": 0.05, "peak height": 0.03, "duration": 0.05}
"""Largest relative difference of means that is accepted, by figure."""


@dataclass(frozen=True)
class Probability:
    """The p-value of one test of difference."""

    comparison: str
    test: str
    value: float


@dataclass(frozen=True)
class Ratio:
    """The ratio of two means less one, with its 95 % interval."""

    comparison: str
    figure: str
    estimate: float
    low: float
    high: float

    def within_band(self) -> bool:
        """The whole interval lies inside the figure's band."""
        band = BANDS[self.figure]
        return -band <= self.low and self.high <= band


def figures_of(courses: Sequence[Course]) -> dict[str, NDArray[np.float64]]:
    """Each figure over all epidemics, [epidemics]."""
    rows = [course.figures() for course in courses]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def course_probability(ours: Sequence[Course], theirs: Sequence[Course], *, seed: int) -> float:
    """Permutation p-value of the largest standardised difference of mean daily counts, exposed and infectious."""
    rows = np.array([np.concatenate([c.exposed, c.infectious]) for c in (*ours, *theirs)], dtype=np.float64)
    rows = rows[:, rows.std(axis=0) > 0]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    weights = np.concatenate([np.full(len(ours), 1 / len(ours)), np.full(len(theirs), -1 / len(theirs))])
    generator = np.random.default_rng(seed)
    shuffled = generator.permuted(np.tile(weights, (RESAMPLES, 1)), axis=1)
    observed = np.abs(weights @ rows).max()
    exceeding = np.count_nonzero(np.abs(shuffled @ rows).max(axis=1) >= observed)
    return float((exceeding + 1) / (RESAMPLES + 1))


def probabilities(comparison: str, ours: Sequence[Course], theirs: Sequence[Course]) -> list[Probability]:
    """All tests of difference between two samples of epidemics."""
    results = [Probability(comparison, "daily course, permutation", course_probability(ours, theirs, seed=1))]
    left, right = figures_of(ours), figures_of(theirs)
    for name in left:
        smirnov = stats.ks_2samp(left[name], right[name]).pvalue
        resampling = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(2))
        darling = stats.anderson_ksamp([left[name], right[name]], variant="midrank", method=resampling).pvalue
        results.append(Probability(comparison, f"{name}, Kolmogorov–Smirnov", float(smirnov)))
        results.append(Probability(comparison, f"{name}, Anderson–Darling", float(darling)))
    return results


def differences(family: Sequence[Probability], *, level: float = FAMILY_LEVEL) -> list[Probability]:
    """The tests that Holm's procedure rejects, at most `level` being the chance of any false one in the family."""
    rejected = []
    for rank, probability in enumerate(sorted(family, key=lambda p: p.value)):
        if probability.value > level / (len(family) - rank):
            break
        rejected.append(probability)
    return rejected


def ratios(comparison: str, ours: Sequence[Course], theirs: Sequence[Course]) -> list[Ratio]:
    """Ratios of means by figure; the interval by the delta method on two independent samples."""
    left, right = figures_of(ours), figures_of(theirs)
    results = []
    for name in left:
        a, b = left[name], right[name]
        ratio = a.mean() / b.mean()
        spread = ratio * np.sqrt(a.var(ddof=1) / len(a) / a.mean() ** 2 + b.var(ddof=1) / len(b) / b.mean() ** 2)
        half = 1.959964 * spread
        results.append(Ratio(comparison, name, ratio - 1, ratio - 1 - half, ratio - 1 + half))
    return results
