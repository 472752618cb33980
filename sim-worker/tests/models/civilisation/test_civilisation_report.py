"""The civilisation's report: every chart draws, whatever the run, and no legend or name covers what is drawn."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation

import civlab
from civlab.models.civilisation.figures import CivilisationFigures, change, figures_of_run, quarterly, ratio, trailing
from civlab.models.civilisation.layout import GOODS, WEEKS
from civlab.models.civilisation.report import REPORT
from civlab.report import render_picture, render_report
from civlab.report.charts import style
from civlab.report.declaration import Chart
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec

from .civilisations import document

pytestmark = pytest.mark.kernel

CHARTS = [chart for section in REPORT.sections for chart in section.charts]
SHAPES = {
    "ensemble": {"members": 4, "ticks": 120, "nations": 2},
    "alone": {"members": 1, "ticks": 5, "nations": 1},
    "many nations": {"members": 2, "ticks": 60, "nations": 6},
}
OWN_MAPS = "  map: {regions: 6, terrain: own}"


@pytest.fixture(
    scope="module",
    params=["alone", *(pytest.param(shape, marks=pytest.mark.long) for shape in ("ensemble", "many nations"))],
)
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A run of each shape."""
    shape = SHAPES[request.param]
    text = document(ticks=shape["ticks"], nations=shape["nations"])
    if request.param == "many nations":
        text = text.replace("  map: {regions: 6}", OWN_MAPS)
    out = tmp_path_factory.mktemp("run") / "out"
    civlab.run(text, out, members=shape["members"], seed=3, threads=1)
    return Results(civlab.open(out).store)


@pytest.fixture(scope="module")
def drawn(results: Results) -> CivilisationFigures:
    """Its figures."""
    return figures_of_run(results, RunSpec.load(results.store))


def axes_of(chart: Chart, figures: CivilisationFigures) -> Axes:
    """The chart as the page draws it; any warning is an error."""
    with style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Figure(figsize=(5.9, 3.3))
        FigureCanvasAgg(figure)
        place = {"left": chart.left, "right": chart.right, "top": 0.89, "bottom": chart.bottom}
        axes = figure.subplots(gridspec_kw=place)
        chart.draw(axes, figures)
        figure.draw_without_rendering()
    assert isinstance(axes, Axes)
    return axes


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_every_chart_draws_and_no_legend_or_name_covers_it(chart: Chart, drawn: CivilisationFigures) -> None:
    axes = axes_of(chart, drawn)
    plot, page = axes.get_window_extent(), axes.figure.bbox
    title = axes.title if axes.title.get_text() else axes._left_title  # type: ignore[attr-defined]
    assert axes.get_title(loc="left") == title.get_text() != ""
    assert page.contains(*title.get_window_extent().max), "the title is cut"
    legend = axes.get_legend()
    if legend is not None:
        box = legend.get_window_extent()
        assert box.y0 >= plot.y1 - 1 or box.x0 >= plot.x1 - 1, "the legend covers the plot"
        assert page.contains(*box.min), "the legend is cut"
        assert page.contains(*box.max), "the legend is cut"
        assert box.y1 <= title.get_window_extent().y0 + 3 or box.x0 >= plot.x1 - 1, "the legend covers the title"
    names = [text for text in axes.texts if isinstance(text, Annotation)]
    boxes = [name.get_window_extent() for name in names]
    for name, box in zip(names, boxes, strict=True):
        assert box.x0 > axes.transData.transform((float(name.xy[0]), 0))[0], "a name covers its line"
        assert page.contains(*box.max), "a name is cut"
    middles = sorted((box.y0 + box.y1) / 2 for box in boxes)
    apart = np.diff(middles)
    assert (apart > 8).all(), "names cover each other"


def test_the_page_says_what_the_run_is_and_that_invariants_hold_in_the_same_bytes_each_time(
    results: Results,
) -> None:
    page = render_report(results)
    if results.manifest.members == SHAPES["ensemble"]["members"]:
        assert render_report(results) == page
    members = results.manifest.members
    assert f"{members} member{'s' if members > 1 else ''} of 6,000 citizens over" in page
    assert ("Lines are medians" in page) is (members > 1)
    assert f"{18 * members} of {18 * members} hold to the unit" in page
    targets = re.findall(r'\bid="([^"]+)"', page)
    assert len(targets) == len(set(targets))
    linked = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', page)
    assert [title for _, title in linked] == [*(section.title for section in REPORT.sections), "The run"]
    for target, title in linked:
        assert f'<h2 id="{target}">{title}</h2>' in page
    for chart in CHARTS:
        assert f'id="{chart.name}-' in page
    assert "nan" not in re.findall(r'<div class="cards">.*?</div></div>', page)[0].lower()


def test_the_picture_is_a_small_png(results: Results, drawn: CivilisationFigures) -> None:
    picture = render_picture(REPORT, drawn, title="World", caption="members")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 250_000


def test_every_headline_has_a_card(results: Results) -> None:
    assert {spread.name for spread in results.manifest.metrics} == set(REPORT.cards)


def test_figures_are_those_of_the_tables(results: Results, drawn: CivilisationFigures) -> None:
    nation, region = results.arrow("nation").to_pylist(), results.arrow("region").to_pylist()
    for row in nation[:: max(1, len(nation) // 50)]:
        assert drawn.nation["product"][row["member"], row["tick"], row["nation"]] == row["product"]
    last = max(row["quarter"] for row in region)
    for row in region:
        if row["quarter"] == last:
            assert drawn.region["citizens"][row["member"], row["region"]] == row["citizens"]
    for row in results.arrow("climate").to_pylist():
        if row["zone"] in drawn.zones:
            found = drawn.climate["damage"][row["member"], row["year"], drawn.zones.index(row["zone"])]
            assert found == row["damage"]
    for row in results.arrow("market").to_pylist():
        place = (row["member"], row["year"], row["region"], GOODS.index(row["good"]))
        assert drawn.market["households"][place] == row["households"]
    citizens = [row["citizens"] for row in results.arrow("members").to_pylist()]
    assert drawn.pyramid.sum() == pytest.approx(np.mean(citizens))


def test_means_and_changes_over_time_are_what_they_say() -> None:
    values = np.arange(240.0).reshape(2, 120) + 1
    means = trailing(values, 13)
    assert np.isnan(means[:, :12]).all()
    assert means[1, 50] == values[1, 38:51].mean()
    assert change(values)[1, 80] == values[1, 80] / values[1, 80 - WEEKS] - 1
    assert np.isnan(change(values)[:, :WEEKS]).all()
    assert quarterly(values)[0, 2] == values[0, 26:39].mean()
    assert np.isnan(ratio(np.ones(2), np.zeros(2))).all()
