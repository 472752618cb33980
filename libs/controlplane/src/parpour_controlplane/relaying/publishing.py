"""Events as messages of a stream.

Several messages go as one batch that the stream takes in whole or not at all (ADR 50 of nats-server, from 2.12 on): in
their order, and written to the disk together, which is several times faster. A batch with a message that the stream has
already is refused; its messages then go one by one, and so they do where the stream takes no batches.

The stream drops a message whose id it saw within its window, so the id names the tenant too: ids are the stream's, not
the subject's. The same name stands in a header of its own, because a repair may have to do without the id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID, uuid4

from nats.aio.client import Client
from nats.js.api import Header, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NotFoundError

from parpour_contracts.subjects import EVENTS_FILTER, EVENTS_STREAM, event_subject
from parpour_controlplane.calls import Row
from parpour_controlplane.events import published_of

BATCH_MOST = 1000
"""Messages of a batch, by the server's limit."""

AT_ONCE = 256
"""Messages outside of a batch that wait for their acknowledgement at a time."""

ACKNOWLEDGED_SECONDS = 5.0

BATCH, PLACE, COMMIT = "Nats-Batch-Id", "Nats-Batch-Sequence", "Nats-Batch-Commit"

EVENT = "Parpour-Event"
"""Header with tenant and id of the event."""
POSITION = "Parpour-Position"
LEAF = "Parpour-Leaf"
"""Header with what stands for the event in the chain, in hexadecimal: another one if it was sealed anew."""
ERASED = "Parpour-Erased"
"""Header that is there if the payload was erased."""


@dataclass(frozen=True)
class Message:
    """One event, ready to be published."""

    subject: str
    body: bytes
    name: str
    """Tenant and id."""
    position: int
    leaf: bytes
    erased: bool

    @property
    def headers(self) -> dict[str, str]:
        """Headers of a message that the stream is not to compare with others."""
        place = {EVENT: self.name, POSITION: str(self.position), LEAF: self.leaf.hex()}
        return place | ({ERASED: "yes"} if self.erased else {})

    @property
    def whole(self) -> dict[str, str]:
        """The same, and what the stream knows a repetition by; an erased event is another than the one before."""
        return {**self.headers, Header.MSG_ID.value: f"{self.name}:erased" if self.erased else self.name}


def event_name(tenant: UUID, event: UUID) -> str:
    """How an event is named in every tenant's stream."""
    return f"{tenant}:{event}"


def message_of(row: Row, *, tenant: UUID) -> Message:
    """The message of a row of controlplane.sealed_events."""
    return Message(
        subject=event_subject(tenant=tenant, type=row["type"]),
        body=published_of(row, tenant=tenant).canonical(),
        name=event_name(tenant, row["event_id"]),
        position=row["position"],
        leaf=row["leaf"],
        erased=row["payload"] is None,
    )


async def ensure_stream(jetstream: JetStreamContext) -> None:
    """Make the stream of events, if it is not there; one that is there stays as it is."""
    try:
        await jetstream.stream_info(EVENTS_STREAM)
    except NotFoundError:
        await jetstream.add_stream(
            StreamConfig(
                name=EVENTS_STREAM,
                subjects=[EVENTS_FILTER],
                storage=StorageType.FILE,
                allow_direct=True,
                allow_atomic=True,
            )
        )


async def publish(client: Client, jetstream: JetStreamContext, messages: Sequence[Message]) -> int:
    """Publish messages in their order and wait until the stream has them all; returns how many it had before.

    Raises:
        nats.errors.Error: if it cannot be known whether the stream has them; then it may have some of them.
    """
    repeated = 0
    for several in _chunks(messages, BATCH_MOST):
        if len(several) == 1 or not await _publish_as_one(client, jetstream, several):
            repeated += await _publish_each(jetstream, several)
    return repeated


async def _publish_as_one(client: Client, jetstream: JetStreamContext, messages: Sequence[Message]) -> bool:
    """Whether the stream took the messages as one batch."""
    *most, last = messages
    batch = uuid4().hex
    for place, one in enumerate(most, 1):
        await client.publish(one.subject, one.body, headers={**one.whole, BATCH: batch, PLACE: str(place)})
    headers = {**last.whole, BATCH: batch, PLACE: str(len(messages)), COMMIT: "1"}
    try:
        await jetstream.publish(
            last.subject, last.body, stream=EVENTS_STREAM, timeout=ACKNOWLEDGED_SECONDS, headers=headers
        )
    except APIError:
        return False
    return True


async def _publish_each(jetstream: JetStreamContext, messages: Sequence[Message]) -> int:
    """Publish messages side by side; returns how many the stream had before."""
    repeated = 0
    for several in _chunks(messages, AT_ONCE):
        sent = [
            jetstream.publish(
                one.subject, one.body, stream=EVENTS_STREAM, timeout=ACKNOWLEDGED_SECONDS, headers=one.whole
            )
            for one in several
        ]
        for answer in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            repeated += bool(answer.duplicate)
    return repeated


async def publish_again(jetstream: JetStreamContext, message: Message) -> None:
    """Publish what the stream has lost: it may know the id and still not have the message."""
    if await _publish_each(jetstream, [message]):
        await jetstream.publish(
            message.subject,
            message.body,
            stream=EVENTS_STREAM,
            timeout=ACKNOWLEDGED_SECONDS,
            headers=message.headers,
        )


def _chunks(messages: Sequence[Message], most: int) -> Iterator[list[Message]]:
    rest = iter(messages)
    while several := list(islice(rest, most)):
        yield several
