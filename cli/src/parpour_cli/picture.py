"""One moment of a running Simulation: a pure function of its status, its pods and the last lines of their logs.

The status is written every ten seconds; the lines are at most two seconds old. Where both speak, the further one
counts, since neither ever goes back while the same pods run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from civlab.worker.progress_line import ShardLine
from parpour_cli.listing import STATE_STYLES
from parpour_cli.reading import Run, figure, span
from parpour_cli.shards import ShardState, ShardView
from parpour_contracts.run import shard_members
from parpour_contracts.simulation import State

SHARD_LINES = 24
"""Most shards that get a bar of their own; the others are counted."""
BAR_WIDTH = 36


@dataclass(frozen=True)
class ShardMoment:
    """One shard: what its pod does and how many of its ticks are done."""

    view: ShardView
    ticks_done: int
    ticks_total: int
    rate: int


@dataclass(frozen=True)
class Picture:
    """All that `sim watch` shows. `rate` is in agent-updates per second."""

    run: Run
    shards: tuple[ShardMoment, ...]
    ticks_done: int
    ticks_total: int
    rate: int

    @property
    def percent(self) -> int:
        """Share of the ticks done, rounded down."""
        if self.run.status.state is State.COMPLETE:
            return 100
        return self.ticks_done * 100 // self.ticks_total if self.ticks_total else 0

    @property
    def seconds_left(self) -> int | None:
        """The status' estimate, shortened by what has been done since it was written; None when there is none."""
        progress = self.run.progress
        if progress.seconds_left is None or self.run.finished or progress.ticks_total <= progress.ticks_done:
            return None
        left = max(0, progress.ticks_total - self.ticks_done)
        return progress.seconds_left * left // (progress.ticks_total - progress.ticks_done)

    @property
    def collecting(self) -> bool:
        """Whether all shards are done and their results are being verified."""
        return not self.run.finished and bool(self.shards) and all(m.view.state is ShardState.DONE for m in self.shards)

    def document(self) -> dict[str, Any]:
        """The moment as a JSON object."""
        return {
            "namespace": self.run.namespace,
            "name": self.run.name,
            "state": str(self.run.status.state),
            "reason": self.run.reason(),
            "percent": self.percent,
            "ticksDone": self.ticks_done,
            "ticksTotal": self.ticks_total,
            "agentUpdatesPerSecond": self.rate,
            "shards": [
                {
                    "shard": moment.view.index,
                    "state": str(moment.view.state),
                    "pod": moment.view.pod,
                    "ticksDone": moment.ticks_done,
                    "ticksTotal": moment.ticks_total,
                }
                for moment in self.shards
            ],
            "digest": self.run.status.result.digest if self.run.status.result else None,
        }


def take_picture(run: Run, views: Sequence[ShardView], lines: Mapping[int, ShardLine]) -> Picture:
    """Put status, pods and log lines together."""
    ticks = _ticks_per_member(run, lines)
    moments = tuple(_moment(view, lines.get(view.index), run, ticks) for view in views)
    progress = run.progress
    return Picture(
        run=run,
        shards=moments,
        ticks_done=max(progress.ticks_done, sum(moment.ticks_done for moment in moments)),
        ticks_total=max(progress.ticks_total, run.spec.ensemble.members * ticks),
        rate=sum(moment.rate for moment in moments) or progress.agent_updates_per_second,
    )


def _ticks_per_member(run: Run, lines: Mapping[int, ShardLine]) -> int:
    if run.progress.ticks_total:
        return run.progress.ticks_total // run.spec.ensemble.members
    for line in lines.values():
        return line.ticks_total // line.members if line.members else 0
    return run.spec.ticks or 0


def _moment(view: ShardView, line: ShardLine | None, run: Run, ticks: int) -> ShardMoment:
    shards = run.status.shards or 1
    total = len(shard_members(members=run.spec.ensemble.members, shards=shards, shard=view.index)) * ticks
    if view.state is ShardState.DONE or run.status.state is State.COMPLETE:
        return ShardMoment(view=view, ticks_done=total, ticks_total=total, rate=0)
    if line is None:
        return ShardMoment(view=view, ticks_done=0, ticks_total=total, rate=0)
    rate = line.rate if view.state is ShardState.RUNNING else 0
    return ShardMoment(view=view, ticks_done=min(line.ticks_done, total), ticks_total=total, rate=rate)


def headline(picture: Picture) -> str:
    """The moment in one line of plain text."""
    parts = [f"{picture.run.status.state} {picture.percent} %"]
    if picture.ticks_total:
        parts.append(f"{picture.ticks_done} of {picture.ticks_total} ticks")
    if picture.shards:
        done = sum(moment.view.state is ShardState.DONE for moment in picture.shards)
        active = sum(moment.view.state is ShardState.RUNNING for moment in picture.shards)
        parts.append(f"shards {done} done, {active} running of {len(picture.shards)}")
    parts += _outlook(picture)
    reason = picture.run.reason()
    return ", ".join(parts) + (f" ({reason})" if reason else "")


def drawing(picture: Picture) -> RenderableType:
    """The moment as bars: one for the whole, one for each shard."""
    run = picture.run
    state = str(run.status.state)
    title = Text.assemble((run.name, "bold"), "  ", (state, STATE_STYLES.get(state, "")), f"  {run.scenario}")
    reason = run.reason()
    grid = Table.grid(padding=(0, 2))
    for _ in range(4):
        grid.add_column(no_wrap=True)
    grid.add_row(
        Text("all", style="bold"),
        _bar(picture.ticks_done, picture.ticks_total, complete=run.status.state is State.COMPLETE),
        Text(f"{picture.percent:3d} %", style="bold"),
        Text(", ".join(_outlook(picture)), style="dim"),
    )
    for moment in picture.shards[:SHARD_LINES]:
        percent = moment.ticks_done * 100 // moment.ticks_total if moment.ticks_total else 0
        grid.add_row(
            Text(f"shard {moment.view.index}"),
            _bar(moment.ticks_done, moment.ticks_total, complete=moment.view.state is ShardState.DONE),
            Text(f"{percent:3d} %"),
            Text(f"{moment.view.state}  {moment.view.pod}", style="dim"),
        )
    parts: list[RenderableType] = [title, *([Text(reason, style="dim")] if reason else []), grid]
    hidden = picture.shards[SHARD_LINES:]
    if hidden:
        done = sum(moment.view.state is ShardState.DONE for moment in hidden)
        parts.append(Text(f"and {len(hidden)} more shards, {done} of them done", style="dim"))
    return Group(*parts)


def _bar(done: int, total: int, *, complete: bool) -> ProgressBar:
    whole = max(total, 1)
    return ProgressBar(total=whole, completed=whole if complete else done, width=BAR_WIDTH)


def _outlook(picture: Picture) -> list[str]:
    if picture.run.finished:
        return []
    if picture.collecting:
        return ["verifying the results"]
    left = picture.seconds_left
    rate = [f"{figure(picture.rate)} agent-updates/s"] if picture.rate else []
    return rate + ([f"about {span(left)} left"] if left is not None else [])
