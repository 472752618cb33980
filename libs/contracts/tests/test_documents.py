"""Documents round-trip, keep to their limits, and refuse what they do not know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from parpour_contracts.conditions import Condition, is_true, set_condition
from parpour_contracts.ensembles import check_ensemble, listed_points
from parpour_contracts.messages import TERMINATION_LIMIT, Termination
from parpour_contracts.run import (
    WORKER_BASE_MEMORY,
    RunDocument,
    RunIdentity,
    limit_for,
    shard_members,
    worlds_memory,
)
from parpour_contracts.scenario import BUILTIN, ScenarioError, override, parameters, parse_scenario
from parpour_contracts.simulation import Design, DesignParameter, DesignType, Ensemble, Metric, SimulationSpec
from parpour_contracts.subjects import parse_progress_subject, progress_subject

pytestmark = pytest.mark.unit
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@given(members=st.integers(1, 5000), data=st.data())
def test_shards_partition_the_members_in_order(members: int, data: st.DataObject) -> None:
    shards = data.draw(st.integers(1, members))
    parts = [shard_members(members=members, shards=shards, shard=s) for s in range(shards)]
    assert [m for part in parts for m in part] == list(range(members))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(("shards", "shard"), [(0, 0), (5, 0), (2, 2), (2, -1)])
def test_a_shard_that_cannot_be_is_refused(shards: int, shard: int) -> None:
    with pytest.raises(ValueError, match="no shard"):
        shard_members(members=4, shards=shards, shard=shard)


@given(worlds=st.integers(1, 1 << 40))
def test_the_least_limit_for_worlds_leaves_them_the_memory_and_no_smaller_limit_does(worlds: int) -> None:
    least = limit_for(worlds)
    assert worlds_memory(least) >= worlds
    assert worlds_memory(least - 1) < worlds


def test_beside_the_worlds_a_large_worker_keeps_room_for_the_program() -> None:
    assert worlds_memory(1 << 30) == (1 << 30) - WORKER_BASE_MEMORY
    assert worlds_memory(128 << 20) == 16 << 20


@given(message=st.text(max_size=20_000), metrics=st.integers(0, 60))
def test_a_termination_message_always_fits_and_reads_back(message: str, metrics: int) -> None:
    figures = tuple(Metric(name=f"m{i}", mean="1.5", low="1", high="2", unit="persons") for i in range(metrics))
    data = Termination(code="DONE", message=message, digest="0" * 64, members=7, metrics=figures).to_bytes()
    assert len(data) <= TERMINATION_LIMIT
    read = Termination.parse(data.decode())
    assert read is not None
    assert (read.code, read.digest, read.members) == ("DONE", "0" * 64, 7)


@given(st.text())
def test_what_is_no_termination_message_reads_as_none(text: str) -> None:
    parsed = Termination.parse(text)
    assert parsed is None or parsed.version == 1


def test_a_run_document_has_one_canonical_form_and_refuses_unknown_fields() -> None:
    run = RunDocument(run=RunIdentity(uid="u"), scenario="model: epidemic\n", ticks=3, store="s3://b/p")
    assert RunDocument.from_json(run.canonical()) == run
    assert RunDocument.from_json(run.canonical()).canonical() == run.canonical()
    with pytest.raises(ValidationError, match="surprise"):
        RunDocument.model_validate({**run.to_wire(), "surprise": 1})


@given(run=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), shard=st.integers(0, 10**6))
def test_progress_subjects_read_back(run: str, shard: int) -> None:
    assert parse_progress_subject(progress_subject(run=run, shard=shard)) == (run, shard)


@pytest.mark.parametrize("run", ["", "a.b", "*", ">", "a b", "x" * 65])
def test_a_run_cannot_widen_its_subject(run: str) -> None:
    with pytest.raises(ValueError, match="token"):
        progress_subject(run=run, shard=0)


def test_a_conditions_transition_time_moves_only_with_its_status() -> None:
    first = set_condition((), type="Running", status="True", reason="A", message="", observed_generation=1, now=NOW)
    later = NOW + timedelta(minutes=1)
    same = set_condition(
        first, type="Running", status="True", reason="B", message="m", observed_generation=2, now=later
    )
    flipped = set_condition(
        same, type="Running", status="False", reason="C", message="", observed_generation=2, now=later
    )
    assert same[0].last_transition_time == NOW
    assert same[0].reason == "B"
    assert flipped[0].last_transition_time == later
    assert not is_true(flipped, "Running")


def test_conditions_survive_the_wire() -> None:
    (condition,) = set_condition(
        (), type="Accepted", status="True", reason="Valid", message="x" * 5000, observed_generation=3, now=NOW
    )
    assert Condition.model_validate(condition.to_wire()) == condition
    assert len(condition.message) == 1024


class _Range:
    minimum = 0
    maximum = 10


KNOWN = {"disease.r0": _Range(), "population.size": _Range()}


def _ensemble(type: DesignType, members: int, *parameters: DesignParameter) -> Ensemble:
    return Ensemble(members=members, design=Design(type=type, parameters=parameters))


def _codes(ensemble: Ensemble) -> list[str]:
    return [p.code for p in check_ensemble(ensemble, KNOWN)]


def test_a_grid_of_known_parameters_and_whole_replicates_is_accepted() -> None:
    grid = _ensemble(DesignType.GRID, 6, DesignParameter(name="disease.r0", values=("1.5", "2", "3")))
    assert listed_points(grid.design) == 3
    assert _codes(grid) == []


def test_a_list_takes_values_together_and_may_be_longer_than_a_grid() -> None:
    many = tuple(str(value % 10) for value in range(2000))
    points = _ensemble(
        DesignType.LIST,
        4000,
        DesignParameter(name="disease.r0", values=many),
        DesignParameter(name="population.size", values=many),
    )
    assert listed_points(points.design) == 2000
    assert _codes(points) == []
    assert _codes(_ensemble(DesignType.GRID, 2000, DesignParameter(name="disease.r0", values=many))) == ["DESIGN_SHAPE"]


def test_an_unknown_parameter_is_named_with_its_nearest() -> None:
    (problem,) = check_ensemble(_ensemble(DesignType.GRID, 1, DesignParameter(name="disease.ro", values=("1",))), KNOWN)
    assert problem.code == "SCENARIO_UNKNOWN_PARAMETER"
    assert "disease.r0" in problem.message
    assert problem.path == "ensemble.design.parameters[0].name"


@pytest.mark.parametrize("name", ["disease.ro", "populaton.size", "zeal"])
def test_a_design_and_an_override_answer_a_misspelt_name_with_the_same_hint(name: str) -> None:
    scenario = parse_scenario(BUILTIN["epidemic"])
    case = _ensemble(DesignType.GRID, 1, DesignParameter(name=name, values=("1",)))
    (problem,) = check_ensemble(case, parameters(scenario))
    with pytest.raises(ScenarioError) as refused:
        override(scenario, {name: "1"})
    _, asks, hint = refused.value.message.partition("did you mean")
    assert problem.message.partition("did you mean")[1:] == (asks, hint)
    assert asks or problem.message.endswith("`civlab explain` lists them")


@pytest.mark.parametrize(
    ("ensemble", "code"),
    [
        (_ensemble(DesignType.GRID, 4, DesignParameter(name="disease.r0", values=("1", "2", "3"))),
         "DESIGN_MEMBERS_NOT_A_MULTIPLE"),
        (_ensemble(DesignType.LIST, 4, DesignParameter(name="disease.r0", values=("1", "2", "3"))),
         "DESIGN_MEMBERS_NOT_A_MULTIPLE"),
        (_ensemble(DesignType.LIST, 2, DesignParameter(name="disease.r0", values=("1", "2")),
                   DesignParameter(name="population.size", values=("1",))), "DESIGN_SHAPE"),
        (_ensemble(DesignType.LIST, 2), "DESIGN_SHAPE"),
        (_ensemble(DesignType.LIST, 1, DesignParameter(name="disease.r0", minimum="1", maximum="2")), "DESIGN_SHAPE"),
        (_ensemble(DesignType.GRID, 1, DesignParameter(name="disease.r0", values=("11",))), "SCENARIO_OUT_OF_RANGE"),
        (_ensemble(DesignType.GRID, 1, DesignParameter(name="disease.r0", values=("NaN",))), "SCENARIO_OUT_OF_RANGE"),
        (_ensemble(DesignType.GRID, 1, DesignParameter(name="disease.r0", values=("two",))), "SCENARIO_WRONG_TYPE"),
        (_ensemble(DesignType.SOBOL, 8, DesignParameter(name="disease.r0", minimum="3", maximum="2")),
         "SCENARIO_OUT_OF_RANGE"),
        (_ensemble(DesignType.SOBOL, 8), "DESIGN_SHAPE"),
        (_ensemble(DesignType.REPLICATE, 8, DesignParameter(name="disease.r0", values=("1",))), "DESIGN_SHAPE"),
        (_ensemble(DesignType.GRID, 1, DesignParameter(name="disease.r0", values=("1",)),
                   DesignParameter(name="disease.r0", values=("1",))), "DESIGN_DUPLICATE_PARAMETER"),
    ],
)  # fmt: skip
def test_a_design_that_cannot_be_is_refused_with_its_code(ensemble: Ensemble, code: str) -> None:
    assert code in _codes(ensemble)


def test_a_spec_names_exactly_one_scenario_source() -> None:
    with pytest.raises(ValidationError, match="exactly one scenario source"):
        SimulationSpec.model_validate({"scenario": {"builtin": "a", "inline": "b"}})
    with pytest.raises(ValidationError, match="exactly one scenario source"):
        SimulationSpec.model_validate({"scenario": {}})


def test_quantities_may_be_written_as_numbers() -> None:
    spec = SimulationSpec.model_validate(
        {"scenario": {"builtin": "a"}, "resources": {"requests": {"cpu": 2, "memory": "1Gi"}}}
    )
    assert spec.resources.requests["cpu"] == "2"
