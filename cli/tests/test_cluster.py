"""The command line against a real API server, with or without an operator: what does not depend on one."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parpour_cli.cluster import Cluster, Target
from parpour_cli.forwarding import forwarded
from parpour_contracts.crd import simulation_crd, to_yaml
from parpour_devcluster.testing import RunningCluster

from .conftest import Build

pytestmark = pytest.mark.cluster

DEADLINE_SECONDS = 90
PODS = """
apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: {app: web}
spec:
  containers:
    - name: web
      image: IMAGE
      command: [sh, -c]
      args: ["mkdir /tmp/web && cd /tmp/web && head -c 3000000 /dev/zero > zeros && python3 -m http.server 8000"]
      ports: [{containerPort: 8000, name: http}]
      readinessProbe: {tcpSocket: {port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: http}]
"""


@dataclass(frozen=True)
class Space:
    """A namespace of its own for one test."""

    cluster: RunningCluster
    name: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.name, *arguments, stdin=stdin)

    def parpour(self, *arguments: str, check: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run the command line in this namespace."""
        answer = subprocess.run(
            [sys.executable, "-m", "parpour_cli.main", *arguments, "-n", self.name],
            env=self.cluster.environment(),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        assert check is None or answer.returncode == check, answer.stdout + answer.stderr
        return answer

    def simulate(self, document: dict[str, Any]) -> None:
        """Create a Simulation; whatever its status says, an operator may change it."""
        document["metadata"] = {"name": document["metadata"]["name"], "namespace": self.name}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(document))


@pytest.fixture
def space(cluster: RunningCluster) -> Iterator[Space]:
    """An empty namespace in a cluster that knows Simulations."""
    if not cluster.kubectl("get", "crd", "simulations.parpour.dev", "--ignore-not-found"):
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=to_yaml(simulation_crd()))
    cluster.kubectl("wait", "--for=condition=Established", "crd/simulations.parpour.dev", "--timeout=60s")
    name = f"cli-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield Space(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_the_kubectl_plugin_is_the_same_command(space: Space, simulation: Build) -> None:
    space.simulate(simulation("epidemic"))
    program = Path(sys.executable).parent / "kubectl-parpour"
    answer = subprocess.run(
        [program, "sim", "list", "-n", space.name],
        env=space.cluster.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "epidemic" in answer.stdout


def test_a_shell_completes_names(space: Space, simulation: Build) -> None:
    space.simulate(simulation("epidemic"))
    space.simulate(simulation("other"))
    line = f"parpour sim describe -n {space.name} ep"
    answer = subprocess.run(
        [Path(sys.executable).parent / "parpour"],
        env={
            **space.cluster.environment(),
            "_PARPOUR_COMPLETE": "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == ["plain,epidemic"]


def test_a_simulation_that_is_not_there_is_named(space: Space) -> None:
    answer = space.parpour("sim", "describe", "nothing", "--json", check=1)
    assert json.loads(answer.stdout)["error"]["code"] == "SIMULATION_NOT_FOUND"


def test_doctor_names_what_a_bare_namespace_lacks(space: Space) -> None:
    answer = space.parpour("doctor", "--json", check=1)
    findings = {finding["check"]: finding for finding in json.loads(answer.stdout)}
    assert findings["api server"]["outcome"] == "ok"
    assert "Simulation v1alpha1" in findings["custom resource"]["detail"] or findings["custom resource"]["remedy"]
    assert findings["store Secret"]["outcome"] == "fail"
    assert space.name in findings["store Secret"]["remedy"]
    assert findings["your rights"]["outcome"] == "ok"


def test_logs_and_forwards_reach_a_pod(space: Space, base_image: str) -> None:
    image = space.cluster.load_image(base_image)
    space.kubectl("apply", "-f", "-", stdin=PODS.replace("IMAGE", image))
    space.kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=60s")
    api = Cluster.connect(Target(kubeconfig=space.cluster.kubeconfig, namespace=space.name))
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not api.items(f"/apis/discovery.k8s.io/v1/namespaces/{space.name}/endpointslices")[0].get("endpoints"):
        assert time.monotonic() < deadline, "the service has no endpoint"
        time.sleep(0.1)
    with forwarded(api, namespace=space.name, service="web", port=80) as port:
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/zeros") as answer:
                assert answer.read() == bytes(3_000_000)
    lines = list(api.lines(f"/api/v1/namespaces/{space.name}/pods/web/log"))
    assert sum("GET /zeros" in line for line in lines) == 3
