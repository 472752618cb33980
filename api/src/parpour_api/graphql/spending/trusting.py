"""Who of a venture may see what of its spending: the member's row decides, beside the token's roles.

Software is never told limits: neither what the rules say, nor what is left anywhere, nor by an event that tells of it.
An agent sees the spends that it has asked for itself.
"""

from __future__ import annotations

from uuid import UUID

from parpour_api.access import FIELDS
from parpour_api.graphql.session import Session, hold_id
from parpour_api.identity.principal import Kind
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.explaining import may_see_limits
from parpour_treasury.spending.facts import Member

OF_SPENDING = frozenset(
    {
        "treasury.change.proposed",
        "treasury.change.applied",
        "treasury.change.rejected",
        "treasury.rules.changed",
        "treasury.envelope.changed",
        "treasury.payee.changed",
    }
)
"""Types of events that tell what decides about money: to the people whom the venture knows."""

WITHOUT_LIMITS = (
    "controlplane.history.",
    "controlplane.payload.",
    "treasury.account.closed",
    "treasury.bank.",
    "treasury.dispatch.",
    "treasury.exception.",
    "treasury.hold.",
    "treasury.journal.",
    "treasury.match.",
    "treasury.member.",
    "treasury.namespace.",
    "treasury.payee.held",
    "treasury.payee.released",
    "treasury.payment.",
    "treasury.period.",
    "treasury.provider.",
    "treasury.renewal.",
    "treasury.reservation.",
    "treasury.spend.",
    "treasury.statement.",
    "treasury.usage.",
    "treasury.venture.",
)
"""How types of events begin whose payloads tell no limits. Software is not told what any other type says."""


def member_who(session: Session, field: str, *, person: bool = False) -> Member:
    """The member who asks for a field, if the venture trusts them with it.

    Raises:
        TreasuryError: TREASURY_MEMBER_UNKNOWN, TREASURY_MEMBER_REVOKED, TREASURY_ROLE_MISSING, or
            TREASURY_NOT_A_PERSON.
    """
    member = session.member
    if member is None:
        raise TreasuryError("TREASURY_MEMBER_UNKNOWN")
    if member.revoked:
        raise TreasuryError("TREASURY_MEMBER_REVOKED")
    if FIELDS[field].isdisjoint(member.roles):
        raise TreasuryError("TREASURY_ROLE_MISSING")
    if person and not may_see_limits(member):
        raise TreasuryError("TREASURY_NOT_A_PERSON")
    return member


def told_limits(session: Session) -> bool:
    """Whether the one who asks is told limits."""
    return may_see_limits(session.member)


def is_software(session: Session) -> bool:
    """Whether a program asks."""
    return session.principal.actor.startswith(f"{Kind.AGENT}:")


def told_payload(session: Session, kind: str) -> bool:
    """Whether the one who asks is told what events of a type say."""
    if kind in OF_SPENDING:
        return told_limits(session)
    return kind.startswith(WITHOUT_LIMITS) or not is_software(session)


def own_only(member: Member) -> bool:
    """Whether a member sees no other spends than its own."""
    return set(member.roles) <= {"agent"}


def named(text: str, code: str, field: str) -> UUID:
    """The thing that an ID names.

    Raises:
        TreasuryError: the code of a thing that is not there, if it can name none.
    """
    known = hold_id(text)
    if known is None:
        raise TreasuryError(code, field=field)
    return known
