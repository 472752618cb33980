"""From the runner's frequent reports to few messages: on the bus and, as log lines, on standard output."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from civlab.runs.progress import ShardOutcome, ShardProgress
from civlab.worker.progress_line import progress_line
from parpour_contracts.messages import ProgressV1

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
"""Least time between two reports that mark nothing in particular."""


class Reporter:
    """Publishes the first report, one after each checkpoint, the last, and in between one every two seconds."""

    def __init__(
        self,
        *,
        run: str,
        publish: Callable[[ProgressV1], None],
        stopping: Callable[[], bool],
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._run = run
        self._publish = publish
        self._stopping = stopping
        self._now = now
        self._monotonic = monotonic
        self._last_at: float | None = None
        self._state = ""

    def __call__(self, progress: ShardProgress) -> None:
        """Take one report of the runner."""
        due = self._last_at is None or self._monotonic() - self._last_at >= EVERY_SECONDS
        if due or progress.checkpoint or self._stopping() != (self._state == "Stopping"):
            self._send(progress, "Stopping" if self._stopping() else "Running")

    def finish(self, outcome: ShardOutcome, *, shards: int) -> None:
        """Send the last word of a shard that is done; one that was done before this pod began has no other."""
        last = ShardProgress(
            shard=outcome.shard,
            shards=shards,
            members=outcome.members,
            members_done=outcome.members,
            ticks_done=outcome.ticks_done,
            ticks_total=outcome.ticks_total,
            agent_updates=outcome.agent_updates,
            busy_seconds=outcome.busy_seconds,
        )
        self._send(last, "Done")

    def _send(self, progress: ShardProgress, state: Literal["Running", "Stopping", "Done"]) -> None:
        self._last_at = self._monotonic()
        self._state = state
        message = ProgressV1(
            run=self._run,
            shard=progress.shard,
            shards=progress.shards,
            state=state,
            members=progress.members,
            members_done=progress.members_done,
            ticks_done=progress.ticks_done,
            ticks_total=progress.ticks_total,
            agent_updates=progress.agent_updates,
            busy_milliseconds=round(progress.busy_seconds * 1000),
            at=self._now(),
        )
        self._publish(message)
        fields = {"progress": message.to_wire()}
        log.info("%s%s", progress_line(message), ", checkpoint" * progress.checkpoint, extra={"fields": fields})
