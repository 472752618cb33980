"""Follows one Simulation live: a watch on the resource, and every two seconds a look at its pods and their logs.

The watch runs in a thread and hands objects over by a queue, so that the picture is renewed both when something
happens and when only time has passed.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from civlab.worker.progress_line import ShardLine, parse_progress_line
from parpour_cli.cluster import Cluster, Json
from parpour_cli.faults import CliError
from parpour_cli.picture import SHARD_LINES, Picture, take_picture
from parpour_cli.reading import Run, read_run
from parpour_cli.shards import ShardState, ShardView, shard_views

EVERY_SECONDS = 2.0
PASSING = ("API_UNREACHABLE", "API_EXPIRED", "API_BUSY", "API_ERROR")
"""Answers that may be gone at the next attempt."""
OUTAGES = 10
"""Failures of the watch in a row, one every EVERY_SECONDS, before the API server counts as lost."""
TAIL_LINES = 5


class Feed:
    """The Simulation's changes, in a queue, from a thread that watches."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster = cluster
        self._name = name
        self._changes: queue.Queue[Json | CliError | None] = queue.Queue()
        self._stop = threading.Event()
        threading.Thread(target=self._watch, name="simulation-watch", daemon=True).start()

    def next(self, *, seconds: float) -> Json | None:
        """The next change, or None when nothing changed for so long.

        Raises:
            CliError: SIMULATION_GONE, or why it can no longer be watched.
        """
        try:
            change = self._changes.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(change, CliError):
            raise change
        return change

    def close(self) -> None:
        """Stop watching at the next event."""
        self._stop.set()

    def _watch(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                document = self._cluster.simulation(self._name)
                self._changes.put(document)
                failures = 0
                if not self._follow(str(document["metadata"]["resourceVersion"])):
                    return
            except CliError as fault:
                failures += 1
                if fault.code not in PASSING or failures > OUTAGES:
                    self._changes.put(fault)
                    return
                self._stop.wait(EVERY_SECONDS)

    def _follow(self, version: str) -> bool:
        """Pass changes on until the watch ends; False when the Simulation is gone."""
        events = self._cluster.watch(
            self._cluster.simulations_path(), version=version, fieldSelector=f"metadata.name={self._name}"
        )
        for event in events:
            if event["type"] == "DELETED":
                self._changes.put(_gone(self._name))
                return False
            if event["type"] in ("ADDED", "MODIFIED"):
                self._changes.put(event["object"])
            elif event["type"] == "ERROR":
                return True
            if self._stop.is_set():
                return False
        return True


def follow(cluster: Cluster, name: str) -> Iterator[Picture]:
    """Pictures of a Simulation until it is finished or refused; the last one shows how.

    Raises:
        CliError: SIMULATION_NOT_FOUND, SIMULATION_GONE when it is deleted meanwhile, or the API server's answer.
    """
    run = read_run(cluster.simulation(name))
    lines: dict[int, ShardLine] = {}
    feed = Feed(cluster, name)
    try:
        while True:
            yield look(cluster, run, lines)
            if run.finished or run.refused:
                return
            change = feed.next(seconds=EVERY_SECONDS)
            if change is not None:
                run = read_run(change)
    finally:
        feed.close()


def look(cluster: Cluster, run: Run, lines: dict[int, ShardLine]) -> Picture:
    """One picture now; `lines` keeps the shards' last known lines between pictures."""
    views: list[ShardView] = []
    try:
        if run.status.shards:
            views = shard_views(pods_of(cluster, run), shards=run.status.shards)
            if not run.finished:
                _read_lines(cluster, views[:SHARD_LINES], lines)
    except CliError as fault:  # the watch counts outages; a picture without pods is drawn meanwhile
        if fault.code not in PASSING:
            raise
    return take_picture(run, views, lines)


def _read_lines(cluster: Cluster, views: list[ShardView], lines: dict[int, ShardLine]) -> None:
    for view in views:
        if view.state is not ShardState.RUNNING:
            continue
        line = last_line(cluster, view.pod)
        if line is not None:
            lines[view.index] = line


def last_line(cluster: Cluster, pod: str) -> ShardLine | None:
    """The newest progress in a pod's log; None when there is none, or when the user may not read logs."""
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/{pod}/log"
    try:
        tail = list(cluster.lines(path, tailLines=TAIL_LINES))
    except CliError as fault:
        if fault.code in ("API_FORBIDDEN", "API_NOT_FOUND", "API_ERROR"):
            return None
        raise
    found = (parse_progress_line(line) for line in reversed(tail))
    return next((line for line in found if line is not None), None)


def _gone(name: str) -> CliError:
    return CliError("SIMULATION_GONE", f"Simulation {name!r} was deleted while it was watched")


def pods_of(cluster: Cluster, run: Run) -> list[Json]:
    """The pods of a Simulation; none when the user may not see them."""
    try:
        return cluster.pods(run.name)
    except CliError as fault:
        if fault.code == "API_FORBIDDEN":
            return []
        raise


def events_of(cluster: Cluster, run: Run) -> list[Mapping[str, Any]]:
    """The events of a Simulation; none when the user may not read them."""
    try:
        return list(
            cluster.items(
                f"/api/v1/namespaces/{run.namespace}/events",
                fieldSelector=f"involvedObject.uid={run.uid}",
            )
        )
    except CliError as fault:
        if fault.code == "API_FORBIDDEN":
            return []
        raise
