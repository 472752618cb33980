"""What verbs print: tables and charts for people, one JSON object for programs.

Results go to standard output; progress and errors go to standard error, so a pipe carries results alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click

from civlab.errors import CivlabError

DONE, DIFFERENT, BAD_INPUT, BROKEN_INVARIANT, STOPPED = 0, 1, 2, 70, 75
BARS = " ▁▂▃▄▅▆▇█"


def print_json(document: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def print_error(fault: CivlabError, *, as_json: bool) -> None:
    """An error with its code, place and remedy."""
    if as_json:
        print_json({"error": fault.document()})
        return
    place = f" {click.style(fault.path, bold=True)}:" if fault.path else ""
    click.echo(f"{click.style('error', fg='red', bold=True)} [{fault.code}]{place} {fault.message}", err=True)


def print_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[object]], *, right: str = "") -> None:
    """A table; columns whose heading is in `right` (comma-separated) are aligned to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    aligned = {name.strip() for name in right.split(",")}
    for heading in headings:
        table.add_column(heading, justify="right" if heading in aligned else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    click.secho(title, bold=True)  # not the table's own title, which would be broken to the table's width
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 120)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def bar_chart(values: Sequence[float], *, width: int, height: int) -> list[str]:
    """A filled chart of `values` in block characters: `height` lines of at most `width` characters.

    Columns are means of neighbouring values when there are more values than columns.
    """
    if not values:
        return []
    width = min(width, len(values))
    edges = [column * len(values) // width for column in range(width + 1)]
    columns = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    top = max(columns) or 1.0
    eighths = [round(max(0.0, value) / top * height * 8) for value in columns]
    return [
        "".join(BARS[min(8, max(0, level - 8 * row))] for level in eighths).rstrip() for row in reversed(range(height))
    ]


def human_count(value: float) -> str:
    """A count with a unit: 1,234 or 12.3 M."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= limit:
            scaled = value / (1e3 if unit == " k" else limit)
            return f"{scaled:,.1f}{unit}"
    return f"{value:,.0f}"


def human_bytes(value: int) -> str:
    """Bytes with a binary unit."""
    size = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def human_seconds(value: float) -> str:
    """A duration: 0.8 s, 42 s, 3 min 10 s, 2 h 5 min."""
    if value < 10:
        return f"{value:.1f} s"
    if value < 90:
        return f"{value:.0f} s"
    minutes, seconds = divmod(round(value), 60)
    if minutes < 90:
        return f"{minutes} min {seconds} s"
    return f"{minutes // 60} h {minutes % 60} min"


def print_stopped(share: str, place: str | None, *, as_json: bool) -> None:
    """That a verb was stopped with so much done, and how it goes on; it does not where nothing was kept."""
    if as_json:
        print_json({"state": "stopped", "place": place, "done": share})
    else:
        rest = "nothing was kept" if place is None else f"the same command goes on in {place}"
        click.echo(f"stopped with {share} done; {rest}")


def write_file(path: Path, data: bytes) -> None:
    """Writes a file that a user asked for; raises CivlabError OUTPUT_REFUSED."""
    try:
        path.write_bytes(data)
    except OSError as fault:
        raise CivlabError("OUTPUT_REFUSED", str(path), f"cannot be written: {fault.strerror}") from None
