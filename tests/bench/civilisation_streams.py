"""The civilisation's streaming phases against the copy bandwidth of the same memory.

A phase streams if it reads one column of households or citizens from end to end, drawing and dividing nothing and
looking nothing up for each of them. A world whose narrowest column outgrows the last-level cache four times would have
hundreds of millions of citizens, so each kernel gets arrays that hold its own column and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import machine
from bench.measure import Figure, figure
from civlab.models.civilisation.layout import SLOW, TILE
from civlab.models.civilisation.layout_people import PEOPLE
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import Arrays, tiles_of
from civlab.runtime.backend import Backend

ROUND = SLOW - 1
"""A tick in which people's phases have work to look for."""
MEMBER = ("scenario", "stream", "citizen", "household", "firm", "region", "nation", "bank", "crowd")
SHARED = ("cluster_member", "cluster_begin", "cluster_end", "region_nation", "zoomed", "flow", "vital")
PROOFS = ("column_digest", "phase_digest")


@dataclass(frozen=True)
class Stream:
    """A phase, the column that it reads, what that holds here, and what the phase looks for in it."""

    column: str
    value: int
    does: str


STREAMS: Mapping[str, Stream] = {
    "hold": Stream("deposit", 1, "adds up deposits"),
    "close": Stream("fate", 0, "looks for households that ended"),
    "deaths": Stream("event", 0, "looks for the dead"),
    "orphans": Stream("mark", 0, "looks for households without a head"),
}


def arrays_of(stream: Stream, *, size: int, backend: Backend) -> Arrays:
    """One region whose households or citizens have just the streamed column, of so many bytes."""
    column = MODEL.column(stream.column)
    slots = size // MODEL.dtype_of(column).itemsize
    _, begin, end = tiles_of(np.zeros(1, "i8"), np.array([slots]), tile=TILE)
    tiles = len(begin)
    sizes = dict.fromkeys(("member", "tick", "region", "cluster", "nation", "scenario"), 1) | {
        "block": tiles,
        column.per: slots,
    }
    arrays = Arrays.empty(MODEL, backend=backend, seed=0, sizes=sizes)
    for name in (*(f"member_{kind}" for kind in MEMBER), *SHARED, *PROOFS):
        arrays.allocate(name)
    people = np.zeros(1, PEOPLE.dtype())
    people["round"] = SLOW
    arrays.upload({"people": people})
    segment = np.array([0, slots], "u4")
    arrays.upload({"block_begin": begin.astype("u4"), "block_end": end.astype("u4")})
    arrays.upload({"region_citizen": segment, "region_household": segment})
    for name in ("block_member", "block_region", stream.column):
        arrays.allocate(name)
    arrays.column[stream.column].fill(stream.value)
    return arrays


def gigabytes_a_second(arrays: Arrays, name: str, column: str) -> float:
    """Of the column, by one more run of the phase, by the backend's clock."""
    phase = next(phase for phase in MODEL.phases if phase.name == name)
    began = arrays.backend.clock()
    arrays.run(phase.kernel, phase.over, ROUND)
    arrays.backend.finish()
    read: Any = arrays.column[column]
    return int(read.nbytes) / (arrays.backend.clock() - began) / 1e9


def stream_figures(*, rounds: int) -> list[Figure]:
    """Bytes a CPU second of each streaming phase and its share of a copy's, each run beside a copy of its own."""
    backend = Backend.cpu(threads=1)
    copies: list[float] = []
    results: list[Figure] = []
    for name, stream in STREAMS.items():
        arrays = arrays_of(stream, size=4 * machine.last_level_cache(), backend=backend)
        gigabytes_a_second(arrays, name, stream.column)
        rates, shares = [], []
        for _ in range(rounds):
            copies.append(machine.copy_bandwidth() / 1e9)
            rates.append(gigabytes_a_second(arrays, name, stream.column))
            shares.append(100 * rates[-1] / copies[-1])
        results.append(figure(f"phase {name}, which {stream.does}", "GB / CPU s read", rates))
        results.append(figure("… of the copy", "%", shares, at_least=60))
    copy = figure("copy between arrays of 4 × the last-level cache", "GB / CPU s read and written", copies)
    return [copy, *results]
