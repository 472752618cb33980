"""The analyses' pictures, in the reports' style: bars with intervals, a search's course, and a metric's burn-in.

They are drawn without a run's report, because an analysis is read beside it and not within.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from civlab.analysis.burn_in import BurnIn
from civlab.analysis.indices import ElementaryEffect, Indices, SobolIndex
from civlab.analysis.streaming import Course
from civlab.analysis.zooming import MetricError
from civlab.report.charts import AMBER, BLUE, CORAL, INK, SLATE, TEAL, draw_band, dress, style
from civlab.report.spread import Band

BAR_INCHES, FRAME_INCHES, WIDTH_INCHES = 0.62, 1.3, 7.2
LEAST_SHARE = -0.05
BELOW: Mapping[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.2), "ncols": 4}
"""Where a legend is out of the way of a course."""


def picture(draw: Callable[[Axes], None], *, height: float, form: str) -> bytes:
    """The bytes of one chart as `png` or `svg`; the same bytes for the same numbers."""
    with style("civlab-analysis"):
        figure = Figure(figsize=(WIDTH_INCHES, height), dpi=130, layout="constrained")
        draw(figure.subplots())
        buffer = io.BytesIO()
        unsigned = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(buffer, format=form, metadata=unsigned)
    return buffer.getvalue()


def draw_indices(indices: Indices, *, axis: str, form: str) -> bytes:
    """Bars with their 95 % intervals, the parameter that matters most on top."""

    def draw(axes: Axes) -> None:
        ordered = sorted(indices, key=_weight)
        places = np.arange(len(ordered))
        if isinstance(ordered[0], SobolIndex):
            _draw_shares(axes, places, [index for index in ordered if isinstance(index, SobolIndex)])
        else:
            _draw_effects(axes, places, [index for index in ordered if isinstance(index, ElementaryEffect)])
        axes.set_yticks(places, [index.name for index in ordered])
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=1)
        dress(axes, "What matters", "", across=axis, whole=False)
        axes.legend(loc="lower right")

    return picture(draw, height=FRAME_INCHES + BAR_INCHES * len(indices), form=form)


def draw_zoom(errors: Sequence[MetricError], *, form: str) -> bytes:
    """A bar a metric for its mean error and one for the root mean square, both in spreads between seeds."""
    shown = [error for error in errors if error.spread > 0][::-1]
    places = np.arange(len(shown))

    def draw(axes: Axes) -> None:
        for shift, kind, colour, label in (
            (0.2, "mean_error", TEAL, "mean error"),
            (-0.2, "rms_error", SLATE, "root mean square"),
        ):
            values = [getattr(error, kind) / error.spread for error in shown]
            axes.barh(places + shift, values, height=0.36, color=colour, label=label)
        axes.set_yticks(places, [error.metric for error in shown])
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.grid(visible=False, axis="y")
        axes.axvline(0, color=INK, linewidth=1)
        dress(axes, "What aggregated regions cost", "", across="error in spreads between seeds", whole=False)
        axes.legend(loc="lower right")

    return picture(draw, height=FRAME_INCHES + BAR_INCHES / 2 * len(shown), form=form)


def _weight(index: SobolIndex | ElementaryEffect) -> tuple[float, str]:
    return (index.total if isinstance(index, SobolIndex) else index.star), index.name


def _draw_shares(axes: Axes, places: np.ndarray, indices: Sequence[SobolIndex]) -> None:
    bars = (
        (0.2, [i.first for i in indices], [i.first_interval for i in indices], TEAL, "alone (first order)"),
        (-0.2, [i.total for i in indices], [i.total_interval for i in indices], BLUE, "with all others (total)"),
    )
    for shift, values, intervals, colour, label in bars:
        _bars(axes, places + shift, values, intervals, colour, label, height=0.36)
    low, high = axes.get_xlim()
    axes.set_xlim(min(LEAST_SHARE, max(low, -1)), max(1, min(high, 2)))


def _draw_effects(axes: Axes, places: np.ndarray, indices: Sequence[ElementaryEffect]) -> None:
    sizes, intervals = [i.star for i in indices], [i.star_interval for i in indices]
    _bars(axes, places, sizes, intervals, TEAL, "mean size (µ*)", height=0.5)
    axes.plot([i.sigma for i in indices], places, "D", color=CORAL, markersize=6, label="deviation (σ)")


def _bars(
    axes: Axes,
    places: np.ndarray,
    values: Sequence[float],
    intervals: Sequence[float],
    colour: str,
    label: str,
    *,
    height: float,
) -> None:
    whiskers = {"ecolor": INK, "elinewidth": 1.1, "capsize": 3}
    axes.barh(places, values, xerr=intervals, height=height, color=colour, label=label, error_kw=whiskers)


def draw_convergence(distances: Sequence[float], *, form: str) -> bytes:
    """The distance of each trial, and of the best so far; a trial that could not be run (infinite) is left out."""

    def draw(axes: Axes) -> None:
        values = np.array(distances)
        numbers = np.arange(1, len(values) + 1)
        best = np.minimum.accumulate(values)
        axes.plot(
            numbers, np.where(np.isfinite(values), values, np.nan), "o", color=SLATE, markersize=3.5, label="trial"
        )
        axes.step(numbers, np.where(np.isfinite(best), best, np.nan), where="post", color=CORAL, label="best so far")
        if (values > 0).all():
            axes.set_yscale("log")
        axes.axhline(1, color=TEAL, linewidth=1.2, linestyle=(0, (4, 3)), label="within the tolerances")
        dress(axes, "Convergence", "mean squared distance, in tolerances", across="trial", whole=False)
        axes.legend(**BELOW)

    return picture(draw, height=3.6, form=form)


def draw_burn_in(course: Course, found: BurnIn, *, metric: str, unit: str, tick: str, form: str) -> bytes:
    """A metric's mean and bands over all members, and where the rule cuts it."""

    def draw(axes: Axes) -> None:
        shares = (Fraction(1, 20), Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(19, 20))
        band = Band(*(course.quantiles.quantile(share) for share in shares))
        draw_band(axes, np.arange(len(course.mean)), band, BLUE, "median of the members")
        axes.plot(course.mean, color=INK, linewidth=1.2, label="mean")
        axes.axvline(
            found.tick, color=CORAL, linewidth=1.6, label=f"{tick} {found.tick}" if found.found else "not found"
        )
        axes.axhline(found.mean, color=AMBER, linewidth=1.2, linestyle=(0, (4, 3)), label="mean of what is kept")
        dress(axes, f"Burn-in of {metric}", unit, across=tick, whole=False)
        axes.legend(**BELOW)

    return picture(draw, height=3.6, form=form)
