"""What one request has: who asks, one moment of the database to read, and loaders that gather what siblings ask.

All that a request reads is read in one transaction, so a balance and the journals beside it agree. A mutation writes in
a transaction of its own and is read back in a new one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader

from parpour_api.graphql.cursors import Cursors
from parpour_api.graphql.following import Tails
from parpour_api.graphql.spending.loading import SpendingLoads
from parpour_api.identity.members import Members
from parpour_api.identity.principal import Principal
from parpour_api.logs import AUDIT, line
from parpour_api.metrics import Metrics
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_treasury.batcher import Batcher
from parpour_treasury.books import Account
from parpour_treasury.ledger import Ledger
from parpour_treasury.reading import accounts_of, balances_of
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.facts import Member
from parpour_treasury.spending.governing import Governance

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

T = TypeVar("T")


@dataclass(frozen=True)
class Service:
    """What all requests of a process share."""

    database: Database
    mint: ContextMint
    ledger: Ledger
    batcher: Batcher
    cursors: Cursors
    metrics: Metrics
    page_max: int
    tails: Tails
    authority: Authority
    governance: Governance
    members: Members


class Reader:
    """One read-only transaction, opened when something is read, for one question at a time."""

    def __init__(self, database: Database, context: Callable[[], str]) -> None:
        self._database = database
        self._context = context
        self._one = asyncio.Lock()
        self._stack: AsyncExitStack | None = None
        self._connection: type_of_connection | None = None

    async def read(self, ask: Callable[[type_of_connection], Awaitable[T]]) -> T:
        """The answer of the moment that the reader sees."""
        async with self._one:
            if self._connection is None:
                stack = AsyncExitStack()
                self._connection = await stack.enter_async_context(self._database.transaction(self._context()))
                self._stack = stack
            return await ask(self._connection)

    async def close(self) -> None:
        """End the transaction; what is read next is read of a later moment."""
        async with self._one:
            stack, self._stack, self._connection = self._stack, None, None
            if stack is not None:
                await stack.aclose()


class Session:
    """One request's."""

    def __init__(self, service: Service, principal: Principal, member: Member | None, *, request_id: str) -> None:
        self.service = service
        self.principal = principal
        self.member = member
        """Who the principal is in the venture, as it was known when the request began."""
        self.request_id = request_id
        self.reader = Reader(service.database, self.context)
        self.accounts: DataLoader[int, Account | None] = DataLoader(load_fn=self._load_accounts)
        self._balances: dict[tuple[datetime | None, datetime | None], DataLoader[int, int]] = {}
        self._spending: SpendingLoads | None = None

    @property
    def spending(self) -> SpendingLoads:
        """Loaders of what the authority keeps."""
        if self._spending is None:
            self._spending = SpendingLoads(self.reader.read)
        return self._spending

    @classmethod
    async def begin(cls, service: Service, principal: Principal, *, request_id: str) -> Session:
        """A request's, before anything is read: nobody waits for the member while holding a connection."""
        return cls(service, principal, await service.members.member(principal), request_id=request_id)

    def context(self) -> str:
        """A fresh context of the principal."""
        return self.service.mint.mint(tenant=self.principal.tenant, actor=self.principal.actor)

    def balances(self, effective: datetime | None, recorded: datetime | None) -> DataLoader[int, int]:
        """Loads balances of accounts at two times."""

        async def load(numbers: list[int]) -> Sequence[int]:
            found = await self.reader.read(
                lambda connection: balances_of(connection, numbers, effective=effective, recorded=recorded)
            )
            return [found[number] for number in numbers]

        return self._balances.setdefault((effective, recorded), DataLoader(load_fn=load))

    async def written(self) -> None:
        """Forget what was read: something was written."""
        await self.reader.close()
        self.accounts.clear_all()
        self._balances.clear()
        self._spending = None

    def audit(self, field: str, code: str, **fields: str) -> None:
        """Note a mutation that was asked for, and how it ended."""
        self.service.metrics.mutations.labels(field, code).inc()
        line(
            AUDIT,
            logging.INFO,
            "mutation",
            request=self.request_id,
            tenant=str(self.principal.tenant),
            actor=self.principal.actor,
            field=field,
            outcome=code,
            **fields,
        )

    def cursor(self, scope: str, *key: int | str) -> str:
        """The cursor of a row in a list."""
        return self.service.cursors.make(self.principal.tenant, scope, key)

    def key_of(self, scope: str, cursor: str) -> tuple[int | str, ...]:
        """The key of a cursor that was made for the list.

        Raises:
            ApiError: API_CURSOR_INVALID.
        """
        return self.service.cursors.read(self.principal.tenant, scope, cursor)

    async def _load_accounts(self, numbers: list[int]) -> Sequence[Account | None]:
        found = await self.reader.read(lambda connection: accounts_of(connection, numbers))
        return [found.get(number) for number in numbers]


def hold_id(text: str) -> UUID | None:
    """The hold that an ID names; None if it can name none."""
    try:
        value = UUID(text)
    except ValueError:
        return None
    return value if str(value) == text.lower() else None


def number(text: str) -> int | None:
    """The account or journal that an ID names; None if it can name none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18 and not text.startswith("0")):
        return None
    return int(text)
