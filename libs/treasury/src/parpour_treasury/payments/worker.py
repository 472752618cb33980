"""The payment worker: claims what may be paid, asks providers, and records what they say. Nothing else calls them.

A payment's course is written before anything is sent and after every answer, over the version that was read, so a
worker may be killed anywhere and two may meet: what one begins the other does not. All that it keeps of its own is the
token that tells whether the database has forgotten payments; where it may have, nothing is claimed or sent, and looking
goes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, is_transient
from parpour_controlplane.migrations import sql
from parpour_treasury.payments.calls import Calls
from parpour_treasury.payments.course import (
    OPEN,
    Course,
    Told,
    beyond_us,
    due_after,
    evidence_of,
    found_out,
    given_up,
    history_text,
    stopped_step,
    told_by,
)
from parpour_treasury.payments.dispatching import SENT_BEFORE, Dispatch
from parpour_treasury.providers.port import Provider
from parpour_treasury.providers.steps import History, Next, begin, learn, next_step
from parpour_treasury.providers.steps import Step as Action
from parpour_treasury.reconciliation.tokens import TokenFile
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.states import Step

CLAIMED_MAX = 20
"""Payments of one tenant that are claimed at once."""

TOGETHER_MAX = 16
"""Payments of all tenants that are in the hands of providers at once."""

HELD_PAUSE = timedelta(seconds=30)
"""How long a payment that would be sent, and may not be, waits before it is thought of again."""

IDLE_SECONDS = 1.0
"""Pause after a look that found nothing to do."""

logger = logging.getLogger(__name__)
_TENANTS = sql("parpour_treasury", "queries/tenants_to_pay.sql")


class Accounts(Protocol):
    """Which accounts at providers a tenant has."""

    def provider(self, tenant: UUID, name: str) -> Provider | None:
        """The tenant's account at a provider; None if it has none, or its credentials cannot be read."""
        ...

    def names(self, tenant: UUID) -> list[str]:
        """Providers at which the tenant has an account."""
        ...


@dataclass
class PaymentCounts:
    """What a payment worker has done; for metrics."""

    turns: int = 0
    steps: int = 0
    """Steps taken with payments."""
    locked_tenants: int = field(default=0, metadata={"gauge": True})
    """Tenants that have something to pay, and nothing of it may be sent."""


def nowhere(_point: str) -> None:
    """Goes on: what happens at a point where tests kill the worker."""


class PaymentWorker:
    """Pays for every tenant of one database."""

    def __init__(
        self,
        database: Database,
        mint: ContextMint,
        accounts: Accounts,
        tokens: TokenFile,
        *,
        clock: Callable[[], datetime],
        at_point: Callable[[str], None] = nowhere,
        counts: PaymentCounts | None = None,
    ) -> None:
        """`tokens` are outside the database and its backup, shared by all workers that pay from it."""
        self._database = database
        self._calls = Calls(database, mint)
        self._dispatch = Dispatch(self._calls, tokens, at_point=at_point)
        self._accounts = accounts
        self._clock = clock
        self._at_point = at_point
        self._together = asyncio.Semaphore(TOGETHER_MAX)
        self._locked: set[UUID] = set()
        self.counts = counts or PaymentCounts()
        """What was done so far."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; what is in the hands of a provider is finished first."""
        while not stop.is_set():
            try:
                done = await self.turn()
            except Exception as error:
                if not is_transient(error) and not _is_unavailable(error):
                    raise
                logger.warning("the database is away: %s", type(error).__name__)
                done = 0
            if not done:
                try:
                    await asyncio.wait_for(stop.wait(), IDLE_SECONDS)
                except TimeoutError:
                    continue

    async def turn(self) -> int:
        """Do once what is to be done now, for all tenants; returns how many payments were touched."""
        tenants = [row["tenant_id"] for row in await self._database.pool.fetch(_TENANTS)]
        self._locked &= set(tenants)
        done = sum(await _each(self._pay(tenant) for tenant in tenants))
        self.counts.turns += 1
        self.counts.steps += done
        self.counts.locked_tenants = len(self._locked)
        return done

    async def _pay(self, tenant: UUID) -> int:
        names = self._accounts.names(tenant)
        sending = bool(names) and await self._dispatch.allowed(tenant)
        self._locked.discard(tenant)
        if names and not sending:
            self._locked.add(tenant)
        if sending:
            await self._calls.value("select treasury.claim($1, $2, $3)", tenant, names, CLAIMED_MAX)
            self._at_point("claimed")
        query = "select treasury.due_payments($1, $2, $3)"
        rows = json.loads(await self._calls.value(query, tenant, CLAIMED_MAX, sending))
        return sum(await _each(self._go_on_alone(tenant, row, sending=sending) for row in rows))

    async def _go_on_alone(self, tenant: UUID, row: dict[str, Any], *, sending: bool) -> bool:
        try:
            course = Course.from_json(row)
        except ValueError as error:
            return await self._fail_malformed(tenant, row, str(error))
        provider = self._accounts.provider(tenant, course.provider)
        if provider is None:
            logger.warning("spend %s waits: the tenant has no account at %s", course.spend, course.provider)
            return False
        async with self._together:
            return await self._go_on(tenant, course, provider, sending=sending)

    async def _fail_malformed(self, tenant: UUID, row: dict[str, Any], why: str) -> bool:
        """A payment that cannot even be put into an order was never sent."""
        spend, evidence = UUID(row["payment"]["spend"]), {"why": why}
        told = Told(Step.FAILED, "no order", None, evidence, 0)
        history = json.dumps(row["history"] or json.loads(history_text(History())))
        query = "select treasury.learn($1, $2, $3, $4, $5, $6, $7)"
        evidence_text = json.dumps(evidence_of([told]))
        await self._calls.value(query, tenant, spend, row["version"], history, None, False, evidence_text)
        return True

    async def _go_on(self, tenant: UUID, course: Course, provider: Provider, *, sending: bool) -> bool:
        """One step of one payment; whether anything was done."""
        now = self._clock()
        if course.state not in OPEN or found_out(course):
            return await self._ask(tenant, course, provider, Action.LOOK_UP)
        following = next_step(course.history, provider.windows, now)
        if following.step is Action.SEND and not sending:
            return await self._hold(tenant, course, provider)
        if following.step is Action.SEND:
            begun = begin(course.history, now)
            due = due_after(course.kept(begun), provider.windows, now)[0]
            answered = await self._dispatch.begin(
                tenant, course.spend, version=course.version, history=history_text(begun), due=due
            )
            if answered == "moved":
                return False
            if answered == "begun":
                return await self._ask(tenant, course.kept(begun), provider, Action.SEND)
            if answered != "stopped":
                return await self._hold(tenant, course, provider, sent_before=answered == SENT_BEFORE)
            following = stopped_step(course, provider.windows, now)
        return await self._follow(tenant, course, provider, following)

    async def _hold(self, tenant: UUID, course: Course, provider: Provider, *, sent_before: bool = False) -> bool:
        """Let a payment wait that would be sent and may not be; one that people found at the provider is looked up."""
        later = self._clock() + HELD_PAUSE
        if sent_before or course.reference:
            return await self._ask(tenant, course, provider, Action.LOOK_UP, not_before=later)
        return course.version > 0 and await self._learn(tenant, course, provider, [], due=later)

    async def _follow(self, tenant: UUID, course: Course, provider: Provider, following: Next) -> bool:
        if following.step is Action.CONCLUDE_FAILED:
            return await self._learn(tenant, course, provider, [given_up(course, following.why)], ended=True)
        if following.step is Action.ASK_PERSON:
            return await self._learn(tenant, course, provider, [])
        if following.step is Action.LOOK_UP or course.history.outcome is not None:
            # One whose end is known, or whose turn has not come, is due because a webhook says that something is new.
            return await self._ask(tenant, course, provider, Action.LOOK_UP)
        return await self._learn(tenant, course, provider, [], due=following.at)

    async def _ask(
        self,
        tenant: UUID,
        course: Course,
        provider: Provider,
        action: Action,
        *,
        not_before: datetime | None = None,
    ) -> bool:
        if action is Action.SEND:
            answer = await provider.send(course.order)
        else:
            reference = course.reference or course.history.reference
            since = course.history.begun_at or course.submitted_at
            answer = await provider.look_up(course.order, reference=reference, since=since)
        self._at_point("answered")
        history = learn(course.history, answer, self._clock(), of=action)
        tellings = told_by(course, answer, history)
        learnt = replace(course, history=history)
        done = await self._learn(tenant, learnt, provider, list(tellings), not_before=not_before)
        self._at_point("learnt")
        return done

    async def _learn(
        self,
        tenant: UUID,
        course: Course,
        provider: Provider,
        tellings: list[Told],
        *,
        due: datetime | None = None,
        not_before: datetime | None = None,
        ended: bool = False,
    ) -> bool:
        asks_person = False
        if due is None and not ended:
            due, asks_person = due_after(course, provider.windows, self._clock())
        if asks_person and not tellings:
            why = next_step(course.history, provider.windows, self._clock()).why
            tellings = [*beyond_us(course, why)]
        if due is not None and not_before is not None:
            due = max(due, not_before)
        try:
            await self._calls.value(
                "select treasury.learn($1, $2, $3, $4, $5, $6, $7)",
                tenant,
                course.spend,
                course.version,
                history_text(course.history),
                due,
                asks_person,
                json.dumps(evidence_of(tellings)),
            )
        except TreasuryError as error:
            if error.code != "TREASURY_COURSE_MOVED":
                raise
            return False
        return True


async def _each(work: Iterable[Coroutine[Any, Any, int]]) -> list[int]:
    """What each came to; the fault of one stops no other, and it comes again in the next turn.

    Raises:
        Exception: if the database is away.
    """
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            if not isinstance(result, Exception) or is_transient(result) or _is_unavailable(result):
                raise result
            logger.error("a payment could not go on", exc_info=result)
    return [result for result in results if not isinstance(result, BaseException)]


def _is_unavailable(error: Exception) -> bool:
    return isinstance(error, TreasuryError) and error.code == "TREASURY_UNAVAILABLE"
