"""What the operator and the internal API say to each other about money: requests, answers, and codes.

The port is generic: `kind` is a field, and the API knows nothing of what is being funded beside how many workers run
at a time and what each of them asks for. Seconds are whole; rates are exact fractions of minor units; amounts are
decimal text as people write them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Annotated
from uuid import UUID

from pydantic import Field

from parpour_contracts.model import Document
from parpour_contracts.money import Currency, DecimalText, Money
from parpour_contracts.venture import DnsLabel, Owner

AUDIENCE = "parpour-internal"
"""Audience of the ServiceAccount tokens that the internal API takes, unless an installation chooses another."""
EVIDENCE_LIMIT = 256
"""Most runs of pods that are listed as evidence of a settlement."""
SECONDS_LIMIT = 31_536_000
PAGE_LIMIT = 200

Seconds = Annotated[int, Field(ge=0, le=SECONDS_LIMIT)]
WorkerSeconds = Annotated[int, Field(ge=0, le=2**53)]
Text = Annotated[str, Field(max_length=1024)]


class FundingCode(StrEnum):
    """Why the internal API itself refuses; what the treasury refuses keeps the treasury's code."""

    UNAUTHENTICATED = "FUNDING_UNAUTHENTICATED"
    FORBIDDEN = "FUNDING_FORBIDDEN"
    MALFORMED = "FUNDING_REQUEST_MALFORMED"
    NAMESPACE_CONFLICT = "FUNDING_NAMESPACE_CONFLICT"
    VENTURE_CONFLICT = "FUNDING_VENTURE_CONFLICT"
    VENTURE_UNKNOWN = "FUNDING_VENTURE_UNKNOWN"
    NAMESPACE_UNBOUND = "FUNDING_NAMESPACE_UNBOUND"
    BUDGET_CHANGE_PENDING = "FUNDING_BUDGET_CHANGE_PENDING"
    BUDGET_TOO_SMALL = "FUNDING_BUDGET_TOO_SMALL"
    CURRENCY_MISMATCH = "FUNDING_CURRENCY_MISMATCH"
    CURRENCY_UNPRICED = "FUNDING_CURRENCY_UNPRICED"
    RESERVATION_UNKNOWN = "FUNDING_RESERVATION_UNKNOWN"
    RESERVATION_CLOSED = "FUNDING_RESERVATION_CLOSED"
    RESERVATION_DIFFERS = "FUNDING_RESERVATION_DIFFERS"
    UNAVAILABLE = "FUNDING_UNAVAILABLE"


class Fault(Document):
    """Why a request was refused."""

    code: Annotated[str, Field(max_length=64, pattern=r"^[A-Z]+(_[A-Z0-9]+)*$")]
    """Stable code, one of FundingCode or of the treasury's."""
    message: Text = ""
    """For people; it discloses no limit."""


class Binding(Document):
    """Binds a Venture's namespace to its tenant; asked again it answers the same."""

    uid: UUID
    """UID of the Venture, which is the tenant's identity."""
    name: DnsLabel
    """Name of the Venture."""
    display_name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name for people."""
    namespace: DnsLabel
    """Its namespace."""
    namespace_uid: UUID
    """UID of that namespace."""
    owners: Annotated[tuple[Owner, ...], Field(min_length=1, max_length=16)]
    """First members, taken when the tenant is made."""
    budget: Money
    """The budget that the resource asks for."""


class Bound(Document):
    """The answer to a Binding."""

    tenant: UUID
    """Identity of the tenant."""
    budget: Money
    """The budget that is in force."""
    frozen: bool = False
    """Whether nothing may be spent."""
    pending: Fault | None = None
    """Why the resource's budget is not the one in force, if it is not."""


class Freezing(Document):
    """Stops a venture's spending, because its resource is being deleted."""

    reason: Annotated[str, Field(min_length=1, max_length=253)]
    """For the record."""


class WorkerResources(Document):
    """What one pod asks for, rounded up to whole units."""

    cpu_millis: Annotated[int, Field(ge=0, le=10_000_000)]
    """Thousandths of a core."""
    memory_mib: Annotated[int, Field(ge=0, le=1_000_000_000)]
    """Memory in MiB."""
    gpus: Annotated[int, Field(ge=0, le=1024)] = 0
    """Whole GPUs."""


class Closing(Document):
    """The one pod that comes after the workers, verifies what they did and sums it up."""

    resources: WorkerResources
    """What it asks for."""
    seconds: Seconds
    """The longest that it can run, grace included."""


class ReservationRequest(Document):
    """Asks to keep money free for work that is about to start."""

    key: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9/._-]+$")]
    """Idempotency key: UID and generation of the resource."""
    namespace: DnsLabel
    """Namespace of the resource."""
    namespace_uid: UUID
    """UID of that namespace: it names the venture."""
    kind: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z]+$")]
    """Kind of the resource."""
    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the resource."""
    uid: UUID
    """UID of the resource."""
    generation: Annotated[int, Field(ge=0, le=2**53)]
    """Generation of the spec that is being funded."""
    budget: Money
    """The most that it may cost."""
    workers: Annotated[int, Field(ge=1, le=10_000)]
    """Pods that run at a time."""
    per_worker: WorkerResources
    """What each of them asks for."""
    closing: Closing | None = None
    """The pod that comes after them."""
    grace_seconds: Seconds
    """How long a worker may go on after it was told to stop."""
    seconds: Annotated[int, Field(ge=1, le=SECONDS_LIMIT)]
    """How long a run the reservation shall cover, within the budget."""
    minimum_seconds: Annotated[int, Field(ge=1, le=SECONDS_LIMIT)]
    """A run shorter than this is not worth starting."""


class Rate(Document):
    """Minor units a second, as an exact fraction."""

    numerator: Annotated[int, Field(ge=0)]
    """Minor units."""
    denominator: Annotated[int, Field(ge=1)]
    """Seconds that they pay for."""

    @property
    def value(self) -> Fraction:
        """The fraction."""
        return Fraction(self.numerator, self.denominator)


class ReservationState(StrEnum):
    """What became of a reservation."""

    REFUSED = "refused"
    AWAITING = "awaiting"
    RESERVED = "reserved"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Reservation(Document):
    """Money that is kept free for one resource, or why it is not."""

    venture: UUID
    """The venture that pays."""
    reservation: UUID
    """Identity of the reservation, within the venture."""
    state: ReservationState
    """What became of it."""
    fault: Fault | None = None
    """Why it was refused, or why more could not be reserved."""
    key: Annotated[str, Field(max_length=128)]
    """The key that it was asked under."""
    kind: Annotated[str, Field(max_length=63)]
    """Kind of the resource."""
    namespace: Annotated[str, Field(max_length=63)]
    """Namespace of the resource."""
    name: Annotated[str, Field(max_length=253)]
    """Name of the resource."""
    uid: UUID
    """UID of the resource."""
    generation: Annotated[int, Field(ge=0)]
    """Generation that was funded."""
    workers: Annotated[int, Field(ge=1)]
    """Pods at a time that were priced."""
    grace_seconds: Seconds
    """Grace that was priced."""
    price_list: Annotated[str, Field(max_length=128)]
    """Version and digest of the price list that is pinned."""
    rate_per_worker_second: Rate
    """What one worker costs."""
    closing_rate_per_second: Rate
    """What the closing pod costs."""
    currency: Currency
    """Currency of the amounts."""
    reserved: DecimalText
    """What is kept free, closing included."""
    charged: DecimalText | None = None
    """What it came to, once it is settled."""
    deadline_seconds: Seconds
    """Run time, all workers at once and grace left out, that what is reserved pays for."""
    renewable: bool = False
    """Whether the budget has room for more."""


class Renewal(Document):
    """Asks that a reservation cover a longer run."""

    seconds: Annotated[int, Field(ge=1, le=SECONDS_LIMIT)]
    """The whole run that it shall cover, what it covers already included."""


class PodSeconds(Document):
    """How long one pod ran."""

    pod: Annotated[str, Field(max_length=253)]
    """Its name."""
    seconds: Seconds
    """Whole seconds, begun ones counted."""


class Settlement(Document):
    """What was used of a reservation."""

    worker_seconds: WorkerSeconds
    """Seconds of all workers."""
    closing_seconds: Seconds = 0
    """Seconds of the closing pod."""
    measured: bool
    """Whether pods were seen to have run so long; otherwise it is what they could have run at most."""
    evidence: Annotated[tuple[PodSeconds, ...], Field(max_length=EVIDENCE_LIMIT)] = ()
    """The longest runs of single pods."""
    reason: Annotated[str, Field(max_length=253)] = ""
    """Why the run ended."""


class FundingState(Document):
    """What the treasury knows of one resource."""

    venture: UUID | None = None
    """The venture that its namespace is bound to; none if it is bound to none."""
    reservations: Annotated[tuple[Reservation, ...], Field(max_length=PAGE_LIMIT)] = ()
    """Its reservations, the latest first."""


class OpenReservation(Document):
    """One open reservation, as the sweep of orphans needs it."""

    venture: UUID
    """The venture that pays."""
    reservation: UUID
    """Identity of the reservation, within the venture."""
    kind: Annotated[str, Field(max_length=63)]
    """Kind of the resource."""
    namespace: Annotated[str, Field(max_length=63)]
    """Namespace of the resource."""
    name: Annotated[str, Field(max_length=253)]
    """Name of the resource."""
    uid: UUID
    """UID of the resource."""
    opened_at: datetime
    """When it was made."""
    deadline_seconds: Seconds
    """Run time that it pays for."""
    workers: Annotated[int, Field(ge=1)]
    """Pods at a time."""


class OpenReservations(Document):
    """A page of open reservations."""

    items: Annotated[tuple[OpenReservation, ...], Field(max_length=PAGE_LIMIT)] = ()
    """In the order of their identities."""
    next: Annotated[str, Field(max_length=128)] | None = None
    """Cursor of the next page; none at the end."""
