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


def figures(*, rounds: int, count: int) -> list[Figure]:
    """All figures; a column of `count` 32-bit values should be four times the last-level cache or more."""
    with tempfile.TemporaryDirectory() as folder:
        samples = interleaved(cases(compiled(Path(folder)), count=count), rounds=rounds)
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
