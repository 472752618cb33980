"""One release of the chart in the test cluster, installed once and shared by every test that needs a whole product."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.deadlines import until
from parpour_devcluster.testing import RunningCluster

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "parpour-system"
RELEASE = "parpour"
SIMULATIONS = "simulations-test"
"""Namespace in which the tests' Simulations run."""
COUNTED = "simulations-counted"
"""Namespace of a Simulation whose writes are counted: nothing else may cause any there."""

Object = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """An installed release, and the few questions that tests ask of the cluster that it stands in."""

    cluster: RunningCluster
    values: Path
    """Values file that names the images."""
    said: str = ""
    """What the installation printed, what Helm shows of hooks included."""

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """As a user would; raises AssertionError with what kubectl said if it fails."""
        return self.cluster.kubectl(*arguments, stdin=stdin)

    def get(self, kind: str, name: str, *, namespace: str = SIMULATIONS) -> Object | None:
        """One object, or None if there is none."""
        text = self.kubectl("get", kind, name, "--namespace", namespace, "--ignore-not-found", "--output", "json")
        return json.loads(text) if text.strip() else None

    def list_of(self, kind: str, *, selector: str = "", namespace: str = SIMULATIONS) -> list[Object]:
        """The objects of a kind that a label selector names."""
        text = self.kubectl("get", kind, "--namespace", namespace, "--selector", selector, "--output", "json")
        items: list[Object] = json.loads(text)["items"]
        return items

    def apply(self, *objects: Object) -> None:
        """Apply objects in one go."""
        self.kubectl(
            "apply", "--filename", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        )

    def refused(self, *objects: Object) -> str:
        """What the API server says when it refuses these objects.

        Raises:
            AssertionError: if it takes them.
        """
        try:
            self.apply(*objects)
        except AssertionError as error:
            return str(error)
        raise AssertionError("the API server took what it should refuse")

    def events_of(self, name: str, *, namespace: str = SIMULATIONS) -> list[str]:
        """Reasons of the events about a Simulation, oldest first."""
        text = self.kubectl(
            *("get", "events", "--namespace", namespace, "--sort-by", ".metadata.creationTimestamp"),
            *("--field-selector", f"involvedObject.kind=Simulation,involvedObject.name={name}", "--output", "json"),
        )
        return [event["reason"] for event in json.loads(text)["items"]]

    @property
    def worker_image(self) -> str:
        """The worker image that this release runs."""
        return self.image("worker")

    def image(self, name: str) -> str:
        """An image that this release may run, by its name in the values."""
        images = json.loads(self.values.read_text())["images"]
        return f"{images['registry']}/{images[name]['repository']}:{images[name]['tag']}"

    def run_once(self, name: str, *, command: Sequence[str], secret: str, seconds: int = 60) -> str:
        """Run one command in the worker image as a worker pod would, with a Secret as its environment.

        Returns:
            What it printed.

        Raises:
            AssertionError: if it fails.
        """
        container = {
            "name": "once",
            "image": self.worker_image,
            "command": list(command),
            "envFrom": [{"secretRef": {"name": secret}}],
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": SIMULATIONS, "labels": {"app.kubernetes.io/name": "civlab-worker"}},
            "spec": {"restartPolicy": "Never", "serviceAccountName": "parpour-worker", "containers": [container]},
        }
        self.apply(pod)
        try:
            self.kubectl(
                *("wait", f"pod/{name}", "--namespace", SIMULATIONS, f"--timeout={seconds}s"),
                "--for=jsonpath={.status.phase}=Succeeded",
            )
            return self.kubectl("logs", name, "--namespace", SIMULATIONS)
        finally:
            self.kubectl("delete", "pod", name, "--namespace", SIMULATIONS, "--grace-period=0", "--force")

    def audit(self, *, since: int) -> Iterable[Object]:
        """The API server's audit entries from a byte offset on."""
        with self.cluster.audit_log.open("rb") as log:
            log.seek(since)
            for line in log:
                yield json.loads(line)

    def audit_position(self) -> int:
        """Where the audit log ends now."""
        return self.cluster.audit_log.stat().st_size

    def wait_rolled_out(self, workload: str, *, seconds: int = 90) -> None:
        """Wait until a workload of the release is as it should be."""
        self.kubectl("rollout", "status", workload, "--namespace", NAMESPACE, f"--timeout={seconds}s")


def install(
    cluster: RunningCluster, *, settings: Iterable[str] = (), clear: bool = False, treasury: bool = False
) -> Release:
    """Build and push what is missing, and install or upgrade the release.

    `clear` deletes the Simulations that an earlier session left behind; `treasury` installs the treasury as well.
    """
    known = "simulations.parpour.dev" in cluster.kubectl("get", "crd", "--output", "name")
    for name in (SIMULATIONS, COUNTED):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        cluster.kubectl("apply", "--filename", "-", stdin=json.dumps(namespace))
        if clear and known:
            cluster.kubectl("delete", "simulations", "--all", "--namespace", name, "--timeout=120s")
    pairs = [f'simulationNamespaces=["default","{SIMULATIONS}","{COUNTED}"]', *settings]
    command = [sys.executable, "tools/install.py", "--cluster", cluster.name, "--release", RELEASE]
    command += ["--namespace", NAMESPACE, *(argument for pair in pairs for argument in ("--set", pair))]
    command += ["--treasury"] if treasury else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Release(cluster, Path(json.loads(done.stdout.splitlines()[-1])["values"]), done.stderr)


def gone(release: Release, kind: str, name: str, *, namespace: str = SIMULATIONS, seconds: float = 60) -> None:
    """Wait until an object does not exist any more."""
    until(
        lambda: release.get(kind, name, namespace=namespace) is None or None,
        what=f"{kind} {name} to be gone",
        seconds=seconds,
    )
