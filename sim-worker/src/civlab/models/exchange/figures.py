"""The numbers behind the exchange model's charts: what every run has, where money is, and its closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from civlab.models.exchange.results import BINS, PARTS
from civlab.report.figures import Band, Figures, Series, band, collect_figures
from civlab.results.columns import to_numpy
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import ExchangeScenario
from parpour_contracts.scenario.exchange import PooledLaw

METRICS_DRAWN = ("money", "penniless", "richest", "squares", "trades", "moved")
SAVING = "exchange.saving"


@dataclass(frozen=True)
class ExchangeFigures(Figures):
    """`density` is the share of all members' agents a bin, over the bin's width in means; `lorenz` the share of all
    money that the poorest 0, 1, … 100 per cent hold, by member; `saving` is None where members differ in it."""

    density: Series
    lorenz: Series
    saving: float | None

    def per_agent(self, name: str) -> Series:
        """A metric of the drawn members by agent, [members drawn, ticks]."""
        return self.series[name] / self.agents()[:, None]

    def agents(self) -> Series:
        """Agents of the drawn members."""
        population = self.members["population"]
        return population[:: -(-len(population) // self.drawn)]

    def dispersion(self) -> Band:
        """Variance of the holdings over their squared mean, by tick."""
        return band(self.per_agent("squares") / self.per_agent("money") ** 2 - 1)

    def mean_share_moved(self) -> Band:
        """Share of all money that changed hands, by tick."""
        return band(self.series["moved"] / self.series["money"])


def shape(saving: float) -> float:
    """The shape n of the stationary law under a saving propensity (Patriarca, Chakraborti and Kaski 2004)."""
    return 1 + 3 * saving / (1 - saving)


def stationary_density(holding: Series, saving: float) -> Series:
    """Density of a holding in means: the gamma law of mean 1, which is exponential without saving."""
    n = shape(saving)
    with np.errstate(divide="ignore"):
        logarithm = n * math.log(n) - math.lgamma(n) + (n - 1) * np.log(holding) - n * holding
    return np.asarray(np.exp(logarithm), dtype=np.float64)


def figures_of_run(results: Results, spec: RunSpec) -> ExchangeFigures:
    """The figures of a run."""
    assert isinstance(spec.scenario, ExchangeScenario)
    common = collect_figures(results, metrics=METRICS_DRAWN, outcome="gini")
    law = spec.scenario.exchange
    saving = float(law.saving) if isinstance(law, PooledLaw) else 0.0
    held = to_numpy(results.arrow("holdings", ["agents"]).column(0)).reshape(-1, BINS + 1).sum(axis=0)
    curves = to_numpy(results.arrow("lorenz", ["money"]).column(0)).reshape(-1, PARTS + 1).astype(np.float64)
    return common.extended(
        ExchangeFigures,
        density=8 * held[:BINS] / held.sum(),
        lorenz=curves / curves[:, -1:],
        saving=None if SAVING in results.manifest.parameters else saving,
    )
