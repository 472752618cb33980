"""Events as they were committed, before they have a place in the tenant's chain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from parpour_contracts.events import EventEnvelopeV1
from parpour_controlplane.migrations import sql

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection


def envelope_of(row: Mapping[str, Any]) -> EventEnvelopeV1:
    """The envelope of a row of controlplane.event."""
    return EventEnvelopeV1(
        tenant=row["tenant_id"],
        id=row["event_id"],
        type=row["type"],
        version=row["version"],
        time=row["occurred_at"],
        actor=row["actor"],
        correlation=row["correlation"],
        causation=row["causation"],
        subject=row["subject"],
        payload=json.loads(row["payload"]),
        taint=tuple(row["taint"]),
    )


async def events_about(connection: type_of_connection, subject: str) -> list[EventEnvelopeV1]:
    """What happened to one thing of the tenant whose transaction this is, for example journal/17."""
    rows = await connection.fetch(sql("parpour_controlplane", "events.sql"), subject)
    return [envelope_of(dict(row)) for row in rows]


Place = tuple[datetime, UUID]
"""When an event happened, and its id."""

_PAGE = sql("parpour_controlplane", "page_of_events.sql")
_PAGE_BACKWARD = _PAGE.replace(" asc", " desc")


async def page_of_events(
    connection: type_of_connection,
    *,
    after: Place | None,
    before: Place | None,
    subject: str | None,
    limit: int,
    backward: bool = False,
) -> list[tuple[EventEnvelopeV1, str]]:
    """Events strictly between two places, each with its payload's text, in the order in which they happened.

    The first ones, or backward the last ones; of one subject, if one is named.
    """
    bounds = (*(after or (None, None)), *(before or (None, None)))
    rows = await connection.fetch(_PAGE_BACKWARD if backward else _PAGE, *bounds, subject, limit)
    return [(envelope_of(dict(row)), row["payload"]) for row in (rows[::-1] if backward else rows)]
