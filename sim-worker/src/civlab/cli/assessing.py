"""`civlab check`: what can be said about a complete run's numbers, and about a zoom's."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from civlab.analysis.burn_in import BATCH, BurnIn, mser
from civlab.analysis.outcomes import Outcome, check_outcome
from civlab.analysis.streaming import metric_course
from civlab.analysis.zooming import INDEPENDENT, MetricError, ZoomCheck, check_zoom
from civlab.cli.options import parse_overrides
from civlab.cli.output import DIFFERENT, human_seconds, print_json, print_table
from civlab.errors import CivlabError
from civlab.results.reader import open_results
from civlab.runs.devices import BACKENDS, choose_backend
from civlab.runs.spec import RunSpec


@click.group()
def check() -> None:
    """Check what numbers can carry: those of a complete run, or of aggregated regions.

    \b
    Examples:
      civlab check burn-in out/ --metric penniless --json
      civlab check zoom two-nations --regions all-but-largest=2
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


@check.command("zoom")
@click.argument("scenario")
@click.option(
    "--regions",
    metavar="WHICH",
    help="Aggregated from the first week on: all, nation=NAME, largest=3, all-but-largest=3 or 0,4,7; default the "
    "scenario's own changes of zoom, or all.",
)
@click.option("--members", type=click.IntRange(2, 10_000), default=8, show_default=True, help="Seeds to compare.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--ticks", type=int, help="Ticks to simulate; default the scenario's own.")
@click.option("--population", type=int, help="Citizens of a member; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it, as .png or .svg.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all there are.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def zoom(
    scenario: str,
    regions: str | None,
    members: int,
    seed: int,
    ticks: int | None,
    population: int | None,
    settings: tuple[str, ...],
    plot: Path | None,
    threads: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Say what aggregated regions cost in accuracy and save in time: SCENARIO in both zooms with the same seeds.

    For each metric: its mean in both zooms, the mean and the root mean square of the error, and both over the spread
    between seeds person by person. Two worlds that have nothing in common but their scenario differ by 1.41 spreads.

    \b
    Examples:
      civlab check zoom two-nations --regions all-but-largest=2 --population 20000 --ticks 104
      civlab check zoom scenario.yaml --members 16 --plot zoom.svg --json
    """
    if plot is not None and plot.suffix not in (".png", ".svg"):
        raise click.UsageError(f"--plot {plot}: give a file that ends in .png or .svg")

    def watch(done: int, total: int) -> None:
        if not as_json:
            click.echo(f"{done:,} of {total:,} worlds run", err=True)

    found = check_zoom(
        scenario,
        regions=regions,
        members=members,
        seed=seed,
        ticks=ticks,
        population=population,
        overrides=parse_overrides(settings),
        backend=choose_backend(backend, threads=threads),
        on_member=watch,
    )
    if plot is not None:
        from civlab.analysis.drawing import draw_zoom

        _write(plot, draw_zoom(found.errors, form=plot.suffix.removeprefix(".")))
    if as_json:
        print_json(_zoom_document(found, plot))
    else:
        _print_zoom(found)


def _zoom_document(found: ZoomCheck, plot: Path | None) -> dict[str, object]:
    return {
        "title": found.title,
        "ticks": found.ticks,
        "members": found.members,
        "seed": found.seed,
        "changes": found.changes,
        "metrics": {
            error.metric: {
                "unit": error.unit,
                "persons": error.persons,
                "aggregated": error.aggregated,
                "meanError": error.mean_error,
                "rmsError": error.rms_error,
                "spread": error.spread,
                "meanErrorInSpreads": error.in_spreads(error.mean_error),
                "rmsErrorInSpreads": error.in_spreads(error.rms_error),
            }
            for error in found.errors
        },
        "cpuSeconds": {"persons": found.seconds_persons, "aggregated": found.seconds_aggregated},
        "speedUp": found.speed_up,
        "picture": None if plot is None else str(plot),
    }


def _print_zoom(found: ZoomCheck) -> None:
    headings = ("metric", "persons", "aggregated", "mean error", "RMS error", "spread", "mean/spread", "RMS/spread")
    rows = [_zoom_row(error) for error in found.errors]
    print_table(f"{found.title}: what aggregated regions cost", headings, rows, right=", ".join(headings[1:]))
    click.echo(
        f"{found.members} seeds, {found.ticks:,} ticks; errors are aggregated less persons. Worlds of different seeds "
        f"differ by {INDEPENDENT:.2f} spreads (RMS)."
    )
    click.echo(
        f"CPU: {human_seconds(found.seconds_persons)} person by person, {human_seconds(found.seconds_aggregated)} "
        f"aggregated: {found.speed_up:.1f} times as fast"
    )


def _zoom_row(error: MetricError) -> tuple[str, ...]:
    shares = [error.in_spreads(value) for value in (error.mean_error, error.rms_error)]
    values = (error.persons, error.aggregated, error.mean_error, error.rms_error, error.spread)
    return (
        error.metric,
        *(f"{value:.4g}" for value in values),
        *("" if share is None else f"{share:.2f}" for share in shares),
    )


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
