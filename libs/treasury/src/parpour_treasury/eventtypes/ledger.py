"""Events that the ledger writes, each in the transaction of what it tells."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, StrictBool, StrictInt, StrictStr, StringConstraints

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

MovedLegs = tuple[tuple[StrictInt, StrictInt, Currency], ...]
"""Legs of a journal or a hold, in their order."""


class AccountOpened(Document):
    """An account as it was opened."""

    account: StrictInt
    """Its number in the tenant."""
    code: StrictStr
    kind: StrictStr
    """asset, liability, equity, income or expense."""
    currency: Currency
    minimum: StrictInt | None
    """Least balance in the account's own direction, in minor units."""
    maximum: StrictInt | None
    """Greatest balance, likewise."""


class AccountLimited(Document):
    """New limits of an account."""

    account: StrictInt
    minimum: StrictInt | None
    """Least balance in the account's own direction, in minor units."""
    maximum: StrictInt | None
    """Greatest balance, likewise."""


class AccountClosed(Document):
    """An account that takes no more."""

    account: StrictInt


class PeriodLocked(Document):
    """A period in which nothing takes effect any more."""

    until: AwareDatetime
    """Its end, which is not part of it."""
    journals: StrictInt
    """Number of the last journal when it was locked."""


class CommandCarriedOut(Document):
    """What a command moved."""

    journal: StrictInt | None
    """Number of the journal that it posted, if it posted one."""
    effective_at: AwareDatetime | None
    """When the journal takes effect."""
    description: StrictStr | None
    hold: UUID | None
    """The hold that it placed, settled or voided."""
    reverses: StrictInt | None
    """Number of the journal that it takes back."""
    legs: MovedLegs
    """Account, amount in minor units (debit positive) and currency."""


class HoldSettled(CommandCarriedOut):
    """A hold, or a part of it, became a journal."""

    open: StrictBool
    """Whether the hold keeps the rest."""


class HoldExpired(Document):
    """A hold that ran out and keeps nothing any more."""

    hold: UUID


LEDGER = (
    EventType("treasury.account.opened", "An account was opened.", (AccountOpened,)),
    EventType("treasury.account.limited", "An account got other limits.", (AccountLimited,)),
    EventType("treasury.account.closed", "An account was closed for good.", (AccountClosed,)),
    EventType("treasury.period.locked", "Everything before a time was locked.", (PeriodLocked,)),
    EventType("treasury.journal.posted", "A journal was posted.", (CommandCarriedOut,)),
    EventType("treasury.journal.reversed", "A journal was taken back by another one.", (CommandCarriedOut,)),
    EventType("treasury.hold.placed", "A hold was placed.", (CommandCarriedOut,)),
    EventType("treasury.hold.settled", "A journal was posted out of a hold.", (HoldSettled,)),
    EventType("treasury.hold.voided", "A hold was given up.", (CommandCarriedOut,)),
    EventType("treasury.hold.expired", "A hold ran out.", (HoldExpired,)),
)
"""Accounts, periods, journals and holds."""
