"""Bands over all members: exact against NumPy's percentiles, within the stated error beyond, and of no cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import civlab
from civlab.report import render_report, spread
from civlab.report.blocks import MOST_DRAWN, Blocks, drawn
from civlab.report.spread import PERCENTILES, Band, Spread, band
from civlab.results import tables
from civlab.results.columns import to_floats
from civlab.results.reader import Results
from civlab.results.schema import MEMBERS, TIMESERIES
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.backend import Backend
from civlab.store import open_store
from parpour_contracts.simulation import Ensemble

REAL = st.one_of(st.floats(-1e300, 1e300), st.just(float("nan")))


def rows_of(found: Band) -> np.ndarray:
    """The five rows of a band."""
    return np.stack([found.low, found.lower, found.median, found.upper, found.high])


def spread_of(values: np.ndarray, cuts: Sequence[int] = ()) -> Spread:
    """All values, taken in as blocks that are cut at the places."""
    found = Spread(len(values))
    for part in np.split(values, sorted(cut % (len(values) + 1) for cut in cuts)):
        found.add(part)
    return found


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ensembles of any size are counted."""
    monkeypatch.setattr(spread, "EXACT_VALUES", 0)


@pytest.mark.unit
@given(
    values=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_bands_of_few_values_are_numpys_percentiles(values: list[list[float]], cuts: list[int]) -> None:
    members = np.array(values)
    found = spread_of(members, cuts)
    assert np.array_equal(rows_of(found.band()), np.percentile(members, PERCENTILES, axis=0))
    assert found.error == 0


@pytest.mark.unit
def test_bands_leave_out_ticks_that_most_members_do_not_know() -> None:
    values = np.array([[1.0, np.nan, 3.0, 1.0], [2.0, np.nan, np.nan, np.inf], [3.0, 5.0, 5.0, 3.0]])
    found = band(values)
    assert found.median[0] == 2.0
    assert np.isnan(found.median[1])
    assert found.median[2] == 4.0
    assert found.median[3] == 2.0


@pytest.mark.unit
@pytest.mark.usefixtures("counted")
def test_counted_bands_leave_out_the_same_ticks() -> None:
    found = spread_of(np.array([[1.0, np.nan, 3.0], [2.0, np.nan, np.nan], [3.0, 5.0, 5.0]])).band()
    assert found.median[0] == 2.0
    assert np.isnan(found.median[1])
    assert found.median[2] == 3.0


@pytest.mark.unit
@pytest.mark.parametrize("most", [60, 300, 100_000])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e7])
def test_counted_bands_are_nearest_ranks_within_the_stated_error(
    monkeypatch: pytest.MonkeyPatch, most: int, scale: float
) -> None:
    monkeypatch.setattr(spread, "EXACT_VALUES", 0)
    monkeypatch.setattr(spread, "MOST_COUNTS", most)
    random = np.random.default_rng(7)
    values = scale * np.stack([random.normal(5, 1, 4000), random.lognormal(0, 0.3, 4000), -random.random(4000)], axis=1)
    found = spread_of(values, (100, 101, 2500))
    exact = np.percentile(values, PERCENTILES, axis=0, method="inverted_cdf")
    short = (np.abs(exact) - np.abs(rows_of(found.band()))) / np.abs(exact)
    assert short.min() >= 0
    assert short.max() <= found.error
    assert found.error <= {60: 0.5, 300: 2**-4, 100_000: 2**-10}[most]


@pytest.mark.unit
@pytest.mark.usefixtures("counted")
@given(
    values=st.lists(st.lists(REAL, min_size=2, max_size=2), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    most=st.integers(2, 40),
)
def test_counted_bands_do_not_depend_on_the_cut_or_the_order(
    values: list[list[float]], cuts: list[int], most: int
) -> None:
    members = np.array(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spread, "MOST_COUNTS", most)
        whole, parts, turned = spread_of(members), spread_of(members, cuts), spread_of(members[::-1], cuts)
    for other in (parts, turned):
        assert rows_of(whole.band()).tobytes() == rows_of(other.band()).tobytes()
        assert whole.error == other.error


@pytest.mark.unit
def test_what_is_kept_stays_within_its_bound_however_many_members_there_are() -> None:
    random = np.random.default_rng(3)
    found = Spread(10**6)
    for _ in range(12):
        found.add(random.lognormal(0, 1, (2000, 400)))
    assert found._kept is None
    assert found._counted is not None
    assert found._counted.size <= spread.MOST_COUNTS
    assert 0 < found.error <= 2**-7


@pytest.mark.unit
@pytest.mark.parametrize("ticks", [1, 799, 800, 801, 1601, 9999, 10_000])
def test_long_courses_are_drawn_by_every_so_maniest_tick(ticks: int) -> None:
    shown = drawn(np.arange(ticks))
    assert len(shown) <= MOST_DRAWN
    assert len(set(np.diff(shown))) <= 1
    assert np.array_equal(drawn(shown), shown)


@pytest.mark.kernel
@pytest.mark.parametrize("exact", [pytest.param(True, marks=pytest.mark.long), False])
def test_a_reports_charts_are_the_same_bytes_however_the_run_was_cut(
    tmp_path: Path, small_town: str, monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    if not exact:
        monkeypatch.setattr(spread, "EXACT_VALUES", 0)
    pages = []
    for name, shards, rows in (("one", 1, 1 << 16), ("cut", 4, 70)):
        monkeypatch.setattr(tables, "ROWS_IN_A_GROUP", rows)
        civlab.run(small_town, tmp_path / name, members=9, shards=shards, seed=5, threads=1)
        page = render_report(civlab.open(tmp_path / name))
        pages.append(page[: page.index('<h2 id="run">')])
    assert pages[0] == pages[1]
    assert ("come from counts over all members" in pages[0]) is not exact


@pytest.mark.kernel
@pytest.mark.parametrize("remote", [False, True], ids=["folder", "store"])
def test_bands_of_a_run_are_those_of_its_table_wherever_it_lies(
    tmp_path: Path, small_town: str, monkeypatch: pytest.MonkeyPatch, remote: bool
) -> None:
    monkeypatch.setattr(tables, "ROWS_IN_A_GROUP", 150)
    store = open_store("memory://" if remote else tmp_path / "out", create=True)
    spec = RunSpec.create(small_town, seed=3, ensemble=Ensemble(members=9), shards=2)
    run_whole(spec, store, Backend.cpu(1))
    results = Results(store)
    blocks = Blocks(results)
    assert len(list(blocks)) > 3
    whole = to_floats(results.arrow(TIMESERIES, ["infectious"]).column(0)).reshape(9, -1)
    assert np.array_equal(rows_of(blocks.band("infectious")), np.percentile(whole, PERCENTILES, axis=0))
    assert np.array_equal(blocks.mean("infectious"), whole.sum(axis=0) / 9)
    rates = to_floats(results.arrow(MEMBERS, ["attack_rate"]).column(0))[:, None]
    by_member = blocks.band(lambda block: block["infectious"] * block.figure("attack_rate")[:, None])
    assert np.array_equal(rows_of(by_member), np.percentile(whole * rates, PERCENTILES, axis=0))
