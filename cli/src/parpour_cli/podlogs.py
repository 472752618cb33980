"""`parpour sim logs`: the lines of a Simulation's pods, each behind its pod's name."""

from __future__ import annotations

import json
import queue
import sys
import threading
from collections.abc import Callable, Iterator

import click

from parpour_cli.cluster import Cluster, Json
from parpour_cli.faults import CliError
from parpour_cli.shards import pod_index


def print_logs(cluster: Cluster, name: str, *, shard: int | None, live: bool, tail: int, as_json: bool) -> None:
    """Print the logs of the pods that exist now, pod after pod, or with `live` all at once as lines come.

    Raises:
        CliError: PODS_NOT_FOUND, or the API server's answer.
    """
    pods = [pod for pod in cluster.pods(name) if shard is None or pod_index(pod) == shard]
    if not pods:
        which = f"shard {shard} of Simulation" if shard is not None else "Simulation"
        raise CliError(
            "PODS_NOT_FOUND",
            f"{which} {name!r} has no pod (any more)",
            remedy=f"pods go when a Simulation is deleted; `parpour sim describe {name}` shows its state",
        )
    say = _say_json if as_json else _say_plain
    if live:
        _follow(cluster, pods, tail=tail, say=say)
        return
    for pod in pods:
        for line in _lines(cluster, pod, tail=tail, live=False):
            say(_name(pod), line)


def _follow(cluster: Cluster, pods: list[Json], *, tail: int, say: Callable[[str, str], None]) -> None:
    lines: queue.Queue[tuple[str, str] | None] = queue.Queue()

    def pump(pod: Json) -> None:
        try:
            for line in _lines(cluster, pod, tail=tail, live=True):
                lines.put((_name(pod), line))
        except CliError as fault:
            lines.put((_name(pod), f"(no more lines: {fault.message})"))
        finally:
            lines.put(None)

    for pod in pods:
        threading.Thread(target=pump, args=(pod,), daemon=True).start()
    ended = 0
    while ended < len(pods):
        line = lines.get()
        if line is None:
            ended += 1
        else:
            say(*line)


def _lines(cluster: Cluster, pod: Json, *, tail: int, live: bool) -> Iterator[str]:
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{_name(pod)}/log"
    if live:
        return cluster.lines(path, seconds=None, tailLines=tail, follow=True)
    return cluster.lines(path, tailLines=tail)


def _name(pod: Json) -> str:
    return str(pod["metadata"]["name"])


def _say_plain(pod: str, line: str) -> None:
    click.echo(f"{pod}  {line}")
    sys.stdout.flush()


def _say_json(pod: str, line: str) -> None:
    click.echo(json.dumps({"pod": pod, "line": line}, ensure_ascii=False))
    sys.stdout.flush()
