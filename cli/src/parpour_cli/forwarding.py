"""A local port that leads to a pod, through the API server.

The store of a cluster has an address that only pods can resolve. A forward needs no more rights than `kubectl
port-forward` does, and it ends with the command.
"""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import kubernetes
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward

from parpour_cli.cluster import Cluster
from parpour_cli.faults import CliError

CHUNK = 1 << 16


@contextlib.contextmanager
def forwarded(cluster: Cluster, *, namespace: str, service: str, port: int) -> Iterator[int]:
    """A port on the loopback interface whose connections reach a ready pod of a service.

    Raises:
        CliError: FORWARD_IMPOSSIBLE, or the API server's answer.
    """
    pod, target = _endpoint(cluster, namespace=namespace, service=service, port=port)
    core = kubernetes.client.CoreV1Api(cluster.client)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                tunnel = portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(target))
            except ApiException:
                return
            with contextlib.closing(tunnel.socket(target)) as far:
                far.setblocking(True)
                _pump(self.request, far)

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="port-forward", daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()


class Server(socketserver.ThreadingTCPServer):
    """Accepts on loopback only, one thread a connection."""

    daemon_threads = True
    block_on_close = False


def _pump(near: socket.socket, far: Any) -> None:
    """Carry bytes both ways until one side ends."""
    ends = {near: far, far: near}
    while True:
        for ready in select.select(list(ends), [], [])[0]:
            try:
                data = ready.recv(CHUNK)
                if not data:
                    return
                ends[ready].sendall(data)
            except OSError:
                return


def _endpoint(cluster: Cluster, *, namespace: str, service: str, port: int) -> tuple[str, int]:
    slices = cluster.items(
        f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
        labelSelector=f"kubernetes.io/service-name={service}",
    )
    found = cluster.get(f"/api/v1/namespaces/{namespace}/services/{service}")
    name = next((p.get("name", "") for p in found["spec"].get("ports", ()) if p["port"] == port), None)
    for piece in slices:
        target = next((p["port"] for p in piece.get("ports") or () if (p.get("name") or "") == (name or "")), None)
        for endpoint in piece.get("endpoints") or ():
            reference = endpoint.get("targetRef") or {}
            if target and reference.get("kind") == "Pod" and endpoint.get("conditions", {}).get("ready", True):
                return str(reference["name"]), int(target)
    raise CliError(
        "FORWARD_IMPOSSIBLE",
        f"service {service!r} in namespace {namespace!r} has no ready pod behind port {port}",
        remedy="`parpour doctor` examines the store; or give the store's outside address in AWS_ENDPOINT_URL",
    )
