"""The log line that says how far a shard is, and its reading back.

`parpour sim watch` has no credential for the bus, but its user may read pods' logs: the line is therefore a format,
written and parsed here and nowhere else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from parpour_contracts.messages import ProgressV1

_LINE = re.compile(
    r"shard (?P<shard>\d{1,9}) of (?P<shards>\d{1,9}): (?P<ticks_done>\d{1,18}) of (?P<ticks_total>\d{1,18}) ticks, "
    r"(?P<members_done>\d{1,9}) of (?P<members>\d{1,9}) members, (?P<rate>\d{1,18}) agent-updates/s"
)


@dataclass(frozen=True)
class ShardLine:
    """What the line says. `rate` is in agent-updates (agents times ticks) per second of this pod."""

    shard: int
    shards: int
    ticks_done: int
    ticks_total: int
    members_done: int
    members: int
    rate: int


def progress_line(progress: ProgressV1) -> str:
    """The log line of one progress message."""
    rate = progress.agent_updates * 1000 // progress.busy_milliseconds if progress.busy_milliseconds else 0
    return (
        f"shard {progress.shard} of {progress.shards}: {progress.ticks_done} of {progress.ticks_total} ticks, "
        f"{progress.members_done} of {progress.members} members, {rate} agent-updates/s"
    )


def parse_progress_line(line: str) -> ShardLine | None:
    """What a log line (plain or JSON) says of a shard's progress; None for every other line."""
    if line.startswith("{"):
        try:
            line = str(json.loads(line)["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
    found = _LINE.search(line)
    return None if found is None else ShardLine(**{name: int(text) for name, text in found.groupdict().items()})
