"""Events of namespaces and of reservations for metered work. Prices and usage are as the caller wrote them down."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import StrictInt, StrictStr

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document


class NamespaceBound(Document):
    """A namespace of a cluster that is the venture's for good."""

    namespace: UUID
    """The namespace's UID."""
    name: StrictStr


class ReservationOpened(Document):
    """What is about to be reserved; the spend follows."""

    reservation: UUID
    subject: UUID
    """UID of the resource that is paid for."""
    kind: StrictStr
    """Of the resource, for example Simulation."""
    namespace: StrictStr
    name: StrictStr
    generation: StrictInt
    """Of the resource's specification."""
    terms: dict[str, Any]
    """Prices and sizes that were pinned."""


class UsageReported(Document):
    """What was used; the first report counts."""

    reservation: UUID
    usage: dict[str, Any]


RESERVATIONS = (
    EventType("treasury.namespace.bound", "A namespace was bound to the venture.", (NamespaceBound,)),
    EventType("treasury.reservation.opened", "Metered work asked for a reservation.", (ReservationOpened,)),
    EventType("treasury.usage.reported", "Metered work told what it had used.", (UsageReported,)),
)
"""What the operator asks for."""
