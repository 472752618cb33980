"""How mutations answer: with what they made, or with a refusal as a result; either is noted.

Nothing is thrown for a refusal, so a client that handles every type of the union has handled every refusal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import strawberry

from parpour_api.graphql.session import Session
from parpour_controlplane.database import is_transient
from parpour_treasury.refusals import TreasuryError

Payload = TypeVar("Payload")

Key = Annotated[str, strawberry.argument(description="Idempotency key, 1 to 200 printable characters.")]


@strawberry.type(description="Why nothing was done.")
class Refusal:
    """A refusal as a result."""

    code: str = strawberry.field(description="Stable; the reference explains each.")
    message: str
    field: str | None = strawberry.field(description="Path of the argument that it is about.", default=None)


async def answered(
    session: Session, field: str, work: Callable[[], Awaitable[Payload]], **noted: str
) -> Payload | Refusal:
    """The payload of some work, or its refusal; either is noted.

    A payload with a `code` tells of a refusal that was itself recorded.
    """
    # Nobody waits for a connection to write with while holding one to read with: there are few.
    await session.reader.close()
    try:
        payload = await work()
    except Exception as error:
        refused = error if isinstance(error, TreasuryError) else None
        if refused is None and is_transient(error):
            refused = TreasuryError("TREASURY_UNAVAILABLE")
        session.audit(field, refused.code if refused else "API_INTERNAL", **noted)
        if refused is None:
            raise
        return Refusal(code=refused.code, message=refused.detail, field=refused.field or None)
    session.audit(field, getattr(payload, "code", "OK"), **noted)
    return payload
