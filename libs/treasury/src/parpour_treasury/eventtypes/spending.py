"""Events of spends and payments: one a step, whichever statement takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import StrictInt, StrictStr, StringConstraints

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document
from parpour_treasury.eventtypes.ledger import Currency
from parpour_treasury.spending.states import State, Step

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class SpendStepped(Document):
    """A spend as a step left it."""

    spend: UUID
    state: State
    """Where the step led."""
    currency: Currency
    amount: StrictInt
    """What was asked, in minor units."""
    settled: StrictInt
    """What of it was settled."""
    envelope: UUID | None
    """None if a refused request named one of nobody."""
    payee: UUID | None
    """Likewise."""
    maker: StrictStr
    """Who asked."""
    hold: UUID | None
    """The hold that keeps the amount, since it was reserved."""
    digest: Digest
    """What approvals are of."""
    rules: StrictInt
    """Version of the rules that it was asked under."""
    decision: StrictInt
    """Number of the last decision about it."""
    code: StrictStr | None
    """Why it was refused or cancelled."""
    reference: StrictStr | None
    """What the provider calls the payment."""


class SpendSteppedV2(SpendStepped):
    """A spend as a step left it, and the digests of what led to the step."""

    decided: Digest | None
    """Of the decision, with all that it was made from; None if the step takes none."""
    approved: Digest | None
    """Of the approval or rejection; None if the step follows from none."""
    told: Digest | None
    """Of the outcome, with its evidence; None if nobody outside told it."""


def with_digests(said: Mapping[str, Any]) -> dict[str, Any]:
    """A step of the first version in the second one's words: its records have no digests."""
    return {**said, "decided": None, "approved": None, "told": None}


class RenewalRefused(Document):
    """A reservation of metered work that was to be raised, and stands as it was."""

    spend: UUID
    decision: StrictInt
    """Number of the decision that refused it."""
    decided: Digest
    """Of that decision, with all that it was made from."""


class PaymentUnresolved(Document):
    """A payment of which only people can find out what became of it."""

    spend: UUID


SUMMARIES: dict[Step, str] = {
    Step.REFUSED: "A request was refused, or what awaited approval was refused when it was decided again.",
    Step.AWAITING: "A request was put to people for approval.",
    Step.RESERVED: "The amount was reserved in books and envelopes.",
    Step.APPROVED: "A person approved, and more have to.",
    Step.REJECTED: "A person rejected what awaited approval.",
    Step.EXPIRED: "Nobody approved in time, or it was not paid in time.",
    Step.CANCELLED: "It was taken back before anything was sent.",
    Step.RENEWED: "The reservation of metered work was raised.",
    Step.SUBMITTED: "The payment worker claimed it; from here on the money may be on its way.",
    Step.UNKNOWN: "It is not known whether the provider has it.",
    Step.SENT: "The provider has it, and the money is in transit.",
    Step.SETTLED: "The money arrived, or metered work was charged.",
    Step.FAILED: "The provider did not pay it, or said afterwards that it did not arrive.",
    Step.RETURNED: "The money came back.",
}
"""When each step is taken."""

SPENDS = (
    *(
        EventType(f"treasury.spend.{step}", summary, (SpendStepped, SpendSteppedV2), (with_digests,))
        for step, summary in SUMMARIES.items()
    ),
    EventType("treasury.renewal.refused", "A renewal of metered work was refused.", (RenewalRefused,)),
)
"""Steps of spends, and the one decision that no step follows."""

PAYMENTS = (EventType("treasury.payment.unresolved", "A payment was put to people to resolve.", (PaymentUnresolved,)),)
"""What else happens to payments."""
