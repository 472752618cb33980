"""Pages of a tenant's books, read in a transaction of the caller's, so that several questions see one moment.

A page lies strictly between two keys and is read from either end; nobody counts rows that are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from parpour_controlplane.migrations import sql
from parpour_treasury.books import Account, Balance, HoldState, Journal, Kind, Movement
from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.ledger import INSTANT

if TYPE_CHECKING:
    from asyncpg import Record

    from parpour_controlplane.database import type_of_connection

FIRST_ID = UUID(int=0)
LAST_ID = UUID(int=2**128 - 1)
"""Before and after every hold."""

NUMBER_END = BALANCE_MAX
"""After every account and every journal."""

_HEAD, _ACCOUNTS_OF, _BALANCES_OF, _MOVEMENTS = (
    sql("parpour_treasury", f"queries/{name}.sql")
    for name in ("head", "accounts_of", "balances_of", "page_of_movements")
)
_FORWARD = {
    name: sql("parpour_treasury", f"queries/page_of_{name}.sql")
    for name in ("accounts", "journals", "holds", "balances")
}
_BACKWARD = {name: text.replace(" asc", " desc") for name, text in _FORWARD.items()}


@dataclass(frozen=True)
class Head:
    """The head of a tenant's books."""

    accounts: int
    journals: int
    """How many there are, which is also the number of the last one."""
    recorded_at: datetime | None
    """When the last journal was recorded; None if there is none."""
    locked_until: datetime | None
    """Nothing takes effect before it any more; None if no period was locked."""


@dataclass(frozen=True)
class Placed:
    """A movement and its place among those of its journal."""

    movement: Movement
    position: int


async def head(connection: type_of_connection) -> Head | None:
    """The head of the books; None if the tenant has none."""
    row = await connection.fetchrow(_HEAD)
    return None if row is None else Head(**dict(row))


async def _page(connection: type_of_connection, name: str, *arguments: object, backward: bool) -> list[Record]:
    rows = await connection.fetch((_BACKWARD if backward else _FORWARD)[name], *arguments)
    return rows[::-1] if backward else rows


async def page_of_accounts(
    connection: type_of_connection, *, after: int, before: int, limit: int, backward: bool = False
) -> list[Account]:
    """Accounts between two numbers, in their order: the first ones, or backward the last ones."""
    rows = await _page(connection, "accounts", after, before, limit, backward=backward)
    return [Account.from_row(dict(row)) for row in rows]


async def page_of_journals(
    connection: type_of_connection, *, after: int, before: int, limit: int, backward: bool = False
) -> list[Journal]:
    """Journals between two numbers, in their order."""
    rows = await _page(connection, "journals", after, before, limit, backward=backward)
    return [Journal.from_row(dict(row)) for row in rows]


async def page_of_holds(
    connection: type_of_connection, *, after: UUID, before: UUID, limit: int, backward: bool = False
) -> list[HoldState]:
    """Holds between two ids, in their order."""
    rows = await _page(connection, "holds", after, before, limit, backward=backward)
    return [HoldState.from_row(dict(row)) for row in rows]


async def page_of_balances(
    connection: type_of_connection,
    *,
    after: int,
    before: int,
    limit: int,
    effective: datetime | None,
    recorded: datetime | None,
    backward: bool = False,
) -> list[Balance]:
    """Lines of the trial balance at two times (`Ledger.trial_balance`), by the accounts' numbers."""
    rows = await _page(connection, "balances", after, before, limit, effective, recorded, backward=backward)
    return [
        Balance(row["account_id"], row["code"], Kind(row["kind"]), row["currency"], int(row["balance"])) for row in rows
    ]


async def page_of_movements(
    connection: type_of_connection,
    account: int,
    *,
    since: datetime,
    until: datetime,
    after: tuple[datetime, int, int] | None,
    limit: int,
) -> list[Placed]:
    """An account's movements that took effect from `since` to before `until`.

    Those after a place, which is a time, a journal and a position in it.
    """
    time, journal, position = after or (since - INSTANT, 0, 0)
    rows = await connection.fetch(_MOVEMENTS, account, since, until, time, journal, position, limit)
    found = []
    for row in rows:
        fields = dict(row)
        place = fields.pop("position")
        found.append(Placed(Movement(**fields), place))
    return found


async def accounts_of(connection: type_of_connection, numbers: Sequence[int]) -> dict[int, Account]:
    """Accounts by their numbers; those that do not exist are left out."""
    rows = await connection.fetch(_ACCOUNTS_OF, numbers)
    return {row["account_id"]: Account.from_row(dict(row)) for row in rows}


async def balances_of(
    connection: type_of_connection, numbers: Sequence[int], *, effective: datetime | None, recorded: datetime | None
) -> dict[int, int]:
    """Balances of accounts at two times, debit positive; 0 for those that do not exist."""
    rows = await connection.fetch(_BALANCES_OF, numbers, effective, recorded)
    return {row["account_id"]: int(row["balance"]) for row in rows}
