"""A spend in the schema, from the request to what became of its payment."""

from __future__ import annotations

import json
from datetime import datetime

import strawberry
from strawberry.types import Info

from parpour_api.graphql.spending.trusting import told_limits
from parpour_api.graphql.spending.types import NOT_TOLD, Envelope, Payee, PayeeProvider, Reason, Verdict, reason
from parpour_api.graphql.types import Hold, Journal, Money, money, session_of
from parpour_treasury.spending import reading, register
from parpour_treasury.spending.deciding import Asked, Decision, decide
from parpour_treasury.spending.facts import Facts
from parpour_treasury.spending.states import State
from parpour_treasury.spending.states import Step as StepValue

SpendState = strawberry.enum(State, name="SpendState", description="Where a spend stands.")
SpendStep = strawberry.enum(StepValue, name="SpendStep", description="What happens to a spend.")
ApprovalVerdict = strawberry.enum(
    reading.ApprovalVerdict, name="ApprovalVerdict", description="What a person said of a request."
)


@strawberry.type(description="What a person has approved or rejected.")
class Approval:
    """An approval or a rejection."""

    person: str
    actor: str
    verdict: ApprovalVerdict  # type: ignore[valid-type]
    authenticated_at: datetime
    decided_at: datetime


@strawberry.type(description="What was decided about a spend, from which facts, by which rules.")
class SpendDecision:
    """A decision as it was recorded."""

    number: int
    decided_at: datetime
    rules_version: int
    verdict: Verdict  # type: ignore[valid-type]
    reasons: list[Reason]
    allowed_by: str | None = strawberry.field(description="The rule that allows it.")
    quorum: int = strawberry.field(description="How many people had to approve.")
    asked: str = strawberry.field(description="What was asked, as JSON.")
    facts: str = strawberry.field(description="The facts that it was decided from, as JSON.")
    answer: strawberry.Private[str]

    @classmethod
    def of(cls, row: reading.DecisionRow) -> SpendDecision:
        """The decision of a row."""
        answer = json.loads(row.answer)
        return cls(
            number=row.number,
            decided_at=row.decided_at,
            rules_version=row.rules_version,
            verdict=Verdict(answer["verdict"]),
            reasons=[reason(one) for one in answer["reasons"]],
            allowed_by=answer["allowed_by"],
            quorum=answer["quorum"],
            asked=row.asked,
            facts=row.facts,
            answer=row.answer,
        )

    @strawberry.field(description="Whether the same facts and rules decide the same when they are asked again.")
    async def replays(self, info: Info) -> bool:
        """Decide it again."""
        rules = await session_of(info).spending.rules.load(self.rules_version)
        facts, asked = Facts.from_json(json.loads(self.facts)), Asked.from_json(json.loads(self.asked))
        return decide(rules, facts, asked) == Decision.from_json(json.loads(self.answer))


@strawberry.type(description="What a provider, or two people, told of a payment.")
class PaymentOutcome:
    """An outcome."""

    step: SpendStep  # type: ignore[valid-type]
    reference: str = strawberry.field(description="What told it, for example the provider's event.")
    provider_reference: str | None
    evidence: str = strawberry.field(description="JSON.")
    fee: Money
    actor: str
    recorded_at: datetime


@strawberry.type(description="How far a payment has come.")
class PaymentCourse:
    """A payment's course."""

    attempts: int = strawberry.field(description="How often it was sent.")
    questions: int = strawberry.field(description="How often the provider was asked since the last news.")
    asks_person: bool = strawberry.field(description="Whether only people can tell what became of it.")
    next_at: datetime | None = strawberry.field(description="When there is something to do again.")
    updated_at: datetime

    @classmethod
    def of(cls, row: reading.CourseState) -> PaymentCourse:
        """The course of a row."""
        history = json.loads(row.history)
        return cls(
            attempts=history.get("attempts", 0),
            questions=history.get("questions", 0),
            asks_person=row.asks_person,
            next_at=row.next_at,
            updated_at=row.updated_at,
        )


@strawberry.type(description="What was asked to be spent, and what became of it.")
class Spend:
    """A spend as it stands."""

    id: strawberry.ID
    state: SpendState  # type: ignore[valid-type]
    step: SpendStep = strawberry.field(description="What happened to it last.")  # type: ignore[valid-type]
    amount: Money
    settled: Money = strawberry.field(description="What was paid or used; zero until then.")
    purpose: str
    category: str | None
    provider: PayeeProvider | None
    actor: str = strawberry.field(description="Who asked.")
    digest: str = strawberry.field(description="What an approval is of, in hexadecimal.")
    code: str | None = strawberry.field(description="Why it was refused.")
    rules_version: int
    provider_reference: str | None
    requested_at: datetime
    expires_at: datetime = strawberry.field(description="Until when it may be approved and sent.")
    changed_at: datetime
    changed_by: str
    submitted_at: datetime | None
    row: strawberry.Private[register.Spend]

    @classmethod
    def of(cls, row: register.Spend) -> Spend:
        """The spend of a row."""
        return cls(
            id=strawberry.ID(str(row.spend_id)),
            state=row.state,
            step=row.step,
            amount=money(row.amount, row.currency),
            settled=money(row.settled, row.currency),
            purpose=row.purpose,
            category=row.category,
            provider=None if row.provider is None else PayeeProvider(row.provider),
            actor=row.actor,
            digest=row.digest.hex(),
            code=row.code,
            rules_version=row.rules_version,
            provider_reference=row.provider_reference,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
            submitted_at=row.submitted_at,
            row=row,
        )

    @strawberry.field(description=f"How many people have to approve; 0 if none. {NOT_TOLD}")
    def quorum(self, info: Info) -> int | None:
        """Its quorum."""
        return self.row.quorum if told_limits(session_of(info)) else None

    @strawberry.field(description="Null if the request named none of the venture's.")
    async def envelope(self, info: Info) -> Envelope | None:
        """What it is taken from."""
        wanted = self.row.envelope_id
        row = None if wanted is None else await session_of(info).spending.envelopes.load(wanted)
        return None if row is None else Envelope.of(row)

    @strawberry.field(description="Null if the request named none of the venture's.")
    async def payee(self, info: Info) -> Payee | None:
        """Who is paid."""
        wanted = self.row.payee_id
        row = None if wanted is None else await session_of(info).spending.payees.load(wanted)
        return None if row is None else Payee.of(row)

    @strawberry.field(description=f"What the books keep for it. {NOT_TOLD}")
    async def hold(self, info: Info) -> Hold | None:
        """Its hold."""
        session, wanted = session_of(info), self.row.hold_id
        if wanted is None or not told_limits(session):
            return None
        row = await session.spending.holds.load(wanted)
        return None if row is None else Hold.of(row)

    @strawberry.field(description="Who has approved or rejected it. Null to software.")
    async def approvals(self, info: Info) -> list[Approval] | None:
        """Its approvals."""
        session = session_of(info)
        if not told_limits(session):
            return None
        rows = await session.spending.approvals.load(self.row.spend_id)
        return [
            Approval(
                person=one.person,
                actor=one.actor,
                verdict=ApprovalVerdict(one.verdict),
                authenticated_at=one.authenticated_at,
                decided_at=one.decided_at,
            )
            for one in rows
        ]

    @strawberry.field(description=f"What was decided about it. {NOT_TOLD}")
    async def decisions(self, info: Info) -> list[SpendDecision] | None:
        """Its decisions."""
        session = session_of(info)
        if not told_limits(session):
            return None
        return [SpendDecision.of(row) for row in await session.spending.decisions.load(self.row.spend_id)]

    @strawberry.field(description="How far its payment has come; null before one is sent, and to software.")
    async def course(self, info: Info) -> PaymentCourse | None:
        """Its payment's course."""
        session = session_of(info)
        row = await session.spending.courses.load(self.row.spend_id) if told_limits(session) else None
        return None if row is None else PaymentCourse.of(row)

    @strawberry.field(description="What was told of its payment. Null to software.")
    async def outcomes(self, info: Info) -> list[PaymentOutcome] | None:
        """Its payment's outcomes."""
        session = session_of(info)
        if not told_limits(session):
            return None
        return [
            PaymentOutcome(
                step=one.step,
                reference=one.reference,
                provider_reference=one.provider_reference,
                evidence=one.evidence,
                fee=money(one.fee, self.row.currency),
                actor=one.actor,
                recorded_at=one.recorded_at,
            )
            for one in await session.spending.outcomes.load(self.row.spend_id)
        ]

    @strawberry.field(description=f"The journals that it came to. {NOT_TOLD}")
    async def journals(self, info: Info) -> list[Journal] | None:
        """Its journals."""
        session = session_of(info)
        if not told_limits(session):
            return None
        return [Journal.of(row) for row in await session.spending.journals.load(self.row.spend_id)]
