"""`civlab check`: what a run's numbers can carry.

A burn-in is looked for in a run that is there; a time step and a zoom can only be checked by running the scenario at
others.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from civlab.analysis.burn_in import BATCH, BurnIn, mser
from civlab.analysis.outcomes import Outcome, check_outcome
from civlab.analysis.streaming import metric_course
from civlab.analysis.time_step import StepAnswer, StepDependence, make_step_question, run_step_question
from civlab.cli.options import parse_overrides
from civlab.cli.output import DIFFERENT, STOPPED, human_seconds, print_json, print_stopped, print_table, write_file
from civlab.cli.progress import shown_progress
from civlab.cli.stopping import stop_on_signals
from civlab.cli.zooming import zoom
from civlab.results.reader import open_results
from civlab.runs.devices import BACKENDS
from civlab.runs.spec import RunSpec
from civlab.runs.whole import WholeRun
from civlab.wording import counted

VERDICTS = {"same": "the same", "none": "no difference beyond chance", "persists": "does not shrink with the step"}


@click.group()
def check() -> None:
    """Check what a run's numbers can carry.

    \b
    Examples:
      civlab check burn-in out/ --metric penniless --json
      civlab check time-step two-nations --ticks 104 --set population.size=20000
      civlab check zoom two-nations --regions all-but-largest=2
    """


check.add_command(zoom)


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
        write_file(plot, draw_burn_in(course, found, metric=metric, unit=unit, tick=tick, form=form))
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


@check.command("time-step")
@click.argument("scenario")
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    help="Headline figure, or a metric's mean over ticks: births@0..520; may be repeated; default all figures.",
)
@click.option("--members", type=click.IntRange(2, 10_000), default=16, show_default=True, help="Seeds at each step.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the worlds.")
@click.option("--ticks", type=int, help="Ticks to simulate; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Greatest difference at the scenario's own step that holds, in spreads between seeds.",
)
@click.option(
    "-o", "--out", metavar="PLACE", help="Keep the run in PLACE/run and the answer beside it; default neither."
)
@click.option("--force", is_flag=True, help="Delete another run that stands there.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all there are.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def time_step(
    scenario: str,
    outcomes: tuple[str, ...],
    members: int,
    seed: int,
    ticks: int | None,
    settings: tuple[str, ...],
    tolerance: float,
    out: str | None,
    force: bool,
    threads: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Say whether results of SCENARIO depend on the length of its time step.

    Runs the scenario at every length that its model allows, with the same seeds, and holds each outcome against that of
    the finest. Exit code 1 says that at the scenario's own step an outcome differs by more than the tolerance, or that
    a difference does not shrink as the step does. A model whose only step is the tick is refused (STEP_FIXED).

    \b
    Examples:
      civlab check time-step two-nations --ticks 104 --set population.size=20000
      civlab check time-step two-nations --outcome births@0..520 --members 64 -o steps/ --json
    """
    question = make_step_question(
        scenario, outcomes=outcomes, seeds=members, seed=seed, ticks=ticks, overrides=parse_overrides(settings)
    )
    total = question.spec.ensemble.members * question.spec.ticks
    with stop_on_signals() as wish, shown_progress(ticks_total=total, tick=question.spec.scenario.tick_name) as watch:
        done, answer = run_step_question(
            question,
            out,
            tolerance=tolerance,
            force=force,
            backend=backend,
            threads=threads,
            on_progress=watch,
            stop=wish.is_set,
        )
    if answer is None:
        print_stopped(f"{100 * done.ticks_done // done.ticks_total} % of the run", out, as_json=as_json)
        sys.exit(STOPPED)
    if as_json:
        print_json({"state": "complete", "place": out, **answer.document()})
    else:
        _print_steps(answer, done)
    sys.exit(0 if answer.holds else DIFFERENT)


def _print_steps(answer: StepAnswer, done: WholeRun) -> None:
    question = answer.question
    tick = question.spec.scenario.tick_name
    rows = [row for each in answer.dependences for row in _rows(each)]
    print_table(
        f"{question.step.path}: {counted(question.seeds, 'seed')} at each step, {question.spec.ticks:,} {tick}s",
        ("outcome", f"{tick}s", "mean", "difference", "± error", "in spreads", "verdict"),
        rows,
        right=f"{tick}s,mean,difference,± error,in spreads",
    )
    click.echo(f"\n{_step_sentence(answer)}")
    click.echo(f"{done.members:,} members in {human_seconds(done.wall_seconds)}")
    click.echo(f"digest {answer.digest}")


def _rows(each: StepDependence) -> list[tuple[str, ...]]:
    """The finest step with the verdict, then what each coarser one changes; a star where that is beyond chance."""
    finest, *coarser = each.steps
    spread = f"spread {each.spread:.3g}"
    rows: list[tuple[str, ...]] = [
        (each.outcome, str(finest.step), f"{finest.mean:.6g}", spread, "", "", _verdict(each))
    ]
    for step in coarser:
        spreads = "no spread" if step.spreads is None else f"{step.spreads:+.3f}"
        mark = " *" if step.real else "  "
        rows.append(
            ("", str(step.step), f"{step.mean:.6g}", f"{step.difference:+.3g}", f"{step.error:.2g}", spreads + mark, "")
        )
    return rows


def _verdict(each: StepDependence) -> str:
    if each.verdict != "shrinks":
        return VERDICTS[each.verdict]
    return "shrinks with the step" + ("" if each.order is None else f", order {each.order:.2f}")


def _step_sentence(answer: StepAnswer) -> str:
    question = answer.question
    own = f"{question.step.path} = {question.own}"
    bound = f"{answer.tolerance:g} (in spreads between seeds)"
    if answer.holds:
        return (
            f"{own} is fine enough: no outcome differs from the finest step's by more than {bound}, and differences "
            "beyond chance (*) shrink with the step"
        )
    said = (
        (answer.too_large, f"results depend on the step: {own} differs from the finest by more than {bound}"),
        (answer.persisting, "results depend on the step: differences do not shrink with it"),
        (answer.undecided, f"{own} differs by more than {bound}, which may be chance: take more seeds"),
    )
    return "\n".join(f"{what} ({', '.join(each.outcome for each in found)})" for found, what in said if found)


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
