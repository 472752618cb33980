"""What the operator asks of the API server, and nothing else: the one module that speaks to it.

Objects are plain mappings, so no schema of ours can drop a field of the server's. `ClusterApi` is the contract of the
reconciler; tests of the planning loop put an object store behind it, tests of this module use a real API server.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol, cast

import httpx2
from lightkube import ALL_NS, ApiError, AsyncClient, KubeConfig
from lightkube.config.client_adapter import verify_cluster
from lightkube.core.client import FieldSelector, LabelSelector
from lightkube.core.exceptions import ConfigError
from lightkube.core.resource import GlobalResource, NamespacedResourceG
from lightkube.generic_resource import Generic, create_api_info, create_global_resource, create_namespaced_resource
from lightkube.operators import not_in
from lightkube.types import CascadeType, PatchType

from parpour_contracts import API_VERSION, GROUP, VERSION, venture
from parpour_contracts.simulation import KIND, PLURAL, State
from parpour_operator.leasing import Record, lease_manifest, read_record
from parpour_operator.metrics import Metrics
from parpour_operator.observing import UID_LABEL, Key, Raw
from parpour_operator.settings import Settings
from parpour_operator.transport import PatientTransport, TokenBucket

RECONCILER = "parpour-operator"
PROGRESS = "parpour-progress"
PAGE = 250
NAMED_UIDS = 100
"""UIDs in one selector: it is part of the address, which proxies limit to 8 KiB."""
TIMEOUT_SECONDS = 10.0

Simulation = create_namespaced_resource(GROUP, VERSION, KIND, PLURAL)


def _mapping(base: type, group: str, kind: str, plural: str) -> Any:
    """A kind whose objects are plain mappings. lightkube's registry would refuse a second class of a core kind."""
    return type(kind, (base, Generic), {"_api_info": create_api_info(group, "v1", kind, plural)})


ConfigMap = _mapping(NamespacedResourceG, "", "ConfigMap", "configmaps")
Job = _mapping(NamespacedResourceG, "batch", "Job", "jobs")
Pod = _mapping(NamespacedResourceG, "", "Pod", "pods")
Event = _mapping(NamespacedResourceG, "", "Event", "events")
Lease = _mapping(NamespacedResourceG, "coordination.k8s.io", "Lease", "leases")
Node = _mapping(GlobalResource, "", "Node", "nodes")
Namespace = _mapping(GlobalResource, "", "Namespace", "namespaces")
Venture = create_global_resource(GROUP, VERSION, venture.KIND, venture.PLURAL)
GIVEN: Mapping[str, Any] = {
    "NetworkPolicy": _mapping(NamespacedResourceG, "networking.k8s.io", "NetworkPolicy", "networkpolicies"),
    "Secret": _mapping(NamespacedResourceG, "", "Secret", "secrets"),
    "ServiceAccount": _mapping(NamespacedResourceG, "", "ServiceAccount", "serviceaccounts"),
}
"""What a Venture's namespace may be given."""
KINDS: Mapping[str, Any] = {"ConfigMap": ConfigMap, "Job": Job, "Namespace": Namespace}


class NotThere(Exception):
    """The object is not there (any more)."""


class AlreadyThere(Exception):
    """An object of that name exists."""


class Conflict(Exception):
    """The object is not the one that was read, or has changed since."""


class NotTaken(Exception):
    """The API server refuses the object as it is; `terminating` if the namespace is being deleted."""

    def __init__(self, message: str, *, terminating: bool) -> None:
        super().__init__(message)
        self.terminating = terminating


class ClusterApi(Protocol):
    """The API server, as the reconciler sees it; see `Cluster` for what each method does and raises."""

    async def simulation(self, key: Key) -> Raw | None: ...
    async def config_map(self, namespace: str, name: str) -> Raw | None: ...
    async def job(self, namespace: str, name: str) -> Raw | None: ...
    async def jobs(self, namespace: str, uid: str) -> list[Raw]: ...
    async def pods(self, namespace: str, job: str, *, phase: str = "", most: int = 50) -> list[Raw]: ...
    async def gpu_offered(self, node_selector: Mapping[str, str]) -> bool | None: ...
    async def namespace(self, name: str) -> Raw | None: ...
    async def namespace_terminating(self, namespace: str) -> bool: ...
    async def create(self, manifest: dict[str, Any]) -> Raw: ...
    async def set_suspend(
        self, namespace: str, name: str, uid: str, *, suspend: bool, deadline: int | None = None
    ) -> Raw: ...
    async def set_deadline(self, namespace: str, name: str, uid: str, seconds: int) -> Raw: ...
    async def delete_job(self, namespace: str, name: str, uid: str) -> None: ...
    async def delete_config_map(self, namespace: str, name: str, uid: str) -> None: ...
    async def delete_simulation(self, key: Key, uid: str) -> None: ...
    async def set_finalizer(self, key: Key, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]: ...
    async def apply_status(self, key: Key, uid: str, status: dict[str, Any], *, manager: str) -> None: ...
    async def tell(self, manifest: dict[str, Any]) -> None: ...
    def unfinished(self) -> AsyncIterator[Raw]: ...
    def jobs_of(self, uids: Mapping[Key, str]) -> AsyncIterator[Raw]: ...


def connect(
    settings: Settings, metrics: Metrics, *, check_write: Callable[[], None], monotonic: Callable[[], float]
) -> AsyncClient:
    """A client by the pod's ServiceAccount or by kubeconfig.

    Raises:
        ConfigError: if neither is there.
    """
    config = KubeConfig.from_env().get()
    if config is None or config.user is None:
        raise ConfigError("neither a ServiceAccount nor a kubeconfig; set KUBECONFIG")
    ssl = verify_cluster(config.cluster, config.user, config.abs_file, trust_env=False)
    transport = PatientTransport(
        httpx2.AsyncHTTPTransport(verify=ssl, limits=httpx2.Limits(max_connections=settings.workers + 4)),
        bucket=TokenBucket(settings.requests_per_second, settings.requests_burst, monotonic),
        metrics=metrics,
        check_write=check_write,
        now=time.time,
    )
    timeout = httpx2.Timeout(TIMEOUT_SECONDS)
    return AsyncClient(config=config, timeout=timeout, trust_env=False, transport=transport)


def translate(error: ApiError) -> Exception:
    """The client's error as one of ours, where we tell it apart."""
    status = error.status
    code, reason = status.code, status.reason
    message = (status.message or reason or str(code))[:500]
    if code == 404:
        return NotThere(message)
    if code == 409:
        return AlreadyThere(message) if reason == "AlreadyExists" else Conflict(message)
    if code in (400, 403, 422):
        causes = status.details.causes if status.details and status.details.causes else []
        return NotTaken(message, terminating=any(cause.reason == "NamespaceTerminating" for cause in causes))
    return error


class Cluster:
    """`ClusterApi` over lightkube."""

    def __init__(self, client: AsyncClient, *, namespaces: tuple[str, ...] = ()) -> None:
        self._client = client
        self._namespaces = namespaces

    async def simulation(self, key: Key) -> Raw | None:
        """One Simulation."""
        return await self._get(Simulation, key.namespace, key.name)

    async def config_map(self, namespace: str, name: str) -> Raw | None:
        """One ConfigMap."""
        return await self._get(ConfigMap, namespace, name)

    async def job(self, namespace: str, name: str) -> Raw | None:
        """One Job."""
        return await self._get(Job, namespace, name)

    async def _get(self, kind: Any, namespace: str, name: str) -> Raw | None:
        try:
            return cast(Raw, await self._client.get(kind, name, namespace=namespace))
        except ApiError as error:
            if error.status.code == 404:
                return None
            raise translate(error) from error

    async def jobs(self, namespace: str, uid: str) -> list[Raw]:
        """The Jobs that carry the Simulation's UID as a label."""
        found = self._client.list(Job, namespace=namespace, chunk_size=PAGE, labels={UID_LABEL: uid})
        try:
            return [cast(Raw, raw) async for raw in found]
        except ApiError as error:
            raise translate(error) from error

    async def pods(self, namespace: str, job: str, *, phase: str = "", most: int = 50) -> list[Raw]:
        """Up to `most` pods of a Job, all or those of one phase."""
        labels: LabelSelector = {"batch.kubernetes.io/job-name": job}
        fields: FieldSelector | None = {"status.phase": phase} if phase else None
        found = self._client.list(Pod, namespace=namespace, chunk_size=min(most, PAGE), labels=labels, fields=fields)
        pods: list[Raw] = []
        async for raw in found:
            pods.append(cast(Raw, raw))
            if len(pods) == most:
                break
        return pods

    async def gpu_offered(self, node_selector: Mapping[str, str]) -> bool | None:
        """Whether a schedulable node with these labels offers a GPU; None if nodes may not be read."""
        try:
            async for raw in self._client.list(Node, chunk_size=PAGE, labels=dict(node_selector) or None):
                node = cast(Raw, raw)
                offered = node.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", "0")
                if offered != "0" and not node.get("spec", {}).get("unschedulable", False):
                    return True
        except ApiError as error:
            if error.status.code == 403:
                return None
            raise
        return False

    async def namespace(self, name: str) -> Raw | None:
        """One Namespace, or None."""
        try:
            return cast(Raw, await self._client.get(Namespace, name))
        except ApiError as error:
            if error.status.code == 404:
                return None
            raise translate(error) from error

    async def namespace_terminating(self, namespace: str) -> bool:
        """Whether the namespace is being deleted."""
        try:
            found = cast(Raw, await self._client.get(Namespace, namespace))
        except ApiError as error:
            raise translate(error) from error
        return "deletionTimestamp" in found["metadata"]

    async def create(self, manifest: dict[str, Any]) -> Raw:
        """POST an object.

        Raises:
            AlreadyThere, NotTaken: as they say.
        """
        try:
            return await self._post(KINDS[manifest["kind"]], manifest)
        except ApiError as error:
            raise translate(error) from error

    async def _post(self, kind: Any, manifest: dict[str, Any]) -> Raw:
        return cast(Raw, await self._client.create(kind.from_dict(manifest), field_manager=RECONCILER))

    async def set_suspend(
        self, namespace: str, name: str, uid: str, *, suspend: bool, deadline: int | None = None
    ) -> Raw:
        """Suspend or resume a Job, if it is still the same; `deadline` is how long it may go on then, in seconds."""
        spec: dict[str, Any] = {"suspend": suspend}
        if deadline is not None:
            spec["activeDeadlineSeconds"] = deadline
        return await self._merge(Job, namespace, name, {"metadata": {"uid": uid}, "spec": spec})

    async def set_deadline(self, namespace: str, name: str, uid: str, seconds: int) -> Raw:
        """Set for how long a Job may run, if it is still the same."""
        body = {"metadata": {"uid": uid}, "spec": {"activeDeadlineSeconds": seconds}}
        return await self._merge(Job, namespace, name, body)

    async def _merge(self, kind: Any, namespace: str, name: str, body: dict[str, Any]) -> Raw:
        try:
            patched = await self._client.patch(
                kind, name, body, namespace=namespace, patch_type=PatchType.MERGE, field_manager=RECONCILER
            )
        except ApiError as error:
            raise translate(error) from error
        return cast(Raw, patched)

    async def delete_job(self, namespace: str, name: str, uid: str) -> None:
        """Delete a Job, after its pods."""
        await self._delete(Job, namespace, name, uid, CascadeType.FOREGROUND)

    async def delete_config_map(self, namespace: str, name: str, uid: str) -> None:
        """Delete a ConfigMap."""
        await self._delete(ConfigMap, namespace, name, uid, CascadeType.BACKGROUND)

    async def delete_simulation(self, key: Key, uid: str) -> None:
        """Delete a Simulation; the garbage collector takes its children."""
        await self._delete(Simulation, key.namespace, key.name, uid, CascadeType.BACKGROUND)

    async def _delete(self, kind: Any, namespace: str, name: str, uid: str, cascade: CascadeType) -> None:
        current = await self._get(kind, namespace, name)
        if current is None or current["metadata"]["uid"] != uid:
            return
        try:
            await self._client.delete(kind, name, namespace=namespace, cascade=cascade)
        except ApiError as error:
            if error.status.code != 404:
                raise translate(error) from error

    async def set_finalizer(self, key: Key, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]:
        """Add or remove a finalizer, leaving those of others alone; the finalizers that stand then.

        Raises:
            Conflict: if the Simulation changed meanwhile.
            NotThere: if it is gone.
        """
        raw = await self.simulation(key)
        if raw is None or raw["metadata"]["uid"] != uid:
            raise NotThere(f"{key.namespace}/{key.name}")
        others = [name for name in raw["metadata"].get("finalizers", ()) if name != finalizer]
        wanted = [*others, finalizer] if present else others
        meta = {"uid": uid, "resourceVersion": raw["metadata"]["resourceVersion"], "finalizers": wanted}
        await self._merge(Simulation, key.namespace, key.name, {"metadata": meta})
        return tuple(wanted)

    async def apply_status(self, key: Key, uid: str, status: dict[str, Any], *, manager: str) -> None:
        """Server-side apply of the fields of the status that `manager` owns.

        Raises:
            NotThere, Conflict: if the Simulation is gone or another one has its name.
        """
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": key.name, "namespace": key.namespace, "uid": uid},
            "status": status,
        }
        try:
            await self._client.patch(
                Simulation.Status,
                key.name,
                body,
                namespace=key.namespace,
                patch_type=PatchType.APPLY,
                field_manager=manager,
                force=True,
            )
        except ApiError as error:
            raise translate(error) from error

    async def tell(self, manifest: dict[str, Any]) -> None:
        """Create an Event."""
        try:
            await self._post(Event, manifest)
        except ApiError as error:
            raise translate(error) from error

    async def missing_crd(self) -> str | None:
        """Why Simulations cannot be listed, or None if they can."""
        namespace = self._namespaces[0] if self._namespaces else ALL_NS
        try:
            async for _ in self._client.list(Simulation, namespace=namespace, chunk_size=1):
                break
        except (ApiError, httpx2.HTTPError) as error:
            return str(error) or type(error).__name__
        return None

    async def unfinished(self) -> AsyncIterator[Raw]:
        """Simulations that are neither complete nor failed, page by page."""
        unfinished: FieldSelector = {"status.state": not_in([State.COMPLETE, State.FAILED])}
        for namespace in self._namespaces or (ALL_NS,):
            async for raw in self._client.list(Simulation, namespace=namespace, chunk_size=PAGE, fields=unfinished):
                yield cast(Raw, raw)

    async def jobs_of(self, uids: Mapping[Key, str]) -> AsyncIterator[Raw]:
        """The Jobs that carry the UID of one of these Simulations as a label, page by page.

        Naming the UIDs leaves out the Jobs of finished Simulations, of which there may be many more.
        """
        for namespace in self._namespaces or (ALL_NS,):
            here = [uid for key, uid in uids.items() if namespace in (ALL_NS, key.namespace)]
            for first in range(0, len(here), NAMED_UIDS):
                labels: LabelSelector = {UID_LABEL: here[first : first + NAMED_UIDS]}
                async for raw in self._client.list(Job, namespace=namespace, chunk_size=PAGE, labels=labels):
                    yield cast(Raw, raw)


class ApiLeases:
    """Stores the Lease on the API server."""

    def __init__(self, client: AsyncClient, *, namespace: str, name: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name

    async def read(self) -> Record | None:
        """The Lease, or None."""
        try:
            found = await self._client.get(Lease, self._name, namespace=self._namespace)
        except ApiError as error:
            if error.status.code == 404:
                return None
            raise
        return read_record(cast(Raw, found))

    async def write(self, record: Record) -> Record | None:
        """Create or replace the Lease; None if someone was faster."""
        body = Lease.from_dict(lease_manifest(record, namespace=self._namespace, name=self._name))
        try:
            if record.version:
                written = await self._client.replace(body)
            else:
                written = await self._client.create(body)
        except ApiError as error:
            if error.status.code in (404, 409):
                return None
            raise
        return read_record(cast(Raw, written))
