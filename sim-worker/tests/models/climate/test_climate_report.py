"""The climate's charts: what is drawn by member is what the tables hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import civlab
from civlab.models.climate.charts import draw_peaks
from civlab.models.climate.figures import figures_of_run
from civlab.results.columns import to_floats
from civlab.results.schema import TIMESERIES
from civlab.runs.spec import RunSpec

pytestmark = pytest.mark.kernel
SCENARIO = Path(__file__).parents[4] / "examples" / "warming-scenario.yaml"


def test_peaks_are_drawn_in_the_kelvins_of_the_courses(tmp_path: Path) -> None:
    civlab.run(SCENARIO, tmp_path / "out", members=3, ticks=270, threads=1)
    results = civlab.open(tmp_path / "out")
    axes = Figure().subplots()
    draw_peaks(axes, figures_of_run(results, RunSpec.load(results.store)))
    warming = to_floats(results.arrow(TIMESERIES, ["warming"]).column(0)).reshape(3, -1)
    median = float(np.median(warming.max(axis=1)))
    assert median > 0.5
    assert float(np.asarray(axes.lines[0].get_xdata())[0]) == pytest.approx(median, abs=0.0006)
