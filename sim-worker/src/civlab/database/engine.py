"""Opens DuckDB files, each for one writer or many readers, and turns the engine's faults into civlab's.

A reader is locked in: it sees no other file, no network, no extension and no variable of this program, so that a query
from anywhere may be run. Every fault of the engine leaves as a CivlabError with the engine's own first line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

from civlab.errors import CivlabError

if TYPE_CHECKING:
    import duckdb

    Connection: TypeAlias = duckdb.DuckDBPyConnection

LOCKS = (
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)
"""What shuts a reader in; the last one shuts these settings too."""


def engine() -> ModuleType:
    """The module of DuckDB. Raises CivlabError EXTRA_MISSING where it is not installed."""
    try:
        import duckdb
    except ImportError:
        message = "DuckDB is not installed; `pip install 'civlab[analysis]'` adds it"
        raise CivlabError("EXTRA_MISSING", "civlab[analysis]", message) from None
    return duckdb


@contextmanager
def opened(file: Path, *, writing: bool) -> Iterator[Connection]:
    """A connection to a database file for the length of a block; a writer makes a file that is not there.

    Raises CivlabError DATABASE_REFUSED for what is no database, cannot be written, or is open elsewhere, and
    EXTRA_MISSING.
    """
    duckdb = engine()
    with faults("DATABASE_REFUSED", str(file)):
        connection: Connection = duckdb.connect(str(file.absolute()), read_only=not writing)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def faults(code: str, path: str) -> Iterator[None]:
    """Faults of the engine within the block leave as a CivlabError of this code and path."""
    duckdb = engine()
    try:
        yield
    except duckdb.Error as fault:
        raise CivlabError(code, path, _said(fault)) from None


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """All that is written within the block, or nothing of it."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def lock_in(connection: Connection) -> None:
    """Shuts a connection in with its own tables, for good."""
    for setting in LOCKS:
        connection.execute(setting)


def number(connection: Connection, sql: str, values: Sequence[object] = ()) -> int | None:
    """The first cell of what a statement answers, a whole number; None for null or for no row."""
    found = connection.execute(sql, list(values)).fetchone()
    return None if found is None or found[0] is None else int(found[0])


def quoted(*names: str) -> str:
    """An identifier, or several joined by dots, that may hold anything."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _said(fault: Exception) -> str:
    """The engine's message without its drawing of the place, and with its hint if it gives one."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    hints = [line for line in lines[1:] if line.startswith(("Candidate", "Did you mean"))]
    return "; ".join([*lines[:1], *hints[:1]]) or type(fault).__name__
