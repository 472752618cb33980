"""A consumer of the ventures' events: each is applied once, several in the transaction that notes them in the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import nats.errors
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from parpour_contracts.events import PublishedEventV1
from parpour_contracts.subjects import EVENTS_STREAM, events_of, parse_event_subject
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_controlplane.inbox import Inbox
from torture.fuses import Life

FETCHED = 20
FETCH_SECONDS = 0.05
AGAIN_SECONDS = 0.2
"""After which the stream sends again what was not acknowledged."""

_APPLY = "insert into torture.applied (tenant_id, event_id, position) values ($1, $2, $3)"


class Consumer:
    """A durable consumer, which another one of its name goes on with."""

    def __init__(
        self,
        name: str,
        tenants: Sequence[UUID],
        jetstream: JetStreamContext,
        database: Database,
        mint: ContextMint,
        life: Life,
    ) -> None:
        self._name = name
        self._filters = [events_of(tenant) for tenant in tenants]
        self._jetstream = jetstream
        self._database = database
        self._mint = mint
        self._life = life
        self._inbox = Inbox("torture")
        self._subscription: Any = None

    async def round(self, *, slow: bool = False) -> int:
        """Apply what has come; a slow one applies it and acknowledges nothing in time. Returns how many messages."""
        if self._subscription is None:
            config = ConsumerConfig(
                durable_name=self._name,
                ack_policy=AckPolicy.EXPLICIT,
                deliver_policy=DeliverPolicy.ALL,
                filter_subjects=self._filters,
                ack_wait=AGAIN_SECONDS,
            )
            await self._jetstream.add_consumer(EVENTS_STREAM, config)
            self._subscription = await self._jetstream.pull_subscribe_bind(self._name, EVENTS_STREAM)
        try:
            messages = await self._subscription.fetch(FETCHED, timeout=FETCH_SECONDS)
        except nats.errors.TimeoutError:
            return 0
        async with self._database.pool.acquire() as connection, connection.transaction():
            for message in messages:
                await self._apply(connection, message)
        for message in [] if slow else messages:
            await self._life.around("ack", message.ack, lost=nats.errors.ConnectionClosedError)
        return len(messages)

    async def _apply(self, connection: Any, message: Any) -> None:
        published = PublishedEventV1.from_json(message.data)
        tenant, _ = parse_event_subject(message.subject)
        context = self._mint.mint(tenant=tenant, actor="system:torture")
        if await self._inbox.apply_once(connection, context, published.event.id):
            await connection.execute(_APPLY, tenant, published.event.id, published.position)
