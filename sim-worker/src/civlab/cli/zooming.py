"""`civlab check zoom`: what aggregated regions cost in accuracy and save in time."""

from __future__ import annotations

from pathlib import Path

import click

from civlab.analysis.zooming import INDEPENDENT, MetricError, ZoomCheck, check_zoom
from civlab.cli.options import parse_overrides
from civlab.cli.output import human_seconds, print_json, print_table, write_file
from civlab.runs.devices import BACKENDS, choose_backend


@click.command("zoom")
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

        write_file(plot, draw_zoom(found.errors, form=plot.suffix.removeprefix(".")))
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
