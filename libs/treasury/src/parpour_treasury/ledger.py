"""The ledger of a tenant, as the database keeps it.

Writing goes through functions that verify whose context it is; reading happens in transactions that see one tenant.
Every method takes the context that its caller was given, and none takes a tenant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from parpour_controlplane.database import Database
from parpour_controlplane.migrations import sql
from parpour_treasury.batches import EXECUTE, Outcome, Request, decode, encode
from parpour_treasury.books import Account, Balance, HoldState, Journal, Kind, Movement, NewAccount, Statement
from parpour_treasury.calling import call, refusals
from parpour_treasury.commands import check_limits, check_time
from parpour_treasury.currencies import exponent_of
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection

PAGE = 1000
"""Rows of one page where a caller does not say."""

INSTANT = timedelta(microseconds=1)
"""The least difference of two times in the database."""

_ACCOUNT, _ACCOUNTS, _JOURNALS, _HOLD = (
    sql("parpour_treasury", f"queries/{name}.sql") for name in ("account", "accounts", "journals", "hold")
)


class Ledger:
    """Books of every tenant in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_tenant(self, context: str, *, name: str) -> bool:
        """Make the tenant of the context, with empty books; False if it was there."""
        made = await call(self._database, "select controlplane.create_tenant($1, $2)", context, name)
        await call(self._database, "select treasury.open_ledger($1)", context)
        return bool(made)

    async def execute(self, context: str, requests: Sequence[Request]) -> list[Outcome]:
        """Carry out commands in one transaction, each accepted or refused by itself, in their order.

        No two may have the same key or touch the same hold or reversed journal; the batcher sees to that. `context` is
        one for several actors (`ContextMint.mint_several`).

        Raises:
            TreasuryError: TREASURY_BATCH_MALFORMED or TREASURY_LEDGER_UNKNOWN; then nothing was carried out.
        """
        with refusals():
            row = await self._database.pool.fetchrow(EXECUTE, context, *encode(requests))
        if row is None:
            raise AssertionError("treasury.execute returns one row")
        return decode(dict(row))

    async def open_account(self, context: str, account: NewAccount) -> int:
        """Open an account, or find the same one; returns its number.

        Raises:
            TreasuryError: TREASURY_ACCOUNT_EXISTS, TREASURY_LIMIT_EXCEEDED, TREASURY_LEDGER_UNKNOWN,
                TREASURY_COMMAND_MALFORMED, CURRENCY_UNKNOWN, AMOUNT_MALFORMED or TREASURY_BALANCE_OVERFLOW.
        """
        exponent_of(account.currency)
        check_limits(account.minimum, account.maximum)
        number: int = await call(
            self._database,
            "select treasury.open_account($1, $2, $3, $4, $5, $6, $7)",
            context,
            account.code,
            account.name,
            account.kind,
            account.currency,
            account.minimum,
            account.maximum,
        )
        return number

    async def limit_account(self, context: str, account: int, *, minimum: int | None, maximum: int | None) -> None:
        """Set an account's limits, in its own direction.

        Raises:
            TreasuryError: TREASURY_LIMIT_EXCEEDED, if the balance is outside them; TREASURY_CHANGE_NEEDED, if spends
                take from it and they would be looser; TREASURY_ACCOUNT_UNKNOWN; AMOUNT_MALFORMED or
                TREASURY_BALANCE_OVERFLOW.
        """
        check_limits(minimum, maximum)
        await call(self._database, "select treasury.limit_account($1, $2, $3, $4)", context, account, minimum, maximum)

    async def close_account(self, context: str, account: int) -> None:
        """Close an empty account for good.

        Raises:
            TreasuryError: TREASURY_ACCOUNT_IN_USE or TREASURY_ACCOUNT_UNKNOWN.
        """
        await call(self._database, "select treasury.close_account($1, $2)", context, account)

    async def lock_period(self, context: str, *, until: datetime) -> None:
        """Lock everything that takes effect before a time.

        Raises:
            TreasuryError: TREASURY_PERIOD_OUT_OF_ORDER or TREASURY_COMMAND_MALFORMED.
        """
        check_time(until, "until")
        await call(self._database, "select treasury.lock_period($1, $2)", context, until)

    async def sweep(self, context: str) -> int:
        """Expire holds that are due, the oldest first; returns how many. It is called until none is left."""
        swept: int = await call(self._database, "select treasury.sweep($1)", context)
        return swept

    async def account(self, context: str, account: int) -> Account:
        """An account as it stands: balance and holds of one moment.

        Raises:
            TreasuryError: TREASURY_ACCOUNT_UNKNOWN.
        """
        async with self._database.transaction(context) as connection:
            row = await connection.fetchrow(_ACCOUNT, account)
        if row is None:
            raise TreasuryError("TREASURY_ACCOUNT_UNKNOWN")
        return Account.from_row(dict(row))

    async def accounts(self, context: str, *, after: int = 0, limit: int = PAGE) -> list[Account]:
        """Accounts by number."""
        async with self._database.transaction(context) as connection:
            return [Account.from_row(dict(row)) for row in await connection.fetch(_ACCOUNTS, after, limit)]

    async def journal(self, context: str, number: int) -> Journal:
        """A journal, with the balances that it left.

        Raises:
            TreasuryError: TREASURY_JOURNAL_UNKNOWN.
        """
        found = await self.journals(context, after=number - 1, limit=1)
        if not found or found[0].number != number:
            raise TreasuryError("TREASURY_JOURNAL_UNKNOWN")
        return found[0]

    async def journals(self, context: str, *, after: int = 0, limit: int = PAGE) -> list[Journal]:
        """Journals by number."""
        async with self._database.transaction(context) as connection:
            return [Journal.from_row(dict(row)) for row in await connection.fetch(_JOURNALS, after, limit)]

    async def hold(self, context: str, hold: UUID) -> HoldState:
        """A hold as it stands.

        Raises:
            TreasuryError: TREASURY_HOLD_UNKNOWN.
        """
        async with self._database.transaction(context) as connection:
            row = await connection.fetchrow(_HOLD, hold)
        if row is None:
            raise TreasuryError("TREASURY_HOLD_UNKNOWN")
        return HoldState.from_row(dict(row))

    async def trial_balance(
        self, context: str, *, effective: datetime | None = None, recorded: datetime | None = None
    ) -> list[Balance]:
        """Every account's balance by what took effect at a time or before and was recorded at another or before.

        Both are now, where not stated. Each currency sums to zero.
        """
        async with self._database.transaction(context) as connection:
            rows = await connection.fetch(
                "select * from treasury.trial_balance($1, $2)",
                effective,
                recorded,
            )
        return [
            Balance(row["account_id"], row["code"], Kind(row["kind"]), row["currency"], int(row["balance"]))
            for row in rows
        ]

    async def balance(
        self, context: str, account: int, *, effective: datetime | None = None, recorded: datetime | None = None
    ) -> int:
        """One account's balance, debit positive, at the times of `trial_balance`; 0 if there is no such account."""
        async with self._database.transaction(context) as connection:
            return await _balance(connection, account, effective, recorded)

    async def statement(self, context: str, account: int, *, since: datetime, until: datetime) -> Statement:
        """An account's movements that took effect from `since` to before `until`, all of one moment."""
        async with self._database.transaction(context) as connection:
            opening = await _balance(connection, account, since - INSTANT, None)
            rows = await connection.fetch("select * from treasury.statement($1, $2, $3)", account, since, until)
        movements = tuple(Movement(**dict(row)) for row in rows)
        return Statement(opening, movements, opening + sum(one.amount for one in movements))

    async def faults(self, context: str) -> list[tuple[str, str]]:
        """Whatever in the books contradicts itself, as (fault, subject); nothing if they are right."""
        async with self._database.transaction(context) as connection:
            return [(row["fault"], row["subject"]) for row in await connection.fetch("select * from treasury.faults()")]


async def _balance(
    connection: type_of_connection, account: int, effective: datetime | None, recorded: datetime | None
) -> int:
    query = "select treasury.balance_at($1, $2, $3)"
    return int(await connection.fetchval(query, account, effective, recorded))
