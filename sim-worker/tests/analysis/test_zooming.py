"""What zooming out costs: errors against their formulas, what a user may ask for, and how well a crowd does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from civlab.analysis.zooming import MetricError, check_zoom, floats, metric_error, parse_regions
from civlab.errors import CivlabError
from civlab.runtime.backend import Backend

from .test_verbs import json_of, refusal, shell

WORLD = """\
apiVersion: civlab/v1
model: civilisation
title: A small world
ticks: 26
population: {size: 4000}
world: {map: {regions: 5}, nations: [{name: North, share: 0.6}, {name: South, share: 0.4}]}
"""


@pytest.mark.unit
def test_errors_are_those_of_their_formulas() -> None:
    persons = np.array([[1.0, 2.0], [3.0, 6.0]])
    found = metric_error("m", "u", persons, persons + np.array([[1.0, 1.0], [-3.0, 5.0]]))
    assert found == MetricError("m", "u", 3.0, 4.0, 1.0, 3.0, float(np.sqrt((2 + 8) / 2)))
    assert found.in_spreads(found.mean_error) == pytest.approx(1 / np.sqrt(5))
    assert metric_error("m", "", np.ones((2, 3)), np.ones((2, 3))).in_spreads(0.0) is None


@pytest.mark.unit
def test_numbers_of_128_bits_become_floats() -> None:
    limbs = np.array([[[5, 2]], [[2**64 - 1, 2**64 - 1]]], "u8")
    assert floats(limbs).tolist() == [2.0**65, 0.0]
    assert floats(np.array([[3], [4]], "i8")).tolist() == [3.0, 4.0]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("all", {"kind": "all"}),
        ("nation=South", {"kind": "nation", "nation": "South"}),
        ("largest=3", {"kind": "largest", "number": 3}),
        ("all-but-largest = 3", {"kind": "all-but-largest", "number": 3}),
        ("0, 4,7", {"kind": "listed", "regions": [0, 4, 7]}),
    ],
)
def test_regions_are_read_as_they_are_written(text: str, choice: dict[str, Any]) -> None:
    assert parse_regions(text) == choice


@pytest.mark.unit
@pytest.mark.parametrize("text", ["", "some", "largest", "largest=-1", "nation=", "0,,1", "1=2"])
def test_regions_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(CivlabError) as caught:
        parse_regions(text)
    assert (caught.value.code, caught.value.path) == ("ZOOM_REGIONS_MALFORMED", "--regions")


@pytest.mark.kernel
def test_a_zoom_that_changes_nothing_has_no_error() -> None:
    found = check_zoom(WORLD, regions="largest=0", members=2, backend=Backend.cpu(1))
    assert all(error.mean_error == error.rms_error == 0 for error in found.errors)


@pytest.mark.kernel
def test_aggregated_regions_stay_within_what_another_seed_would_change() -> None:
    """Means over a year are within two spreads of the persons', births and deaths within four of Poisson's errors."""
    found = check_zoom(WORLD, members=6, ticks=52, backend=Backend.cpu(1))
    by_name = {error.metric: error for error in found.errors}
    for name in ("citizens", "employed", "separations", "product_real", "consumption", "money"):
        error = by_name[name]
        assert abs(error.mean_error) < 2 * error.spread, error
        assert error.aggregated == pytest.approx(error.persons, rel=0.15), error
    for name in ("births", "deaths"):
        persons, aggregated = (weeks * 6 * 52 for weeks in (by_name[name].persons, by_name[name].aggregated))
        assert abs(aggregated - persons) < 4 * np.sqrt(persons + aggregated), name
    assert by_name["moves"].aggregated == 0
    assert found.speed_up > 0


@pytest.mark.kernel
def test_the_shell_compares_prints_and_draws(tmp_path: Path) -> None:
    path, plot = tmp_path / "world.yaml", tmp_path / "zoom.svg"
    path.write_text(WORLD + "zoom: {changes: [{week: 4, to: aggregated}, {week: 9, to: persons}]}\n")
    document = json_of(shell("check", "zoom", path, "--members", 2, "--ticks", 12, "--plot", plot, "--json"))
    assert [change["week"] for change in document["changes"]] == [4, 9]
    assert document["metrics"]["citizens"]["unit"] == "citizens"
    assert set(document["cpuSeconds"]) == {"persons", "aggregated"}
    assert plot.read_text().startswith("<?xml")
    done = shell("check", "zoom", path, "--members", 2, "--ticks", 6, "--regions", "nation=South")
    assert done.returncode == 0
    assert "what aggregated regions cost" in done.stdout
    assert "times as fast" in done.stdout
    assert "4 of 4 worlds run" in done.stderr


@pytest.mark.kernel
def test_what_cannot_be_compared_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text(WORLD)
    assert refusal("check", "zoom", "epidemic") == ("ZOOM_NOT_OF_MODEL", "scenario")
    assert refusal("check", "zoom", path, "--regions", "few") == ("ZOOM_REGIONS_MALFORMED", "--regions")
    assert refusal("check", "zoom", path, "--regions", "nation=East")[0] == "SCENARIO_INVALID"
    assert refusal("check", "zoom", path, "--plot", tmp_path / "zoom.gif")[0] == "USAGE"
    with pytest.raises(CivlabError) as caught:
        check_zoom(path, members=1)
    assert caught.value.code == "RUN_MEMBERS_OUT_OF_RANGE"
