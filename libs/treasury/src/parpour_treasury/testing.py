"""Books for tests and benchmarks: one tenant of a real database, with short verbs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID, uuid4

import asyncpg

from parpour_contracts.eventtypes import EventTypes
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, open_database
from parpour_controlplane.eventtypes import EVENT_TYPES as OF_THE_CONTROL_PLANE
from parpour_controlplane.testing import Place
from parpour_treasury.auditing import comparing
from parpour_treasury.auditing.snapshot import read_books, read_told
from parpour_treasury.auditing.telling import Told
from parpour_treasury.batcher import Batcher
from parpour_treasury.batches import Outcome
from parpour_treasury.books import Kind, NewAccount
from parpour_treasury.commands import Hold, Leg, Post, Reverse, Settle, Void
from parpour_treasury.eventtypes import EVENT_TYPES
from parpour_treasury.ledger import Ledger

CORRELATION = UUID(int=7)


@dataclass
class Books:
    """One tenant's books."""

    tenant: UUID
    mint: ContextMint
    database: Database
    ledger: Ledger
    batcher: Batcher
    actor: str = "user:ann"

    def __post_init__(self) -> None:
        self._keys = count()
        self._currencies: dict[int, str] = {}

    @property
    def context(self) -> str:
        """A fresh context of the tenant."""
        return self.mint.mint(tenant=self.tenant, actor=self.actor)

    def key(self) -> str:
        """A key that was not used before."""
        return f"key-{next(self._keys)}"

    async def open(
        self,
        code: str,
        kind: Kind = Kind.ASSET,
        currency: str = "USD",
        *,
        minimum: int | None = None,
        maximum: int | None = None,
    ) -> int:
        """Open an account; returns its number."""
        account = NewAccount(code, code, kind, currency, minimum, maximum)
        number = await self.ledger.open_account(self.context, account)
        self._currencies[number] = currency
        return number

    def legs(self, amounts: Sequence[tuple[int, int]]) -> tuple[Leg, ...]:
        """Legs from (account, amount); accounts that were not opened here are in USD."""
        return tuple(Leg(account, amount, self._currencies.get(account, "USD")) for account, amount in amounts)

    def transfer(self, source: int, target: int, amount: int) -> tuple[Leg, Leg]:
        """Legs that move an amount from one account to another."""
        source_leg, target_leg = self.legs([(source, -amount), (target, amount)])
        return source_leg, target_leg

    async def post(
        self,
        *amounts: tuple[int, int],
        key: str | None = None,
        at: datetime | None = None,
        description: str = "",
        correlation: UUID = CORRELATION,
    ) -> Outcome:
        """Post a journal of these legs."""
        command = Post(
            key=key or self.key(),
            correlation=correlation,
            legs=self.legs(amounts),
            effective_at=at,
            description=description,
        )
        return await self.batcher.submit(self.tenant, self.actor, command)

    async def place(
        self, *amounts: tuple[int, int], hold: UUID | None = None, expires: datetime | None = None
    ) -> tuple[UUID, Outcome]:
        """Place a hold of these legs."""
        hold = hold or uuid4()
        command = Hold(key=self.key(), correlation=CORRELATION, hold=hold, legs=self.legs(amounts), expires_at=expires)
        return hold, await self.batcher.submit(self.tenant, self.actor, command)

    async def settle(
        self, hold: UUID, amounts: Sequence[int] | None = None, *, release: bool = True, at: datetime | None = None
    ) -> Outcome:
        """Settle a hold."""
        command = Settle(
            key=self.key(), correlation=CORRELATION, hold=hold, amounts=amounts, release=release, effective_at=at
        )
        return await self.batcher.submit(self.tenant, self.actor, command)

    async def void(self, hold: UUID) -> Outcome:
        """Void a hold."""
        return await self.batcher.submit(
            self.tenant, self.actor, Void(key=self.key(), correlation=CORRELATION, hold=hold)
        )

    async def reverse(self, journal: int, *, at: datetime | None = None) -> Outcome:
        """Reverse a journal."""
        command = Reverse(key=self.key(), correlation=CORRELATION, journal=journal, effective_at=at)
        return await self.batcher.submit(self.tenant, self.actor, command)

    async def balance(self, account: int) -> int:
        """An account's balance now."""
        return (await self.ledger.account(self.context, account)).posted


async def new_books(database: Database, mint: ContextMint) -> Books:
    """Books of a tenant that was not there before."""
    ledger = Ledger(database)
    books = Books(uuid4(), mint, database, ledger, Batcher(ledger, mint))
    await ledger.create_tenant(books.context, name="a tenant")
    return books


async def snapshot(books: Books) -> tuple[comparing.Books, list[Told]]:
    """What the books say and what the events tell, of one moment."""
    async with books.database.transaction(books.context) as connection:
        return await read_books(connection), await read_told(connection)


@asynccontextmanager
async def open_books(place: Place, *, connections: int = 4) -> AsyncIterator[Books]:
    """Books of a new tenant in a test's database."""
    async with open_database(place.dsn(), connections=connections) as database:
        yield await new_books(database, place.app)


async def check_events(place: Place) -> None:
    """Hold every event that a test's database has to its type.

    Raises:
        EventTypeError: for the first that is of no declared type, or says something else.
    """
    types = EventTypes((*EVENT_TYPES, *OF_THE_CONTROL_PLANE))
    connection = await asyncpg.connect(place.dsn("postgres"))
    try:
        for row in await connection.fetch("select type, version, payload from controlplane.event"):
            if row["payload"] is not None:
                types.validate(row["type"], row["version"], json.loads(row["payload"]))
    finally:
        await connection.close()
