"""A batch of members that advances tick by tick: the one object that the layers above hold.

Members lie side by side in the same arrays. Nothing that a member does depends on which others share its batch, on
threads or on the backend; the tests hold that as a property.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from civlab.errors import CivlabError
from civlab.runtime.arrays import Arrays, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.chain import hash_arrays, head_bytes, head_words, member_digest
from civlab.runtime.columns import Column, metric_values
from civlab.runtime.model import Model
from civlab.runtime.phases import Phase, Timing
from civlab.runtime.schedule import Launch
from civlab.runtime.snapshot import MadeArrays, Snapshot


class World:
    """Members of an ensemble in one batch on one backend; make it with `create` or `restore`."""

    fused = True
    """Whether phases that need no barrier share a launch; if not, each is timed, and may be watched, by itself."""

    def __init__(self, members: Sequence[MemberSpec[Any]], arrays: Arrays) -> None:
        self.members = tuple(members)
        self.arrays = arrays
        self.model = arrays.model
        self.backend = arrays.backend
        self.tick = 0
        self.ticks = members[0].scenario.ticks
        self.timings: dict[str, Timing] = {}
        """What launches have cost so far, by their names."""
        self.starts = [self.start_digest(number) for number in range(len(members))]
        heads = np.concatenate([head_words(start) for start in self.starts])
        arrays.put("head", self.backend.upload(heads))

    @classmethod
    def create(cls, model: Model, members: Sequence[MemberSpec[Any]], *, seed: int, backend: Backend) -> World:
        """A world at tick 0, everything in it generated.

        Raises ValueError if there is no member or their scenarios differ in length, CivlabError SEED_OUT_OF_RANGE or
        WORLD_TOO_LARGE, and MemoryError if the arrays do not fit.
        """
        if not members or len({member.scenario.ticks for member in members}) != 1:
            raise ValueError("a world needs at least one member, and all of one number of ticks")
        if not 0 <= seed < 1 << 64:
            raise CivlabError("SEED_OUT_OF_RANGE", "seed", "give a whole number from 0 to 2^64 - 1")
        arrays = model.arrange(members, seed=seed, backend=backend)
        model.generate(arrays)
        world = cls(members, arrays)
        arrays.put("column_digest", backend.upload(world.recount().reshape(-1)))
        return world

    @classmethod
    def restore(
        cls, model: Model, members: Sequence[MemberSpec[Any]], *, seed: int, backend: Backend, snapshot: Snapshot
    ) -> World:
        """A world that goes on from a snapshot; the batch may be another than the one that was saved.

        Raises CivlabError SNAPSHOT_MISMATCH if a member is missing or its start differs (another seed, scenario or
        version), and CHAIN_BROKEN if its state is not the one that was saved.
        """
        world = cls.create(model, members, seed=seed, backend=backend)
        source = []
        for number, member in enumerate(members):
            if member.index not in snapshot.members:
                message = f"member {member.index} is not in the snapshot"
                raise CivlabError("SNAPSHOT_MISMATCH", "snapshot", message)
            place = snapshot.members.index(member.index)
            if snapshot.starts[place] != world.starts[number]:
                message = f"member {member.index} began with another seed, scenario or version; run it anew"
                raise CivlabError("SNAPSHOT_MISMATCH", "snapshot", message)
            source.append(place)
        world.take_up(snapshot, source)
        return world

    def take_up(self, snapshot: Snapshot, source: Sequence[int]) -> None:
        """Sets tick, state, heads and histories of a restored world, and checks the state against the snapshot."""
        self.tick = snapshot.tick
        self.arrays.put("head", self.backend.upload(snapshot.heads[list(source)].astype("u4").reshape(-1)))
        for column in (*self.model.dynamic, *self.model.histories):
            saved = (snapshot.histories if column.role == "history" else snapshot.columns)[column.name]
            values = self.download(column.name)
            if values.size == 0:
                continue  # no member here has any of the kind
            rows = values.reshape(-1, self.arrays.sizes[column.per], column.width)
            saved = saved.reshape(-1, sum(snapshot.counts[column.per]), column.width)
            for number, place in enumerate(source):
                rows[: len(saved), self.within(column.per, number)] = saved[:, snapshot.segment(column.per, place)]
            self.backend.overwrite(self.arrays.column[column.name], values)
        for number, place in enumerate(source):
            if self.state_digest(number) != snapshot.states[place]:
                raise broken(self.members[number].index, "state", "the saved columns are not the ones that were hashed")
        if self.tick > 0 and self.model.restored:
            self.model.restored(self)
        self.arrays.put("column_digest", self.backend.upload(self.recount().reshape(-1)))

    def advance(self, ticks: int = 1) -> None:
        """Runs whole ticks.

        Raises CivlabError RUN_AT_END beyond the scenario's ticks, and CONSERVATION_BROKEN with member, place and tick
        if an invariant of the model was broken.
        """
        if self.tick + ticks > self.ticks:
            raise CivlabError("RUN_AT_END", "ticks", f"the scenario has {self.ticks} ticks; {self.tick} are done")
        for _ in range(ticks):
            if self.fused:
                for launch in self.model.launches:
                    self.run_launch(launch)
            else:
                for phase in self.model.phases:
                    self.run_phase(phase)
            self.tick += 1
        self.backend.finish()
        fault = self.model.fault(self)
        if fault is not None:
            path = f"member {self.members[fault.number].index}" + (f", {fault.where}" if fault.where else "")
            raise CivlabError(fault.code, path, fault.message)

    def run_phase(self, phase: Phase) -> None:
        """Runs one phase of the current tick by itself and adds what it cost to the timings."""
        self.run_launch(Launch((phase,)))

    def run_launch(self, launch: Launch) -> None:
        """Runs phases of the current tick and adds what they cost together to the timings."""
        began = self.backend.clock()
        self.arrays.run(launch.kernels, launch.over, self.tick)
        timing = self.timings.setdefault(launch.name, Timing())
        timing.seconds += self.backend.clock() - began
        timing.calls += 1
        timing.bytes += sum(int(self.arrays.column[name].nbytes) for phase in launch.phases for name in phase.streams)

    def metrics(self, first: int, last: int) -> dict[str, np.ndarray]:
        """What `metric_values` gives for ticks first … last - 1 of those done."""
        return metric_values(self.model.metrics, self.history(first, last))

    def history(self, first: int, last: int) -> np.ndarray:
        """int64 [ticks, members, cells]: the metrics' cells of ticks first … last - 1 of those done."""
        if not 0 <= first <= last <= self.tick:
            raise IndexError(f"ticks {first} to {last} are not all done; {self.tick} are")
        return self.rows("history", first, last)

    def rows(self, name: str, first: int, last: int) -> np.ndarray:
        """Rows first … last - 1 of a history column, [rows, entities of all members, width]."""
        column = self.model.column(name)
        entities = self.arrays.sizes[column.per]
        width = entities * column.width
        values = self.backend.download(self.arrays.column[name][first * width : last * width])
        return values.reshape(last - first, entities, column.width)

    def member_rows(self, name: str, number: int) -> np.ndarray:
        """The rows so far of one member's entities in a history column, [rows, entities, width]."""
        column = self.model.column(name)
        return self.rows(name, 0, column.rows(self.tick))[:, self.within(column.per, number)]

    def snapshot(self) -> Snapshot:
        """All that is needed to go on from here, checked first; a copy, which nothing changes.

        Raises CivlabError CHAIN_BROKEN with member and column if a column differs from its running digest.
        """
        return self.passing_snapshot().copied()

    def passing_snapshot(self) -> Snapshot:
        """The same without the copy: columns and histories are taken from the world when they are asked for, so it
        holds until the next tick only. Raises as `snapshot` does."""
        self.check()
        kept = (*self.model.dynamic, *self.model.histories)
        return Snapshot(
            tick=self.tick,
            members=tuple(member.index for member in self.members),
            counts={
                kind: tuple(int(count) for count in self.arrays.segments[kind].count)
                for kind in dict.fromkeys(column.per for column in kept)
            },
            columns=MadeArrays(
                {column.name: partial(self._dense_column, column.name) for column in self.model.dynamic}
            ),
            heads=self.download("head").reshape(-1, 8).copy(),
            starts=tuple(self.starts),
            states=tuple(self.state_digest(number) for number in range(len(self.members))),
            histories=MadeArrays(
                {column.name: partial(self._dense_rows, column.name) for column in self.model.histories}
            ),
        )

    def _dense_column(self, name: str) -> np.ndarray:
        """A column of all members without padding: of a single member the world's own memory where that is the
        host's."""
        parts = [self.member_column(name, number) for number in range(len(self.members))]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _dense_rows(self, name: str) -> np.ndarray:
        """The rows so far of a history column of all members, likewise."""
        parts = [self.member_rows(name, number) for number in range(len(self.members))]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def agents(self) -> tuple[int, ...]:
        """Entities of the model's first kind in each member, or what the model says; one where it has no kind."""
        if self.model.agents:
            return tuple(self.model.agents(self))
        kind = self.model.kinds[0].name if self.model.kinds else "member"
        return tuple(int(count) for count in self.arrays.segments[kind].count)

    def recount(self) -> np.ndarray:
        """uint64 [members, dynamic columns, 2]: the digests of the columns as they are, counted in full."""
        self.arrays.allocate("column_recount")
        for kind in self.model.recounted:
            self.arrays.run(f"{self.model.name}_recount_{kind.name}", kind.tiles or "member")
        self.backend.finish()
        return self.download("column_recount").reshape(len(self.members), -1, 2).copy()

    def check(self) -> None:
        """Compares the running digests with a full recount; raises CivlabError CHAIN_BROKEN with member and column."""
        differs = self.recount() != self.download("column_digest").reshape(len(self.members), -1, 2)
        for number, column, _ in np.argwhere(differs)[:1]:
            name = self.model.dynamic[column].name
            raise broken(self.members[number].index, name, "the column is not what its changes add up to")

    def member_digests(self) -> list[bytes]:
        """The digest of each member as it stands, in order; raises CivlabError CHAIN_BROKEN."""
        self.check()
        heads = self.download("head").reshape(-1, 8)
        return [
            member_digest(
                start=self.starts[number],
                head=head_bytes(heads[number]),
                state=self.state_digest(number),
                metrics=hash_arrays(
                    b"civlab metrics 1",
                    (self._hashed_rows(column, number) for column in self.model.histories),
                ),
                ticks=self.tick,
            )
            for number in range(len(self.members))
        ]

    def _hashed_rows(self, column: Column, number: int) -> np.ndarray:
        rows = self.member_rows(column.name, number)
        return rows.reshape(len(rows), rows.shape[1] * rows.shape[2])

    def start_digest(self, number: int) -> bytes:
        """BLAKE3 over what a member begins with: scenario, seed, stream and static columns."""
        member = self.members[number]
        context = b"".join(
            [
                f"civlab {self.model.name} start 1".encode(),
                member.scenario.digest,
                self.arrays.seed.to_bytes(8, "little"),
                member.stream.to_bytes(4, "little"),
            ]
        )
        return hash_arrays(context, (self.member_column(column.name, number) for column in self.model.static))

    def state_digest(self, number: int) -> bytes:
        """BLAKE3 over a member's dynamic columns."""
        return hash_arrays(
            b"civlab state 1", (self.member_column(column.name, number) for column in self.model.dynamic)
        )

    def segment(self, kind: str, number: int) -> tuple[int, int]:
        """First slot and number of the entities of a kind in the batch's member `number`."""
        segments = self.arrays.segments[kind]
        return int(segments.first[number]), int(segments.count[number])

    def within(self, kind: str, number: int) -> slice:
        """The slots of a member's entities of a kind."""
        first, count = self.segment(kind, number)
        return slice(first, first + count)

    def member_column(self, name: str, number: int) -> np.ndarray:
        """A column's values for the entities of the batch's member `number`: [entities], or [entities, width]."""
        column = self.model.column(name)
        first, count = self.segment(column.per, number)
        values = self.backend.download(self.arrays.column[name][first * column.width : (first + count) * column.width])
        return values.reshape(count, column.width) if column.width > 1 else values

    def download(self, name: str) -> np.ndarray:
        """A whole column on the host."""
        return self.backend.download(self.arrays.column[name])


def broken(member: int, column: str, message: str) -> CivlabError:
    """The error of a digest that does not fit; the run must not go on."""
    return CivlabError("CHAIN_BROKEN", f"member {member}, column {column}", message)
