"""The rules of isolation, read from the database's own catalogues.

A rule that people must remember is broken sooner or later; this one query looks at every table, partition, view and
function there is, also at those that will be added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parpour_controlplane.migrations import sql

if TYPE_CHECKING:
    from asyncpg import Connection, Record


@dataclass(frozen=True, order=True)
class Breach:
    """One object that breaks one rule."""

    rule: str
    object: str


async def breaches(connection: Connection[Record]) -> list[Breach]:
    """Every breach in the connection's database, by rule and object."""
    rows = await connection.fetch(sql("parpour_controlplane", "catalogue.sql"))
    return [Breach(row["rule"], row["object"]) for row in rows]
