"""`parpour sim list`: Simulations as a table, a pure function of the objects and the clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from parpour_cli.reading import Run, age_of

STATE_STYLES = {"Complete": "green", "Running": "cyan", "Failed": "red", "Suspended": "yellow", "Pending": "dim"}


@dataclass(frozen=True)
class Row:
    """One line of the table; `age` is short text such as 3m."""

    namespace: str
    name: str
    scenario: str
    members: int
    shards: str
    progress: str
    state: str
    age: str


def rows(runs: Iterable[Run], *, now: datetime) -> list[Row]:
    """The lines, by namespace and name."""
    lines = [
        Row(
            namespace=run.namespace,
            name=run.name,
            scenario=run.scenario,
            members=run.spec.ensemble.members,
            shards=str(run.status.shards or run.spec.shards or "-"),
            progress=run.progress.summary or "-",
            state=str(run.status.state),
            age=age_of(run.created, now=now),
        )
        for run in runs
    ]
    return sorted(lines, key=lambda row: (row.namespace, row.name))


def table(lines: Iterable[Row], *, with_namespace: bool, with_header: bool = True) -> Table:
    """The lines as a borderless table in kubectl's manner."""
    grid = Table(box=None, pad_edge=False, header_style="bold", show_header=with_header)
    names = ["NAME", "SCENARIO", "MEMBERS", "SHARDS", "PROGRESS", "STATE", "AGE"]
    for name in (["NAMESPACE"] if with_namespace else []) + names:
        grid.add_column(name, no_wrap=True, justify="right" if name in ("MEMBERS", "SHARDS", "PROGRESS") else "left")
    for row in lines:
        cells = [row.name, row.scenario, str(row.members), row.shards, row.progress]
        cells = ([row.namespace] if with_namespace else []) + cells
        grid.add_row(*cells, Text(row.state, style=STATE_STYLES.get(row.state, "")), row.age)
    return grid


def documents(lines: Iterable[Row]) -> list[dict[str, Any]]:
    """The lines as JSON objects."""
    return [asdict(row) for row in lines]
