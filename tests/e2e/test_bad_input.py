"""Every kind of bad input ends in a message that names the field and the remedy, with nothing started."""

from __future__ import annotations

from typing import Any

import pytest

from harness.release import SIMULATIONS, Release
from harness.simulations import SMALL, Draft, complete, condition, draft, wait_for

pytestmark = pytest.mark.cluster


def at_admission() -> list[Any]:
    """(name, spec changes or object, words of the message) that the API server refuses."""
    good = draft("x").spec
    return [
        pytest.param(
            Draft("two-sources", {**good, "scenario": {"inline": SMALL, "builtin": "epidemic"}}),
            ["spec.scenario", "exactly one scenario source"],
            id="two scenario sources",
        ),
        pytest.param(Draft("no-source", {**good, "scenario": {}}), ["exactly one scenario source"], id="no source"),
        pytest.param(draft("many-shards", members=2, shards=3), ["shards", "members"], id="more shards than members"),
        pytest.param(
            draft("wrong-type").with_spec(seed="seven"), ["spec.seed", "integer"], id="a value of the wrong type"
        ),
        pytest.param(draft("out-of-range").with_spec(seed=-1), ["spec.seed"], id="a value out of range"),
        pytest.param(draft("n" * 253), ["metadata.name", "50"], id="a name of 253 characters"),
        pytest.param(
            Draft("huge", {**good, "scenario": {"inline": SMALL + "#" * 1_000_000}}),
            ["spec.scenario.inline", "131072"],
            id="a scenario beyond the limit",
        ),
        pytest.param(
            draft("bad-url").with_spec(output={"url": "file:///etc", "secretName": "x"}),
            ["spec.output.url"],
            id="an output that is no store",
        ),
    ]


@pytest.mark.parametrize(("one", "words"), at_admission())
def test_the_api_server_refuses(release: Release, one: Draft, words: list[str]) -> None:
    message = release.refused(one.manifest())
    for word in words:
        assert word in message, message


def test_a_scenario_of_ten_megabytes_is_refused_before_it_reaches_the_operator(release: Release) -> None:
    one = Draft("ten-megabytes", {"scenario": {"inline": SMALL + "#" * 10_000_000}})
    assert "too large" in release.refused(one.manifest()).lower()


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def by_the_operator() -> list[Any]:
    """(Simulation, reason, words of the message) that the operator refuses in the Accepted condition."""
    good = draft("x").spec

    def scenario(name: str, text: str) -> Draft:
        return Draft(name, {**good, "scenario": {"inline": text}})

    def parameter(name: str, path: str, value: str) -> Draft:
        return draft(name).with_spec(parameters={path: value})

    missing = {**good, "scenario": {"configMap": {"name": "nowhere"}}}
    return [
        pytest.param(
            Draft("unknown-builtin", {**good, "scenario": {"builtin": "epidemik"}}),
            "ScenarioUnknown",
            ["spec.scenario.builtin", "epidemic"],
            id="unknown builtin",
        ),
        pytest.param(
            Draft("no-config-map", missing), "ScenarioConfigMapNotFound", ["nowhere", "create"], id="missing ConfigMap"
        ),
        pytest.param(
            Draft("no-key", {**good, "scenario": {"configMap": {"name": "kube-root-ca.crt", "key": "s.yaml"}}}),
            "ScenarioKeyNotFound",
            ["s.yaml", "ca.crt"],
            id="missing key",
        ),
        pytest.param(
            parameter("unknown-parameter", "disease.r00", "2"),
            "ScenarioUnknownParameter",
            ["disease.r00", "disease.r0"],
            id="unknown parameter, with the nearest name",
        ),
        pytest.param(
            parameter("value-out-of-range", "disease.r0", "-3"), "ScenarioOutOfRange", ["disease.r0"], id="out of range"
        ),
        pytest.param(
            parameter("value-of-wrong-type", "disease.r0", "high"), "ScenarioWrongType", ["disease.r0"], id="wrong type"
        ),
        pytest.param(scenario("malformed", "a: [1"), "ScenarioMalformed", ["spec.scenario"], id="malformed YAML"),
        pytest.param(
            scenario("twice", SMALL + "ticks: 3\n"), "ScenarioDuplicateKey", ["ticks"], id="a key that stands twice"
        ),
        pytest.param(scenario("bomb", BOMB), "ScenarioAlias", ["spec.scenario"], id="billion laughs"),
        pytest.param(
            scenario("crowd", SMALL.replace("2000", "50000000")),
            "PopulationTooLarge",
            ["spec.resources", "memory"],
            id="a population that cannot fit the memory",
        ),
        pytest.param(draft("cuda").with_spec(backend="CUDA"), "NoGpuNode", ["spec.backend"], id="CUDA without a GPU"),
    ]


@pytest.fixture(scope="module")
def refusals(release: Release) -> None:
    """All of them at once, so that their waiting overlaps."""
    release.apply(*(parameter.values[0].manifest() for parameter in by_the_operator()))


@pytest.mark.parametrize(("one", "reason", "words"), by_the_operator())
@pytest.mark.usefixtures("refusals")
def test_the_operator_refuses_and_starts_nothing(release: Release, one: Draft, reason: str, words: list[str]) -> None:
    simulation = wait_for(release, one, "Accepted", status="False", seconds=90)
    told = condition(simulation, "Accepted")
    assert told["reason"] == reason, told
    for word in words:
        assert word in told["message"], told
    assert simulation["status"]["state"] == "Pending"
    assert release.list_of("jobs,configmaps", selector=f"parpour.dev/simulation={one.name}") == []


def test_a_refused_run_starts_when_the_missing_config_map_appears(release: Release) -> None:
    release.kubectl("delete", "configmap", "late", "--namespace", SIMULATIONS, "--ignore-not-found")
    spec = {**draft("x", members=1, shards=1).spec, "scenario": {"configMap": {"name": "late", "key": "s.yaml"}}}
    one = Draft("waiting", spec)
    release.apply(one.manifest())
    wait_for(release, one, "Accepted", status="False", seconds=90)
    release.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "late", "namespace": SIMULATIONS},
            "data": {"s.yaml": SMALL},
        }
    )
    assert complete(release, one)["members"] == 1


def test_an_output_store_that_refuses_fails_the_run_with_its_address_and_no_credential(release: Release) -> None:
    release.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "wrong-store", "namespace": SIMULATIONS},
            "stringData": {
                "AWS_ACCESS_KEY_ID": "worker",
                "AWS_SECRET_ACCESS_KEY": "not-the-password-0123456789",
                "AWS_ENDPOINT_URL": "http://parpour-s3.parpour-system.svc:7070",
                "AWS_REGION": "us-east-1",
                "AWS_ALLOW_HTTP": "true",
            },
        }
    )
    one = draft("refused-store", members=1, shards=1, retries=0).with_spec(
        output={"url": "s3://parpour/elsewhere", "secretName": "wrong-store"}
    )
    release.apply(one.manifest())
    told = condition(wait_for(release, one, "Failed"), "Failed")
    assert "s3://parpour/elsewhere" in told["message"], told
    assert "not-the-password" not in told["message"]
