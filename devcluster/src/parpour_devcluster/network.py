"""The cable between the machine and a cluster, and the cluster's bridge.

The machine routes a cluster's whole /16 into it, so that pods, services and the API server can be reached from the
machine's shell; nothing is masqueraded and nothing of the machine's own settings changes.
"""

from __future__ import annotations

import json
import socket
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from parpour_devcluster.errors import DevclusterError
from parpour_devcluster.layout import FIRST_SECOND_OCTET, MAXIMUM_CLUSTERS, Layout
from parpour_devcluster.namespaces import Namespaces, command_inside, in_network

_SETTINGS = (
    "net/ipv4/ip_forward",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
)


def occupied_indices(routes: str) -> frozenset[int]:
    """The cluster indices whose address range overlaps a route of this machine.

    Args:
        routes: what `ip -json -4 route show table all` prints.
    """
    destinations = [row["dst"] for row in json.loads(routes or "[]") if row.get("dst", "default") != "default"]
    networks = [IPv4Network(destination, strict=False) for destination in destinations]
    ranges = {index: IPv4Network(f"10.{FIRST_SECOND_OCTET + index}.0.0/16") for index in range(MAXIMUM_CLUSTERS)}
    specific = [network for network in networks if network.prefixlen > 0]
    return frozenset(index for index, network in ranges.items() if any(network.overlaps(other) for other in specific))


def machine_routes() -> str:
    """The machine's IPv4 routes as JSON."""
    command = ["ip", "-json", "-4", "route", "show", "table", "all"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def connect(layout: Layout, namespaces: Namespaces) -> None:
    """Lays the cable and sets up the bridge inside.

    Raises:
        DevclusterError: DEVCLUSTER_NETWORK_REFUSED.
    """
    disconnect(layout)
    octet = layout.index
    outside = f"""link add {layout.cable} type veth peer name cable netns {namespaces.holder}
address add {layout.machine_address}/30 dev {layout.cable}
link set {layout.cable} up
route add {layout.network} via {layout.inner_address}
"""
    inside = f"""link set lo up
address add {layout.inner_address}/30 dev cable
link set cable up
route add default via {layout.machine_address}
link add {layout.bridge} type bridge
link set {layout.bridge} address 02:70:61:72:70:{octet:02x}
address add {layout.node_address}/{layout.pod_range.prefixlen} dev {layout.bridge}
link set {layout.bridge} up
"""
    first, rest = outside.split("\n", 1)
    _batch(first)
    command_inside(namespaces, ["ip", "-batch", "-"], text=inside)
    _batch(rest)
    in_network(namespaces, _set_forwarding)
    # Pods are IPv4 only; their link-local IPv6 would otherwise pass the policies by.
    command_inside(
        namespaces, ["ip6tables-restore"], text="*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\nCOMMIT\n"
    )


def _set_forwarding() -> None:
    for setting in _SETTINGS:
        Path("/proc/sys", setting).write_text("1", encoding="ascii")


def _batch(commands: str) -> None:
    done = subprocess.run(["ip", "-batch", "-"], input=commands, capture_output=True, text=True)
    if done.returncode != 0:
        raise DevclusterError(
            "DEVCLUSTER_NETWORK_REFUSED",
            f"'ip' refused to connect the cluster: {done.stderr.strip()}",
            remedy="See 'ip link' and 'ip route' for what is in the way, and remove it",
        )


def disconnect(layout: Layout) -> None:
    """Removes the cable and with it the routes, if it is there."""
    if Path("/sys/class/net", layout.cable).exists():
        subprocess.run(["ip", "link", "delete", layout.cable], capture_output=True)


def loopback_socket(port: int) -> socket.socket:
    """A listening socket on the machine's loopback.

    Raises:
        DevclusterError: DEVCLUSTER_PORT_TAKEN.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise DevclusterError(
            "DEVCLUSTER_PORT_TAKEN",
            f"port {port} of 127.0.0.1, which the cluster's image registry needs, is taken: {error.strerror}",
            remedy=f"See who has it with: ss -ltnp 'sport = :{port}'",
        ) from error
    return listener
