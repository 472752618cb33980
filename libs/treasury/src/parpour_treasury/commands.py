"""Commands on the ledger: what is asked, checked as far as it can be without the books.

A command carries its own idempotency key. Its digest covers everything that was asked and by whom, so the same key for
anything else is found out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from parpour_treasury.refusals import TreasuryError

BALANCE_MAX = 2**62 - 1
"""Largest balance and largest leg, in minor units: two of them still fit 64 bits, so nothing wraps around."""

LEGS_MAX = 500
"""Legs of one journal or hold."""

KEY_MAX = 200
DESCRIPTION_MAX = 1000
"""Characters."""

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Times that every program of accounts can read; PostgreSQL takes Python's first and last for infinite ones."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Leg:
    """One line of a journal or hold."""

    account: int
    amount: int
    """Minor units; a debit is positive, a credit negative."""
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Post a journal."""

    key: str
    correlation: UUID
    legs: Sequence[Leg]
    description: str = ""
    effective_at: datetime | None = None
    """When it takes effect; when it is recorded, if not stated."""

    def __post_init__(self) -> None:
        check_text(self.key, self.description)
        check_time(self.effective_at, "effectiveAt")
        check_legs(self.legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Keep amounts free until they are settled, voided, or the hold expires."""

    key: str
    correlation: UUID
    hold: UUID
    legs: Sequence[Leg]
    description: str = ""
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        check_text(self.key, self.description)
        check_time(self.expires_at, "expiresAt")
        check_legs(self.legs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Post what a hold keeps, in part or in whole."""

    key: str
    correlation: UUID
    hold: UUID
    amounts: Sequence[int] | None = None
    """What to post of each leg, in the hold's order and with its signs; all that is left, if not stated."""
    release: bool = True
    """Whether what is left becomes free; otherwise it stays kept for the next part."""
    description: str = ""
    effective_at: datetime | None = None

    def __post_init__(self) -> None:
        check_text(self.key, self.description)
        check_time(self.effective_at, "effectiveAt")
        if self.amounts is not None and not self.amounts:
            raise TreasuryError("TREASURY_JOURNAL_EMPTY", field="amounts")
        for place, amount in enumerate(self.amounts or ()):
            check_minor(amount, f"amounts[{place}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """Set free what a hold keeps."""

    key: str
    correlation: UUID
    hold: UUID

    def __post_init__(self) -> None:
        check_text(self.key, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """Post the opposite of a journal; each journal is reversed at most once."""

    key: str
    correlation: UUID
    journal: int
    description: str = ""
    effective_at: datetime | None = None

    def __post_init__(self) -> None:
        check_text(self.key, self.description)
        check_time(self.effective_at, "effectiveAt")
        if not 1 <= self.journal <= BALANCE_MAX:
            raise TreasuryError("TREASURY_JOURNAL_UNKNOWN", field="journal")


Command = Post | Hold | Settle | Void | Reverse

OPERATIONS: dict[type, str] = {Post: "post", Hold: "hold", Settle: "settle", Void: "void", Reverse: "reverse"}
"""What each command is called in the database."""


def check_text(key: str, description: str) -> None:
    """Refuse a key or a description that the database could not keep as it is.

    Raises:
        TreasuryError: TREASURY_COMMAND_MALFORMED.
    """
    if not 1 <= len(key) <= KEY_MAX or not key.isprintable():
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="key", detail=f"1 to {KEY_MAX} printable characters")
    if len(description) > DESCRIPTION_MAX or "\0" in description or not encodable(description):
        raise TreasuryError(
            "TREASURY_COMMAND_MALFORMED",
            field="description",
            detail=f"up to {DESCRIPTION_MAX} characters, none of them NUL",
        )


def encodable(text: str) -> bool:
    """Whether a text is UTF-8 without halves of surrogate pairs."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def check_time(at: datetime | None, field: str) -> None:
    """Refuse a time without a time zone, or one that no book has.

    Raises:
        TreasuryError: TREASURY_COMMAND_MALFORMED.
    """
    if at is None:
        return
    if at.tzinfo is None:
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field=field, detail="a time states its zone")
    if not EARLIEST <= at < LATEST:
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field=field, detail="a time lies in the years 1900 to 9998")


def check_minor(amount: int, field: str) -> None:
    """Refuse what is no count of minor units, or one beyond every balance.

    Raises:
        TreasuryError: AMOUNT_MALFORMED or TREASURY_BALANCE_OVERFLOW.
    """
    if type(amount) is not int:
        raise TreasuryError("AMOUNT_MALFORMED", field=field, detail="minor units")
    if not -BALANCE_MAX <= amount <= BALANCE_MAX:
        raise TreasuryError("TREASURY_BALANCE_OVERFLOW", field=field)


def check_limits(minimum: int | None, maximum: int | None) -> None:
    """Refuse limits that no balance can have.

    Raises:
        TreasuryError: AMOUNT_MALFORMED or TREASURY_BALANCE_OVERFLOW.
    """
    for field, limit in (("minimum", minimum), ("maximum", maximum)):
        if limit is not None:
            check_minor(limit, field)


def check_legs(legs: Sequence[Leg]) -> None:
    """Refuse legs that no journal can have.

    Raises:
        TreasuryError: TREASURY_JOURNAL_EMPTY, TREASURY_COMMAND_MALFORMED, TREASURY_BALANCE_OVERFLOW or
            TREASURY_JOURNAL_UNBALANCED.
    """
    if not legs:
        raise TreasuryError("TREASURY_JOURNAL_EMPTY", field="legs")
    if len(legs) > LEGS_MAX:
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="legs", detail=f"up to {LEGS_MAX} legs")
    totals: defaultdict[str, int] = defaultdict(int)
    for place, leg in enumerate(legs):
        if type(leg.amount) is not int or leg.amount == 0:
            raise TreasuryError("AMOUNT_MALFORMED", field=f"legs[{place}].amount", detail="minor units, not zero")
        if not -BALANCE_MAX <= leg.amount <= BALANCE_MAX:
            raise TreasuryError("TREASURY_BALANCE_OVERFLOW", field=f"legs[{place}].amount")
        if not 0 <= leg.account <= BALANCE_MAX:
            raise TreasuryError("TREASURY_ACCOUNT_UNKNOWN", field=f"legs[{place}].account")
        totals[leg.currency] += leg.amount
    for currency, total in totals.items():
        if total:
            raise TreasuryError("TREASURY_JOURNAL_UNBALANCED", field="legs", detail=f"{currency} sums to {total}")


def touches(command: Command) -> UUID | int | None:
    """What no other command of the same batch may touch: the hold, or the journal that is reversed."""
    if isinstance(command, Post):
        return None
    return command.journal if isinstance(command, Reverse) else command.hold


def digest(command: Command, *, actor: str) -> bytes:
    """SHA-256 of the whole request: fields in a fixed order, each after its length, so that none passes for another."""
    kind = type(command)
    fields = [OPERATIONS[kind], actor, command.key, str(command.correlation)]
    if isinstance(command, Post | Hold):
        fields.append(joined(f"{leg.account} {leg.amount} {leg.currency}" for leg in command.legs))
    if isinstance(command, Hold | Settle | Void):
        fields.append(str(command.hold))
    if isinstance(command, Hold):
        fields.append(microseconds(command.expires_at))
    if isinstance(command, Settle):
        fields += ["all" if command.amounts is None else joined(map(str, command.amounts)), str(command.release)]
    if isinstance(command, Reverse):
        fields.append(str(command.journal))
    if isinstance(command, Post | Settle | Reverse):
        fields.append(microseconds(command.effective_at))
    if not isinstance(command, Void):
        fields.append(command.description)
    return hashlib.sha256(joined(fields).encode()).digest()


def joined(fields: Iterable[str]) -> str:
    """Fields, each after its length, so that no two lists of them are written alike."""
    return "".join(f"{len(field)}:{field}" for field in fields)


def microseconds(at: datetime | None) -> str:
    """A time as its microseconds since 1970; empty if there is none."""
    # Whole microseconds: a float would take neighbours of a far year for one.
    return "" if at is None else str((at - _EPOCH) // _MICROSECOND)
