"""Manifests: what a shard and a whole run vouch for, as sealed JSON.

A manifest is written once, after everything that it names. `made_by` (version and device) stands in it for the
record and is no part of what two writers must agree on, because results may not depend on either.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from civlab.errors import CivlabError
from civlab.results.headline import Spread
from civlab.results.tables import TableFile
from civlab.store import Store
from civlab.store.sealed import canonical_json, seal, unseal

SHARD_FORMAT = "civlab.shard/1"
RUN_FORMAT = "civlab.manifest/1"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class MadeBy:
    """Which version wrote something, on which device."""

    version: str
    backend: str


@dataclass(frozen=True)
class ShardManifest:
    """One shard's results: its members, their digests (hexadecimal, in order) and its part of each table."""

    run: str
    shard: int
    shards: int
    first: int
    digests: tuple[str, ...]
    tables: tuple[TableFile, ...]
    made_by: MadeBy

    @staticmethod
    def path(shard: int) -> str:
        """Where a shard's manifest lives below the run's prefix."""
        return f"shards/{shard:05d}.json"

    @classmethod
    def find(cls, store: Store, shard: int) -> ShardManifest | None:
        """The manifest of a shard, or None when it has none yet. Raises STORE_OBJECT_DAMAGED."""
        path = cls.path(shard)
        data = store.find(path)
        return None if data is None else _decode(cls, SHARD_FORMAT, data, store.address(path))

    def save(self, store: Store) -> ShardManifest:
        """Write it once; an equal one by another writer stands. Raises STORE_CONFLICT when another one differs."""
        try:
            store.put_once(self.path(self.shard), seal({"format": SHARD_FORMAT, **asdict(self)}))
        except CivlabError as fault:
            standing = self.find(store, self.shard) if fault.code == "STORE_CONFLICT" else None
            if standing is None or standing.results != self.results:
                raise
            return standing
        return self

    @property
    def results(self) -> tuple[object, ...]:
        """All but who made it."""
        return (self.run, self.shard, self.shards, self.first, self.digests, self.tables)


@dataclass(frozen=True)
class RunManifest:
    """A whole run: its digest, what it was, its headline figures and every file of every table."""

    digest: str
    run: str
    scenario: str
    title: str
    seed: int
    ticks: int
    members: int
    shards: int
    parameters: tuple[str, ...]
    metrics: tuple[Spread, ...]
    tables: tuple[TableFile, ...]
    made_by: tuple[MadeBy, ...]

    @classmethod
    def find(cls, store: Store) -> RunManifest | None:
        """The run's manifest, or None when the run is not complete. Raises STORE_OBJECT_DAMAGED."""
        data = store.find(MANIFEST)
        return None if data is None else _decode(cls, RUN_FORMAT, data, store.address(MANIFEST))

    @classmethod
    def load(cls, store: Store) -> RunManifest:
        """The run's manifest. Raises RUN_NOT_COMPLETE when there is none, and STORE_OBJECT_DAMAGED."""
        manifest = cls.find(store)
        if manifest is None:
            raise CivlabError(
                "RUN_NOT_COMPLETE",
                store.url,
                f"has no {MANIFEST}: there is no run here, or it is not complete; `civlab resume` goes on with one",
            )
        return manifest

    def save(self, store: Store) -> None:
        """Write it once. Raises STORE_CONFLICT when another one stands."""
        store.put_once(MANIFEST, seal({"format": RUN_FORMAT, **asdict(self)}, readable=True))

    def files(self, table: str) -> tuple[TableFile, ...]:
        """The files of one table, in member order; none when the run did not write it."""
        return tuple(item for item in self.tables if item.table == table)


Manifest = TypeVar("Manifest", ShardManifest, RunManifest)


def _decode(kind: type[Manifest], known: str, data: bytes, address: str) -> Manifest:
    """The manifest in sealed bytes, every field of its declared type. Raises STORE_OBJECT_DAMAGED."""
    document = unseal(data, address=address)
    stated = document.pop("format", None)
    try:
        if stated != known:
            raise ValueError(f"format {stated!r} is not {known}")
        return TypeAdapter(kind).validate_json(canonical_json(document), strict=True)
    except ValueError as fault:
        raise CivlabError("STORE_OBJECT_DAMAGED", address, f"is no manifest that this version reads: {fault}") from None
