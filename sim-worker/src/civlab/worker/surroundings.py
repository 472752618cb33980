"""What a pod is told by its surroundings: files that are mounted, environment variables, cgroup limits.

Everything is read once and handed on as one frozen value, so that nothing further down looks at the environment.
The store's credentials are the exception: its client reads them itself, and they never pass through our hands.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from civlab.errors import CivlabError
from parpour_contracts.run import worlds_memory

RUN_FILE = Path("/etc/civlab/run.json")
BUS_FOLDER = Path("/var/run/secrets/parpour/bus")
TERMINATION_LOG = Path("/dev/termination-log")
CGROUP_ROOT = Path("/sys/fs/cgroup")
GRACE_SECONDS = 25.0
"""Time from SIGTERM to a forced end; five seconds less than the pod's grace period, after which SIGKILL comes."""
UNLIMITED = 1 << 60
"""cgroup v1 states "no limit" as a huge number of bytes; anything from here on is none."""


@dataclass(frozen=True)
class Surroundings:
    """Where a worker finds what it needs, and how much of the machine is its own."""

    run_file: Path
    bus_folder: Path
    termination_log: Path
    index: int | None
    """Shard to run, from the Job's completion index; None outside an Indexed Job."""
    threads: int
    memory: int | None
    """Bytes that worlds and their copies may take; None when nothing limits them."""
    grace_seconds: float


def read_surroundings(environment: Mapping[str, str], *, cgroup_root: Path = CGROUP_ROOT) -> Surroundings:
    """The surroundings as environment and cgroup state them.

    Raises:
        CivlabError: WORKER_SETTING_WRONG, naming the variable that does not hold what it should.
    """
    limit = memory_limit(cgroup_root)
    return Surroundings(
        run_file=Path(environment.get("CIVLAB_RUN") or RUN_FILE),
        bus_folder=Path(environment.get("CIVLAB_BUS") or BUS_FOLDER),
        termination_log=Path(environment.get("CIVLAB_TERMINATION_LOG") or TERMINATION_LOG),
        index=_whole(environment, "JOB_COMPLETION_INDEX", least=0),
        threads=_threads(environment),
        memory=None if limit is None else worlds_memory(limit),
        grace_seconds=float(_whole(environment, "CIVLAB_GRACE_SECONDS", least=1) or GRACE_SECONDS),
    )


def memory_limit(cgroup_root: Path) -> int | None:
    """The container's memory limit in bytes (cgroup v2, then v1); None when there is none."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        try:
            text = (cgroup_root / name).read_text().strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < UNLIMITED:
            return int(text)
    return None


def _threads(environment: Mapping[str, str]) -> int:
    for name in ("CIVLAB_THREADS", "OMP_NUM_THREADS"):
        given = _whole(environment, name, least=1)
        if given is not None:
            return given
    return len(os.sched_getaffinity(0))


def _whole(environment: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = environment.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) >= least):
        raise CivlabError("WORKER_SETTING_WRONG", name, f"is not a whole number from {least} on; set it so or unset it")
    return int(text)
