"""Events of statements, of what became of their entries, and of the lock that a restore puts on payments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, StrictInt, StrictStr, StringConstraints

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document
from parpour_treasury.eventtypes.ledger import MovedLegs

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Places = tuple[tuple[StrictInt, StrictInt], ...] | None
"""Parts of a match, each by two numbers; None if there are none."""
ExceptionKind = Literal[
    "unmatched-entry", "unmatched-movement", "amount-differs", "duplicate", "returned", "fee", "ambiguous"
]


class BankBound(Document):
    """An account of the books that stands for a bank account."""

    account: StrictInt
    identification: StrictStr
    """What the bank calls it."""
    since: date
    """The first day that statements cover."""


class StatementImported(Document):
    """A statement that was taken over."""

    account: StrictInt
    number: StrictInt
    """Its place among the account's statements."""
    statement: StrictStr
    """What the bank calls it."""
    sha256: Digest
    """Of the file."""
    place: StrictInt
    """Which statement of the file it is, from 0."""
    opening: StrictInt
    """Balance in minor units."""
    closing: StrictInt
    closed_on: date
    entries: StrictInt
    """How many."""


class MatchMade(Document):
    """Entries of the bank and movements of the books that are the same thing."""

    account: StrictInt
    match: StrictInt
    rule: Literal["reference", "reference-sum", "amount-date-counterparty", "one-to-many", "many-to-one", "decision"]
    entries: Places
    """Statement and position of each."""
    legs: Places
    """Journal and position of each."""


class MatchUndone(Document):
    """A match that was wrong; what it was made of waits for people."""

    account: StrictInt
    match: StrictInt
    by: StrictStr
    evidence: StrictStr


class ExceptionStepped(Document):
    """What people have to look at, as a step left it."""

    exception: UUID
    account: StrictInt
    kind: ExceptionKind
    state: Literal["open", "proposed", "matched", "resolved", "written-off"]
    amount: StrictInt
    """What the entry or the leg moved, with its sign."""
    statement: StrictInt | None
    """Number of the statement, if it is about an entry."""
    position: StrictInt | None
    journal: StrictInt | None
    """Number of the journal, if it is about a movement."""
    leg: StrictInt | None


class ExceptionMatched(ExceptionStepped):
    """One that a later match explains."""

    match: StrictInt


class ExceptionProposed(ExceptionStepped):
    """One that a person proposes to close by a journal."""

    outcome: Literal["resolved", "written-off"]
    description: StrictStr
    legs: MovedLegs
    evidence: StrictStr


class ExceptionReopened(ExceptionStepped):
    """One whose proposal was taken back or turned down, or whose match was undone."""

    by: StrictStr


class ExceptionClosed(ExceptionStepped):
    """One that a person closed, or two by a journal."""

    evidence: StrictStr
    proposed_by: StrictStr | None = None
    """Who proposed the journal."""
    closing_journal: StrictInt | None = None


class DispatchLocked(Document):
    """Why nothing is sent any more."""

    reason: StrictStr


class ProviderReviewed(Document):
    """A provider's list of payments, compared with the books."""

    review: StrictInt
    provider: StrictStr
    as_of: AwareDatetime
    """When the list was made."""
    payments: StrictInt
    """How many it has."""
    unknown: StrictInt
    """How many of them the books did not know."""


class PaymentRecorded(Document):
    """How a payment that only the provider knew came into the books."""

    provider: StrictStr
    reference: StrictStr
    journal: StrictInt | None
    """The journal that takes it out; none if a hold keeps it."""
    evidence: StrictStr


class UnlockProposed(Document):
    """Why a person thinks that payments can be sent again."""

    evidence: StrictStr


class DispatchUnlocked(Document):
    """Payments are sent again; the event's actor confirmed it."""

    epoch: StrictInt
    """Counts times that sending began anew."""
    proposed_by: StrictStr
    evidence: StrictStr


STATEMENTS = (
    EventType("treasury.bank.bound", "An account of the books was said to stand for a bank account.", (BankBound,)),
    EventType("treasury.statement.imported", "A bank's statement was taken over.", (StatementImported,)),
)
"""Bank accounts and statements."""

RECONCILIATION = (
    EventType("treasury.match.made", "Entries and movements were found to be the same.", (MatchMade,)),
    EventType("treasury.match.undone", "A person undid a match.", (MatchUndone,)),
    EventType("treasury.exception.opened", "An entry or a movement has no match, or not one.", (ExceptionStepped,)),
    EventType("treasury.exception.matched", "A match was found for it later.", (ExceptionMatched,)),
    EventType("treasury.exception.proposed", "A person proposed to close it by a journal.", (ExceptionProposed,)),
    EventType(
        "treasury.exception.reopened",
        "Its proposal was taken back or turned down, or its match undone.",
        (ExceptionReopened,),
    ),
    EventType("treasury.exception.resolved", "It was found out and closed.", (ExceptionClosed,)),
    EventType("treasury.exception.writtenoff", "It was written off.", (ExceptionClosed,)),
)
"""Matches and exceptions."""

DISPATCH = (
    EventType("treasury.dispatch.locked", "Nothing is sent until the providers were reviewed.", (DispatchLocked,)),
    EventType("treasury.provider.reviewed", "A provider's payments were compared with the books.", (ProviderReviewed,)),
    EventType("treasury.payment.recorded", "A person recorded a payment that was found.", (PaymentRecorded,)),
    EventType("treasury.dispatch.proposed", "A person proposed to send again.", (UnlockProposed,)),
    EventType("treasury.dispatch.unlocked", "Another person confirmed it.", (DispatchUnlocked,)),
)
"""The lock on sending."""
