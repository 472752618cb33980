"""Sums the shards' progress messages into `status.progress`, one writable figure per Simulation.

Pure but for the memory of the latest message of each shard, which JetStream holds as well: after a restart the stream
gives it back. Messages are hints from pods: what they claim is clipped to what the run can be, and the Job's own
counts win over them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from parpour_contracts.conditions import is_true
from parpour_contracts.messages import ProgressV1
from parpour_contracts.run import RunDocument, shard_members
from parpour_contracts.simulation import ConditionType, Progress, ShardCounts, SimulationStatus
from parpour_operator import children
from parpour_operator.observing import Job, Key, Observed, read_indexes

WINDOW_SECONDS = 60.0
"""The time left is estimated from the ticks of so long a time."""
FRESH_SECONDS = 30.0
"""A shard that has been silent for so long adds nothing to the rate."""
RATE_LIMIT = 2**62


@dataclass
class _Shard:
    ticks_done: int
    rate: float
    heard_at: float
    running: bool


@dataclass
class _Run:
    """One started Simulation."""

    key: Key
    shards: int
    members: int
    ticks: int
    job: Job
    latest: dict[int, _Shard] = field(default_factory=dict)
    history: deque[tuple[float, int]] = field(default_factory=deque)
    written_at: float = float("-inf")
    dirty: bool = False
    over: bool = False
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def total(self) -> int:
        return self.members * self.ticks

    def ticks_of(self, shard: int) -> int:
        return len(shard_members(members=self.members, shards=self.shards, shard=shard)) * self.ticks

    def done(self) -> int:
        completed = read_indexes(self.job.completed)
        reported = sum(s.ticks_done for index, s in self.latest.items() if index not in completed)
        return reported + sum(self.ticks_of(index) for index in completed if index < self.shards)


@dataclass(frozen=True)
class Due:
    """Progress that may be written now."""

    uid: str
    key: Key
    progress: Progress


Verdict = Literal["taken", "unknown", "refused"]


@dataclass
class ProgressBoard:
    """The started Simulations and what their shards last said; `clock` is monotonic seconds."""

    clock: Callable[[], float]
    interval: float
    """Least time between two writes of one Simulation's progress, in seconds."""
    _runs: dict[str, _Run] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._runs)

    def track(self, uid: str, key: Key, document: RunDocument, job: Job) -> None:
        """Follow a started Simulation, or take note of its Job's newest counts."""
        run = self._runs.get(uid)
        if run is None:
            members = document.ensemble.members
            self._runs[uid] = _Run(key, document.shards, members, document.ticks, job)
        elif run.job != job:
            run.job, run.dirty = job, True

    def note_job(self, uid: str, job: Job) -> None:
        """Take note of a Job's counts, if its Simulation is followed."""
        run = self._runs.get(uid)
        if run is not None and run.job != job:
            run.job, run.dirty = job, True

    def drop(self, uid: str) -> None:
        """Forget a Simulation that is over."""
        self._runs.pop(uid, None)

    def hear(self, run_uid: str, shard: int, message: ProgressV1) -> Verdict:
        """Take a message; the subject says whose it is, the body may not."""
        run = self._runs.get(run_uid)
        if run is None:
            return "unknown"
        if not 0 <= shard < run.shards or message.run != run_uid or message.shard != shard:
            return "refused"
        busy = message.busy_milliseconds / 1000
        run.latest[shard] = _Shard(
            ticks_done=min(message.ticks_done, run.ticks_of(shard)),
            rate=min(message.agent_updates / busy, RATE_LIMIT) if busy else 0.0,
            heard_at=self.clock(),
            running=message.state == "Running",
        )
        run.dirty = True
        return "taken"

    @asynccontextmanager
    async def turn(self, uid: str) -> AsyncIterator[bool]:
        """Wait for the turn to write a Simulation's progress; whether a beat may still do so.

        A beat that was kept waiting must not follow the last figures, or a complete run would show 97 % for good.
        """
        run = self._runs.get(uid)
        if run is None:
            yield False
            return
        async with run.writing:
            yield not run.over

    def due(self, *, now: datetime) -> tuple[Due, ...]:
        """The Simulations whose progress changed and was last written long enough ago. They count as written."""
        moment = self.clock()
        found = []
        for uid, run in self._runs.items():
            if run.dirty and not run.over and moment - run.written_at >= self.interval and not run.job.suspended:
                run.written_at, run.dirty = moment, False
                found.append(Due(uid, run.key, self._progress(run, now)))
        return tuple(found)

    def last(self, observed: Observed, status: SimulationStatus, *, now: datetime) -> Progress | None:
        """The progress of a run that is over; None if it never started."""
        document = observed.run_map.document if observed.run_map else None
        job = observed.jobs.get(children.shards_name(observed.resource.key.name))
        if document is None or job is None:
            return None
        uid = observed.resource.uid
        self.track(uid, observed.resource.key, document, job)
        run = self._runs[uid]
        run.over = True
        progress = self._progress(run, now)
        if is_true(status.conditions, ConditionType.COMPLETE):
            counts = ShardCounts(succeeded=run.shards)
            before = observed.resource.status.progress or progress
            rate = progress.agent_updates_per_second or before.agent_updates_per_second
            done = {"ticks_done": run.total, "summary": "100 %", "shards": counts, "seconds_left": 0}
            return progress.model_copy(update={**done, "agent_updates_per_second": rate})
        return progress.model_copy(update={"seconds_left": None})

    def _progress(self, run: _Run, now: datetime) -> Progress:
        moment, done = self.clock(), min(run.done(), run.total)
        rate = sum(s.rate for s in run.latest.values() if s.running and moment - s.heard_at < FRESH_SECONDS)
        return Progress(
            summary=f"{100 * done // run.total} %",
            shards=count_shards(run.job, run.shards),
            ticks_done=done,
            ticks_total=run.total,
            agent_updates_per_second=int(rate),
            seconds_left=_seconds_left(run, moment, done),
            updated_at=now,
        )


def count_shards(job: Job, shards: int) -> ShardCounts:
    """Shards by state, as the Job has them."""
    failed = min(job.failed_indexes, shards)
    succeeded = min(job.succeeded, shards - failed)
    active = min(job.ready, shards - failed - succeeded)
    return ShardCounts(pending=shards - failed - succeeded - active, active=active, succeeded=succeeded, failed=failed)


def _seconds_left(run: _Run, moment: float, done: int) -> int | None:
    history = run.history
    while history and moment - history[0][0] > WINDOW_SECONDS:
        history.popleft()
    estimate = None
    if history and moment > history[0][0] and done > history[0][1]:
        since, before = history[0]
        estimate = int((run.total - done) * (moment - since) / (done - before))
    history.append((moment, done))
    return estimate
