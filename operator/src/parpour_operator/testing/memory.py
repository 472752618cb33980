"""An object store in memory that behaves like the API server as far as the operator can tell, for tests of the loop.

It is a double of the *interface* `ClusterApi`, with uids, generations, owner references, finalizers and field managers;
real-server tests hold it to the truth. It can also die: `crash_at` ends a reconciliation at a chosen write.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import NAMESPACE_DNS, UUID, uuid5

from parpour_contracts import API_VERSION
from parpour_contracts.messages import Termination
from parpour_contracts.simulation import KIND
from parpour_operator.cluster import AlreadyThere, Conflict, NotTaken, NotThere
from parpour_operator.observing import UID_LABEL, Key, Raw, owner_uid

Object = dict[str, Any]
START = datetime(2030, 1, 1, tzinfo=UTC)
IMAGE = "registry.example/worker@sha256:" + "0" * 64
DIGEST = "ab" * 32


class Crash(BaseException):
    """The process died here; derived from BaseException so that nothing mends it."""


@dataclass
class Clock:
    """A clock that only moves when it is told to."""

    moment: datetime = START

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    def seconds(self) -> float:
        """The moment as monotonic seconds."""
        return self.moment.timestamp()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += timedelta(seconds=seconds)


@dataclass
class MemoryCluster:
    """The double. `writes` lists every write as (verb, kind, name)."""

    clock: Clock = field(default_factory=Clock)
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    reads: int = 0
    gpu_nodes: list[dict[str, str]] | None = field(default_factory=list)
    """Labels of the nodes that offer a GPU; None if nodes may not be read."""
    terminating: bool = False
    """The namespace is being deleted and takes no new objects."""
    roleless: bool = False
    """The operator has lost its rights on children in the namespace."""
    rejecting: str = ""
    """A message with which creations of Jobs are refused."""
    crash_at: tuple[int, Literal["before", "after"]] | None = None
    """Die at the so-many-th write from now (1 is the next), before or after it takes effect."""
    _uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # what a user does

    def apply(self, name: str = "demo", *, namespace: str = "team", **spec: Any) -> Key:
        """Create a Simulation or change its spec."""
        key = Key(namespace, name)
        there = self.objects.get((KIND, namespace, name))
        if there is None:
            meta = {"name": name, "namespace": namespace}
            self._store({"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": spec, "status": {}})
        elif there["spec"] != spec:
            there["spec"] = spec
            there["metadata"]["generation"] += 1
            self._touch(there)
        return key

    def put_config_map(self, name: str, data: dict[str, str], *, namespace: str = "team") -> None:
        """Create or replace a user's ConfigMap."""
        self.objects.pop(("ConfigMap", namespace, name), None)
        meta = {"name": name, "namespace": namespace}
        self._store({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})

    def delete(self, key: Key) -> None:
        """Delete a Simulation as `kubectl delete` does."""
        raw = self.objects[(KIND, *key)]
        raw["metadata"]["deletionTimestamp"] = stamp(self.clock.now())
        self._touch(raw)
        self._collect_garbage()

    # what Kubernetes does

    def set_job(self, name: str, *, namespace: str = "team", **status: Any) -> None:
        """Report a Job's status, as the Job controller would."""
        raw = self.objects[("Job", namespace, name)]
        raw["status"] = {**raw.get("status", {}), **status}
        self._touch(raw)

    def end_job(self, name: str, outcome: Literal["Complete", "Failed"], *, reason: str = "", **status: Any) -> None:
        """Finish a Job."""
        at = stamp(self.clock.now())
        condition = {"type": outcome, "status": "True", "reason": reason, "lastTransitionTime": at}
        done = {"completionTime": at} if outcome == "Complete" else {}
        self.set_job(name, active=0, ready=0, conditions=[condition], **done, **status)

    def put_pod(
        self,
        job: str,
        *,
        index: int | None = None,
        namespace: str = "team",
        exit_code: int | None = None,
        exit_reason: str = "",
        said: Termination | None = None,
        waiting: str = "",
        started: datetime | None = None,
    ) -> None:
        """A pod of a Job: running, waiting, or ended with an exit code."""
        name = f"{job}-{index if index is not None else 'x'}-{next(self._uids)}"
        labels = {"batch.kubernetes.io/job-name": job}
        if index is not None:
            labels["batch.kubernetes.io/job-completion-index"] = str(index)
        began = {"startedAt": stamp(started or self.clock.now())}
        state: Object = {"running": began}
        phase = "Running"
        if waiting:
            state, phase = {"waiting": {"reason": waiting, "message": "as told"}}, "Pending"
        if exit_code is not None:
            phase = "Failed" if exit_code else "Succeeded"
            state = {"terminated": {"exitCode": exit_code, "reason": exit_reason or "Error", **began}}
            state["terminated"]["finishedAt"] = stamp(self.clock.now())
            if said is not None:
                state["terminated"]["message"] = said.to_bytes().decode()
        container = {"name": "worker", "imageID": IMAGE, "state": state}
        meta = {"name": name, "namespace": namespace, "labels": labels}
        self._store({"kind": "Pod", "metadata": meta, "status": {"phase": phase, "containerStatuses": [container]}})

    def find(self, kind: str, name: str, *, namespace: str = "team") -> Object | None:
        """An object, or None."""
        return self.objects.get((kind, namespace, name))

    def names(self, kind: str) -> list[str]:
        """Names of all objects of a kind."""
        return sorted(name for found, _, name in self.objects if found == kind)

    def _store(self, raw: Object) -> Object:
        meta = raw["metadata"]
        meta |= {"uid": str(UUID(int=next(self._uids))), "generation": 1, "creationTimestamp": stamp(self.clock.now())}
        self.objects[(raw["kind"], meta["namespace"], meta["name"])] = raw
        self._touch(raw)
        return raw

    def _touch(self, raw: Object) -> None:
        raw["metadata"]["resourceVersion"] = str(next(self._versions))

    def _collect_garbage(self) -> None:
        for place, raw in list(self.objects.items()):
            meta = raw["metadata"]
            if "deletionTimestamp" in meta and not meta.get("finalizers"):
                del self.objects[place]
        alive = {raw["metadata"]["uid"] for raw in self.objects.values()}
        orphans = [place for place, raw in self.objects.items() if owner_uid(raw)[1] and owner_uid(raw)[1] not in alive]
        for place in orphans:
            del self.objects[place]

    def write(self, verb: str, kind: str, name: str) -> Crash | None:
        """Record a write; the crash that is to be raised after it took effect, if any."""
        due: Crash | None = None
        if self.crash_at is not None:
            left, moment = self.crash_at
            if left == 1:
                self.crash_at = None
                due = Crash(f"{moment} {verb} {kind} {name}")
                if moment == "before":
                    raise due
            else:
                self.crash_at = (left - 1, moment)
        self.writes.append((verb, kind, name))
        return due

    def _need(self, kind: str, namespace: str, name: str, uid: str) -> Object:
        raw = self.objects.get((kind, namespace, name))
        if raw is None:
            raise NotThere(name)
        if raw["metadata"]["uid"] != uid:
            raise Conflict(f"{name}: uid")
        return raw

    # ClusterApi

    async def simulation(self, key: Key) -> Raw | None:
        """One Simulation."""
        return self._read(KIND, *key)

    async def config_map(self, namespace: str, name: str) -> Raw | None:
        """One ConfigMap."""
        if self.roleless:
            raise NotTaken("forbidden", terminating=False)
        return self._read("ConfigMap", namespace, name)

    async def job(self, namespace: str, name: str) -> Raw | None:
        """One Job."""
        return self._read("Job", namespace, name)

    def _read(self, kind: str, namespace: str, name: str) -> Raw | None:
        self.reads += 1
        return copy.deepcopy(self.objects.get((kind, namespace, name)))

    async def jobs(self, namespace: str, uid: str) -> list[Raw]:
        """Jobs by the UID label."""
        self.reads += 1
        found = [raw for (kind, where, _), raw in self.objects.items() if kind == "Job" and where == namespace]
        return [copy.deepcopy(raw) for raw in found if raw["metadata"].get("labels", {}).get(UID_LABEL) == uid]

    async def pods(self, namespace: str, job: str, *, phase: str = "", most: int = 50) -> list[Raw]:
        """Pods of a Job."""
        self.reads += 1
        label = "batch.kubernetes.io/job-name"
        found = [raw for (kind, where, _), raw in self.objects.items() if kind == "Pod" and where == namespace]
        pods: list[Raw] = [copy.deepcopy(raw) for raw in found if raw["metadata"]["labels"][label] == job]
        return [raw for raw in pods if phase in ("", raw["status"]["phase"])][:most]

    async def gpu_offered(self, node_selector: Mapping[str, str]) -> bool | None:
        """Whether one of the GPU nodes has the labels."""
        if self.gpu_nodes is None:
            return None
        return any(node_selector.items() <= labels.items() for labels in self.gpu_nodes)

    async def namespace(self, name: str) -> Raw | None:
        """One Namespace; every one is there unless it was deleted, as its UID follows from its name."""
        self.reads += 1
        there = self.objects.get(("Namespace", "", name))
        return copy.deepcopy(there) if there else {"metadata": {"name": name, "uid": namespace_uid(name)}}

    async def namespace_terminating(self, namespace: str) -> bool:
        """Whether all namespaces are, as the test says."""
        assert namespace
        return self.terminating

    async def create(self, manifest: dict[str, Any]) -> Raw:
        """POST."""
        meta = manifest["metadata"]
        place = (manifest["kind"], meta["namespace"], meta["name"])
        if self.terminating:
            raise NotTaken("the namespace is being terminated", terminating=True)
        if self.rejecting and manifest["kind"] == "Job":
            raise NotTaken(self.rejecting, terminating=False)
        if place in self.objects:
            raise AlreadyThere(meta["name"])
        crash = self.write("create", manifest["kind"], meta["name"])
        stored = self._store(copy.deepcopy(manifest))
        if crash:
            raise crash
        return copy.deepcopy(stored)

    async def set_suspend(
        self, namespace: str, name: str, uid: str, *, suspend: bool, deadline: int | None = None
    ) -> Raw:
        """Suspend or resume; the Job controller takes the pods away, and starts the clock anew when it is resumed."""
        raw = self._need("Job", namespace, name, uid)
        crash = self.write("patch", "Job", name)
        raw["spec"]["suspend"] = suspend
        if deadline is not None:
            raw["spec"]["activeDeadlineSeconds"] = deadline
        at = stamp(self.clock.now())
        condition = {"type": "Suspended", "status": "True" if suspend else "False", "lastTransitionTime": at}
        raw["status"] = {**raw.get("status", {}), "active": 0, "ready": 0, "conditions": [condition]}
        if not suspend:
            raw["status"]["startTime"] = at
        self._remove_pods(namespace, name)
        self._touch(raw)
        if crash:
            raise crash
        return copy.deepcopy(raw)

    def _remove_pods(self, namespace: str, job: str) -> None:
        for place, raw in list(self.objects.items()):
            label = raw["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name")
            if place[:2] == ("Pod", namespace) and label == job and "running" in _state(raw):
                del self.objects[place]

    async def set_deadline(self, namespace: str, name: str, uid: str, seconds: int) -> Raw:
        """Set the deadline."""
        raw = self._need("Job", namespace, name, uid)
        crash = self.write("patch", "Job", name)
        raw["spec"]["activeDeadlineSeconds"] = seconds
        self._touch(raw)
        if crash:
            raise crash
        return copy.deepcopy(raw)

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete a Job; its pods are gone at once here."""
        self._remove("Job", namespace, name, uid)

    async def delete_config_map(self, namespace: str, name: str, uid: str) -> None:
        """Delete a ConfigMap."""
        self._remove("ConfigMap", namespace, name, uid)

    def _remove(self, kind: str, namespace: str, name: str, uid: str) -> None:
        if (kind, namespace, name) not in self.objects:
            return
        self._need(kind, namespace, name, uid)
        crash = self.write("delete", kind, name)
        del self.objects[(kind, namespace, name)]
        if crash:
            raise crash

    async def delete_simulation(self, key: Key, uid: str) -> None:
        """Delete a Simulation."""
        self._need(KIND, *key, uid)
        crash = self.write("delete", KIND, key.name)
        self.delete(key)
        if crash:
            raise crash

    async def set_finalizer(self, key: Key, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]:
        """Add or remove a finalizer."""
        raw = self._need(KIND, *key, uid)
        crash = self.write("patch", KIND, key.name)
        others = [name for name in raw["metadata"].get("finalizers", ()) if name != finalizer]
        raw["metadata"]["finalizers"] = [*others, finalizer] if present else others
        self._touch(raw)
        self._collect_garbage()
        if crash:
            raise crash
        return tuple(raw["metadata"]["finalizers"])

    async def apply_status(self, key: Key, uid: str, status: dict[str, Any], *, manager: str) -> None:
        """Server-side apply; a manager's fields replace what it had."""
        raw = self._need(KIND, *key, uid)
        crash = self.write("apply", f"{KIND}/status:{manager}", key.name)
        kept = {n: v for n, v in raw["status"].items() if (n == "progress") == (manager == "parpour-operator")}
        raw["status"] = {**kept, **copy.deepcopy(status)}
        self._touch(raw)
        if crash:
            raise crash

    async def tell(self, manifest: dict[str, Any]) -> None:
        """Create an Event."""
        if self.terminating and manifest["involvedObject"]["kind"] == KIND:
            raise NotTaken("the namespace is being terminated", terminating=True)
        crash = self.write("create", "Event", manifest["reason"])
        self._store(copy.deepcopy(manifest))
        if crash:
            raise crash

    async def unfinished(self) -> AsyncIterator[Raw]:
        """Simulations that are not over."""
        for (kind, _, _), raw in list(self.objects.items()):
            if kind == KIND and raw["status"].get("state") not in ("Complete", "Failed"):
                yield copy.deepcopy(raw)

    async def jobs_of(self, uids: Mapping[Key, str]) -> AsyncIterator[Raw]:
        """Jobs by the UID labels."""
        wanted = set(uids.values())
        for (kind, _, _), raw in list(self.objects.items()):
            if kind == "Job" and raw["metadata"].get("labels", {}).get(UID_LABEL) in wanted:
                yield copy.deepcopy(raw)


def namespace_uid(name: str) -> str:
    """The UID of a namespace in memory."""
    return str(uuid5(NAMESPACE_DNS, name))


def _state(raw: Object) -> Object:
    statuses: list[Object] = raw["status"]["containerStatuses"]
    return dict(statuses[0]["state"])


def stamp(moment: datetime) -> str:
    """A time as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
