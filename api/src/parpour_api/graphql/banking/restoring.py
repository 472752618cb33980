"""Restore mode over GraphQL: whether payments may be sent, what stands against it, and what people do about it.

One person locks, at once. To unlock takes a review of every provider, a record of what was found there, and two people.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.answering import Refusal, answered
from parpour_api.graphql.banking.mutations import Evidence, evidence_of
from parpour_api.graphql.banking.values import numbers_of, page_in
from parpour_api.graphql.paging import After, Before, Connection, First, Last, connection_of
from parpour_api.graphql.session import Session, number
from parpour_api.graphql.types import Money, money, session_of
from parpour_treasury.currencies import parse_amount
from parpour_treasury.reconciliation import reading
from parpour_treasury.reconciliation.restore import ProviderPayment, Restore
from parpour_treasury.refusals import TreasuryError

PAYMENTS_MAX = 5000
"""Payments of one review."""
REFERENCE_MAX = 200
PROVIDER_MAX = 35
REASON_MAX = 2000


@strawberry.type(description="A provider's list of payments, compared with the books.")
class ProviderReview:
    """A review."""

    number: strawberry.ID
    provider: str
    as_of: datetime = strawberry.field(description="When the provider gave the list.")
    payments: int
    unknown: int = strawberry.field(description="Payments that the books did not have.")
    sha256: str = strawberry.field(description="Of the list.")
    made_at: datetime
    made_by: str

    @classmethod
    def of(cls, row: reading.ProviderReview) -> ProviderReview:
        """The review of a row."""
        return cls(
            number=strawberry.ID(str(row.review)),
            provider=row.provider,
            as_of=row.as_of,
            payments=row.payments,
            unknown=row.unknown,
            sha256=row.digest.hex(),
            made_at=row.made_at,
            made_by=row.made_by,
        )


@strawberry.type(description="A payment that a provider knew and the books did not.")
class FoundPayment:
    """A payment that was found."""

    provider: str
    reference: str
    amount: Money
    sent_at: datetime
    spend: UUID | None = strawberry.field(description="The spend that the provider's data names.")
    journal: strawberry.ID | None = strawberry.field(description="What brought it into the books.")
    evidence: str | None
    recorded_at: datetime | None
    recorded_by: str | None

    @classmethod
    def of(cls, row: reading.FoundPayment) -> FoundPayment:
        """The payment of a row."""
        return cls(
            provider=row.provider,
            reference=row.reference,
            amount=money(row.amount, row.currency),
            sent_at=row.sent_at,
            spend=row.correlation,
            journal=None if row.journal is None else strawberry.ID(str(row.journal)),
            evidence=row.evidence,
            recorded_at=row.recorded_at,
            recorded_by=row.recorded_by,
        )


@strawberry.type(description="Whether payments may be sent.")
class PaymentLock:
    """The lock of payments."""

    locked: bool
    epoch: strawberry.ID = strawberry.field(description="Raised each time that people unlock.")
    sent: str = strawberry.field(description="Payments that were allowed to be sent.")
    providers: list[str] = strawberry.field(description="Providers to which payments were sent.")
    locked_at: datetime | None
    locked_by: str | None
    reason: str | None
    proposed_by: str | None = strawberry.field(description="Who proposes to unlock.")
    evidence: str | None

    @strawberry.field(description="Reviews of providers, in their order.")
    async def reviews(
        self, info: Info, first: First = None, last: Last = None, after: After = None, before: Before = None
    ) -> Connection[ProviderReview]:
        """A page of reviews."""
        session, scope = session_of(info), "reviews"
        page = page_in(session, scope, first, last, after, before)
        low, high = numbers_of(page)
        rows = await session.reader.read(
            lambda connection: reading.page_of_reviews(
                connection, after=low, before=high, limit=page.read_limit, backward=page.backward
            )
        )
        return connection_of(rows, page, node=ProviderReview.of, cursor=lambda row: session.cursor(scope, row.review))

    @strawberry.field(description="Payments that were found at providers, by provider and reference.")
    async def found(self, info: Info, first: First = None, after: After = None) -> Connection[FoundPayment]:
        """A page of payments."""
        session, scope = session_of(info), "found"
        page = page_in(session, scope, first, None, after, None)
        behind = ("", "") if page.after is None else (str(page.after[0]), str(page.after[1]))
        rows = await session.reader.read(
            lambda connection: reading.page_of_found(connection, after=behind, limit=page.read_limit)
        )
        return connection_of(
            rows, page, node=FoundPayment.of, cursor=lambda row: session.cursor(scope, row.provider, row.reference)
        )


async def payment_lock(session: Session) -> PaymentLock | None:
    """The lock as it stands; None if nothing was ever sent or locked."""
    row = await session.reader.read(reading.dispatch)
    if row is None:
        return None
    return PaymentLock(
        locked=row.locked_at is not None,
        epoch=strawberry.ID(str(row.epoch)),
        sent=str(row.counter),
        providers=list(row.providers),
        locked_at=row.locked_at,
        locked_by=row.locked_by,
        reason=row.reason,
        proposed_by=row.proposed_by,
        evidence=row.evidence,
    )


@strawberry.type(description="The lock of payments as it stands now.")
class ChangedLock:
    """Result of what is done about the lock."""

    lock: PaymentLock
    changed: bool = strawberry.field(description="Whether it was otherwise before.")


@strawberry.type(description="A provider's list was compared with the books.")
class ReviewedProvider:
    """Result of reviewProvider."""

    review: strawberry.ID
    unknown: int = strawberry.field(description="Payments that only the provider knows: each has to be recorded.")


LockPaymentsResult = Annotated[ChangedLock | Refusal, strawberry.union("LockPaymentsResult")]
ReviewProviderResult = Annotated[ReviewedProvider | Refusal, strawberry.union("ReviewProviderResult")]


@strawberry.input(description="A payment as its provider lists it.")
class ProviderPaymentInput:
    """A payment of a list."""

    reference: str = strawberry.field(description="The provider's id of it.")
    amount: str = strawberry.field(description="Decimal text above zero.")
    currency: str
    sent_at: datetime
    spend: UUID | None = strawberry.field(description="The spend that its metadata names.", default=None)

    def parsed(self, path: str) -> ProviderPayment:
        """The payment, checked as far as it can be without the books.

        Raises:
            TreasuryError: AMOUNT_…, CURRENCY_UNKNOWN or TREASURY_COMMAND_MALFORMED.
        """
        return ProviderPayment(
            reference=_text(self.reference, f"{path}.reference", REFERENCE_MAX),
            amount=parse_amount(self.amount, self.currency, field=f"{path}.amount"),
            currency=self.currency,
            sent_at=self.sent_at,
            correlation=self.spend,
        )


def _text(value: str, field: str, most: int) -> str:
    if not (value.isprintable() and len(value.strip()) >= 1 and len(value) <= most):
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field=field, detail=f"1 to {most} printable characters")
    return value


async def _changed(session: Session, *, changed: bool = True) -> ChangedLock:
    await session.written()
    lock = await payment_lock(session)
    if lock is None:
        raise TreasuryError("DISPATCH_NOT_LOCKED")
    return ChangedLock(lock=lock, changed=changed)


@strawberry.type
class RestoreMutation:
    """Root fields of what is done about the lock of payments."""

    @strawberry.mutation(description="Let no payment be sent any more, until two people unlock.")
    async def lock_payments(self, info: Info, reason: str) -> LockPaymentsResult:
        """Lock at once, by one person."""
        session = session_of(info)

        async def work() -> ChangedLock:
            said = _text(reason, "reason", REASON_MAX)
            fresh = await Restore(session.service.database).lock(session.context(), reason=said)
            return await _changed(session, changed=fresh)

        return await answered(session, "lockPayments", work)

    @strawberry.mutation(
        description="While payments are locked, compare a provider's list of all payments since before the backup."
    )
    async def review_provider(
        self,
        info: Info,
        provider: str,
        as_of: Annotated[datetime, strawberry.argument(description="When the provider gave the list.")],
        payments: list[ProviderPaymentInput],
    ) -> ReviewProviderResult:
        """Review a provider."""
        session = session_of(info)

        async def work() -> ReviewedProvider:
            if len(payments) > PAYMENTS_MAX:
                raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="payments", detail=f"up to {PAYMENTS_MAX}")
            found = await Restore(session.service.database).review(
                session.context(),
                provider=_text(provider, "provider", PROVIDER_MAX),
                as_of=as_of,
                payments=[one.parsed(f"payments[{place}]") for place, one in enumerate(payments)],
            )
            return ReviewedProvider(review=strawberry.ID(str(found.review)), unknown=found.unknown)

        return await answered(session, "reviewProvider", work)

    @strawberry.mutation(
        description="Say how a payment that was found came into the books: by a journal, or by its spend's open hold."
    )
    async def record_found_payment(
        self,
        info: Info,
        provider: str,
        reference: str,
        evidence: Evidence,
        journal: strawberry.ID | None = None,
    ) -> LockPaymentsResult:
        """Record a payment that was found."""
        session = session_of(info)

        async def work() -> ChangedLock:
            known = None if journal is None else number(journal)
            if journal is not None and known is None:
                raise TreasuryError("RECONCILIATION_PROPOSAL_MISMATCH", field="journal")
            await Restore(session.service.database).record(
                session.context(),
                provider=_text(provider, "provider", PROVIDER_MAX),
                reference=_text(reference, "reference", REFERENCE_MAX),
                journal=known,
                evidence=evidence_of(evidence),
            )
            return await _changed(session)

        return await answered(session, "recordFoundPayment", work)

    @strawberry.mutation(description="Propose to send payments again; another person confirms.")
    async def propose_unlock(self, info: Info, evidence: Evidence) -> LockPaymentsResult:
        """Propose to unlock."""
        session = session_of(info)

        async def work() -> ChangedLock:
            await Restore(session.service.database).propose_unlock(session.context(), evidence=evidence_of(evidence))
            return await _changed(session)

        return await answered(session, "proposeUnlock", work)

    @strawberry.mutation(description="As another person, let payments be sent again; a new epoch begins.")
    async def confirm_unlock(self, info: Info) -> LockPaymentsResult:
        """Unlock."""
        session = session_of(info)

        async def work() -> ChangedLock:
            await Restore(session.service.database).confirm_unlock(session.context())
            return await _changed(session)

        return await answered(session, "confirmUnlock", work)
