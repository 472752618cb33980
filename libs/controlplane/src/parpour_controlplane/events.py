"""Events as the database has them: as they were committed, and with their place in the tenant's chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg

from parpour_contracts.events import EventEnvelopeV1, PublishedEventV1
from parpour_controlplane.calls import Calls, Row, refused
from parpour_controlplane.chain.blocks import Opening, SealedEvent
from parpour_controlplane.chain.headers import Header
from parpour_controlplane.database import translated
from parpour_controlplane.migrations import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from parpour_controlplane.database import type_of_connection


def envelope_of(row: Row, *, tenant: UUID) -> EventEnvelopeV1:
    """The envelope of a row of controlplane.event, or of one that controlplane.sealed_events gave."""
    return EventEnvelopeV1(
        tenant=tenant,
        id=row["event_id"],
        type=row["type"],
        version=row["version"],
        time=row["occurred_at"],
        actor=row["actor"],
        correlation=row["correlation"],
        causation=row["causation"],
        subject=row["subject"],
        payload=json.loads(row["payload"]) if row["payload"] is not None else None,
        taint=tuple(row["taint"]),
    )


def header_of(row: Row, *, tenant: UUID, position: int) -> Header:
    """What of such a row is hashed, beside the payload."""
    return Header(
        tenant=tenant,
        position=position,
        id=row["event_id"],
        correlation=row["correlation"],
        causation=row["causation"],
        time=row["occurred_at"],
        version=row["version"],
        type=row["type"],
        actor=row["actor"],
        subject=row["subject"],
        taint=tuple(row["taint"]),
    )


def published_of(row: Row, *, tenant: UUID) -> PublishedEventV1:
    """What is said on the bus of a row of controlplane.sealed_events."""
    return PublishedEventV1(position=row["position"], leaf=row["leaf"].hex(), event=envelope_of(row, tenant=tenant))


def sealed_of(row: Row, *, tenant: UUID) -> SealedEvent:
    """The sealed event of a row of controlplane.sealed_events; its header is made anew from what the row says."""
    erased = row["payload"] is None or row["salt"] is None
    return SealedEvent(
        header=header_of(row, tenant=tenant, position=row["position"]).encode(),
        commitment=row["commitment"],
        leaf=row["leaf"],
        opening=None if erased else Opening(row["salt"], row["payload"].encode()),
    )


async def sealed_page(calls: Calls, context: str, *, after: int, most: int) -> list[Record]:
    """Rows of events that have their place, in their order, after a position."""
    return await calls.fetch("select * from controlplane.sealed_events($1, $2, $3)", context, after, most)


async def erase_payload(calls: Calls, context: str, event: UUID, *, reason: str) -> bool:
    """Delete for good what an event said, and write the event that tells so; False if that was done before.

    Raises:
        ControlPlaneError: EVENT_NOT_SEALED, EVENT_MALFORMED for a reason without end or content, CONTEXT_….
    """
    try:
        return bool(await calls.fetchval("select controlplane.erase_event_payload($1, $2, $3)", context, event, reason))
    except asyncpg.PostgresError as error:
        raise refused(error) or translated(error) from None


async def events_about(connection: type_of_connection, subject: str) -> list[EventEnvelopeV1]:
    """What happened to one thing of the tenant whose transaction this is, for example journal/17."""
    rows = await connection.fetch(sql("parpour_controlplane", "events.sql"), subject)
    return [envelope_of(row, tenant=row["tenant_id"]) for row in rows]


_PAGE = (
    "select *, (select controlplane.current_tenant()) as tenant_id "
    "from controlplane.page_of_events($1, $2, $3, $4, $5, $6)"
)
PLACE_END = 2**63 - 1
"""Behind every position."""


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event that has its place, and its payload's text; None after it was erased."""

    position: int
    event: EventEnvelopeV1
    payload: str | None


async def page_of_events(
    calls: Calls | type_of_connection,
    context: str,
    *,
    after: int = 0,
    before: int = PLACE_END,
    subject: str | None = None,
    limit: int,
    backward: bool = False,
) -> list[PlacedEvent]:
    """Events strictly between two positions, in their order; of one subject, if one is named.

    The first ones, or backward the last ones. What was committed has its place within a second or two.
    """
    rows = await calls.fetch(_PAGE, context, after, before, subject, limit, backward)
    return [PlacedEvent(row["position"], envelope_of(row, tenant=row["tenant_id"]), row["payload"]) for row in rows]
