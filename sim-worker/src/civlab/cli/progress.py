"""Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from civlab.cli.output import human_count
from civlab.runs.progress import ShardProgress, Watcher

LINE_SECONDS = 5.0


@contextmanager
def shown_progress(*, ticks_total: int, tick: str) -> Iterator[Watcher]:
    """A watcher of shards for the length of the block; shards run one after the other. `tick` is what a tick is."""
    if sys.stderr.isatty():
        yield from _bar(ticks_total, tick)
    else:
        yield _lines(ticks_total, tick, time.monotonic)


def _bar(ticks_total: int, tick: str) -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    done = _Done()
    with Progress(*columns, console=Console(stderr=True), expand=True) as display:
        task = display.add_task("starting", total=ticks_total, rate="")

        def watch(progress: ShardProgress) -> None:
            display.update(
                task, completed=done.over_shards(progress), description=_where(progress), rate=_rate(progress, tick)
            )

        yield watch


def _lines(ticks_total: int, tick: str, clock: Callable[[], float]) -> Watcher:
    done = _Done()
    last = clock()

    def watch(progress: ShardProgress) -> None:
        nonlocal last
        ticks = done.over_shards(progress)
        if clock() - last >= LINE_SECONDS:
            last = clock()
            click.echo(f"{100 * ticks // ticks_total} % {_where(progress)} {_rate(progress, tick)}".rstrip(), err=True)

    return watch


@contextmanager
def counted_progress(*, total: int, what: str) -> Iterator[Callable[[int, str], None]]:
    """A watcher of so many pieces of work for the length of the block: told how many are done, and a remark."""
    if not sys.stderr.isatty():
        last = time.monotonic()

        def tell(done: int, remark: str) -> None:
            nonlocal last
            if time.monotonic() - last >= LINE_SECONDS:
                last = time.monotonic()
                click.echo(f"{what} {done:,}/{total:,} {remark}".rstrip(), err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    remarks = TextColumn("{task.fields[remark]}")
    columns = (TextColumn(what), BarColumn(bar_width=None), MofNCompleteColumn(), remarks, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), expand=True) as display:
        task = display.add_task(what, total=total, remark="")
        yield lambda done, remark: display.update(task, completed=done, remark=remark)


class _Done:
    """Member-ticks done over all shards so far."""

    def __init__(self) -> None:
        self._by_shard: dict[int, int] = {}

    def over_shards(self, progress: ShardProgress) -> int:
        self._by_shard[progress.shard] = progress.ticks_done
        return sum(self._by_shard.values())


def _where(progress: ShardProgress) -> str:
    shard = f"shard {progress.shard + 1}/{progress.shards}, " if progress.shards > 1 else ""
    return f"{shard}members {progress.members_done:,}/{progress.members:,}"


def _rate(progress: ShardProgress, tick: str) -> str:
    if not progress.busy_seconds:
        return ""
    return f"{human_count(progress.agent_updates / progress.busy_seconds)} agent-{tick}s/s"
