"""Asks a run, or the runs in a database file, what a query or a text of SQL says, without being able to change them.

A run that lies in a store is first loaded into a database of its own for as long as the question takes, with the tables
that the question names; so a run and a file answer alike, and what is asked has been checked against its hashes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from civlab.database import layout
from civlab.database.engine import engine, faults, lock_in, opened, quoted
from civlab.database.loading import load_run
from civlab.database.queries import Drawing, Query, queries_of, query_of
from civlab.errors import CivlabError
from civlab.results.schema import MEMBERS
from civlab.runs.spec import RunSpec
from civlab.store import Store, open_store

if TYPE_CHECKING:
    from civlab.database.engine import Connection

FILE_ENDINGS = (".duckdb", ".ddb", ".db")
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Entry:
    """A run of a database, by its number there."""

    run: int
    model: str
    title: str
    members: int
    seed: int
    digest: str


@dataclass(frozen=True)
class Answer:
    """What a question was answered: columns with their types in SQL, and rows of Python's own exact values.

    Whole numbers of any width are int, decimals Decimal, nulls None. `runs` are those that were asked.
    """

    query: Query | None
    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    runs: tuple[Entry, ...]

    @property
    def holds(self) -> bool:
        """Whether the query is none that must answer no row, or does answer none."""
        return not (self.query is not None and self.query.check and self.rows)

    def column(self, name: str) -> list[Any]:
        """The values of one column."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]


def queries_at(place: str | Path, *, run: int | None = None, model: str | None = None) -> dict[str, tuple[Query, ...]]:
    """The queries by model that can be asked at a place. Raises CivlabError as `ask` does."""
    if is_database(place):
        with opened(Path(place), writing=False) as connection:
            models = _models(_entries(connection, str(place), run=run, model=model))
    else:
        models = (_only_run(place, run=run, model=model)[1],)
    return {model: queries_of(model) for model in models}


def ask(
    place: str | Path,
    *,
    name: str | None = None,
    sql: str | None = None,
    run: int | None = None,
    model: str | None = None,
) -> Answer:
    """What a run, or a database file, answers to a query by its name, or to one SELECT.

    `run` narrows a file to one of its runs, `model` to the runs of one model. Raises CivlabError QUERY_REFUSED for
    what is not one question or not one SELECT, QUERY_FAILED with the engine's reason, QUERY_UNKNOWN,
    QUERY_HEADER_WRONG, QUERY_MODEL_UNCLEAR, RUN_NOT_LOADED, EXTRA_MISSING, and the codes of stores and of loading.
    """
    if (name is None) == (sql is None):
        raise CivlabError("QUERY_REFUSED", "", "give either the name of a query or one SELECT")
    if is_database(place):
        with opened(Path(place), writing=False) as connection:
            runs = _entries(connection, str(place), run=run, model=model)
            query, asked = _question(str(place), name, _models(runs))
            return _answer(connection, query, sql or "", model=asked, run=run, runs=runs)
    store, of = _only_run(place, run=run, model=model)
    query, asked = _question(str(place), name, (of,))
    with TemporaryDirectory(prefix="civlab-") as folder:
        file = Path(folder) / "run.duckdb"
        load_run(store, file, only={MEMBERS, *_words(query.sql if query else sql or "")})
        with opened(file, writing=False) as connection:
            return _answer(connection, query, sql or "", model=asked, run=None, runs=_entries(connection, str(place)))


def _only_run(place: str | Path, *, run: int | None, model: str | None) -> tuple[Store, str]:
    """The store of a run and the run's model."""
    if run is not None or model is not None:
        message = "is one run and no database file, so there is nothing to choose; leave `--run` and `--model` out"
        raise CivlabError("RUN_NOT_LOADED", str(place), message)
    engine()
    store = open_store(place)
    return store, RunSpec.load(store).scenario.model


def _question(place: str, name: str | None, models: tuple[str, ...]) -> tuple[Query | None, str | None]:
    """The query of this name and its model; for a text of SQL no query, and the model if there is but one."""
    if name is None:
        return None, models[0] if len(models) == 1 else None
    able = tuple(model for model in models if name in {query.name for query in queries_of(model)})
    fitting = able or models
    if len(fitting) > 1:
        message = f"has runs of {' and '.join(fitting)}; say which is asked with `--model` or `--run`"
        raise CivlabError("QUERY_MODEL_UNCLEAR", place, message)
    return query_of(fitting[0], name), fitting[0]


def _answer(
    connection: Connection,
    query: Query | None,
    sql: str,
    *,
    model: str | None,
    run: int | None,
    runs: tuple[Entry, ...],
) -> Answer:
    path, sql = ("--sql", sql) if query is None else (query.name, query.sql)
    if model is not None:
        _come_to(connection, model, run)
    lock_in(connection)
    with faults("QUERY_FAILED", path):
        _check_statement(connection, sql, path)
        found = connection.execute(sql)
        columns = [(str(name), str(kind)) for name, kind, *_ in found.description or ()]
        rows = tuple(found.fetchall())
    names = tuple(name for name, _ in columns)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CivlabError("QUERY_FAILED", path, f"answers two columns named {twice}; name them apart with AS")
    if query is not None and query.drawing is not None:
        _check_columns(query, query.drawing, names)
    asked = tuple(entry for entry in runs if model in (None, entry.model))
    return Answer(query, names, tuple(kind for _, kind in columns), rows, asked)


def _check_columns(query: Query, drawing: Drawing, names: tuple[str, ...]) -> None:
    for column in drawing.columns:
        if column not in names:
            message = f"names the column {column} in its header, but answers {', '.join(names)}"
            raise CivlabError("QUERY_HEADER_WRONG", f"{query.name}.sql", message)


def _words(sql: str) -> set[str]:
    """All words of a text of SQL: every table that it names is among them."""
    return {word.lower() for word in WORD.findall(sql)}


def is_database(place: str | Path) -> bool:
    """Whether a place is a database file, there or by its name, and not a run in a folder or store."""
    text = str(place)
    return "://" not in text and not Path(text).is_dir() and (Path(text).is_file() or text.endswith(FILE_ENDINGS))


def _entries(
    connection: Connection, place: str, *, run: int | None = None, model: str | None = None
) -> tuple[Entry, ...]:
    """The chosen runs of a file. Raises CivlabError RUN_NOT_LOADED when there is none."""
    with faults("DATABASE_REFUSED", place):
        layout.check_format(connection, place)
        rows = connection.execute(
            f"SELECT run, model, title, members, seed, digest FROM main.{layout.RUN} ORDER BY run"
        ).fetchall()
    entries = [Entry(*row) for row in rows]
    chosen = tuple(entry for entry in entries if run in (None, entry.run) and model in (None, entry.model))
    if not chosen:
        listed = ", ".join(f"{entry.run} ({entry.model})" for entry in entries) or "none"
        raise CivlabError("RUN_NOT_LOADED", place, f"holds no such run; it has {listed}. `civlab load` adds one")
    return chosen


def _models(runs: tuple[Entry, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.model for entry in runs))


def _come_to(connection: Connection, model: str, run: int | None) -> None:
    """Lets the model's tables be named without their schema, and with only one run's rows if one was chosen."""
    connection.execute(f"SET search_path = '{quoted(model)},main'")
    if run is None:
        return
    (here,) = connection.execute("SELECT current_database()").fetchall()[0]
    tables = [(model, name) for name in layout.tables_of(connection, model)]
    for schema, table in (*tables, ("main", layout.RUN), ("main", layout.RUN_PARAMETER)):
        source = quoted(here, schema, table)
        connection.execute(f"CREATE TEMP VIEW {quoted(table)} AS SELECT * FROM {source} WHERE run = {run:d}")
    macro = quoted(here, model, layout.PARAMETER)
    connection.execute(
        f"CREATE TEMP MACRO {layout.PARAMETER}(wanted) AS TABLE SELECT * FROM {macro}(wanted) WHERE run = {run:d}"
    )


def _check_statement(connection: Connection, sql: str, path: str) -> None:
    """Raises CivlabError QUERY_REFUSED unless the text is one SELECT."""
    select = engine().StatementType.SELECT
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != select:
        raise CivlabError("QUERY_REFUSED", path, "is not one SELECT; queries only read, one statement at a time")
