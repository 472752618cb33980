"""Targets files: what is well formed is understood exactly, everything else is refused with code, field and remedy."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civlab.analysis.outcomes import Outcome
from civlab.analysis.targets import Targets, fit_targets, parse_targets, targets_text
from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec

pytestmark = pytest.mark.unit

DOCUMENT: dict[str, Any] = {
    "parameters": [
        {"name": "configuration.feedback", "minimum": 0.5, "maximum": 3},
        {"name": "start", "minimum": 1940, "maximum": 1960},
    ],
    "targets": [
        {"figure": "final_warming", "value": 1.5, "tolerance": 0.1, "weight": 2},
        {"metric": "warming", "from": 20, "until": 40, "value": 0.3, "tolerance": 0.05},
        {"metric": "co2", "value": 400, "tolerance": 10},
    ],
    "trials": 30,
    "members": 2,
    "seed": 5,
}
CODES = {
    "TARGETS_MALFORMED", "TARGETS_UNKNOWN_FIELD", "TARGETS_MISSING_FIELD", "TARGETS_WRONG_VALUE",
    "SCENARIO_UNKNOWN_PARAMETER", "SCENARIO_OUT_OF_RANGE", "SCENARIO_WRONG_TYPE", "DESIGN_DUPLICATE_PARAMETER",
    "OUTCOME_UNKNOWN", "OUTCOME_WINDOW", "RANGE_MALFORMED",
}  # fmt: skip


@pytest.fixture(scope="module")
def spec() -> RunSpec:
    """A climate of 120 years, which the document's names fit."""
    return RunSpec.create(
        "apiVersion: civlab/v1\nmodel: climate\ntitle: A climate\nticks: 120\nstart: 1950\n"
        "configuration: {kind: fair}\npathway: {kind: family, name: low}\n"
    )


def fitted(document: Any, spec: RunSpec) -> Targets:
    return fit_targets(parse_targets(yaml.safe_dump(document)), spec)


def refusal(act: Callable[[], object]) -> CivlabError:
    with pytest.raises(CivlabError) as caught:
        act()
    return caught.value


def changed(path: str, value: Any) -> dict[str, Any]:
    """The document with one place set (or, given `...`, taken away)."""
    document: Any = copy.deepcopy(DOCUMENT)
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = document
    for part in parents:
        place = place[part]
    if value is ... and isinstance(place, dict):
        place.pop(last, None)
    elif value is ...:
        del place[last]
    else:
        place[last] = value
    assert isinstance(document, dict)
    return document


def test_a_document_is_understood_with_its_defaults(spec: RunSpec) -> None:
    targets = fitted(DOCUMENT, spec)
    assert [(each.name, each.minimum, each.maximum) for each in targets.ranges] == [
        ("configuration.feedback", "0.5", "3"),
        ("start", "1940", "1960"),
    ]
    first, second, third = targets.goals
    assert (first.outcome, first.unit, first.weight) == (Outcome("final_warming"), "K", 2)
    assert (second.outcome, second.value, second.tolerance, second.weight) == (
        Outcome("warming", (20, 40)), 0.3, 0.05, 1,
    )  # fmt: skip
    assert third.outcome == Outcome("co2", (0, 120))
    least = fitted({key: DOCUMENT[key] for key in ("parameters", "targets")}, spec)
    assert (least.file.trials, least.file.members, least.file.seed) == (100, 1, 0)


def test_numbers_are_read_exactly() -> None:
    file = parse_targets(yaml.safe_dump(DOCUMENT).replace("0.05", "0.05000000000000000000001"))
    assert file.targets[1].tolerance == Decimal("0.05000000000000000000001")


@pytest.mark.parametrize(
    ("path", "value", "code", "where"),
    [
        ("parameters", ..., "TARGETS_MISSING_FIELD", "parameters"),
        ("targets", ..., "TARGETS_MISSING_FIELD", "targets"),
        ("parameters", [], "TARGETS_WRONG_VALUE", "parameters"),
        ("targets", [], "TARGETS_WRONG_VALUE", "targets"),
        ("parameters.0.minimum", ..., "TARGETS_MISSING_FIELD", "parameters.0.minimum"),
        ("parameters.0.minimum", "half", "TARGETS_WRONG_VALUE", "parameters.0.minimum"),
        ("parameters.0.minimum", 5, "SCENARIO_OUT_OF_RANGE", "parameters.0.minimum"),
        ("parameters.0.maximum", 1e20, "SCENARIO_OUT_OF_RANGE", "parameters.0.maximum"),
        ("parameters.0.maximum", 1e40, "TARGETS_WRONG_VALUE", "parameters.0.maximum"),
        ("parameters.0.name", "configuration.feedbak", "SCENARIO_UNKNOWN_PARAMETER", "parameters.0.name"),
        ("parameters.1.name", "configuration.feedback", "DESIGN_DUPLICATE_PARAMETER", "parameters.1.name"),
        ("parameters.1.minimum", 1940.5, "SCENARIO_WRONG_TYPE", "parameters.1"),
        ("parameters.0.nome", 1, "TARGETS_UNKNOWN_FIELD", "parameters.0.nome"),
        ("targets.0.figure", "final_warning", "OUTCOME_UNKNOWN", "targets.0.figure"),
        ("targets.0.figure", ..., "TARGETS_WRONG_VALUE", "targets.0"),
        ("targets.0.metric", "warming", "TARGETS_WRONG_VALUE", "targets.0"),
        ("targets.0.from", 3, "TARGETS_WRONG_VALUE", "targets.0"),
        ("targets.1.metric", "warmth", "OUTCOME_UNKNOWN", "targets.1.metric"),
        ("targets.1.until", 20, "OUTCOME_WINDOW", "targets.1.metric"),
        ("targets.1.until", 121, "OUTCOME_WINDOW", "targets.1.metric"),
        ("targets.1.from", -1, "TARGETS_WRONG_VALUE", "targets.1.from"),
        ("targets.1.tolerance", 0, "TARGETS_WRONG_VALUE", "targets.1.tolerance"),
        ("targets.1.weight", -1, "TARGETS_WRONG_VALUE", "targets.1.weight"),
        ("targets.1.value", ..., "TARGETS_MISSING_FIELD", "targets.1.value"),
        ("targets.1.value", True, "TARGETS_WRONG_VALUE", "targets.1.value"),
        ("trials", 0, "TARGETS_WRONG_VALUE", "trials"),
        ("seed", -1, "TARGETS_WRONG_VALUE", "seed"),
        ("seeds", 1, "TARGETS_UNKNOWN_FIELD", "seeds"),
    ],
)
def test_a_faulty_document_is_refused_with_code_and_field(
    spec: RunSpec, path: str, value: Any, code: str, where: str
) -> None:
    fault = refusal(lambda: fitted(changed(path, value), spec))
    assert (fault.code, fault.path) == (code, where)
    assert fault.message


@pytest.mark.parametrize(
    ("path", "value", "nearest"),
    [
        ("parameters.0.name", "configuration.feedbak", "'configuration.feedback'"),
        ("targets.0.figure", "final_warning", "'final_warming'"),
        ("targets.1.metric", "warmin", "'warming'"),
        ("seeds", 1, "'seed'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(spec: RunSpec, path: str, value: Any, nearest: str) -> None:
    assert f"did you mean {nearest}" in refusal(lambda: fitted(changed(path, value), spec)).message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TARGETS_MALFORMED"),
        ("- 1", "TARGETS_MALFORMED"),
        ("a: [", "TARGETS_MALFORMED"),
        ("a: &x 1\nb: *x", "TARGETS_MALFORMED"),
        ("trials: 1\ntrials: 2", "TARGETS_MALFORMED"),
        ("x: " + "[" * 40, "TARGETS_MALFORMED"),
        ("# " + "x" * 300_000, "TARGETS_MALFORMED"),
        ("trials: !!python/name:os.system 1", "TARGETS_MALFORMED"),
    ],
)
def test_what_is_no_plain_map_is_refused(text: str, code: str) -> None:
    assert refusal(lambda: parse_targets(text)).code == code


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    odd = tmp_path / "odd.yaml"
    odd.write_bytes(b"\xff\xfe\x00")
    assert refusal(lambda: targets_text(odd)).code == "TARGETS_MALFORMED"
    assert refusal(lambda: targets_text(tmp_path / "none.yaml")).code == "TARGETS_NOT_FOUND"
    assert refusal(lambda: targets_text(tmp_path)).code == "TARGETS_NOT_FOUND"
    assert refusal(lambda: targets_text("a\0b")).code == "TARGETS_NOT_FOUND"


PLACES = [
    "parameters", "parameters.0", "parameters.0.name", "parameters.0.minimum", "parameters.1.maximum", "targets",
    "targets.0", "targets.0.figure", "targets.0.value", "targets.1.metric", "targets.1.from", "targets.1.until",
    "targets.1.tolerance", "targets.2.weight", "trials", "members", "seed", "more",
]  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.just(...),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def understood_or_refused(act: Callable[[], object]) -> None:
    try:
        act()
    except CivlabError as error:
        fault = error
    else:
        return
    assert fault.code in CODES, fault
    assert 0 < len(fault.message) < 2000


def without_gaps(value: Any) -> Any:
    """Ellipses, which stand for a missing key at the top, as nothing further down."""
    if isinstance(value, list):
        return [without_gaps(item) for item in value]
    if isinstance(value, dict):
        return {key: without_gaps(item) for key, item in value.items()}
    return None if value is ... else value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_a_document_with_any_value_replaced_is_understood_or_refused_by_name(
    spec: RunSpec, place: str, value: Any
) -> None:
    if place == "more" and value is ...:
        return
    document = changed(place, value if value is ... else without_gaps(value))
    understood_or_refused(lambda: fitted(document, spec))


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(st.characters(codec="utf-8"), max_size=60) | st.text("parmetsg:[]{}- \n'\"&*!0.e", max_size=80),
    at=st.integers(0, 400),
)
def test_any_text_in_any_place_is_understood_or_refused_by_name(text: str, at: int) -> None:
    whole = yaml.safe_dump(DOCUMENT)
    at %= len(whole)
    understood_or_refused(lambda: parse_targets(text))
    understood_or_refused(lambda: parse_targets(whole[:at] + text + whole[at:]))
