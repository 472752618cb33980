"""Changes of what decides about money, as typed bodies.

A change is proposed by one person and confirmed by another; its digest says of what the confirmation is. What only
stops spending (freezing, holding a payee, revoking an account) is no change: it needs one person and takes effect at
once.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from parpour_contracts.model import Document
from parpour_treasury.commands import check_limits, joined
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.rules import Amount, Currency, Name, Role, RuleBook


def _shown_as_it_is(text: str) -> str:
    # What turns the direction of a text, or has no width, makes a name look like another one to who confirms it.
    if not text.isprintable():
        raise ValueError("printable characters alone")
    return text


Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_shown_as_it_is),
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class MemberBody(Document):
    """An account of the venture: new, with other roles, or taken back after it was revoked."""

    actor: Annotated[
        str,
        StringConstraints(pattern=r"^(user|agent):[^\x00-\x20\x7f]+$", max_length=200),
        AfterValidator(_shown_as_it_is),
    ]
    person: Text | None = None
    """The human behind it; of an agent, who answers for it."""
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _software_is_no_person(self) -> MemberBody:
        if self.actor.startswith("user:"):
            if self.person is None or "agent" in self.roles:
                raise ValueError("a person's account names the person, and is no agent")
        elif not set(self.roles) <= {"agent", "auditor"}:
            raise ValueError("an agent has the roles agent and auditor alone")
        return self


class EnvelopeBody(Document):
    """An envelope: new, or with another cap or other times."""

    envelope: UUID
    parent: UUID | None = None
    """The envelope around it; none for a budget."""
    code: Name
    currency: Currency
    cap: Amount
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None


class PayeeBody(Document):
    """A payee: new, with another name or account, or retired."""

    payee: UUID
    name: Text
    category: Name
    provider: Literal["internal", "mercury", "stripe"]
    destination: dict[str, str]
    """What the provider calls the account, and its masked number."""
    account: Digest
    """`asks.account_digest` of the account's data."""
    retired: bool = False


class RulesBody(Document):
    """The next version of the rules."""

    version: Annotated[int, Field(ge=1)]
    """One above the version in force: another change in between makes this one stale."""
    rules: RuleBook


class ReleaseBody(Document):
    """Let go what one person has stopped."""

    what: Literal["freeze", "kill-switch", "payee"]
    payee: UUID | None = None

    @model_validator(mode="after")
    def _names_its_payee(self) -> ReleaseBody:
        if (self.what == "payee") != (self.payee is not None):
            raise ValueError("a payee is named to release a payee")
        return self


class ResolutionBody(Document):
    """What people found out about a payment of which the provider tells nothing."""

    spend: UUID
    outcome: Literal["sent", "failed"]
    provider_reference: Text | None = None
    evidence: dict[str, Any]


class LimitsBody(Document):
    """Other limits of an account that spends take from, in its own direction; one that is left out is taken away."""

    account: Annotated[int, Field(ge=1, lt=2**63)]
    minimum: int | None = None
    maximum: int | None = None

    @model_validator(mode="after")
    def _within_what_books_hold(self) -> LimitsBody:
        try:
            check_limits(self.minimum, self.maximum)
        except TreasuryError as error:
            raise ValueError(str(error)) from None
        return self


Body = MemberBody | EnvelopeBody | PayeeBody | RulesBody | ReleaseBody | ResolutionBody | LimitsBody

KINDS: dict[str, type[Body]] = {
    "member": MemberBody,
    "envelope": EnvelopeBody,
    "payee": PayeeBody,
    "rules": RulesBody,
    "release": ReleaseBody,
    "resolution": ResolutionBody,
    "limits": LimitsBody,
}
"""What each kind of change is about."""


def kind_of(body: Body) -> str:
    """What the database calls a change."""
    return next(kind for kind, model in KINDS.items() if isinstance(body, model))


def read_body(kind: str, text: str | bytes) -> Body:
    """A change's body from JSON.

    Raises:
        TreasuryError: TREASURY_CHANGE_MALFORMED, naming the field.
    """
    model = KINDS.get(kind)
    if model is None:
        raise TreasuryError("TREASURY_CHANGE_MALFORMED", field="kind", detail="no such kind of change")
    try:
        return model.from_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise TreasuryError("TREASURY_CHANGE_MALFORMED", field=path, detail=first["msg"]) from None


def body_text(body: Body) -> str:
    """The body as the database keeps it and digests take it."""
    return json.dumps(body.to_wire(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def change_digest(change: UUID, body: Body) -> bytes:
    """What a confirmation is of, the same as treasury.change_digest computes."""
    return hashlib.sha256(joined(["change/1", str(change), kind_of(body), body_text(body)]).encode()).digest()
