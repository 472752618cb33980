"""A tick as data: an ordered table of phases, each a kernel with the columns that it reads and writes.

The engine runs the table and nothing else, `civlab explain` prints it, and the tests hold each kernel to its row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phase:
    """One row of the tick.

    `over` says what the kernel runs on: "member", or a set of tiles. `streams` are the columns of which every tick
    reads or writes every element, for figures of bandwidth; other columns are touched where something happens. `stage`
    groups phases that together do one thing, where a tick has many. `beyond` names the columns, of kinds whose entities
    belong to one tile each, that the kernel touches at other tiles' entities too.
    """

    name: str
    kernel: str
    over: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    meaning: str
    streams: tuple[str, ...] = ()
    stage: str = ""
    beyond: tuple[str, ...] = ()


@dataclass
class Timing:
    """What a phase has cost so far: seconds of the backend's clock, calls, and bytes streamed."""

    seconds: float = 0.0
    calls: int = 0
    bytes: int = 0
