"""What each command does, between the cluster and the views."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from parpour_cli.cluster import Cluster
from parpour_cli.faults import CliError
from parpour_cli.listing import documents, rows, table
from parpour_cli.options import Frame
from parpour_cli.reading import Run, read_run


def _now() -> datetime:
    return datetime.now(UTC)


def list_command(frame: Frame, *, everywhere: bool, live: bool) -> None:
    """`sim list`, once or, with `live`, again for each Simulation that changes."""
    cluster = frame.cluster()
    version = _print_all(frame, cluster, everywhere=everywhere)
    while live:
        followed = _print_changes(frame, cluster, everywhere=everywhere, version=version)
        version = followed or _print_all(frame, cluster, everywhere=everywhere)


def _print_all(frame: Frame, cluster: Cluster, *, everywhere: bool) -> str:
    """Print the list; the version to watch from comes back."""
    path = cluster.simulations_path(everywhere=everywhere)
    try:
        listed = cluster.get(path)
    except CliError as fault:
        if fault.code == "API_NOT_FOUND":
            cluster.require_crd()
        raise
    lines = rows(map(read_run, listed["items"]), now=_now())
    if lines or frame.as_json:
        frame.answer(documents(lines), lambda: table(lines, with_namespace=everywhere))
    else:
        where = "any namespace" if everywhere else f"namespace {cluster.namespace}"
        click.echo(f"No Simulation in {where}. Try: kubectl apply -f examples/epidemic.yaml", err=True)
    return str(listed["metadata"]["resourceVersion"])


def _print_changes(frame: Frame, cluster: Cluster, *, everywhere: bool, version: str) -> str:
    """Print a line a change until the watch ends; where to go on comes back, or "" when that is too long ago."""
    for event in cluster.watch(cluster.simulations_path(everywhere=everywhere), version=version):
        if event["type"] == "ERROR":
            return ""
        version = str(event["object"]["metadata"]["resourceVersion"])
        if event["type"] != "BOOKMARK":
            lines = rows([read_run(event["object"])], now=_now())
            if event["type"] == "DELETED":
                lines = [replace(line, state="Deleted") for line in lines]
            frame.answer(documents(lines), lambda: table(lines, with_namespace=everywhere, with_header=False))  # noqa: B023
    return version


def describe_command(frame: Frame, name: str) -> None:
    """`sim describe`."""
    from parpour_cli.describing import description
    from parpour_cli.following import events_of, pods_of
    from parpour_cli.shards import shard_views

    cluster = frame.cluster()
    document = cluster.simulation(name)
    run = read_run(document)
    pods = pods_of(cluster, run)
    views = shard_views(pods, shards=run.status.shards or 0)
    events = events_of(cluster, run)
    frame.answer(
        {"simulation": document, "pods": pods, "events": events},
        lambda: description(run, shards=views, events=events, now=_now()),
    )


def watch_command(frame: Frame, name: str) -> None:
    """`sim watch`: bars on a terminal, a line at each change elsewhere, objects with --json."""
    from parpour_cli.following import follow
    from parpour_cli.picture import Picture, drawing, headline

    cluster = frame.cluster()
    last: Picture | None = None
    if sys.stdout.isatty() and not frame.as_json:
        from rich.live import Live

        with Live(console=frame.console, auto_refresh=False) as live:
            for last in follow(cluster, name):
                live.update(drawing(last), refresh=True)
    else:
        said = ""
        for last in follow(cluster, name):
            text = json.dumps(last.document(), ensure_ascii=False) if frame.as_json else headline(last)
            if text != said:
                click.echo(text)
                sys.stdout.flush()
                said = text
    assert last is not None
    if last.run.refused:
        raise CliError(
            "SIMULATION_REFUSED",
            f"Simulation {name!r} is refused: {last.run.reason()}",
            remedy="mend it and apply it again; nothing was started",
        )
    if str(last.run.status.state) != "Complete":
        raise CliError(
            "SIMULATION_FAILED",
            f"Simulation {name!r} failed: {last.run.reason() or 'no reason was given'}",
            remedy=f"`parpour sim describe {name}` and `parpour sim logs {name}` tell more",
        )


def logs_command(frame: Frame, name: str, *, shard: int | None, live: bool, tail: int) -> None:
    """`sim logs`."""
    from parpour_cli.podlogs import print_logs

    cluster = frame.cluster()
    run = read_run(cluster.simulation(name))
    if shard is not None and run.status.shards is not None and shard >= run.status.shards:
        raise CliError(
            "SHARD_UNKNOWN",
            f"Simulation {name!r} has shards 0 to {run.status.shards - 1}",
            remedy="choose one of them with --shard",
            exit_code=2,
        )
    print_logs(cluster, name, shard=shard, live=live, tail=tail, as_json=frame.as_json)


def results_command(frame: Frame, name: str, *, download: Path | None, report: Path | None, plot: bool) -> None:
    """`sim results`."""
    from parpour_cli.results import show_results

    cluster = frame.cluster()
    run = read_run(cluster.simulation(name))
    show_results(frame, cluster, require_result(run), download=download, report=report, plot=plot)


def require_result(run: Run) -> Run:
    """The run if it has a result. Raises CliError RESULT_NOT_YET or SIMULATION_FAILED."""
    if run.status.result is not None:
        return run
    if run.finished:
        raise CliError("SIMULATION_FAILED", f"Simulation {run.name!r} has no result: {run.reason()}")
    raise CliError(
        "RESULT_NOT_YET",
        f"Simulation {run.name!r} is {run.status.state} ({run.progress.summary or '0 %'})",
        remedy=f"`parpour sim watch {run.name}` waits for its end",
    )


def doctor_command(frame: Frame, *, operator_namespace: str | None) -> None:
    """`doctor`."""
    from parpour_cli.doctor import examine, failed, report

    cluster = frame.cluster()
    findings = examine(cluster, operator_namespace=operator_namespace, now=_now())
    frame.answer([finding.document() for finding in findings], lambda: report(findings))
    if failed(findings):
        sys.exit(1)


def version_command(frame: Frame) -> None:
    """`version`: a cluster that does not answer is said so and is no error."""
    from rich.text import Text

    from parpour_cli import __version__
    from parpour_cli.doctor import operator_image

    versions = {"parpour": __version__}
    try:
        cluster = frame.cluster()
        versions["kubernetes"] = str(cluster.get("/version")["gitVersion"])
        versions["operator"] = operator_image(cluster) or "not found"
    except CliError as fault:
        versions["cluster"] = fault.message
    frame.answer(versions, lambda: Text("\n".join(f"{name}: {value}" for name, value in versions.items())))
