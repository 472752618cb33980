"""The page of research queries: those that each model ships, the tables that they read, and how a header is written."""

from __future__ import annotations

from civlab.database.layout import RUN_COLUMNS, RUN_PARAMETER_COLUMNS, Described
from civlab.database.queries import CHARTS, Query, queries_of
from parpour_contracts.scenario import MODELS
from reference.markdown import cell, code, page, table

INTRODUCTION = """
`civlab query PLACE NAME` asks a run, or the runs of a DuckDB file that `civlab load` filled; [query
results](../how-to/query-results.md) shows how. Each query is one SQL file in the wheel, `civlab/models/MODEL/queries/`.
A *check* must answer no row: the command exits with 1 if it answers any.
"""

DATABASE = """
## The database

A model's tables are in a schema of the model's name and are its
[result tables](exchange-tick.md#result-tables), each with one more column, `run`, the run's number in the file. Types
are the declared ones: numbers of 128 bits are `DECIMAL(38,0)`. A parameter that the design varies is a column
`parameter:PATH` of `members`, null in runs that do not vary it. Units and meanings are comments:
`SELECT * FROM duckdb_columns()`. A query names tables without their schema.

`parameter('PATH')` is a table of `run`, `member` and `value`: the parameter's value in every member, whether the design
varies it or not; it has no rows for scenarios without it.
"""

HEADERS = """
## Headers

A file begins with comments, one `-- key: value` a line; a line that begins with `--` and two spaces or more goes on
with the one before. Anything else in the header is refused.
"""

KEYS: tuple[tuple[str, str], ...] = (
    ("title", "**Required.** A heading."),
    ("shows", "**Required.** What the rows are and what one sees in them."),
    ("source", "**Required.** Where the measure comes from."),
    ("expects", "`rows`, or `no rows` for a check."),
    ("chart", f"{', '.join(code(chart) for chart in CHARTS)}; without it the query is a table only."),
    ("x", "A column, then a bar and the axis's label: `tick | round`."),
    ("y", "One column or more with commas, then a bar and the axis's label."),
    (
        "series",
        "Columns whose values part the rows into lines, points or bars; one that has one value only is not named.",
    ),
    ("reference", "Columns of what is expected, drawn once and dashed; not for bars."),
    ("band", "Two columns about one `y`, shaded; for `line`."),
    ("log", "`x`, `y` or both: logarithmic axes; for `line` and `scatter`. `loglog` has both."),
    ("fit", "`line`: the line of least squares with its slope; for `scatter` and, of the logarithms, `loglog`."),
)

ENDING = """
`lorenz` is a square of per cent by per cent with the line of equality. Charts draw rows in their order, and of
more than 400 series 400, evenly chosen.
"""


def kind(query: Query) -> str:
    """The form of a query's answer."""
    return "check" if query.check else query.drawing.chart if query.drawing else "table"


def of_model(model: str) -> str:
    """The queries of one model."""
    rows = [
        (code(query.name), kind(query), f"{cell(query.title)}. {cell(query.shows)}", cell(query.source))
        for query in queries_of(model)
    ]
    return f"## {model}\n\n" + table(("Query", "Form", "What it shows", "Source"), rows)


def columns(name: str, what: str, described: tuple[Described, ...]) -> str:
    """One table that all runs share."""
    rows = [(code(column.name), column.type, cell(column.meaning)) for column in described]
    return f"### {name}\n\n{what}\n\n" + table(("Column", "Type", "Meaning"), rows)


def queries_page() -> str:
    """docs/reference/queries.md."""
    return page(
        "Research queries",
        INTRODUCTION.strip(),
        *(of_model(model) for model in MODELS if queries_of(model)),
        DATABASE.strip(),
        columns("run", "One row a run.", RUN_COLUMNS),
        columns("run_parameter", "Every number of every run's scenario.", RUN_PARAMETER_COLUMNS),
        HEADERS.strip() + "\n\n" + table(("Key", "Value"), [(code(key), told) for key, told in KEYS]),
        ENDING.strip(),
        source="civlab.models.*.queries and civlab.database",
    )
