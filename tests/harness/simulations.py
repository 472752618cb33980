"""Simulations as tests write them, and the facts that tests ask of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.deadlines import until
from harness.release import SIMULATIONS, Object, Release

CIVLAB = str(Path(sys.executable).with_name("civlab"))
SMALL = """\
apiVersion: civlab/v1
model: epidemic
title: A village
ticks: 40
population: {size: 2000}
disease: {r0: 2.5}
introductions:
  - {tick: 0, count: 5}
"""
"""A scenario that a worker finishes in well under a second."""

LARGER = SMALL.replace("A village", "A town").replace("size: 2000", "size: 100000").replace("ticks: 40", "ticks: 120")
"""A scenario that leaves time to disturb its workers."""


@dataclass(frozen=True)
class Draft:
    """A Simulation to be applied; `with_spec` and `named` make variants of it."""

    name: str
    spec: Object
    namespace: str = SIMULATIONS

    def with_spec(self, **changes: Any) -> Draft:
        """The same with some fields of the spec replaced."""
        return replace(self, spec={**self.spec, **changes})

    def manifest(self) -> Object:
        """The object to apply."""
        return {
            "apiVersion": "parpour.dev/v1alpha1",
            "kind": "Simulation",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": self.spec,
        }


def draft(name: str, *, scenario: str = SMALL, members: int = 6, shards: int = 2, seed: int = 11, **spec: Any) -> Draft:
    """A Simulation with an inline scenario and small requests."""
    return Draft(
        name,
        {
            "scenario": {"inline": scenario},
            "seed": seed,
            "ensemble": {"members": members},
            "shards": shards,
            "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}},
            **spec,
        },
    )


def condition(simulation: Object, kind: str) -> Object:
    """One condition, or an empty object."""
    conditions = simulation.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), {})


def read(release: Release, one: Draft) -> Object:
    """The Simulation as it is now."""
    found = release.get("simulation", one.name, namespace=one.namespace)
    assert found is not None, f"there is no Simulation {one.name}"
    return found


def wait_for(release: Release, one: Draft, kind: str, *, status: str = "True", seconds: int = 120) -> Object:
    """Wait for a condition and return the Simulation; a failure shows what it has instead."""
    try:
        release.kubectl(
            *("wait", f"simulation/{one.name}", "--namespace", one.namespace),
            *(f"--for=condition={kind}={status}", f"--timeout={seconds}s"),
        )
    except AssertionError as error:
        state = json.dumps(read(release, one).get("status", {}), indent=1)
        pods = release.kubectl("get", "pods", "--namespace", one.namespace, "--output", "wide")
        raise AssertionError(
            f"{one.name} has no {kind}={status} after {seconds} s ({error}):\n{state}\n{pods}"
        ) from None
    return read(release, one)


def complete(release: Release, one: Draft, *, seconds: int = 120) -> Object:
    """Wait until it is complete; returns status.result."""
    result: Object = wait_for(release, one, "Complete", seconds=seconds)["status"]["result"]
    return result


def pods_of(release: Release, one: Draft, *, running: bool = False) -> list[Object]:
    """Its shards' pods."""
    pods = release.list_of("pods", selector=f"parpour.dev/simulation={one.name}", namespace=one.namespace)
    shards = [pod for pod in pods if "batch.kubernetes.io/job-completion-index" in pod["metadata"]["labels"]]
    if not running:
        return shards
    return [pod for pod in shards if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]]


def wait_for_ticks(release: Release, one: Draft, *, seconds: float = 90) -> Object:
    """Wait until some shard's pod has logged progress beyond a checkpoint; returns that pod."""

    def checkpointed() -> Object | None:
        for pod in pods_of(release, one, running=True):
            if "checkpoint" in logs_of(release, pod):
                return pod
        return None

    return until(checkpointed, what=f"a checkpoint of {one.name}", seconds=seconds)


def logs_of(release: Release, pod: Object) -> str:
    """What a pod has printed so far; nothing if it has not started."""
    meta = pod["metadata"]
    try:
        return release.kubectl("logs", meta["name"], "--namespace", meta["namespace"])
    except AssertionError:
        return ""


def shell_digest(one: Draft) -> str:
    """The digest that `civlab run` prints for the same run on this machine's shell."""
    digest: str = shell_run(one)["digest"]
    return digest


def shell_run(one: Draft, *, scenario: Path | None = None) -> Object:
    """What `civlab run --json` prints for the same run on this machine's shell: of a file, or of its inline text."""
    with tempfile.TemporaryDirectory() as folder:
        if scenario is None:
            key = hashlib.sha256(json.dumps(one.spec["scenario"]).encode()).hexdigest()[:8]
            scenario = Path(folder) / f"{key}.yaml"
            scenario.write_text(one.spec["scenario"]["inline"])
        command = [CIVLAB, "run", str(scenario), "--members", str(one.spec["ensemble"]["members"])]
        command += ["--seed", str(one.spec["seed"]), "--json", "--no-report", "-o", f"{folder}/out"]
        command += ["--ticks", str(one.spec["ticks"])] if "ticks" in one.spec else []
        command += [
            argument
            for path, text in one.spec.get("parameters", {}).items()
            for argument in ("--set", f"{path}={text}")
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    document: Object = json.loads(done.stdout)
    return document
