"""What a running shard tells its surroundings: how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ShardProgress:
    """Where one shard stands.

    `ticks_done` and `ticks_total` are summed over the shard's members and count what a checkpoint brought back;
    `agent_updates` (agents times ticks) and `busy_seconds` are this process' own work. `checkpoint` is true in the
    report that follows a checkpoint.
    """

    shard: int
    shards: int
    members: int
    members_done: int
    ticks_done: int
    ticks_total: int
    agent_updates: int
    busy_seconds: float
    checkpoint: bool = False


@dataclass(frozen=True)
class ShardOutcome:
    """How `run_shard` ended: `done` is false when it was told to stop and a checkpoint stands.

    `resumed_tick_count` is how many member-ticks a checkpoint spared.
    """

    shard: int
    done: bool
    members: int
    ticks_done: int
    ticks_total: int
    agent_updates: int
    busy_seconds: float
    resumed_ticks: int


Watcher = Callable[[ShardProgress], None]


def unwatched(_progress: ShardProgress) -> None:
    """A watcher that looks away."""
