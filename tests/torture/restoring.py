"""A database that goes back to a backup: what callers, consumers and people do then, and who has forgotten what.

The folder of the server is copied while it stands still, and put back later without the log after it. Tokens and
checkpoints are outside, so they are not set back; the stream and the providers go on as they were.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from parpour_treasury.commands import Leg, Post
from parpour_treasury.reconciliation.restore import ProviderPayment, Restore
from parpour_treasury.spending.testing import Venture
from torture.worlds import Account, World

EVERY, FIRST = 25, 12
"""Of the seeds one in so many goes back; a copy of a database takes a while."""

LISTED = timedelta(hours=2)
"""How long people wait until the providers list everything."""

_LOCKED = "select exists (select from treasury.dispatch where tenant_id = $1 and locked_at is not null)"
_FOUND = """
    select provider, reference, amount, currency, correlation from treasury.found_payment
    where tenant_id = $1 and recorded_at is null order by provider, reference
"""
_KEPT = """
    select exists (
        select from treasury.spend
        where tenant_id = $1 and spend_id = $2 and provider = $3 and (amount, currency) = ($4, $5)
            and state in ('reserved', 'submitting', 'unknown')
    )
"""


@dataclass(frozen=True)
class Setback:
    """When a seed's database is copied, and when it goes back to the copy."""

    copied: int
    back: int
    """Turns of the seed."""
    by_hand: bool
    """People lock payments at once, or leave it to the worker to find out."""
    proven: bool
    """What will be forgotten is sealed and signed before."""
    anew: bool
    """Every process is started anew after it, or goes on with what it remembers."""
    resumed: bool
    """People let histories go on that lack what was signed, or leave them as they are."""


def setback_of(seed: int, turns: int) -> Setback | None:
    """The setback of a seed; None for most."""
    if seed % EVERY != FIRST:
        return None
    draw = random.Random(f"setback {seed}")
    copied = draw.randrange(turns // 2)
    back = draw.randint(copied + 2, turns - 1)
    by_hand, proven, anew = draw.random() < 0.3, draw.random() < 0.5, draw.random() < 0.5
    return Setback(copied, back, by_hand=by_hand, proven=proven, anew=anew, resumed=draw.random() < 0.5)


class People:
    """What people of the ventures do about a database that has forgotten."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def lock(self) -> None:
        """Nothing is to be sent, whatever the worker knows."""
        for venture in self._world.ventures:
            await _restore(venture).lock(venture.context(), reason="it was restored")

    async def locked(self) -> list[Venture]:
        """Ventures of which nothing is sent."""
        ask = self._world.servers.administrator.fetchval
        return [venture for venture in self._world.ventures if await ask(_LOCKED, venture.tenant)]

    async def unlock(self, venture: Venture) -> None:
        """Compare every provider's list, record what only it knows, and let payments be sent again."""
        restore = _restore(venture)
        for (tenant, name), account in self._world.accounts.items():
            if tenant == venture.tenant:
                listed = await _list(account, since=self._world.now - timedelta(days=60))
                await restore.review(venture.context(), provider=name, as_of=datetime.now(UTC), payments=listed)
        for row in await self._world.servers.administrator.fetch(_FOUND, venture.tenant):
            await self._record(venture, row)
        await restore.propose_unlock(venture.context(), evidence="the providers' lists")
        await restore.confirm_unlock(venture.context("user:bob"))

    async def _record(self, venture: Venture, row: Any) -> None:
        """By its spend, where that stands and keeps the amount; else by a journal."""
        spend, payment = row["correlation"], (row["provider"], row["amount"], row["currency"])
        kept = await self._world.servers.administrator.fetchval(_KEPT, venture.tenant, spend, *payment)
        journal = None if kept else await self._book(venture, row["amount"])
        self._world.fuse.seen["people", "found by its spend" if kept else "found by a journal"] += 1
        await _restore(venture).record(
            venture.context(),
            provider=row["provider"],
            reference=row["reference"],
            journal=journal,
            evidence="the provider's list",
        )

    async def take_back(self) -> None:
        """Book back what was recorded by a journal and came back from its provider later."""
        query = (
            "select provider, reference, amount from treasury.found_payment "
            "where tenant_id = $1 and journal is not null"
        )
        for venture in self._world.ventures:
            for row in await self._world.servers.administrator.fetch(query, venture.tenant):
                double = self._world.accounts[venture.tenant, row["provider"]].double
                if not any(one.reference == row["reference"] and one.stands for one in double.payments()):
                    await self._book(venture, -row["amount"])

    async def _book(self, venture: Venture, amount: int) -> int:
        """A journal that takes an amount out; of its own, as a spend's journals are made by its steps alone."""
        transit, bank = (venture.accounts[f"assets:{name}:usd"] for name in ("in-transit", "bank"))
        legs = (Leg(transit, amount, "USD"), Leg(bank, -amount, "USD"))
        command = Post(key=venture.books.key(), correlation=uuid4(), legs=legs, description="found at the provider")
        self._world.booked.add(command.correlation)
        outcome = await venture.books.batcher.submit(venture.tenant, "user:ann", command)
        outcome.raise_for_refusal()
        if outcome.journal is None:
            raise AssertionError("it was posted")
        return outcome.journal


def _restore(venture: Venture) -> Restore:
    return Restore(venture.books.database)


async def _list(account: Account, *, since: datetime) -> list[ProviderPayment]:
    return [
        ProviderPayment(one.answer.reference, one.amount, one.currency, one.created_at, one.spend_id)
        async for one in account.provider.payments_since(since)
    ]
