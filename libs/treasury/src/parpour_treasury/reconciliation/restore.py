"""Restore mode: a database that has forgotten payments sends none, until people have found out what it forgot.

A database whose counter is below the payment worker's token has forgotten at least one payment. What providers list is
then compared with the books, what only they know is recorded, and two people let payments be sent again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from parpour_controlplane.database import Database
from parpour_treasury.calling import call
from parpour_treasury.commands import check_minor, check_time
from parpour_treasury.currencies import exponent_of
from parpour_treasury.reconciliation.tokens import Token
from parpour_treasury.refusals import TreasuryError


@dataclass(frozen=True, slots=True)
class ProviderPayment:
    """A payment as its provider lists it."""

    reference: str
    """The provider's id of it."""
    amount: int
    """Minor units that left, above zero."""
    currency: str
    sent_at: datetime
    correlation: UUID | None = None
    """The spend that its metadata names."""


@dataclass(frozen=True, slots=True)
class Review:
    """What a provider's list came to."""

    review: int
    unknown: int
    """Payments that the books did not have; each is recorded before payments are unlocked."""


class Restore:
    """Locking and unlocking of payments, of every tenant in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lock(self, context: str, *, reason: str, token: Token | None = None) -> bool:
        """Let nothing be sent any more; False if that was so. A worker gives its token along.

        Raises:
            TreasuryError: TREASURY_LEDGER_UNKNOWN or TREASURY_COMMAND_MALFORMED.
        """
        epoch = 0 if token is None else token.epoch
        return bool(await call(self._database, "select treasury.lock_dispatch($1, $2, $3)", context, reason, epoch))

    async def review(
        self, context: str, *, provider: str, as_of: datetime, payments: Sequence[ProviderPayment]
    ) -> Review:
        """Compare a provider's list of all payments since before the backup with the books.

        `as_of` is when the provider gave the list, after the lock.

        Raises:
            TreasuryError: DISPATCH_NOT_LOCKED, DISPATCH_NOT_RECONCILED, CURRENCY_UNKNOWN, AMOUNT_NOT_POSITIVE,
                AMOUNT_MALFORMED, TREASURY_BALANCE_OVERFLOW or TREASURY_COMMAND_MALFORMED.
        """
        check_time(as_of, "as_of")
        lines = []
        for place, one in enumerate(payments):
            exponent_of(one.currency, field=f"payments[{place}].currency")
            check_minor(one.amount, f"payments[{place}].amount")
            check_time(one.sent_at, f"payments[{place}].sent_at")
            if one.amount <= 0:
                raise TreasuryError("AMOUNT_NOT_POSITIVE", field=f"payments[{place}].amount")
            lines.append(
                {
                    "reference": one.reference,
                    "amount": one.amount,
                    "currency": one.currency,
                    "sentAt": one.sent_at.isoformat(),
                    "correlation": None if one.correlation is None else str(one.correlation),
                }
            )
        if len({one.reference for one in payments}) != len(payments):
            raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="payments", detail="a reference stands twice")
        query = "select review || ' ' || unknown from treasury.review_provider($1, $2, $3, $4)"
        text: str = await call(self._database, query, context, provider, as_of, json.dumps(lines))
        review, _, unknown = text.partition(" ")
        return Review(int(review), int(unknown))

    async def found(self, context: str) -> list[ProviderPayment]:
        """Payments that were found at providers and are not recorded yet."""
        async with self._database.transaction(context) as connection:
            rows = await connection.fetch(
                "select * from treasury.found_payment where recorded_at is null order by provider, reference"
            )
        return [
            ProviderPayment(row["reference"], row["amount"], row["currency"], row["sent_at"], row["correlation"])
            for row in rows
        ]

    async def record(self, context: str, *, provider: str, reference: str, journal: int | None, evidence: str) -> None:
        """A person says how a payment that was found comes into the books: by a journal, or, where an open hold of its
        spend keeps it, by none: the spend is submitted then, if it was not, and its own states bring it.

        Raises:
            TreasuryError: DISPATCH_PAYMENT_UNKNOWN, RECONCILIATION_PROPOSAL_MISMATCH, RECONCILIATION_EVIDENCE_MISSING
                or TREASURY_NOT_A_PERSON.
        """
        query = "select treasury.record_found($1, $2, $3, $4, $5)"
        await call(self._database, query, context, provider, reference, journal, evidence)

    async def propose_unlock(self, context: str, *, evidence: str) -> None:
        """A person proposes to send again.

        Raises:
            TreasuryError: DISPATCH_NOT_LOCKED, DISPATCH_NOT_RECONCILED, RECONCILIATION_EVIDENCE_MISSING or
                TREASURY_NOT_A_PERSON.
        """
        await call(self._database, "select treasury.propose_unlock($1, $2)", context, evidence)

    async def confirm_unlock(self, context: str) -> int:
        """Another person lets payments be sent again; returns the epoch that begins.

        Raises:
            TreasuryError: DISPATCH_NOT_LOCKED, DISPATCH_NOT_RECONCILED, RECONCILIATION_SECOND_PERSON_REQUIRED,
                TREASURY_NOT_A_PERSON, or TREASURY_MEMBER_REVOKED, if who proposed it is not trusted with it any more.
        """
        return int(await call(self._database, "select epoch from treasury.confirm_unlock($1)", context))
