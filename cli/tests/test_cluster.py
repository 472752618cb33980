"""The command line against a real API server: what it prints, what it waits for, what it finds missing."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from parpour_cli.cluster import Cluster, Target
from parpour_cli.forwarding import forwarded
from parpour_contracts.crd import simulation_crd, to_yaml
from parpour_devcluster.testing import RunningCluster

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
        """Create a Simulation and give it its status, as an operator would."""
        document["metadata"] = {"name": document["metadata"]["name"], "namespace": self.name}
        status = document.pop("status")
        self.kubectl("apply", "-f", "-", stdin=json.dumps(document))
        self.patch(document["metadata"]["name"], **status)

    def patch(self, simulation: str, **status: Any) -> None:
        """Change a Simulation's status."""
        change = json.dumps({"status": status})
        self.kubectl("patch", "simulation", simulation, "--subresource=status", "--type=merge", "-p", change)


@pytest.fixture
def space(cluster: RunningCluster) -> Iterator[Space]:
    """An empty namespace in a cluster that knows Simulations."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=to_yaml(simulation_crd()))
    cluster.kubectl("wait", "--for=condition=Established", "crd/simulations.parpour.dev", "--timeout=60s")
    name = f"cli-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield Space(cluster, name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")


def test_list_and_describe_show_what_kubectl_applied(space: Space, simulation, condition) -> None:
    accepted = condition("Accepted", "True", "Accepted", "4 shards")
    space.simulate(simulation("epidemic", progress={"summary": "25 %"}, conditions=[accepted]))
    (row,) = json.loads(space.parpour("sim", "list", "--json").stdout)
    assert (row["name"], row["progress"], row["state"]) == ("epidemic", "25 %", "Running")
    assert space.name in space.parpour("sim", "list", "-A").stdout
    text = space.parpour("sim", "describe", "epidemic").stdout
    assert "4 shards" in text
    document = json.loads(space.parpour("sim", "describe", "epidemic", "--json").stdout)
    assert document["simulation"]["metadata"]["name"] == "epidemic"


def test_the_kubectl_plugin_is_the_same_command(space: Space, simulation) -> None:
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


def test_a_shell_completes_names(space: Space, simulation) -> None:
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


def watched(space: Space, change: Callable[[], None]) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """What `sim watch` prints while `change` happens after its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", "parpour_cli.main", "sim", "watch", "epidemic", "--json", "-n", space.name],
        env=space.cluster.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(DEADLINE_SECONDS, process.kill)
    killer.start()
    try:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline())]
        change()
        rest, errors = process.communicate()
        lines += [json.loads(line) for line in rest.splitlines() if line.startswith('{"namespace"')]
    finally:
        killer.cancel()
    return subprocess.CompletedProcess([], process.returncode, rest, errors), lines


def test_watch_ends_with_0_when_the_run_is_complete(space: Space, simulation, result) -> None:
    space.simulate(simulation("epidemic", progress={"summary": "25 %", "ticksDone": 400, "ticksTotal": 1600}))
    done, lines = watched(space, lambda: space.patch("epidemic", state="Complete", result=result))
    assert done.returncode == 0, done.stderr
    assert (lines[0]["state"], lines[0]["percent"]) == ("Running", 25)
    assert (lines[-1]["state"], lines[-1]["percent"], lines[-1]["digest"]) == ("Complete", 100, "ab" * 32)


def test_watch_ends_with_1_and_the_reason_when_the_run_failed(space: Space, simulation, condition) -> None:
    space.simulate(simulation("epidemic"))
    failed = condition("Failed", "True", "RetriesExhausted", "shard 2 failed 4 times")
    done, lines = watched(space, lambda: space.patch("epidemic", state="Failed", conditions=[failed]))
    assert done.returncode == 1
    assert "shard 2 failed 4 times" in done.stderr
    assert lines[-1]["state"] == "Failed"


def test_watch_ends_with_1_when_the_simulation_is_deleted(space: Space, simulation) -> None:
    space.simulate(simulation("epidemic"))
    done, _ = watched(space, lambda: space.kubectl("delete", "simulation", "epidemic"))
    assert done.returncode == 1
    assert "[SIMULATION_GONE]" in done.stderr


def test_results_are_shown_even_when_the_store_may_not_be_read(space: Space, simulation, result) -> None:
    space.simulate(simulation("epidemic", state="Complete", result=result))
    answer = space.parpour("sim", "results", "epidemic")
    assert "0.7912" in answer.stdout
    assert "STORE_CREDENTIALS_MISSING" in answer.stderr
    refused = space.parpour("sim", "results", "epidemic", "--report", "/nowhere/report.html", check=1)
    assert "[STORE_CREDENTIALS_MISSING]" in refused.stderr


def test_results_of_a_run_that_still_goes_on_are_refused(space: Space, simulation) -> None:
    space.simulate(simulation("epidemic", progress={"summary": "25 %"}))
    answer = space.parpour("sim", "results", "epidemic", check=1)
    assert "[RESULT_NOT_YET]" in answer.stderr
    assert "sim watch epidemic" in answer.stderr


def test_doctor_names_what_a_bare_namespace_lacks(space: Space) -> None:
    answer = space.parpour("doctor", "--json", check=1)
    findings = {finding["check"]: finding for finding in json.loads(answer.stdout)}
    assert findings["api server"]["outcome"] == "ok"
    assert findings["custom resource"]["outcome"] == "ok", findings["custom resource"]
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
