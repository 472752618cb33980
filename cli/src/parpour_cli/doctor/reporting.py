"""Findings as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from parpour_cli.doctor.checks import Finding, Outcome

STYLES = {Outcome.OK: "green", Outcome.WARN: "yellow", Outcome.FAIL: "red"}


def report(findings: Sequence[Finding]) -> RenderableType:
    """One line a finding, its remedy below it, and a count at the end."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in findings:
        detail = Text(finding.detail)
        if finding.remedy and finding.outcome is not Outcome.OK:
            detail.append(f"\n→ {finding.remedy}", style="dim")
        grid.add_row(Text(str(finding.outcome), style=STYLES[finding.outcome]), finding.check, detail)
    counts = {outcome: sum(finding.outcome is outcome for finding in findings) for outcome in Outcome}
    closing = f"{counts[Outcome.OK]} ok, {counts[Outcome.WARN]} warnings, {counts[Outcome.FAIL]} failures"
    return Group(grid, Text(f"\n{closing}", style="bold"))
