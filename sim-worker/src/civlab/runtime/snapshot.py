"""What a batch needs to go on elsewhere, and arrays that are only made when somebody asks for them.

A world's columns are most of the memory that a run has. A snapshot that held a copy of all of them would double it at
every checkpoint, so a snapshot may also hold recipes: whoever writes it away takes one column after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np


class MadeArrays(Mapping[str, np.ndarray]):
    """Arrays by name, each made anew whenever it is asked for, so that no two need be held at once."""

    def __init__(self, makers: Mapping[str, Callable[[], np.ndarray]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> np.ndarray:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


@dataclass(frozen=True)
class Snapshot:
    """All that a batch needs to go on: dynamic columns, member after member, and the chain.

    Static columns are not in it: they are made again from seed and scenario, and `starts` proves them the same.
    """

    tick: int
    members: tuple[int, ...]
    counts: dict[str, tuple[int, ...]]
    """Entities of each member by kind."""
    columns: Mapping[str, np.ndarray]
    """Dynamic columns by name, one element (or row of elements) an entity, without padding."""
    heads: np.ndarray
    """uint32 [members, 8]."""
    starts: tuple[bytes, ...]
    states: tuple[bytes, ...]
    """BLAKE3 over each member's dynamic columns."""
    histories: Mapping[str, np.ndarray]
    """Rows so far of each history column, [rows, entities of all members, width]."""

    def segment(self, kind: str, place: int) -> slice:
        """Where the entities of the member at `place` lie among those of a kind."""
        first = sum(self.counts[kind][:place])
        return slice(first, first + self.counts[kind][place])

    def copied(self) -> Snapshot:
        """The same with arrays of its own, which stay as they are when the world goes on."""
        own = {name: array.copy() for name, array in self.columns.items()}
        return replace(self, columns=own, histories={name: rows.copy() for name, rows in self.histories.items()})
