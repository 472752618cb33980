"""Starts, revives and removes clusters.

A cluster is either complete, as its record says, or it is rubbish: a start that was interrupted is never continued but
cleared away and begun again, so there is one path to a running cluster and not one for each line it can die at.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parpour_devcluster import cgroups, network, preparation
from parpour_devcluster.api import KubernetesClient
from parpour_devcluster.binaries import Report, ensure, ensure_group, group_named, layers_folder, locked
from parpour_devcluster.bootstrap import apply_manifests, finish_import, start_import
from parpour_devcluster.components import CONTAINERD_SOCKET, SYSTEM_PATH, Daemon, daemons
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.health import answers_dns, check, reachable_socket
from parpour_devcluster.layout import Layout, cgroup_name, claim_layout, find_layout, state_root
from parpour_devcluster.namespaces import Namespaces, create, find_holders, is_alive, kill_and_wait, spawn
from parpour_devcluster.pins import CLUSTER_GROUPS

START_LIMIT = 90.0
"""Seconds that one step of a start may take before it counts as failed."""
_AT_ONCE = ("etcd", "containerd", "registry", "kube-apiserver")


@dataclass
class Record:
    """What is noted of a running cluster.

    Args:
        holder: process id of its namespaces' first process.
        pids: process id of each daemon.
        complete: whether it came up to the end.
        started_at: when, in ISO 8601.
    """

    holder: int
    pids: dict[str, int] = field(default_factory=dict)
    complete: bool = False
    started_at: str = ""

    def save(self, layout: Layout) -> None:
        """Writes the record, whole or not at all."""
        scratch = layout.record.with_suffix(".new")
        scratch.write_text(json.dumps(self.__dict__), encoding="utf-8")
        scratch.rename(layout.record)


def load_record(layout: Layout) -> Record | None:
    """The record of a cluster that came up and whose namespaces still live; None otherwise."""
    try:
        record = Record(**json.loads(layout.record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return record if record.complete and find_holders(layout.folder) == [record.holder] else None


def namespaces_of(layout: Layout, record: Record) -> Namespaces:
    """The namespaces of a running cluster."""
    roots = tuple(folder.parent for folder in cgroups.existing(layout.cgroup))
    return Namespaces(holder=record.holder, cgroup=cgroups.Cgroup(layout.cgroup, roots))


def up(name: str, *, report: Report) -> tuple[Layout, Record]:
    """Brings a cluster up, or does nothing but revive dead daemons where it is up already.

    Args:
        name: the cluster's name.
        report: receives a line for each step.

    Raises:
        DevclusterError: whatever stands in the way, DEVCLUSTER_NOT_READY when a component does not come up in time.
    """
    preparation.check_machine()
    root = state_root()
    with locked(_lock(root, name)):
        layout = find_layout(name, root=root)
        record = load_record(layout) if layout else None
        if layout and record:
            _revive(layout, record, report)
            return layout, record
        if layout or _has_remnants(root, name):
            report("clearing away what an interrupted start left")
            _clear(root, name, layout, keep_logs=False)
        for group in CLUSTER_GROUPS:
            ensure_group(group_named(group), report)
        with locked(root / ".lock"):
            layout = claim_layout(name, root=root, taken=network.occupied_indices(network.machine_routes()))
        try:
            return layout, _start(layout, report)
        except (DevclusterError, OSError, KeyboardInterrupt):
            _clear(root, name, layout, keep_logs=True)
            raise


def down(name: str, *, report: Report) -> bool:
    """Removes a cluster with everything that it made on this machine; built programs and base images stay.

    Returns:
        Whether there was anything to remove.

    Raises:
        DevclusterError: DEVCLUSTER_NOT_ROOT, DEVCLUSTER_CGROUP_BUSY.
    """
    preparation.require_root()
    root = state_root()
    with locked(_lock(root, name)):
        layout = find_layout(name, root=root)
        if layout is None and not _has_remnants(root, name):
            return False
        report(f"taking down '{name}'")
        _clear(root, name, layout, keep_logs=False)
    return True


def _lock(root: Path, name: str) -> Path:
    return root / f".{name}.lock"


def _has_remnants(root: Path, name: str) -> bool:
    """Whether anything of a cluster is there although its index is not: its folder may have been removed by hand."""
    folder = root / name
    return folder.exists() or bool(find_holders(folder)) or bool(cgroups.existing(cgroup_name(name)))


def _clear(root: Path, name: str, layout: Layout | None, *, keep_logs: bool) -> None:
    """Ends every process of a cluster and removes what it made; works on any remnant, and twice."""
    if layout:
        network.disconnect(layout)
    for holder in find_holders(root / name):
        if not kill_and_wait(holder, timeout=30):
            raise DevclusterError(
                "DEVCLUSTER_PROCESS_STUCK",
                f"process {holder}, which holds the cluster '{name}', does not end",
                remedy="See its state in /proc and run parpour-devcluster down again",
            )
    cgroups.remove(cgroup_name(name), timeout=20)
    preparation.remove_files(root / name, keep_logs=keep_logs)


def _start(layout: Layout, report: Report) -> Record:
    report(f"preparing '{layout.name}' ({layout.network}, registry {layout.registry})")
    network.loopback_socket(layout.registry_port).close()  # a taken port is told before anything is started
    preparation.write_files(layout, now=datetime.now(UTC))
    preparation.prune_layers(layers_folder(), now=time.time())
    archive = preparation.node_images()
    cgroup = cgroups.create(layout.cgroup)
    binds = preparation.bound_folders(layout)
    namespaces = create(ensure("pause"), layout.folder, binds=binds, cgroup=cgroup, log=layout.logs / "namespaces.log")
    record = Record(holder=namespaces.holder, started_at=datetime.now(UTC).isoformat(timespec="seconds"))
    record.save(layout)
    network.connect(layout, namespaces)
    report("starting etcd, containerd and the API server")
    listed = daemons(layout, layers=layers_folder())
    for name in _AT_ONCE:
        _launch(layout, namespaces, record, listed[name])
    _await("containerd", layout, record, lambda: reachable_socket(namespaces, CONTAINERD_SOCKET))
    importing = start_import(namespaces, archive)
    _await("kube-apiserver", layout, record, lambda: check(layout, namespaces, listed["kube-apiserver"]))
    report("starting the controllers, the scheduler, the kubelet and the network")
    for name, daemon in listed.items():
        if name not in _AT_ONCE:
            _launch(layout, namespaces, record, daemon)
    client = KubernetesClient(layout.kubeconfig)
    apply_manifests(layout, client)
    finish_import(importing, timeout=START_LIMIT)
    report("waiting for the node and for cluster DNS")
    _await_ready(layout, namespaces, record, client)
    record.complete = True
    record.save(layout)
    return record


def _await_ready(layout: Layout, namespaces: Namespaces, record: Record, client: KubernetesClient) -> None:
    _await("kubelet", layout, record, lambda: node_is_ready(layout, client))
    _await("kube-proxy", layout, record, lambda: answers_dns(str(layout.dns_address), timeout=0.5))
    for daemon in daemons(layout, layers=layers_folder()).values():
        _await(daemon.name, layout, record, lambda daemon=daemon: check(layout, namespaces, daemon))  # type: ignore[misc]


def _revive(layout: Layout, record: Record, report: Report) -> None:
    """Starts again the daemons of a complete cluster that have died since."""
    namespaces = namespaces_of(layout, record)
    dead = [
        daemon
        for daemon in daemons(layout, layers=layers_folder()).values()
        if not is_alive(record.pids.get(daemon.name, 0))
    ]
    for daemon in dead:
        report(f"starting {daemon.name} again")
        _launch(layout, namespaces, record, daemon)
    if dead:
        _await_ready(layout, namespaces, record, KubernetesClient(layout.kubeconfig))


def _launch(layout: Layout, namespaces: Namespaces, record: Record, daemon: Daemon) -> None:
    program = Path(daemon.program) if daemon.program.startswith("/") else ensure(daemon.program)
    environment = {
        "PATH": SYSTEM_PATH,
        "HOME": str(layout.folder),
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "GOMEMLIMIT": "1GiB",
    }
    log = layout.logs / f"{daemon.name}.log"
    listener = network.loopback_socket(layout.registry_port) if daemon.gets_registry_socket else None
    try:
        descriptor = listener.fileno() if listener else None
        record.pids[daemon.name] = spawn(
            namespaces, program, daemon.arguments, environment=environment, log=log, descriptor=descriptor
        )
    finally:
        if listener:
            listener.close()
    record.save(layout)


def _await(name: str, layout: Layout, record: Record, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while not ready():
        pid = record.pids.get(name)
        died = pid is not None and not is_alive(pid)
        if died or time.monotonic() > deadline:
            tail = _tail(layout.logs / f"{name}.log")
            raise DevclusterError(
                "DEVCLUSTER_NOT_READY",
                f"{name} {'ended' if died else f'was not ready after {START_LIMIT:.0f} s'}; its log ends: {tail}",
                remedy=f"Read the whole log with: parpour-devcluster logs --name {layout.name} {name}",
            )
        time.sleep(0.05)


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return " | ".join(text.splitlines()[-3:])[-600:] or "(empty)"


def node_is_ready(layout: Layout, client: KubernetesClient) -> bool:
    """Whether the node's Ready condition is true."""
    try:
        status, node = client.request("GET", f"/api/v1/nodes/{layout.name}")
    except OSError:
        return False
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions", []) if status == 200 else []
    return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)


def running_cluster(name: str) -> tuple[Layout, Record]:
    """A cluster that is up.

    Raises:
        DevclusterError: DEVCLUSTER_NOT_RUNNING.
    """
    layout = find_layout(name, root=state_root())
    record = load_record(layout) if layout else None
    if layout is None or record is None:
        option = "" if name == "parpour" else f" --name {name}"
        raise DevclusterError(
            "DEVCLUSTER_NOT_RUNNING",
            f"the cluster '{name}' is not up",
            remedy=f"Start it with: parpour-devcluster up{option}",
        )
    return layout, record


def execute(program: str, arguments: tuple[str, ...], *, layout: Layout, report: Report) -> None:
    """Becomes a pinned program (kubectl, helm) that talks to a cluster; does not return."""
    path = ensure(program, report)
    environment = os.environ | {"KUBECONFIG": str(layout.kubeconfig)}
    os.execve(path, [program, *arguments], environment)  # noqa: S606
