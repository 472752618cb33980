"""What the books hold, as values: accounts, journals, holds, balances.

Amounts are signed as in the journals, a debit positive. An account's own direction is that of its kind: assets and
expenses grow by debits, the others by credits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from parpour_treasury.commands import Leg


class Kind(StrEnum):
    """The five kinds of account."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def sign(self) -> int:
        """1 where debits make the account grow, -1 where credits do."""
        return 1 if self in (Kind.ASSET, Kind.EXPENSE) else -1


@dataclass(frozen=True)
class NewAccount:
    """An account to open; limits are minor units in the account's own direction."""

    code: str
    """Words between colons, for example assets:bank."""
    name: str
    kind: Kind
    currency: str
    minimum: int | None = None
    """Least balance, holds counted; none, if not stated. Zero forbids an overdraft."""
    maximum: int | None = None


STANDARD_ACCOUNTS: tuple[tuple[str, str, Kind, int | None], ...] = (
    ("assets:bank", "Bank", Kind.ASSET, 0),
    ("assets:clearing", "Clearing with providers", Kind.ASSET, None),
    ("assets:in-transit", "Sent and not yet confirmed", Kind.ASSET, None),
    ("assets:returns", "Returned and not yet matched", Kind.ASSET, None),
    ("equity:funding", "Funding", Kind.EQUITY, None),
    ("expenses:compute", "Metered work", Kind.EXPENSE, None),
    ("expenses:fees", "Fees of providers", Kind.EXPENSE, None),
    ("expenses:spending", "Spending", Kind.EXPENSE, None),
    ("income:sales", "Sales", Kind.INCOME, None),
    ("liabilities:platform", "Owed to the platform", Kind.LIABILITY, None),
)
"""(code, name, kind, minimum) of the accounts that every venture has in each of its currencies."""


def standard_accounts(currency: str) -> tuple[NewAccount, ...]:
    """The standard accounts of one currency, for example assets:bank:usd."""
    return tuple(
        NewAccount(f"{code}:{currency.lower()}", f"{name} ({currency})", kind, currency, minimum)
        for code, name, kind, minimum in STANDARD_ACCOUNTS
    )


@dataclass(frozen=True)
class Account:
    """An account as it stands."""

    account: int
    code: str
    name: str
    kind: Kind
    currency: str
    opened_at: datetime
    closed_at: datetime | None
    lower_bound: int | None
    upper_bound: int | None
    posted: int
    """Sum of its legs."""
    pending_debit: int
    pending_credit: int
    """What open holds keep free."""

    @property
    def available(self) -> int | None:
        """What may still leave the account, in its own direction; None if nothing limits it."""
        if self.kind.sign > 0:
            return None if self.lower_bound is None else self.posted - self.pending_credit - self.lower_bound
        return None if self.upper_bound is None else self.upper_bound - self.posted - self.pending_debit

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """An account from a row of queries/accounts.sql."""
        fields = dict(row)
        return cls(account=fields.pop("account_id"), kind=Kind(fields.pop("kind")), **fields)


@dataclass(frozen=True)
class Journal:
    """A journal that stands."""

    number: int
    recorded_at: datetime
    effective_at: datetime
    kind: str
    """posting, settlement or reversal."""
    description: str
    actor: str
    correlation: UUID
    reverses: int | None
    hold: UUID | None
    legs: tuple[Leg, ...]
    balances: tuple[int, ...]
    """Each leg's account after it, holds left out."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """A journal from a row of queries/journals.sql."""
        return cls(
            number=row["number"],
            recorded_at=row["recorded_at"],
            effective_at=row["effective_at"],
            kind=row["kind"],
            description=row["description"],
            actor=row["actor"],
            correlation=row["correlation"],
            reverses=row["reverses"],
            hold=row["hold_id"],
            legs=_legs(row),
            balances=tuple(row["balances"]),
        )


@dataclass(frozen=True)
class HoldState:
    """A hold as it stands."""

    hold: UUID
    state: str
    """open, settled, voided or expired."""
    description: str
    actor: str
    placed_at: datetime
    expires_at: datetime | None
    closed_at: datetime | None
    legs: tuple[Leg, ...]
    settled: tuple[int, ...]
    """What was posted of each leg."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """A hold from a row of queries/hold.sql."""
        return cls(
            hold=row["hold_id"],
            state=row["state"],
            description=row["description"],
            actor=row["actor"],
            placed_at=row["placed_at"],
            expires_at=row["expires_at"],
            closed_at=row["closed_at"],
            legs=_legs(row),
            settled=tuple(row["settled"]),
        )


def _legs(row: Mapping[str, Any]) -> tuple[Leg, ...]:
    columns: tuple[Sequence[Any], ...] = (row["accounts"], row["amounts"], row["currencies"])
    return tuple(Leg(*values) for values in zip(*columns, strict=True))


@dataclass(frozen=True)
class Balance:
    """One line of a trial balance."""

    account: int
    code: str
    kind: Kind
    currency: str
    balance: int
    """Debit positive."""


@dataclass(frozen=True)
class Movement:
    """One line of a statement."""

    journal: int
    effective_at: datetime
    recorded_at: datetime
    description: str
    amount: int


@dataclass(frozen=True)
class Statement:
    """An account's movements that took effect within a time, between two balances."""

    opening: int
    movements: tuple[Movement, ...]
    closing: int
