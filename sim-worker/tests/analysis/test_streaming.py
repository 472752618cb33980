"""Statistics in one pass: what they come to does not depend on how the members are cut, and agrees with exact ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import civlab
from civlab.analysis.streaming import QuantileSketch, RealMoments, WholeMoments, metric_course
from civlab.results import tables
from civlab.results.columns import to_floats
from civlab.results.schema import TIMESERIES

WHOLE = st.integers(-(2**63), 2**63 - 1)
REAL = st.floats(allow_nan=False, allow_infinity=False)
SHARES = [Fraction(0), Fraction(1, 20), Fraction(1, 2), Fraction(19, 20), Fraction(1)]


def cut(values: Sequence[float], places: Sequence[int], dtype: str) -> list[np.ndarray]:
    """The values as blocks of one column, cut at the places."""
    return np.split(np.array(values, dtype).reshape(-1, 1), sorted(place % (len(values) + 1) for place in places))


def nearest_rank(values: Sequence[float], share: Fraction) -> float:
    """The nearest-rank quantile by sorting."""
    return sorted(values)[max(1, -(-share.numerator * len(values) // share.denominator)) - 1]


@pytest.mark.unit
@given(values=st.lists(WHOLE, min_size=2, max_size=30), places=st.lists(st.integers(0, 30), max_size=4))
def test_moments_of_whole_numbers_are_the_exact_ones_rounded_once(values: list[int], places: list[int]) -> None:
    moments = WholeMoments(1)
    for block in cut(values, places, "i8"):
        moments.add(block)
    exact = [Fraction(value) for value in values]
    assert moments.count == len(values)
    assert moments.mean()[0] == float(statistics.mean(exact))
    assert moments.variance()[0] == float(statistics.variance(exact))


@pytest.mark.unit
@given(
    values=st.lists(st.floats(-1, 1), min_size=2, max_size=40),
    offset=st.sampled_from([0.0, 1e6, -1e9]),
    places=st.lists(st.integers(0, 40), max_size=4),
)
def test_moments_of_reals_survive_a_large_common_part(values: list[float], offset: float, places: list[int]) -> None:
    shifted = [value + offset for value in values]
    moments = RealMoments(1)
    for block in cut(shifted, places, "f8"):
        moments.add(block)
    exact = [Fraction(value) for value in shifted]
    noise = (abs(offset) + 1) * 2**-50
    assert moments.mean()[0] == pytest.approx(float(statistics.mean(exact)), abs=8 * noise)
    assert moments.variance()[0] == pytest.approx(float(statistics.variance(exact)), rel=1e-9, abs=64 * noise)


@pytest.mark.unit
@pytest.mark.parametrize("moments", [WholeMoments(1), RealMoments(1)])
def test_a_single_member_has_no_variance(moments: WholeMoments | RealMoments) -> None:
    moments.add(np.array([[3]]))
    assert (moments.mean()[0], moments.variance()[0]) == (3, 0)


@pytest.mark.unit
@given(
    values=st.lists(st.integers(-2047, 2047), min_size=1, max_size=60),
    places=st.lists(st.integers(0, 60), max_size=4),
    share=st.sampled_from(SHARES),
)
def test_quantiles_of_small_whole_numbers_are_exact(values: list[int], places: list[int], share: Fraction) -> None:
    sketch = QuantileSketch(1)
    for block in cut(values, places, "i8"):
        sketch.add(block)
    assert sketch.quantile(share)[0] == nearest_rank(values, share)


@pytest.mark.unit
@given(
    values=st.lists(REAL, min_size=1, max_size=60),
    places=st.lists(st.integers(0, 60), max_size=4),
    share=st.sampled_from(SHARES),
)
def test_any_quantile_is_at_most_a_thousandth_nearer_to_zero(
    values: list[float], places: list[int], share: Fraction
) -> None:
    sketch = QuantileSketch(1)
    for block in cut(values, places, "f8"):
        sketch.add(block)
    found, true = float(sketch.quantile(share)[0]), nearest_rank(values, share)
    normal = abs(true) > 2.3e-308
    assert abs(found) <= abs(true)
    assert abs(true - found) <= (abs(true) / 1000 if normal else 2.3e-308)
    assert found * true >= 0


@pytest.mark.unit
def test_the_sketch_does_not_grow_with_the_members() -> None:
    random = np.random.default_rng(1)
    sketch = QuantileSketch(3)
    sizes = []
    for _ in range(60):
        sketch.add(random.normal(1000, 50, (2000, 3)))
        sizes.append(sketch.size)
    assert sizes[-1] < 1.3 * sizes[9]
    median = sketch.quantile(Fraction(1, 2))
    assert np.abs(median - 1000).max() < 2


@pytest.mark.unit
def test_a_sketch_of_nothing_has_no_quantiles() -> None:
    with pytest.raises(ValueError, match="no rows"):
        QuantileSketch(1).quantile(Fraction(1, 2))


@pytest.mark.kernel
def test_a_metrics_course_over_many_row_groups_is_that_of_the_whole_table(
    tmp_path: Path, savers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_IN_A_GROUP", 300)  # groups of 2 members, which holdings of 129 rows decide
    civlab.run(savers, tmp_path / "out", members=9, shards=2, seed=3, threads=1)
    results = civlab.open(tmp_path / "out")
    for metric in ("richest", "squares"):
        whole = to_floats(results.arrow(TIMESERIES, [metric]).column(0)).reshape(9, -1)
        course = metric_course(results, metric)
        assert course.members == 9
        assert np.allclose(course.mean, whole.mean(axis=0), rtol=1e-14)
        assert np.allclose(course.variance, whole.var(axis=0, ddof=1), rtol=1e-10)
        assert np.allclose(course.quantiles.quantile(Fraction(1, 2)), np.sort(whole, axis=0)[4], rtol=1e-3)
    with pytest.raises(KeyError):
        metric_course(results, "richness")
