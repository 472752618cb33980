"""How to see that a cluster's daemons work, from outside its namespaces.

The daemons listen on the cluster's own loopback, so the probes connect from within its network and are answered only
by what listens there.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
from pathlib import Path

from parpour_devcluster.api import KubernetesClient
from parpour_devcluster.components import CONTAINERD_SOCKET, POLICY_SOCKET, Daemon
from parpour_devcluster.layout import Layout
from parpour_devcluster.namespaces import Namespaces, connect

_PATIENCE = 2.0


def check(layout: Layout, namespaces: Namespaces, daemon: Daemon) -> bool:
    """Whether a daemon answers as a healthy one does."""
    if daemon.name == "containerd":
        return reachable_socket(namespaces, CONTAINERD_SOCKET)
    if daemon.name == "network-policy":
        return reachable_socket(namespaces, POLICY_SOCKET)
    if daemon.health.on_bridge:
        try:
            status, _ = KubernetesClient(layout.kubeconfig, timeout=_PATIENCE).request("GET", daemon.health.path)
        except OSError:
            return False
        return status == http.client.OK
    if daemon.health.port == 0:
        return True
    return _http_ok(namespaces, daemon.health.port, daemon.health.path, tls=daemon.health.tls)


def _http_ok(namespaces: Namespaces, port: int, path: str, *, tls: bool) -> bool:
    try:
        with connect(namespaces, ("127.0.0.1", port), timeout=_PATIENCE) as plain:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
            if tls:
                # These servers sign their own certificates; nothing but their answer's status is read.
                trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                trusting.check_hostname = False
                trusting.verify_mode = ssl.CERT_NONE
                connection.sock = trusting.wrap_socket(plain)
            else:
                connection.sock = plain
            connection.request("GET", path)
            return int(connection.getresponse().status) == http.client.OK
    except (OSError, http.client.HTTPException):
        return False


def reachable_socket(namespaces: Namespaces, path: str) -> bool:
    """Whether something accepts connections on a Unix socket inside the cluster."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(_PATIENCE)
            client.connect(str(Path(f"/proc/{namespaces.holder}/root") / path.lstrip("/")))
    except OSError:
        return False
    return True


def answers_dns(server: str, *, timeout: float, name: str = "kubernetes.default.svc.cluster.local") -> bool:
    """Whether a DNS server gives an IPv4 address for a name (RFC 1035, one question over UDP)."""
    labels = b"".join(struct.pack("B", len(part)) + part.encode("ascii") for part in name.split("."))
    question = struct.pack(">HHHHHH", 0x7061, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(timeout)
            client.connect((server, 53))
            client.send(question)
            answer = client.recv(512)
    except OSError:
        return False
    if len(answer) < 12:
        return False
    identifier, flags, _, answers = struct.unpack(">HHHH", answer[:8])
    return bool(identifier == 0x7061 and flags & 0x000F == 0 and answers > 0)
