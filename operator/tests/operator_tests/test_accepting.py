"""What is refused, with which words, and how shards are planned."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_contracts.run import worlds_memory
from parpour_contracts.scenario import BUILTIN, estimate, override, parse_scenario
from parpour_contracts.simulation import SimulationSpec
from parpour_operator.accepting import plan_shards
from parpour_operator.quantities import parse_quantity
from parpour_operator.settings import Settings
from parpour_operator.testing.lives import SCENARIO, Life, spec

pytestmark = pytest.mark.unit


def design(kind: str, *parameters: dict[str, Any], members: int = 8) -> dict[str, Any]:
    return {"ensemble": {"members": members, "design": {"type": kind, "parameters": list(parameters)}}}


REFUSALS: list[tuple[str, dict[str, Any], str, tuple[str, ...]]] = [
    ("unknown builtin", {"scenario": {"builtin": "epidemi"}}, "ScenarioUnknown", ("builtin", "'epidemic'")),
    (
        "missing ConfigMap",
        {"scenario": {"configMap": {"name": "town"}}},
        "ScenarioConfigMapNotFound",
        ("spec.scenario.configMap.name", "'town'", "create"),
    ),
    (
        "missing key",
        {"scenario": {"configMap": {"name": "there", "key": "b.yaml"}}},
        "ScenarioKeyNotFound",
        ("spec.scenario.configMap.key", "a.yaml"),
    ),
    ("malformed", {"scenario": {"inline": "a: [1"}}, "ScenarioMalformed", ("spec.scenario",)),
    ("duplicate key", {"scenario": {"inline": SCENARIO + "ticks: 9\n"}}, "ScenarioDuplicateKey", ("ticks",)),
    (
        "billion laughs",
        {"scenario": {"inline": "a: &a [x]\nb: [*a, *a]\n"}},
        "ScenarioAlias",
        ("spec.scenario",),
    ),
    (
        "unknown parameter",
        {"parameters": {"disease.r": "2"}},
        "ScenarioUnknownParameter",
        ("spec.parameters[disease.r]", "disease.r0"),
    ),
    ("out of range", {"parameters": {"disease.r0": "31"}}, "ScenarioOutOfRange", ("spec.parameters[disease.r0]",)),
    ("wrong type", {"parameters": {"population.size": "many"}}, "ScenarioWrongType", ("population.size",)),
    ("more shards than members", {"shards": 9}, "ShardsExceedMembers", ("spec.shards", "8 members")),
    ("no GPU", {"backend": "CUDA"}, "NoGpuNode", ("spec.backend", "nvidia.com/gpu")),
    (
        "too little memory",
        {"parameters": {"population.size": "40000000"}, "resources": {"requests": {"memory": "512Mi"}}},
        "PopulationTooLarge",
        ("spec.resources.requests.memory", "40000000 agents", "raise it to"),
    ),
    (
        "too little memory for a grid's largest value",
        design("Grid", {"name": "population.size", "values": ["1000", "40000000"]}),
        "PopulationTooLarge",
        ("40000000 agents",),
    ),
    (
        "unknown parameter in a design",
        design("Sobol", {"name": "disease.r1", "minimum": "1", "maximum": "2"}),
        "ScenarioUnknownParameter",
        ("spec.ensemble.design.parameters[0].name", "disease.r0"),
    ),
    (
        "members that do not fill a grid",
        design("Grid", {"name": "disease.r0", "values": ["1", "2", "3"]}),
        "DesignMembersNotAMultiple",
        ("spec.ensemble.members", "3 combinations"),
    ),
]


@pytest.mark.parametrize(
    ("changes", "reason", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_bad_input_is_refused_with_field_and_remedy_and_nothing_is_started(
    life: Life, changes: dict[str, Any], reason: str, words: tuple[str, ...]
) -> None:
    life.cluster.put_config_map("there", {"a.yaml": SCENARIO})
    key = life.cluster.apply(**spec(**changes))
    outcome = life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert (accepted["status"], accepted["reason"]) == ("False", reason)
    for word in words:
        assert word in accepted["message"]
    assert life.cluster.names("Job") == []
    assert life.cluster.names("ConfigMap") == ["there"]
    assert outcome.requeue_after == life.settings.refused_retry_seconds


@pytest.mark.parametrize("size", [1_000_000, 40_000_000])
def test_the_memory_that_a_refusal_asks_for_is_accepted_and_holds_the_world(life: Life, size: int) -> None:
    changes = {"parameters": {"population.size": str(size)}}
    key = life.cluster.apply("small", **spec(**changes, resources={"requests": {"memory": "16Mi"}}))
    life.reconcile(key)
    refused = life.condition(key, "Accepted")
    assert refused is not None
    asked = refused["message"].partition("raise it to ")[2].split()[0]
    enough = life.cluster.apply("enough", **spec(**changes, resources={"requests": {"memory": asked}}))
    life.reconcile(enough)
    accepted = life.condition(enough, "Accepted")
    assert accepted is not None
    assert accepted["status"] == "True"
    world = override(parse_scenario(SCENARIO), {"population.size": str(size)})
    needed = estimate(world, members=1)
    assert worlds_memory(int(parse_quantity(asked))) >= needed.peak >= needed.bytes
    for part in ("its world", "copies for checkpoints and tables", "192Mi the program"):
        assert part in refused["message"]


def test_a_refused_simulation_starts_when_what_was_missing_appears(life: Life) -> None:
    key = life.cluster.apply(**spec(scenario={"configMap": {"name": "town"}}))
    life.reconcile(key)
    life.cluster.put_config_map("town", {"scenario.yaml": SCENARIO})
    assert life.complete(key)["state"] == "Complete"


def test_a_refused_simulation_starts_when_its_spec_is_mended(life: Life) -> None:
    key = life.cluster.apply(**spec(parameters={"disease.r0": "31"}))
    life.reconcile(key)
    life.cluster.apply(**spec(parameters={"disease.r0": "3"}))
    assert life.complete(key)["state"] == "Complete"


def test_a_config_map_of_ten_megabytes_is_refused_before_it_is_parsed(life: Life) -> None:
    life.cluster.put_config_map("town", {"scenario.yaml": "#" * 10_000_000})
    key = life.cluster.apply(**spec(scenario={"configMap": {"name": "town"}}))
    life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert accepted["reason"] == "ScenarioTooLarge"


def test_an_installation_without_store_asks_for_one() -> None:
    life = Life(Settings(identity="test", worker_image="worker:test"))
    key = life.cluster.apply(**spec())
    life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert accepted["reason"] == "NoOutputStore"
    life.cluster.apply(**spec(output={"url": "s3://mine/runs/", "secretName": "mine"}))
    life.reconcile(key)
    job = life.cluster.objects[("Job", "team", "demo-shards")]
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "mine"}}]


def test_a_name_that_is_too_long_for_pods_is_refused(life: Life) -> None:
    key = life.cluster.apply("x" * 253, **spec())
    life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert accepted["reason"] == "NameTooLong"


def test_a_spec_of_another_version_is_refused_by_its_field(life: Life) -> None:
    key = life.cluster.apply(**spec(seed="seven"))
    life.reconcile(key)
    accepted = life.condition(key, "Accepted")
    assert accepted is not None
    assert accepted["reason"] == "SpecInvalid"
    assert "spec.seed" in accepted["message"]


@pytest.mark.parametrize(
    ("nodes", "image", "backend", "expected"),
    [
        ([], "cuda:1", "Auto", "CPU"),
        ([{"gpu": "h"}], "cuda:1", "Auto", "CUDA"),
        ([{"gpu": "h"}], "", "Auto", "CPU"),
        ([{"gpu": "h"}], "cuda:1", "CUDA", "CUDA"),
        ([{"gpu": "h"}], "cuda:1", "CPU", "CPU"),
        (None, "cuda:1", "Auto", "CPU"),
        (None, "cuda:1", "CUDA", "CUDA"),
    ],
)
def test_the_backend_follows_the_spec_the_nodes_and_the_image(
    nodes: Any, image: str, backend: str, expected: str
) -> None:
    life = Life(Settings(identity="t", worker_image="cpu:1", worker_cuda_image=image, store_url="s3://results"))
    life.cluster.gpu_nodes = nodes
    key = life.cluster.apply(**spec(backend=backend))
    life.reconcile(key)
    assert life.status(key)["backend"] == expected
    container = life.cluster.objects[("Job", "team", "demo-shards")]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == ("cuda:1" if expected == "CUDA" else "cpu:1")
    assert ("nvidia.com/gpu" in container["resources"]["limits"]) == (expected == "CUDA")


@given(
    members=st.integers(1, 1_000_000),
    size=st.integers(1, 50_000_000),
    ticks=st.integers(1, 10_000),
    cpu=st.sampled_from(["10m", "500m", "1", "64"]),
)
def test_planned_shards_hold_at_least_one_member_and_enough_work(members: int, size: int, ticks: int, cpu: str) -> None:
    settings = Settings(identity="test", worker_image="w")
    text = SCENARIO.replace("size: 1000", f"size: {size}")
    asked = SimulationSpec.model_validate(
        {
            "scenario": {"inline": text},
            "ticks": ticks,
            "ensemble": {"members": members},
            "resources": {"requests": {"cpu": cpu}},
        }
    )
    shards = plan_shards(asked, parse_scenario(text), settings, pinned=None)
    assert 1 <= shards <= min(members, settings.planned_shards_limit)
    if shards > 1:
        assert members * size * ticks / shards >= settings.shard_seconds * settings.agent_updates_per_core_second * 0.09


def test_a_model_whose_agents_are_more_work_is_planned_with_more_shards() -> None:
    settings = Settings(identity="test", worker_image="w", planned_shards_limit=100)
    asked: dict[str, Any] = {
        "ticks": 500,
        "parameters": {"population.size": "100000"},
        "ensemble": {"members": 200},
        "resources": {"requests": {"cpu": "1"}},
    }
    planned = {}
    for name in ("epidemic", "two-nations"):
        one = SimulationSpec.model_validate({"scenario": {"builtin": name}, **asked})
        planned[name] = plan_shards(one, override(parse_scenario(BUILTIN[name]), one.parameters), settings, pinned=None)
    assert planned == {"epidemic": 10, "two-nations": 50}
