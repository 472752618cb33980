"""Runs a whole ensemble in this process: all shards in order, then the manifest.

This is what the shell does; a cluster runs the same shards in pods of their own and collects them with the same
function, which is why both end in the same digest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from civlab.errors import CivlabError
from civlab.results.manifest import MANIFEST, RunManifest
from civlab.runs.collect import collect
from civlab.runs.progress import Watcher, unwatched
from civlab.runs.shard import run_shard
from civlab.runs.spec import RUN_FILE, RunSpec
from civlab.runtime.backend import Backend
from civlab.store import Store

OWN_FILES = (RUN_FILE, MANIFEST, "report.html")
OWN_FOLDERS = ("checkpoints/", "shards/", "tables/")


@dataclass(frozen=True)
class WholeRun:
    """How a run ended: with a manifest, or stopped with work left (`manifest` None)."""

    manifest: RunManifest | None
    members: int
    ticks_done: int
    ticks_total: int
    agent_updates: int
    busy_seconds: float
    wall_seconds: float
    resumed_ticks: int

    @property
    def agent_updates_per_second(self) -> int:
        """Agents times ticks per second of kernel time, in this process."""
        return round(self.agent_updates / self.busy_seconds) if self.busy_seconds else 0


def claim_place(spec: RunSpec, store: Store, *, force: bool = False) -> None:
    """Make the store's prefix this run's own.

    A place that holds the same run is kept, so that it goes on where it stands. Raises CivlabError PLACE_TAKEN when
    something else is there; `force` deletes another run's files first, and never anything else.
    """
    names = store.list("")
    if not names:
        spec.save(store)
        return
    own = [name for name in names if name in OWN_FILES or name.startswith(OWN_FOLDERS)]
    if len(own) < len(names):
        strange = next(name for name in names if name not in own)
        raise CivlabError(
            "PLACE_TAKEN",
            store.url,
            f"holds files that are not a run's ({strange}, …); choose an empty or a new place",
        )
    if RUN_FILE in names and _same_run(spec, store):
        return
    if not force:
        raise CivlabError(
            "PLACE_TAKEN",
            store.url,
            "holds another run; choose another place, go on with that one (civlab resume), "
            "or delete it by running again with --force",
        )
    store.delete([name for name in own if name != RUN_FILE])
    store.delete([RUN_FILE])
    spec.save(store)


def run_whole(
    spec: RunSpec,
    store: Store,
    backend: Backend,
    *,
    checkpoint_every: int = 30,
    memory: int | None = None,
    keep_checkpoints: bool = False,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> WholeRun:
    """Run every shard and collect them, or stop at a checkpoint when `stop()` is true."""
    started = time.monotonic()
    ticks = updates = resumed = 0
    busy = 0.0
    manifest: RunManifest | None = None
    for shard in range(spec.shards):
        outcome = run_shard(
            spec,
            shard,
            store,
            backend,
            checkpoint_every=checkpoint_every,
            memory=memory,
            keep_checkpoints=keep_checkpoints,
            on_progress=on_progress,
            stop=stop,
        )
        ticks += outcome.ticks_done
        updates += outcome.agent_updates
        busy += outcome.busy_seconds
        resumed += outcome.resumed_ticks
        if not outcome.done:
            break
    else:
        manifest = RunManifest.find(store) or collect(spec, store)
    return WholeRun(
        manifest=manifest,
        members=spec.ensemble.members,
        ticks_done=ticks,
        ticks_total=spec.ensemble.members * spec.ticks,
        agent_updates=updates,
        busy_seconds=busy,
        wall_seconds=time.monotonic() - started,
        resumed_ticks=resumed,
    )


def _same_run(spec: RunSpec, store: Store) -> bool:
    try:
        standing = RunSpec.load(store)
    except CivlabError as fault:
        if fault.code in {"STORE_OBJECT_DAMAGED", "RUN_FORMAT_UNKNOWN"}:
            return False
        raise
    return standing.document() == spec.document()
