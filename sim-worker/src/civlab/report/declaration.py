"""What a model declares of its report: what is read, which charts are drawn under which titles, and what is named how.

The page, the picture and the shell's curve are drawn from this; only the model knows what its numbers show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from civlab.report.figures import Figures
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec

Draw = Callable[[Axes, Any], None]
"""Draws a model's figures into axes."""


@dataclass(frozen=True)
class Chart:
    """A chart of the page: `name` is the prefix of the SVG's identifiers; the plot without its labels lies between
    `left` and `right`, shares of the width, and above `bottom`, a share of the height."""

    name: str
    draw: Draw
    caption: str
    left: float = 0.14
    right: float = 0.98
    bottom: float = 0.15


@dataclass(frozen=True)
class Section:
    """Charts under a title."""

    title: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True)
class Outcome:
    """The headline figure that varied parameters are held against; it is drawn times `scale`."""

    title: str
    axis: str
    scale: int = 1


@dataclass(frozen=True)
class Curve:
    """The metric whose mean course the shell prints."""

    metric: str
    title: str


@dataclass(frozen=True)
class Report:
    """A model's report. `figures` may return more than every run has; `cards` gives headline figures a name of few
    words; `picture` are the four charts that tell most; `facts` adds rows to the table about the run, name and HTML."""

    figures: Callable[[Results, RunSpec], Figures]
    sections: tuple[Section, ...]
    outcome: Outcome
    cards: Mapping[str, str]
    picture: tuple[Draw, Draw, Draw, Draw]
    curve: Curve
    facts: Callable[[Results], list[tuple[str, str]]] | None = None
