"""The envelope of events: what happened in which tenant, by whom, because of what.

An envelope is written in the commit of what it tells and never changes. Where it stands in the tenant's chain is no
part of it, because it gets its place only after the commit.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from parpour_contracts.model import Document

EventType = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z]+){2}$", max_length=100)]
"""Component, thing, and what happened to it: treasury.journal.posted."""

Subject = Annotated[str, StringConstraints(pattern=r"^[a-z]+(/[A-Za-z0-9_-]+)?$", max_length=200)]
"""What it happened to: journal/17."""

Taint = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=50)]
"""Where content came from that nobody vouches for: web, mail, model."""


class EventEnvelopeV1(Document):
    """One event."""

    envelope: Literal[1] = 1
    """Version of the envelope."""
    tenant: UUID
    id: UUID
    """Unique in the tenant; what makes a second delivery known."""
    type: EventType
    version: Annotated[int, Field(ge=1, le=32767)]
    """Version of the type's payload."""
    time: AwareDatetime
    """When it happened, by the database's clock."""
    actor: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Who did it, for example agent:7."""
    correlation: UUID
    """What it belongs to: the request that a chain of events began with."""
    causation: UUID | None = None
    """The event that it follows from."""
    subject: Subject
    payload: dict[str, Any] | None = None
    """None after it was erased."""
    taint: tuple[Taint, ...] = ()


class PublishedEventV1(Document):
    """An event on the bus: with its place, and what stands for it in the tenant's chain.

    It may arrive more than once, and after a fault later than those that follow it: the id says whether it was seen,
    and the position where it belongs.
    """

    published: Literal[1] = 1
    """Version of this form."""
    position: Annotated[int, Field(ge=1)]
    """From 1, without gaps in the tenant."""
    leaf: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    """Hash of header and commitment, in hexadecimal."""
    event: EventEnvelopeV1
