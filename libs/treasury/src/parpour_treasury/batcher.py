"""Group commit: what many callers ask, in one transaction a tenant.

A commit waits for the disk, and so do the requests that share it. While a tenant's batch is in flight, its requests
wait and form the next batch, so batches grow with the load and a lone request waits for nobody. Each request is
accepted or refused by itself. Nothing here decides anything: two batchers of two processes meet in the database, at the
ledger's head.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from uuid import UUID

import asyncpg

from parpour_controlplane.context import ContextMint, checked_actor
from parpour_controlplane.database import is_transient
from parpour_treasury.batches import Outcome, Request
from parpour_treasury.commands import Command
from parpour_treasury.ledger import Ledger
from parpour_treasury.refusals import TreasuryError

COMMANDS_MAX = 1000
"""Commands of one batch: about 0.1 s of the ledger's head."""

WEIGHT_MAX = 10_000
"""Legs of one batch."""

WAITING_MAX = 20_000
"""Requests that may wait for one tenant: what a few seconds carry out."""

ATTEMPTS = 4
"""How often a batch is sent when the database does not answer."""

FIRST_PAUSE_SECONDS = 0.05
"""Pause before the second attempt; it doubles with each."""


class Keyed(Protocol):
    """What can be carried out together with others."""

    @property
    def actor(self) -> str:
        """Who asks."""

    @property
    def key(self) -> str:
        """Idempotency key: sent a second time, it changes nothing."""

    @property
    def digest(self) -> bytes:
        """Of all that is asked."""

    @property
    def touches(self) -> Hashable | None:
        """What no other request of the same batch may touch."""

    @property
    def weight(self) -> int:
        """Share of `WEIGHT_MAX`."""


R = TypeVar("R", bound=Keyed)
A = TypeVar("A")


@dataclass(slots=True, eq=False)
class Waiting(Generic[R, A]):
    """A request and who waits for its answer."""

    request: R
    answer: asyncio.Future[A]
    same: list[asyncio.Future[A]] = field(default_factory=list)
    """Others that asked the same under the same key."""


@dataclass(slots=True, eq=False)
class _Lane(Generic[R, A]):
    """What waits for one tenant, and the task that carries it out."""

    waiting: deque[Waiting[R, A]] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None


class GroupCommit(Generic[R, A]):
    """Carries out requests, one batch in flight a tenant.

    `execute(tenant, requests)` carries out a batch in one transaction and returns one answer each, in their order.
    """

    def __init__(
        self,
        execute: Callable[[UUID, Sequence[R]], Awaitable[list[A]]],
        *,
        batch_max: int = COMMANDS_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._carry = execute
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._lanes: dict[UUID, _Lane[R, A]] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return not self._lanes

    async def ask(self, tenant: UUID, request: R) -> A:
        """Carry out one request.

        A caller that is cancelled while its request waits takes it back; once it was sent, it is carried out.

        Raises:
            TreasuryError: TREASURY_OVERLOADED; TREASURY_UNAVAILABLE, when it may or may not have been carried out,
                and the same key will tell; or what `execute` raised for it alone.
        """
        lane = self._lanes.setdefault(tenant, _Lane())
        if len(lane.waiting) >= self._waiting_max:
            raise TreasuryError("TREASURY_OVERLOADED")
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        lane.waiting.append(Waiting(request, answer))
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(tenant, lane))
        return await answer

    async def drain(self) -> None:
        """Wait until nothing is in flight. Whoever stops waiting stops no work: what was asked is still carried out."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.wait(tasks)

    async def _work(self, tenant: UUID, lane: _Lane[R, A]) -> None:
        batch: list[Waiting[R, A]] = []
        try:
            # Whoever else is ready to run may join the first batch.
            await asyncio.sleep(0)
            while batch := next_batch(lane.waiting, batch_max=self._batch_max):
                await self._carry_out(tenant, batch)
        finally:
            # All are answered, unless this task was cancelled: then whoever still waits would wait for ever.
            answer_unavailable([*batch, *lane.waiting])
            del self._lanes[tenant]

    async def _carry_out(self, tenant: UUID, batch: Sequence[Waiting[R, A]]) -> None:
        try:
            outcomes = await self._execute(tenant, [one.request for one in batch])
        except Exception as error:  # noqa: BLE001  (whatever it is, each caller is told)
            if len(batch) == 1 or is_unavailable(error):
                for one in batch:
                    answer(one, lambda future, error=error: future.set_exception(error))  # type: ignore[misc]
                return
            # One of them is at fault, and must not take the others with it.
            for one in batch:
                await self._carry_out(tenant, [one])
            return
        for one, outcome in zip(batch, outcomes, strict=True):
            answer(one, lambda future, outcome=outcome: future.set_result(outcome))  # type: ignore[misc]

    async def _execute(self, tenant: UUID, requests: Sequence[R]) -> list[A]:
        """Send a batch until it is answered: every request has a key, so a second time changes nothing."""
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            try:
                return await self._carry(tenant, requests)
            except Exception as error:
                # A batch that takes too long would do so again; its requests alone may not.
                if not is_transient(error) or (len(requests) > 1 and isinstance(error, asyncpg.QueryCanceledError)):
                    raise
        raise TreasuryError("TREASURY_UNAVAILABLE")


class Batcher:
    """Carries out the ledger's commands in groups."""

    def __init__(
        self, ledger: Ledger, mint: ContextMint, *, commands_max: int = COMMANDS_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        self._ledger = ledger
        self._mint = mint
        self._group: GroupCommit[Request, Outcome] = GroupCommit(
            self._execute, batch_max=commands_max, waiting_max=waiting_max
        )

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in flight."""
        return self._group.idle

    async def submit(self, tenant: UUID, actor: str, command: Command) -> Outcome:
        """Carry out a command of `actor`, whom the caller has authenticated as one of `tenant`.

        A caller that is cancelled while its command waits takes it back; once it was sent, it is carried out.

        Raises:
            TreasuryError: TREASURY_OVERLOADED; TREASURY_UNAVAILABLE, when it may or may not have been carried out,
                and the same key will tell; TREASURY_LEDGER_UNKNOWN.
            ValueError: if `actor` is none.
        """
        return await self._group.ask(tenant, Request.of(command, actor=checked_actor(actor)))

    async def drain(self) -> None:
        """Wait until nothing is in flight. Whoever stops waiting stops no work: what was asked is still carried out."""
        await self._group.drain()

    async def _execute(self, tenant: UUID, requests: Sequence[Request]) -> list[Outcome]:
        actors = [request.actor for request in requests]
        return await self._ledger.execute(self._mint.mint_several(tenant=tenant, actors=actors), requests)


def is_unavailable(error: Exception) -> bool:
    """Whether the whole batch failed for want of a database."""
    return isinstance(error, TreasuryError) and error.code == "TREASURY_UNAVAILABLE"


def answer_unavailable(left: Iterable[Waiting[R, A]]) -> None:
    """Tell whoever was not answered that only the same key will tell."""
    for one in left:
        answer(one, lambda future: future.set_exception(TreasuryError("TREASURY_UNAVAILABLE")))


def answer(one: Waiting[R, A], settle: Callable[[asyncio.Future[A]], None]) -> None:
    """Tell everyone who waits for a command, unless they have gone."""
    for future in (one.answer, *one.same):
        if not future.done():
            settle(future)


def next_batch(waiting: deque[Waiting[R, A]], *, batch_max: int) -> list[Waiting[R, A]]:
    """Take the next batch from what waits, in order.

    What asks the same under the same key shares the answer. What touches a thing that the batch touches already, or
    uses a key of the batch for another request, stays for the next one, before what came later.
    """
    batch: list[Waiting[R, A]] = []
    by_key: dict[str, Waiting[R, A]] = {}
    touched: set[Hashable] = set()
    left: list[Waiting[R, A]] = []
    weight = 0
    while waiting and len(batch) < batch_max and weight < WEIGHT_MAX:
        one = waiting.popleft()
        if one.answer.done():
            continue
        earlier = by_key.get(one.request.key)
        subject = one.request.touches
        if earlier is not None and earlier.request.digest == one.request.digest:
            earlier.same.append(one.answer)
            continue
        stays = earlier is not None or subject in touched
        if subject is not None:
            touched.add(subject)
        if stays:
            left.append(one)
            continue
        by_key[one.request.key] = one
        weight += one.request.weight
        batch.append(one)
    waiting.extendleft(reversed(left))
    return batch
