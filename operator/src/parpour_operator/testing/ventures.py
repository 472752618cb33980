"""Ventures and namespaces in memory, for tests of their reconciler; it can die at any write as `memory` does."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from parpour_contracts import API_VERSION
from parpour_contracts.venture import KIND
from parpour_operator.cluster import AlreadyThere, NotTaken, NotThere
from parpour_operator.observing import Raw
from parpour_operator.testing.memory import MemoryCluster, Object, stamp


@dataclass
class MemoryVentures:
    """The double of `VentureApi`; writes are counted with those of the cluster."""

    cluster: MemoryCluster
    objects: dict[str, Object] = field(default_factory=dict)
    namespaces: dict[str, Object] = field(default_factory=dict)
    rejecting: str = ""
    """A message with which namespaces are refused."""
    given: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    """Objects by kind, namespace and name."""
    refusing: str = ""
    """A kind of object that is refused."""

    def apply(self, name: str, **spec: Any) -> None:
        """Create a Venture or change its spec."""
        there = self.objects.get(name)
        if there is None:
            meta = {"name": name, "uid": str(uuid4()), "generation": 1, "finalizers": []}
            self.objects[name] = {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": meta,
                "spec": spec,
                "status": {},
            }
        elif there["spec"] != spec:
            there["spec"] = spec
            there["metadata"]["generation"] += 1

    def delete(self, name: str) -> None:
        """Delete a Venture as `kubectl delete` does."""
        self.objects[name]["metadata"]["deletionTimestamp"] = stamp(self.cluster.clock.now())
        self._collect(name)

    def put_namespace(self, name: str, **labels: str) -> None:
        """A namespace that someone else made."""
        self.namespaces[name] = {"metadata": {"name": name, "uid": str(uuid4()), "labels": labels}}

    def _collect(self, name: str) -> None:
        meta = self.objects[name]["metadata"]
        if "deletionTimestamp" in meta and not meta["finalizers"]:
            del self.objects[name]

    async def venture(self, name: str) -> Raw | None:
        """One Venture."""
        return copy.deepcopy(self.objects.get(name))

    async def ventures(self) -> AsyncIterator[Raw]:
        """All of them."""
        for raw in list(self.objects.values()):
            yield copy.deepcopy(raw)

    async def namespace(self, name: str) -> Raw | None:
        """One Namespace."""
        return copy.deepcopy(self.namespaces.get(name))

    async def create(self, manifest: dict[str, Any]) -> Raw:
        """POST a Namespace."""
        name = manifest["metadata"]["name"]
        if self.rejecting:
            raise NotTaken(self.rejecting, terminating=False)
        if name in self.namespaces:
            raise AlreadyThere(name)
        crash = self.cluster.write("create", "Namespace", name)
        self.put_namespace(name, **manifest["metadata"]["labels"])
        if crash:
            raise crash
        return copy.deepcopy(self.namespaces[name])

    async def apply_object(self, manifest: dict[str, Any]) -> None:
        """Server-side apply; what is there already in the same form is not written."""
        kind, meta = manifest["kind"], manifest["metadata"]
        if kind == self.refusing:
            raise NotTaken("no", terminating=False)
        key = (kind, meta["namespace"], meta["name"])
        if self.given.get(key) == manifest:
            return
        crash = self.cluster.write("apply", kind, meta["name"])
        self.given[key] = copy.deepcopy(manifest)
        if crash:
            raise crash

    async def delete_namespace(self, name: str, uid: str) -> None:
        """Delete a Namespace; it is gone at once here."""
        there = self.namespaces.get(name)
        if there is None or there["metadata"]["uid"] != uid:
            return
        crash = self.cluster.write("delete", "Namespace", name)
        del self.namespaces[name]
        if crash:
            raise crash

    async def set_venture_finalizer(self, name: str, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]:
        """Add or remove a finalizer."""
        raw = self._need(name, uid)
        crash = self.cluster.write("patch", KIND, name)
        others = [one for one in raw["metadata"]["finalizers"] if one != finalizer]
        raw["metadata"]["finalizers"] = [*others, finalizer] if present else others
        held = tuple(raw["metadata"]["finalizers"])
        self._collect(name)
        if crash:
            raise crash
        return held

    async def apply_venture_status(self, name: str, uid: str, status: dict[str, Any]) -> None:
        """Write the status."""
        raw = self._need(name, uid)
        crash = self.cluster.write("apply", f"{KIND}/status", name)
        raw["status"] = copy.deepcopy(status)
        if crash:
            raise crash

    def _need(self, name: str, uid: str) -> Object:
        raw = self.objects.get(name)
        if raw is None or raw["metadata"]["uid"] != uid:
            raise NotThere(name)
        return raw
