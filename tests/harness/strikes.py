"""Ways to lose a worker in the middle of its shard, and what its successor then shows.

A deleted pod may still write a checkpoint; a killed process may not, which is why both are here.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from civlab.worker.progress_line import parse_progress_line
from harness.release import Object, Release
from harness.simulations import Draft, pods_of


def delete_pod(release: Release, pod: Object) -> None:
    """Delete a worker's pod: SIGTERM, a checkpoint, exit 75."""
    meta = pod["metadata"]
    release.kubectl("delete", "pod", meta["name"], "--namespace", meta["namespace"], "--wait=false")


def kill_process(release: Release, pod: Object) -> None:
    """SIGKILL a worker's process from the node: nothing can be written."""
    killed = [pid for pid in pids_of(pod) if "civlab-worker" in command_of(pid)]
    assert killed, "the worker's process was not found on this machine"
    for pid in killed:
        os.kill(pid, signal.SIGKILL)


def pids_of(pod: Object) -> list[int]:
    """Processes of this machine that run in the cgroups of a pod's containers."""
    containers = [status["containerID"].rpartition("/")[2] for status in pod["status"]["containerStatuses"]]
    found = []
    for entry in Path("/proc").glob("[0-9]*/cgroup"):
        try:
            text = entry.read_text()
        except OSError:
            continue
        if any(container in text for container in containers):
            found.append(int(entry.parent.name))
    return found


def command_of(pid: int) -> str:
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def first_ticks(log: str) -> int:
    """How many ticks were done when a pod first said so."""
    lines = [line for text in log.splitlines() if (line := parse_progress_line(text)) is not None]
    return lines[0].ticks_done


def index_of(pod: Object) -> str:
    """Which shard a pod works on."""
    index: str = pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]
    return index


def successor_of(release: Release, one: Draft, struck: Object) -> Object | None:
    """The pod that took over a struck pod's shard, if there is one."""
    for pod in pods_of(release, one):
        same = index_of(pod) == index_of(struck)
        if same and pod["metadata"]["uid"] != struck["metadata"]["uid"] and pod["status"]["phase"] != "Pending":
            return pod
    return None
