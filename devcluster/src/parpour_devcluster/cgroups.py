"""The cgroup that holds a cluster: made before its first process, removed after its last.

Daemons and containers sit side by side below it. containerd is told no parent, so runc makes a container's cgroup from
its own (inside it on version 1, beside it on version 2), which is how everything ends up below the cluster's.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from parpour_devcluster.errors import DevclusterError

_ROOT = Path("/sys/fs/cgroup")


def hierarchies(mounts: str | None = None) -> list[Path]:
    """The mounted cgroup hierarchies, version 1 and 2, without those that mirror another."""
    text = Path("/proc/self/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    rows = [line.split() for line in text.splitlines()]
    return [Path(row[1]) for row in rows if row[2] in {"cgroup", "cgroup2"} and row[1].startswith(str(_ROOT))]


def create(name: str) -> tuple[Path, ...]:
    """Makes a cluster's cgroup in every hierarchy.

    Returns:
        The folders that its daemons join.

    Raises:
        DevclusterError: DEVCLUSTER_CGROUP_REFUSED.
    """
    joined = []
    try:
        for hierarchy in hierarchies():
            parent = hierarchy
            for part in (name, "daemons"):
                child = parent / part
                child.mkdir(exist_ok=True)
                for setting in ("cpuset.cpus", "cpuset.mems"):  # version 1 takes no process before these are set
                    if (child / setting).exists() and (parent / setting).exists() and hierarchy.name == "cpuset":
                        (child / setting).write_text((parent / setting).read_text(encoding="ascii"), encoding="ascii")
                parent = child
            joined.append(parent)
    except OSError as error:
        raise DevclusterError(
            "DEVCLUSTER_CGROUP_REFUSED",
            f"the cgroup '{name}' could not be made: {error}",
            remedy="Run on a machine (or in a container) whose /sys/fs/cgroup is writable",
        ) from error
    return tuple(joined)


def existing(name: str) -> list[Path]:
    """The folders of a cluster's cgroup that are there, one for each hierarchy."""
    return [hierarchy / name for hierarchy in hierarchies() if (hierarchy / name).is_dir()]


def remove(name: str, *, timeout: float) -> None:
    """Removes a cluster's cgroup and all below it, once its processes are gone.

    Raises:
        DevclusterError: DEVCLUSTER_CGROUP_BUSY when a process is still in it after the timeout, in seconds.
    """
    deadline = time.monotonic() + timeout
    while existing(name):
        for top in existing(name):
            for folder, _, _ in os.walk(top, topdown=False):
                with contextlib.suppress(OSError):  # still busy: its processes are being killed
                    Path(folder).rmdir()
        if existing(name) and time.monotonic() > deadline:
            raise DevclusterError(
                "DEVCLUSTER_CGROUP_BUSY",
                f"processes are still in the cgroup '{name}'",
                remedy=f"See {existing(name)[0]}/**/cgroup.procs, end them and run it again",
            )
        time.sleep(0.02)


def cpu_seconds(name: str) -> float | None:
    """CPU time that a cluster has used, pods included; None where the hierarchy does not tell."""
    version_1 = _ROOT / "cpuacct" / name / "cpuacct.usage"
    if version_1.exists():
        return int(version_1.read_text(encoding="ascii")) / 1e9
    version_2 = _ROOT / name / "cpu.stat"
    if version_2.exists():
        fields = dict(line.split() for line in version_2.read_text(encoding="ascii").splitlines())
        return int(fields["usage_usec"]) / 1e6
    return None
