"""Estimators by which economies are described: cycles, correlations, slopes, tails and shapes of distributions.

They take arrays and know no model, so that each is tested on samples whose law is known. Series are f64
[time, members]; what is estimated over all members at once takes out each member's own mean first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize, special

Values = NDArray[np.float64]
QUARTERLY = 1600.0
"""Smoothing of quarterly series by which Hodrick and Prescott (1997) tell cycle from trend."""
SMOOTH = 100_000.0
"""The smoother trend that Shimer (2005, American Economic Review 95) takes out of the labour market's quarters."""


def cycle(series: Values, smoothing: float = QUARTERLY) -> Values:
    """What the Hodrick-Prescott trend leaves of series, [time, members]."""
    length = len(series)
    second = np.zeros((length - 2, length))
    rows = np.arange(length - 2)
    second[rows, rows], second[rows, rows + 1], second[rows, rows + 2] = 1.0, -2.0, 1.0
    trend: Values = linalg.solve(np.eye(length) + smoothing * second.T @ second, series, assume_a="pos")
    return series - trend


def centred(series: Values) -> Values:
    """Less each member's mean."""
    apart: Values = series - series.mean(axis=0)
    return apart


def autocorrelation(series: Values, lag: int) -> float:
    """Mean over members of the autocorrelation at a lag."""
    apart = centred(series)
    return float(((apart[lag:] * apart[:-lag]).sum(axis=0) / (apart**2).sum(axis=0)).mean())


def correlation(first: Values, second: Values) -> float:
    """Mean over members of the correlation of two series."""
    a, b = centred(first), centred(second)
    return float(((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))).mean())


def slope(by: Values, of: Values) -> float:
    """Least squares slope of `of` on `by`, all members together, each with a constant of its own."""
    a, b = centred(by), centred(of)
    return float((a * b).sum() / (a**2).sum())


def spread(series: Values) -> float:
    """Root of the members' mean variance."""
    return float(np.sqrt((centred(series) ** 2).mean()))


def tail_exponent(sizes: Values, share: float = 0.1) -> float:
    """Exponent of the Pareto tail of the largest `share`: slope of log(rank - 1/2) on log(size), with its sign turned.

    Gabaix and Ibragimov, Rank - 1/2: a simple way to improve the OLS estimation of tail exponents, Journal of Business
    and Economic Statistics 29, 2011, 24.
    """
    largest = np.sort(sizes)[::-1][: max(3, int(len(sizes) * share))]
    rank = np.log(np.arange(1, len(largest) + 1) - 0.5)
    return -slope(np.log(largest)[:, None], rank[:, None])


def l_kurtosis(sample: Values) -> float:
    """Fourth L-moment over the second, which no few observations make: 0.123 for the normal law, 0.236 for Laplace's
    (Hosking 1990, Journal of the Royal Statistical Society B 52, 105)."""
    ordered = np.sort(sample)
    count = len(ordered)
    weight, moments = np.ones(count), []
    for order in range(4):
        moments.append(float((weight * ordered).mean()))
        weight = weight * (np.arange(count) - order) / (count - 1 - order)
    first, second, third, fourth = moments
    return (20 * fourth - 30 * third + 12 * second - first) / (2 * second - first)


def subbotin_shape(sample: Values) -> float:
    """Shape b of the density proportional to exp(-|x / a|^b / b) about the median, by maximum likelihood: 1 is the law
    of Laplace, 2 the normal one (Bottazzi and Secchi 2006).

    With a^b the mean of |x|^b, the log-likelihood a number is -log(2 a b^(1/b) Gamma(1 + 1/b)) - 1/b.
    """
    size = np.abs(sample - np.median(sample))
    size = size[size > 0] / size.mean()

    def loss(b: float) -> float:
        scale = np.log((size**b).mean()) / b
        return float(scale + np.log(b) / b + special.gammaln(1 + 1 / b) + 1 / b)

    return float(optimize.minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def spread_by_size(sizes: Values, growth: Values, groups: int = 10) -> float:
    """How fast the spread of growth rates falls with size: beta of spread ~ size^-beta over groups of equal number
    (Stanley and others 1996)."""
    order = np.array_split(np.argsort(sizes, kind="stable"), groups)
    size = np.array([np.log(sizes[part]).mean() for part in order])
    apart = np.array([np.log(growth[part].std()) for part in order])
    return -slope(size[:, None], apart[:, None])


def gini(holdings: Values) -> float:
    """Gini coefficient."""
    ordered = np.sort(holdings)
    count = len(ordered)
    return float((2 * np.arange(1, count + 1) - count - 1) @ ordered / (count * ordered.sum()))
