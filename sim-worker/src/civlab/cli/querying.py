"""`civlab query`."""

from __future__ import annotations

import csv
import io
import math
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from civlab.cli.output import DIFFERENT, print_error, print_json, print_table, write_file
from civlab.database.asking import Answer, ask, queries_at
from civlab.database.queries import Query
from civlab.errors import CivlabError
from civlab.wording import counted

SHOWN_ROWS = 40
PICTURES = (".png", ".svg")


@click.command()
@click.argument("place", metavar="RUN|FILE")
@click.argument("name", required=False)
@click.option("--sql", "text", metavar="TEXT", help="Ask this one SELECT instead of a query by its name.")
@click.option("--run", "run", type=click.IntRange(min=1), metavar="NUMBER", help="Ask one run of a database file.")
@click.option("--model", help="Ask the runs of one model of a database file.")
@click.option("--plot", "plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw it, as .png or .svg.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, all rows.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@click.option("--list", "listing", is_flag=True, help="List the queries that there are.")
def query(
    place: str,
    name: str | None,
    text: str | None,
    run: int | None,
    model: str | None,
    plot: Path | None,
    as_csv: bool,
    as_json: bool,
    listing: bool,
) -> None:
    """Ask a complete run, or the runs that `civlab load` put into a DuckDB file, and print or draw the answer.

    NAME is a query that the run's model ships, or a .sql file of your own with the same header; without one, the
    queries are listed. Nothing can be changed by asking. A query that must answer no row, such as `conservation`, exits
    with 1 if it answers any. It needs the extra `analysis`.

    \b
    Examples:
      civlab query out/ --list
      civlab query out/ conservation
      civlab query results.duckdb lorenz --run 2 --plot lorenz.png
      civlab query out/ --sql 'SELECT member, digest FROM members' --csv
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms of one answer; give one")
    if name is not None and text is not None:
        raise click.UsageError("a query's name and --sql are two questions; give one")
    if plot is not None and plot.suffix not in PICTURES:
        raise click.UsageError(f"--plot {plot}: give a file that ends in {' or '.join(PICTURES)}")
    if listing or (name is None and text is None):
        _print_list(queries_at(place, run=run, model=model), as_json=as_json)
        return
    answer = ask(place, name=name, sql=text, run=run, model=model)
    if plot is not None:
        _draw(answer, plot)
    if as_csv:
        _print_csv(answer)
    elif as_json:
        print_json(_document(answer, plot))
    else:
        _print_answer(answer, plot)
    if not answer.holds:
        if not as_json:
            print_error(_failure(answer), as_json=False)
        sys.exit(DIFFERENT)


def _print_list(queries: dict[str, tuple[Query, ...]], *, as_json: bool) -> None:
    if as_json:
        print_json(
            {"queries": [{"model": model, **_told(query)} for model, found in queries.items() for query in found]}
        )
        return
    rows = [
        (model, query.name, "check" if query.check else query.drawing.chart if query.drawing else "table", query.title)
        for model, found in queries.items()
        for query in found
    ]
    print_table("Queries", ("model", "name", "chart", "title"), rows)


def _told(query: Query) -> dict[str, Any]:
    return {
        "name": query.name,
        "title": query.title,
        "shows": query.shows,
        "source": query.source,
        "chart": query.drawing.chart if query.drawing else None,
        "expects": "no rows" if query.check else "rows",
    }


def _draw(answer: Answer, plot: Path) -> None:
    from civlab.database.drawing import draw_answer

    write_file(plot, draw_answer(answer, plot.suffix.removeprefix(".")))


def _failure(answer: Answer) -> CivlabError:
    assert answer.query is not None
    message = (
        f"{answer.query.title}: must answer no row and answers {len(answer.rows):,}; `civlab verify` checks the run, "
        "`civlab load --force` loads it anew"
    )
    return CivlabError("CHECK_FAILED", answer.query.name, message)


def _document(answer: Answer, plot: Path | None) -> dict[str, Any]:
    document: dict[str, Any] = {} if answer.holds else {"error": _failure(answer).document()}
    if answer.query is not None:
        document["query"] = _told(answer.query)
    return document | {
        "columns": [{"name": name, "type": kind} for name, kind in zip(answer.columns, answer.types, strict=True)],
        "rows": [dict(zip(answer.columns, map(_json_value, row), strict=True)) for row in answer.rows],
        "picture": None if plot is None else str(plot),
    }


def _json_value(value: Any) -> Any:
    """A value that JSON has: whole numbers digit by digit, what is no number as null, anything else as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    return str(value)


def _print_csv(answer: Answer) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(answer.rows)
    click.echo(buffer.getvalue(), nl=False)


def _print_answer(answer: Answer, plot: Path | None) -> None:
    """A check that holds in one line, a picture by its name, and anything else as a table."""
    query = answer.query
    title = "Answer" if query is None else query.title
    if query is not None and query.check and answer.holds:
        click.echo(f"{title}: holds for {_counted(answer)}")
        return
    if plot is None:
        _print_rows(title, answer)
    if query is not None and not query.check:
        click.echo(f"\n{query.shows}\nsource   {query.source}")
    if plot is not None:
        click.echo(f"picture  {plot}")


def _print_rows(title: str, answer: Answer) -> None:
    numeric = [name for name in answer.columns if any(_is_number(value) for value in answer.column(name))]
    rows = [[_cell(value) for value in row] for row in answer.rows[:SHOWN_ROWS]]
    print_table(title, answer.columns, rows, right=",".join(numeric))
    if len(answer.rows) > SHOWN_ROWS:
        click.echo(f"… {len(answer.rows):,} rows in all; --csv prints every one")


def _counted(answer: Answer) -> str:
    members = sum(entry.members for entry in answer.runs)
    return counted(members, "member") + ("" if len(answer.runs) == 1 else f" of {len(answer.runs)} runs")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
