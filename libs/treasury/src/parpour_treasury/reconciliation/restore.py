"""Restore mode: a database that has forgotten payments sends none.

The payment worker keeps a token outside the database: the epoch, and how many payments were allowed to be sent. It is
written, and on the disk, before the provider is called; so a database whose counter is below the token's has forgotten
at least one payment. The token's file must not be in the database's backup, or both forget together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg

from parpour_controlplane.database import Database
from parpour_treasury.commands import BALANCE_MAX, check_minor, check_time
from parpour_treasury.currencies import exponent_of
from parpour_treasury.ledger import refusal
from parpour_treasury.refusals import TreasuryError

if TYPE_CHECKING:
    from parpour_controlplane.database import type_of_connection


@dataclass(frozen=True, slots=True)
class Token:
    """How far a database was: `counter` payments within `epoch`."""

    epoch: int
    epoch_id: UUID
    counter: int


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


def judge(token: Token | None, database: Token | None, *, began: int = 0, locked: bool) -> str | None:
    """Why nothing may be sent; None if it may. treasury.judge_dispatch says the same, and a test holds them together.

    Args:
        token: what the worker kept; None if it has nothing.
        database: what the database says; None if nothing was ever sent from it.
        began: the database's counter when its epoch began.
        locked: whether people, or a worker, locked it.
    """
    if locked:
        return "DISPATCH_LOCKED"
    if token is None:
        # A worker that lost its token goes on after people have unlocked, and nobody has sent since.
        return None if database is None or database.counter <= began else "DISPATCH_TOKEN_MISSING"
    if database is None or token.epoch > database.epoch:
        return "DISPATCH_ROLLED_BACK"
    if token.epoch < database.epoch:
        # People have unlocked since: only that begins an epoch.
        return None
    if token.epoch_id != database.epoch_id:
        return "DISPATCH_FORKED"
    return "DISPATCH_ROLLED_BACK" if token.counter > database.counter else None


class TokenFile:
    """Tokens of a payment worker, one a tenant, in a folder that is not part of the database's backup."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, tenant: UUID) -> Token | None:
        """The token of a tenant; None if there is none.

        Raises:
            TreasuryError: DISPATCH_TOKEN_MISSING, if there is one that cannot be read: it is not as if there were none.
        """
        try:
            text = self._path(tenant).read_text()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise TreasuryError(
                "DISPATCH_TOKEN_MISSING", detail=f"the token cannot be read: {error.strerror}"
            ) from None
        try:
            fields = json.loads(text)
            token = Token(fields["epoch"], UUID(fields["epochId"]), fields["counter"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise TreasuryError("DISPATCH_TOKEN_MISSING", detail="the token is damaged") from None
        for number in (token.epoch, token.counter):
            if type(number) is not int or not 0 <= number <= BALANCE_MAX:
                raise TreasuryError("DISPATCH_TOKEN_MISSING", detail="the token is damaged")
        return token

    def write(self, tenant: UUID, token: Token) -> None:
        """Keep a token, so that it survives whatever happens after this returns."""
        path = self._path(tenant)
        fields = {"epoch": token.epoch, "epochId": str(token.epoch_id), "counter": token.counter}
        beside = path.with_suffix(".new")
        with beside.open("w") as file:
            json.dump(fields, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _path(self, tenant: UUID) -> Path:
        return self._folder / f"{tenant}.json"


async def dispatch_allowed(
    connection: type_of_connection, context: str, *, provider: str, correlation: UUID, token: Token | None
) -> Token:
    """Count one payment in the transaction of `connection`, which commits `submitting`; returns the token to keep.

    The worker writes it after the commit and before it calls the provider. `correlation` is the spend. After
    DISPATCH_PAYMENT_SENT the worker looks the payment up and sends nothing; after another refusal it rolls its
    transaction back and calls `Restore.lock` with its token.

    Raises:
        TreasuryError: DISPATCH_LOCKED, DISPATCH_ROLLED_BACK, DISPATCH_FORKED, DISPATCH_TOKEN_MISSING,
            DISPATCH_PAYMENT_SENT or TREASURY_LEDGER_UNKNOWN.
    """
    fields = (None, None, None) if token is None else (token.epoch, token.epoch_id, token.counter)
    query = "select * from treasury.dispatch_allowed($1, $2, $3, $4, $5, $6)"
    try:
        row = await connection.fetchrow(query, context, provider, correlation, *fields)
    except asyncpg.PostgresError as error:
        raise refusal(error) from None
    if row is None:
        raise AssertionError("treasury.dispatch_allowed returns one row")
    return Token(row["epoch"], row["epoch_id"], row["counter"])


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
        return bool(await self._call("select treasury.lock_dispatch($1, $2, $3)", context, reason, epoch))

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
        text: str = await self._call(query, context, provider, as_of, json.dumps(lines))
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
        spend keeps it, by none: the spend's own state will bring it.

        Raises:
            TreasuryError: DISPATCH_PAYMENT_UNKNOWN, RECONCILIATION_PROPOSAL_MISMATCH, RECONCILIATION_EVIDENCE_MISSING
                or RECONCILIATION_PERSON_REQUIRED.
        """
        query = "select treasury.record_found($1, $2, $3, $4, $5)"
        await self._call(query, context, provider, reference, journal, evidence)

    async def propose_unlock(self, context: str, *, evidence: str) -> None:
        """A person proposes to send again.

        Raises:
            TreasuryError: DISPATCH_NOT_LOCKED, DISPATCH_NOT_RECONCILED, RECONCILIATION_EVIDENCE_MISSING or
                RECONCILIATION_PERSON_REQUIRED.
        """
        await self._call("select treasury.propose_unlock($1, $2)", context, evidence)

    async def confirm_unlock(self, context: str) -> int:
        """Another person lets payments be sent again; returns the epoch that begins.

        Raises:
            TreasuryError: DISPATCH_NOT_LOCKED, DISPATCH_NOT_RECONCILED, RECONCILIATION_SECOND_PERSON_REQUIRED or
                RECONCILIATION_PERSON_REQUIRED.
        """
        return int(await self._call("select epoch from treasury.confirm_unlock($1)", context))

    async def _call(self, query: str, *arguments: Any) -> Any:
        try:
            return await self._database.pool.fetchval(query, *arguments)
        except asyncpg.PostgresError as error:
            raise refusal(error) from None
