"""The plot of a course in a terminal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_cli.plotting import HEIGHT, WIDTH, course_plot

pytestmark = pytest.mark.unit


def lines_of(median: np.ndarray, spread: float = 0.2) -> list[str]:
    low, high = median * (1 - spread), median * (1 + spread)
    return course_plot(low=low, median=median, high=high, title="Infectious", across="day").plain.splitlines()


def test_the_axes_name_the_top_the_middle_and_the_last_day() -> None:
    lines = lines_of(np.linspace(0, 10_000, 181))
    assert len(lines) == HEIGHT + 3
    assert lines[0].startswith("Infectious")
    assert lines[1].startswith("12 k ┤")
    assert lines[1 + HEIGHT // 2].startswith(" 6 k ┤")
    assert lines[HEIGHT].startswith("   0 ┤")
    assert lines[-1].split() == ["0", "day", "180"]


def test_a_peak_stands_where_it_is() -> None:
    days = np.arange(101)
    lines = lines_of(1000 * np.exp(-(((days - 25) / 8.0) ** 2)), spread=0.0)
    top = lines[1].split("┤")[1]
    first, last = len(top) - len(top.lstrip()), len(top.rstrip()) - 1
    assert abs((first + last) / 2 - 0.25 * WIDTH) <= 2


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=500))
def test_any_course_fits_the_frame(values: list[float]) -> None:
    lines = lines_of(np.array(values))
    assert len(lines) == HEIGHT + 3
    assert max(len(line) for line in lines[1:]) <= WIDTH + 10


def test_days_without_a_figure_are_drawn_as_nothing() -> None:
    lines = lines_of(np.array([np.nan, 1.0, 2.0, np.nan]))
    assert len(lines) == HEIGHT + 3
