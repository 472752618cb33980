"""The operator's figures on the dev cluster: latency, API writes in a life, memory, and time to get ready.

The release is installed from the chart as a user would, so what is measured is the pod of the image; only the start is
measured on a process of this machine, since a pod's own times have whole seconds.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from kubernetes import client, config, watch
from urllib3.exceptions import ProtocolError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from bench.measure import Figure, figure, report  # noqa: E402
from harness import release as releases  # noqa: E402
from harness.release import NAMESPACE, SIMULATIONS, Release  # noqa: E402
from harness.simulations import complete, draft  # noqa: E402
from parpour_devcluster.layout import find_layout, state_root  # noqa: E402
from parpour_devcluster.lifecycle import down, load_record, up  # noqa: E402
from parpour_devcluster.testing import RunningCluster  # noqa: E402
from parpour_operator.testing.processes import OperatorProcess  # noqa: E402

GROUP, VERSION, PLURAL = "parpour.dev", "v1alpha1", "simulations"
OPERATOR_USER = f"system:serviceaccount:{NAMESPACE}:parpour-operator"
DEPLOYMENT = "deployment/parpour-operator"
FINISHED = 1000
MEBI = 2**20
WRITES = frozenset({"create", "update", "patch", "delete"})


@contextmanager
def running_cluster(name: str) -> Iterator[RunningCluster]:
    """The named cluster; it is taken down again if it was not up."""
    before = find_layout(name, root=state_root())
    was_up = before is not None and load_record(before) is not None
    layout, _ = up(name, report=lambda line: print(line, file=sys.stderr))
    yield RunningCluster(layout)
    if not was_up:
        down(name, report=lambda line: print(line, file=sys.stderr))


@contextmanager
def room(release: Release) -> Iterator[str]:
    """A namespace for one measurement."""
    name = f"bench-{uuid.uuid4().hex[:6]}"
    release.kubectl("create", "namespace", name)
    yield name
    release.kubectl("delete", "namespace", name, "--wait=false")


def latencies(release: Release, namespace: str, *, count: int) -> list[float]:
    """Seconds from applying a Simulation until a watch shows its Job, one after another."""
    seen: dict[str, float] = {}
    changed = threading.Condition()
    jobs: Any = client.BatchV1Api()
    listed = jobs.list_namespaced_job(namespace).metadata.resource_version
    new_watch: Any = watch.Watch
    watcher = new_watch()

    def follow() -> None:
        with suppress(ProtocolError):  # the stream ends in the middle of a chunk when the cluster goes
            for event in watcher.stream(jobs.list_namespaced_job, namespace, resource_version=listed):
                with changed:
                    seen.setdefault(event["object"].metadata.name, time.monotonic())
                    changed.notify_all()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    api = client.CustomObjectsApi()
    found = []
    for index in range(count):
        one = draft(f"latency-{index}", suspend=True)
        body = {**one.manifest(), "metadata": {"name": one.name, "namespace": namespace}}
        began = time.monotonic()
        api.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
        job = f"{one.name}-shards"
        with changed:
            if not changed.wait_for(partial(seen.__contains__, job), timeout=60):
                raise TimeoutError(f"no Job {job} within a minute")
        found.append(seen[job] - began)
    watcher.stop()
    return found


def writes_of_a_life(release: Release) -> tuple[list[float], list[float]]:
    """API writes of the operator from a Simulation's creation to its end, without and of the progress beat."""
    one = draft(f"life-{uuid.uuid4().hex[:6]}")
    since = release.audit_position()
    release.apply(one.manifest())
    complete(release, one)
    time.sleep(2)  # the last Event follows the status
    kinds: Counter[str] = Counter()
    for entry in release.audit(since=since):
        about = entry.get("objectRef", {})
        if entry["user"]["username"] == OPERATOR_USER and entry["verb"] in WRITES and about["resource"] != "leases":
            beat = "fieldManager=parpour-progress" in entry.get("requestURI", "")
            kinds["beat" if beat else "write"] += 1
    release.kubectl("delete", "simulation", one.name, "--namespace", SIMULATIONS)
    return [float(kinds["write"])], [float(kinds["beat"])]


def resident_bytes(release: Release) -> float:
    """Resident memory of the operator's pod, as its metrics tell it (asked through the API server)."""
    names = release.kubectl("get", "pods", "--namespace", NAMESPACE, "--output", "name").split()
    largest = 0.0
    for name in names:
        if name.startswith("pod/parpour-operator-"):
            path = f"/api/v1/namespaces/{NAMESPACE}/pods/{name.removeprefix('pod/')}:9090/proxy/metrics"
            match = re.search(
                r"^process_resident_memory_bytes (\S+)", release.kubectl("get", "--raw", path), re.MULTILINE
            )
            largest = max(largest, float(match[1]) if match else 0.0)
    return largest


def finished_status() -> dict[str, Any]:
    """The status of a run that is over, as large as a real one."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    metric = {"mean": "0.785528", "low": "0.78292", "high": "0.7876", "unit": "share"}
    condition = {"lastTransitionTime": now, "observedGeneration": 1, "message": "as observed"}
    return {
        "observedGeneration": 1,
        "state": "Complete",
        "startTime": now,
        "completionTime": now,
        "conditions": [
            {"type": "Accepted", "status": "True", "reason": "Accepted", **condition},
            {"type": "Complete", "status": "True", "reason": "ResultsVerified", **condition},
            {"type": "Running", "status": "False", "reason": "Complete", **condition},
        ],
        "result": {
            "digest": "0" * 64,
            "store": "s3://results/somewhere",
            "members": 8,
            "metrics": [{"name": f"metric_{index}", **metric} for index in range(8)],
        },
    }


def memory_with_finished(release: Release, namespace: str) -> list[float]:
    """Resident MiB after a start among 1,000 finished Simulations."""
    scale = ("scale", DEPLOYMENT, "--namespace", NAMESPACE)
    release.kubectl(*scale, "--replicas=0")
    api = client.CustomObjectsApi()
    status = finished_status()
    for index in range(FINISHED):
        one = draft(f"finished-{index}")
        body = {**one.manifest(), "metadata": {"name": one.name, "namespace": namespace}}
        api.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, body)
        api.patch_namespaced_custom_object_status(GROUP, VERSION, namespace, PLURAL, one.name, {"status": status})
    release.kubectl(*scale, "--replicas=1")
    release.wait_rolled_out(DEPLOYMENT)
    found = []
    for _ in range(3):
        time.sleep(10)
        found.append(resident_bytes(release) / MEBI)
    return found


def starts(release: Release, namespace: str, *, count: int) -> list[float]:
    """Seconds from starting the process until /readyz says yes."""
    found = []
    for index in range(count):
        with tempfile.TemporaryDirectory() as folder:
            operator = OperatorProcess(
                kubeconfig=release.cluster.kubeconfig,
                environment={
                    "PARPOUR_IDENTITY": f"bench-{index}",
                    "PARPOUR_NAMESPACE": namespace,
                    "PARPOUR_WATCH_NAMESPACES": namespace,
                    "PARPOUR_WORKER_IMAGE": "none",
                },
                log=Path(folder) / "log",
            )
            began = time.monotonic()
            operator.start().wait_ready()
            found.append(time.monotonic() - began)
            operator.stop()
    return found


def figures(release: Release, *, count: int) -> list[Figure]:
    """All figures, with the goals they are held against."""
    kubernetes_config: Any = config
    kubernetes_config.load_kube_config(str(release.cluster.kubeconfig))
    with room(release) as namespace:
        ready = starts(release, namespace, count=5)
    with room(release) as namespace:
        applied = latencies(release, namespace, count=count)
    writes, beats = writes_of_a_life(release)
    with room(release) as namespace:
        memory = memory_with_finished(release, namespace)
    return [
        figure("applied → Job exists", "s", applied, at_most=1.0),
        figure("API writes in a Simulation's life, Events counted", "writes", writes, at_most=10),
        figure("  beside them, progress beats", "writes", beats),
        figure(f"resident memory with {FINISHED:,} finished Simulations", "MiB", memory, at_most=120),
        figure("start → ready", "s", ready, at_most=5.0),
    ]


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--count", type=int, default=50, help="Simulations for the latency (default 50)")
    parser.add_argument("--cluster", default=os.environ.get("PARPOUR_TEST_CLUSTER", "parpour-test"))
    arguments = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    with running_cluster(arguments.cluster) as cluster:
        release = releases.install(cluster)
        found = figures(release, count=arguments.count)
    report("Operator", found, as_json=arguments.json, load_before=load)


if __name__ == "__main__":
    main()
