"""Compares what the stream has of a tenant with what the database has, event by event, and mends the stream.

The database is the truth: what is missing in the stream is published again, what says more than the database still does
(its payload was erased) or stands for another place in the chain (it was sealed anew after a restore) is deleted and
published as it is now, and what the database does not know is reported. After a restore that is what was lost, and
stays for people to look at.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.client import JetStreamContext

from parpour_contracts.subjects import EVENTS_FILTER, EVENTS_STREAM, events_of, parse_event_subject
from parpour_controlplane.calls import Calls, Row
from parpour_controlplane.context import ContextMint
from parpour_controlplane.events import sealed_page
from parpour_controlplane.relaying.publishing import (
    ERASED,
    EVENT,
    LEAF,
    POSITION,
    ensure_stream,
    message_of,
    publish_again,
)

ACTOR = "system:reconciler"

PAGE = 1000
"""Events or messages that are read at once."""

FETCH_SECONDS = 5.0
UNUSED_SECONDS = 60.0
"""After which the server forgets a reader that died."""

_TENANTS = "select tenant_id from controlplane.chain_head"
_LOW = (1 << 64) - 1


@dataclass(frozen=True)
class Copy:
    """One message of the stream."""

    sequence: int
    low: int
    """Lower half of the event's id, or 0 if it names none of this tenant."""
    leaf: int
    """First eight bytes of its leaf, or 0 if it names none."""
    erased: bool


@dataclass
class Reconciled:
    """How stream and database compare."""

    tenant: UUID
    events: int = 0
    """That were published, by the database's word."""
    messages: int = 0
    repeated: int = 0
    """Messages beyond the first of an event; none of them a fault."""
    missing: list[int] = field(default_factory=list)
    """Positions that the stream lacked."""
    stale: list[int] = field(default_factory=list)
    """Sequences of messages with a payload that was erased in the database, or of an event that was sealed anew."""
    unknown: list[int] = field(default_factory=list)
    """Sequences of messages that are no event of this tenant."""

    @property
    def agree(self) -> bool:
        """Whether there was nothing to mend and nothing to report."""
        return not (self.missing or self.stale or self.unknown)


class _Copies:
    """The first message of each position in a few bytes, and the rest as they are."""

    def __init__(self, events: int) -> None:
        self._sequences = array("Q", bytes(8 * (events + 1)))
        self._lows = array("Q", bytes(8 * (events + 1)))
        self._leaves = array("Q", bytes(8 * (events + 1)))
        self._erased = bytearray(events + 1)
        self._rest: dict[int, list[Copy]] = {}

    def add(self, position: int, copy: Copy) -> None:
        if 0 < position < len(self._sequences) and not self._sequences[position]:
            self._sequences[position], self._lows[position] = copy.sequence, copy.low
            self._leaves[position], self._erased[position] = copy.leaf, copy.erased
        else:
            self._rest.setdefault(position, []).append(copy)

    def take(self, position: int) -> list[Copy]:
        """The messages of a position, which are then forgotten."""
        found = self._rest.pop(position, [])
        if position < len(self._sequences) and self._sequences[position]:
            low, leaf, erased = self._lows[position], self._leaves[position], bool(self._erased[position])
            return [Copy(self._sequences[position], low, leaf, erased), *found]
        return found

    def remaining(self) -> list[Copy]:
        """What was never taken, of positions that the database does not have."""
        return [copy for copies in self._rest.values() for copy in copies]


async def reconcile(
    calls: Calls, context: Callable[[], str], jetstream: JetStreamContext, tenant: UUID, *, repair: bool = True
) -> Reconciled:
    """Compare one tenant and, unless told otherwise, mend the stream.

    `calls` are of the role parpour_relay; `context` gives a fresh context of the tenant each time.
    """
    await ensure_stream(jetstream)
    extent = await calls.fetchrow("select * from controlplane.chain_extent($1)", context())
    relayed = (extent["relayed"] if extent else None) or 0
    found = Reconciled(tenant, events=relayed)
    copies = _Copies(relayed)
    async for position, copy in _messages(jetstream, tenant):
        found.messages += 1
        copies.add(position, copy)
    after = 0
    # What was sealed meanwhile is read too, so that its messages are known; only what was published can be missing.
    while rows := await sealed_page(calls, context(), after=after, most=PAGE):
        for row in rows:
            await _compare(jetstream, found, row, copies.take(row["position"]), repair=repair)
        after = rows[-1]["position"]
    found.unknown += sorted(copy.sequence for copy in copies.remaining())
    return found


async def reconcile_all(
    calls: Calls, mint: ContextMint, jetstream: JetStreamContext, *, repair: bool = True
) -> AsyncIterator[Reconciled]:
    """Compare every tenant that database or stream has, one after the other."""
    await ensure_stream(jetstream)
    tenants = {row["tenant_id"] for row in await calls.fetch(_TENANTS)}
    info = await jetstream.stream_info(EVENTS_STREAM, subjects_filter=EVENTS_FILTER)
    for subject in info.state.subjects or {}:
        with contextlib.suppress(ValueError):
            tenants.add(parse_event_subject(subject)[0])
    for tenant in sorted(tenants):
        yield await reconcile(calls, partial(mint.mint, tenant=tenant, actor=ACTOR), jetstream, tenant, repair=repair)


async def _compare(
    jetstream: JetStreamContext, found: Reconciled, row: Row, copies: list[Copy], *, repair: bool
) -> None:
    """One event against its messages."""
    message = message_of(row, tenant=found.tenant)
    ours = [copy for copy in copies if copy.low == row["event_id"].int & _LOW]
    found.unknown += [copy.sequence for copy in copies if copy not in ours]
    leaf = _beginning(message.leaf)
    stale = [copy for copy in ours if (message.erased and not copy.erased) or copy.leaf not in (0, leaf)]
    good = len(ours) - len(stale)
    found.repeated += max(0, good - 1)
    found.stale += [copy.sequence for copy in stale]
    lost = not good and (bool(stale) or message.position <= found.events)
    if lost and not stale:
        found.missing.append(message.position)
    if repair:
        for copy in stale:
            await jetstream.delete_msg(EVENTS_STREAM, copy.sequence)
        if lost:
            await publish_again(jetstream, message)


async def _messages(jetstream: JetStreamContext, tenant: UUID) -> AsyncIterator[tuple[int, Copy]]:
    """Every message of a tenant by its headers, as (position, copy)."""
    config = ConsumerConfig(
        ack_policy=AckPolicy.NONE,
        deliver_policy=DeliverPolicy.ALL,
        headers_only=True,
        inactive_threshold=UNUSED_SECONDS,
    )
    reader = await jetstream.pull_subscribe(events_of(tenant), stream=EVENTS_STREAM, config=config)
    info = await reader.consumer_info()
    try:
        pending = info.num_pending or 0
        while pending:
            for message in await reader.fetch(PAGE, timeout=FETCH_SECONDS):
                headers = message.headers or {}
                position, name = headers.get(POSITION, ""), headers.get(EVENT, "")
                leaf = _beginning_told(headers.get(LEAF, ""))
                copy = Copy(message.metadata.sequence.stream, _low(name, tenant), leaf, ERASED in headers)
                yield int(position) if position.isdecimal() else 0, copy
                pending = message.metadata.num_pending
    finally:
        await reader.unsubscribe()
        await jetstream.delete_consumer(EVENTS_STREAM, info.name)


def _beginning(leaf: bytes) -> int:
    return int.from_bytes(leaf[:8])


def _beginning_told(text: str) -> int:
    """That of a leaf in hexadecimal; 0 if it is none."""
    try:
        return _beginning(bytes.fromhex(text))
    except ValueError:
        return 0


def _low(name: str, tenant: UUID) -> int:
    whose, _, event = name.partition(":")
    try:
        return UUID(event).int & _LOW if whose == str(tenant) else 0
    except ValueError:
        return 0
