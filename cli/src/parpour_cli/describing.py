"""`parpour sim describe`: all there is to say about one Simulation, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parpour_cli.listing import STATE_STYLES
from parpour_cli.reading import Run, age_of, figure, instant, span
from parpour_cli.shards import ShardView


def description(
    run: Run, *, shards: Sequence[ShardView], events: Sequence[Mapping[str, Any]], now: datetime
) -> RenderableType:
    """The whole description: facts, progress, shards, conditions, result, events."""
    parts: list[RenderableType] = [_facts(run, now=now)]
    if shards:
        parts += [Text("\nShards", style="bold"), _shards(shards)]
    if run.status.conditions:
        parts += [Text("\nConditions", style="bold"), _conditions(run, now=now)]
    if run.status.result is not None:
        parts += [Text("\nResult", style="bold"), result_view(run)]
    if events:
        parts += [Text("\nEvents", style="bold"), _events(events, now=now)]
    return Group(*parts)


def _facts(run: Run, *, now: datetime) -> Table:
    spec, status = run.spec, run.status
    state = Text(str(status.state), style=STATE_STYLES.get(str(status.state), ""))
    reason = run.reason()
    if reason:
        state.append(f"  {reason}", style="default")
    design = str(spec.ensemble.design.type)
    if spec.ensemble.design.parameters:
        design += f" over {', '.join(p.name for p in spec.ensemble.design.parameters)}"
    facts: list[tuple[str, str | Text]] = [
        ("Name", run.name),
        ("Namespace", run.namespace),
        ("State", state),
        ("Scenario", run.scenario),
        ("Members", f"{spec.ensemble.members} ({design})"),
        ("Seed", str(spec.seed)),
        ("Parameters", ", ".join(f"{path}={value}" for path, value in sorted(spec.parameters.items())) or "-"),
        ("Shards", str(status.shards or spec.shards or "planned at start")),
        ("Backend", str(status.backend or spec.backend)),
        ("Progress", _progress(run)),
        ("Image", status.worker_image or "-"),
        ("Created", f"{run.created.isoformat()} ({age_of(run.created, now=now)} ago)"),
    ]
    if status.start_time and status.completion_time:
        facts.append(("Took", span(int((status.completion_time - status.start_time).total_seconds()))))
    return _pairs(facts)


def _progress(run: Run) -> str:
    progress = run.progress
    if not progress.ticks_total:
        return "-"
    parts = [f"{progress.summary} ({progress.ticks_done} of {progress.ticks_total} ticks)"]
    if progress.agent_updates_per_second and not run.finished:
        parts.append(f"{figure(progress.agent_updates_per_second)} agent-updates/s")
    if progress.seconds_left is not None and not run.finished:
        parts.append(f"about {span(progress.seconds_left)} left")
    return ", ".join(parts)


def _pairs(facts: Sequence[tuple[str, str | Text]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in facts:
        grid.add_row(name, value if isinstance(value, Text) else Text(value))
    return grid


def _shards(shards: Sequence[ShardView]) -> Table:
    grid = _headed("SHARD", "STATE", "POD", "NODE", "ATTEMPTS")
    for shard in shards:
        grid.add_row(str(shard.index), str(shard.state), shard.pod or "-", shard.node or "-", str(shard.attempts))
    return grid


def _conditions(run: Run, *, now: datetime) -> Table:
    grid = _headed("TYPE", "STATUS", "REASON", "SINCE", "MESSAGE")
    for condition in run.status.conditions:
        since = age_of(condition.last_transition_time, now=now)
        grid.add_row(condition.type, condition.status, condition.reason, since, Text(condition.message))
    return grid


def result_view(run: Run) -> RenderableType:
    """Digest, address and headline figures of a complete run."""
    result = run.status.result
    assert result is not None
    facts: list[tuple[str, str | Text]] = [
        ("Digest", result.digest),
        ("Store", result.store),
        ("Members", f"{result.members} verified"),
    ]
    return Group(_pairs(facts), Text(""), metrics_table(run))


def metrics_table(run: Run) -> Table:
    """Headline figures with mean and 90 % interval."""
    grid = _headed("METRIC", "MEAN", "5 %", "95 %", "UNIT")
    for column in grid.columns[1:4]:
        column.justify = "right"
    for metric in run.status.result.metrics if run.status.result else ():
        grid.add_row(metric.name, metric.mean, metric.low, metric.high, metric.unit)
    return grid


def _events(events: Sequence[Mapping[str, Any]], *, now: datetime) -> Table:
    grid = _headed("AGE", "TYPE", "REASON", "MESSAGE")
    for event in sorted(events, key=event_time):
        when = instant(event_time(event))
        grid.add_row(
            age_of(when, now=now) if when else "-",
            str(event.get("type", "")),
            str(event.get("reason", "")),
            Text(str(event.get("note") or event.get("message") or "")),
        )
    return grid


def event_time(event: Mapping[str, Any]) -> str:
    """When an event last happened, whichever of the API's fields says so."""
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("metadata", {}).get("creationTimestamp")
        or ""
    )


def _headed(*names: str) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        grid.add_column(name, no_wrap=name != "MESSAGE", overflow="fold")
    return grid
