"""The numbers behind the climate's charts: what every run has, and the calendar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.models.climate.compile import compile_climate
from civlab.report.figures import Figures, collect_figures
from civlab.report.spread import Series
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import ClimateScenario


@dataclass(frozen=True)
class ClimateFigures(Figures):
    """`years` are the calendar years of the ticks; `zones` the factor of each zone's warming."""

    years: NDArray[np.int64]
    zones: Series


def figures_of_run(results: Results, spec: RunSpec) -> ClimateFigures:
    """The figures of a run."""
    assert isinstance(spec.scenario, ClimateScenario)
    common = collect_figures(results, outcome="peak_warming")
    scenario = spec.scenario
    return common.extended(
        ClimateFigures,
        years=scenario.start + scenario.years_a_tick * common.ticks,
        zones=compile_climate(scenario).record["zone"][0],
    )
