"""A run's identity: what belongs to it, what does not, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.epidemic.results import RESULTS
from civlab.runs.spec import RUN_FILE, RunSpec
from civlab.store import open_store
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.simulation import Ensemble

pytestmark = pytest.mark.unit
MakeSpec = Callable[..., RunSpec]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CivlabError) as caught:
        act()
    return caught.value.code


def test_comments_and_layout_are_no_part_of_a_runs_identity(make_spec: MakeSpec, small_town: str) -> None:
    respelled = small_town.replace("# Six hundred", "# 600").replace("size: 600", "size:    600")
    assert make_spec(text=respelled).run_hash == make_spec().run_hash


@pytest.mark.parametrize("change", [{"seed": 12}, {"members": 7}, {"ticks": 39}, {"overrides": {"disease.r0": "2.9"}}])
def test_whatever_decides_results_is_part_of_the_identity(make_spec: MakeSpec, change: dict[str, object]) -> None:
    assert make_spec(**change).run_hash != make_spec().run_hash


def test_how_work_is_cut_is_no_part_of_the_identity(make_spec: MakeSpec) -> None:
    assert make_spec(shards=3, transmissions=True).run_hash == make_spec().run_hash


def test_an_override_equals_the_same_number_in_the_document(make_spec: MakeSpec, small_town: str) -> None:
    written = make_spec(text=small_town.replace("r0: 3", "r0: 2.50"))
    assert make_spec(overrides={"disease.r0": "2.5"}).scenario_hash == written.scenario_hash


def test_a_saved_run_is_read_back_equal(make_spec: MakeSpec) -> None:
    design = {"type": "Sobol", "parameters": [{"name": "disease.r0", "minimum": "1.5", "maximum": "3"}]}
    spec, store = make_spec(design=design, ticks=20, shards=2, transmissions=True), open_store("memory://")
    spec.save(store)
    again = RunSpec.load(store)
    assert again == spec
    assert again.points == spec.points
    spec.save(store)


def test_another_run_in_the_same_place_is_a_conflict(make_spec: MakeSpec) -> None:
    store = open_store("memory://")
    make_spec().save(store)
    assert code_of(lambda: make_spec(seed=1).save(store)) == "STORE_CONFLICT"


def test_the_operators_document_makes_the_same_run_as_the_shell(make_spec: MakeSpec, small_town: str) -> None:
    document = RunDocument(
        run=RunIdentity(uid="u"),
        scenario=small_town,
        parameters={"disease.r0": "2"},
        seed=11,
        ticks=30,
        ensemble=Ensemble(members=6),
        shards=2,
        store="s3://bucket/run",
    )
    assert RunSpec.from_document(document).run_hash == make_spec(overrides={"disease.r0": "2"}, ticks=30).run_hash


def test_members_of_a_design_point_share_a_compiled_scenario(make_spec: MakeSpec) -> None:
    design = {"type": "Grid", "parameters": [{"name": "population.size", "values": ["300", "500"]}]}
    spec = make_spec(design=design)
    members = spec.members(range(6))
    assert [member.stream for member in members] == [0, 1, 2, 0, 1, 2]
    assert [spec.agents(index) for index in range(6)] == [300] * 3 + [500] * 3
    assert members[0].scenario is members[2].scenario


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"seed": -1}, "RUN_SEED_OUT_OF_RANGE"),
        ({"seed": 2**63}, "RUN_SEED_OUT_OF_RANGE"),
        ({"shards": 7}, "RUN_SHARDS_OUT_OF_RANGE"),
        ({"shards": 0}, "RUN_SHARDS_OUT_OF_RANGE"),
        ({"ticks": 0}, "SCENARIO_OUT_OF_RANGE"),
        ({"overrides": {"disease.ro": "2"}}, "SCENARIO_UNKNOWN_PARAMETER"),
        ({"overrides": {"disease.r0": "many"}}, "SCENARIO_WRONG_TYPE"),
        ({"overrides": {"disease.r0": "31"}}, "SCENARIO_OUT_OF_RANGE"),
        ({"text": "apiVersion: [oops"}, "SCENARIO_MALFORMED"),
    ],
)
def test_bad_input_is_refused_by_name(make_spec: MakeSpec, change: dict[str, object], code: str) -> None:
    assert code_of(lambda: make_spec(**change)) == code


@pytest.mark.parametrize("name", ["disease.r0", "ticks"])
def test_a_parameter_has_one_value_or_a_range_but_not_both(make_spec: MakeSpec, name: str) -> None:
    design = {"type": "Grid", "parameters": [{"name": name, "values": ["2", "3"]}]}
    assert code_of(lambda: make_spec(design=design, overrides={"disease.r0": "2"})) == "RUN_PARAMETER_TWICE"


def test_a_population_is_the_model_s_number_of_agents(make_spec: MakeSpec) -> None:
    spec = make_spec(population=450)
    assert spec.agents(0) == 450
    assert spec.run_hash == make_spec(overrides={"population.size": "450"}).run_hash


def test_a_population_has_one_value(make_spec: MakeSpec) -> None:
    design = {"type": "Grid", "parameters": [{"name": "population.size", "values": ["300", "400"]}]}
    assert code_of(lambda: make_spec(population=450, design=design)) == "RUN_PARAMETER_TWICE"
    assert code_of(lambda: make_spec(population=450, overrides={"population.size": "450"})) == "RUN_PARAMETER_TWICE"


def test_a_population_is_held_to_the_scenario_s_bounds(make_spec: MakeSpec) -> None:
    assert code_of(lambda: make_spec(population=-1)) == "SCENARIO_OUT_OF_RANGE"


def test_a_model_without_agents_takes_no_population(make_spec: MakeSpec) -> None:
    text = "apiVersion: civlab/v1\nmodel: climate\ntitle: Ten years\nticks: 10\npathway: {kind: family, name: ssp245}\n"
    assert code_of(lambda: make_spec(text=text, population=450)) == "RUN_NO_POPULATION"


def test_a_value_of_the_design_that_the_scenario_forbids_is_refused_before_anything_runs(make_spec: MakeSpec) -> None:
    design = {"type": "Grid", "parameters": [{"name": "introductions.0.count", "values": ["5", "599"]}]}
    assert code_of(lambda: make_spec(design=design)) == "SCENARIO_INVALID"


@pytest.mark.parametrize(
    ("name", "middle", "code"),
    [("disease.r0", "1e3", "SCENARIO_OUT_OF_RANGE"), ("population.size", "300.5", "SCENARIO_WRONG_TYPE")],
)
def test_a_list_is_checked_at_every_point_before_anything_runs(
    make_spec: MakeSpec, name: str, middle: str, code: str
) -> None:
    design = {"type": "List", "parameters": [{"name": name, "values": ["20", middle, "30"]}]}
    assert code_of(lambda: make_spec(design=design)) == code


def test_every_value_of_a_list_is_part_of_the_identity(make_spec: MakeSpec) -> None:
    values = [f"2.{place:04d}" for place in range(300)]
    designs = [
        {"type": "List", "parameters": [{"name": "disease.r0", "values": listed}]}
        for listed in (values, [*values[:70], "2.00701", *values[71:]])
    ]
    first, other = (make_spec(design=design, members=300) for design in designs)
    assert first.run_hash != other.run_hash
    store = open_store("memory://")
    first.save(store)
    assert RunSpec.load(store).points == first.points
    assert first.points[70].values == (("disease.r0", "2.0070"),)


def test_a_place_without_a_run_says_so() -> None:
    assert code_of(lambda: RunSpec.load(open_store("memory://"))) == "RUN_NOT_FOUND"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.booleans())
def test_a_changed_byte_in_a_run_document_is_found(make_spec: MakeSpec, place: int, flip: int, cut: bool) -> None:
    store = open_store("memory://")
    spec = make_spec()
    spec.save(store)
    data = bytearray(store.get(RUN_FILE))
    place %= len(data)
    damaged = (
        bytes(data[:place]) if cut else bytes(data[:place]) + bytes([data[place] ^ flip]) + bytes(data[place + 1 :])
    )
    store.put(RUN_FILE, damaged)
    try:
        again = RunSpec.load(store)
    except CivlabError as fault:
        code = fault.code
    else:
        code = "" if again == spec else "another run"
    assert code in {"STORE_OBJECT_DAMAGED", ""}


def test_transmissions_of_a_model_that_has_none_are_refused(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(RESULTS, tables=RESULTS.tables[:1])
    monkeypatch.setattr("civlab.runs.spec.results_of", lambda name: without)
    with pytest.raises(CivlabError) as refused:
        make_spec(transmissions=True)
    assert refused.value.code == "RUN_NO_TRANSMISSIONS"
