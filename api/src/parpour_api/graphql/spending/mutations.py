"""Mutations of spends: ask, approve, reject, cancel; and settle or renew what is metered.

A request that the rules refuse has an answer of its own: the decision is kept, and every code that stood against the
request is told.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Key, Refusal, answered
from parpour_api.graphql.session import Session
from parpour_api.graphql.spending.asking import asked, stepped_up
from parpour_api.graphql.spending.inputs import SpendInput, digest_of
from parpour_api.graphql.spending.spends import Spend
from parpour_api.graphql.spending.trusting import named
from parpour_api.graphql.types import session_of
from parpour_treasury.currencies import parse_amount, parse_limit
from parpour_treasury.refusals import REFUSALS, TreasuryError
from parpour_treasury.spending.asks import Approve, Ask, Cancel, Reject, Renew, SettleSpend, SpendOutcome

Digest = Annotated[str, strawberry.argument(description="Of what the person was shown, in hexadecimal.")]


@strawberry.type(description="A request was decided and goes on: it is reserved, or waits for people.")
class RequestedSpend:
    """Result of requestSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="The rules refused it. The decision is kept.")
class RefusedSpend:
    """Result of what is decided."""

    code: str = strawberry.field(description="The first of the codes.")
    codes: list[str] = strawberry.field(description="Everything that stood against it, each code once.")
    message: str
    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="An approval counts; the spend is reserved, or waits for more.")
class ApprovedSpend:
    """Result of approveSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="A request was rejected.")
class RejectedSpend:
    """Result of rejectSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="A request or a reservation was taken back.")
class CancelledSpend:
    """Result of cancelSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="An internal spend was settled by what was used.")
class SettledSpend:
    """Result of settleSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


@strawberry.type(description="The reservation of an internal spend was raised.")
class RenewedSpend:
    """Result of renewSpend."""

    spend: Spend
    replayed: bool = strawberry.field(description="Whether the key was answered before.")


RequestSpendResult = Annotated[RequestedSpend | RefusedSpend | Refusal, strawberry.union("RequestSpendResult")]
ApproveSpendResult = Annotated[ApprovedSpend | RefusedSpend | Refusal, strawberry.union("ApproveSpendResult")]
RejectSpendResult = Annotated[RejectedSpend | Refusal, strawberry.union("RejectSpendResult")]
CancelSpendResult = Annotated[CancelledSpend | Refusal, strawberry.union("CancelSpendResult")]
SettleSpendResult = Annotated[SettledSpend | Refusal, strawberry.union("SettleSpendResult")]
RenewSpendResult = Annotated[RenewedSpend | Refusal, strawberry.union("RenewSpendResult")]


async def _done(session: Session, ask: Ask) -> tuple[Spend, SpendOutcome]:
    outcome, row = await asked(session, ask)
    return Spend.of(row), outcome


def _refused(spend: Spend, outcome: SpendOutcome) -> RefusedSpend | None:
    if outcome.accepted:
        return None
    code = outcome.codes[0]
    return RefusedSpend(
        code=code, codes=list(outcome.codes), message=REFUSALS[code], spend=spend, replayed=outcome.replayed
    )


def _known(spend: strawberry.ID) -> UUID:
    return named(spend, "TREASURY_SPEND_UNKNOWN", "spend")


async def _currency(session: Session, spend: UUID) -> str:
    row = await session.spending.spends.load(spend)
    if row is None:
        raise TreasuryError("TREASURY_SPEND_UNKNOWN", field="spend")
    return row.currency


@strawberry.type
class SpendMutation:
    """Root fields of what happens to spends."""

    @strawberry.mutation(description="Ask to spend. It is decided at once.")
    async def request_spend(self, info: Info, key: Key, spend: SpendInput) -> RequestSpendResult:
        """Ask to spend."""
        session = session_of(info)

        async def work() -> RequestedSpend | RefusedSpend:
            made, outcome = await _done(session, spend.parsed(key))
            return _refused(made, outcome) or RequestedSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "requestSpend", work)

    @strawberry.mutation(
        description="Approve a request, as a person who has just authenticated and is not the one who asked."
    )
    async def approve_spend(self, info: Info, key: Key, spend: strawberry.ID, digest: Digest) -> ApproveSpendResult:
        """Approve a request."""
        session = session_of(info)

        async def work() -> ApprovedSpend | RefusedSpend:
            ask = Approve(key=key, spend=_known(spend), digest=digest_of(digest), authenticated_at=stepped_up(session))
            made, outcome = await _done(session, ask)
            return _refused(made, outcome) or ApprovedSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "approveSpend", work)

    @strawberry.mutation(description="Reject a request, as a person; one suffices.")
    async def reject_spend(self, info: Info, key: Key, spend: strawberry.ID) -> RejectSpendResult:
        """Reject a request."""
        session = session_of(info)

        async def work() -> RejectedSpend:
            ask = Reject(key=key, spend=_known(spend), authenticated_at=stepped_up(session))
            made, outcome = await _done(session, ask)
            return RejectedSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "rejectSpend", work)

    @strawberry.mutation(description="Take a request or a reservation back before it is sent.")
    async def cancel_spend(self, info: Info, key: Key, spend: strawberry.ID) -> CancelSpendResult:
        """Cancel a spend."""
        session = session_of(info)

        async def work() -> CancelledSpend:
            made, outcome = await _done(session, Cancel(key=key, spend=_known(spend)))
            return CancelledSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "cancelSpend", work)

    @strawberry.mutation(description="Settle an internal spend by what was used; the rest becomes free.")
    async def settle_spend(
        self,
        info: Info,
        key: Key,
        spend: strawberry.ID,
        amount: Annotated[str, strawberry.argument(description="Decimal text, 0 if nothing was used.")],
    ) -> SettleSpendResult:
        """Settle an internal spend."""
        session = session_of(info)

        async def work() -> SettledSpend:
            known = _known(spend)
            used = parse_limit(amount, await _currency(session, known), field="amount")
            made, outcome = await _done(session, SettleSpend(key=key, spend=known, amount=used))
            return SettledSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "settleSpend", work)

    @strawberry.mutation(
        description="Raise the reservation of an internal spend, and let it live on; decided about the difference."
    )
    async def renew_spend(
        self,
        info: Info,
        key: Key,
        spend: strawberry.ID,
        amount: Annotated[str, strawberry.argument(description="What is added; decimal text above zero.")],
        lifetime_seconds: int | None = None,
    ) -> RenewSpendResult:
        """Renew an internal spend."""
        session = session_of(info)

        async def work() -> RenewedSpend:
            known = _known(spend)
            added = parse_amount(amount, await _currency(session, known))
            ask = Renew(key=key, spend=known, amount=added, lifetime_seconds=lifetime_seconds)
            made, outcome = await _done(session, ask)
            return RenewedSpend(spend=made, replayed=outcome.replayed)

        return await answered(session, "renewSpend", work)
