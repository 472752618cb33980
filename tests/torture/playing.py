"""What happens in a seed: acts of all components in a drawn order, with trouble among them, and then the calm after it.

Whoever asks the API keeps asking under the same key until there is an answer, as a client does. A process that died is
followed by a new one. In the calm nothing fails any more, time passes, people decide what only people can decide, and
every spend comes to its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nats.errors

from parpour_controlplane.database import is_transient
from parpour_treasury.providers.doubles.core import Paid
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import Approve, Ask, RequestSpend, SpendOutcome, spend_of
from parpour_treasury.spending.changes import ReleaseBody, ResolutionBody
from parpour_treasury.spending.states import State
from parpour_treasury.spending.testing import AGENT, Venture
from torture.edge import PAID, Process
from torture.fuses import Killed
from torture.restoring import LISTED, People, Setback, setback_of
from torture.worlds import COMPONENTS, TWINS, Account, World

ACTS = 14
"""Acts of a seed before the calm."""

CALM, PATIENCE = 24, 4
"""Rounds after which a spend that has no end is a fault, and of those the ones in which little time passes."""

IDLE, IDLE_SECONDS = 500, 0.04
"""Acts in a row that get nothing further, after which something that does not come to rest is a fault; and the pause
after each. A slow machine, or one whose clock leaps, has as many."""

ENDED = frozenset({State.SETTLED, State.FAILED, State.RETURNED, State.EXPIRED, State.CANCELLED, State.REFUSED})

ENDINGS = {
    ("payout", "pending"): ["in_transit"] * 4 + ["failed"],
    ("payout", "in_transit"): ["paid"] * 3 + ["failed"],
    ("transaction", "pending"): ["sent"] * 3 + ["failed"],
    ("transaction", "pendingApproval"): ["approved"] * 3 + ["rejected"],
}
"""Where a payment goes at its provider."""


_DUE = "select 1 from treasury.payment_course where tenant_id = any($1) and next_at <= now()"
_UNSEALED = """
    select 1 from controlplane.event e left join controlplane.sealed_event s using (tenant_id, event_id)
    where e.tenant_id = any($1) and s.event_id is null
"""
_UNSIGNED = "select 1 from controlplane.chain_head where tenant_id = any($1) and signed < blocks"
_UNRELAYED = "select 1 from controlplane.chain_head where tenant_id = any($1) and relayed < position"
_UNAPPLIED = """
    select 1 from controlplane.sealed_event e left join torture.applied a using (tenant_id, event_id)
    where e.tenant_id = any($1) and a.event_id is null
"""


@dataclass
class Intent:
    """What somebody wants of the API."""

    venture: Venture
    actor: str
    ask: Ask
    outcome: SpendOutcome | None = None
    dropped: bool = False
    """The database has forgotten it, and nobody asks again."""

    @property
    def spend(self) -> UUID | None:
        """The spend that a request is, whether the database knows it or not."""
        return spend_of(self.venture.tenant, self.ask.key) if isinstance(self.ask, RequestSpend) else None


@dataclass
class Player:
    """Plays one seed."""

    world: World
    intents: list[Intent] = field(default_factory=list)
    calm: bool = False
    gone_back: bool = False
    """The database has gone back to a backup."""
    _copy: Path | None = None
    _looked: bool = False

    @property
    def people(self) -> People:
        """Who unlocks payments."""
        return People(self.world)

    @property
    def _tenants(self) -> list[UUID]:
        return [venture.tenant for venture in self.world.ventures]

    @property
    def draw(self) -> random.Random:
        """The seed's choices."""
        return self.world.draw

    # trouble

    async def play(self) -> None:
        """Acts in a drawn order; some of them side by side, and now and then a server dies under them."""
        draw = self.draw
        setback = setback_of(self.world.seed, ACTS)
        for venture in self.world.ventures:
            for _ in range(draw.randint(1, 3) if setback is None else 4):
                self.intents.append(self._spend(venture))
        acts: list[Callable[[], Awaitable[None]]] = [self.ask, self.pay, self.seal, self.relay, self.consume]
        acts += [
            self.ask,
            self.pay,
            self.pay_too,
            self.approve,
            self.move_on,
            self.webhooks,
            self.sweep,
            self.jump,
            self.replace,
        ]
        acts += [self.stop] if draw.random() < 0.3 else []
        server = draw.choice([None] * 12 + [self._crash_database] * 2 + [self._kill_backend, self._restart_bus])
        when = draw.randrange(ACTS)
        for turn in range(ACTS):
            several = list({act.__name__: act for act in draw.choices(acts, k=draw.choice([1, 1, 1, 3]))}.values())
            if setback is not None:
                await self._with_setback(setback, turn, several)
            elif server is not None and turn == when:
                several = [self.ask, self.pay, self.pay_too, self.seal, self.relay]
                await asyncio.gather(server(), *(act() for act in several))
                await self.world.servers.until_database_answers()
                await self.world.servers.until_bus_answers()
            else:
                await asyncio.gather(*(act() for act in several))

    def _spend(self, venture: Venture) -> Intent:
        draw = self.draw
        amount = draw.randint(1, 900) if draw.random() < 0.7 else draw.randint(1_001, 4_000)
        payee = draw.choice([venture.shop, venture.firm])
        life = 1 if self.world.seed % 16 == 2 and draw.random() < 0.5 else None
        return Intent(venture, AGENT, venture.asking(amount, payee=payee, lifetime_seconds=life))

    async def _with_setback(self, setback: Setback, turn: int, acts: list[Callable[[], Awaitable[None]]]) -> None:
        """A turn of a seed whose database is copied in one and goes back in another, while everybody acts."""
        machines = self.world.servers.machines
        if turn == setback.copied:
            copying = asyncio.to_thread(machines.copy_database)
            self._copy, *_ = await asyncio.gather(copying, *(act() for act in acts))
        elif turn == setback.back and self._copy is not None:
            going = asyncio.to_thread(machines.go_back, self._copy)
            await asyncio.gather(going, self.pay(), self.pay_too(), *(act() for act in acts))
        else:
            # So that there is something to forget.
            more = [self.ask, self.approve, self.pay] if setback.copied < turn < setback.back else []
            more += [self.seal] if more and setback.proven else []
            await asyncio.gather(*(act() for act in {act.__name__: act for act in [*acts, *more]}.values()))
            return
        await self.world.servers.until_database_answers()
        if turn == setback.back:
            await self._forget(setback)

    async def _forget(self, setback: Setback) -> None:
        """What the database has forgotten is asked again or dropped, and approved again; consumers begin anew."""
        self.gone_back = True
        if setback.anew:
            for component in (*COMPONENTS, *TWINS):
                self.world.bury(component)
        if setback.by_hand:
            await self.people.lock()
        states = await self._states()
        kept = []
        for one in self.intents:
            if isinstance(one.ask, RequestSpend) and one.outcome is not None and one.spend not in states:
                one.outcome, one.dropped = None, self.draw.random() < 0.6
            elif isinstance(one.ask, Approve) and states.get(one.ask.spend) in (None, State.AWAITING_APPROVAL):
                continue
            elif one.outcome is not None and one.spend is not None:
                one.outcome = replace(one.outcome, state=states[one.spend])
            kept.append(one)
        self.intents = kept
        await self.world.forget_consumer()

    async def _states(self) -> dict[UUID, str]:
        query = "select spend_id, state from treasury.spend where tenant_id = any($1)"
        rows = await self.world.servers.administrator.fetch(query, self._tenants)
        return {row["spend_id"]: row["state"] for row in rows}

    async def _crash_database(self) -> None:
        await asyncio.sleep(self.draw.random() * 0.03)
        await asyncio.to_thread(self.world.servers.machines.crash_database)

    async def _kill_backend(self) -> None:
        await asyncio.sleep(self.draw.random() * 0.03)
        await self.world.servers.kill_a_backend()

    async def _restart_bus(self) -> None:
        await asyncio.sleep(self.draw.random() * 0.03)
        await asyncio.to_thread(self.world.servers.machines.restart_bus)

    # acts

    async def ask(self) -> None:
        """Somebody asks, or asks again."""
        for one in self.intents:
            if one.outcome is None and not one.dropped:
                await self._alive("api", lambda one=one: self._submit(one))  # type: ignore[misc]
                return
        if self.world.over_edge and not self.calm:
            known = [one for one in self.intents if not one.dropped]
            await self._alive("api", lambda: self._ask_again(self.draw.choice(known)))

    async def _ask_again(self, one: Intent) -> None:
        """What was answered is answered alike under the same key, whichever way it comes."""
        told = await self._answer_to(one)
        known = one.outcome
        assert known is not None
        assert (told.spend, told.codes) == (known.spend, known.codes), (known, told)

    async def _submit(self, one: Intent) -> None:
        one.outcome = await self._answer_to(one)
        if PAID in one.outcome.codes:
            self.world.fuse.seen["people", "told that it was paid"] += 1

    async def _answer_to(self, one: Intent) -> SpendOutcome:
        graphql = self.draw.random() < 0.5
        process: Process = self.world.process("api")
        return await process.submit(one.venture.tenant, one.actor, one.ask, graphql=graphql)

    async def approve(self) -> None:
        """A person approves whatever awaits it, and again what was refused while something was stopped."""
        asked = {
            one.ask.spend
            for one in self.intents
            if isinstance(one.ask, Approve) and (one.outcome is None or one.outcome.accepted)
        }
        for one in list(self.intents):
            outcome = one.outcome
            if outcome is None or outcome.spend is None or outcome.spend in asked:
                continue
            if isinstance(one.ask, RequestSpend) and outcome.state == State.AWAITING_APPROVAL:
                await self._alive("", lambda one=one: self._approval(one))  # type: ignore[misc]

    async def _approval(self, one: Intent) -> None:
        assert one.outcome is not None
        spend = await one.venture.spend(one.outcome.spend)
        if spend.state is not State.AWAITING_APPROVAL:
            return
        at = datetime.now(UTC)
        ask = Approve(key=one.venture.books.key(), spend=spend.spend_id, digest=spend.digest, authenticated_at=at)
        self.intents.append(Intent(one.venture, "user:cat", ask))

    async def pay(self) -> None:
        """A turn of the payment worker."""
        await self._pay("pay")

    async def pay_too(self) -> None:
        """A turn of a second one."""
        await self._pay("pay too")

    async def _pay(self, which: str) -> None:
        async def turn() -> None:
            await self.world.make_due()
            await self.world.process(which).turn()

        await self._alive(which, turn)

    async def seal(self) -> None:
        """A round of the sealer."""
        await self._alive("seal", lambda: self.world.process("seal").round())

    async def relay(self) -> None:
        """A round of the relay."""
        await self._alive("relay", lambda: self.world.process("relay").round())

    async def consume(self) -> None:
        """The consumer applies what came; sometimes it is too slow to acknowledge."""
        slow = not self.calm and self.draw.random() < 0.3
        await self._alive("consume", lambda: self.world.process("consume").round(slow=slow))

    async def sweep(self) -> None:
        """A round of the sweeper."""
        await self._alive("sweep", lambda: self.world.process("sweep").round())

    async def move_on(self) -> None:
        """Payments move on at their providers."""
        for account in self.world.accounts.values():
            for one in account.double.payments():
                steps = ENDINGS.get(("transaction" if _is_mercury(account) else "payout", one.state))
                if steps and (self.calm or self.draw.random() < 0.5):
                    account.double.advance(one.reference, self.draw.choice(steps))
                elif one.state == "paid" and not self.calm and self.draw.random() < 0.1:
                    account.double.advance(one.reference, "failed")

    async def webhooks(self) -> None:
        """Providers tell what has changed: doubled, out of order, or not at all."""
        draw = self.draw
        for account in self.world.accounts.values():
            doubled, reordered = (not self.calm and draw.random() < 0.5 for _ in range(2))
            for delivery in account.double.deliveries(doubled=doubled, reordered=reordered):
                if self.calm or draw.random() < 0.8:
                    await self._alive("hook", lambda a=account, d=delivery: self.world.hook(a, d))  # type: ignore[misc]

    async def jump(self) -> None:
        """The clock goes on, far ahead, or back."""
        jumps = [timedelta(minutes=m) for m in (1, 1, 10, 70, 70, 400, -20)] + [timedelta(hours=30)]
        self.world.now += self.draw.choice(jumps)

    async def stop(self) -> None:
        """A person freezes a venture, or holds one of its payees."""
        venture = self.draw.choice(self.world.ventures)
        if self.draw.random() < 0.5:
            await self._alive("", lambda: venture.governance.freeze(venture.context(), reason="odd"))
            return
        payee = self.draw.choice([venture.shop, venture.firm])
        await self._alive("", lambda: venture.governance.hold_payee(venture.context(), payee, reason="odd"))

    async def replace(self) -> None:
        """A process ends and another one takes over, without a word between them."""
        self.world.bury(self.draw.choice((*COMPONENTS, *TWINS)))

    async def _alive(self, component: str, act: Callable[[], Awaitable[Any]]) -> None:
        """Act; whatever a death or a lost server brings is survived, and anything else is a fault of the product."""
        try:
            await act()
        except BaseException as error:
            if not all(is_survived(one) for one in _leaves(error)):
                raise
            if component:
                self.world.bury(component)

    # calm

    async def settle(self) -> None:
        """Providers and servers fail no more: bring every spend to its end. What has not died yet may still die.

        Raises:
            AssertionError: if one has no end.
        """
        self.calm = True
        await self._release()
        for account in self.world.accounts.values():
            account.double.script = type(account.double.script)()
        for turn in range(CALM):
            for _ in range(2 * len(self.intents)):
                await self.ask()
            await self.approve()
            await self.move_on()
            await self.webhooks()
            await self.pay()
            await self.sweep()
            if await self._ended():
                break
            await self._unlock()
            await self._decide()
            # In the end whatever is in doubt is old enough for people to be asked.
            self.world.now += timedelta(minutes=90) if turn < PATIENCE else timedelta(hours=30)
        else:
            raise AssertionError(f"no end: {await self._open()}")
        await self._until_none(_DUE, self.pay)
        if self.gone_back:
            await self.people.take_back()
        # The clock may have been set back since a sealer paused after a failure.
        self.world.now += timedelta(hours=1)
        await self._resume()
        await self._until_none(_UNSEALED, self.seal, proven=True)
        await self._alive("seal", lambda: self.world.process("seal").finish())
        await self._until_none(_UNSIGNED, self.seal, proven=True)
        await self._until_none(_UNRELAYED, self.relay)
        await self._alive("relay", lambda: self.world.process("relay").finish())
        await self._until_none(_UNAPPLIED, self.consume)

    async def _resume(self) -> None:
        """People let histories go on, in some seeds; a death in between is survived, and it is asked for again."""
        setback = setback_of(self.world.seed, ACTS)
        if setback is None or not setback.resumed:
            return
        behind = [one for one in self._tenants if await self.world.rolled_back(one)]
        for tenant in behind:
            while tenant not in self.world.resumed:
                await self._alive("seal", lambda tenant=tenant: self._resumed(tenant))  # type: ignore[misc]

    async def _resumed(self, tenant: UUID) -> None:
        found = await self.world.resuming().resume(tenant, by="user:ann", reason="it was restored")
        self.world.resumed[tenant] = bytes.fromhex(found.checkpoint or "")

    async def _unlock(self) -> None:
        """Two people let payments be sent again, after everything of it is listed; until then nothing is sent."""
        if self.gone_back and not self._looked:
            # What a worker has nothing to send after, it does not notice.
            await self.people.lock()
            self._looked = True
        locked = await self.people.locked()
        if not locked:
            return
        assert self.gone_back
        sent = self._sent(locked)
        self.world.now += LISTED
        for _ in range(2):
            await self.pay()
            await self.move_on()
        assert self._sent(locked) == sent
        for venture in locked:
            await self.people.unlock(venture)
        for one in self.intents:
            # Somebody remembers it late.
            one.dropped = one.dropped and self.draw.random() < 0.5

    def _sent(self, ventures: list[Venture]) -> Counter[tuple[UUID, str]]:
        """Payments that were ordered for ventures, by the spends that they are for."""
        tenants = {venture.tenant for venture in ventures}
        return Counter(
            (tenant, one.spend_id)
            for (tenant, _), account in self.world.accounts.items()
            if tenant in tenants
            for one in account.double.payments()
        )

    async def _until_none(self, query: str, act: Callable[[], Awaitable[None]], *, proven: bool = False) -> None:
        """Act until nothing is left of what a query looks for in the ventures, or only in those that can be sealed on.

        Raises:
            AssertionError: if it does not get less, however often something acts.
        """
        left, idle = None, 0
        while True:
            of = [one for one in self._tenants if not proven or not await self.world.rolled_back(one)]
            before, left = (
                left,
                await self.world.servers.administrator.fetchval(f"select count(*) from ({query}) q", of),
            )
            if not left:
                return
            idle = 0 if before is None or left < before else idle + 1
            assert idle < IDLE, (query, left)
            if idle:
                await asyncio.sleep(IDLE_SECONDS)
            await act()

    async def _open(self) -> list[str]:
        tenants = [venture.tenant for venture in self.world.ventures]
        query = (
            "select concat_ws(' ', spend_id, state, 'at', provider, provider_reference) as said from treasury.spend "
            "where tenant_id = any($1) and state <> all($2)"
        )
        rows = await self.world.servers.administrator.fetch(query, tenants, sorted(ENDED))
        return [row["said"] for row in rows]

    async def _ended(self) -> bool:
        waiting = any(one.outcome is None and not one.dropped for one in self.intents)
        return not waiting and not await self._open() and not await self.people.locked()

    def spends(self) -> list[tuple[Venture, UUID]]:
        """Every spend that was asked for."""
        return [(one.venture, one.spend) for one in self.intents if one.spend is not None]

    async def _release(self) -> None:
        """Two people let go what one has stopped."""
        for venture in self.world.ventures:
            async with venture.books.database.transaction(venture.context()) as connection:
                frozen = await connection.fetchval("select frozen_at is not null from treasury.control")
                held = await connection.fetch("select payee_id from treasury.payee where held_at is not null")
            if frozen:
                await venture.change(ReleaseBody(what="freeze"))
            for row in held:
                await venture.change(ReleaseBody(what="payee", payee=row["payee_id"]))

    async def _decide(self) -> None:
        """Two people find out what became of payments of which no provider tells."""
        for venture in self.world.ventures:
            async with venture.books.database.transaction(venture.context()) as connection:
                rows = await connection.fetch(
                    "select s.spend_id, s.provider from treasury.spend s join treasury.payment_course c "
                    "using (tenant_id, spend_id) where s.state in ('unknown', 'sent') and c.asks_person"
                )
            for row in rows:
                account = self.world.accounts[venture.tenant, row["provider"]]
                await venture.change(_resolution(row["spend_id"], payments_of(account, row["spend_id"])))


def payments_of(account: Account, spend: UUID) -> list[Paid]:
    """What a provider has of a spend."""
    return [one for one in account.double.payments() if one.spend_id == str(spend)]


def _resolution(spend: UUID, paid: list[Paid]) -> ResolutionBody:
    evidence = {"list": [one.state for one in paid]}
    if not paid or not paid[0].stands:
        return ResolutionBody(spend=spend, outcome="failed", evidence=evidence)
    reference = f"request:{paid[0].reference}" if paid[0].state == "pendingApproval" else paid[0].reference
    return ResolutionBody(spend=spend, outcome="sent", provider_reference=reference, evidence=evidence)


def _is_mercury(account: Account) -> bool:
    return isinstance(account.double, MercuryDouble)


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]


def is_survived(error: BaseException) -> bool:
    """Whether an error is what a death or a lost server brings."""
    if isinstance(error, Killed | nats.errors.Error):
        return True
    if isinstance(error, TreasuryError):
        return error.code == "TREASURY_UNAVAILABLE"
    return isinstance(error, Exception) and is_transient(error)
