"""Calls of the database's functions: what one refuses is raised as its code, any other error of it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from parpour_controlplane.database import Database, translated
from parpour_treasury.refusals import REFUSALS, TreasuryError


def refusal(error: asyncpg.PostgresError) -> Exception:
    """A refusal of our SQL (SQLSTATE PT001, the code as message) as its value; any other error as it is."""
    if error.sqlstate == "PT001" and error.message in REFUSALS:
        return TreasuryError(error.message, detail=error.detail or "")
    if isinstance(error, asyncpg.CheckViolationError):
        return TreasuryError("TREASURY_COMMAND_MALFORMED", field=error.constraint_name or "")
    return translated(error)


@contextmanager
def refusals() -> Iterator[None]:
    """Raises what the database refuses inside of it.

    Raises:
        TreasuryError: the refusal.
        ControlPlaneError: CONTEXT_….
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        raise refusal(error) from None


async def call(database: Database, query: str, *arguments: Any) -> Any:
    """The one value of a query, which calls a function in a transaction of its own.

    Raises:
        TreasuryError: what the function refuses with.
    """
    with refusals():
        return await database.pool.fetchval(query, *arguments)
