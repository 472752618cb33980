"""One seed's world: two ventures with accounts at both providers, and every process that has a part in their spends."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from nats.js.errors import NotFoundError

from parpour_contracts.subjects import EVENTS_STREAM
from parpour_controlplane.chain.checkpoints import SigningKey
from parpour_controlplane.database import Database
from parpour_controlplane.relaying.relay import Relay, RelayPace
from parpour_controlplane.sealing.keys import SigningKeys
from parpour_controlplane.sealing.resuming import Resuming
from parpour_controlplane.sealing.sealer import Sealer, SealingPace
from parpour_controlplane.sealing.stores import FolderStore
from parpour_treasury.payments.hints import concerns, take
from parpour_treasury.payments.worker import PaymentWorker
from parpour_treasury.providers.credentials import Secret
from parpour_treasury.providers.doubles.core import Delivery, Fault, Script
from parpour_treasury.providers.doubles.mercury import MercuryDouble
from parpour_treasury.providers.doubles.serving import Within, serve
from parpour_treasury.providers.doubles.stripe import StripeDouble
from parpour_treasury.providers.egress import Egress
from parpour_treasury.providers.mercury import MercuryProvider, Way
from parpour_treasury.providers.port import Provider
from parpour_treasury.providers.stripe import Rail, StripeProvider
from parpour_treasury.providers.webhooks import WebhookRefused
from parpour_treasury.reconciliation.tokens import TokenFile
from parpour_treasury.spending.authority import Authority
from parpour_treasury.spending.rules import Tier
from parpour_treasury.spending.testing import RULES, Venture, new_venture
from parpour_treasury.sweeping import Sweeper
from torture.consuming import Consumer
from torture.edge import Bare, Process, Whole
from torture.fuses import CutPool, Fuse, Life, Strike
from torture.servers import Servers

KEY = SigningKey(bytes([7]) * 32)
HOOKS = Secret("whsec_of_the_endpoint")
STRIPE_KEY, MERCURY_TOKEN = Secret("sk_test_double"), Secret("secret-token:mercury_sandbox_double")

APPROVED = RULES.model_copy(update={"tiers": (Tier(currency="USD", above=1_000, quorum=1),), "windows": ()})
"""From 10 dollars a payee on, somebody approves."""

QUICK_SEAL = SealingPace(look=0.0, lease=0.0, sign=0.0, rest=0.0, block_events=20)
QUICK_RELAY = RelayPace(look=0.0, lease=0.0, rest=0.0, page=20)
"""Small blocks and pages, so that a seed has several; a successor need not wait for a lease to end."""

COMPONENTS = ("api", "pay", "seal", "relay", "consume", "sweep", "hook")
EDGE = 3
"""One seed of so many goes over the edge; the others call the authority alone, which takes less time."""
TWINS = {"pay too": "pay"}
"""Second processes of a component."""
TROUBLES = tuple(fault for fault in Fault if fault is not Fault.NONE)


@dataclass
class Account:
    """A venture's account at a provider, and the double that keeps it."""

    tenant: UUID
    double: StripeDouble | MercuryDouble
    provider: Provider


@dataclass
class World:
    """What a seed acts in."""

    seed: int
    draw: random.Random
    servers: Servers
    folder: Path
    fuse: Fuse
    ventures: list[Venture] = field(default_factory=list)
    accounts: dict[tuple[UUID, str], Account] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    lives: dict[str, Life] = field(default_factory=dict)
    running: dict[str, Any] = field(default_factory=dict)
    """Processes by component, made when they are first needed and anew after a death."""
    applications: set[asyncio.Future[None]] = field(default_factory=set)
    """Of the API, those of processes that have died included."""

    booked: set[UUID] = field(default_factory=set)
    """Correlations of journals that people posted themselves."""

    resumed: dict[UUID, bytes] = field(default_factory=dict)
    """Hashes of the resumptions by which tenants' histories went on."""

    @property
    def over_edge(self) -> bool:
        """Whether those who ask call the API as it is deployed."""
        return self.seed % EDGE == 0

    @property
    def store(self) -> FolderStore:
        """Checkpoints, outside of the database."""
        return FolderStore(self.folder / "checkpoints")

    @property
    def consumer(self) -> str:
        """Name of the consumer of the ventures' events."""
        return f"seed-{self.ventures[0].tenant}"

    def clock(self) -> datetime:
        """The time of providers, worker and sealer; it jumps. The database has its own."""
        return self.now

    def database(self, role: str, life: Life) -> Database:
        """The database as a process of a role sees it."""
        pool: Any = CutPool(life, self.servers.databases[role].pool)
        return Database(pool)

    def process(self, component: str) -> Any:
        """The process of a component that lives now."""
        if component not in self.running:
            role = TWINS.get(component, component)
            life = self.lives[component] = Life(role, self.fuse)
            self.running[component] = getattr(self, f"_{role}")(life)
        return self.running[component]

    def bury(self, component: str) -> None:
        """The process is gone; the next one is made when it is needed."""
        if component in self.lives:
            self.lives[component].end()
        self.running.pop(component, None)

    async def rolled_back(self, tenant: UUID) -> bool:
        """Whether the database lacks something of a tenant that was signed."""
        _, kept = self.store.last(tenant)
        query = "select position from controlplane.chain_head where tenant_id = $1"
        return kept is not None and kept.head.size > (await self.servers.administrator.fetchval(query, tenant) or 0)

    async def forget_consumer(self) -> None:
        """A consumer whose inbox went back with the database reads the stream from its beginning."""
        self.bury("consume")
        with suppress(NotFoundError):
            await self.servers.jetstream.delete_consumer(EVENTS_STREAM, self.consumer)

    def _api(self, life: Life) -> Process:
        place, database = self.servers.place, self.database("parpour_app", life)
        if self.over_edge:
            return Whole(place, database, life, self.applications)
        return Bare(Authority(database, place.app))

    def _pay(self, life: Life) -> PaymentWorker:
        return PaymentWorker(
            self.database("parpour_payment", life),
            self.servers.place.payment,
            Mounted(self, life),
            TokenFile(self.folder / "tokens"),
            clock=self.clock,
            at_point=life.point,
        )

    def _seal(self, life: Life) -> Sealer:
        return Sealer(
            CutPool(life, self.servers.databases["parpour_sealer"].pool),
            self.servers.place.sealer,
            SigningKeys((KEY,)),
            life.object(self.store, "put"),
            clock=self.clock,
            random=os.urandom,
            pace=QUICK_SEAL,
        )

    def resuming(self) -> Resuming:
        """What resumes histories; it dies as a sealer does."""
        self.process("seal")
        life = self.lives["seal"]
        pool = CutPool(life, self.servers.databases["parpour_sealer"].pool)
        store = life.object(self.store, "put")
        return Resuming(pool, self.servers.place.sealer, SigningKeys((KEY,)), store, clock=self.clock)

    def _relay(self, life: Life) -> Relay:
        return Relay(
            CutPool(life, self.servers.databases["parpour_relay"].pool),
            self.servers.place.relay,
            life.object(self.servers.client, "publish"),
            life.object(self.servers.jetstream, "publish"),
            clock=time.monotonic,
            pace=QUICK_RELAY,
        )

    def _consume(self, life: Life) -> Consumer:
        tenants = [venture.tenant for venture in self.ventures]
        database = self.database("parpour_app", life)
        return Consumer(self.consumer, tenants, self.servers.jetstream, database, self.servers.place.app, life)

    def _sweep(self, life: Life) -> Sweeper:
        return Sweeper(self.database("parpour_sweeper", life), self.servers.place.sweeper)

    def _hook(self, life: Life) -> Database:
        return self.database("parpour_app", life)

    async def hook(self, account: Account, delivery: Delivery) -> None:
        """What the endpoint does with a webhook."""
        try:
            hint = account.provider.parse_webhook(delivery.body, delivery.signature, now=self.now)
        except WebhookRefused as refused:
            if refused.reason != "age":
                raise
            # The clock has jumped while it was on its way.
            return
        if concerns(hint):
            context = self.servers.place.app.mint(tenant=account.tenant, actor="system:webhooks")
            await take(self.process("hook"), context, hint)

    async def make_due(self) -> None:
        """What is due by the world's clock is due by the database's."""
        query = """
            update treasury.payment_course set next_at = clock_timestamp() - interval '1 second'
            where tenant_id = any($1) and next_at <= $2
        """
        await self.servers.administrator.execute(query, [venture.tenant for venture in self.ventures], self.now)


@dataclass(frozen=True)
class Mounted:
    """Accounts as one payment worker has them: what it asks passes its fuse."""

    world: World
    life: Life

    def names(self, tenant: UUID) -> list[str]:
        """Providers at which a tenant has an account."""
        return [name for whose, name in self.world.accounts if whose == tenant]

    def provider(self, tenant: UUID, name: str) -> Provider | None:
        """An account."""
        account = self.world.accounts.get((tenant, name))
        if account is None:
            return None
        made: Provider = self.life.object(account.provider, "send", "look_up")
        return made


@asynccontextmanager
async def new_world(servers: Servers, folder: Path, seed: int, *, strike: Strike | None = None) -> AsyncIterator[World]:
    """Two new ventures and their accounts, until the end of the block."""
    world = World(seed, random.Random(seed), servers, folder, Fuse(strike))
    over_sockets = seed % 16 == 1
    async with AsyncExitStack() as stack:
        for _ in range(2):
            venture = await new_venture(servers.databases["parpour_app"], servers.place, rules=APPROVED)
            world.ventures.append(venture)
            for name in ("stripe", "mercury"):
                account = await _account(world, venture.tenant, name, stack, over_sockets=over_sockets)
                world.accounts[venture.tenant, name] = account
                stack.push_async_callback(account.provider.close)
        stack.push_async_callback(_end, world.applications)
        yield world
        await world.forget_consumer()


async def _end(left: set[asyncio.Future[None]]) -> None:
    for one in left:
        one.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _account(world: World, tenant: UUID, name: str, stack: AsyncExitStack, *, over_sockets: bool) -> Account:
    draw = world.draw
    script = Script([draw.choice(TROUBLES) if draw.random() < 0.5 else Fault.NONE for _ in range(4)])
    lag = timedelta(minutes=draw.choice([0, 0, 5, 50]))
    double: StripeDouble | MercuryDouble
    if name == "stripe":
        double = StripeDouble(clock=world.clock, script=script, webhook_secret=HOOKS, list_lag=lag)
    else:
        double = MercuryDouble(clock=world.clock, script=script, webhook_secret=HOOKS, list_lag=lag)
    if over_sockets:
        egress, url = Egress((), loopback=True), await stack.enter_async_context(serve(double))
    else:

        async def hook(delivery: Delivery) -> None:
            await world.hook(world.accounts[tenant, name], delivery)

        egress, url = Egress((), loopback=True, inner=Within(double, hook=hook)), "http://127.0.0.1:1"
    provider: Provider
    if name == "stripe":
        provider = StripeProvider(
            STRIPE_KEY, rail=Rail.PAYOUT, webhook_secrets=[HOOKS], egress=egress, base_url=url, timeout_s=0.3
        )
    else:
        way = draw.choice([Way.TRANSACTION, Way.TRANSACTION, Way.REQUEST])
        provider = MercuryProvider(
            MERCURY_TOKEN,
            account="acc_double",
            way=way,
            webhook_secrets=[HOOKS],
            egress=egress,
            base_url=url,
            timeout_s=0.3,
        )
    return Account(tenant, double, provider)
