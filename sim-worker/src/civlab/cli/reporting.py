"""`civlab report`."""

from __future__ import annotations

from pathlib import Path

import click

from civlab.cli.output import print_json, write_file
from civlab.models import report_of
from civlab.report.page import render_report
from civlab.report.picture import render_picture
from civlab.results.reader import open_results
from civlab.runs.spec import RunSpec
from civlab.wording import bands_explained, counted


@click.command()
@click.argument("place")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="HTML file; default report.html beside the run.")
@click.option("--png", type=click.Path(path_type=Path), help="Also write one picture of the run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def report(place: str, output: Path | None, png: Path | None, as_json: bool) -> None:
    """Write the report of the complete run in PLACE: one HTML file that needs nothing else.

    \b
    Examples:
      civlab report out/
      civlab report s3://results/trial -o trial.html --png trial.png
    """
    results = open_results(place)
    page = render_report(results).encode()
    if output is None:
        results.store.put("report.html", page)
    else:
        write_file(output, page)
    if png is not None:
        manifest, spec = results.manifest, RunSpec.load(results.store)
        declared = report_of(spec.scenario.model)
        size = f" of {spec.agents(0):,} {spec.results.size.unit}" if spec.scenario.agents_path else ""
        told = bands_explained(manifest.members)
        caption = f"{counted(manifest.members, 'member')}{size}{told and f'; {told}'}"
        figures = declared.figures(results, spec)
        write_file(png, render_picture(declared, figures, title=manifest.title, caption=caption))
    written = results.store.address("report.html") if output is None else str(output)
    if as_json:
        print_json({"report": written, "picture": None if png is None else str(png), "digest": results.manifest.digest})
    else:
        click.echo("\n".join([written, *([str(png)] if png else [])]))
