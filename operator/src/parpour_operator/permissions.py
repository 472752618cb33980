"""What the operator may do in a cluster, as data: the chart's roles are rendered from it and a test holds them equal.

No rule reads Secrets: pods name them and the kubelet mounts them. Two of them may be written, by their names: what
workers need to reach store and bus, in the namespace of a Venture. ConfigMaps can be read by name, since a scenario may
stand in any of them; they are never listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Scope = Literal["simulations", "cluster", "ventures", "own"]


@dataclass(frozen=True)
class Permission:
    """One RBAC rule and where it holds: wherever Simulations are served, cluster-wide always, cluster-wide where there
    is a treasury, or in the operator's own namespace."""

    scope: Scope
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str
    names: tuple[str, ...] = ()
    """Objects of these names alone. A server-side apply bears the name, so `create` is bound by it as well."""


PERMISSIONS: tuple[Permission, ...] = (
    Permission(
        "simulations", "parpour.dev", ("simulations",), ("get", "list", "watch", "patch", "delete"),
        "watch Simulations, set the finalizer, delete at the end of their time to live",
    ),
    Permission("simulations", "parpour.dev", ("simulations/status",), ("patch",), "report status and progress"),
    Permission(
        "simulations", "batch", ("jobs",), ("get", "list", "watch", "create", "patch", "delete"),
        "run shards, suspend and resume them, stop them before results are erased",
    ),
    Permission("simulations", "", ("configmaps",), ("get", "create", "delete"), "read scenarios, write run documents"),
    Permission("simulations", "", ("pods",), ("list",), "read why workers wait or failed, and what collect found"),
    Permission("simulations", "", ("events",), ("create",), "tell transitions"),
    Permission("cluster", "", ("nodes",), ("list",), "see whether a node offers a GPU"),
    Permission(
        "cluster", "parpour.dev", ("simulations",), ("get", "patch"),
        "release the finalizer in a namespace whose own roles were deleted with it",
    ),
    Permission("cluster", "", ("namespaces",), ("get",), "know such a namespace"),
    Permission(
        "ventures", "parpour.dev", ("ventures",), ("get", "list", "watch", "patch"),
        "watch Ventures, set the finalizer",
    ),
    Permission("ventures", "parpour.dev", ("ventures/status",), ("patch",), "report status"),
    Permission(
        "ventures", "", ("namespaces",), ("get", "create", "delete"),
        "make a Venture's namespace, and delete it under deletionPolicy Delete",
    ),
    Permission(
        "ventures", "", ("serviceaccounts",), ("create", "patch"), "let workers run there", names=("parpour-worker",)
    ),
    Permission(
        "ventures", "", ("secrets",), ("create", "patch"),
        "give workers there what they reach store and bus with", names=("parpour-bus", "parpour-store"),
    ),
    Permission(
        "ventures", "networking.k8s.io", ("networkpolicies",), ("create", "patch"),
        "keep workers there from reaching anything else", names=("parpour-worker",),
    ),
    Permission("own", "coordination.k8s.io", ("leases",), ("get", "create", "update"), "elect the active replica"),
)  # fmt: skip
