"""Events as messages of a stream.

The stream drops a message whose id it saw within its window, so the id names the tenant too: ids are the stream's, not
the subject's. The same name stands in a header of its own, because a repair may have to do without the id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from nats.js.api import Header, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from parpour_contracts.subjects import EVENTS_FILTER, EVENTS_STREAM, event_subject
from parpour_controlplane.calls import Row
from parpour_controlplane.events import published_of

AT_ONCE = 256
"""Messages that wait for their acknowledgement at a time."""

ACKNOWLEDGED_SECONDS = 5.0

EVENT = "Parpour-Event"
"""Header with tenant and id of the event."""
POSITION = "Parpour-Position"
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
    erased: bool

    @property
    def headers(self) -> dict[str, str]:
        """Headers that stay the same however often it is published."""
        return {EVENT: self.name, POSITION: str(self.position)} | ({ERASED: "yes"} if self.erased else {})

    @property
    def id(self) -> str:
        """What the stream knows a repetition by; an erased event is another message than the one before."""
        return f"{self.name}:erased" if self.erased else self.name


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
        erased=row["payload"] is None,
    )


async def ensure_stream(jetstream: JetStreamContext) -> None:
    """Make the stream of events, if it is not there; one that is there stays as it is."""
    try:
        await jetstream.stream_info(EVENTS_STREAM)
    except NotFoundError:
        await jetstream.add_stream(
            StreamConfig(name=EVENTS_STREAM, subjects=[EVENTS_FILTER], storage=StorageType.FILE, allow_direct=True)
        )


async def publish(jetstream: JetStreamContext, messages: Sequence[Message]) -> int:
    """Publish messages in their order and wait until the stream has them all; returns how many it had before."""
    repeated = 0
    for several in _chunks(messages):
        sent = [
            jetstream.publish(
                one.subject,
                one.body,
                stream=EVENTS_STREAM,
                timeout=ACKNOWLEDGED_SECONDS,
                headers={**one.headers, Header.MSG_ID: one.id},
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
    if await publish(jetstream, [message]):
        await jetstream.publish(
            message.subject,
            message.body,
            stream=EVENTS_STREAM,
            timeout=ACKNOWLEDGED_SECONDS,
            headers=message.headers,
        )


def _chunks(messages: Sequence[Message]) -> Iterator[list[Message]]:
    rest = iter(messages)
    while several := list(islice(rest, AT_ONCE)):
        yield several
