"""NetworkPolicies on a real cluster: what is allowed connects, what is not does not, from a pod's first packet on.

The pods hold nothing but the pause program; the tests listen and connect inside the pods' own network namespaces.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from parpour_devcluster.cgroups import Cgroup
from parpour_devcluster.components import PAUSE_IMAGE
from parpour_devcluster.lifecycle import load_record, up
from parpour_devcluster.namespaces import Namespaces, in_network, kill_and_wait
from parpour_devcluster.testing import RunningCluster

pytestmark = pytest.mark.cluster

PATIENCE = 30.0
HOME, AWAY = "np-home", "np-away"


def pod(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    container = {
        "name": "pause",
        "image": PAUSE_IMAGE,
        "imagePullPolicy": "Never",
        "ports": [{"name": "http", "containerPort": 8080}],
    }
    spec = {"terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False, "containers": [container]}
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def policy(name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": HOME, "name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def apply(cluster: RunningCluster, *documents: dict[str, Any]) -> None:
    cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump_all(documents))


class Inside:
    """A pod's network, entered through the pod's process."""

    def __init__(self, cluster: RunningCluster, namespace: str, name: str) -> None:
        cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
        status = json.loads(cluster.kubectl("-n", namespace, "get", "pod", name, "-o", "json"))["status"]
        identifier = status["containerStatuses"][0]["containerID"].rpartition("/")[2]
        cgroup = Path("/proc")
        self.address: str = status["podIP"]
        self.process = next(
            int(entry.name) for entry in cgroup.iterdir() if entry.name.isdigit() and _belongs(entry, identifier)
        )
        self._network = Namespaces(holder=self.process, cgroup=Cgroup("", ()))

    def listen(self, port: int) -> socket.socket:
        return in_network(self._network, lambda: socket.create_server(("0.0.0.0", port), backlog=64))

    def connects(self, address: str, port: int, *, timeout: float = 1.0) -> bool:
        try:
            in_network(self._network, lambda: socket.create_connection((address, port), timeout=timeout)).close()
        except OSError:
            return False
        return True


def _belongs(process: Path, identifier: str) -> bool:
    try:
        return identifier in (process / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return False


def eventually(connects: Any, expected: bool) -> None:
    """Waits until a new policy has reached the kernel."""
    deadline = time.monotonic() + PATIENCE
    while connects() is not expected:
        assert time.monotonic() < deadline, f"not {expected} within {PATIENCE} s"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def pods(cluster: RunningCluster) -> Iterator[dict[str, Inside]]:
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"where": name}}}
        for name in (HOME, AWAY)
    ]
    apply(
        cluster,
        *namespaces,
        pod(HOME, "server", app="server"),
        pod(HOME, "friend", role="friend"),
        pod(HOME, "stranger"),
        pod(AWAY, "friend", role="friend"),
    )
    names = ((HOME, "server"), (HOME, "friend"), (HOME, "stranger"), (AWAY, "friend"))
    inside = {f"{namespace}/{name}": Inside(cluster, namespace, name) for namespace, name in names}
    listeners = [inside[f"{HOME}/server"].listen(port) for port in (8080, 8081)]
    yield inside
    for listener in listeners:
        listener.close()
    cluster.kubectl("delete", "namespace", HOME, AWAY, "--wait=false")


@pytest.fixture
def no_policies(cluster: RunningCluster, pods: dict[str, Inside]) -> Iterator[None]:
    server, stranger = pods[f"{HOME}/server"], pods[f"{HOME}/stranger"]
    yield
    cluster.kubectl("-n", HOME, "delete", "networkpolicies", "--all")
    eventually(lambda: stranger.connects(server.address, 8081, timeout=0.3), True)


@pytest.mark.usefixtures("no_policies")
def test_ingress_lets_in_who_is_selected_on_the_port_that_is_named(
    cluster: RunningCluster, pods: dict[str, Inside]
) -> None:
    server, friend, stranger = (pods[f"{HOME}/{name}"] for name in ("server", "friend", "stranger"))
    abroad = pods[f"{AWAY}/friend"]
    assert all(client.connects(server.address, 8080) for client in (friend, stranger, abroad))
    allowed = {"from": [{"podSelector": {"matchLabels": {"role": "friend"}}}], "ports": [{"port": "http"}]}
    apply(
        cluster,
        policy(
            "server",
            podSelector={"matchExpressions": [{"key": "app", "operator": "In", "values": ["server"]}]},
            policyTypes=["Ingress"],
            ingress=[allowed],
        ),
    )
    eventually(lambda: stranger.connects(server.address, 8080, timeout=0.3), False)
    assert friend.connects(server.address, 8080)
    assert not friend.connects(server.address, 8081)
    assert not abroad.connects(server.address, 8080)
    assert server.connects(server.address, 8081), "a pod always reaches itself"

    # the node, where the kubelet's probes come from, is never hindered
    record = load_record(cluster.layout)
    assert record is not None
    node = Namespaces(holder=record.holder, cgroup=Cgroup("", ()))
    in_network(node, lambda: socket.create_connection((server.address, 8081), timeout=2)).close()

    # what comes from outside the cluster is: it is no selected pod
    with pytest.raises(OSError, match="timed out"):
        socket.create_connection((server.address, 8080), timeout=0.5)

    # a namespace selector opens it to the other namespace
    abroad_too = {"from": [{"namespaceSelector": {"matchLabels": {"where": AWAY}}}], "ports": [{"port": 8081}]}
    apply(cluster, policy("abroad", podSelector={}, policyTypes=["Ingress"], ingress=[abroad_too]))
    eventually(lambda: abroad.connects(server.address, 8081, timeout=0.3), True)
    assert not abroad.connects(server.address, 8080)


@pytest.mark.usefixtures("no_policies")
def test_egress_is_held_to_its_block_also_towards_the_node(cluster: RunningCluster, pods: dict[str, Inside]) -> None:
    server, friend = pods[f"{HOME}/server"], pods[f"{HOME}/friend"]
    node = str(cluster.layout.node_address)
    assert friend.connects(node, 6443)
    block = {"cidr": str(cluster.layout.pod_range), "except": [f"{node}/32"]}
    spec = {"podSelector": {"matchLabels": {"role": "friend"}}, "policyTypes": ["Egress"]}
    apply(
        cluster,
        policy("out", **spec, egress=[{"to": [{"ipBlock": block}], "ports": [{"port": 8000, "endPort": 8080}]}]),
    )
    eventually(lambda: friend.connects(node, 6443, timeout=0.3), False)
    assert friend.connects(server.address, 8080)
    assert not friend.connects(server.address, 8081)
    assert pods[f"{HOME}/stranger"].connects(server.address, 8081)


@pytest.mark.usefixtures("no_policies")
def test_what_is_not_enforced_is_denied_and_told_in_an_event(cluster: RunningCluster, pods: dict[str, Inside]) -> None:
    server, friend = pods[f"{HOME}/server"], pods[f"{HOME}/friend"]
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"]}
    apply(cluster, policy("sctp", **spec, ingress=[{"ports": [{"protocol": "SCTP", "port": 8080}]}]))
    eventually(lambda: friend.connects(server.address, 8080, timeout=0.3), False)

    def told() -> bool:
        events = cluster.kubectl("-n", HOME, "get", "events", "-o", "json")
        return "spec.ingress[0].ports[0].protocol: SCTP" in events and "NotEnforced" in events

    eventually(told, True)


@pytest.mark.usefixtures("no_policies")
def test_a_new_pod_is_guarded_from_its_first_packet_even_while_the_enforcer_was_away(
    cluster: RunningCluster, pods: dict[str, Inside]
) -> None:
    server, stranger = pods[f"{HOME}/server"], pods[f"{HOME}/stranger"]
    apply(cluster, policy("closed", podSelector={}, policyTypes=["Ingress", "Egress"]))
    eventually(lambda: stranger.connects(server.address, 8080, timeout=0.3), False)
    record = load_record(cluster.layout)
    assert record is not None
    assert kill_and_wait(record.pids["network-policy"], timeout=10)
    assert not stranger.connects(server.address, 8080, timeout=0.5), "rules outlive the enforcer"
    cluster.kubectl("-n", HOME, "delete", "pod", "newcomer", "--ignore-not-found")
    apply(cluster, pod(HOME, "newcomer", role="friend"))
    up(cluster.name, report=lambda _: None)
    newcomer = Inside(cluster, HOME, "newcomer")
    assert not newcomer.connects(server.address, 8080, timeout=0.5)
    assert not newcomer.connects(str(cluster.layout.node_address), 6443, timeout=0.5)
    assert not stranger.connects(server.address, 8080, timeout=0.5)
