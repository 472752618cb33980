"""Finds where two runs part: the first member, tick, phase, column and agent in which they differ.

Stored results cannot say it (a table knows no agents), so both runs are replayed side by side, from the last
checkpoint at which they still agreed if they kept any. Chains cannot be compared either when scenarios differ, since
a chain begins with its scenario; the columns themselves are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from civlab.errors import CivlabError
from civlab.results.manifest import RunManifest, ShardManifest
from civlab.runs.checkpoints import ShardCheckpoints
from civlab.runs.snapshots import decode_snapshot
from civlab.runs.spec import RunSpec
from civlab.runtime.backend import Backend
from civlab.runtime.columns import metric_cells
from civlab.runtime.snapshot import Snapshot
from civlab.runtime.world import World
from civlab.store import Store

BEFORE_THE_FIRST_TICK = -1


@dataclass(frozen=True)
class Difference:
    """Where two runs part.

    `tick` is -1 for what differs before the first tick, and `phase` is then "start". `column` names a column of the
    state or, where all states agree, "metric …" or "scenario". `agent` is the number of an entity of that `kind`
    within its member, None where the column has no entities.
    `replayed_from` is the tick of the common checkpoint that was used, 0 for the beginning.
    """

    member: int
    tick: int
    phase: str
    column: str
    agent: int | None
    first: str
    second: str
    replayed_from: int
    kind: str = "agent"


def diff_runs(first: Store, second: Store, backend: Backend, *, member: int | None = None) -> Difference | None:
    """The first difference of the first member whose digests differ (or of `member`); None when there is none.

    Raises CivlabError MEMBERS_OUT_OF_RANGE when a run lacks the member, and what loading a run raises.
    """
    sides = (_Side(first, backend), _Side(second, backend))
    models = [side.spec.scenario.model for side in sides]
    if models[0] != models[1]:
        return Difference(member or 0, BEFORE_THE_FIRST_TICK, "start", "model", None, models[0], models[1], 0)
    shared = min(side.members for side in sides)
    if member is not None and not 0 <= member < shared:
        raise CivlabError("MEMBERS_OUT_OF_RANGE", "--member", f"{member} is not within 0..{shared - 1}")
    digests = [side.digests() for side in sides]
    if all(digests):
        candidates = range(shared) if member is None else [member]
        member = next((index for index in candidates if digests[0][index] != digests[1][index]), None)
        if member is None:
            return _other_sizes(sides, shared)
    return _first_difference(sides, member or 0)


class _Side:
    """One of the two runs."""

    def __init__(self, store: Store, backend: Backend) -> None:
        self.store, self.backend = store, backend
        self.spec = RunSpec.load(store)
        self.members = self.spec.ensemble.members

    def digests(self) -> list[str]:
        """The members' stored digests, empty while the run is not complete."""
        if RunManifest.find(self.store) is None:
            return []
        manifests = [ShardManifest.find(self.store, shard) for shard in range(self.spec.shards)]
        return [digest for manifest in manifests if manifest is not None for digest in manifest.digests]

    def world(self, member: int, snapshot: Snapshot | None) -> World:
        """The member alone, from the start or from a snapshot."""
        specs = self.spec.members([member])
        if snapshot is None:
            return World.create(self.spec.model, specs, seed=self.spec.seed, backend=self.backend)
        return World.restore(self.spec.model, specs, seed=self.spec.seed, backend=self.backend, snapshot=snapshot)

    def snapshots(self, member: int) -> dict[int, Snapshot]:
        """Kept checkpoints that hold the member, by tick."""
        found: dict[int, Snapshot] = {}
        shard = next(number for number in range(self.spec.shards) if member in self.spec.shard_range(number))
        checkpoints = ShardCheckpoints(
            self.store, run_hash=self.spec.run_hash, shard=shard, shards=self.spec.shards, keep=True
        )
        for path in checkpoints.manifests():
            checkpoint = checkpoints.load(path)
            running = checkpoint.running if checkpoint else None
            if running and running.first <= member < running.first + running.count:
                found[running.tick] = decode_snapshot(running.facts, running.arrays)
        return found


def _first_difference(sides: tuple[_Side, _Side], member: int) -> Difference | None:
    snapshots = _common_snapshots(sides, member)
    start = snapshots[0].tick if snapshots else 0
    worlds = [side.world(member, snapshots[place] if snapshots else None) for place, side in enumerate(sides)]
    different = _static_difference(worlds, member, start)
    if different is not None:
        return different
    for tick in range(start, min(world.ticks for world in worlds)):
        for world in worlds:
            world.advance(1)
        if not _agree(worlds):
            again = [side.world(member, snapshots[place] if snapshots else None) for place, side in enumerate(sides)]
            for world in again:
                world.advance(tick - start)
            return _within_tick(again, worlds, member, tick, start)
    if worlds[0].ticks != worlds[1].ticks:
        lengths = [world.ticks for world in worlds]
        return Difference(member, min(lengths), "end", "ticks", None, str(lengths[0]), str(lengths[1]), start)
    return _scenario_difference(sides, member, start)


def _common_snapshots(sides: tuple[_Side, _Side], member: int) -> tuple[Snapshot, Snapshot] | None:
    """The last pair of checkpoints of one tick at which the member was in the same state in both runs."""
    found = [side.snapshots(member) for side in sides]
    for tick in sorted(found[0].keys() & found[1].keys(), reverse=True):
        pair = (found[0][tick], found[1][tick])
        places = [snapshot.members.index(member) for snapshot in pair]
        histories = [snapshot.histories["history"][:, place] for snapshot, place in zip(pair, places, strict=True)]
        if pair[0].states[places[0]] == pair[1].states[places[1]] and np.array_equal(histories[0], histories[1]):
            return pair
    return None


def _static_difference(worlds: list[World], member: int, start: int) -> Difference | None:
    for column in worlds[0].model.static:
        values = [world.member_column(column.name, 0) for world in worlds]
        place = _first_place(values[0], values[1])
        if place is not None:
            shown = [_shown(value, place) for value in values]
            return Difference(
                member,
                BEFORE_THE_FIRST_TICK,
                "start",
                column.name,
                None if column.per == "member" else place,
                shown[0],
                shown[1],
                start,
                column.per,
            )
    return None


def _agree(worlds: list[World]) -> bool:
    """Whether both members are in the same state with the same metrics of the last tick."""
    tick = worlds[0].tick
    return bool(
        np.array_equal(worlds[0].download("column_digest"), worlds[1].download("column_digest"))
        and np.array_equal(worlds[0].history(tick - 1, tick), worlds[1].history(tick - 1, tick))
    )


def _within_tick(before: list[World], after: list[World], member: int, tick: int, start: int) -> Difference:
    """Run the tick again phase by phase, and compare every column after each."""
    model = before[0].model
    for phase in model.phases:
        for world in before:
            world.run_phase(phase)
            world.backend.finish()
        for column in model.dynamic:
            values = [world.member_column(column.name, 0) for world in before]
            place = _first_place(values[0], values[1])
            if place is not None:
                shown = [_shown(value, place) for value in values]
                entity = None if column.per == "member" else place
                return Difference(member, tick, phase.name, column.name, entity, shown[0], shown[1], start, column.per)
    rows = [world.history(tick, tick + 1)[0, 0] for world in after]
    cell = int(np.flatnonzero(rows[0] != rows[1])[0])
    metric = next(name for name, first in reversed(metric_cells(model.metrics).items()) if first <= cell)
    shown = [str(world.metrics(tick, tick + 1)[metric][0, 0]) for world in after]
    return Difference(member, tick, model.phases[-1].name, f"metric {metric}", None, shown[0], shown[1], start)


def _scenario_difference(sides: tuple[_Side, _Side], member: int, start: int) -> Difference | None:
    """Equal courses under other scenarios, seeds or streams: the digests differ by what they began with alone."""
    names = [side.spec.members([member])[0] for side in sides]
    for column, values in (
        ("scenario", [spec.scenario.digest.hex() for spec in names]),
        ("seed", [str(side.spec.seed) for side in sides]),
        ("stream", [str(spec.stream) for spec in names]),
    ):
        if values[0] != values[1]:
            return Difference(member, BEFORE_THE_FIRST_TICK, "start", column, None, values[0], values[1], start)
    return None


def _other_sizes(sides: tuple[_Side, _Side], shared: int) -> Difference | None:
    counts = [side.members for side in sides]
    if counts[0] == counts[1]:
        return None
    return Difference(shared, BEFORE_THE_FIRST_TICK, "start", "members", None, str(counts[0]), str(counts[1]), 0)


def _first_place(left: np.ndarray, right: np.ndarray) -> int | None:
    length = min(len(left), len(right))
    bits = [np.ascontiguousarray(side[:length]).view(f"u{side.itemsize}") for side in (left, right)]
    unequal = bits[0] != bits[1]
    places = np.flatnonzero(unequal if unequal.ndim == 1 else unequal.any(axis=1))
    if places.size:
        return int(places[0])
    return None if len(left) == len(right) else length


def _shown(values: np.ndarray, place: int) -> str:
    return str(values[place]) if place < len(values) else "(none)"
