"""How runs lie in a database: one schema a model with the tables that its runs wrote, and what all runs have in `main`.

Every table begins with `run`, the number of the run in this file, so that runs stand side by side; a table has the
columns of all runs that are in it, and a run has nulls in those that it did not write. Types come from the files'
own declared schemas, units and meanings too, as comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from civlab.database.engine import literal, number, quoted
from civlab.errors import CivlabError
from civlab.results.schema import MEMBERS, PARAMETER_PREFIX

if TYPE_CHECKING:
    from civlab.database.engine import Connection

FORMAT = "civlab.database/1"
MARK, RUN, RUN_PARAMETER = "civlab", "run", "run_parameter"
PARAMETER = "parameter"
ROWS_A_STATEMENT = 500


@dataclass(frozen=True)
class Described:
    """A column of the tables in `main`, with its type in SQL."""

    name: str
    type: str
    meaning: str


RUN_COLUMNS = (
    Described("run", "UINTEGER", "number of the run in this file, from 1 in the order of loading"),
    Described("digest", "VARCHAR", "digest of the run, over its members' digests; equal digests, equal results"),
    Described("run_hash", "VARCHAR", "hash of all that decides the results: scenario, seed, ensemble"),
    Described("scenario_hash", "VARCHAR", "hash of the scenario with its overrides"),
    Described("model", "VARCHAR", "the model, and the schema that its tables are in"),
    Described("title", "VARCHAR", "title of the scenario"),
    Described("seed", "BIGINT", "seed of every random number"),
    Described("ticks", "UINTEGER", "ticks that every member ran"),
    Described("tick_name", "VARCHAR", "what a tick is called: day, year, round"),
    Described("members", "UINTEGER", "members of the ensemble"),
    Described("scenario", "VARCHAR", "text of the scenario document, as it was given"),
    Described("overrides", "VARCHAR", "parameters that were set for the whole run, as a JSON object"),
    Described("ensemble", "VARCHAR", "members and design, as a JSON object"),
    Described("version", "VARCHAR", "version of civlab that made it"),
    Described("backend", "VARCHAR", "device that it was made on"),
)
RUN_PARAMETER_COLUMNS = (
    Described("run", "UINTEGER", "number of the run"),
    Described("path", "VARCHAR", "dotted path of the number in the scenario"),
    Described("text", "VARCHAR", "its value for the whole run, digit by digit"),
    Described("value", "DOUBLE", "the same as a floating-point number"),
    Described("unit", "VARCHAR", "its unit, where it has one"),
    Described("varied", "BOOLEAN", "whether the design varies it by member; then this is not the value that ran"),
)
PARAMETER_MEANING = "the value of one parameter, by its path, in every member: run, member, value"


def prepare(connection: Connection) -> None:
    """Makes an empty database one of ours."""
    mark = (Described("format", "VARCHAR", "format of this file"),)
    _create(connection, MARK, mark, f"Runs of civlab; {FORMAT}")
    connection.execute(f"INSERT INTO main.{MARK} VALUES ({literal(FORMAT)})")
    _create(connection, RUN, RUN_COLUMNS, "one row a run in this file")
    _create(connection, RUN_PARAMETER, RUN_PARAMETER_COLUMNS, "every number of every run's scenario")


def is_empty(connection: Connection) -> bool:
    """Whether the database holds no table at all."""
    return number(connection, "SELECT count(*) FROM duckdb_tables()") == 0


def check_format(connection: Connection, path: str) -> None:
    """Raises CivlabError DATABASE_FORMAT_UNKNOWN unless the database was made by `prepare`."""
    stated = connection.execute(f"FROM main.{MARK}").fetchall() if MARK in tables_of(connection, "main") else []
    if stated != [(FORMAT,)]:
        raise CivlabError(
            "DATABASE_FORMAT_UNKNOWN",
            path,
            f"was not made by `civlab load` of this version ({FORMAT}); name another file",
        )


def adopt(connection: Connection, model: str, table: str, schema: pa.Schema, *, meaning: str, path: str) -> None:
    """Makes the table of a model have at least the columns of `schema`, after `run`.

    Raises CivlabError DATABASE_DIFFERS when a column is there with another type.
    """
    name = quoted(model, table)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(model)}")
    there = columns_of(connection, model, table)
    if not there:
        connection.execute(f"CREATE TABLE {name} (run UINTEGER)")
        connection.execute(f"COMMENT ON TABLE {name} IS {literal(meaning)}")
        connection.execute(f"COMMENT ON COLUMN {name}.run IS {literal(RUN_COLUMNS[0].meaning)}")
    types = _types(connection, schema)
    for field in schema:
        if field.name not in there:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(field.name)} {types[field.name]}")
            connection.execute(f"COMMENT ON COLUMN {name}.{quoted(field.name)} IS {literal(described(field))}")
        elif there[field.name] != types[field.name]:
            raise CivlabError(
                "DATABASE_DIFFERS",
                path,
                f"has {model}.{table}.{field.name} as {there[field.name]}, but the run has {types[field.name]}; load "
                "the run into a file of its own",
            )


def described(field: pa.Field) -> str:
    """Meaning and unit of a declared column: "money that moved (flow) [money]"."""
    said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    unit, meaning = said.get("unit", ""), said.get("meaning", "")
    return f"{meaning} [{unit}]" if unit else meaning


def columns_of(connection: Connection, schema: str, table: str) -> dict[str, str]:
    """Types of a table's columns by name, in order; none when there is no such table."""
    rows = connection.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? "
        "AND database_name = current_database() ORDER BY column_index",
        [schema, table],
    ).fetchall()
    return dict(rows)


def tables_of(connection: Connection, schema: str) -> list[str]:
    """The tables of a schema, by name."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? AND database_name = current_database() "
        "ORDER BY table_name",
        [schema],
    ).fetchall()
    return [name for (name,) in rows]


def define_parameter(connection: Connection, model: str) -> None:
    """Makes the model's table macro `parameter(path)` follow the columns that its members' table has now.

    A parameter has one value for the whole run or, where the design varies it, one a member; a query need not know.
    """
    members = quoted(model, MEMBERS)
    branches = [
        f"SELECT m.run, m.member, p.value FROM {members} AS m JOIN main.{RUN_PARAMETER} AS p USING (run) "
        "WHERE p.path = wanted AND NOT p.varied"
    ]
    for column in columns_of(connection, model, MEMBERS):
        if column.startswith(PARAMETER_PREFIX):
            path = literal(column.removeprefix(PARAMETER_PREFIX))
            branches.append(
                f"SELECT run, member, {quoted(column)} FROM {members} "
                f"WHERE wanted = {path} AND {quoted(column)} IS NOT NULL"
            )
    name = quoted(model, PARAMETER)
    connection.execute(f"CREATE OR REPLACE MACRO {name}(wanted) AS TABLE {' UNION ALL '.join(branches)}")
    connection.execute(f"COMMENT ON MACRO TABLE {name} IS {literal(PARAMETER_MEANING)}")


def insert_rows(connection: Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Rows of a table in `main`, in the order of its columns."""
    for start in range(0, len(rows), ROWS_A_STATEMENT):
        some = rows[start : start + ROWS_A_STATEMENT]
        places = ", ".join(f"({', '.join('?' for _ in row)})" for row in some)
        connection.execute(f"INSERT INTO main.{table} VALUES {places}", [value for row in some for value in row])


def _create(connection: Connection, table: str, columns: Iterable[Described], meaning: str) -> None:
    listed = ", ".join(f"{quoted(column.name)} {column.type}" for column in columns)
    connection.execute(f"CREATE TABLE main.{table} ({listed})")
    connection.execute(f"COMMENT ON TABLE main.{table} IS {literal(meaning)}")
    for column in columns:
        connection.execute(f"COMMENT ON COLUMN main.{table}.{quoted(column.name)} IS {literal(column.meaning)}")


def _types(connection: Connection, schema: pa.Schema) -> dict[str, str]:
    """The engine's own types for declared columns: DECIMAL(38,0) for numbers of 128 bits, unsigned integers as such."""
    connection.register("declared", pa.Table.from_batches([], schema=schema))
    try:
        return {row[0]: row[1] for row in connection.execute("DESCRIBE declared").fetchall()}
    finally:
        connection.unregister("declared")
