"""What `doctor` concludes from what it saw."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import kubernetes
import pytest

from parpour_cli import __version__
from parpour_cli.cluster import Cluster
from parpour_cli.doctor import CHECKS, failed, judge, report
from parpour_cli.doctor.checks import Finding, Outcome
from parpour_cli.doctor.observing import RIGHTS, Answer, Observation, Treasury
from parpour_cli.faults import CliError
from parpour_contracts.crd import simulation_crd

from .conftest import Draw

pytestmark = pytest.mark.unit

FORBIDDEN: Answer[Any] = Answer(None, "API_FORBIDDEN", "not yours")
MISSING: Answer[Any] = Answer(None, "API_NOT_FOUND", "not found")


def crd() -> dict[str, Any]:
    return {**simulation_crd(), "status": {"conditions": [{"type": "Established", "status": "True"}]}}


def operator(*, ready: int = 1, version: str = __version__, watched: str = "") -> dict[str, Any]:
    env = [{"name": "PARPOUR_WATCH_NAMESPACES", "value": watched}] if watched else []
    return {
        "metadata": {
            "name": "parpour-operator",
            "namespace": "parpour-system",
            "labels": {"app.kubernetes.io/version": version},
        },
        "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": "operator:1", "env": env}]}}},
        "status": {"readyReplicas": ready},
    }


def policy(*, egress: list[Any], labels: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "metadata": {"name": "workers"},
        "spec": {"podSelector": {"matchLabels": labels or {}}, "policyTypes": ["Egress"], "egress": egress},
    }


def workload(name: str, *, ready: int = 1) -> dict[str, Any]:
    return {"metadata": {"name": f"parpour-{name}", "namespace": "p"}, "status": {"readyReplicas": ready}}


def treasury(**change: Any) -> Answer[Treasury]:
    """A treasury that lacks nothing but for what is changed."""
    parts = tuple(workload(name) for name in ("sealer", "internal", "api"))
    whole = Treasury(workloads=parts, ready=Answer("{}"), behind_seconds=Answer(1.0), locked_tenants=Answer(0.0))
    return Answer(replace(whole, **change))


UNREACHED: Answer[Any] = Answer(None, "API_ERROR", "error trying to reach service: dial tcp 10.0.0.1:8080: i/o timeout")


@pytest.fixture
def healthy(now: datetime) -> Observation:
    """A cluster that lacks nothing."""
    return Observation(
        now=now,
        namespace="default",
        server=Answer({"gitVersion": "v1.35.4"}),
        crd=Answer(crd()),
        group=Answer({}),
        operators=Answer([operator()]),
        servers=Answer([{"metadata": {"name": "parpour-nats", "namespace": "p"}, "status": {"readyReplicas": 1}}]),
        treasury=treasury(),
        lease=Answer(
            {
                "spec": {
                    "holderIdentity": "operator-1",
                    "renewTime": "2026-03-01T11:59:55.000000Z",
                    "leaseDurationSeconds": 15,
                }
            }
        ),
        namespace_object=Answer({"metadata": {"name": "default"}}),
        service_account=Answer({"metadata": {"name": "parpour-worker"}}),
        store_keys=Answer(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
        bus_keys=Answer(("password", "url", "user")),
        storage_classes=Answer(
            [
                {
                    "metadata": {
                        "name": "local-path",
                        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
                    }
                }
            ]
        ),
        nodes=Answer(
            [{"status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"nvidia.com/gpu": "2"}}}]
        ),
        policies=Answer([policy(egress=[{}], labels={"app.kubernetes.io/name": "civlab-worker"})]),
        rights={(verb, resource): Answer(True) for verb, _, resource, _, _ in RIGHTS},
    )


def finding(observed: Observation, check: str) -> Finding:
    return next(found for found in judge(observed) if found.check == check)


def test_a_healthy_cluster_has_only_good_findings(healthy: Observation) -> None:
    findings = judge(healthy)
    assert [found.outcome for found in findings] == [Outcome.OK] * len(CHECKS)
    assert not failed(findings)


@pytest.mark.parametrize(
    ("change", "check", "outcome", "detail"),
    [
        ({"server": Answer({"gitVersion": "v1.29.3"})}, "api server", "fail", "too old"),
        ({"crd": MISSING, "group": MISSING}, "custom resource", "fail", "does not know"),
        ({"crd": FORBIDDEN}, "custom resource", "ok", "served"),
        ({"crd": Answer({**simulation_crd(), "status": {}})}, "custom resource", "fail", "not established"),
        ({"operators": Answer([])}, "operator", "fail", "not installed"),
        ({"operators": Answer([operator(ready=0)])}, "operator", "fail", "no ready pod"),
        ({"operators": Answer([operator(version="9.9")])}, "operator", "warn", "9.9"),
        ({"operators": FORBIDDEN}, "operator", "warn", "may not be seen"),
        ({"operators": Answer([operator(watched="a, b")])}, "namespace", "fail", "serves a, b"),
        ({"lease": MISSING}, "leader", "fail", "no operator has taken"),
        ({"lease": Answer({"spec": {"holderIdentity": ""}})}, "leader", "fail", "run out"),
        ({"namespace_object": MISSING}, "namespace", "fail", "does not exist"),
        ({"service_account": MISSING}, "workers' service account", "fail", "missing"),
        ({"store_keys": MISSING}, "store Secret", "fail", "missing"),
        ({"store_keys": Answer(("user",))}, "store Secret", "fail", "no store's variables"),
        ({"store_keys": FORBIDDEN}, "store Secret", "warn", "may not be read"),
        ({"bus_keys": MISSING}, "bus Secret", "warn", "no live progress"),
        ({"storage_classes": Answer([])}, "storage class", "warn", "no default"),
        ({"nodes": Answer([])}, "nodes", "fail", "no node is ready"),
        ({"policies": Answer([])}, "network policies", "warn", "may reach anything"),
        ({"policies": Answer([policy(egress=[])])}, "network policies", "fail", "not even the store"),
        ({"treasury": FORBIDDEN}, "treasury", "warn", "may not be seen"),
        (
            {"treasury": treasury(workloads=(workload("api"), workload("internal", ready=0)))},
            "treasury",
            "fail",
            "not ready: parpour-internal",
        ),
        (
            {"treasury": treasury(ready=Answer(None, "API_ERROR", "API_SCHEMA_MISSING: treasury 0004 and later"))},
            "treasury's database",
            "fail",
            "API_SCHEMA_MISSING: treasury 0004",
        ),
        ({"treasury": treasury(ready=UNREACHED)}, "treasury's database", "warn", "cannot be asked"),
        ({"treasury": treasury(ready=FORBIDDEN)}, "treasury's database", "warn", "cannot be asked"),
        ({"treasury": treasury(behind_seconds=Answer(300.0))}, "sealed events", "warn", "300 s"),
        ({"treasury": treasury(behind_seconds=FORBIDDEN)}, "sealed events", "warn", "cannot be asked"),
        ({"treasury": treasury(locked_tenants=Answer(2.0))}, "payments", "warn", "locked for 2"),
        ({"treasury": treasury(locked_tenants=UNREACHED)}, "payments", "warn", "cannot be asked"),
    ],
)
def test_what_is_missing_is_found_and_has_a_remedy(
    healthy: Observation, change: dict[str, Any], check: str, outcome: str, detail: str
) -> None:
    found = finding(replace(healthy, **change), check)
    assert found.outcome == outcome
    assert detail in found.detail
    assert found.remedy or found.outcome is not Outcome.FAIL


def test_a_treasury_that_is_not_installed_is_not_spoken_of(healthy: Observation) -> None:
    findings = judge(replace(healthy, treasury=Answer(None)))
    assert not {"treasury", "treasury's database", "sealed events", "payments"} & {one.check for one in findings}
    assert not failed(findings)


def test_a_lease_that_was_not_renewed_has_run_out(healthy: Observation, now: datetime) -> None:
    old = {"holderIdentity": "operator-1", "renewTime": "2026-03-01T11:59:30Z", "leaseDurationSeconds": 15}
    assert finding(replace(healthy, lease=Answer({"spec": old})), "leader").outcome is Outcome.FAIL


def test_a_schema_of_another_release_is_a_warning(healthy: Observation) -> None:
    other = copy.deepcopy(crd())
    other["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = "older"
    assert finding(replace(healthy, crd=Answer(other)), "custom resource").outcome is Outcome.WARN


def test_a_right_that_only_views_need_is_a_warning(healthy: Observation) -> None:
    some = {**healthy.rights, ("get", "pods/log"): Answer(False)}
    assert finding(replace(healthy, rights=some), "your rights").outcome is Outcome.WARN
    none = {**healthy.rights, ("create", "simulations"): Answer(False)}
    assert finding(replace(healthy, rights=none), "your rights").outcome is Outcome.FAIL


def test_the_report_shows_remedies_and_counts(healthy: Observation, draw: Draw) -> None:
    text = draw(report(judge(replace(healthy, operators=Answer([])))))
    assert "→ helm upgrade --install parpour" in text
    assert text.strip().endswith("16 ok, 0 warnings, 1 failures")


class Problem(BaseHTTPRequestHandler):
    """A service behind the API server that cannot serve."""

    def do_GET(self) -> None:
        body = json.dumps({"code": "API_SCHEMA_MISSING", "detail": "treasury 0004 and later are not applied"}).encode()
        self.send_response(503)
        self.send_header("content-type", "application/problem+json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_services_problem_is_told_with_its_code() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Problem) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        configuration = kubernetes.client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
        configuration.retries = 0
        cluster = Cluster(kubernetes.client.ApiClient(configuration), namespace="default")
        with pytest.raises(CliError, match="API_SCHEMA_MISSING: treasury 0004 and later are") as told:
            list(cluster.lines("/api/v1/namespaces/p/services/parpour-api:http/proxy/readyz"))
        server.shutdown()
    assert (told.value.code, told.value.message.split(":")[0]) == ("API_ERROR", "API_SCHEMA_MISSING")
