"""The few things that workers ask of a pool of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import asyncpg

from parpour_controlplane.errors import ControlPlaneError

if TYPE_CHECKING:
    from asyncpg import Record

CODES = frozenset(
    {
        "SEALER_STALE",
        "SEALER_INCOMPLETE",
        "RELAY_STALE",
        "EVENT_CAUSE_UNKNOWN",
        "EVENT_MALFORMED",
        "EVENT_NOT_SEALED",
    }
)
"""With what the database refuses what is done to events."""


class Row(Protocol):
    """What a query gave: values by the names of columns."""

    def __getitem__(self, name: str, /) -> Any: ...


class Calls(Protocol):
    """A pool, or a stand-in that fails where a test wants it to."""

    async def fetch(self, query: str, *arguments: Any) -> list[Record]: ...

    async def fetchrow(self, query: str, *arguments: Any) -> Record | None: ...

    async def fetchval(self, query: str, *arguments: Any) -> Any: ...


def refused(error: asyncpg.PostgresError) -> ControlPlaneError | None:
    """The refusal that an error of the database is, if it is one of those."""
    if (error.sqlstate or "").startswith("PC") and error.message in CODES:
        return ControlPlaneError(str(error.message), error.detail or "")
    return None
