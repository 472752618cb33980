"""What the tests on a real API server share: a quiet cluster, an operator with exactly the rights of the table, a
store, a namespace a test, and the audit log."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from parpour_devcluster.binaries import ensure
from parpour_devcluster.testing import RunningCluster
from parpour_operator.permissions import PERMISSIONS, Permission
from parpour_operator.testing.lives import spec
from parpour_operator.testing.processes import OperatorProcess

ROOT = Path(__file__).resolve().parents[3]
CRDS = ("simulations.parpour.dev", "ventures.parpour.dev")
POOL = 30
STORE_KEY, STORE_PASSWORD = "operator-tests", "only-for-these-tests"

Object = dict[str, Any]


def until(holds: Callable[[], Any], *, seconds: float = 120.0, what: str = "") -> Any:
    """Wait until something holds and give it back."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what or holds}")


@dataclass(frozen=True)
class Stage:
    """A cluster on which only the operators of these tests work."""

    cluster: RunningCluster
    home: str
    """Namespace of the operators' Lease and ServiceAccount."""
    rooms: tuple[str, ...]
    """Namespaces that an operator with the stage's kubeconfig may serve."""
    kubeconfig: Path
    """Access with exactly the rights of the table."""
    user: str

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl(*arguments, stdin=stdin)

    def apply(self, *objects: Object) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--filename", "-", stdin=json.dumps(items))

    def get(self, kind: str, name: str, *, room: str) -> Object | None:
        found = self.kubectl("get", kind, name, "--namespace", room, "--ignore-not-found", "--output", "json")
        return json.loads(found) if found.strip() else None

    def writes(self, room: str, *, since: int = 0) -> list[str]:
        """The operator's writes in a namespace, from the audit log, in order: `verb resource name`."""
        found = []
        for line in self.cluster.audit_log.read_text().splitlines()[since:]:
            entry = json.loads(line)
            about = entry.get("objectRef", {})
            if entry["user"]["username"] != self.user or about.get("namespace") != room:
                continue
            if entry["responseStatus"]["code"] >= 300:
                continue  # refused, or cut off in the middle by a killed operator
            if entry["verb"] in ("create", "update", "patch", "delete") and about["resource"] != "leases":
                name = "/".join(filter(None, (about["resource"], about.get("subresource"))))
                found.append(f"{entry['verb']} {name} {entry.get('requestURI', '').rpartition('fieldManager=')[2]}")
        return found


def rules(scope: str) -> list[Object]:
    """The table's rules of one scope, as RBAC has them."""

    def rule(permission: Permission) -> Object:
        return {
            "apiGroups": [permission.group],
            "resources": list(permission.resources),
            "verbs": list(permission.verbs),
            **({"resourceNames": list(permission.names)} if permission.names else {}),
        }

    return [rule(permission) for permission in PERMISSIONS if permission.scope == scope]


def grant(user: str, home: str, room: str, scope: str) -> list[Object]:
    """One scope of the table, granted in one namespace."""
    name = f"operator-{scope}"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role"}
    subject = {"kind": "ServiceAccount", "name": user, "namespace": home}
    return [
        {**role, "metadata": {"name": name, "namespace": room}, "rules": rules(scope)},
        {
            **role,
            "kind": "RoleBinding",
            "metadata": {"name": name, "namespace": room},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [subject],
        },
    ]


def _grant_everywhere(user: str, home: str) -> list[Object]:
    group = "rbac.authorization.k8s.io"
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": home},
        "rules": [*rules("cluster"), *rules("ventures")],
    }
    return [
        role,
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": home},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": home},
            "subjects": [{"kind": "ServiceAccount", "name": user, "namespace": home}],
        },
    ]


def _room(name: str) -> list[Object]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"operator-tests": "room"}}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "parpour-worker", "namespace": name}},
    ]


def _access(cluster: RunningCluster, home: str, user: str, path: Path) -> None:
    token = cluster.kubectl("create", "token", user, "--namespace", home, "--duration", "4h").strip()
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"] = [{"name": "operator", "user": {"token": token}}]
    config["contexts"] = [
        {"name": "operator", "context": {"cluster": config["clusters"][0]["name"], "user": "operator"}}
    ]
    config["current-context"] = "operator"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))


@pytest.fixture(scope="session")
def stage(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The CRD, namespaces, and nobody else's operator."""
    deployments = "deployment", "--all-namespaces", "--selector", "app.kubernetes.io/component=operator"
    others = json.loads(cluster.kubectl("get", *deployments, "--output", "json"))["items"]
    for other in others:
        meta = other["metadata"]
        cluster.kubectl("scale", "deployment", meta["name"], "--namespace", meta["namespace"], "--replicas", "0")
        gone = ("wait", "pod", "--namespace", meta["namespace"], "--for=delete", "--timeout=60s")
        cluster.kubectl(*gone, "--selector", "app.kubernetes.io/component=operator")
    missing = [crd for crd in CRDS if not cluster.kubectl("get", "crd", crd, "--ignore-not-found").strip()]
    if missing:
        cluster.kubectl("apply", "--server-side", "--filename", str(ROOT / "crds"))
        for crd in missing:
            cluster.kubectl("wait", "--for=condition=Established", f"crd/{crd}", "--timeout=30s")
    token = uuid.uuid4().hex[:6]
    home, rooms = f"op-{token}-home", tuple(f"op-{token}-{index}" for index in range(POOL))
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": home}}
    objects = [*_room(home), account, *grant("operator", home, home, "own")]
    objects += _grant_everywhere("operator", home)
    for room in rooms:
        objects += [*_room(room), *grant("operator", home, room, "simulations")]
    made = Stage(
        cluster,
        home,
        rooms,
        tmp_path_factory.mktemp("operator") / "kubeconfig",
        f"system:serviceaccount:{home}:operator",
    )
    made.apply(*objects)
    _access(cluster, home, "operator", made.kubeconfig)
    yield made
    for room in (home, *rooms):
        cluster.kubectl("delete", "namespace", room, "--wait=false", "--ignore-not-found")
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", home)
    for crd in missing:
        cluster.kubectl("delete", "crd", crd)
    for other in others:
        meta, count = other["metadata"], other["spec"]["replicas"]
        cluster.kubectl("scale", "deployment", meta["name"], "--namespace", meta["namespace"], f"--replicas={count}")


@dataclass(frozen=True)
class Store:
    """An S3 server on the machine, reachable from pods."""

    folder: Path
    url: str

    def secret(self, room: str) -> Object:
        data = {
            "AWS_ACCESS_KEY_ID": STORE_KEY,
            "AWS_SECRET_ACCESS_KEY": STORE_PASSWORD,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }
        meta = {"name": "parpour-store", "namespace": room}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}


@pytest.fixture(scope="session")
def store(cluster: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """versitygw on the cluster's side of the machine."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "results").mkdir()
    host = str(cluster.layout.machine_address)
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ROOT_ACCESS_KEY": STORE_KEY, "ROOT_SECRET_KEY": STORE_PASSWORD}
    command = [str(ensure("versitygw", lambda line: None)), "--port", f"{host}:{port}", "posix", str(folder)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield Store(folder, f"http://{host}:{port}")
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def worker_image(cluster: RunningCluster) -> str:
    """The worker's image, built from this tree."""
    command = [sys.executable, str(ROOT / "tools" / "images.py"), "build", "--only", "civlab-worker"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3000:]
    reference = next(word for word in reversed(built.stdout.split()) if word.startswith("localhost/"))
    return cluster.load_image(reference)


@dataclass(frozen=True)
class Room:
    """One test's namespace."""

    stage: Stage
    name: str

    def simulate(self, name: str = "demo", **changes: Any) -> None:
        """Apply a Simulation."""
        small = {"resources": {"requests": {"cpu": "100m", "memory": "512Mi"}}}
        meta = {"name": name, "namespace": self.name}
        wanted = {"apiVersion": "parpour.dev/v1alpha1", "kind": "Simulation", "metadata": meta}
        self.stage.apply({**wanted, "spec": spec(**{**small, **changes})})

    def get(self, kind: str, name: str = "demo") -> Object | None:
        return self.stage.get(kind, name, room=self.name)

    def status(self, name: str = "demo") -> Object:
        found = self.get("simulation", name)
        return found.get("status", {}) if found else {}

    def condition(self, kind: str, name: str = "demo") -> Object:
        return next((c for c in self.status(name).get("conditions", ()) if c["type"] == kind), {})

    def reaches(self, state: str, name: str = "demo", *, seconds: float = 300.0) -> Object:
        """Wait for a state; the status then."""

        def reached() -> Object | None:
            status = self.status(name)
            assert status.get("state") != "Failed" or state == "Failed", status
            return status if status.get("state") == state else None

        found: Object = until(reached, seconds=seconds, what=f"{name} {state}: {self.status(name)}")
        return found

    def clear(self) -> None:
        """Delete what is left, whether or not an operator is there to release it."""
        arguments = ("--namespace", self.name, "--ignore-not-found")
        names = self.stage.kubectl("get", "simulations", *arguments, "--output", "name").split()
        for name in names:
            release = ("patch", name, "--namespace", self.name, "--type=merge")
            self.stage.kubectl(*release, "--patch", '{"metadata":{"finalizers":null}}')
        if names:
            self.stage.kubectl("delete", *names, *arguments, "--wait=false")

    def gone(self, kind: str, name: str) -> None:
        until(lambda: self.get(kind, name) is None, what=f"{kind} {name} is gone")

    def events(self, name: str = "demo") -> list[str]:
        selector = f"involvedObject.kind=Simulation,involvedObject.name={name}"
        arguments = ("get", "events", "--namespace", self.name, "--field-selector", selector, "--output", "json")
        found = json.loads(self.stage.kubectl(*arguments))["items"]
        return [event["reason"] for event in sorted(found, key=lambda event: event["firstTimestamp"])]


Operators = Callable[..., OperatorProcess]


@pytest.fixture(scope="session")
def rooms(stage: Stage) -> Iterator[str]:
    """Rooms not yet used."""
    return iter(stage.rooms)


@pytest.fixture
def room(stage: Stage, rooms: Iterator[str]) -> Iterator[Room]:
    """A namespace for one test; nothing of it goes on running after the test."""
    made = Room(stage, next(rooms))
    yield made
    made.clear()


@pytest.fixture
def operators(stage: Stage, room: Room, tmp_path: Path) -> Iterator[Operators]:
    """Starts operators that serve the test's namespace."""
    started: list[OperatorProcess] = []

    def start(identity: str = "", *, lease: str = "", **environment: str) -> OperatorProcess:
        number = len(started)
        made = OperatorProcess(
            kubeconfig=stage.kubeconfig,
            environment={
                "PARPOUR_IDENTITY": identity or f"operator-{number}",
                "PARPOUR_NAMESPACE": stage.home,
                "PARPOUR_LEASE_NAME": lease or room.name,
                "PARPOUR_WATCH_NAMESPACES": room.name,
                "PARPOUR_WORKER_IMAGE": "registry.invalid/worker:none",
                "PARPOUR_STORE_URL": "s3://results",
                **environment,
            },
            log=tmp_path / f"operator-{number}.log",
        )
        started.append(made)
        return made.start()

    yield start
    for made in started:
        made.end()
