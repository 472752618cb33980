"""A tenant's books of one moment, out of the database and as lines of JSON: what an auditor is handed.

A line holds one account, journal or hold, under its kind's name. Lines are read as strictly as they are written,
since they come from whoever is audited.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from parpour_controlplane.chain.exports import open_export
from parpour_controlplane.migrations import sql
from parpour_treasury.auditing.comparing import Books
from parpour_treasury.auditing.telling import Told
from parpour_treasury.books import Account, HoldState, Journal
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

PAGE = 5000
"""Rows of one read."""

_ACCOUNTS, _JOURNALS, _HOLDS, _EVENTS = (
    sql("parpour_treasury", f"queries/{name}.sql") for name in ("accounts", "journals", "holds", "ledger_events")
)
_ADAPTERS: dict[str, TypeAdapter[Any]] = {
    "account": TypeAdapter(Account),
    "journal": TypeAdapter(Journal),
    "hold": TypeAdapter(HoldState),
}


async def read_books(connection: type_of_connection) -> Books:
    """All books of the tenant whose transaction this is, of one moment (`Database.transaction`)."""
    accounts = [Account.from_row(row) async for row in _pages(connection, _ACCOUNTS, "account_id", 0)]
    journals = [Journal.from_row(row) async for row in _pages(connection, _JOURNALS, "number", 0)]
    holds = [HoldState.from_row(row) async for row in _pages(connection, _HOLDS, "hold_id", UUID(int=0))]
    return Books(accounts, journals, holds)


async def read_told(connection: type_of_connection) -> list[Told]:
    """What the tenant's events tell of the ledger, in an order in which they can be carried out."""
    rows = await connection.fetch(_EVENTS)
    return [Told(row["type"], row["subject"], json.loads(row["payload"] or "null")) for row in rows]


async def _pages(connection: type_of_connection, query: str, key: str, start: Any) -> Any:
    while rows := await connection.fetch(query, start, PAGE):
        for row in rows:
            yield dict(row)
        start = rows[-1][key]


def to_lines(books: Books) -> Iterator[str]:
    """The books as lines of JSON, the same for the same books."""
    for kind, things in (("account", books.accounts), ("journal", books.journals), ("hold", books.holds)):
        adapter = _ADAPTERS[kind]
        for thing in things:
            yield f'{{"{kind}":{adapter.dump_json(thing).decode()}}}'


def from_lines(lines: Iterable[str]) -> Books:
    """The books that these lines hold.

    Raises:
        TreasuryError: AUDIT_BOOKS_MALFORMED, with the line.
    """
    found: dict[str, list[Any]] = {kind: [] for kind in _ADAPTERS}
    for kind, thing in _things(lines):
        found[kind].append(thing)
    return Books(found["account"], found["journal"], found["hold"])


class BooksFile:
    """Books of which the journals stay in their file, and are read as often as somebody goes through them."""

    def __init__(self, path: Path) -> None:
        """Read accounts and holds, and count the journals.

        Raises:
            TreasuryError: AUDIT_BOOKS_MALFORMED, with the line.
            OSError: if the file cannot be read.
        """
        self.accounts: list[Account] = []
        self.holds: list[HoldState] = []
        with open_export(path) as file:
            for kind, thing in _things(file, without=_JOURNAL):
                (self.accounts if kind == "account" else self.holds).append(thing)
        with open_export(path) as file:
            count = sum(line.startswith(_JOURNAL) for line in file)
        self.journals = JournalsOf(path, count)


class JournalsOf(Collection[Journal]):
    """The journals of a file, in its order."""

    def __init__(self, path: Path, count: int) -> None:
        self._path = path
        self._count = count

    def __iter__(self) -> Iterator[Journal]:
        with open_export(self._path) as file:
            for _, thing in _things(file, without=_OTHERS):
                yield thing

    def __len__(self) -> int:
        return self._count

    def __contains__(self, journal: object) -> bool:
        return any(one == journal for one in self)


_JOURNAL = '{"journal":'
_OTHERS = ('{"account":', '{"hold":')
"""How lines begin; a line has one thing, or it is malformed, so what is passed over here is nothing else."""


def _things(lines: Iterable[str], *, without: str | tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """What each line holds, by its kind; lines that begin in one of some ways are passed over."""
    for number, line in enumerate(lines, 1):
        if line.startswith(without):
            continue
        try:
            ((kind, thing),) = json.loads(line).items()
            if f'{{"{kind}":' != line[: len(kind) + 4]:
                raise ValueError("space before a kind")
            made = _ADAPTERS[kind].validate_python(thing)
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError, ValidationError) as error:
            raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=f"line {number}", detail=_shown(error)) from None
        yield kind, made


def _shown(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"not one account, journal or hold: {type(error).__name__}"
