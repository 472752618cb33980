"""The inbox of a consumer: events arrive at least once, and are applied once.

The note that an event was applied commits together with what it led to, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from parpour_controlplane.calls import Calls


@dataclass(frozen=True)
class Inbox:
    """The inbox of one consumer, in every tenant."""

    consumer: str
    """A lower-case word, for example payouts."""

    async def apply_once(self, connection: Calls, context: str, event: UUID) -> bool:
        """True if the event is to be applied now, in the transaction that is open on this connection.

        Where two ask at the same time, the second one waits until the first one's transaction has ended.
        """
        applying = await connection.fetchval(
            "select controlplane.apply_once($1, $2, $3)", context, self.consumer, event
        )
        return bool(applying)
