"""What the runtime asks of a model: the declaration of its state and tick, and five functions.

A model is a value of this class, so the runtime can run any without knowing one; the C headers, checkpoints, digests
and documentation all come from what is declared here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from civlab.runtime.arrays import Arrays, Compiled, MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.columns import Column, Field, Kind, Metric, Structure, world_dtype
from civlab.runtime.phases import Phase
from civlab.runtime.schedule import Launch, schedule

if TYPE_CHECKING:
    from civlab.runtime.world import World

MEMBER = Kind("member", "the member itself", first="")
"""The kind of what there is one of in each member."""


class Arrange(Protocol):
    """Lays members out: arrays with their plan columns, and everything whose size is known allocated."""

    def __call__(self, members: Sequence[MemberSpec[Any]], *, seed: int, backend: Backend) -> Arrays: ...


@dataclass(frozen=True)
class Enumeration:
    """Names that kernels know as PREFIX_NAME = first, first + 1, …"""

    prefix: str
    names: tuple[str, ...]
    first: int = 0


@dataclass(frozen=True)
class Fault:
    """A broken invariant of the member at place `number` of a batch; `where` names phase, region and the like."""

    number: int
    message: str
    where: str = ""
    code: str = "CONSERVATION_BROKEN"


@dataclass(frozen=True)
class Model:
    """A model. Its kernels are called `name`_… and lie one to a file in models/`name`/kernels/."""

    name: str
    kinds: tuple[Kind, ...]
    """Kinds of entity; those of the first are what is called agents."""
    columns: tuple[Column, ...]
    """All of the state, the columns of `proof_columns` among it."""
    scalars: tuple[Field, ...]
    """Fields of the world after its columns; `seed` and `members` among them."""
    structures: tuple[Structure, ...]
    phases: tuple[Phase, ...]
    """The tick."""
    chained: tuple[str, ...]
    """What a link of the chain takes in: one digest each."""
    metrics: tuple[Metric, ...]
    compile: Callable[[Any], Compiled]
    """A scenario's compiled form."""
    arrange: Arrange
    generate: Callable[[Arrays], None]
    """Fills static and dynamic columns of arranged members, and lays out kinds that are counted only then."""
    fault: Callable[[World], Fault | None]
    """The first broken invariant that kernels have recorded; asked after ticks."""
    restored: Callable[[World], None] | None = None
    """Makes again, after a restore, what follows from the state and outlives a tick; None where nothing does."""
    agents: Callable[[World], Sequence[int]] | None = None
    """What a member is said to hold, where that is not as many as the first kind has slots."""
    constants: Mapping[str, int] = field(default_factory=dict)
    """Constants of the generated header, where their names are in capitals."""
    enumerations: tuple[Enumeration, ...] = ()
    inside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a set of tiles, kinds whose entities belong to one tile each, besides those that are cut into such tiles."""

    @cached_property
    def launches(self) -> tuple[Launch, ...]:
        """The tick as launches: its phases, ordered and fused by what they declare."""
        inside = {phase.over: frozenset({phase.over, *self.inside.get(phase.over, ())}) for phase in self.phases}
        for kind in self.kinds:
            if kind.tiles in inside:
                inside[kind.tiles] |= {kind.name}
        return schedule(self.phases, self.columns, inside)

    @cached_property
    def dynamic(self) -> tuple[Column, ...]:
        """The columns that are the state, in the order of their digests."""
        return tuple(column for column in self.columns if column.role == "dynamic")

    @cached_property
    def static(self) -> tuple[Column, ...]:
        """The columns that are made once."""
        return tuple(column for column in self.columns if column.role == "static")

    @cached_property
    def histories(self) -> tuple[Column, ...]:
        """The columns that hold rows by tick; `history`, the metrics, is one of them."""
        return tuple(column for column in self.columns if column.role == "history")

    @cached_property
    def recounted(self) -> tuple[Kind, ...]:
        """The kinds with a share in the state, each with its generated kernel `name`_recount_KIND."""
        owners = {column.per for column in self.dynamic}
        return tuple(kind for kind in (*self.kinds, MEMBER) if kind.name in owners)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def column(self, name: str) -> Column:
        """The declaration of a column; raises KeyError."""
        return self._by_name[name]

    def dtype_of(self, column: Column) -> np.dtype[Any]:
        """The NumPy type of a column's elements."""
        for structure in self.structures:
            if structure.name == column.dtype:
                return structure.dtype()
        return np.dtype(column.dtype)

    def world_dtype(self) -> np.dtype[np.void]:
        """The structure that a kernel receives."""
        return world_dtype(self.columns, self.scalars)
