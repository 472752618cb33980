"""Events that the control plane itself writes."""

from __future__ import annotations

from uuid import UUID

from pydantic import StrictInt

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document


class PayloadErased(Document):
    """What an event said was erased."""

    event: UUID
    """The event whose payload is gone."""
    position: StrictInt
    """Its place in the tenant's chain."""
    reason: str
    """Why, in a person's words."""


class HistoryResumed(Document):
    """A history goes on after a restore."""

    checkpoint: str
    """Hash of the resumption, in hexadecimal, by which verifiers accept it."""
    first: StrictInt
    """First position whose event is lost; it is taken anew."""
    last: StrictInt
    """Last position that was signed and lost."""
    by: str
    """Who resumed it."""
    reason: str
    """Why, in a person's words."""


EVENT_TYPES = (
    EventType(
        "controlplane.history.resumed",
        "The database was restored from a backup, and people let the history go on without what was lost.",
        (HistoryResumed,),
    ),
    EventType(
        "controlplane.payload.erased",
        "The payload of an event and its salt were deleted; the event is its cause.",
        (PayloadErased,),
    ),
)
"""All of them."""
