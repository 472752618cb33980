"""Queries over bank accounts and over the lock of payments.

What does not exist and what is another tenant's are answered alike: with null, or with nothing.
"""

from __future__ import annotations

import strawberry
from strawberry.types import Info

from parpour_api.graphql.banking.accounts import BankAccount, bank_account
from parpour_api.graphql.banking.exceptions import ReconciliationException, one_exception
from parpour_api.graphql.banking.restoring import PaymentLock, payment_lock
from parpour_api.graphql.session import hold_id
from parpour_api.graphql.types import session_of
from parpour_treasury.reconciliation import reading


@strawberry.type
class BankingQuery:
    """Root fields of banking."""

    @strawberry.field(description="The accounts that stand for bank accounts.")
    async def bank_accounts(self, info: Info) -> list[BankAccount]:
        """All of them: a venture has few."""
        rows = await session_of(info).reader.read(reading.bank_accounts)
        return [BankAccount.of(row) for row in rows]

    @strawberry.field(description="The bank account that an account of the books stands for.")
    async def bank_account(self, info: Info, account: strawberry.ID) -> BankAccount | None:
        """One of them."""
        return await bank_account(session_of(info), account)

    @strawberry.field(description="An exception of a reconciliation.")
    async def reconciliation_exception(self, info: Info, id: strawberry.ID) -> ReconciliationException | None:
        """An exception by its id."""
        known = hold_id(id)
        return None if known is None else await one_exception(session_of(info), known)

    @strawberry.field(description="Whether payments may be sent, and what stands against it; null if none ever was.")
    async def payment_lock(self, info: Info) -> PaymentLock | None:
        """The lock of payments."""
        return await payment_lock(session_of(info))
