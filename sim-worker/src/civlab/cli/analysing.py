"""`civlab sensitivity` and `civlab calibrate`: analyses that run members of their own.

Neither has a verb to go on with: the same command in the same place takes up what stands there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from civlab.analysis.calibration import Calibration, Trial, calibrate_problem, make_problem
from civlab.analysis.indices import ElementaryEffect, SobolIndex
from civlab.analysis.keeping import OVERRIDES, RESULT, command_text, keep_calibration, result_document
from civlab.analysis.keeping import PICTURES as CONVERGENCE
from civlab.analysis.ranges import parse_range
from civlab.analysis.sampling import Method
from civlab.analysis.sensitivity import ANSWER, PICTURES, Answer, make_question, place_of_run, run_question
from civlab.analysis.targets import MOST_TRIALS
from civlab.cli.options import parse_overrides
from civlab.cli.output import DIFFERENT, DONE, STOPPED, human_seconds, print_json, print_stopped, print_table
from civlab.cli.progress import counted_progress, shown_progress
from civlab.cli.stopping import stop_on_signals
from civlab.runs.devices import BACKENDS, choose_backend
from civlab.runs.whole import WholeRun

BAR_WIDTH = 24


@click.command()
@click.argument("scenario")
@click.option(
    "--parameter",
    "ranges",
    multiple=True,
    required=True,
    metavar="NAME=LOW..HIGH",
    help="A parameter and its range; may be repeated.",
)
@click.option("--outcome", required=True, help="Headline figure, or a metric's mean over ticks: warming@240..260.")
@click.option("--method", type=click.Choice([each.value for each in Method]), default="sobol", show_default=True)
@click.option(
    "--samples",
    type=int,
    default=64,
    show_default=True,
    help="Base sample: runs are this times parameters + 2 (sobol, a power of two) or + 1 (morris).",
)
@click.option(
    "--replicates", type=click.IntRange(1, 10_000), default=1, show_default=True, help="Worlds at each point."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed of the points, the worlds and the intervals."
)
@click.option("--ticks", type=int, help="Ticks to simulate; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option("-o", "--out", required=True, metavar="PLACE", help="Folder or store URL; the run goes into run/ below.")
@click.option("--force", is_flag=True, help="Delete another run that stands there.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all there are.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def sensitivity(
    scenario: str,
    ranges: tuple[str, ...],
    outcome: str,
    method: str,
    samples: int,
    replicates: int,
    seed: int,
    ticks: int | None,
    settings: tuple[str, ...],
    out: str,
    force: bool,
    threads: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Say which parameters of SCENARIO matter for an outcome, over ranges of all of them together.

    The method sobol gives shares of the outcome's variance, morris effects of a parameter's whole range at less cost.
    All points share their random numbers. The members are a run in PLACE/run; after Ctrl-C the same command goes on. It
    needs the extra `analysis`.

    \b
    Examples:
      civlab sensitivity epidemic --set population.size=5000 --parameter disease.r0=1.5..3 \\
        --parameter hospital.beds=5..50 --outcome deaths --replicates 4 -o what-matters/
      civlab sensitivity scenario.yaml --method morris --samples 20 --parameter exchange.saving=0..0.9 \\
        --parameter population.money=100..10000 --outcome gini -o screening/ --json
    """
    question = make_question(
        scenario,
        [parse_range(text) for text in ranges],
        method=method,
        samples=samples,
        outcome=outcome,
        seed=seed,
        replicates=replicates,
        ticks=ticks,
        overrides=parse_overrides(settings),
    )
    total = question.spec.ensemble.members * question.spec.ticks
    with stop_on_signals() as wish, shown_progress(ticks_total=total, tick=question.spec.scenario.tick_name) as watch:
        done, answer = run_question(
            question,
            out,
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
        _print_answer(answer, done, out)


def _print_answer(answer: Answer, done: WholeRun, out: str) -> None:
    question = answer.question
    unit = f" {question.unit}" if question.unit else ""
    click.echo(
        f"{question.outcome}: mean {answer.mean:.6g}{unit}, standard deviation {answer.deviation:.4g}{unit} over "
        f"{len(question.sample.unit):,} points of {question.replicates} member{'s' * (question.replicates > 1)}"
    )
    if answer.chance is not None:
        click.echo(f"chance: {100 * answer.chance:.1f} % of the members' variance lies within points")
    click.echo()
    headings, rows = _index_table(answer)
    title = (
        "Shares of the variance"
        if question.sample.method is Method.SOBOL
        else f"Effects of whole ranges{unit and ','}{unit}"
    )
    print_table(title, headings, rows, right="first,total,mean,µ*,σ,± 95 %")
    click.echo(f"\n{done.members:,} members in {human_seconds(done.wall_seconds)}")
    click.echo(f"answer   {out.rstrip('/')}/{ANSWER}, {', '.join(PICTURES)}")
    click.echo(f"run      {place_of_run(out)}")
    click.echo(f"digest   {answer.digest}")


def _index_table(answer: Answer) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headings and rows, the parameter that matters most first."""
    shares = [index for index in answer.indices if isinstance(index, SobolIndex)]
    if shares:
        ordered = sorted(shares, key=lambda index: -index.total)
        rows = [
            (i.name, *_numbers(".3f", i.first, i.first_interval, i.total, i.total_interval), bar(i.total))
            for i in ordered
        ]
        return ("parameter", "first", "± 95 %", "total", "± 95 %", ""), rows
    effects = [index for index in answer.indices if isinstance(index, ElementaryEffect)]
    ranked = sorted(effects, key=lambda effect: -effect.star)
    rows = [
        (e.name, *_numbers(".4g", e.star, e.star_interval, e.mean, e.sigma), bar(e.star / (ranked[0].star or 1)))
        for e in ranked
    ]
    return ("parameter", "µ*", "± 95 %", "mean", "σ", ""), rows


def _numbers(form: str, *values: float) -> tuple[str, ...]:
    return tuple(format(value, form) for value in values)


def bar(share: float) -> str:
    """A share of 0 to 1 as a bar."""
    eighths = round(min(1.0, max(0.0, share)) * BAR_WIDTH * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


@click.command()
@click.argument("scenario")
@click.option("--targets", required=True, type=click.Path(path_type=Path), help="YAML file of parameters and targets.")
@click.option("-o", "--out", required=True, metavar="FOLDER", help="Folder of the trials and the result.")
@click.option("--trials", type=click.IntRange(1, MOST_TRIALS), help="Trials to make, in place of the file's number.")
@click.option("--ticks", type=int, help="Ticks to simulate; default the scenario's own.")
@click.option("--set", "settings", multiple=True, metavar="PATH=VALUE", help="Override a parameter; may be repeated.")
@click.option("--threads", type=click.IntRange(1, 1024), help="CPU threads; default all there are.")
@click.option("--backend", type=click.Choice(BACKENDS), default="auto", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def calibrate(
    scenario: str,
    targets: Path,
    out: str,
    trials: int | None,
    ticks: int | None,
    settings: tuple[str, ...],
    threads: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Search the parameters with which SCENARIO comes nearest to the targets of a file.

    The search keeps every trial in FOLDER: after Ctrl-C, or with more --trials, the same command goes on, and tries
    what an undisturbed search would have tried. The best trial stands in FOLDER/best as a run of its own. It needs the
    extra `analysis`. Exit code 1 says that no trial could be run.

    \b
    Examples:
      civlab calibrate examples/warming-scenario.yaml --targets examples/calibrate-climate.yaml -o calibrated/
      civlab calibrate scenario.yaml --targets targets.yaml -o calibrated/ --trials 400 --json
    """
    problem = make_problem(scenario, targets, trials=trials, ticks=ticks, overrides=parse_overrides(settings))
    device = choose_backend(backend, threads=threads)
    notice = "stopping after this trial; the trials made are kept …"
    with stop_on_signals(notice) as wish, counted_progress(total=problem.trials, what="trials") as tell:

        def watch(trial: Trial, best: Trial | None) -> None:
            tell(trial.number + 1, "" if best is None else f"best {best.distance:.4g}")

        found = calibrate_problem(problem, out, device, on_trial=watch, stop=wish.is_set)
    if not found.complete:
        print_stopped(f"{len(found.trials):,} of {problem.trials:,} trials", out, as_json=as_json)
        sys.exit(STOPPED)
    kept = keep_calibration(found, out, device)
    if as_json:
        run = None if kept is None else kept.url
        print_json({"state": "complete", "place": out, "run": run, **result_document(found)})
    else:
        _print_calibration(found, scenario, out)
    sys.exit(DONE if kept else DIFFERENT)


def _print_calibration(found: Calibration, scenario: str, out: str) -> None:
    best, folder = found.best, out.rstrip("/")
    if best is None:
        click.echo(f"none of {len(found.trials):,} trials could be run: {found.trials[-1].refusal}")
        return
    print_table(
        f"Best of {len(found.trials):,} trials: mean squared distance {best.distance:.4g} tolerances",
        ("parameter", "value", "least", "greatest"),
        [(each.name, best.values[each.name], each.minimum, each.maximum) for each in found.problem.targets.ranges],
        right="value,least,greatest",
    )
    rows = [
        (
            str(goal.outcome),
            f"{goal.value:.6g}",
            f"{value:.6g}",
            f"{(value - goal.value) / goal.tolerance:+.2f}",
            goal.unit,
        )
        for goal, value in zip(found.problem.targets.goals, best.outcomes, strict=True)
    ]
    print_table(
        "\nTargets", ("outcome", "target", "found", "tolerances off", "unit"), rows, right="target,found,tolerances off"
    )
    click.echo(f"\nresult   {folder}/{RESULT}, {OVERRIDES}, {', '.join(CONVERGENCE)}")
    click.echo(f"run      {folder}/best")
    click.echo(f"digest   {best.digest}")
    click.echo(f"again    {command_text(scenario, found, best)}")
