"""Scenario documents: good ones round-trip, bad ones name the field and the remedy, none does harm."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_contracts.scenario import (
    BUILTIN,
    EpidemicScenario,
    Scenario,
    ScenarioError,
    builtin_scenario,
    canonical,
    estimate,
    json_schema,
    override,
    parameters,
    parse_scenario,
)

pytestmark = pytest.mark.unit

TEXT = BUILTIN["vaccination"]


def refusal(text: str) -> ScenarioError:
    """The error with which a document is refused."""
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(text)
    return refused.value


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_builtin_parses_and_uses_fields_of_the_schema(name: str) -> None:
    scenario = parse_scenario(BUILTIN[name])
    assert scenario.ticks == {"civilisation": 520, "epidemic": 180, "exchange": 100}[scenario.model]
    schema = json_schema(scenario.model)
    assert set(schema["required"]) <= set(yaml.safe_load(BUILTIN[name])) <= set(schema["properties"])


@pytest.mark.parametrize(
    ("change", "code", "path", "hint"),
    [
        (("r0: 2.5", "r_0: 2.5"), "SCENARIO_UNKNOWN_FIELD", "disease.r_0", "'r0'"),
        (("population:", "popluation:"), "SCENARIO_UNKNOWN_FIELD", "popluation", "'population'"),
        (
            ("doses_per_day", "dose_per_day"),
            "SCENARIO_UNKNOWN_FIELD",
            "interventions.0.dose_per_day",
            "'doses_per_day'",
        ),
        (("size: 100000", "size: 0"), "SCENARIO_OUT_OF_RANGE", "population.size", "greater"),
        (("size: 100000", "size: 1.5"), "SCENARIO_WRONG_TYPE", "population.size", "integer"),
        (("size: 100000", "size: '100000'"), "SCENARIO_WRONG_TYPE", "population.size", "integer"),
        (("r0: 2.5", "r0: 31"), "SCENARIO_OUT_OF_RANGE", "disease.r0", "30"),
        (("r0: 2.5", "r0: much"), "SCENARIO_WRONG_TYPE", "disease.r0", "much"),
        (("r0: 2.5", "r0: 2.5\n  probability: 0.1"), "SCENARIO_INVALID", "disease", "exactly one"),
        (("ticks: 180", ""), "SCENARIO_MISSING_FIELD", "ticks", "required"),
        (("mean: 8", "mean: 0"), "SCENARIO_OUT_OF_RANGE", "contacts.community.degree.mean", "greater"),
        (("kind: vaccination", "kind: vaccine"), "SCENARIO_OUT_OF_RANGE", "interventions.0", "vaccination"),
        (("model: epidemic", "model: pandemic"), "SCENARIO_OUT_OF_RANGE", "model", "epidemic"),
        (("model: epidemic", "model: epidemics"), "SCENARIO_OUT_OF_RANGE", "model", "did you mean 'epidemic'"),
        (("model: epidemic", "model: 7"), "SCENARIO_OUT_OF_RANGE", "model", "epidemic"),
        (("model: epidemic", ""), "SCENARIO_MISSING_FIELD", "model", "epidemic"),
        (("surge: 2", "surge: 2\n  severe: [{age: 5, value: 0.1}]"), "SCENARIO_INVALID", "hospital", "age 0"),
        (("beds: 300", "beds: 300\n  stay: {law: fixed, value: 200}"), "SCENARIO_INVALID", "hospital", "120"),
        (("count: 10}", "count: 100000}"), "SCENARIO_INVALID", "introductions", "population.size"),
        (("ticks: 180", "ticks: 180\nticks: 90"), "SCENARIO_DUPLICATE_KEY", "ticks", "twice"),
        (("ticks: 180", "ticks: &n 180"), "SCENARIO_ALIAS", "", "write the value out"),
        (("ticks: 180", "ticks: !!int 180"), "SCENARIO_MALFORMED", "", "tags"),
        (("ticks: 180", "ticks: [180"), "SCENARIO_MALFORMED", "", "YAML"),
        (("ticks: 180", "ticks: " + "9" * 50), "SCENARIO_OUT_OF_RANGE", "ticks", "characters"),
    ],
)
def test_a_bad_document_names_the_field_and_the_remedy(
    change: tuple[str, str], code: str, path: str, hint: str
) -> None:
    error = refusal(TEXT.replace(*change))
    assert (error.code, error.path) == (code, path)
    assert hint in error.message


def test_an_empty_document_and_one_that_is_no_map_are_refused() -> None:
    assert refusal("").code == refusal("- 1").code == refusal("just words").code == "SCENARIO_MALFORMED"


def test_a_document_of_ten_megabytes_is_refused_at_once() -> None:
    began = time.process_time()
    assert refusal("# " + "x" * 10_000_000).code == "SCENARIO_TOO_LARGE"
    assert refusal("a: [" * 20_000).code == "SCENARIO_TOO_DEEP"
    assert time.process_time() - began < 5


def test_a_billion_laughs_are_refused_before_the_first() -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 30)]
    assert refusal("\n".join(lines)).code == "SCENARIO_ALIAS"


def test_numbers_are_exact() -> None:
    scenario = parse_scenario(TEXT.replace("r0: 2.5", "r0: 2.1000000000000000000000000001"))
    assert isinstance(scenario, EpidemicScenario)
    assert scenario.disease.r0 == Decimal("2.1000000000000000000000000001")


def test_overrides_are_held_to_the_same_limits() -> None:
    scenario = parse_scenario(TEXT)
    assert isinstance(scenario, EpidemicScenario)
    changed = override(scenario, {"disease.r0": "3", "introductions.1.count": "7", "interventions.0.from": "4.0"})
    assert (changed.disease.r0, changed.introductions[1].count) == (Decimal(3), 7)
    assert changed.interventions[0].from_tick == 4
    for path, text, code in [
        ("disease.r00", "3", "SCENARIO_UNKNOWN_PARAMETER"),
        ("disease.r0", "three", "SCENARIO_WRONG_TYPE"),
        ("population.size", "2.5", "SCENARIO_WRONG_TYPE"),
        ("disease.r0", "1e9", "SCENARIO_OUT_OF_RANGE"),
    ]:
        with pytest.raises(ScenarioError) as refused:
            override(scenario, {path: text})
        assert (refused.value.code, refused.value.path) == (code, path)
    with pytest.raises(ScenarioError, match=r"did you mean 'disease\.r0'"):
        override(scenario, {"disease.r00": "3"})


@pytest.mark.parametrize("name", sorted(BUILTIN))
def test_every_parameter_can_be_overridden_with_its_own_value(name: str) -> None:
    scenario = parse_scenario(BUILTIN[name])
    known = parameters(scenario)
    assert {"population.size", "ticks"} <= set(known)
    assert all(parameter.meaning for parameter in known.values())
    same = override(scenario, {path: str(parameter.value) for path, parameter in known.items()})
    assert canonical(same) == canonical(scenario)


def test_layout_and_trailing_zeros_do_not_change_the_canonical_bytes() -> None:
    document = yaml.safe_load(TEXT)
    shuffled = yaml.safe_dump(dict(reversed(document.items()))).replace("r0: 2.5", "r0: 2.50")
    assert canonical(parse_scenario(shuffled)) == canonical(parse_scenario(TEXT))
    assert canonical(parse_scenario(TEXT.replace("2.5", "2.6"))) != canonical(parse_scenario(TEXT))


def test_an_unknown_builtin_is_refused_with_the_nearest_name() -> None:
    assert builtin_scenario("epidemic") == BUILTIN["epidemic"]
    with pytest.raises(ScenarioError, match="did you mean 'epidemic'"):
        builtin_scenario("epidemics")


def test_estimates_grow_with_agents_and_members() -> None:
    scenario = parse_scenario(TEXT)
    one, many = estimate(scenario), estimate(scenario, members=10)
    assert many.bytes == 10 * one.bytes
    assert one.agents == 100_000
    assert 800_000 < one.edges < 900_000


def outcome(text: str) -> Scenario | ScenarioError:
    """The scenario of a text, or why it was refused; anything else would be a crash."""
    try:
        return parse_scenario(text)
    except ScenarioError as error:
        return error


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_is_either_refused_with_a_code_or_a_scenario(text: str) -> None:
    found = outcome(text)
    assert isinstance(found, Scenario) or found.code.startswith("SCENARIO_")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(-1e6, 1e6)
    | st.text("abc: {}[]", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The path of every value in a document."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@given(st.sampled_from(sorted(BUILTIN)), st.data())
@settings(max_examples=150, deadline=None)
def test_a_document_with_any_value_replaced_is_refused_or_accepted_cleanly(name: str, data: st.DataObject) -> None:
    document = yaml.safe_load(BUILTIN[name])
    path = data.draw(st.sampled_from(places(document)))
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = data.draw(VALUES)
    found = outcome(yaml.safe_dump(document))
    if isinstance(found, ScenarioError):
        assert found.code.startswith("SCENARIO_")
        assert found.message
    else:
        canonical(found)
        estimate(found)
