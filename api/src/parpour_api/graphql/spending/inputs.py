"""What callers write about spending, read strictly and turned into what the authority takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from pydantic import ValidationError

from parpour_api.graphql.session import hold_id
from parpour_api.graphql.spending.trusting import named
from parpour_treasury.commands import encodable
from parpour_treasury.currencies import parse_amount, parse_limit
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import RequestSpend
from parpour_treasury.spending.changes import Body


@strawberry.enum(description="What can be let go.")
class ReleaseKind(Enum):
    """What one person stops and two let go."""

    FREEZE = "freeze"
    KILL_SWITCH = "kill-switch"
    PAYEE = "payee"


@strawberry.enum(description="What became of a payment.")
class ResolvedAs(Enum):
    """What people find out."""

    SENT = "sent"
    FAILED = "failed"


PAIRS_MAX = 20
PAIR_MAX = 500
"""Characters of a name or a value."""

B = TypeVar("B", bound=Body)


@strawberry.input(description="What is to be spent.")
class SpendInput:
    """A request as a caller writes it."""

    envelope: strawberry.ID
    payee: strawberry.ID
    amount: str = strawberry.field(description="Decimal text above zero, such as 12.50.")
    currency: str
    purpose: str = strawberry.field(description="1 to 500 printable characters.")
    lifetime_seconds: int | None = strawberry.field(
        description="How long it may wait for approvals and payment; as long as the rules let it, if not given.",
        default=None,
    )

    def parsed(self, key: str) -> RequestSpend:
        """The request, checked as far as it can be without the venture.

        Raises:
            TreasuryError: AMOUNT_…, CURRENCY_UNKNOWN, TREASURY_BALANCE_OVERFLOW, TREASURY_ENVELOPE_UNKNOWN,
                TREASURY_PAYEE_UNKNOWN or TREASURY_COMMAND_MALFORMED.
        """
        return RequestSpend(
            key=key,
            envelope=named(self.envelope, "TREASURY_ENVELOPE_UNKNOWN", "envelope"),
            payee=named(self.payee, "TREASURY_PAYEE_UNKNOWN", "payee"),
            amount=parse_amount(self.amount, self.currency),
            currency=self.currency,
            purpose=self.purpose,
            lifetime_seconds=self.lifetime_seconds,
        )


@strawberry.input(description="A name and a value.")
class PairInput:
    """An entry of a map."""

    name: str
    value: str


def pairs(given: Sequence[PairInput], field: str) -> dict[str, str]:
    """A map of pairs.

    Raises:
        TreasuryError: TREASURY_CHANGE_MALFORMED.
    """
    if len(given) > PAIRS_MAX or len({one.name for one in given}) < len(given):
        raise TreasuryError(
            "TREASURY_CHANGE_MALFORMED", field=field, detail=f"up to {PAIRS_MAX} pairs, no name given twice"
        )
    for one in given:
        if not all(1 <= len(text) <= PAIR_MAX and text.isprintable() for text in (one.name, one.value)):
            raise TreasuryError(
                "TREASURY_CHANGE_MALFORMED", field=field, detail=f"1 to {PAIR_MAX} printable characters each"
            )
    return {one.name: one.value for one in given}


def body_of(make: Callable[..., B], **fields: Any) -> B:
    """The body of a change.

    Raises:
        TreasuryError: TREASURY_CHANGE_MALFORMED, naming the field.
    """
    for name, value in fields.items():
        if isinstance(value, str) and not encodable(value):
            raise TreasuryError("TREASURY_CHANGE_MALFORMED", field=name, detail="no text in UTF-8")
    try:
        return make(**fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise TreasuryError("TREASURY_CHANGE_MALFORMED", field=path, detail=first["msg"]) from None


def digest_of(text: str) -> bytes:
    """The digest of what a person was shown.

    Raises:
        TreasuryError: TREASURY_COMMAND_MALFORMED.
    """
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32 or digest.hex() != text:
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="digest", detail="64 hexadecimal digits in lower case")
    return digest


def cap_of(text: str, currency: str) -> int:
    """A cap, which may be zero.

    Raises:
        TreasuryError: AMOUNT_… or CURRENCY_UNKNOWN.
    """
    cap = parse_limit(text, currency, field="cap")
    if cap < 0:
        raise TreasuryError("AMOUNT_NOT_POSITIVE", field="cap", detail="a cap is not below zero")
    return cap


def new_or_named(text: str | None, otherwise: UUID, field: str) -> UUID:
    """The id that a caller gives to a new thing, or the one that follows from the key.

    Raises:
        TreasuryError: TREASURY_CHANGE_MALFORMED.
    """
    if text is None:
        return otherwise
    known = hold_id(text)
    if known is None or known.int in (0, 2**128 - 1):
        raise TreasuryError("TREASURY_CHANGE_MALFORMED", field=field, detail="a UUID")
    return known


def zoned(at: datetime | None, field: str) -> datetime | None:
    """A time that states its zone.

    Raises:
        TreasuryError: TREASURY_CHANGE_MALFORMED.
    """
    if at is not None and at.tzinfo is None:
        raise TreasuryError("TREASURY_CHANGE_MALFORMED", field=field, detail="a time states its zone")
    return at
