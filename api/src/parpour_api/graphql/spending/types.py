"""What the schema shows of a venture's spending. Descriptions here become the SDL's."""

from __future__ import annotations

import json
from datetime import datetime
from enum import Enum

import strawberry
from strawberry.types import Info

from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.trusting import told_limits
from parpour_api.graphql.types import Money, Role, money, session_of
from parpour_treasury.spending import reading
from parpour_treasury.spending.deciding import Verdict as VerdictValue
from parpour_treasury.spending.explaining import Explanation as Explained
from parpour_treasury.spending.register import ChangeState as ChangeRow
from parpour_treasury.spending.register import EnvelopeState, PayeeState, stops_of

Verdict = strawberry.enum(VerdictValue, name="Verdict", description="What becomes of a request.")

NOT_TOLD = "Null to software, which is told no limits."


@strawberry.enum(description="Who pays a payee.")
class PayeeProvider(Enum):
    """Providers; what is internal is metered and paid to nobody."""

    INTERNAL = "internal"
    MERCURY = "mercury"
    STRIPE = "stripe"


@strawberry.enum(description="What a change is about.")
class ChangeKind(Enum):
    """Kinds of changes."""

    MEMBER = "member"
    ENVELOPE = "envelope"
    PAYEE = "payee"
    RULES = "rules"
    RELEASE = "release"
    RESOLUTION = "resolution"
    LIMITS = "limits"


@strawberry.enum(description="Where a change stands.")
class ChangeState(Enum):
    """States of changes."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    REJECTED = "rejected"


@strawberry.type(description="An account of the venture: a person's or an agent's.")
class Member:
    """A member."""

    actor: str
    person: str | None = strawberry.field(
        description="The human behind it, the same for all accounts of one; of an agent, who answers for it."
    )
    roles: list[Role]  # type: ignore[valid-type]
    added_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: reading.MemberState) -> Member:
        """The member of a row."""
        return cls(
            actor=row.actor,
            person=row.person,
            roles=[Role(one) for one in row.roles],
            added_at=row.added_at,
            revoked_at=row.revoked_at,
        )


@strawberry.type(description="A version of the rules; the last one is in force.")
class RuleBook:
    """A version of the rules."""

    version: int
    document: str = strawberry.field(description="JSON, as it was agreed upon.")
    proposed_by: str
    approved_by: str
    effective_at: datetime

    @classmethod
    def of(cls, row: reading.RulesVersion) -> RuleBook:
        """The rules of a row."""
        return cls(
            version=row.version,
            document=row.body,
            proposed_by=row.proposed_by,
            approved_by=row.approved_by,
            effective_at=row.effective_at,
        )


@strawberry.type(description="A budget, or a part of one. A spend counts in its envelope and in each one around it.")
class Envelope:
    """An envelope as it stands."""

    id: strawberry.ID
    code: str
    currency: str
    opens_at: datetime | None
    closes_at: datetime | None
    row: strawberry.Private[EnvelopeState]

    @classmethod
    def of(cls, row: EnvelopeState) -> Envelope:
        """The envelope of a row."""
        return cls(
            id=strawberry.ID(str(row.envelope_id)),
            code=row.code,
            currency=row.currency,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            row=row,
        )

    def _told(self, info: Info, minor: int) -> Money | None:
        return money(minor, self.currency) if told_limits(session_of(info)) else None

    @strawberry.field(description=f"Most of what may be reserved and spent together. {NOT_TOLD}")
    def cap(self, info: Info) -> Money | None:
        """Its cap."""
        return self._told(info, self.row.cap)

    @strawberry.field(description=f"Sum of what is reserved or under way. {NOT_TOLD}")
    def reserved(self, info: Info) -> Money | None:
        """What is reserved."""
        return self._told(info, self.row.reserved)

    @strawberry.field(description=f"Sum of what was settled. {NOT_TOLD}")
    def spent(self, info: Info) -> Money | None:
        """What was spent."""
        return self._told(info, self.row.spent)

    @strawberry.field(description=f"What its cap leaves; the envelopes around it may leave less. {NOT_TOLD}")
    def left(self, info: Info) -> Money | None:
        """What is left of it."""
        return self._told(info, self.row.cap - self.row.reserved - self.row.spent)

    @strawberry.field(description="The envelope around it; null of a budget.")
    async def parent(self, info: Info) -> Envelope | None:
        """What it is a part of."""
        if self.row.parent_id is None:
            return None
        row = await session_of(info).spending.envelopes.load(self.row.parent_id)
        return None if row is None else Envelope.of(row)

    @strawberry.field(description="The envelopes right inside of it, by code.")
    async def children(self, info: Info) -> list[Envelope]:
        """Its parts."""
        return [Envelope.of(row) for row in await session_of(info).spending.within.load(self.row.envelope_id)]


@strawberry.type(description="A name and a value.")
class Pair:
    """An entry of a map."""

    name: str
    value: str


@strawberry.type(description="Whom the venture pays.")
class Payee:
    """A payee as it stands."""

    id: strawberry.ID
    name: str
    category: str
    provider: PayeeProvider
    fingerprint: str = strawberry.field(
        description="SHA-256 of name, category, provider, destination and account: approvals are of it."
    )
    created_at: datetime
    usable_from: datetime = strawberry.field(description="Until then it is paid nothing.")
    held_at: datetime | None = strawberry.field(description="Since when spending on it is stopped.")
    retired_at: datetime | None
    row: strawberry.Private[PayeeState]

    @classmethod
    def of(cls, row: PayeeState) -> Payee:
        """The payee of a row."""
        return cls(
            id=strawberry.ID(str(row.payee_id)),
            name=row.name,
            category=row.category,
            provider=PayeeProvider(row.provider),
            fingerprint=row.fingerprint,
            created_at=row.created_at,
            usable_from=row.usable_from,
            held_at=row.held_at,
            retired_at=row.retired_at,
            row=row,
        )

    @strawberry.field(
        description="What the provider calls the account, and its masked number. Null to software, which needs it not."
    )
    def destination(self, info: Info) -> list[Pair] | None:
        """Where money goes."""
        if not told_limits(session_of(info)):
            return None
        return [Pair(name=name, value=value) for name, value in sorted(self.row.destination.items())]


@strawberry.type(description="The venture: what stops its spending, and by what rules it spends.")
class Venture:
    """A venture."""

    frozen_at: datetime | None = strawberry.field(description="Since when its people have frozen it.")
    frozen_by: str | None
    stopped_at: datetime | None = strawberry.field(description="Since when the kill switch is thrown.")
    stopped_by: str | None
    reason: str = strawberry.field(description="Why it was stopped last.")

    @strawberry.field(description=f"The rules in force. {NOT_TOLD}")
    async def rules(self, info: Info) -> RuleBook | None:
        """The rules in force."""
        session = session_of(info)
        if not told_limits(session):
            return None
        rows = await session.reader.read(
            lambda connection: reading.page_of_rules(
                connection, after=0, before=reading.VERSION_END, limit=1, backward=True
            )
        )
        return RuleBook.of(rows[0]) if rows else None


async def venture_of(session: Session) -> Venture:
    """The venture as it stands.

    Raises:
        TreasuryError: TREASURY_RULES_UNKNOWN, if it was never set up.
    """
    stops = await session.reader.read(stops_of)
    return Venture(
        frozen_at=stops.frozen_at,
        frozen_by=stops.frozen_by,
        stopped_at=stops.stopped_at,
        stopped_by=stops.stopped_by,
        reason=stops.reason,
    )


@strawberry.type(description="One thing that stands against a request.")
class Reason:
    """A reason of a decision."""

    code: str
    subject: str = strawberry.field(description="What it is about, for example envelope/ads.")
    limit: str | None = strawberry.field(description="A count, or minor units.")
    used: str | None = strawberry.field(description="What is taken of the limit.")


@strawberry.type(description="What would become of a request now, and why.")
class Explanation:
    """The answer of a dry run."""

    verdict: Verdict  # type: ignore[valid-type]
    codes: list[str] = strawberry.field(description="What stands against it, each code once.")
    reasons: list[Reason] | None = strawberry.field(description=f"The same with limits. {NOT_TOLD}")
    lines: list[str] | None = strawberry.field(description=f"The same in words. {NOT_TOLD}")
    quorum: int | None = strawberry.field(description=f"How many people have to approve. {NOT_TOLD}")

    @classmethod
    def of(cls, told: Explained) -> Explanation:
        """The explanation as the one who asks may know it."""
        people = told.quorum is not None
        return cls(
            verdict=told.verdict,
            codes=list(told.codes),
            reasons=[reason(one.to_json()) for one in told.reasons] if people else None,
            lines=list(told.lines) if people else None,
            quorum=told.quorum,
        )


def reason(row: dict[str, object]) -> Reason:
    """A reason as it is recorded."""

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    return Reason(code=str(row["code"]), subject=str(row["subject"]), limit=text(row["limit"]), used=text(row["used"]))


@strawberry.type(description="A proposal about what decides about money: one person proposes it, another confirms it.")
class Change:
    """A change."""

    id: strawberry.ID
    kind: ChangeKind
    body: str = strawberry.field(description="What would be put in place, as JSON.")
    digest: str = strawberry.field(description="What a confirmation is of, in hexadecimal.")
    state: ChangeState
    proposed_by: str
    proposed_at: datetime
    expires_at: datetime = strawberry.field(description="Until when it can be confirmed.")
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, row: ChangeRow) -> Change:
        """The change of a row."""
        return cls(
            id=strawberry.ID(str(row.change_id)),
            kind=ChangeKind(row.kind),
            body=json.dumps(json.loads(row.body), ensure_ascii=False),
            digest=row.digest.hex(),
            state=ChangeState(row.state),
            proposed_by=row.proposed_by,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )
