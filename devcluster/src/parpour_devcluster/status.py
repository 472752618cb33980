"""What a cluster looks like now, for people and as JSON."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from parpour_devcluster import cgroups
from parpour_devcluster.binaries import layers_folder
from parpour_devcluster.components import Daemon, daemons
from parpour_devcluster.health import check
from parpour_devcluster.layout import Layout
from parpour_devcluster.lifecycle import Record, namespaces_of
from parpour_devcluster.namespaces import is_alive
from parpour_devcluster.pins import GROUPS, KUBERNETES_VERSION


@dataclass(frozen=True)
class DaemonStatus:
    """One daemon.

    Args:
        name: of its log.
        pid: its process id.
        healthy: whether it answers.
        resident_bytes: its resident memory.
    """

    name: str
    pid: int
    healthy: bool
    resident_bytes: int


@dataclass(frozen=True)
class ClusterStatus:
    """A running cluster; paths are absolute, `cpu_seconds` counts pods too and is None where it cannot be read."""

    name: str
    healthy: bool
    kubeconfig: str
    server: str
    registry: str
    audit_log: str
    logs: str
    pod_range: str
    service_range: str
    started_at: str
    cpu_seconds: float | None
    versions: dict[str, str]
    daemons: tuple[DaemonStatus, ...]

    def as_json(self) -> dict[str, object]:
        """The same as JSON-able values."""
        return asdict(self)


def status_of(layout: Layout, record: Record) -> ClusterStatus:
    """Asks every daemon of a running cluster how it is."""
    namespaces = namespaces_of(layout, record)

    def ask(daemon: Daemon) -> DaemonStatus:
        pid = record.pids.get(daemon.name, 0)
        healthy = is_alive(pid) and check(layout, namespaces, daemon)
        return DaemonStatus(daemon.name, pid, healthy, _resident_bytes(pid))

    with ThreadPoolExecutor() as pool:
        answers = tuple(pool.map(ask, daemons(layout, layers=layers_folder()).values()))
    return ClusterStatus(
        name=layout.name,
        healthy=all(answer.healthy for answer in answers),
        kubeconfig=str(layout.kubeconfig),
        server=layout.server,
        registry=layout.registry,
        audit_log=str(layout.audit_log),
        logs=str(layout.logs),
        pod_range=str(layout.pod_range),
        service_range=str(layout.service_range),
        started_at=record.started_at,
        cpu_seconds=cgroups.cpu_seconds(layout.cgroup),
        versions=versions(),
        daemons=answers,
    )


def versions() -> dict[str, str]:
    """The pinned version of each group of programs."""
    found = {"kubernetes": KUBERNETES_VERSION}
    modules = {
        "etcd": "go.etcd.io/etcd/server/v3",
        "coredns": "github.com/coredns/coredns",
        "registry": "github.com/google/go-containerregistry",
        "local-path-provisioner": "github.com/rancher/local-path-provisioner",
        "helm": "helm.sh/helm/v4",
        "versitygw": "github.com/versity/versitygw",
        "stripe-mock": "github.com/stripe/stripe-mock",
    }
    folders = {group.name: group.folder for group in GROUPS}
    for group, module in modules.items():
        text = (folders[group] / "go.mod").read_text(encoding="utf-8")
        match = re.search(rf"^\s*(?:require )?{re.escape(module)} (v\S+)", text, re.MULTILINE)
        if match:
            found[group] = match[1]
    return found


def _resident_bytes(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
