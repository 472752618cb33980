"""`civlab check`: what can be said about a complete run's numbers."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from civlab.analysis.burn_in import BATCH, BurnIn, mser
from civlab.analysis.outcomes import Outcome, check_outcome
from civlab.analysis.streaming import metric_course
from civlab.cli.output import DIFFERENT, print_json
from civlab.errors import CivlabError
from civlab.results.reader import open_results
from civlab.runs.spec import RunSpec


@click.group()
def check() -> None:
    """Check what a complete run's numbers can carry.

    \b
    Examples:
      civlab check burn-in out/ --metric penniless --json
    """


@check.command("burn-in")
@click.argument("place")
@click.option("--metric", required=True, help="Metric by tick; its mean over the members is looked at.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it, as .png or .svg.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def burn_in(place: str, metric: str, plot: Path | None, as_json: bool) -> None:
    """Say from which tick on a metric of the run in PLACE is stationary, by the rule MSER-5.

    The rule looks at the metric's mean over all members. Exit code 1 says that the run is too short for it to become
    stationary.

    \b
    Examples:
      civlab check burn-in out/ --metric penniless
      civlab check burn-in out/ --metric richest --plot burn-in.svg --json
    """
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise click.UsageError(f"--plot {plot}: give a file that ends in .png or .svg")
    results = open_results(place)
    spec = RunSpec.load(results.store)
    unit = check_outcome(Outcome(metric, (0, spec.ticks)), spec, where="--metric")
    course = metric_course(results, metric)
    found = mser(course.mean)
    if plot is not None:
        from civlab.analysis.drawing import draw_burn_in

        form = plot.suffix.removeprefix(".")
        tick = spec.scenario.tick_name
        _write(plot, draw_burn_in(course, found, metric=metric, unit=unit, tick=tick, form=form))
    if as_json:
        print_json(
            {
                "metric": metric,
                "unit": unit,
                "rule": f"MSER-{BATCH}",
                "found": found.found,
                "tick": found.tick,
                "ticks": spec.ticks,
                "members": course.members,
                "mean": found.mean,
                "error": found.error,
                "deviation": math.sqrt(float(course.variance[found.tick :].mean())),
                "picture": None if plot is None else str(plot),
            }
        )
    else:
        click.echo(_sentence(found, metric, unit, spec))
    sys.exit(0 if found.found else DIFFERENT)


def _sentence(found: BurnIn, metric: str, unit: str, spec: RunSpec) -> str:
    tick = spec.scenario.tick_name
    if not found.found:
        return (
            f"{metric} does not become stationary within {spec.ticks:,} {tick}s: the rule would cut half of them or "
            "more, or finds a trend towards the end; run for longer"
        )
    kept = f"{found.mean:.6g} ± {found.error:.2g}{f' {unit}' if unit else ''}"
    if found.tick == 0:
        return f"{metric} is stationary from the first {tick} on; its mean is {kept}"
    left = spec.ticks - found.tick
    return f"{metric} is stationary from {tick} {found.tick} on; its mean is {kept} over the {left:,} {tick}s left"


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as fault:
        raise CivlabError("OUTPUT_REFUSED", str(path), f"cannot be written: {fault.strerror}") from None
