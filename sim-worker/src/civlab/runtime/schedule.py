"""Orders and fuses a tick by what its phases declare.

A launch is a barrier: no tile begins a phase before all tiles have ended the one before it. Two neighbours in the table
need none where whatever passes between them stays within a tile; they are fused into one launch, in which a tile goes
through both while its columns are in the cache. What a tile shares with others follows from the columns' kinds, and a
phase names the columns of its own kind that it touches at other tiles too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from civlab.runtime.columns import Column
from civlab.runtime.phases import Phase

MEMBER = "member"
PROOFS = frozenset({"column_digest", "phase_digest", "fault"})
"""Cells to which kernels add, or of which they keep the greatest, in any order."""


@dataclass(frozen=True)
class Launch:
    """Phases that run over the same tiles without a barrier between them, in their order."""

    phases: tuple[Phase, ...]

    @property
    def name(self) -> str:
        """The phases' names, joined."""
        return " + ".join(phase.name for phase in self.phases)

    @property
    def kernels(self) -> tuple[str, ...]:
        """Their kernels."""
        return tuple(phase.kernel for phase in self.phases)

    @property
    def over(self) -> str:
        """The tiles that all run over."""
        return self.phases[0].over


def schedule(
    phases: Iterable[Phase], columns: Iterable[Column], inside: Mapping[str, frozenset[str]]
) -> tuple[Launch, ...]:
    """The tick as launches: each phase joins the last launch over its tiles that it may join, or begins a new one.

    It may where nothing that it touches passes through the launches in between, and what passes between it and the
    launch's own phases stays within a tile. `inside` gives for each set of tiles the kinds whose entities belong to one
    tile each; a member's tile holds all that the member has.
    """
    kinds = {column.name: column.per for column in columns}
    launches: list[list[Phase]] = []
    for phase in phases:
        joined = None
        for launch in reversed(launches):
            if launch[0].over == phase.over and not any(
                is_shared(name, (other, phase), kinds[name], inside)
                for other in launch
                for name in conflicts(other, phase)
            ):
                joined = launch
            if joined is not None or any(conflicts(other, phase) for other in launch):
                break
        if joined is None:
            launches.append([phase])
        else:
            joined.append(phase)
    return tuple(Launch(tuple(launch)) for launch in launches)


def conflicts(first: Phase, second: Phase) -> frozenset[str]:
    """The columns that one of them writes and the other reads, or that both write and either reads."""
    written, read = (set(first.writes), set(second.writes)), (set(first.reads), set(second.reads))
    found = (written[0] & read[1]) | (written[1] & read[0]) | (written[0] & written[1])
    return frozenset(found - PROOFS)


def is_shared(name: str, phases: Iterable[Phase], kind: str, inside: Mapping[str, frozenset[str]]) -> bool:
    """Whether tiles of these phases touch the same entities' cells of the column."""
    return any(
        phase.over != MEMBER and (name in phase.beyond or kind not in inside.get(phase.over, frozenset()))
        for phase in phases
    )
