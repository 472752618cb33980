"""What the operator asks of the API server about Ventures and their namespaces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

from lightkube import ApiError, AsyncClient
from lightkube.types import PatchType

from parpour_contracts import API_VERSION
from parpour_contracts.venture import KIND
from parpour_operator.cluster import GIVEN, PAGE, RECONCILER, Cluster, Namespace, NotThere, Venture, translate
from parpour_operator.observing import Raw


class VentureCluster:
    """`VentureApi` over lightkube."""

    def __init__(self, client: AsyncClient, cluster: Cluster) -> None:
        self._client = client
        self._cluster = cluster

    async def venture(self, name: str) -> Raw | None:
        """One Venture."""
        try:
            return cast(Raw, await self._client.get(Venture, name))
        except ApiError as error:
            if error.status.code == 404:
                return None
            raise translate(error) from error

    async def ventures(self) -> AsyncIterator[Raw]:
        """All of them, page by page."""
        async for raw in self._client.list(Venture, chunk_size=PAGE):
            yield cast(Raw, raw)

    async def namespace(self, name: str) -> Raw | None:
        """One Namespace."""
        return await self._cluster.namespace(name)

    async def create(self, manifest: dict[str, Any]) -> Raw:
        """POST a Namespace."""
        return await self._cluster.create(manifest)

    async def apply_object(self, manifest: dict[str, Any]) -> None:
        """Server-side apply of an object that a namespace is given.

        Raises:
            NotTaken, Conflict, NotThere: as they say.
        """
        meta = manifest["metadata"]
        try:
            await self._client.patch(
                GIVEN[manifest["kind"]],
                meta["name"],
                manifest,
                namespace=meta["namespace"],
                patch_type=PatchType.APPLY,
                field_manager=RECONCILER,
                force=True,
            )
        except ApiError as error:
            raise translate(error) from error

    async def delete_namespace(self, name: str, uid: str) -> None:
        """Delete a Namespace, if it is still the same."""
        there = await self._cluster.namespace(name)
        if there is None or there["metadata"]["uid"] != uid:
            return
        try:
            await self._client.delete(Namespace, name)
        except ApiError as error:
            if error.status.code != 404:
                raise translate(error) from error

    async def set_venture_finalizer(self, name: str, uid: str, finalizer: str, *, present: bool) -> tuple[str, ...]:
        """Add or remove a finalizer, leaving those of others alone; the finalizers that stand then.

        Raises:
            Conflict: if the Venture changed meanwhile.
            NotThere: if it is gone.
        """
        raw = await self.venture(name)
        if raw is None or raw["metadata"]["uid"] != uid:
            raise NotThere(name)
        others = [one for one in raw["metadata"].get("finalizers", ()) if one != finalizer]
        wanted = [*others, finalizer] if present else others
        body = {"metadata": {"uid": uid, "resourceVersion": raw["metadata"]["resourceVersion"], "finalizers": wanted}}
        try:
            await self._client.patch(Venture, name, body, patch_type=PatchType.MERGE, field_manager=RECONCILER)
        except ApiError as error:
            raise translate(error) from error
        return tuple(wanted)

    async def apply_venture_status(self, name: str, uid: str, status: dict[str, Any]) -> None:
        """Server-side apply of the status.

        Raises:
            NotThere, Conflict: if the Venture is gone or another one has its name.
        """
        meta = {"name": name, "uid": uid}
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "status": status}
        try:
            await self._client.patch(
                Venture.Status, name, body, patch_type=PatchType.APPLY, field_manager=RECONCILER, force=True
            )
        except ApiError as error:
            raise translate(error) from error
