"""How far tenants' histories have come, for those who follow them: one look at a tenant for all of its followers.

A follower reads when there is something to read, a page at a time, and only after it has passed on what it had. So
nothing piles up here for one that is slow, and the database is asked as often for a thousand followers as for one.

Where a backup was restored, positions are given anew. A follower who had the lost events would wait for ever, or go on
behind new ones that they never saw, so whoever names a place that is no longer what it was is told to begin again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from parpour_api.errors import ApiError
from parpour_api.logs import LOGGER
from parpour_controlplane.calls import Calls
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, is_transient
from parpour_controlplane.events import page_of_events

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

ACTOR = "system:follower"
_HEAD = 'select "position" from controlplane.chain_extent($1)'
LOOK_SECONDS = 0.3
"""Between two looks at a tenant."""
FIRST_SECONDS_MAX = 10.0
"""How long the first look may take."""
BEGIN_AGAIN = "if a backup was restored, begin again before what the last event about `history` says is lost"


async def check_place(calls: Calls | type_of_connection, context: str, position: int, event: str | None) -> None:
    """Refuse a position at which no event stands, or another one than somebody had there.

    Raises:
        ApiError: API_POSITION_UNKNOWN.
    """
    rows = await page_of_events(calls, context, after=position - 1, before=position + 1, limit=1)
    if not rows or (event is not None and str(rows[0].event.id) != event):
        what = "another event stands" if rows else "no event stands"
        raise ApiError("API_POSITION_UNKNOWN", f"{what} at position {position}; {BEGIN_AGAIN}")


class Tail:
    """How far one tenant's history has come."""

    def __init__(self) -> None:
        self._head: int | None = None
        """The last position that was seen; None before the first look."""
        self._failure: ApiError | None = None
        self._moved = asyncio.Event()

    def see(self, head: int) -> None:
        """Take in what a look has found."""
        if head != self._head:
            self._head = head
            self._wake()

    def fail(self, failure: ApiError) -> None:
        """Tell followers that nobody looks any more."""
        self._failure = failure
        self._wake()

    async def beyond(self, position: int) -> None:
        """Wait until there is something after a position.

        Raises:
            ApiError: API_POSITION_UNKNOWN, if the history has not come as far as the position itself; or
                DATABASE_UNAVAILABLE or API_INTERNAL, if nobody can tell.
        """
        if self._head is None:
            try:
                async with asyncio.timeout(FIRST_SECONDS_MAX):
                    await self._moved.wait()
            except TimeoutError:
                raise ApiError("DATABASE_UNAVAILABLE") from None
        while self._failure is None and (self._head is None or self._head <= position):
            if self._head is not None and self._head < position:
                detail = f"the history has come to position {self._head}; {BEGIN_AGAIN}"
                raise ApiError("API_POSITION_UNKNOWN", detail)
            await self._moved.wait()
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


@dataclass(eq=False)
class _Followed:
    tail: Tail
    looking: asyncio.Task[None]
    followers: int = 0


class Tails:
    """The tails of tenants that somebody follows."""

    def __init__(self, database: Database, mint: ContextMint) -> None:
        self._database = database
        self._mint = mint
        self._followed: dict[UUID, _Followed] = {}

    @property
    def tenants(self) -> int:
        """How many tenants are looked at."""
        return len(self._followed)

    @asynccontextmanager
    async def of(self, tenant: UUID) -> AsyncIterator[Tail]:
        """The tail of a tenant, which is looked at for as long as somebody follows it."""
        one = self._followed.get(tenant)
        if one is None:
            tail = Tail()
            one = self._followed[tenant] = _Followed(tail, asyncio.ensure_future(self._look(tenant, tail)))
        one.followers += 1
        try:
            yield one.tail
        finally:
            one.followers -= 1
            if not one.followers:
                del self._followed[tenant]
                one.looking.cancel()

    async def _look(self, tenant: UUID, tail: Tail) -> None:
        away = False
        while True:
            context = self._mint.mint(tenant=tenant, actor=ACTOR)
            try:
                tail.see(await self._database.pool.fetchval(_HEAD, context) or 0)
                away = False
            except Exception as error:  # noqa: BLE001  (a follower is told, and others go on)
                if not is_transient(error):
                    LOGGER.error("a history cannot be followed", exc_info=error)
                    tail.fail(ApiError("API_INTERNAL"))
                    return
                if not away:
                    LOGGER.warning("the database is away: %s", type(error).__name__)
                away = True
            await asyncio.sleep(LOOK_SECONDS)
