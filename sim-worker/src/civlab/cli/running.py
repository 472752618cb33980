"""`civlab run` and `civlab resume`."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from civlab import api
from civlab.cli.options import DESIGN_HELP, parse_design, parse_overrides
from civlab.cli.output import STOPPED, bar_chart, human_count, human_seconds, print_json, print_table
from civlab.cli.progress import shown_progress
from civlab.cli.stopping import stop_on_signals
from civlab.models import report_of
from civlab.results.reader import Results
from civlab.results.schema import TIMESERIES
from civlab.runs.devices import BACKENDS, choose_backend
from civlab.runs.spec import RunSpec
from civlab.runs.whole import WholeRun, claim_place, run_whole
from civlab.store import Store, open_store
from civlab.wording import counted

IN_MEMORY = "memory://"
CHART_WIDTH, CHART_HEIGHT = 76, 8
CHART_MEMBERS = 200


def execution_options(command: Any) -> Any:
    """Options that change how a run is carried out and never what it comes to."""
    for option in reversed(
        (
            click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all there are."),
            click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True),
            click.option(
                "--checkpoint-every",
                type=click.IntRange(min=0),
                default=30,
                show_default=True,
                metavar="TICKS",
                help="Ticks between checkpoints; 0 checkpoints only when stopped.",
            ),
            click.option("--keep-checkpoints", is_flag=True, help="Keep all checkpoints, for `civlab diff`."),
            click.option("--no-report", is_flag=True, help="Do not write report.html."),
            click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text."),
        )
    ):
        command = option(command)
    return command


@click.command()
@click.argument("scenario")
@click.option(
    "-o", "--out", metavar="PLACE", help="Folder or store URL (s3://, gs://, az://); without it nothing is kept."
)
@click.option("--members", type=int, default=1, show_default=True, help="Number of worlds.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random number.")
@click.option("--ticks", type=int, help="Ticks to simulate; default the scenario's own.")
@click.option("--population", type=int, metavar="N", help="Agents of each world; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option("--design", "designs", multiple=True, metavar="DESIGN", help=f"How members differ: {DESIGN_HELP}.")
@click.option("--shards", type=int, default=1, show_default=True, help="Parts that the results are cut into.")
@click.option("--transmissions", is_flag=True, help="Also write who infected whom.")
@click.option("--force", is_flag=True, help="Delete another run that stands in PLACE.")
@execution_options
def run(
    scenario: str,
    out: str | None,
    members: int,
    seed: int,
    ticks: int | None,
    population: int | None,
    settings: tuple[str, ...],
    designs: tuple[str, ...],
    shards: int,
    transmissions: bool,
    force: bool,
    threads: int | None,
    backend: str,
    **output: Any,
) -> None:
    """Run SCENARIO, a file or the name of a builtin, as an ensemble.

    The same scenario, seed and ensemble give the same digest whatever the threads, shards, device or interruptions.
    Ctrl-C and SIGTERM write a checkpoint and exit with 75; `civlab resume` goes on.

    \b
    Examples:
      civlab run epidemic --members 64 --seed 7 -o out/
      civlab run scenario.yaml --members 12 --design grid:disease.r0=1.5,2,2.5 -o out/
      civlab run scenario.yaml --members 128 --design 'sobol:disease.r0=1.5..3;hospital.beds=50..400' -o out/
      civlab run scenario.yaml --population 20000 --json -o s3://results/trial
    """
    spec = api.make_spec(
        scenario,
        members=members,
        seed=seed,
        ticks=ticks,
        population=population,
        parameters=parse_overrides(settings),
        design=parse_design(designs),
        shards=shards,
        transmissions=transmissions,
    )
    choose_backend(backend, threads=threads)
    store = open_store(out or IN_MEMORY, create=True)
    claim_place(spec, store, force=force)
    _carry_out(spec, store, out, threads=threads, backend=backend, **output)


@click.command()
@click.argument("place")
@execution_options
def resume(place: str, threads: int | None, backend: str, **output: Any) -> None:
    """Go on with the run in PLACE from its newest checkpoints, to the same bits.

    \b
    Examples:
      civlab resume out/
      civlab resume s3://results/trial --threads 2
    """
    store = open_store(place)
    _carry_out(RunSpec.load(store), store, place, threads=threads, backend=backend, **output)


def _carry_out(
    spec: RunSpec,
    store: Store,
    place: str | None,
    *,
    threads: int | None,
    backend: str,
    checkpoint_every: int,
    keep_checkpoints: bool,
    no_report: bool,
    as_json: bool,
) -> None:
    total = spec.ensemble.members * spec.ticks
    device = choose_backend(backend, threads=threads)
    with stop_on_signals() as wish, shown_progress(ticks_total=total, tick=spec.scenario.tick_name) as watch:
        outcome = run_whole(
            spec,
            store,
            device,
            checkpoint_every=checkpoint_every,
            keep_checkpoints=keep_checkpoints,
            on_progress=watch,
            stop=wish.is_set,
        )
    if outcome.manifest is None:
        _print_stopped(outcome, place, as_json=as_json)
        sys.exit(STOPPED)
    results = Results(store)
    report = None
    if place is not None and not no_report:
        report = api.write_report(results, rate=outcome.agent_updates_per_second or None)
    if as_json:
        print_json(_document(outcome, spec, place, report))
    else:
        _print_summary(outcome, spec, results, place, report)


def _document(outcome: WholeRun, spec: RunSpec, place: str | None, report: str | None) -> dict[str, Any]:
    manifest = outcome.manifest
    document: dict[str, Any] = {
        "state": "stopped" if manifest is None else "complete",
        "place": place,
        "run": spec.run_hash,
        "scenario": spec.scenario_hash,
        "seed": spec.seed,
        "ticks": spec.ticks,
        "shards": spec.shards,
        **_counts(outcome),
    }
    if manifest is not None:
        document["digest"] = manifest.digest
        document["report"] = report
        document["metrics"] = {
            item.name: {"mean": float(item.mean), "low": float(item.low), "high": float(item.high), "unit": item.unit}
            for item in manifest.metrics
        }
    return document


def _counts(outcome: WholeRun) -> dict[str, Any]:
    return {
        "members": outcome.members,
        "ticksDone": outcome.ticks_done,
        "ticksTotal": outcome.ticks_total,
        "ticksResumed": outcome.resumed_ticks,
        "agentUpdates": outcome.agent_updates,
        "agentUpdatesPerSecond": outcome.agent_updates_per_second,
        "seconds": round(outcome.wall_seconds, 3),
    }


def _print_stopped(outcome: WholeRun, place: str | None, *, as_json: bool) -> None:
    command = None if place is None else f"civlab resume {shlex.quote(place)}"
    if as_json:
        print_json({"state": "stopped", "place": place, "resume": command, **_counts(outcome)})
        return
    share = 100 * outcome.ticks_done // outcome.ticks_total
    if command is None:
        click.echo(f"stopped with {share} % done; nothing is kept without --out")
    else:
        click.echo(f"stopped with {share} % done; a checkpoint stands. Go on with:\n  {command}")


def _print_summary(outcome: WholeRun, spec: RunSpec, results: Results, place: str | None, report: str | None) -> None:
    manifest, tick = results.manifest, spec.scenario.tick_name
    size = f"{counted(manifest.members, 'member')}, {counted(manifest.ticks, tick)}"
    title = f"{manifest.title}: {size}, seed {manifest.seed}"
    rows = [(item.name, item.mean, item.low, item.high, item.unit) for item in manifest.metrics]
    print_table(title, ("figure", "mean", "5 %", "95 %", "unit"), rows, right="mean,5 %,95 %")
    shown = report_of(spec.scenario.model).curve
    click.echo(f"\n{shown.title} (mean of {counted(min(CHART_MEMBERS, manifest.members), 'member')})")
    curve = _mean_curve(results, shown.metric)
    for line in bar_chart(curve, width=CHART_WIDTH, height=CHART_HEIGHT):
        click.echo(f"  {line}")
    days = str(len(curve))
    middle = max(5, min(CHART_WIDTH, len(curve)) - 1 - len(days))
    click.echo(f"  0{tick:^{middle}}{days}   highest {max(curve):,.0f}\n")
    if outcome.agent_updates:
        click.echo(
            f"{human_count(outcome.agent_updates)} agent-{tick}s in {human_seconds(outcome.wall_seconds)}, "
            f"{human_count(outcome.agent_updates_per_second)} a second of kernel time"
        )
    click.echo(f"results  {'not kept; give --out to keep them' if place is None else results.store.url}")
    if report:
        click.echo(f"report   {report}")
    click.echo(f"digest   {manifest.digest}")


def _mean_curve(results: Results, metric: str) -> list[float]:
    """Mean of a metric by tick over the first members."""
    rows = min(CHART_MEMBERS, results.manifest.members) * results.manifest.ticks
    values = results.head(TIMESERIES, metric, rows=rows)
    return [float(value) for value in values.reshape(-1, results.manifest.ticks).mean(axis=0)]
