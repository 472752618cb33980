"""The arrays of a batch: members side by side, entities in segments, and the record of addresses that kernels get.

Where a member's entities lie is kept on the host too, because snapshots, digests and tables are cut by member. Lengths
come from the declared columns; a model says only how many there are of what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from civlab.errors import CivlabError
from civlab.runtime.backend import Backend
from civlab.runtime.columns import Column

if TYPE_CHECKING:
    from civlab.runtime.model import Model


class Compiled(Protocol):
    """A scenario as a model's kernels read it."""

    @property
    def digest(self) -> bytes:
        """Names the compiled form: BLAKE3 over the canonical document and what was made of it."""

    @property
    def ticks(self) -> int:
        """Ticks until the end."""


CompiledT = TypeVar("CompiledT", bound=Compiled, covariant=True)


@dataclass(frozen=True)
class MemberSpec(Generic[CompiledT]):
    """One member of an ensemble: its number, its random stream, and what it simulates.

    Members that share a stream (and the seed) share random numbers, whatever their scenarios are.
    """

    index: int
    stream: int
    scenario: CompiledT


@dataclass(frozen=True)
class Segments:
    """Where each member's entities of one kind lie: first slot and number, int64 [members]."""

    first: np.ndarray
    count: np.ndarray


@dataclass
class Arrays:
    """The device arrays of a world by column name, and the record of their addresses that kernels receive."""

    model: Model
    backend: Backend
    seed: int
    sizes: dict[str, int]
    """How many there are of what columns are `per`; "tick" is the scenario's length."""
    column: dict[str, Any]
    record: np.ndarray
    members: tuple[MemberSpec[Any], ...] = ()
    """Who lies in them, for models whose layout goes on while they are generated."""
    segments: dict[str, Segments] = field(default_factory=dict)
    """By kind; every kind of a static, dynamic or history column must be in it once generation has ended."""

    @classmethod
    def empty(cls, model: Model, *, backend: Backend, seed: int, sizes: Mapping[str, int]) -> Arrays:
        """No column yet; `sizes` holds "member" and "tick" and what is known of the rest."""
        arrays = cls(model, backend, seed, dict(sizes), {}, np.zeros(1, model.world_dtype()))
        arrays.record["seed"] = seed
        arrays.record["members"] = sizes["member"]
        arrays.lay_out("member", first=np.arange(sizes["member"]), count=np.ones(sizes["member"]))
        return arrays

    def lay_out(self, kind: str, *, first: np.ndarray, count: np.ndarray) -> None:
        """Says where each member's entities of a kind lie."""
        self.segments[kind] = Segments(first.astype("i8"), count.astype("i8"))

    def length(self, column: Column) -> int:
        """Elements of a column."""
        rows = column.rows(self.sizes["tick"]) if column.role == "history" else 1
        return rows * self.sizes[column.per] * column.width

    def allocate(self, name: str) -> None:
        """Adds a zeroed column of its declared length."""
        column = self.model.column(name)
        self.put(name, self.backend.zeros(self.length(column), self.model.dtype_of(column)))

    def allocate_rest(self) -> None:
        """Allocates every declared column that is not there yet and whose length is known."""
        for column in self.model.columns:
            if column.name not in self.column and column.per in self.sizes:
                self.allocate(column.name)

    def upload(self, plan: Mapping[str, np.ndarray]) -> None:
        """Adds columns that were worked out on the host."""
        for name, values in plan.items():
            self.put(name, self.backend.upload(values))

    def put(self, name: str, array: Any) -> None:
        """Adds a column or replaces it."""
        self.column[name] = array
        self.record[name] = self.backend.address(array) if array.size else 0

    def release(self, name: str) -> None:
        """Frees a column."""
        del self.column[name]
        self.record[name] = 0

    def run(self, kernels: str | Sequence[str], over: str, tick: int = 0) -> None:
        """Launches one kernel or several on all members, or on all tiles of the set `over`."""
        names = (kernels,) if isinstance(kernels, str) else kernels
        self.backend.launch(names, self.record, tick, self.sizes[over], over="member" if over == "member" else "tile")

    def bytes(self) -> int:
        """Bytes of all columns that are held."""
        return sum(int(array.nbytes) for array in self.column.values())


def shared_scenarios(
    members: Sequence[MemberSpec[CompiledT]],
) -> tuple[list[CompiledT], np.ndarray]:
    """Compiled scenarios without repetition, in order of appearance, and the place of each member's, u4 [members]."""
    scenarios = {member.scenario.digest: member.scenario for member in members}
    place = {digest: number for number, digest in enumerate(scenarios)}
    return list(scenarios.values()), np.array([place[member.scenario.digest] for member in members], "u4")


def agents_in_turn(
    members: Sequence[MemberSpec[CompiledT]], population: np.ndarray, *, pad: int, tile: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """The plan columns of members whose agents lie one member after the other, cut into tiles of at most `tile`.

    Returns:
        The columns, and each member's first slot and number of slots, int64: it begins on a multiple of `pad` and has
        at least one slot more than agents.

    Raises:
        CivlabError: WORLD_TOO_LARGE if the slots cannot be numbered in 32 bits.
    """
    slots = (population // pad + 1) * pad
    first = np.cumsum(slots) - slots
    if int(first[-1] + slots[-1]) >= 1 << 32:
        raise CivlabError("WORLD_TOO_LARGE", "population.size", "too many agents in one batch; use more shards")
    tile_member, begin, end = tiles_of(first, population, tile=tile)
    plan = {
        "tile_member": tile_member.astype("u4"),
        "tile_begin": begin.astype("u4"),
        "tile_end": end.astype("u4"),
        "member_first": first.astype("u4"),
        "member_population": population.astype("u4"),
        "member_stream": np.array([member.stream for member in members], "u4"),
    }
    return plan, first, slots


def tiles_of(first: np.ndarray, count: np.ndarray, *, tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cuts each member's segment into tiles of at most `tile` entities: member, begin and end of each, in order."""
    tiles = -(-count // tile)
    member = np.repeat(np.arange(len(count)), tiles)
    within = np.arange(len(member)) - np.repeat(np.cumsum(tiles) - tiles, tiles)
    begin = first[member] + within * tile
    end = np.minimum(begin + tile, first[member] + count[member])
    return member, begin, end
