"""Pictures of answers: something is drawn, it is what the rows say, and what cannot be drawn is said."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

import civlab
from civlab.cli.command import main
from civlab.database.asking import Answer
from civlab.database.drawing import draw, draw_answer
from civlab.database.queries import parse_query, queries_of
from civlab.errors import CivlabError

from .conftest import ASKED

DRAWN = [(model, query.name) for model in ASKED for query in queries_of(model) if query.drawing]
HEADER = "-- title: T\n-- shows: S\n-- source: W\n"


def answered(header: str, columns: str, rows: Sequence[tuple[object, ...]]) -> Answer:
    """An answer to a query of this header."""
    names = tuple(columns.split())
    return Answer(parse_query("mine", HEADER + header + "SELECT 1"), names, ("",) * len(names), tuple(rows), ())


def axes_of(answer: Answer) -> Axes:
    """The answer's chart."""
    axes = Figure().subplots()
    assert answer.query is not None
    assert answer.query.drawing is not None
    draw(axes, answer.query, answer.query.drawing, answer)
    return axes


def legend(axes: Axes) -> list[str]:
    """The names in the legend."""
    return [str(label) for label in axes.get_legend_handles_labels()[1]]


@pytest.mark.long
@pytest.mark.kernel
@pytest.mark.parametrize(("model", "name"), DRAWN, ids=lambda value: value)
def test_every_declared_chart_is_drawn(model: str, name: str, database: Path) -> None:
    pixels = imread(io.BytesIO(draw_answer(civlab.query(database, name, model=model), "png")))
    assert pixels.shape[0] >= 600
    coloured = pixels[..., :3].max(axis=2) - pixels[..., :3].min(axis=2) > 0.25
    assert coloured.sum() > 200


@pytest.mark.kernel
def test_a_picture_is_the_same_bytes_each_time_and_says_which_run(database: Path, tmp_path: Path) -> None:
    pictures = [tmp_path / "1.svg", tmp_path / "2.svg"]
    for picture in pictures:
        main(["query", str(database), "lorenz", "--model", "exchange", "--plot", str(picture)])
    assert pictures[0].read_bytes() == pictures[1].read_bytes()
    assert "Two hundred who save, 6 members, seed 5" in pictures[0].read_text()


@pytest.mark.unit
def test_series_are_named_by_what_tells_them_apart() -> None:
    rows = [(1, saving, x, x * saving) for saving in (0.25, 0.5) for x in range(5)]
    axes = axes_of(answered("-- chart: line\n-- x: x\n-- y: y\n-- series: run, saving\n", "run saving x y", rows))
    assert legend(axes) == ["saving 0.25", "saving 0.5"]
    assert [line.get_ydata()[-1] for line in axes.lines] == [1, 2]  # type: ignore[index]


@pytest.mark.unit
def test_many_series_are_not_named() -> None:
    rows = [(member, x, x + member) for member in range(40) for x in range(3)]
    axes = axes_of(answered("-- chart: line\n-- x: x\n-- y: y\n-- series: member\n", "member x y", rows))
    assert (len(axes.lines), legend(axes)) == (40, [])


@pytest.mark.unit
def test_of_very_many_series_some_are_drawn_evenly() -> None:
    rows = [(member, x, float(member)) for member in range(1000) for x in range(2)]
    axes = axes_of(answered("-- chart: line\n-- x: x\n-- y: y\n-- series: member\n", "member x y", rows))
    assert [float(line.get_ydata()[0]) for line in axes.lines] == list(range(0, 1000, 3))  # type: ignore[index, arg-type]


@pytest.mark.unit
def test_the_fit_of_a_power_law_has_its_exponent() -> None:
    rows = [(rank, 1000.0 * rank**-1.25) for rank in range(1, 60)]
    axes = axes_of(answered("-- chart: loglog\n-- x: rank\n-- y: size\n-- fit: line\n", "rank size", rows))
    assert legend(axes) == ["slope -1.25"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


@pytest.mark.unit
def test_a_fit_is_the_line_of_least_squares_of_what_is_known() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(size=50), random.normal(size=50)
    rows = [*zip(x.tolist(), y.tolist(), strict=True), (None, 9.0), (9.0, None)]
    axes = axes_of(answered("-- chart: scatter\n-- x: x\n-- y: y\n-- fit: line\n", "x y", rows))
    (line,) = axes.lines
    ends = np.asarray(line.get_xdata(), dtype=np.float64)
    truth = np.polyval(np.polyfit(x, y, 1), ends)
    assert np.allclose(np.asarray(line.get_ydata(), dtype=np.float64), truth)


@pytest.mark.unit
def test_bars_that_share_a_place_stand_side_by_side() -> None:
    rows = [("a", 1, 3), ("b", 2, 4), ("c", 5, None)]
    axes = axes_of(answered("-- chart: bars\n-- x: who\n-- y: men, women\n", "who men women", rows))
    places = sorted((patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches)  # type: ignore[attr-defined]
    assert all(left[1] <= right[0] + 1e-9 for left, right in pairwise(places))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert legend(axes) == ["men", "women"]


@pytest.mark.unit
def test_what_is_expected_is_drawn_once() -> None:
    rows = [(run, x, x * run, x) for run in (1, 2) for x in range(4)]
    header = "-- chart: line\n-- x: x\n-- y: y\n-- series: run\n-- reference: known_law\n"
    axes = axes_of(answered(header, "run x y known_law", rows))
    assert legend(axes) == ["run 1", "run 2", "known law"]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answered("", "x", [(1,)]), "QUERY_NO_CHART"),
        (answered("-- chart: line\n-- x: x\n-- y: y\n", "x y", []), "QUERY_NO_CHART"),
        (answered("-- chart: line\n-- x: x\n-- y: y\n", "x y", [(1, "many")]), "QUERY_HEADER_WRONG"),
        (answered("-- chart: line\n-- x: x\n-- y: y\n", "x y", [("one", 1)]), "QUERY_HEADER_WRONG"),
        (Answer(None, ("x",), ("INTEGER",), ((1,),), ()), "QUERY_NO_CHART"),
    ],
)
def test_what_cannot_be_drawn_is_said(answer: Answer, code: str) -> None:
    with pytest.raises(CivlabError) as caught:
        draw_answer(answer, "png")
    assert caught.value.code == code
