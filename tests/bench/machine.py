"""The machine under the figures: what it is, how loaded it is, and how fast it copies memory.

Bandwidth is measured here and not taken from a data sheet, because a share of a virtual machine has its own.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path

import numpy as np

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def cache_bytes() -> dict[str, int]:
    """Size of each data or unified cache as the kernel reports it, by level ("L1", "L2", …)."""
    sizes = {}
    for index in sorted(CACHES.glob("index*")):
        if (index / "type").read_text().strip() == "Instruction":
            continue
        text = (index / "size").read_text().strip()
        sizes["L" + (index / "level").read_text().strip()] = int(text.rstrip("K")) * 1024
    return sizes


def last_level_cache() -> int:
    """Bytes of the largest cache; 32 MiB where the kernel does not say."""
    return max(cache_bytes().values(), default=32 << 20)


def facts() -> dict[str, str]:
    """What a reader needs to judge the figures, the load of other processes included."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    command = [os.environ.get("CC", "cc"), "-dumpfullversion"]
    compiler = subprocess.run(command, capture_output=True, text=True, check=True)
    caches = ", ".join(f"{level} {size / 1024:.0f} KiB" for level, size in cache_bytes().items())
    return {
        "processor": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "caches": caches,
        "memory": f"{memory / 2**30:.0f} GiB",
        "compiler": f"cc {compiler.stdout.strip()}",
        "python": f"{platform.python_version()}, NumPy {np.__version__}",
        "load": f"{os.getloadavg()[0]:.1f} over the last minute",
    }


def copy_bandwidth() -> float:
    """Bytes read and written per CPU second by one copy between arrays of four times the last-level cache each."""
    source = np.ones(4 * last_level_cache(), np.uint8)
    target = np.zeros_like(source)
    begin = time.process_time()
    np.copyto(target, source)
    return 2 * source.nbytes / (time.process_time() - begin)
