"""The rule book of a venture: one versioned document that says what may be spent. What it does not allow is refused.

Amounts are minor units. Selectors that are left out match everything, but a rule always names a currency and a cap.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError, model_validator

from parpour_contracts.model import Document
from parpour_treasury.commands import BALANCE_MAX
from parpour_treasury.currencies import EXPONENTS
from parpour_treasury.refusals import TreasuryError

Role = Literal["owner", "treasurer", "approver", "agent", "auditor"]
ApproverRole = Literal["owner", "treasurer", "approver"]
Scope = Literal["payee", "category", "agent", "venture"]
Amount = Annotated[int, Field(strict=True, ge=0, le=BALANCE_MAX)]
Seconds = Annotated[int, Field(strict=True, ge=1, le=366 * 86_400)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=100)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Allow(Document):
    """Who may spend how much at once, from what, on whom. One rule that matches suffices."""

    name: Name
    currency: Currency
    per_action: Amount
    """Most of one spend."""
    roles: tuple[Role, ...] | None = None
    actors: tuple[str, ...] | None = None
    envelopes: tuple[Name, ...] | None = None
    categories: tuple[Name, ...] | None = None
    payees: tuple[str, ...] | None = None
    """Ids."""


class Tier(Document):
    """From which sum on how many people have to approve.

    The sum is what the payee was granted within the approval window with the request in hand, so that a split changes
    nothing.
    """

    currency: Currency
    above: Amount
    """The tier counts for sums above it."""
    quorum: Annotated[int, Field(strict=True, ge=1, le=10)]
    roles: Annotated[tuple[ApproverRole, ...], Field(min_length=1)] = ("approver", "owner", "treasurer")


class Window(Document):
    """How many spends and how much within a time, for each payee, category or agent, or the whole venture."""

    name: Name
    scope: Scope
    currency: Currency
    seconds: Seconds
    most_count: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] | None = None
    most_total: Amount | None = None


class Reserve(Document):
    """An amount of an account that spending leaves there. Reserves of one account add up."""

    name: Name
    account: Annotated[str, StringConstraints(pattern=r"^[a-z0-9:_-]+$", max_length=200)]
    amount: Amount


class RuleBook(Document):
    """Everything that a venture's people agreed about spending."""

    allow: Annotated[tuple[Allow, ...], Field(max_length=200)] = ()
    tiers: Annotated[tuple[Tier, ...], Field(max_length=50)] = ()
    approval_window_seconds: Seconds = 30 * 86_400
    windows: Annotated[tuple[Window, ...], Field(max_length=50)] = ()
    reserves: Annotated[tuple[Reserve, ...], Field(max_length=50)] = ()
    payee_cool_off_seconds: Annotated[int, Field(strict=True, ge=0, le=90 * 86_400)] = 86_400
    """How long a new or changed payee gets nothing."""
    lifetime_seconds: Seconds = 86_400
    """How long a request may wait for approvals and for its payment, at most."""
    change_lifetime_seconds: Seconds = 7 * 86_400
    """How long a proposed change may wait for its confirmation."""
    step_up_seconds: Seconds = 300
    """How long ago a person may have authenticated who approves or confirms."""

    @model_validator(mode="after")
    def _names_tell_apart(self) -> RuleBook:
        for rows in (self.allow, self.windows, self.reserves):
            names = [row.name for row in rows]
            if len(set(names)) != len(names):
                raise ValueError("names are given twice")
        named = [one.currency for one in self.allow] + [one.currency for one in self.tiers]
        for currency in (*named, *(one.currency for one in self.windows)):
            if currency not in EXPONENTS:
                raise ValueError(f"{currency} is no currency")
        for window in self.windows:
            if window.most_count is None and window.most_total is None:
                raise ValueError(f"window {window.name} limits nothing")
        return self

    def currencies(self) -> tuple[str, ...]:
        """Currencies in which anything may be spent, by name."""
        return tuple(sorted({one.currency for one in self.allow}))


def read_rules(text: str | bytes) -> RuleBook:
    """A rule book from its document (JSON, camelCase).

    Raises:
        TreasuryError: TREASURY_RULES_MALFORMED, naming the field.
    """
    try:
        return RuleBook.from_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise TreasuryError("TREASURY_RULES_MALFORMED", field=path, detail=first["msg"]) from None
