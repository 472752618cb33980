"""Calls of the payment worker to the database, each in a tenant's name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_treasury.calling import refusals

ACTOR = "system:payments"


class Calls:
    """Functions of the database, called for one tenant after the other."""

    def __init__(self, database: Database, mint: ContextMint) -> None:
        self._database = database
        self._mint = mint

    async def value(self, query: str, tenant: UUID, *arguments: Any) -> Any:
        """What a function returns; its first argument is the tenant's context.

        Raises:
            TreasuryError: what the function refuses with.
        """
        row = await self.row(query, tenant, *arguments)
        return row[0]

    async def row(self, query: str, tenant: UUID, *arguments: Any) -> Any:
        """The same of a function that returns one row."""
        context = self._mint.mint(tenant=tenant, actor=ACTOR)
        with refusals():
            return await self._database.pool.fetchrow(query, context, *arguments)
