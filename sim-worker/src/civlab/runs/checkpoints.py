"""Checkpoints of one shard: what it needs to go on elsewhere, to the same bits.

A checkpoint is a sealed manifest, written after everything it names; the newest two are kept, so that one that turns
out to be damaged costs the ticks since the other and never a wrong result. Objects are kept per shard, because a
shard may then delete its own without asking who else uses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import NDArray

from civlab import __version__
from civlab.errors import CivlabError
from civlab.runs.arrays import StoredArray, check_array, read_array, write_array
from civlab.runtime.snapshot import MadeArrays
from civlab.store import Store
from civlab.store.sealed import seal, unseal

FORMAT = "civlab.checkpoint/2"
KEPT = 2

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class FinishedBatch:
    """Members that have reached the end: their results stand in the store as arrays."""

    first: int
    count: int
    arrays: tuple[StoredArray, ...]


@dataclass(frozen=True)
class RunningBatch:
    """Members that are on their way: how many ticks they have done and the state they are in."""

    first: int
    count: int
    tick: int
    facts: dict[str, Any]
    arrays: Mapping[str, NDArray[Any]]
    """Read or made when they are asked for, one at a time, as they are together as large as the world."""


@dataclass(frozen=True)
class Checkpoint:
    """What stands of one shard."""

    finished: tuple[FinishedBatch, ...]
    running: RunningBatch | None


class ShardCheckpoints:
    """The checkpoints of one shard of one run; `keep` leaves them all in place, for `diff`."""

    def __init__(self, store: Store, *, run_hash: str, shard: int, shards: int, keep: bool = False) -> None:
        self._store = store
        self._identity = {"format": FORMAT, "version": __version__, "run": run_hash, "shard": shard, "shards": shards}
        self._folder = f"checkpoints/{shard:05d}"
        self._objects = f"{self._folder}/objects"
        self._keep = keep
        self._standing: dict[str, frozenset[str]] = {}

    def write_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> tuple[StoredArray, ...]:
        """Store arrays for a later checkpoint to name."""
        return tuple(write_array(self._store, self._objects, name, array) for name, array in arrays.items())

    def read_arrays(self, stored: Iterable[StoredArray]) -> Arrays:
        """Arrays by name. Raises CivlabError STORE_OBJECT_MISSING or STORE_OBJECT_DAMAGED."""
        return {item.name: read_array(self._store, self._objects, item) for item in stored}

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, the manifest last, and forget the ones that are now too old."""
        running = checkpoint.running
        chunks = self.write_arrays(running.arrays) if running else ()
        end = max((batch.first + batch.count for batch in checkpoint.finished), default=0)
        first, tick = (running.first, running.tick) if running else (end, 0)
        document = {
            **self._identity,
            "finished": [
                {"first": batch.first, "count": batch.count, "arrays": [item.document() for item in batch.arrays]}
                for batch in checkpoint.finished
            ],
            "running": running
            and {
                "first": first,
                "count": running.count,
                "tick": tick,
                "facts": running.facts,
                "arrays": [chunk.document() for chunk in chunks],
            },
        }
        path = f"{self._folder}/{first:09d}-{tick:09d}.json"
        self._store.put(path, seal(document))
        named = {item.blake3 for batch in checkpoint.finished for item in batch.arrays}
        self._standing[path] = frozenset(named.union(chunk.blake3 for chunk in chunks))
        if not self._keep:
            self._prune()

    def take_up(self) -> Checkpoint | None:
        """The newest checkpoint that is whole: every chunk that it names is read once and its hash checked.

        Those that are not are deleted, lest they count among the newest when older ones are forgotten.
        """
        for path in reversed(self.manifests()):
            found = self.load(path)
            if found is not None:
                return found
            self._store.delete([path])
        return None

    def manifests(self) -> list[str]:
        """Paths of the checkpoints' manifests, oldest first."""
        return [path for path in self._store.list(self._folder) if path.endswith(".json")]

    def load(self, path: str) -> Checkpoint | None:
        """One checkpoint, or None when it is damaged, or another run's or another version's.

        Raises CivlabError CHECKPOINT_FORMAT_UNKNOWN for one that was written in another form.
        """
        try:
            document = unseal(self._store.get(path), address=self._store.address(path))
            if document.get("format") != FORMAT:
                raise CivlabError(
                    "CHECKPOINT_FORMAT_UNKNOWN",
                    self._store.address(path),
                    f"is of format {document.get('format')!r}; this version reads {FORMAT}: go on with the version "
                    "that wrote it, or delete the checkpoints and run anew",
                )
            if {name: document.get(name) for name in self._identity} != self._identity:
                return None
            checkpoint = self._decode(document)
            for batch in checkpoint.finished:
                self._check(batch.arrays)
        except CivlabError as fault:
            if fault.code not in {"STORE_OBJECT_DAMAGED", "STORE_OBJECT_MISSING"}:
                raise
            return None
        except (KeyError, TypeError, ValueError):
            return None
        named = {item["blake3"] for batch in document["finished"] for item in batch["arrays"]}
        if document["running"]:
            named |= {item["blake3"] for item in document["running"]["arrays"]}
        self._standing[path] = frozenset(named)
        return checkpoint

    def clear(self) -> None:
        """Delete everything; called when the shard's results stand."""
        if not self._keep:
            self._store.delete(reversed(self._store.list(self._folder)))
            self._standing.clear()

    def _decode(self, document: dict[str, Any]) -> Checkpoint:
        finished = tuple(
            FinishedBatch(
                batch["first"], batch["count"], tuple(StoredArray.from_document(item) for item in batch["arrays"])
            )
            for batch in document["finished"]
        )
        stored = document["running"]
        if not stored:
            return Checkpoint(finished, None)
        chunks = [StoredArray.from_document(item) for item in stored["arrays"]]
        self._check(chunks)
        arrays = MadeArrays({item.name: partial(read_array, self._store, self._objects, item) for item in chunks})
        return Checkpoint(
            finished, RunningBatch(stored["first"], stored["count"], stored["tick"], stored["facts"], arrays)
        )

    def _check(self, stored: Iterable[StoredArray]) -> None:
        for item in stored:
            check_array(self._store, self._objects, item)

    def _prune(self) -> None:
        paths = self.manifests()
        old, kept = paths[:-KEPT], paths[-KEPT:]
        needed = frozenset[str]().union(*(self._standing.get(path, frozenset()) for path in kept))
        unknown = any(path not in self._standing for path in kept)
        for path in old:
            self._store.delete([path])
            orphans = self._standing.pop(path, frozenset()) - needed
            if not unknown:
                self._store.delete(f"{self._objects}/{name}" for name in sorted(orphans))
