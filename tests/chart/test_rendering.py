"""What the chart renders: golden files, refusals of the values' schema, and the house rules of pods."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from parpour_contracts.funding import AUDIENCE
from parpour_devcluster import binaries
from parpour_operator.permissions import PERMISSIONS

pytestmark = pytest.mark.cluster  # needs the built helm, not a running cluster

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "parpour"
VALUES = sorted((Path(__file__).parent / "values").glob("*.yaml"))
GOLDEN = Path(__file__).parent / "golden"
KUBE_VERSION = "1.35.4"


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(binaries.ensure("helm")), *arguments], capture_output=True, text=True, check=False)


def render(values: Path, *more: str) -> list[dict[str, Any]]:
    """The objects that the chart makes of a values file, random passwords and keys blanked."""
    done = helm(
        *("template", "parpour", str(CHART), "--namespace", "parpour-system", "--kube-version", KUBE_VERSION),
        *("--values", str(values), *more),
    )
    assert done.returncode == 0, done.stderr
    blanked = re.sub(r"\b[A-Za-z0-9]{40}\b", "<random>", done.stdout)
    blanked = re.sub(r"-----BEGIN ([A-Z ]+)-----[^-]+-----END", r"-----BEGIN \1-----END", blanked)
    return [document for document in yaml.safe_load_all(blanked) if document]


def name_of(document: dict[str, Any]) -> str:
    meta = document["metadata"]
    return f"{document['kind']} {meta.get('namespace', '')}/{meta['name']}"


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_rendering_equals_the_golden_file(values: Path) -> None:
    documents = [one for one in render(values) if one["kind"] != "CustomResourceDefinition"]
    for one in documents:  # scripts have files of their own
        if one["kind"] == "ConfigMap":
            one["data"] = dict.fromkeys(one["data"], "<file>")
    text = yaml.safe_dump_all(sorted(documents, key=name_of), sort_keys=True, width=110)
    golden = GOLDEN / values.name
    if os.environ.get("PARPOUR_WRITE_GOLDEN"):
        golden.write_text(text)
    assert golden.read_text() == text, "run PARPOUR_WRITE_GOLDEN=1 pytest tests/chart and look at the difference"


def test_lint_finds_nothing() -> None:
    done = helm("lint", str(CHART), "--strict", "--kube-version", KUBE_VERSION)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("operator.replica=2", ["operator", "replica"]),
        ("operator.replicas=-1", ["operator/replicas", "minimum"]),
        ("nats.external.url=http://bus", ["nats/external/url"]),
        ("store.bucket=Upper", ["store/bucket"]),
        ("images.operator.digest=latest", ["images/operator/digest"]),
        ("simulationNamespaces[0]=Not_A_Name", ["simulationNamespaces/0"]),
        ("treasury.enabled=true", ["treasury/issuer/url", "treasury/issuer/keysUrl"]),
        ("treasury.issuer.keysUrl=http://issuer.example.org", ["treasury/issuer/keysUrl"]),
        ("treasury.database.external.host=db", ["treasury/database/external/adminSecret"]),
        ("treasury.payments.accounts[0].tenant=acme", ["treasury/payments/accounts/0"]),
        ("treasury.payments.doubles.stripe=http://double", ["treasury/payments/doubles/stripe"]),
        ("treasury.prices.prices.USD.cpuHour=free", ["treasury/prices/prices/USD/cpuHour"]),
    ],
)
def test_wrong_values_are_refused_by_name(setting: str, words: list[str]) -> None:
    done = helm("template", "parpour", str(CHART), "--kube-version", KUBE_VERSION, "--set", setting)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr.replace(".", "/"), done.stderr


def test_an_older_kubernetes_is_refused() -> None:
    done = helm("template", "parpour", str(CHART), "--kube-version", "1.31.0")
    assert done.returncode != 0
    assert "kubeVersion" in done.stderr


def pods(values: Path) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for document in render(values):
        spec = document.get("spec", {})
        if document["kind"] == "Pod":
            found.append((name_of(document), spec))
        elif "template" in spec:
            found.append((name_of(document), spec["template"]["spec"]))
    return found


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_every_pod_meets_the_restricted_standard_with_a_read_only_root(values: Path) -> None:
    for name, pod in pods(values):
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True, name
            assert security["capabilities"] == {"drop": ["ALL"]}, name
            assert {"requests", "limits"} <= set(container["resources"]), name


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_only_those_who_ask_the_api_server_get_a_token(values: Path) -> None:
    with_token = {name for name, pod in pods(values) if pod["automountServiceAccountToken"]}
    treasury = {"Deployment /parpour-internal"} if values.stem.startswith("treasury") else set()
    assert with_token == {"Deployment /parpour-operator", *treasury}


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_no_role_reads_secrets_or_has_wildcards(values: Path) -> None:
    for document in render(values):
        if document["kind"] in {"Role", "ClusterRole"}:
            assert "*" not in json.dumps(document["rules"])
            for rule in document["rules"]:
                if "secrets" in rule["resources"]:
                    assert values.stem.startswith("treasury")
                    assert (rule["verbs"], rule["resourceNames"]) == (
                        ["create", "patch"],
                        ["parpour-bus", "parpour-store"],
                    )


MOUNTED = {
    "api": {"database-app", "acme-webhooks"},
    "internal": {"database-app", "internal-tls"},
    "sealer": {"database-sealer", "signing"},
    "relay": {"database-relay", "relay-bus"},
    "payments": {"database-payment", "acme-accounts"},
    "sweeper": {"database-sweeper"},
    "postgres": {"postgres-admin"},
    "operator": {"internal-tls", "operator-bus", "venture-bus", "venture-store"},
}
"""Which Secrets the pods of a part mount, without the release's name."""


def secrets_of(pod: dict[str, Any]) -> set[str]:
    """Names of the Secrets that a pod mounts or takes settings from."""
    found = re.findall(r'"secret(?:Name|KeyRef)?": (?:"([^"]+)"|\{[^{}]*"name": "([^"]+)")', json.dumps(pod))
    return {(one or other).removeprefix("parpour-") for one, other in found}


def test_each_part_of_the_treasury_sees_its_own_secrets_and_no_others() -> None:
    found = {name.partition("/parpour-")[2]: pod for name, pod in pods(Path(__file__).parent / "values/treasury.yaml")}
    assert {part: secrets_of(found[part]) for part in MOUNTED} == MOUNTED
    internal = next(volume for volume in found["operator"]["volumes"] if volume["name"] == "internal")
    certificate, token = internal["projected"]["sources"][1], internal["projected"]["sources"][0]
    assert certificate["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
    assert token["serviceAccountToken"]["audience"] == AUDIENCE


def test_a_ventures_namespace_is_given_what_the_chart_writes_elsewhere() -> None:
    documents = {name_of(one): one for one in render(Path(__file__).parent / "values" / "treasury.yaml")}
    given = list(yaml.safe_load_all(documents["ConfigMap /parpour-venture-objects"]["data"]["objects.yaml"]))
    for one in given:
        elsewhere = documents[f"{one['kind']} default/{one['metadata']['name']}"]
        assert {**one["metadata"], "namespace": "default"} == elsewhere["metadata"]
        assert {**one, "metadata": None} == {**elsewhere, "metadata": None}
    kinds = {(one["kind"], one["metadata"]["name"]) for one in given}
    kinds |= {("Secret", name) for name in ("parpour-bus", "parpour-store")}
    allowed = {
        (kind, name)
        for permission in PERMISSIONS
        if permission.scope == "ventures"
        for kind in (resource_kind(one) for one in permission.resources)
        for name in permission.names
    }
    assert kinds == allowed


def resource_kind(resource: str) -> str:
    """ServiceAccount for serviceaccounts."""
    kinds = {"networkpolicies": "NetworkPolicy", "secrets": "Secret", "serviceaccounts": "ServiceAccount"}
    return kinds.get(resource, resource)


def test_every_pod_of_the_treasury_has_a_policy_that_names_it() -> None:
    for name in ("treasury", "treasury-external"):
        values = Path(__file__).parent / "values" / f"{name}.yaml"
        documents = [one for one in render(values) if one["kind"] == "NetworkPolicy"]
        component = "app.kubernetes.io/component"
        named = {one["spec"]["podSelector"]["matchLabels"].get(component) for one in documents}
        workloads = [one for one in render(values) if one["kind"] in {"Deployment", "StatefulSet", "Job", "Pod"}]
        labelled = {
            (one["metadata"] if one["kind"] == "Pod" else one["spec"]["template"]["metadata"])["labels"][component]
            for one in workloads
        }
        assert labelled <= named


def test_watching_namespaces_leaves_little_to_the_cluster_role() -> None:
    documents = {name_of(one): one for one in render(Path(__file__).parent / "values" / "external.yaml")}
    rules = documents["ClusterRole /parpour-operator"]["rules"]
    assert {rule["resources"][0]: rule["verbs"] for rule in rules} == {
        "nodes": ["list"],
        "simulations": ["get", "patch"],
        "namespaces": ["get"],
    }
    for namespace in ("team-a", "team-b"):
        rules = documents[f"Role {namespace}/parpour-operator-watched"]["rules"]
        assert ["simulations"] in [rule["resources"] for rule in rules]


def test_the_crd_is_kept_on_uninstall_and_equals_the_generated_one() -> None:
    documents = {name_of(one): one for one in render(Path(__file__).parent / "values" / "defaults.yaml")}
    crd = documents["CustomResourceDefinition /simulations.parpour.dev"]
    assert crd["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert crd == yaml.safe_load((ROOT / "crds" / "parpour.dev_simulations.yaml").read_text())
