"""Draws an answer as its query declares it, in the style of all charts here.

What is drawn is the answer's rows and nothing else: no chart computes a figure that the table does not have, but for
the line of least squares, whose slope stands in the legend.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from civlab.database.asking import Answer, Entry
from civlab.database.queries import Drawing, Query
from civlab.errors import CivlabError
from civlab.report.charts import (
    AMBER,
    BLUE,
    CORAL,
    INK,
    MUTED,
    PLUM,
    SLATE,
    TEAL,
    dress,
    legend_above,
    number_logarithms,
    style,
)
from civlab.wording import counted

FORMATS = ("png", "svg")
COLOURS = (BLUE, CORAL, TEAL, AMBER, PLUM, SLATE, INK)
NAMED = 9
"""Most series that a legend names; more are drawn thin and unnamed."""
FEW = 100
"""Points that are drawn larger."""
MOST_SERIES = 400
"""Of more, so many are drawn, evenly chosen: the eye sees no more, and a picture stays small."""
SIZE, SQUARE = (8.0, 5.0), (6.4, 6.4)
LINE = 104
"""Characters of a line of the caption."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Rows that are drawn as one: `x` is None where it is not numeric, `label` says what tells them apart."""

    label: str
    places: tuple[Any, ...]
    x: Floats
    values: Mapping[str, Floats]
    colour: str
    shown: bool
    width: float
    alpha: float


def draw_answer(answer: Answer, kind: str) -> bytes:
    """The picture's bytes, `kind` being one of FORMATS.

    Raises CivlabError QUERY_NO_CHART for a query without a chart or an answer without rows, and QUERY_HEADER_WRONG for
    a column that cannot be drawn.
    """
    query, drawing = answer.query, answer.query.drawing if answer.query else None
    if query is None or drawing is None:
        name = "--plot" if query is None else query.name
        message = "declares no chart; add `-- chart:`, `-- x:` and `-- y:` to its header, in a .sql file of your own"
        raise CivlabError("QUERY_NO_CHART", name, message)
    if not answer.rows:
        raise CivlabError("QUERY_NO_CHART", query.name, "answers no row, so there is nothing to draw")
    with style(f"civlab-{query.name}"):
        figure = Figure(figsize=SQUARE if drawing.chart == "lorenz" else SIZE, dpi=125)
        figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.1)
        draw(figure.subplots(), query, drawing, answer)
        figure.supxlabel(_caption(query, answer.runs), fontsize=8, color=MUTED, x=0.012, ha="left")
        buffer = io.BytesIO()
        silent = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None, "Title": query.title}}
        figure.savefig(buffer, format=kind, metadata=silent[kind])
    return buffer.getvalue()


def draw(axes: Axes, query: Query, drawing: Drawing, answer: Answer) -> None:
    """One chart of an answer's rows."""
    drawn = tuple(_series(query.name, drawing, answer))
    CHART[drawing.chart](axes, drawing, drawn)
    values = np.concatenate([part for one in drawn for part in one.values.values()])
    negative = bool((values < 0).any())
    plain = drawing.chart in ("line", "bars") and "y" not in drawing.log and not negative
    dress(axes, query.title, drawing.y.label, across=drawing.x.label, whole=plain)
    if drawing.chart == "lorenz":
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 100)
    if drawing.chart in ("scatter", "loglog"):
        axes.margins(0.05)
    for one in drawn[:1]:
        for column in drawing.reference:
            axes.plot(one.x, one.values[column], color=INK, linewidth=1.2, linestyle="--", label=_words(column))
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            number_logarithms(axis)
    if axes.get_legend_handles_labels()[0]:
        legend_above(axes)


def _lines(axes: Axes, drawing: Drawing, drawn: Sequence[Series]) -> None:
    for one, column, colour, label in _pieces(drawing, drawn):
        if drawing.band:
            low, high = (one.values[name] for name in drawing.band)
            axes.fill_between(one.x, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(one.x, one.values[column], color=colour, linewidth=one.width, alpha=one.alpha, label=label)
    _logarithmic(axes, drawing)


def _points(axes: Axes, drawing: Drawing, drawn: Sequence[Series]) -> None:
    both = drawing.chart == "loglog"
    for one, column, colour, label in _pieces(drawing, drawn):
        x, y = one.x, one.values[column]
        fitted = _fit(x, y, logarithms=both) if drawing.fit else None
        if fitted is not None:
            words = f"slope {fitted[2]:.3g}"
            label = words if label is None else f"{label}, {words}"
            axes.plot(fitted[0], fitted[1], color=colour if len(drawn) > 1 else CORAL, linewidth=1.8, label=label)
            label = None
        axes.scatter(x, y, s=36 if len(x) < FEW else 16, color=colour, alpha=0.6, linewidths=0, label=label)
    if both:
        axes.set_xscale("log")
        axes.set_yscale("log")
    _logarithmic(axes, drawing)


def _bars(axes: Axes, drawing: Drawing, drawn: Sequence[Series]) -> None:
    """Bars side by side where several share a place; places that are texts stand in the rows' order."""
    pieces = tuple(_pieces(drawing, drawn))
    places = list(dict.fromkeys(place for one in drawn for place in one.places))
    sharing = Counter(place for one, _, _, _ in pieces for place in one.places)
    width = 0.82 / max(sharing.values())
    taken: Counter[Any] = Counter()
    for one, column, colour, label in pieces:
        at = [places.index(place) + (taken[place] - (sharing[place] - 1) / 2) * width for place in one.places]
        axes.bar(at, one.values[column], width=width * 0.94, color=colour, alpha=0.88, label=label)
        taken.update(one.places)
    step = max(1, len(places) // 16)
    axes.set_xticks(range(0, len(places), step), [f"{place}" for place in places[::step]])
    axes.grid(visible=False, axis="x")


def _lorenz(axes: Axes, drawing: Drawing, drawn: Sequence[Series]) -> None:
    axes.plot((0, 100), (0, 100), color=SLATE, linewidth=0.9, label="equality")
    _lines(axes, drawing, drawn)
    axes.set_aspect("equal", anchor="W")


CHART: Mapping[str, Callable[[Axes, Drawing, Sequence[Series]], None]] = {
    "line": _lines,
    "bars": _bars,
    "scatter": _points,
    "loglog": _points,
    "lorenz": _lorenz,
}


def _logarithmic(axes: Axes, drawing: Drawing) -> None:
    if "x" in drawing.log:
        axes.set_xscale("log")
    if "y" in drawing.log:
        axes.set_yscale("log")


def _pieces(drawing: Drawing, drawn: Sequence[Series]) -> Iterator[tuple[Series, str, str, str | None]]:
    """Each column of each series, with its colour and its name in the legend."""
    columns = drawing.y.columns
    for one in drawn:
        for number, column in enumerate(columns):
            colour = one.colour if len(columns) == 1 else COLOURS[number % len(COLOURS)]
            words = [*([one.label] if one.label else []), *([_words(column)] if len(columns) > 1 else [])]
            yield one, column, colour, ", ".join(words) if words and one.shown else None


def _series(name: str, drawing: Drawing, answer: Answer) -> Iterator[Series]:
    """The rows by series; a series column that has one value only tells nothing apart and is not named."""
    listed = [[_plain(value) for value in answer.column(column)] for column in drawing.series]
    keys = list(zip(*listed, strict=True)) or [()] * len(answer.rows)
    telling = [place for place in range(len(drawing.series)) if len({key[place] for key in keys}) > 1]
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    crowded = len(groups) > NAMED
    numbers = {
        column: _numbers(name, column, answer.column(column))
        for column in (*drawing.y.columns, *drawing.reference, *drawing.band)
    }
    places = [_plain(value) for value in answer.column(drawing.x.columns[0])]
    across = np.arange(len(places), dtype=np.float64)
    if drawing.chart != "bars":
        across = _numbers(name, drawing.x.columns[0], places)
    step = -(-len(groups) // MOST_SERIES)
    for number, (key, rows) in enumerate(list(groups.items())[::step]):
        label = ", ".join(_told(drawing.series[place], key[place]) for place in telling)
        yield Series(
            label,
            tuple(places[row] for row in rows),
            across[rows],
            {column: values[rows] for column, values in numbers.items()},
            COLOURS[0] if crowded else COLOURS[number % len(COLOURS)],
            not crowded,
            0.9 if crowded else 2.0,
            max(0.15, min(0.6, 20 * step / len(groups))) if crowded else 1.0,
        )


def _numbers(name: str, column: str, values: Sequence[Any]) -> Floats:
    try:
        return np.array([math.nan if value is None else float(value) for value in values])
    except (TypeError, ValueError):
        message = f"draws the column {column}, which is not numeric"
        raise CivlabError("QUERY_HEADER_WRONG", f"{name}.sql", message) from None


def _fit(x: Floats, y: Floats, *, logarithms: bool) -> tuple[Floats, Floats, float] | None:
    """Ends of the line of least squares and its slope; None for fewer than two different places."""
    known = np.isfinite(x) & np.isfinite(y) & ((x > 0) & (y > 0) if logarithms else True)
    left, right = (np.log(x[known]), np.log(y[known])) if logarithms else (x[known], y[known])
    if len(np.unique(left)) < 2:
        return None
    centred = left - left.mean()
    slope = float((centred * (right - right.mean())).sum() / (centred**2).sum())
    ends = np.array([left.min(), left.max()])
    heights = right.mean() + slope * (ends - left.mean())
    return (np.exp(ends), np.exp(heights), slope) if logarithms else (ends, heights, slope)


def _plain(value: Any) -> Any:
    """A value that can tell rows apart: lists and structures as their text."""
    return value if isinstance(value, Hashable) else str(value)


def _told(column: str, value: Any) -> str:
    """A series' value in the legend: texts speak for themselves, numbers need their name."""
    if isinstance(value, str):
        return value
    shown = "none" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
    return f"{_words(column)} {shown}"


def _words(column: str) -> str:
    return column.replace("_", " ")


def _caption(query: Query, runs: Sequence[Entry]) -> str:
    """Under the chart: which runs, and where the measure comes from."""
    told = "; ".join(
        f"{'' if len(runs) == 1 else f'run {entry.run}: '}{entry.title}, {counted(entry.members, 'member')}, "
        f"seed {entry.seed}"
        for entry in runs[:3]
    )
    more = f" and {len(runs) - 3} more runs" if len(runs) > 3 else ""
    lines = [*textwrap.wrap(told + more, LINE), *textwrap.wrap(query.source, LINE)]
    return "\n".join(line.replace("$", r"\$") for line in lines)
