"""`civlab load`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from civlab.cli.output import print_json, print_table
from civlab.database.loading import load_run
from civlab.store import open_store


@click.command()
@click.argument("place", metavar="RUN")
@click.option("--into", "file", type=click.Path(path_type=Path), required=True, help="DuckDB file; made if not there.")
@click.option("--force", is_flag=True, help="Load the run anew if the file holds it already.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def load(place: str, file: Path, force: bool, as_json: bool) -> None:
    """Load the complete run in RUN, a folder or a store's URL, into a DuckDB file, beside other runs.

    Every table is checked against the manifest's hashes and keeps its declared types; units and meanings become the
    columns' comments. Either all is loaded or nothing, and a run that is in the file already is left as it is. It needs
    the extra `analysis`.

    \b
    Examples:
      civlab load out/ --into results.duckdb
      civlab load s3://results/trial --into results.duckdb --json
    """
    done = load_run(open_store(place), file, force=force)
    if as_json:
        keys = {"run_hash": "runHash"}
        print_json({"database": str(file), **{keys.get(key, key): value for key, value in asdict(done).items()}})
        return
    if not done.new:
        click.echo(f"{file} holds this run already, as number {done.run}: {done.title}")
        return
    rows = [(f"{done.model}.{name}", f"{count:,}") for name, count in done.tables.items()]
    print_table(f"Run {done.run} of {file}: {done.title}", ("table", "rows"), rows, right="rows")
    click.echo(f"{done.files:,} files checked; ask with `civlab query {file}`")
