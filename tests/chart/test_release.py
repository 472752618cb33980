"""The chart on a real API server: what it accepts, who may do what, and that upgrades and uninstalls lose nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from harness.deadlines import until
from harness.release import NAMESPACE, RELEASE, SIMULATIONS, Release, install
from harness.simulations import complete, draft
from parpour_operator.permissions import PERMISSIONS

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).resolve().parents[2]
CHART = str(ROOT / "charts" / "parpour")
OPERATOR = f"system:serviceaccount:{NAMESPACE}:parpour-operator"
WORKER = f"system:serviceaccount:{SIMULATIONS}:parpour-worker"
BASIC = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What every authenticated user may ask, about itself."""


def allowed(release: Release, user: str, namespace: str) -> set[tuple[str, str]]:
    """(resource, verb) pairs that a user may use in a namespace, without what everybody may."""
    table = release.kubectl(
        "auth", "can-i", "--list", "--as", user, "--as-group", "system:serviceaccounts", "--namespace", namespace
    )
    pairs = set()
    for line in table.splitlines()[1:]:
        resource, verbs = line.split()[0], re.findall(r"\[([^\]]*)\]", line)[-1]
        if resource.startswith("[") or resource.split(".")[0] in BASIC:
            continue
        pairs |= {(resource, verb) for verb in verbs.split()}
    return pairs


def table(*scopes: str) -> set[tuple[str, str]]:
    """The same from the operator's table of permissions."""
    return {
        (full(resource, one.group), verb)
        for one in PERMISSIONS
        if one.scope in scopes
        for resource in one.resources
        for verb in one.verbs
    }


def full(resource: str, group: str) -> str:
    """How kubectl writes a subresource: simulations.parpour.dev/status."""
    name, _, sub = resource.partition("/")
    return (f"{name}.{group}" if group else name) + (f"/{sub}" if sub else "")


def test_the_operator_may_do_what_its_table_says_and_nothing_else(release: Release) -> None:
    assert allowed(release, OPERATOR, SIMULATIONS) == table("simulations", "cluster")
    assert allowed(release, OPERATOR, NAMESPACE) == table("simulations", "cluster", "own")


def test_workers_may_do_nothing(release: Release) -> None:
    assert allowed(release, WORKER, SIMULATIONS) == set()


def test_helm_test_passes(release: Release) -> None:
    text = release.cluster.helm("test", RELEASE, "--namespace", NAMESPACE, "--logs")
    for part in ("operator", "bus", "store"):
        assert f"ok    {part}" in text


@pytest.mark.parametrize("values", ["defaults", "external", "treasury", "treasury-external"])
def test_the_api_server_accepts_every_rendered_object(release: Release, values: str) -> None:
    rendered = release.cluster.helm(
        *("template", "other", CHART, "--namespace", NAMESPACE),
        *("--set", "crds.install=false,metrics.serviceMonitor.enabled=false"),
        *("--values", str(ROOT / "tests" / "chart" / "values" / f"{values}.yaml")),
    )
    namespaces = ["team-a", "team-b"] if values == "external" else []
    for name in namespaces:
        release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        release.kubectl(
            "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "--filename", "-",
            stdin=rendered,
        )  # fmt: skip
    finally:
        for name in namespaces:
            release.kubectl("delete", "namespace", name, "--wait=false")


def test_an_upgrade_changes_no_password(release: Release) -> None:
    before = {name: release.get("secret", name) for name in ("parpour-bus", "parpour-store")}
    again = install(release.cluster)
    for name, secret in before.items():
        assert secret is not None
        assert (again.get("secret", name) or {}).get("data") == secret["data"]


def test_workers_reach_the_bus_and_the_store_and_nothing_else(release: Release) -> None:
    script = (
        "import socket,sys\n"
        "def reach(host, port):\n"
        "    try:\n"
        "        socket.create_connection((host, port), 3).close(); return True\n"
        "    except OSError:\n"
        "        return False\n"
        "import json; print(json.dumps([reach(h, int(p)) for h, p in (a.rsplit(':', 1) for a in sys.argv[1:])]))"
    )
    bus, store = f"parpour-nats.{NAMESPACE}.svc:4222", f"parpour-s3.{NAMESPACE}.svc:7070"
    closed = (f"parpour-operator.{NAMESPACE}.svc:8080", "kubernetes.default.svc:443")
    command = ["python", "-c", script, bus, store, *closed]
    assert json.loads(release.run_once("reach", command=command, secret="parpour-store")) == [True, True, False, False]


def test_uninstalling_keeps_the_crd_simulations_and_results_and_installing_again_finds_them(release: Release) -> None:
    one = draft("survivor", members=1, shards=1)
    release.apply(one.manifest())
    digest = complete(release, one)["digest"]
    release.cluster.helm("uninstall", RELEASE, "--namespace", NAMESPACE, "--wait")
    try:
        servers = "app.kubernetes.io/component in (operator, nats, store)"
        until(
            lambda: not release.list_of("pods", selector=servers, namespace=NAMESPACE) or None,
            what="the release's pods to be gone",
        )
        kept = release.get("simulation", one.name)
        assert kept is not None
        assert kept["status"]["result"]["digest"] == digest
        assert release.get("pvc", "data-parpour-s3-0", namespace=NAMESPACE) is not None
    finally:
        again = install(release.cluster)
    later = draft("after-reinstall", members=1, shards=1)
    again.apply(later.manifest())
    assert complete(again, later)["digest"] == digest
