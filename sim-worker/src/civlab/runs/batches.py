"""How many members are held at a time.

Batches follow from the memory at hand and may differ between machines and attempts: neither digests nor tables depend
on them. A member counts with its world and with the copies that checkpoints and tables make of it. Half of the free
memory is taken where nothing else is said, since others use the machine too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import Estimate, estimate

LARGEST_BATCH = 4096
"""Members in a batch, at most: a checkpoint is whole batches' state, and stopping should not wait for very many."""
FALLBACK_BYTES = 2 << 30


def free_memory() -> int:
    """Half of the memory that the kernel could hand out now, in bytes; 2 GiB where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return FALLBACK_BYTES
    sizes = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
    return sizes[0] * 1024 // 2 if sizes else FALLBACK_BYTES


def batch_size(spec: RunSpec, indices: Sequence[int], *, memory: int) -> int:
    """How many of these members, in order from the first, fit in `memory` bytes.

    Raises CivlabError RUN_MEMORY_TOO_SMALL when not even one does.
    """
    sizes: dict[tuple[tuple[str, str], ...], Estimate] = {}
    used = count = 0
    for index in indices[:LARGEST_BATCH]:
        point = spec.points[index]
        if point.values not in sizes:
            sizes[point.values] = estimate(spec.scenario_of(point))
        used += sizes[point.values].peak
        if used > memory:
            break
        count += 1
    if not count:
        one = sizes[spec.points[indices[0]].values]
        smaller = f" or make {spec.scenario.agents_path} smaller" if spec.scenario.agents_path else ""
        raise CivlabError(
            "RUN_MEMORY_TOO_SMALL",
            spec.scenario.agents_path or "",
            f"member {indices[0]} needs about {used >> 20} MiB ({one.bytes >> 20} MiB its world, "
            f"{one.copies >> 20} MiB copies for checkpoints and tables) and {memory >> 20} MiB are to be used; "
            f"give more memory{smaller}",
        )
    return count
