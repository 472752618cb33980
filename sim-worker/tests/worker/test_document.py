"""Run documents that are wrong, cut, hostile or absent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.runs import RunSpec
from civlab.worker.document import SIZE_LIMIT, checked_index, parse_document, read_document
from civlab.worker.ending import failed
from parpour_contracts.exitcodes import ExitCode
from parpour_contracts.run import RunDocument
from parpour_contracts.scenario import BUILTIN

pytestmark = pytest.mark.unit

GOOD = {
    "apiVersion": "civlab.run/v1",
    "run": {"uid": "5f0c", "namespace": "default", "name": "epidemic"},
    "scenario": "apiVersion: civlab/v1\n",
    "seed": 7,
    "ticks": 10,
    "ensemble": {"members": 4},
    "shards": 2,
    "store": "s3://results/default/5f0c",
}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
trees = st.recursive(
    scalars, lambda kids: st.lists(kids, max_size=3) | st.dictionaries(st.text(max_size=10), kids, max_size=3)
)


def test_a_good_document_is_read(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(GOOD))
    assert read_document(file).ensemble.members == 4


def test_an_absent_document_names_the_mount(tmp_path: Path) -> None:
    with pytest.raises(CivlabError) as caught:
        read_document(tmp_path / "run.json")
    assert caught.value.code == "RUN_DOCUMENT_MISSING"
    assert caught.value.path == str(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"seed": -1}, "seed"),
        ({"ticks": 0}, "ticks"),
        ({"shards": 5}, "shards"),
        ({"sed": 1}, "sed"),
        ({"apiVersion": "civlab.run/v2"}, "apiVersion"),
        ({"ensemble": {"members": 0}}, "ensemble.members"),
        ({"run": {}}, "run.uid"),
        ({"backend": "TPU"}, "backend"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], path: str) -> None:
    with pytest.raises(CivlabError) as caught:
        parse_document(json.dumps({**GOOD, **change}).encode())
    assert (caught.value.code, caught.value.path) == ("RUN_DOCUMENT_WRONG", path)


def test_a_huge_document_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(CivlabError, match="RUN_DOCUMENT_TOO_LARGE"):
        parse_document(b" " * (SIZE_LIMIT + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_by_code(data: bytes) -> None:
    with pytest.raises(CivlabError, match="RUN_DOCUMENT_"):
        parse_document(data)


@given(field=st.sampled_from(sorted(GOOD)), value=trees)
def test_any_value_in_any_field_is_read_or_refused_by_code(field: str, value: object) -> None:
    outcome: object
    try:
        outcome = parse_document(json.dumps({**GOOD, field: value}).encode())
    except CivlabError as fault:
        outcome = (fault.code, bool(fault.path))
    assert isinstance(outcome, RunDocument) or outcome == ("RUN_DOCUMENT_WRONG", True)


@given(
    scenario=st.text(max_size=200) | st.sampled_from(sorted(BUILTIN.values())),
    parameters=st.dictionaries(st.text(max_size=12) | st.just("disease.r0"), st.text(max_size=12), max_size=2),
    ticks=st.integers(-1, 2_000_000),
    members=st.integers(-1, 9),
    design=st.sampled_from(["Replicate", "Grid", "LatinHypercube", "Sobol", "Guess"]),
    names=st.lists(st.text(max_size=10) | st.just("disease.r0"), max_size=2),
    value=st.text(max_size=8) | st.decimals(allow_nan=True).map(str),
)
def test_whatever_is_wrong_with_a_run_ends_with_64_and_a_code(
    scenario: str, parameters: dict[str, str], ticks: int, members: int, design: str, names: list[str], value: str
) -> None:
    varied = [{"name": name, "values": [value], "minimum": value, "maximum": value} for name in names]
    change = {
        "scenario": scenario,
        "parameters": parameters,
        "ticks": ticks,
        "shards": 1,
        "ensemble": {"members": members, "design": {"type": design, "parameters": varied}},
    }
    exit_code = ExitCode.DONE
    try:
        RunSpec.from_document(parse_document(json.dumps({**GOOD, **change}).encode()))
    except CivlabError as fault:
        exit_code = failed(fault).exit_code
    assert exit_code in (ExitCode.DONE, ExitCode.BAD_SPEC)


@given(depth=st.integers(1, 100_000))
def test_deep_nesting_is_refused_by_code(depth: int) -> None:
    with pytest.raises(CivlabError, match="RUN_DOCUMENT_WRONG"):
        parse_document(b"[" * depth)


@pytest.mark.parametrize("index", [None, 2, 10**9])
def test_an_index_outside_the_shards_is_refused(index: int | None) -> None:
    with pytest.raises(CivlabError) as caught:
        checked_index(parse_document(json.dumps(GOOD).encode()), index)
    assert (caught.value.code, caught.value.path) == ("WORKER_INDEX_WRONG", "JOB_COMPLETION_INDEX")
