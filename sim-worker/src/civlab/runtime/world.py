"""A batch of members that advances tick by tick: the one object that the layers above hold.

Members lie side by side in the same arrays. Nothing that a member does depends on which others share its batch, on
threads or on the backend; the tests hold that as a property.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from civlab.errors import CivlabError
from civlab.models.epidemic.compile import CompiledScenario, compile_scenario
from civlab.models.epidemic.generate import Arrays, MemberSpec, arrange, generate
from civlab.models.epidemic.layout import DYNAMIC, METRICS, STATES, STATIC
from civlab.models.epidemic.phases import PHASES
from civlab.runtime.backend import Backend
from civlab.runtime.chain import hash_arrays, head_bytes, head_words, member_digest, run_digest
from civlab.runtime.phases import Phase, Timing

__all__ = [
    "METRICS",
    "PHASES",
    "CompiledScenario",
    "MemberSpec",
    "Snapshot",
    "World",
    "compile_scenario",
    "run_digest",
]


@dataclass(frozen=True)
class Snapshot:
    """All that a batch needs to go on: dynamic columns of the agents, member after member, and the chain.

    Static columns are not in it: they are made again from seed and scenario, and `starts` proves them the same.
    """

    tick: int
    members: tuple[int, ...]
    populations: tuple[int, ...]
    columns: dict[str, np.ndarray]
    """Dynamic columns by name, one element an agent, without padding."""
    heads: np.ndarray
    """uint32 [members, 8]."""
    starts: tuple[bytes, ...]
    states: tuple[bytes, ...]
    """BLAKE3 over each member's dynamic columns."""
    history: np.ndarray
    """int64 [ticks so far, members, metrics]."""


class World:
    """Members of an ensemble in one batch on one backend; make it with `create` or `restore`."""

    def __init__(self, members: Sequence[MemberSpec], arrays: Arrays) -> None:
        self.members = tuple(members)
        self.arrays = arrays
        self.backend = arrays.backend
        self.tick = 0
        self.ticks = members[0].scenario.ticks
        self.timings = {phase.name: Timing() for phase in PHASES}
        self.first = [int(value) for value in self.download("member_first")]
        self.edge = [int(value) for value in self.download("member_edge")]
        self.place = [int(value) for value in self.download("member_place")]
        self.starts = [self.start_digest(number) for number in range(len(members))]
        heads = np.concatenate([head_words(start) for start in self.starts])
        arrays.put("head", self.backend.upload(heads))

    @classmethod
    def create(cls, members: Sequence[MemberSpec], *, seed: int, backend: Backend) -> World:
        """A world at tick 0, its populations and networks generated.

        Raises CivlabError WORLD_TOO_LARGE, and MemoryError if the arrays do not fit.
        """
        if not 0 <= seed < 1 << 64:
            raise CivlabError("SEED_OUT_OF_RANGE", "seed", "give a whole number from 0 to 2^64 - 1")
        arrays = arrange(members, seed=seed, backend=backend)
        generate(arrays)
        return cls(members, arrays)

    @classmethod
    def restore(cls, members: Sequence[MemberSpec], *, seed: int, backend: Backend, snapshot: Snapshot) -> World:
        """A world that goes on from a snapshot; the batch may be another than the one that was saved.

        Raises CivlabError SNAPSHOT_MISMATCH if a member is missing or its start differs (another seed, scenario or
        version), and CHAIN_BROKEN if its state is not the one that was saved.
        """
        world = cls.create(members, seed=seed, backend=backend)
        offsets = np.concatenate([[0], np.cumsum(snapshot.populations)])
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
        for column in DYNAMIC:
            values = world.download(column.name).copy()
            for number, place in enumerate(source):
                part = snapshot.columns[column.name][offsets[place] : offsets[place + 1]]
                values[world.first[number] : world.first[number] + len(part)] = part
            world.arrays.put(column.name, backend.upload(values))
        world.take_up(snapshot, source)
        return world

    def take_up(self, snapshot: Snapshot, source: Sequence[int]) -> None:
        """Sets tick, heads, history and stocks of a restored world, and checks the state against the snapshot."""
        self.tick = snapshot.tick
        self.arrays.put("head", self.backend.upload(snapshot.heads[list(source)].astype("u4").reshape(-1)))
        history = self.download("history").reshape(self.ticks, len(self.members), len(METRICS)).copy()
        history[: self.tick] = snapshot.history[:, list(source)]
        self.arrays.put("history", self.backend.upload(history.reshape(-1)))
        stock = np.zeros((len(self.members), 8), "u4")
        for number, place in enumerate(source):
            if self.state_digest(number) != snapshot.states[place]:
                raise broken(self.members[number].index, "state", "the saved columns are not the ones that were hashed")
            states = self.agent_column("state", number)
            stock[number, : len(STATES)] = np.bincount(states, minlength=len(STATES))
        if self.tick > 0:
            self.arrays.put("stock", self.backend.upload(stock.reshape(-1)))
        self.arrays.put("column_digest", self.backend.upload(self.recount().reshape(-1)))

    def advance(self, ticks: int = 1) -> None:
        """Runs whole ticks.

        Raises CivlabError RUN_AT_END beyond the scenario's ticks, and CONSERVATION_BROKEN with member and tick if a
        person was lost or made.
        """
        if self.tick + ticks > self.ticks:
            raise CivlabError("RUN_AT_END", "ticks", f"the scenario has {self.ticks} ticks; {self.tick} are done")
        for _ in range(ticks):
            for phase in PHASES:
                self.run_phase(phase)
            self.tick += 1
        self.backend.finish()
        faults = self.download("fault")
        for number in np.flatnonzero(faults)[:1]:
            message = f"persons were not conserved in tick {int(faults[number]) - 1}; this is a fault of the program"
            raise CivlabError("CONSERVATION_BROKEN", f"member {self.members[number].index}", message)

    def run_phase(self, phase: Phase) -> None:
        """Runs one phase of the current tick and adds what it cost to the timings."""
        began = self.backend.clock()
        self.arrays.run(phase.kernel, phase.over, self.tick)
        timing = self.timings[phase.name]
        timing.seconds += self.backend.clock() - began
        timing.calls += 1
        timing.bytes += sum(int(self.arrays.column[name].nbytes) for name in phase.streams)

    def metrics(self, first: int, last: int) -> dict[str, np.ndarray]:
        """int64 [ticks, members] by metric, for ticks first … last - 1 of those done."""
        if not 0 <= first <= last <= self.tick:
            raise IndexError(f"ticks {first} to {last} are not all done; {self.tick} are")
        rows = self.history(first, last)
        return {metric.name: np.ascontiguousarray(rows[:, :, k]) for k, metric in enumerate(METRICS)}

    def history(self, first: int, last: int) -> np.ndarray:
        """int64 [ticks, members, metrics] of some ticks."""
        width = len(self.members) * len(METRICS)
        values = self.backend.download(self.arrays.column["history"][first * width : last * width])
        return values.reshape(last - first, len(self.members), len(METRICS))

    def snapshot(self) -> Snapshot:
        """All that is needed to go on from here, checked first.

        Raises CivlabError CHAIN_BROKEN with member and column if a column differs from its running digest.
        """
        self.check()
        columns = {}
        for column in DYNAMIC:
            values = self.download(column.name)
            parts = [values[at : at + size] for at, size in zip(self.first, self.populations(), strict=True)]
            columns[column.name] = np.concatenate(parts)
        return Snapshot(
            tick=self.tick,
            members=tuple(member.index for member in self.members),
            populations=self.populations(),
            columns=columns,
            heads=self.download("head").reshape(-1, 8).copy(),
            starts=tuple(self.starts),
            states=tuple(self.state_digest(number) for number in range(len(self.members))),
            history=self.history(0, self.tick).copy(),
        )

    def populations(self) -> tuple[int, ...]:
        """Agents of each member."""
        return tuple(member.scenario.population for member in self.members)

    def recount(self) -> np.ndarray:
        """uint64 [members, dynamic columns, 2]: the digests of the columns as they are, counted in full."""
        self.arrays.allocate("column_recount")
        self.arrays.run("epidemic_recount", "tile")
        self.backend.finish()
        return self.download("column_recount").reshape(len(self.members), len(DYNAMIC), 2).copy()

    def check(self) -> None:
        """Compares the running digests with a full recount; raises CivlabError CHAIN_BROKEN with member and column."""
        differs = self.recount() != self.download("column_digest").reshape(len(self.members), len(DYNAMIC), 2)
        for number, column, _ in np.argwhere(differs)[:1]:
            raise broken(
                self.members[number].index, DYNAMIC[column].name, "the column is not what its changes add up to"
            )

    def member_digests(self) -> list[bytes]:
        """The digest of each member as it stands, in order; raises CivlabError CHAIN_BROKEN."""
        self.check()
        heads = self.download("head").reshape(-1, 8)
        history = self.history(0, self.tick)
        return [
            member_digest(
                start=self.starts[number],
                head=head_bytes(heads[number]),
                state=self.state_digest(number),
                metrics=hash_arrays(b"civlab metrics 1", [history[:, number]]),
                ticks=self.tick,
            )
            for number in range(len(self.members))
        ]

    def start_digest(self, number: int) -> bytes:
        """BLAKE3 over what a member begins with: scenario, seed, stream and static columns."""
        member = self.members[number]
        context = b"".join(
            [
                b"civlab epidemic start 1",
                member.scenario.digest,
                self.arrays.seed.to_bytes(8, "little"),
                member.stream.to_bytes(4, "little"),
            ]
        )
        return hash_arrays(context, (self.member_column(column.name, number) for column in STATIC))

    def state_digest(self, number: int) -> bytes:
        """BLAKE3 over a member's dynamic columns."""
        return hash_arrays(b"civlab state 1", (self.member_column(column.name, number) for column in DYNAMIC))

    def member_column(self, name: str, number: int) -> np.ndarray:
        """A member's part of a column by agent, contact or place slot."""
        per = next(column.per for column in (*STATIC, *DYNAMIC) if column.name == name)
        if per == "agent":
            return self.agent_column(name, number)
        starts, total = (self.edge, "edge") if per == "edge" else (self.place, "place")
        last = starts[number + 1] if number + 1 < len(starts) else self.arrays.sizes[total]
        return self.backend.download(self.arrays.column[name][starts[number] : last])

    def agent_column(self, name: str, number: int) -> np.ndarray:
        """A column's values for the agents of the batch's member `number`."""
        first = self.first[number]
        last = first + self.members[number].scenario.population
        return self.backend.download(self.arrays.column[name][first:last])

    def transmissions(self, number: int) -> dict[str, np.ndarray]:
        """The transmission tree of a member, by tick and then infected agent: infector (-1 from outside), infected,
        tick and layer (0 community, 1 household, 2 school, 3 work, 4 introduced)."""
        infected_at = self.agent_column("infected_at", number)
        infected = np.flatnonzero(infected_at)
        infected = infected[np.argsort(infected_at[infected], kind="stable")]
        return {
            "infector": self.agent_column("infector", number)[infected].astype("i8") - 1,
            "infected": infected.astype("i8"),
            "tick": infected_at[infected].astype("i8") - 1,
            "layer": self.agent_column("origin", number)[infected].astype("i8") - 1,
        }

    def download(self, name: str) -> np.ndarray:
        """A whole column on the host."""
        return self.backend.download(self.arrays.column[name])


def broken(member: int, column: str, message: str) -> CivlabError:
    """The error of a digest that does not fit; the run must not go on."""
    return CivlabError("CHAIN_BROKEN", f"member {member}, column {column}", message)
