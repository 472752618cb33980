"""Hints: what a provider's webhook makes of a payment. It becomes due, and the payment worker fetches the object.

A hint says nothing about what happened. It is noted by the provider's id of the event, so that a second delivery
changes nothing, also after a restart.
"""

from __future__ import annotations

from parpour_controlplane.database import Database
from parpour_treasury.calling import refusals
from parpour_treasury.providers.port import Hint

ACTOR = "system:webhooks"

CONCERNS = {
    "stripe": ("payout.", "treasury.outbound_payment."),
    "mercury": ("transaction.",),
}
"""How kinds of events begin that can be about a payment of ours, by provider."""


def concerns(hint: Hint) -> bool:
    """Whether the event can be about a payment of ours."""
    return hint.kind.startswith(CONCERNS[hint.provider])


async def take(database: Database, context: str, hint: Hint) -> bool:
    """Make the payment due that the hint names, if it is one of the tenant's; False if the event was taken before.

    Raises:
        TreasuryError: TREASURY_UNAVAILABLE.
    """
    query = "select treasury.hint($1, $2, $3, $4, $5)"
    with refusals():
        return bool(
            await database.pool.fetchval(query, context, hint.provider, hint.event_id, hint.kind, hint.reference)
        )
