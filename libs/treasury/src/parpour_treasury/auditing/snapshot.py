"""A tenant's books of one moment, out of the database and as lines of JSON: what an auditor is handed.

A line holds one account, journal or hold, under its kind's name. Lines are read as strictly as they are written,
since they come from whoever is audited.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

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
    for number, line in enumerate(lines, 1):
        try:
            ((kind, thing),) = json.loads(line).items()
            found[kind].append(_ADAPTERS[kind].validate_python(thing))
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError, ValidationError) as error:
            raise TreasuryError("AUDIT_BOOKS_MALFORMED", field=f"line {number}", detail=_shown(error)) from None
    return Books(found["account"], found["journal"], found["hold"])


def _shown(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"not one account, journal or hold: {type(error).__name__}"
