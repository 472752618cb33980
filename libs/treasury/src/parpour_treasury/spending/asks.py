"""What can be asked of the authority, checked as far as it can be without the venture's state.

Each ask carries its own idempotency key. Its digest covers all that was asked and by whom.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from parpour_treasury.commands import BALANCE_MAX, check_text, check_time, encodable, joined, microseconds
from parpour_treasury.currencies import exponent_of
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from parpour_treasury.spending.register import Spend

PURPOSE_MAX = 500
"""Characters."""

LIFETIME_MAX = 366 * 86_400
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpend:
    """Ask to spend."""

    key: str
    envelope: UUID
    payee: UUID
    amount: int
    """Minor units, above zero."""
    currency: str
    purpose: str
    lifetime_seconds: int | None = None
    """How long it may wait for approvals and payment; as long as the rules let it, if not stated."""

    def __post_init__(self) -> None:
        check_text(self.key, "")
        _check_amount(self.amount)
        _check_lifetime(self.lifetime_seconds)
        exponent_of(self.currency)
        if not 1 <= len(self.purpose) <= PURPOSE_MAX or not self.purpose.isprintable() or not encodable(self.purpose):
            detail = f"1 to {PURPOSE_MAX} printable characters"
            raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="purpose", detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Approve a request, as a person who has just authenticated."""

    key: str
    spend: UUID
    digest: bytes
    """Of what the person was shown: `Spend.digest`."""
    authenticated_at: datetime

    def __post_init__(self) -> None:
        check_text(self.key, "")
        check_time(self.authenticated_at, "authenticatedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Reject a request, as a person; one suffices."""

    key: str
    spend: UUID
    authenticated_at: datetime

    def __post_init__(self) -> None:
        check_text(self.key, "")
        check_time(self.authenticated_at, "authenticatedAt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take a request or a reservation back before it is submitted."""

    key: str
    spend: UUID

    def __post_init__(self) -> None:
        check_text(self.key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleSpend:
    """Settle an internal spend by what was used; the rest becomes free."""

    key: str
    spend: UUID
    amount: int
    """Minor units, zero if nothing was used."""

    def __post_init__(self) -> None:
        check_text(self.key, "")
        if self.amount != 0:
            _check_amount(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """Raise the reservation of an internal spend, and let it live on; decided about the difference."""

    key: str
    spend: UUID
    amount: int
    """What is added, in minor units, above zero."""
    lifetime_seconds: int | None = None
    """From now on; as long as the rules let it, if not stated."""

    def __post_init__(self) -> None:
        check_text(self.key, "")
        _check_amount(self.amount)
        _check_lifetime(self.lifetime_seconds)


Ask = RequestSpend | Approve | Reject | Cancel | SettleSpend | Renew

OPERATIONS: dict[type, str] = {
    RequestSpend: "request",
    Approve: "approve",
    Reject: "reject",
    Cancel: "cancel",
    SettleSpend: "settle",
    Renew: "renew",
}
"""What each ask is called in the database."""


@dataclass(frozen=True, slots=True)
class Asking:
    """An ask by an actor, as the group commit takes it."""

    ask: Ask
    actor: str
    digest: bytes

    @classmethod
    def of(cls, ask: Ask, *, actor: str) -> Asking:
        """The ask of an actor."""
        return cls(ask, actor, ask_digest(ask, actor=actor))

    @property
    def key(self) -> str:
        """Idempotency key."""
        return self.ask.key

    @property
    def touches(self) -> UUID | None:
        """The spend, of which a batch decides once."""
        return None if isinstance(self.ask, RequestSpend) else self.ask.spend

    @property
    def weight(self) -> int:
        """Legs of its hold."""
        return 2


@dataclass(frozen=True, slots=True)
class SpendOutcome:
    """The answer to one ask, the same however often it is asked."""

    spend: UUID | None
    """The spend that it is about; None if there is none."""
    state: str | None
    """Where that stands after the ask."""
    codes: tuple[str, ...]
    """What stood against the ask; empty if it was carried out."""
    replayed: bool = False
    row: Spend | None = field(default=None, compare=False)
    """The spend as it stands after the ask, where the authority tells spends; no part of the answer itself."""

    @property
    def accepted(self) -> bool:
        """Whether it was carried out. A request that awaits approval was."""
        return not self.codes

    def raise_for_refusal(self) -> None:
        """Nothing if it was accepted.

        Raises:
            TreasuryError: with the first code.
        """
        if self.codes:
            raise TreasuryError(self.codes[0])


def ask_digest(ask: Ask, *, actor: str) -> bytes:
    """SHA-256 of the whole ask.

    When a person authenticated is no part of what they ask: the same approval may be sent again after another step-up.
    """
    fields: list[Any] = [OPERATIONS[type(ask)], actor, ask.key]
    if isinstance(ask, RequestSpend):
        fields += [ask.envelope, ask.payee, ask.amount, ask.currency, ask.purpose, ask.lifetime_seconds]
    else:
        fields.append(ask.spend)
    if isinstance(ask, Approve):
        fields.append(ask.digest.hex())
    if isinstance(ask, SettleSpend | Renew):
        fields.append(ask.amount)
    if isinstance(ask, Renew):
        fields.append(ask.lifetime_seconds)
    return _sha256(fields)


def spend_of(tenant: UUID, key: str) -> UUID:
    """The id of the spend that a request under a key is.

    It follows from the key, so that a request which a restored database has forgotten, and which is asked again, is the
    payment that providers know already.
    """
    return uuid5(tenant, f"spend/{key}")


def spend_digest(
    *,
    tenant: UUID,
    spend: UUID,
    envelope: UUID | None,
    payee: UUID | None,
    fingerprint: str,
    currency: str,
    amount: int,
    purpose: str,
    rules_version: int,
    expires_at: datetime,
) -> bytes:
    """What an approval is of: SHA-256 over these fields, the same as treasury.spend_digest computes."""
    return _sha256(
        [
            "spend/1",
            tenant,
            spend,
            envelope or "",
            payee or "",
            fingerprint,
            currency,
            amount,
            purpose,
            rules_version,
            microseconds(expires_at),
        ]
    )


def account_digest(account: Sequence[tuple[str, str]]) -> bytes:
    """SHA-256 of a payee's account data, as (name, value) in any order: what the fingerprint takes of it."""
    return _sha256([part for pair in sorted(account) for part in pair])


def _sha256(fields: Sequence[Any]) -> bytes:
    return hashlib.sha256(joined(map(str, fields)).encode()).digest()


def _check_amount(amount: int) -> None:
    if type(amount) is not int:
        raise TreasuryError("AMOUNT_MALFORMED", field="amount", detail="minor units")
    if amount <= 0:
        raise TreasuryError("AMOUNT_NOT_POSITIVE", field="amount")
    if amount > BALANCE_MAX:
        raise TreasuryError("TREASURY_BALANCE_OVERFLOW", field="amount")


def _check_lifetime(seconds: int | None) -> None:
    if seconds is not None and (type(seconds) is not int or not 1 <= seconds <= LIFETIME_MAX):
        detail = f"1 to {LIFETIME_MAX} seconds"
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="lifetimeSeconds", detail=detail)
