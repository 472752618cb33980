"""The climate's documents: what is accepted, and what is refused with its place and reason."""

from __future__ import annotations

import pytest

from parpour_contracts.scenario import ClimateScenario, ScenarioError, override, parameters, parse_scenario

pytestmark = pytest.mark.unit

TEXT = """\
apiVersion: civlab/v1
model: climate
title: A climate
ticks: 100
start: 2000
pathway:
  kind: blend
  first: {kind: family, name: high}
  second: {kind: family, name: low}
  begin: 2030
  end: 2050
"""


def test_a_short_document_names_the_published_ensemble_and_has_parameters_within_its_pathway() -> None:
    scenario = parse_scenario(TEXT)
    assert isinstance(scenario, ClimateScenario)
    assert scenario.configuration.kind == "fair-1.4.1"
    assert scenario.agents == 1
    assert parameters(scenario)["pathway.begin"].value == 2030
    assert override(scenario, {"pathway.weight": "0.25"}) != scenario


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "words"),
    [
        ("ticks: 100", "ticks: 600", "SCENARIO_INVALID", "", "take fewer ticks"),
        ("end: 2050", "end: 2020", "SCENARIO_INVALID", "pathway", "end must not be earlier"),
        ("name: low", "name: lowest", "SCENARIO_OUT_OF_RANGE", "pathway.second.name", "overshoot"),
        ("  begin: 2030", "  begn: 2030", "SCENARIO_UNKNOWN_FIELD", "pathway.begn", "begin"),
        ("  end: 2050", "  end: 2050\n  weight: 1.5", "SCENARIO_OUT_OF_RANGE", "pathway.weight", "1.5"),
        ("pathway:", "configuration: {kind: dice-2016r}\npathway:", "SCENARIO_INVALID", "", "2015"),
        (
            "pathway:",
            "configuration: {kind: fair-1.4.1, set: 841}\npathway:",
            "SCENARIO_OUT_OF_RANGE",
            "configuration.set",
            "841",
        ),
        ("pathway:", "zones: {polar: .nan}\npathway:", "SCENARIO", "zones.polar", ""),
    ],
)
def test_a_bad_field_is_refused_with_its_path_and_reason(old: str, new: str, code: str, path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(TEXT.replace(old, new))
    assert caught.value.code.startswith(code)
    assert path in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("points", "code", "path", "words"),
    [
        ("", "SCENARIO_OUT_OF_RANGE", "pathway.points", "at least 1"),
        ("{year: 2000}", "SCENARIO_MISSING_FIELD", "pathway.points.0.co2", "required"),
        ("{year: 1749, co2: 1}", "SCENARIO_OUT_OF_RANGE", "pathway.points.0.year", "1750"),
        ("{year: 2000, co2: 1}, {year: 2000, co2: 2}", "SCENARIO_INVALID", "pathway.points", "given once"),
        ("{year: 2000, co2: 1}, {year: 2001, co2: 2, ch4: 1}", "SCENARIO_INVALID", "pathway.points", "all of them"),
        ("{year: 2000, co2: .inf}", "SCENARIO_WRONG_TYPE", "pathway.points.0.co2", "finite"),
        ("{year: 2000, co: 1}", "SCENARIO_UNKNOWN_FIELD", "pathway.points.0.co", "'co2'"),
    ],
)
def test_bad_points_are_refused(points: str, code: str, path: str, words: str) -> None:
    text = f"apiVersion: civlab/v1\nmodel: climate\ntitle: t\nticks: 9\npathway: {{kind: own, points: [{points}]}}\n"
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert words in caught.value.message


def test_a_pathway_nested_too_deep_is_refused() -> None:
    pathway = "{kind: family, name: low}"
    for _ in range(8):
        pathway = f"{{kind: overlay, base: {pathway}, begin: 2030, until: 2040}}"
    text = f"apiVersion: civlab/v1\nmodel: climate\ntitle: t\nticks: 9\npathway: {pathway}\n"
    with pytest.raises(ScenarioError, match="at most 8 levels"):
        parse_scenario(text)
