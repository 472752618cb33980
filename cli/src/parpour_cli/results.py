"""`parpour sim results`: what a complete run came to, from its status and, for all that is larger, from its store.

The headline figures stand in the resource itself, so they are shown even to those who may not reach the store; only
what was asked for by name (a download, a report) makes an unreachable store an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from civlab.errors import CivlabError
from civlab.models import report_of
from civlab.report.blocks import Blocks
from civlab.report.page import render_report
from civlab.results.reader import Results
from civlab.runs.collect import check_file
from civlab.runs.spec import RunSpec
from civlab.store import Store, open_store
from parpour_cli.cluster import Cluster
from parpour_cli.describing import result_view
from parpour_cli.faults import CliError
from parpour_cli.options import Frame
from parpour_cli.plotting import AXIS, WIDTH, course_plot
from parpour_cli.reading import Run
from parpour_cli.storing import reachable_store

DOWNLOADED = ("run.json", "manifest.json", "shards/", "tables/", "report.html")
"""What belongs to a complete run; checkpoints stay behind."""


def show_results(
    frame: Frame, cluster: Cluster, run: Run, *, download: Path | None, report: Path | None, plot: bool
) -> None:
    """Print a complete run's figures; plot, download and write the report as asked.

    Raises:
        CliError, CivlabError: when a download or a report was asked for and the store cannot be read.
    """
    assert run.status.result is not None
    document: dict[str, Any] = {"namespace": run.namespace, "name": run.name, **run.status.result.to_wire()}
    drawn: list[RenderableType] = [result_view(run)]
    needed = download is not None or report is not None
    if needed or (plot and not frame.as_json):
        try:
            with _results(cluster, run) as results:
                if plot and not frame.as_json:
                    drawn += [Text(""), _plotted(results, width=min(WIDTH, frame.console.width - AXIS))]
                document |= _written(results, download=download, report=report)
        except (CliError, CivlabError) as fault:
            if needed:
                raise
            click.echo(f"no plot: {fault}", err=True)
    drawn += [Text(f"{name} in {document[name]}") for name in ("files", "report") if name in document]
    frame.answer(document, lambda: Group(*drawn))


@contextlib.contextmanager
def _results(cluster: Cluster, run: Run) -> Iterator[Results]:
    with reachable_store(cluster, run) as address:
        results = Results(open_store(address))
        digest = run.status.result.digest if run.status.result else ""
        if results.manifest.digest != digest:
            raise CliError(
                "RESULT_MISMATCH",
                f"the store holds a run with digest {results.manifest.digest}, the Simulation states {digest}",
                remedy="was the store's prefix written by something else?",
            )
        yield results


def _written(results: Results, *, download: Path | None, report: Path | None) -> dict[str, str]:
    places: dict[str, str] = {}
    if download is not None:
        fetch(results, download)
        places["files"] = str(download)
    if report is not None:
        try:
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(render_report(results), encoding="utf-8")
        except OSError as fault:
            raise CliError("FILE_NOT_WRITTEN", f"{report}: {fault.strerror}", exit_code=2) from None
        places["report"] = str(report)
    return places


def fetch(results: Results, folder: Path) -> None:
    """Copy a complete run to a folder and check every table against the manifest's hashes.

    Raises:
        CliError: DOWNLOAD_PLACE_TAKEN when the folder holds something else.
        CivlabError: RESULT_MISMATCH when what arrived is not what the manifest names.
    """
    try:
        target = open_store(folder, create=True)
    except CivlabError as fault:
        raise CliError("FILE_NOT_WRITTEN", f"{folder}: {fault.message}", exit_code=2) from None
    _require_own_place(results.store, target, folder)
    for path in results.store.list(""):
        if path.startswith(DOWNLOADED) and path != "manifest.json":
            target.put(path, results.store.get(path))
    for item in results.manifest.tables:
        check_file(target, item)
    target.put("manifest.json", results.store.get("manifest.json"))


def _require_own_place(source: Store, target: Store, folder: Path) -> None:
    standing = target.find("run.json")
    if (standing is None and target.list("")) or (standing is not None and standing != source.get("run.json")):
        raise CliError(
            "DOWNLOAD_PLACE_TAKEN", f"{folder} holds other files", remedy="choose an empty or new folder", exit_code=2
        )


def _plotted(results: Results, *, width: int) -> Text:
    scenario = RunSpec.load(results.store).scenario
    curve = report_of(scenario.model).curve
    course = Blocks(results).band(curve.metric)
    return course_plot(
        low=course.low,
        median=course.median,
        high=course.high,
        title=curve.title,
        across=scenario.tick_name,
        width=width,
    )
