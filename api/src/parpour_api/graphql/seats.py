"""How many sockets may be open, what each may take, and with what number one is closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from parpour_api.errors import CATALOGUE

CLOSES = {
    "API_MESSAGE_MALFORMED": 4400,
    "API_ORIGIN_REFUSED": 4403,
    "API_NOT_ACCEPTABLE": 4406,
    "API_TIMEOUT": 4408,
    "API_MESSAGE_REPEATED": 4409,
    "API_SUBSCRIBER_SLOW": 4410,
    "API_RATE_LIMITED": 4429,
    "API_SUBSCRIPTIONS_TOO_MANY": 4429,
}
"""With what number a socket is closed for a code. The code itself is the reason."""
UNAUTHORIZED = 4401
"""For whatever is said of tokens."""
FAILED, TRY_LATER = 1011, 1013
UNAVAILABLE, SERVER_ERROR = 503, 500


def close_number(code: str) -> int:
    """The number with which a socket is closed for a code."""
    status = CATALOGUE[code].status
    if code in CLOSES:
        return CLOSES[code]
    if status == UNAVAILABLE:
        return TRY_LATER
    return FAILED if status >= SERVER_ERROR else UNAUTHORIZED


class SocketClosed(Exception):
    """The socket is closed, for a reason that has a code."""

    def __init__(self, code: str, *, number: int | None = None) -> None:
        self.code = code
        self.number = number or close_number(code)
        super().__init__(code)


@dataclass(frozen=True)
class SocketBounds:
    """What sockets may take."""

    sockets: int
    """Of one process."""
    tenant_sockets: int
    """Of one tenant in one process."""
    subscriptions: int
    """Of one socket."""
    first_seconds: float
    """Until the first message."""
    send_seconds: float
    """Until one message was taken."""
    trust_seconds: float
    """Between two looks whether the bearer was revoked."""
    origins: frozenset[str]
    """Whose scripts may open sockets; programs name no origin."""


@dataclass
class Seats:
    """Counts what is open in a process."""

    bounds: SocketBounds
    taken: int = 0
    by_tenant: dict[UUID, int] = field(default_factory=dict)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A seat of the process.

        Raises:
            SocketClosed: API_SUBSCRIPTIONS_TOO_MANY.
        """
        if self.taken >= self.bounds.sockets:
            raise SocketClosed("API_SUBSCRIPTIONS_TOO_MANY")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    @contextmanager
    def of(self, tenant: UUID) -> Iterator[None]:
        """A seat of a tenant.

        Raises:
            SocketClosed: API_SUBSCRIPTIONS_TOO_MANY.
        """
        count = self.by_tenant.get(tenant, 0)
        if count >= self.bounds.tenant_sockets:
            raise SocketClosed("API_SUBSCRIPTIONS_TOO_MANY")
        self.by_tenant[tenant] = count + 1
        try:
            yield
        finally:
            self.by_tenant[tenant] -= 1
            if not self.by_tenant[tenant]:
                del self.by_tenant[tenant]
