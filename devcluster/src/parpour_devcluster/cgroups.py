"""The cgroup that holds a cluster: made before its first process, removed after its last.

Inside the cluster it is the root of every hierarchy, by a cgroup namespace and bind mounts. containerd is told no
parent for containers and would otherwise put them at the machine's root, beside those of other clusters.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from parpour_devcluster.errors import DevclusterError

_ROOT = Path("/sys/fs/cgroup")
_DAEMONS = "daemons"


def hierarchies(mounts: str | None = None) -> list[Path]:
    """The mounted cgroup hierarchies, version 1 and 2, without those that mirror another."""
    text = Path("/proc/self/mounts").read_text(encoding="utf-8") if mounts is None else mounts
    rows = [line.split() for line in text.splitlines()]
    return [Path(row[1]) for row in rows if row[2] in {"cgroup", "cgroup2"} and row[1].startswith(str(_ROOT))]


@dataclass(frozen=True)
class Cgroup:
    """A cluster's cgroup.

    Args:
        name: its path below each hierarchy's root.
        roots: the hierarchies that it is in.
    """

    name: str
    roots: tuple[Path, ...]

    def join_top(self) -> None:
        """Moves this process to the cgroup itself, which a new cgroup namespace then takes for its root."""
        for root in self.roots:
            (root / self.name / "cgroup.procs").write_text("0", encoding="ascii")

    def join(self) -> None:
        """Moves this process to where the daemons are: beside the containers, as version 2 wants them in leaves."""
        for root in self.roots:
            (root / self.name / _DAEMONS / "cgroup.procs").write_text("0", encoding="ascii")

    def mounts(self) -> list[tuple[Path, Path]]:
        """What to bind where, inside, so that the cluster's cgroup is the root of all that its programs see."""
        return [(root / self.name, root) for root in self.roots]


def create(name: str) -> Cgroup:
    """Makes a cluster's cgroup in every hierarchy.

    Raises:
        DevclusterError: DEVCLUSTER_CGROUP_REFUSED.
    """
    roots = hierarchies()
    try:
        for root in roots:
            for folder in (root / name, root / name / _DAEMONS):
                folder.mkdir(exist_ok=True)
                for setting in ("cpuset.cpus", "cpuset.mems") if root.name == "cpuset" else ():
                    # version 1 takes no process before these are set
                    inherited = (folder.parent / setting).read_text(encoding="ascii")
                    (folder / setting).write_text(inherited, encoding="ascii")
    except OSError as error:
        raise DevclusterError(
            "DEVCLUSTER_CGROUP_REFUSED",
            f"the cgroup '{name}' could not be made: {error}",
            remedy="Run on a machine (or in a container) whose /sys/fs/cgroup is writable",
        ) from error
    return Cgroup(name, tuple(roots))


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
