"""The report: self-contained, repeatable, and right in the numbers that it works out itself."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

import civlab
from civlab.cli.options import parse_design
from civlab.models.epidemic.figures import epidemic_figures
from civlab.models.epidemic.report import REPORT
from civlab.report import figures as module
from civlab.report import render_picture, render_report
from civlab.report.figures import rank_correlation
from civlab.report.page import variation
from civlab.results.reader import Results


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, small_town: str) -> Results:
    """A run of twelve members over R0 whose title tries to be a script."""
    out = tmp_path_factory.mktemp("run") / "out"
    text = small_town.replace("title: A small town", "title: <script>alert(1)</script> & co")
    civlab.run(text, out, members=12, seed=5, design=parse_design(["grid:disease.r0=1.5,3,6"]), threads=1)
    return Results(civlab.open(out).store)


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    """The run's report, with a rate."""
    return render_report(results, rate=12_300_000)


@pytest.mark.kernel
def test_the_report_is_the_same_bytes_each_time(results: Results, page: str) -> None:
    assert render_report(results, rate=12_300_000) == page


@pytest.mark.kernel
def test_the_report_fetches_nothing_and_runs_nothing(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe|object)\b", page)
    references = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert all(reference.startswith("#") for reference in references)
    assert not re.search(r"url\((?!#)", page)
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.kernel
def test_every_reference_within_the_page_has_its_target(page: str) -> None:
    targets = re.findall(r'\bid="([^"]+)"', page)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', page)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


@pytest.mark.kernel
def test_the_report_names_the_run(results: Results, page: str) -> None:
    for text in (results.manifest.digest, results.manifest.run, "Effect of disease.r0", "12.3 million", "2 beds"):
        assert text in page


@pytest.mark.kernel
def test_the_picture_is_a_small_png(results: Results) -> None:
    picture = render_picture(REPORT, epidemic_figures(results, beds=2), title="Town", caption="twelve members")
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 150_000


@pytest.mark.kernel
def test_points_and_ranks_of_very_large_ensembles_are_thinned_evenly(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = epidemic_figures(results, beds=None).members["attack_rate"]
    monkeypatch.setattr(module, "RANKED_MEMBERS", 5)
    assert np.array_equal(epidemic_figures(results, beds=None).members["attack_rate"], whole[::3])
    monkeypatch.setattr(module, "POINTS", 4)
    assert np.array_equal(module.points(whole), whole[::3])


@pytest.mark.kernel
def test_the_reproduction_number_falls_from_above_one_to_below(tmp_path: Path, small_town: str) -> None:
    civlab.run(small_town, tmp_path / "out", members=8, seed=1, parameters={"population.size": "5000"}, threads=1)
    ratio = epidemic_figures(civlab.open(tmp_path / "out"), beds=2).reproduction().median
    known = ratio[np.isfinite(ratio)]
    assert known[:5].mean() > 1.5
    assert known[-5:].mean() < 0.8


@pytest.mark.unit
@given(
    pairs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=40).filter(
        lambda pairs: len({a for a, _ in pairs}) > 1 and len({b for _, b in pairs}) > 1
    )
)
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    left, right = (np.array(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    assert rank_correlation(left, right) == pytest.approx(spearmanr(left, right).statistic)


@pytest.mark.unit
def test_values_are_named_one_by_one_while_they_are_few() -> None:
    few, many = parse_design(["list:a=3,1,2"]), parse_design([f"list:a={','.join(map(str, range(9, 999)))}"])
    assert variation(few.parameters[0]) == "a in 3, 1, 2"
    assert variation(many.parameters[0]) == "a from 9 to 998 at 990 points"
    assert variation(parse_design(["lhs:a=1..2"]).parameters[0]) == "a from 1 to 2"
