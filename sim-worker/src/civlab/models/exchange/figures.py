"""The numbers behind the exchange model's charts: what every run has, where money is, and its closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.models.exchange.results import BINS, PARTS
from civlab.report.blocks import Blocks, row_groups
from civlab.report.figures import Figures, collect_figures
from civlab.report.spread import Band, Series
from civlab.results.columns import to_numpy
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import ExchangeScenario
from parpour_contracts.scenario.exchange import PooledLaw

SAVING = "exchange.saving"


@dataclass(frozen=True)
class ExchangeFigures(Figures):
    """`density` is the share of all members' agents a bin, over the bin's width in means; `lorenz` the share of all
    money that the poorest 0, 1, … 100 per cent hold, in the median member;
    `saving` is None where members differ in it."""

    density: Series
    lorenz: Series
    saving: float | None

    def dispersion(self) -> Band:
        """Variance of the holdings over their squared mean, by tick."""
        return self.band(lambda block: block["squares"] * block.figure("population")[:, None] / block["money"] ** 2 - 1)

    def mean_share_moved(self) -> Band:
        """Share of all money that changed hands, by tick."""
        return self.band(lambda block: block["moved"] / block["money"])


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
    common = collect_figures(results, outcome="gini")
    law = spec.scenario.exchange
    saving = float(law.saving) if isinstance(law, PooledLaw) else 0.0
    held, lorenz = _at_the_end(common.blocks)
    return common.extended(
        ExchangeFigures,
        density=8 * held[:BINS] / held.sum(),
        lorenz=lorenz,
        saving=None if SAVING in results.manifest.parameters else saving,
    )


def _at_the_end(blocks: Blocks) -> tuple[NDArray[np.int64], Series]:
    """Agents of all members a bin of the holdings, and the median Lorenz curve."""
    held = np.zeros(BINS + 1, np.int64)
    for rows in row_groups(blocks.results, "holdings", ("agents",)):
        held += to_numpy(rows.column(0)).reshape(-1, BINS + 1).sum(axis=0)
    tables = row_groups(blocks.results, "lorenz", ("money",))
    curves = (to_numpy(rows.column(0)).reshape(-1, PARTS + 1) for rows in tables)
    return held, blocks.spread(curve / curve[:, -1:] for curve in curves).median
