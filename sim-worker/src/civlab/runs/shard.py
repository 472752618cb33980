"""Runs one shard of a run: its members in batches, with checkpoints, to tables and a manifest.

What a shard leaves behind is a function of the run alone. Interruptions, batches, threads and devices change when
things are written, never what: a finished batch waits in the store as arrays until the whole shard is done, and only
then do the tables get written, in member order, by one writer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from civlab import __version__
from civlab.design import design_parameters
from civlab.errors import CivlabError
from civlab.results.declaration import Table
from civlab.results.manifest import MadeBy, ShardManifest
from civlab.results.outcome import BatchOutcome, batch_outcome
from civlab.results.tables import write_tables
from civlab.runs.batches import batch_size, free_memory
from civlab.runs.checkpoints import Checkpoint, FinishedBatch, RunningBatch, ShardCheckpoints
from civlab.runs.progress import ShardOutcome, ShardProgress, Watcher, unwatched
from civlab.runs.snapshots import decode_snapshot, encode_snapshot
from civlab.runs.spec import RunSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from civlab.store import Store

log = logging.getLogger(__name__)


def run_shard(
    spec: RunSpec,
    shard: int,
    store: Store,
    backend: Backend,
    *,
    checkpoint_every: int = 30,
    memory: int | None = None,
    keep_checkpoints: bool = False,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> ShardOutcome:
    """Run a shard to its end, from the newest checkpoint that stands, or until `stop()` is true.

    `memory` bounds the bytes of the worlds held at a time. `checkpoint_every` counts ticks; 0 checkpoints only on
    stopping. A shard whose manifest stands is done at once. Two may run one shard: an object that the other has
    deleted is no fault as long as the other has gone on since, and its newer checkpoint or results are taken up.
    Raises CivlabError; CHAIN_BROKEN and other broken invariants come from the runtime.
    """
    spec.save(store)
    while True:
        checkpoints = ShardCheckpoints(
            store, run_hash=spec.run_hash, shard=shard, shards=spec.shards, keep=keep_checkpoints
        )
        before = _standing(checkpoints, store, shard)
        work = _ShardWork(
            spec=spec,
            shard=shard,
            store=store,
            backend=backend,
            checkpoint_every=checkpoint_every,
            memory=free_memory() if memory is None else memory,
            checkpoints=checkpoints,
            on_progress=on_progress,
            stop=stop,
            clock=clock,
            members=spec.shard_range(shard),
        )
        try:
            return work.run()
        except CivlabError as fault:
            if fault.code != "STORE_OBJECT_MISSING" or _standing(checkpoints, store, shard) == before:
                raise
            log.info("%s; another writer of this shard has gone on since: looking again", fault)


def _standing(checkpoints: ShardCheckpoints, store: Store, shard: int) -> tuple[bool, list[str]]:
    """What changes whenever a writer of the shard gets on, and before it deletes what it no longer needs."""
    return ShardManifest.find(store, shard) is not None, checkpoints.manifests()


@dataclass
class _ShardWork:
    spec: RunSpec
    shard: int
    store: Store
    backend: Backend
    checkpoint_every: int
    memory: int
    checkpoints: ShardCheckpoints
    on_progress: Watcher
    stop: Callable[[], bool]
    clock: Callable[[], float]
    members: range
    finished: tuple[FinishedBatch, ...] = ()
    updates: int = 0
    busy: float = 0.0
    resumed: int = 0
    ticks_done: int = 0

    def run(self) -> ShardOutcome:
        if ShardManifest.find(self.store, self.shard) is not None:
            self.resumed = self.ticks_done = len(self.members) * self.spec.ticks
            return self._outcome(done=True)
        standing = self.checkpoints.take_up() or Checkpoint((), None)
        self.finished, running = standing.finished, standing.running
        self.resumed = self._ticks_done() + (running.tick * running.count if running else 0)
        while running or self._members_done() < len(self.members):
            if not self._run_batch(running):
                return self._outcome(done=False)
            running = None
        self._finish_shard()
        return self._outcome(done=True)

    def _run_batch(self, running: RunningBatch | None) -> bool:
        """Take one batch to its end; False when told to stop, with a checkpoint standing."""
        world, batch = self._resume(running) if running else self._begin()
        agents = sum(self.spec.agents(index) for index in batch)
        self._report(len(batch), world.tick)
        while world.tick < self.spec.ticks:
            if self.stop():
                self._checkpoint(world, batch)
                self._report(len(batch), world.tick, checkpoint=True)
                return False
            with self._working():
                world.advance(1)
            self.updates += agents
            due = self.checkpoint_every > 0 and world.tick % self.checkpoint_every == 0 and world.tick < self.spec.ticks
            if due:
                self._checkpoint(world, batch)
            self._report(len(batch), world.tick, checkpoint=due)
        self._finish(world, batch)
        return True

    def _begin(self) -> tuple[World, range]:
        first = self.members.start + self._members_done()
        left = range(first, self.members.stop)
        batch = left[: batch_size(self.spec, left, memory=self.memory)]
        return World.create(self.spec.model, self.spec.members(batch), seed=self.spec.seed, backend=self.backend), batch

    def _resume(self, running: RunningBatch) -> tuple[World, range]:
        batch = range(running.first, running.first + running.count)
        snapshot = decode_snapshot(running.facts, running.arrays)
        members = self.spec.members(batch)
        world = World.restore(self.spec.model, members, seed=self.spec.seed, backend=self.backend, snapshot=snapshot)
        return world, batch

    def _checkpoint(self, world: World, batch: range) -> None:
        facts, arrays = encode_snapshot(world.passing_snapshot())
        running = RunningBatch(batch.start, len(batch), world.tick, facts, arrays)
        self.checkpoints.save(Checkpoint(self.finished, running))

    def _finish(self, world: World, batch: range) -> None:
        with self._working():
            outcome = batch_outcome(world, self._tables(), first=batch.start)
        arrays = self.checkpoints.write_arrays(outcome.arrays())
        self.finished += (FinishedBatch(batch.start, len(batch), arrays),)
        self.checkpoints.save(Checkpoint(self.finished, None))

    def _finish_shard(self) -> None:
        """Write the results, unless another writer of this shard was quicker and has cleared what they are made of."""
        try:
            self._write_results()
        except CivlabError as fault:
            if fault.code != "STORE_OBJECT_MISSING" or ShardManifest.find(self.store, self.shard) is None:
                raise
        self.checkpoints.clear()

    def _write_results(self) -> None:
        files = write_tables(
            self._outcomes(),
            self.spec.points,
            store=self.store,
            shard=self.shard,
            results=self.spec.results,
            schemas=self.spec.schemas,
            rows_a_member=self._most_rows(),
            parameters=design_parameters(self.spec.ensemble),
        )
        digests = tuple(bytes(row).hex() for batch in self.finished for row in self._digests(batch))
        ShardManifest(
            run=self.spec.run_hash,
            shard=self.shard,
            shards=self.spec.shards,
            first=self.members.start,
            digests=digests,
            tables=files,
            made_by=MadeBy(version=__version__, backend=self.backend.name),
        ).save(self.store)

    def _outcomes(self) -> Iterator[BatchOutcome]:
        for batch in self.finished:
            arrays = self.checkpoints.read_arrays(batch.arrays)
            yield BatchOutcome.from_arrays(batch.first, self.spec.model.metrics, self._tables(), arrays)

    def _digests(self, batch: FinishedBatch) -> NDArray[Any]:
        stored = tuple(item for item in batch.arrays if item.name == "digests")
        return self.checkpoints.read_arrays(stored)["digests"]

    @contextmanager
    def _working(self) -> Iterator[None]:
        started = self.clock()
        yield
        self.busy += self.clock() - started

    def _tables(self) -> tuple[Table, ...]:
        return self.spec.results.written(on_request=self.spec.transmissions)

    def _most_rows(self) -> int:
        """The most rows that a member of this shard may have in any table."""
        bounds = [table.most_rows for table in self._tables() if table.most_rows is not None]
        points = {self.spec.points[index].values: self.spec.points[index] for index in self.members} if bounds else {}
        scenarios = [self.spec.scenario_of(point) for point in points.values()]
        return max([self.spec.ticks, *(bound(scenario) for bound in bounds for scenario in scenarios)])

    def _members_done(self) -> int:
        return sum(batch.count for batch in self.finished)

    def _ticks_done(self) -> int:
        return self._members_done() * self.spec.ticks

    def _report(self, size: int, tick: int, *, checkpoint: bool = False) -> None:
        self.ticks_done = self._ticks_done() + size * tick
        self.on_progress(
            ShardProgress(
                shard=self.shard,
                shards=self.spec.shards,
                members=len(self.members),
                members_done=self._members_done() + (size if tick == self.spec.ticks else 0),
                ticks_done=self.ticks_done,
                ticks_total=len(self.members) * self.spec.ticks,
                agent_updates=self.updates,
                busy_seconds=self.busy,
                checkpoint=checkpoint,
            )
        )

    def _outcome(self, *, done: bool) -> ShardOutcome:
        return ShardOutcome(
            shard=self.shard,
            done=done,
            members=len(self.members),
            ticks_done=self.ticks_done,
            ticks_total=len(self.members) * self.spec.ticks,
            agent_updates=self.updates,
            busy_seconds=self.busy,
            resumed_ticks=self.resumed,
        )
