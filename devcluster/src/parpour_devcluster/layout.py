"""Where a cluster keeps its things and which addresses it uses, all derived from its name and index.

A cluster owns one /16: the low half for pods (its first address is the node), the upper half for services, the last
/30 for the cable between the machine and the cluster. The index is the lowest one that no other cluster holds.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from parpour_devcluster.errors import DevclusterError

FIRST_SECOND_OCTET = 200
MAXIMUM_CLUSTERS = 32
FIRST_REGISTRY_PORT = 5100
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")


def state_root() -> Path:
    """The folder of all clusters' state: `$PARPOUR_DEVCLUSTER_STATE`, or /var/lib/parpour-devcluster."""
    return Path(os.environ.get("PARPOUR_DEVCLUSTER_STATE", "/var/lib/parpour-devcluster"))


def cgroup_name(name: str) -> str:
    """The cgroup of a cluster, relative to each hierarchy's root."""
    return f"parpour-{name}"


@dataclass(frozen=True)
class Layout:
    """Paths, addresses and names of one cluster.

    Args:
        name: DNS label of at most 30 characters; also the node's name.
        index: 0 to 31, distinct among the clusters of a machine.
        root: folder of all clusters' state.
    """

    name: str
    index: int
    root: Path

    @property
    def folder(self) -> Path:
        """Everything that this cluster writes."""
        return self.root / self.name

    @property
    def network(self) -> IPv4Network:
        """The cluster's /16; the machine routes it through the cluster."""
        return IPv4Network(f"10.{FIRST_SECOND_OCTET + self.index}.0.0/16")

    @property
    def pod_range(self) -> IPv4Network:
        """Addresses of pods; the first is the bridge's, which is the node's."""
        return IPv4Network((self.network[0], 20))

    @property
    def service_range(self) -> IPv4Network:
        """Addresses of services."""
        return IPv4Network((self.network[128 * 256], 20))

    @property
    def node_address(self) -> IPv4Address:
        """Address of the node, its kubelet and the API server."""
        return self.pod_range[1]

    @property
    def dns_address(self) -> IPv4Address:
        """Address of the service kube-dns."""
        return self.service_range[10]

    @property
    def machine_address(self) -> IPv4Address:
        """The machine's end of the cable."""
        return self.network[255 * 256 + 1]

    @property
    def inner_address(self) -> IPv4Address:
        """The cluster's end of the cable."""
        return self.network[255 * 256 + 2]

    @property
    def cable(self) -> str:
        """The network device on the machine's side."""
        return f"parpour{self.index}"

    @property
    def bridge(self) -> str:
        """The bridge that the pods hang on, inside the cluster's network namespace."""
        return f"br-{self.name[:12]}".rstrip("-")

    @property
    def cgroup(self) -> str:
        """The cgroup that holds every process of the cluster, relative to each hierarchy's root."""
        return cgroup_name(self.name)

    @property
    def registry_port(self) -> int:
        """Loopback port of the image registry, the same inside the cluster and on the machine."""
        return FIRST_REGISTRY_PORT + self.index

    @property
    def registry(self) -> str:
        """Prefix of the names of loaded images."""
        return f"127.0.0.1:{self.registry_port}"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self.node_address}:6443"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, a JSON object a line."""
        return self.folder / "audit.log"

    @property
    def logs(self) -> Path:
        """The daemons' logs, `COMPONENT.log` each."""
        return self.folder / "logs"

    @property
    def pki(self) -> Path:
        """Keys and certificates."""
        return self.folder / "pki"

    @property
    def config(self) -> Path:
        """The daemons' configuration files."""
        return self.folder / "config"

    @property
    def volumes(self) -> Path:
        """Contents of the default storage class' volumes."""
        return self.folder / "volumes"

    @property
    def record(self) -> Path:
        """The file that tells whether the cluster came up completely, and what runs in it."""
        return self.folder / "cluster.json"


def check_name(name: str) -> None:
    """Refuses a cluster name that could not be a node's name or part of a path.

    Raises:
        DevclusterError: DEVCLUSTER_NAME_INVALID.
    """
    if not _NAME.fullmatch(name):
        raise DevclusterError(
            "DEVCLUSTER_NAME_INVALID",
            f"--name: '{name}' is no cluster name",
            remedy="Use at most 30 lower-case letters, digits and '-', with a letter first and no '-' last",
        )


def known_layouts(root: Path) -> list[Layout]:
    """The clusters that have a folder with an index under the state root, by name."""
    layouts = []
    for path in sorted(root.glob("*/index.json")):
        try:
            index = json.loads(path.read_text(encoding="utf-8"))["index"]
        except (ValueError, KeyError):
            continue  # the writer was killed in the middle: the folder belongs to no cluster yet
        layouts.append(Layout(name=path.parent.name, index=index, root=root))
    return layouts


def find_layout(name: str, *, root: Path) -> Layout | None:
    """The layout of a cluster that has been started and not taken down; None where there is none."""
    check_name(name)
    return next((layout for layout in known_layouts(root) if layout.name == name), None)


def claim_layout(name: str, *, root: Path, taken: frozenset[int] = frozenset()) -> Layout:
    """Gives a cluster the lowest free index and writes it down; the caller holds the root's lock.

    Args:
        name: the cluster's name.
        root: folder of all clusters' state.
        taken: indices that something else on this machine occupies.

    Raises:
        DevclusterError: DEVCLUSTER_NAME_INVALID, DEVCLUSTER_RANGES_EXHAUSTED.
    """
    check_name(name)
    used = taken | {layout.index for layout in known_layouts(root)}
    free = [index for index in range(MAXIMUM_CLUSTERS) if index not in used]
    if not free:
        raise DevclusterError(
            "DEVCLUSTER_RANGES_EXHAUSTED",
            f"every address range from 10.{FIRST_SECOND_OCTET}.0.0/16 on is in use",
            remedy="Take a cluster down (see parpour-devcluster status --all), or remove the routes in that range",
        )
    layout = Layout(name=name, index=free[0], root=root)
    layout.folder.mkdir(parents=True, exist_ok=True)
    (layout.folder / "index.json").write_text(json.dumps({"index": layout.index}), encoding="utf-8")
    return layout
