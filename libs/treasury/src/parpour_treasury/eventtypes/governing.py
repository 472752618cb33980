"""Events of what decides about money: changes that two people made, and what one person stopped.

Where an event says just what was proposed, its model is that of the proposal.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, StrictBool, StrictInt, StrictStr, StringConstraints

from parpour_contracts.eventtypes import EventType
from parpour_contracts.model import Document
from parpour_treasury.spending.changes import EnvelopeBody, MemberBody, ReleaseBody
from parpour_treasury.spending.rules import RuleBook

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
ChangeKind = Literal["rules", "member", "envelope", "payee", "release", "resolution", "limits"]


class ChangeProposed(Document):
    """A change that waits for another person."""

    change: UUID
    kind: ChangeKind
    body: dict[str, Any]
    """What is proposed, as its kind has it."""
    digest: Digest
    """What a confirmation is of."""


class ChangeDecided(Document):
    """A change that another person confirmed or somebody rejected; the event's actor did."""

    change: UUID
    kind: ChangeKind


class PayeeChanged(Document):
    """A payee as it is from now on."""

    payee: UUID
    name: StrictStr
    category: StrictStr
    provider: Literal["internal", "mercury", "stripe"]
    destination: dict[str, str]
    """What the provider calls the account, and its masked number."""
    fingerprint: Digest
    """What approvals name it by."""
    usable_from: AwareDatetime
    """When its cool-off ends."""
    retired: StrictBool
    """Whether it gets nothing any more, for good."""


class RulesChanged(Document):
    """A rule book that came into force."""

    version: StrictInt
    proposed_by: StrictStr
    rules: RuleBook


class Stopped(Document):
    """Why everything was stopped; the event's actor did."""

    reason: StrictStr


class PayeeHeld(Document):
    """A payee that gets nothing until it is released."""

    payee: UUID
    reason: StrictStr
    by: StrictStr


class MemberRevoked(Document):
    """An account that counts for nothing any more."""

    actor: StrictStr
    reason: StrictStr
    by: StrictStr


CHANGES = (
    EventType("treasury.change.proposed", "A person proposed a change.", (ChangeProposed,)),
    EventType("treasury.change.applied", "Another person confirmed a change, and it took effect.", (ChangeDecided,)),
    EventType("treasury.change.rejected", "A person rejected a change.", (ChangeDecided,)),
    EventType("treasury.rules.changed", "Another version of the rules came into force.", (RulesChanged,)),
    EventType("treasury.member.changed", "An account was made, changed or taken back.", (MemberBody,)),
    EventType("treasury.envelope.changed", "An envelope was opened, or got another cap or times.", (EnvelopeBody,)),
    EventType("treasury.payee.changed", "A payee was made, changed or retired.", (PayeeChanged,)),
)
"""Changes."""

STOPS = (
    EventType("treasury.venture.frozen", "A person froze the venture.", (Stopped,)),
    EventType("treasury.venture.unfrozen", "Two people let it go on.", (ReleaseBody,)),
    EventType("treasury.venture.stopped", "The kill switch was thrown.", (Stopped,)),
    EventType("treasury.venture.resumed", "Two people reset the kill switch.", (ReleaseBody,)),
    EventType("treasury.payee.held", "A person stopped what goes to a payee.", (PayeeHeld,)),
    EventType("treasury.payee.released", "Two people let a payee be paid again.", (ReleaseBody,)),
    EventType("treasury.member.revoked", "A person revoked an account.", (MemberRevoked,)),
)
"""What stops spending, and what lets it go on."""
