"""How the benchmarks measure: CPU seconds of interleaved runs, medians, and ratios taken pair by pair.

Runs of all cases take turns within a round, so a neighbour on the machine slows every case alike; the ratio of two
cases is the median of the ratios within rounds, never the ratio of two best times.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from bench import machine

Action = Callable[[], object]
Preparation = Callable[[], Action]
"""Builds what a run needs (not timed) and gives the run."""


@dataclass(frozen=True)
class Sample:
    """One timed run: CPU seconds of this process (all threads) and its ended children, and elapsed seconds."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Figure:
    """One printed figure: the median with the least and the greatest of the rounds, and the goal if there is one.

    What was not measured has no numbers, and says why.
    """

    name: str
    unit: str
    median: float | None
    least: float | None
    greatest: float | None
    goal: str = ""
    met: bool | None = None
    why_not: str = ""


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(action: Action) -> Sample:
    """One run; one that has measured itself, in a process of its own, gives its own sample."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = action()
    if isinstance(result, Sample):
        return result
    return Sample(cpu_seconds() - cpu, time.perf_counter() - wall)


def interleaved(cases: Mapping[str, Preparation], *, rounds: int) -> dict[str, list[Sample]]:
    """`rounds` samples of every case, the cases taking turns; each round begins with another case."""
    samples: dict[str, list[Sample]] = {name: [] for name in cases}
    names = list(cases)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(timed(cases[name]()))
            print(f"  round {turn + 1} of {rounds}: {name}: {samples[name][-1].cpu:.3f} CPU s", file=sys.stderr)
    return samples


def figure(
    name: str, unit: str, values: Sequence[float], *, at_least: float | None = None, at_most: float | None = None
) -> Figure:
    """The figure of some rounds, held against a goal where there is one."""
    median = statistics.median(values)
    goal, met = "", None
    if at_least is not None:
        goal, met = f"≥ {at_least:g}", median >= at_least
    if at_most is not None:
        goal, met = f"≤ {at_most:g}", median <= at_most
    return Figure(name, unit, median, min(values), max(values), goal, met)


def unmeasured(name: str, unit: str, why_not: str, *, at_least: float) -> Figure:
    """The place of a figure that cannot be measured here."""
    return Figure(name, unit, None, None, None, f"≥ {at_least:g}", None, f"not measured: {why_not}")


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Ratio within each round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def report(title: str, figures: Sequence[Figure], *, as_json: bool, load_before: str = "") -> None:
    """Prints the figures under the machine's facts, as a table or as one JSON object."""
    facts = machine.facts()
    if load_before:
        facts["load before"] = load_before
    if as_json:
        print(json.dumps({"title": title, "machine": facts, "figures": [asdict(item) for item in figures]}, indent=2))
        return
    caption = "; ".join(f"{key} {value}" for key, value in facts.items())
    table = Table(title=title, caption=caption, title_justify="left")
    for heading in ("figure", "median", "least", "greatest", "unit", "goal", ""):
        table.add_column(heading, justify="right" if heading in ("median", "least", "greatest") else "left")
    for item in figures:
        verdict = {True: "met", False: "missed", None: item.why_not}[item.met]
        numbers = ("" if value is None else f"{value:.4g}" for value in (item.median, item.least, item.greatest))
        table.add_row(item.name, *numbers, item.unit, item.goal, verdict)
    Console(width=150).print(table)
