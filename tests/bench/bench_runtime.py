"""The kernel runtime's primitives on one thread, against the fastest ready-made equivalent and against the memory.

`python -m bench.bench_runtime [--json] [--rounds N]` (`make bench-runtime`). The primitives are compiled here from the
runtime's own headers with the wheel's flags, because a kernel of a model never runs one of them alone.
"""

from __future__ import annotations

import argparse
import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import blake3
import numpy as np

from bench import machine
from bench.measure import Figure, Preparation, figure, interleaved, ratios, report
from civlab.runtime.backend import best_level
from civlab.runtime.building import FLAGS, PACKAGE

SOURCE = Path(__file__).parent / "kernels" / "primitives.c"
BLOCKS = 4_000_000
LINKS = 400_000
SHUFFLED = 4_000_000
SORTED, SHORT = 2_000_000, 2_000
"""Elements that are sorted, shared and added up, and those of a short segment."""
STEPS, CALLS = 512, 2_000


def compiled(folder: Path) -> ctypes.CDLL:
    """The primitives as a library, built as the wheel's kernels are."""
    target = folder / "primitives.so"
    level = best_level()
    march = [] if level == "plain" else [f"-march=x86-64-{level}"]
    command = ["cc", *FLAGS, *march, f"-I{PACKAGE / 'kernels'}", str(SOURCE), "-o", str(target)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(target))


def pointer(array: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    """The address of an array for a C function."""
    return ctypes.c_void_p(array.ctypes.data)


def prepared(action: Callable[[], object]) -> Preparation:
    """A run that needs no preparation of its own."""
    return lambda: action


def cases(library: ctypes.CDLL, *, count: int) -> dict[str, Preparation]:
    """What is timed: each primitive and its ready-made equivalent on the same data, `count` elements a column."""
    words = np.zeros(2 * BLOCKS, np.uint64)
    column = np.arange(count, dtype=np.uint32) | np.uint32(1)
    copied = np.zeros_like(column)
    due = np.full(2 * count, 7, np.uint16)
    head, message, sums = np.zeros(8, np.uint32), np.arange(16, dtype=np.uint32), np.zeros(2, np.uint64)
    order = np.zeros(SHUFFLED, np.uint32)
    generator = np.random.Generator(np.random.Philox(1))

    def link_by_library() -> None:
        key, text = bytes(32), message.tobytes()
        for _ in range(LINKS):
            key = blake3.blake3(text, key=key).digest()

    def philox() -> None:
        library.fill_philox(pointer(words), ctypes.c_uint64(BLOCKS), ctypes.c_uint64(1))

    def digest() -> None:
        library.digest_column(pointer(column), ctypes.c_uint64(count), pointer(sums))

    def links() -> None:
        library.chain_links(pointer(head), pointer(message), ctypes.c_uint64(LINKS))

    def scan() -> None:
        library.scan_due(pointer(due), ctypes.c_uint64(2 * count), ctypes.c_uint32(9))

    def permutation() -> None:
        library.fill_permutation(pointer(order), ctypes.c_uint32(SHUFFLED), ctypes.c_uint64(1))

    actions: dict[str, Callable[[], object]] = {
        "philox": philox,
        "numpy philox": lambda: generator.bit_generator.random_raw(2 * BLOCKS),
        "digest": digest,
        "blake3 package, column": lambda: blake3.blake3(column.view(np.uint8).data).digest(),
        "chain link": links,
        "blake3 package, link": link_by_library,
        "scan": scan,
        "numpy scan": lambda: np.flatnonzero(due == 9),
        "permutation": permutation,
        "numpy permutation": lambda: generator.permutation(order),
        "copy": lambda: np.copyto(copied, column),
    }
    return {name: prepared(action) for name, action in actions.items()}


def segment_cases(library: ctypes.CDLL) -> dict[str, Preparation]:
    """Sorting, sharing, adding up and clearing, each beside the nearest thing in NumPy on the same data."""
    generator = np.random.Generator(np.random.Philox(2))
    keys = {4: generator.integers(0, 2**32, SORTED, np.uint32), 8: generator.integers(0, 2**64, SORTED, np.uint64)}
    short_keys = keys[4].reshape(-1, SHORT)
    items, out, other = (np.arange(SORTED, dtype=np.uint32) for _ in range(3))
    room = np.zeros((SORTED // 4096 + 2) * 256 + 2, np.uint32)
    weights = generator.integers(1, 2**30, SORTED, np.uint64)
    shares, remainders = np.zeros_like(weights), np.zeros(SHORT, np.uint64)
    supply = int(weights.sum()) * 381_966 // 1_000_000
    short_supply = int(weights.reshape(-1, SHORT).sum(axis=1).min()) * 381_966 // 1_000_000
    total = np.zeros(2, np.uint64)
    demand, offered = (generator.integers(0, 1000, (CALLS, STEPS), np.uint64) for _ in range(2))
    prices = np.zeros(CALLS, np.uint32)

    def sort(width: int) -> Preparation:
        def prepare() -> Callable[[], object]:
            unsorted, buffer = keys[width].copy(), np.zeros_like(keys[width])
            addresses = [pointer(array) for array in (unsorted, buffer, other, out, room)]
            return lambda: (unsorted, buffer, library.sort_segment(*addresses, SORTED, width))

        return prepare

    def sort_short() -> None:
        library.sort_short(
            pointer(keys[4]), pointer(items), SHORT, SORTED // SHORT, 4, pointer(room_for_keys), pointer(out)
        )

    def share() -> None:
        cells = np.zeros(155, np.uint64)
        addresses = [pointer(array) for array in (weights, shares, cells)]
        library.share_segment(*addresses, SORTED, ctypes.c_uint64(supply))

    def share_by_numpy() -> None:
        ratio = supply / int(weights.sum())
        exact = weights * ratio
        floors = np.floor(exact).astype(np.uint64)
        order = np.argsort(floors - exact, kind="stable")
        floors[order[: supply - int(floors.sum())]] += np.uint64(1)

    def share_short() -> None:
        addresses = [pointer(array) for array in (weights, shares, remainders)]
        library.share_short(*addresses, SHORT, SORTED // SHORT, ctypes.c_uint64(short_supply))

    def clear_by_numpy() -> None:
        volume = np.minimum(demand[:, ::-1].cumsum(axis=1)[:, ::-1], offered.cumsum(axis=1))
        volume.argmax(axis=1)

    room_for_keys = np.zeros_like(keys[4])
    signed = weights.view(np.int64)
    actions: dict[str, Callable[[], object]] = {
        "numpy sort 4": lambda: np.argsort(keys[4], kind="stable"),
        "numpy sort 8": lambda: np.argsort(keys[8], kind="stable"),
        "sort short": sort_short,
        "numpy sort short": lambda: np.argsort(short_keys, axis=1, kind="stable"),
        "share": share,
        "numpy share": share_by_numpy,
        "share short": share_short,
        "wide sum": lambda: library.sum_wide(pointer(signed), pointer(total), SORTED),
        "numpy sum": lambda: signed.sum(),
        "call": lambda: library.clear_calls(pointer(demand), pointer(offered), STEPS, CALLS, pointer(prices)),
        "numpy call": clear_by_numpy,
    }
    return {"sort 4": sort(4), "sort 8": sort(8)} | {name: prepared(action) for name, action in actions.items()}


def segment_figures(cpu: dict[str, list[float]]) -> list[Figure]:
    """Figures of the primitives that work in segments."""

    def each(name: str, count: int) -> list[float]:
        return [seconds / count * 1e9 for seconds in cpu[name]]

    def against(peer: str, ours: str) -> list[float]:
        return ratios(cpu[peer], cpu[ours])

    argsort, times = "… NumPy's stable argsort takes", "times as long"
    return [
        figure("sort by 32-bit keys, one segment", "ns an element", each("sort 4", SORTED)),
        figure(argsort, times, against("numpy sort 4", "sort 4")),
        figure("sort by 64-bit keys, one segment", "ns an element", each("sort 8", SORTED)),
        figure(argsort, times, against("numpy sort 8", "sort 8")),
        figure(f"sort by 32-bit keys, segments of {SHORT}", "ns an element", each("sort short", SORTED)),
        figure(argsort, times, against("numpy sort short", "sort short")),
        figure("ration by largest remainder, one segment", "ns an element", each("share", SORTED)),
        figure("… NumPy takes, in inexact f64 with its argsort", times, against("numpy share", "share")),
        figure(f"ration by largest remainder, segments of {SHORT}", "ns an element", each("share short", SORTED)),
        figure("sum of 64-bit values in 128 bits", "ns an element", each("wide sum", SORTED)),
        figure("… NumPy's sum in 64 bits takes", times, against("numpy sum", "wide sum")),
        figure("uniform-price call", "ns a step of its ladder", each("call", STEPS * CALLS)),
        figure("… NumPy takes, for the largest volume alone", times, against("numpy call", "call")),
    ]


def figures(*, rounds: int, count: int) -> list[Figure]:
    """All figures; a column of `count` 32-bit values should be four times the last-level cache or more."""
    with tempfile.TemporaryDirectory() as folder:
        library = compiled(Path(folder))
        samples = interleaved(cases(library, count=count) | segment_cases(library), rounds=rounds)
    cpu = {name: [sample.cpu for sample in listed] for name, listed in samples.items()}
    column_bytes = 4 * count
    copy = [2 * column_bytes / seconds / 1e9 for seconds in cpu["copy"]]
    scan = [column_bytes / seconds / 1e9 for seconds in cpu["scan"]]
    return [
        figure("copy, one thread", "GB/s read and written", copy),
        figure("Philox 4x32-10", "ns a block of 128 bits", [s / BLOCKS * 1e9 for s in cpu["philox"]]),
        figure("… NumPy's Philox takes", "times as long", ratios(cpu["numpy philox"], cpu["philox"])),
        figure("digest of a column, in full", "GB/s", [column_bytes / s / 1e9 for s in cpu["digest"]]),
        figure("… the blake3 package takes", "times as long", ratios(cpu["blake3 package, column"], cpu["digest"])),
        figure("link of a chain (BLAKE3, 64 bytes)", "ns", [s / LINKS * 1e9 for s in cpu["chain link"]]),
        figure("… the blake3 package takes", "times as long", ratios(cpu["blake3 package, link"], cpu["chain link"])),
        figure("scan for those due today", "GB/s read", scan),
        figure("… of the copy's bandwidth", "%", [100 * r for r in ratios(scan, copy)], at_least=60),
        figure("… NumPy's flatnonzero takes", "times as long", ratios(cpu["numpy scan"], cpu["scan"])),
        figure("keyed permutation", "ns an element", [s / SHUFFLED * 1e9 for s in cpu["permutation"]]),
        figure("… NumPy's shuffle takes", "times as long", ratios(cpu["numpy permutation"], cpu["permutation"])),
        *segment_figures(cpu),
    ]


def main() -> None:
    """Parses the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default 7)")
    arguments = parser.parse_args()
    measured = figures(rounds=arguments.rounds, count=machine.last_level_cache())
    report("Primitives of the kernel runtime, one thread", measured, as_json=arguments.json)


if __name__ == "__main__":
    main()
