"""Real clusters: side by side, interrupted, revived, and gone without a trace."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parpour_devcluster import cgroups
from parpour_devcluster.api import KubernetesClient
from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.health import answers_dns
from parpour_devcluster.layout import claim_layout, find_layout, state_root
from parpour_devcluster.lifecycle import down, load_record, node_is_ready, up
from parpour_devcluster.namespaces import find_holders, is_alive, kill_and_wait
from parpour_devcluster.network import loopback_socket, machine_routes, occupied_indices
from parpour_devcluster.status import status_of
from parpour_devcluster.testing import RunningCluster

pytestmark = pytest.mark.cluster

NAME = "devtest"


def quiet(_line: str) -> None:
    """Swallows progress."""


@dataclass(frozen=True)
class Traces:
    """What a cluster could leave on the machine; only what bears its name or index, as others may be at work here."""

    processes: frozenset[int]
    mounts: frozenset[str]
    devices: frozenset[str]
    packet_rules: str
    cgroups: frozenset[str]
    folders: frozenset[str]


def traces(name: str, *, cable: str, suspects: frozenset[int] = frozenset()) -> Traces:
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    rules = [
        subprocess.run([program], capture_output=True, text=True, check=True).stdout
        for program in ("iptables-save", "ip6tables-save")
    ]
    top = {path for root in cgroups.hierarchies() for path in root.iterdir() if path.is_dir()}
    return Traces(
        processes=frozenset(pid for pid in suspects | members(name) if is_alive(pid)),
        mounts=frozenset(line for line in mounts if f"/{name}/" in line),
        devices=frozenset(path.name for path in Path("/sys/class/net").iterdir() if path.name == cable),
        packet_rules="\n".join(line for text in rules for line in text.splitlines() if not line.startswith("#")),
        cgroups=frozenset(str(path) for path in top if path.name == f"parpour-{name}"),
        folders=frozenset(path.name for path in state_root().iterdir() if path.name == name),
    )


def members(name: str) -> frozenset[int]:
    """Every process of a cluster, its pods' included, by the cgroups that they are in."""
    lists = [path for top in cgroups.existing(f"parpour-{name}") for path in top.rglob("cgroup.procs")]
    return frozenset(int(line) for path in lists for line in path.read_text(encoding="ascii").split())


@pytest.fixture
def no_cluster() -> Iterator[str]:
    down(NAME, report=quiet)
    yield NAME
    down(NAME, report=quiet)


def start_and_kill(name: str, *, at: str, command: str = "up") -> None:
    """Starts (or removes) a cluster in a process of its own and kills that process when it says a certain thing."""
    arguments = [sys.executable, "-m", "parpour_devcluster", command, "--name", name]
    starting = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    assert starting.stderr is not None
    for line in starting.stderr:
        if at in line:
            os.kill(starting.pid, signal.SIGKILL)
            break
    starting.stderr.close()
    assert starting.wait() == -signal.SIGKILL


def test_an_interrupted_start_is_cleaned_by_the_next_and_down_leaves_no_trace(
    cluster: RunningCluster, no_cluster: str
) -> None:
    for moment in ("preparing", "starting etcd", "starting the controllers", "waiting for the node"):
        start_and_kill(no_cluster, at=moment)
        interrupted = find_layout(no_cluster, root=state_root())
        assert interrupted is None or load_record(interrupted) is None
    layout, record = up(no_cluster, report=quiet)
    assert find_holders(layout.folder) == [record.holder]
    before = traces("absent", cable="absent")

    # beside the other cluster, with nothing shared
    assert not layout.network.overlaps(cluster.layout.network)
    assert layout.registry != cluster.registry
    for one in (layout, cluster.layout):
        assert node_is_ready(one, KubernetesClient(one.kubeconfig))
        assert answers_dns(str(one.dns_address), timeout=5)
    status = status_of(layout, record)
    assert status.healthy, status
    everyone = members(no_cluster)
    assert {record.holder, *record.pids.values()} < everyone, "the pods' processes are there too"

    # a daemon that died is revived, and only that one
    assert kill_and_wait(record.pids["kube-scheduler"], timeout=10)
    assert not status_of(layout, record).healthy
    _, revived = up(no_cluster, report=quiet)
    changed = {name for name, pid in revived.pids.items() if pid != record.pids[name]}
    assert changed == {"kube-scheduler"}
    assert status_of(layout, revived).healthy

    # a removal that is interrupted is finished by the next
    start_and_kill(no_cluster, command="down", at="taking down")
    assert down(no_cluster, report=quiet)
    assert traces(no_cluster, cable=layout.cable, suspects=everyone) == Traces(
        frozenset(), frozenset(), frozenset(), before.packet_rules, frozenset(), frozenset()
    )
    assert not down(no_cluster, report=quiet)
    assert status_of(cluster.layout, load_record(cluster.layout) or record).healthy


def test_the_audit_log_tells_who_wrote_what(cluster: RunningCluster) -> None:
    cluster.kubectl("create", "configmap", "audited", "--from-literal=a=b")
    cluster.kubectl("delete", "configmap", "audited")
    events = [json.loads(line) for line in cluster.audit_log.read_text(encoding="utf-8").splitlines()]
    writes = [
        (event["verb"], event["user"]["username"])
        for event in events
        if event.get("objectRef", {}).get("name") == "audited" and event["verb"] in {"create", "delete"}
    ]
    assert writes[-2:] == [("create", "kubernetes-admin"), ("delete", "kubernetes-admin")]
    assert not any("requestObject" in event for event in events)


def test_a_port_that_is_taken_stops_a_start_with_its_name(no_cluster: str) -> None:
    layout = claim_layout(no_cluster, root=state_root(), taken=occupied_indices(machine_routes()))
    with loopback_socket(layout.registry_port), pytest.raises(DevclusterError) as caught:
        up(no_cluster, report=quiet)
    assert caught.value.code == "DEVCLUSTER_PORT_TAKEN"
    assert f"port {layout.registry_port} " in caught.value.message
    assert find_holders(layout.folder) == []
