"""Runs the kernels of segments.c: sorts, shares and sums within ragged segments, without any model.

A segment may have room for more elements than it holds, as a region's queue has, and tiles are cut from the room;
what lies beyond a segment's length must stay as it was, so the arrays are filled with rubbish there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parent / "segments.c"
SORT_DIGITS, SHARING_WORDS = 256, 155
SHARE_PASSES, SHARE_PASSES_WIDE = 12, 16
TWO = ("key", "item")
POINTERS = (
    *("sort_count", "sort_base", "sort_pass", "weight", "share", "sharing", "total"),
    *("value", "value_sum", "value_total", "fault", "tile_segment", "tile_begin", "tile_end"),
    *("segment_first", "segment_length", "segment_tile", "segment_tiles"),
)
RECORD = np.dtype(
    [(f"{name}{i}", "u8") for name in TWO for i in range(2)]
    + [(name, "u8") for name in POINTERS]
    + [(name, "u4") for name in ("width", "passes", "rations")],
    align=True,
)


@dataclass
class Segments:
    """Columns in segments of `lengths` elements, with `room` slots to spare after each, in tiles of `tile` slots."""

    library: ctypes.CDLL
    lengths: Sequence[int]
    tile: int = 4096
    room: int = 0
    threads: int = 1
    column: dict[str, np.ndarray] = field(init=False, default_factory=dict)
    record: np.ndarray = field(init=False, default_factory=lambda: np.zeros(1, RECORD))

    def __post_init__(self) -> None:
        length = np.array(self.lengths, "i8")
        capacity = length + self.room
        first = np.cumsum(capacity) - capacity
        tiles = np.maximum(-(-capacity // self.tile), 1)
        segment = np.repeat(np.arange(len(length)), tiles)
        within = np.arange(len(segment)) - np.repeat(np.cumsum(tiles) - tiles, tiles)
        end = first[segment] + length[segment]
        begin = np.minimum(first[segment] + within * self.tile, end)
        plan = {
            "tile_segment": segment,
            "tile_begin": begin,
            "tile_end": np.minimum(begin + self.tile, end),
            "segment_first": first,
            "segment_length": length,
            "segment_tile": np.cumsum(tiles) - tiles,
            "segment_tiles": tiles,
        }
        for name, values in plan.items():
            self.put(name, values.astype("u4"))
        self.segments, self.tiles, self.slots = len(length), len(segment), int(capacity.sum())
        self.held = np.concatenate([np.arange(f, f + n) for f, n in zip(first, length, strict=True)])
        self.put("fault", np.zeros(self.segments, "u8"))

    def put(self, name: str, array: np.ndarray) -> None:
        """Adds a column."""
        self.column[name] = np.ascontiguousarray(array)
        self.record[name] = self.column[name].ctypes.data

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of the segments' elements in order, at their slots, rubbish in the room between."""
        out = np.full((self.slots, *values.shape[1:]), 0x5A, values.dtype)
        out[self.held] = values
        return out

    def run(self, kernel: str, *, over: str, tick: int = 0) -> None:
        """Launches a kernel on all tiles or on all segments."""
        count = self.tiles if over == "tile" else self.segments
        getattr(self.library, f"probe_{kernel}")(
            ctypes.c_void_p(self.record.ctypes.data), ctypes.c_uint32(tick), ctypes.c_uint32(count), self.threads
        )

    def begin_sort(self, keys: np.ndarray, items: np.ndarray, passes: int) -> None:
        """Puts keys (u4 or u8) and items in place for `passes` passes."""
        self.put("key0", self.spread(keys))
        self.put("item0", self.spread(items.astype("u4")))
        self.put("key1", np.full_like(self.column["key0"], 0x77))
        self.put("item1", np.full_like(self.column["item0"], 0x77))
        self.put("sort_count", np.full(self.tiles * SORT_DIGITS, 0x33, "u4"))
        self.put("sort_base", np.full(self.segments * SORT_DIGITS, 0x33, "u4"))
        self.put("sort_pass", np.zeros(2 * self.segments, "u4"))
        self.record["width"], self.record["passes"] = keys.dtype.itemsize, passes

    def sort(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorts by the phases; keys and items of the segments' elements in their new order."""
        passes = int(self.record["passes"][0])
        for _ in range(passes):
            self.run("count", over="tile")
            self.run("rank", over="segment")
            self.run("base", over="segment")
            self.run("scatter", over="tile")
        return self.column[f"key{passes & 1}"][self.held], self.column[f"item{passes & 1}"][self.held]

    def sort_small(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorts each segment by one tile kernel."""
        self.run("small", over="segment")
        return self.column["key1"][self.held], self.column["item1"][self.held]

    def begin_share(self, weights: np.ndarray, totals: Sequence[int], *, rations: bool) -> None:
        """Puts weights and one total a segment in place."""
        self.put("weight", self.spread(weights.astype("u8")))
        self.put("share", self.spread(np.full(len(weights), 0x11, "u8")))
        self.put("sharing", np.zeros(self.segments * SHARING_WORDS, "u8"))
        self.put("total", limbs(totals))
        self.record["rations"] = rations

    def share(self, *, passes: int = SHARE_PASSES, tick: int = 0) -> np.ndarray:
        """Shares the totals out by the phases; the shares of the segments' elements."""
        self.run("weigh", over="tile")
        self.run("open", over="segment")
        self.run("floor", over="tile")
        self.run("aim", over="segment")
        for _ in range(passes):
            self.run("digits", over="tile")
            self.run("select", over="segment")
        self.run("award", over="tile")
        self.run("verdict", over="segment", tick=tick)
        shares: np.ndarray = self.column["share"][self.held]
        return shares

    def begin_sum(self, values: Sequence[int]) -> None:
        """Puts signed 128-bit values in place."""
        self.put("value", self.spread(limbs(values).reshape(-1, 2)))
        self.put("value_sum", np.zeros(4 * self.segments, "u8"))
        self.put("value_total", np.zeros(2 * self.segments, "u8"))

    def sum(self, *, tick: int = 0) -> list[int]:
        """Adds the values up by segment."""
        self.run("add", over="tile", tick=tick)
        self.run("total", over="segment", tick=tick)
        return whole(self.column["value_total"])

    def faults(self) -> list[tuple[int, int] | None]:
        """Tick and code of each segment's fault."""
        cells = self.column["fault"].tolist()
        return [(0xFFFFFFFF - (cell >> 32), cell & 0xFFFFFFFF) if cell else None for cell in cells]


def limbs(values: Sequence[int]) -> np.ndarray:
    """Integers of up to 128 bits as pairs of 64-bit limbs, low limb first."""
    mask = 2**64 - 1
    return np.array([part for v in values for part in (v & mask, (v >> 64) & mask)], "u8")


def whole(parts: Any) -> list[int]:
    """Signed integers from pairs of limbs."""
    data = np.ascontiguousarray(parts, "u8").tobytes()
    return [int.from_bytes(data[i : i + 16], "little", signed=True) for i in range(0, len(data), 16)]
