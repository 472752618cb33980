"""Facts of economies with the bands in which published figures lie, and what an ensemble of civilisations has instead.

Bands were written down before the first run. After it three measures were changed, and no band but that of one of
them: firms' growth is that of firms with 20 employees or more, as in the sources' samples, its kurtosis is taken by
L-moments, since the fourth moment was that of a few firms, and the tail is looked for in nations with markets large
enough for one. A fact holds if the whole 95 % interval of the ensemble's figure lies in its band, is not reproduced if
none of it does, and is open otherwise; all are printed, some asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from civlab.models.civilisation.layout import WEEKS
from validation.civilisation_ensemble import LARGE, SMALL, Ensemble, Size
from validation.economic_statistics import (
    SMOOTH,
    Values,
    autocorrelation,
    correlation,
    cycle,
    gini,
    l_kurtosis,
    slope,
    spread,
    spread_by_size,
    subbotin_shape,
    tail_exponent,
)

GROUPS = 20


@dataclass(frozen=True)
class Fact:
    """One figure of economies."""

    name: str
    low: float
    high: float
    source: str
    figure: Callable[[Ensemble], float]
    of: Size = SMALL
    """In which worlds it is looked for."""
    asserted: bool = False
    """Whether the model is said to have it."""


@dataclass(frozen=True)
class Finding:
    """A fact and what the ensemble has: a figure and its 95 % interval."""

    fact: Fact
    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """`holds`, `open` or `not reproduced`."""
        if self.fact.low <= self.low and self.high <= self.fact.high:
            return "holds"
        return "not reproduced" if self.high < self.fact.low or self.fact.high < self.low else "open"


def find(fact: Fact, ensemble: Ensemble) -> Finding:
    """The figure of all members, with its interval by leaving out one of 20 groups of members at a time (the jackknife;
    Efron and Stein 1981, Annals of Statistics 9, 586)."""
    everyone = np.arange(ensemble.members)
    value = fact.figure(ensemble)
    parts = np.array([fact.figure(ensemble.of(everyone[everyone % GROUPS != group])) for group in range(GROUPS)])
    error = np.sqrt((GROUPS - 1) * ((parts - parts.mean()) ** 2).mean())
    half = float(stats.t.ppf(0.975, GROUPS - 1) * error)
    return Finding(fact, value, value - half, value + half)


def logs(e: Ensemble, name: str) -> Values:
    """Cycle of the logarithm of quarters of money over the price level."""
    return cycle(np.log(e.real(name)))


def beveridge(e: Ensemble) -> float:
    """Correlation of the rates of unemployment and of job openings, quarterly, without their smooth trends."""
    return correlation(cycle(e.unemployment(), SMOOTH), cycle(e.vacancies(), SMOOTH))


def okun(e: Ensemble) -> float:
    """Slope of the yearly change of unemployment on yearly growth."""
    return slope(e.growth("product_real", WEEKS), np.diff(e.unemployment(WEEKS), axis=0))


def phillips(e: Ensemble) -> float:
    """Slope of the yearly rise of pay on unemployment in that year."""
    return slope(e.unemployment(WEEKS)[1:], e.growth("wage", WEEKS))


def falls(e: Ensemble) -> float:
    """Autocorrelation of output's cycle after a quarter less that after a year."""
    output = logs(e, "product")
    return autocorrelation(output, 1) - autocorrelation(output, 4)


def growth_a_head(e: Ensemble) -> float:
    """Yearly growth of real product a citizen."""
    return float((e.growth("product_real", WEEKS) - e.growth("citizens", WEEKS)).mean())


def ginis(e: Ensemble) -> float:
    """Mean Gini coefficient of households' deposits at the end."""
    return float(np.mean([gini(deposits) for deposits in e.deposits]))


def tail(e: Ensemble) -> float:
    """Mean over members of the exponent of the tail of firms' employees at the end."""
    return float(np.mean([tail_exponent(e.firms.staff[-1, e.firms.member == m]) for m in np.unique(e.firms.member)]))


FACTS = (
    Fact(
        "growth of output, autocorrelation after a quarter",
        0.05,
        0.6,
        "positive, about a third in the United States (Cochrane 1988)",
        lambda e: autocorrelation(e.growth("product_real"), 1),
        asserted=True,
    ),
    Fact(
        "cycle of output, autocorrelation after a quarter",
        0.6,
        0.95,
        "0.84 (King and Rebelo 1999, table 1)",
        lambda e: autocorrelation(logs(e, "product"), 1),
        asserted=True,
    ),
    Fact(
        "cycle of output, autocorrelation after a quarter less that after a year",
        0.2,
        1.5,
        "decays within a year (Stock and Watson 1999, table 2)",
        falls,
        asserted=True,
    ),
    Fact(
        "cycle of output, standard deviation",
        0.008,
        0.03,
        "0.9 to 1.9 % in ten countries (Backus, Kehoe and Kydland 1995); small ones more",
        lambda e: spread(logs(e, "product")),
    ),
    Fact(
        "consumption, standard deviation over output's",
        0.4,
        1.0,
        "0.74 (King and Rebelo 1999, table 1)",
        lambda e: spread(logs(e, "consumption")) / spread(logs(e, "product")),
    ),
    Fact(
        "investment, standard deviation over output's",
        2.0,
        5.0,
        "2.93 (King and Rebelo 1999, table 1)",
        lambda e: spread(logs(e, "investment")) / spread(logs(e, "product")),
        asserted=True,
    ),
    Fact(
        "consumption and output, correlation",
        0.5,
        1.0,
        "0.88 (King and Rebelo 1999, table 1)",
        lambda e: correlation(logs(e, "consumption"), logs(e, "product")),
        asserted=True,
    ),
    Fact(
        "investment and output, correlation",
        0.5,
        1.0,
        "0.80 (King and Rebelo 1999, table 1)",
        lambda e: correlation(logs(e, "investment"), logs(e, "product")),
        asserted=True,
    ),
    Fact(
        "unemployment and output, correlation",
        -1.0,
        -0.5,
        "-0.89 (Stock and Watson 1999, table 2)",
        lambda e: correlation(cycle(e.unemployment()), logs(e, "product")),
        asserted=True,
    ),
    Fact(
        "Okun: change of unemployment on growth, yearly",
        -0.6,
        -0.3,
        "-0.4, United States (Ball, Leigh and Loungani 2017)",
        okun,
        asserted=True,
    ),
    Fact(
        "Beveridge: unemployment and job openings", -1.0, -0.3, "-0.89 (Shimer 2005, table 1)", beveridge, asserted=True
    ),
    Fact(
        "Phillips: rise of pay on unemployment, yearly",
        -0.5,
        -0.09,
        "slope of Phillips's own curve (1958) from 4 to 8 %",
        phillips,
        asserted=True,
    ),
    Fact(
        "firms' employees, exponent of the tail",
        0.8,
        1.3,
        "1.06, United States (Axtell 2001); 0.9 to 1.2, Europe (Fujiwara and others 2004)",
        tail,
        of=LARGE,
        asserted=True,
    ),
    Fact(
        "firms' growth, kurtosis by L-moments",
        0.15,
        1.0,
        "a tent: heavier than the normal law, 0.123 (Stanley and others 1996)",
        lambda e: l_kurtosis(e.firms.growth()[1]),
        asserted=True,
    ),
    Fact(
        "firms' growth, shape (1 Laplace, 2 normal)",
        0.7,
        1.3,
        "about 1 by industry (Bottazzi and Secchi 2006)",
        lambda e: subbotin_shape(e.firms.growth()[1]),
        asserted=True,
    ),
    Fact(
        "firms' growth, fall of its spread with size",
        0.05,
        0.3,
        "0.15 to 0.16 (Stanley and others 1996)",
        lambda e: spread_by_size(*e.firms.growth()),
        asserted=True,
    ),
    Fact(
        "Gini coefficient of deposits",
        0.55,
        0.85,
        "wealth: 0.55 Japan to 0.80 United States (Davies and others 2011)",
        ginis,
    ),
    Fact(
        "unemployment, mean",
        0.03,
        0.1,
        "5.7 %, United States 1948-2019 (Bureau of Labor Statistics)",
        lambda e: float(e.unemployment(WEEKS).mean()),
        asserted=True,
    ),
    Fact(
        "inflation, mean",
        0.01,
        0.03,
        "within a point of the target of 2 %; 2.4 %, United States 1990-2019",
        lambda e: float(e.growth("price_level", WEEKS).mean()),
        asserted=True,
    ),
    Fact(
        "growth of real product a head, mean",
        0.005,
        0.025,
        "1.5 %, United States 1990-2019 (Bureau of Economic Analysis)",
        growth_a_head,
        asserted=True,
    ),
    Fact(
        "investment over product, mean",
        0.12,
        0.25,
        "0.20, United States 2014 (Bureau of Economic Analysis)",
        lambda e: float((e.total("investment", WEEKS) / e.total("product", WEEKS)).mean()),
        asserted=True,
    ),
)
