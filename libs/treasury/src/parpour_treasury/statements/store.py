"""Statements as the database keeps them: each once, in their order, with the digest of the file it came in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from parpour_controlplane.database import Database
from parpour_treasury.calling import refusals
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.statements.model import BankStatement, Entry, check_series


@dataclass(frozen=True, slots=True)
class Imported:
    """A statement that stands."""

    account: int
    number: int
    """Its place among the account's statements, from 1."""
    replayed: bool
    """Whether it stood before."""


class Statements:
    """Bank accounts and their statements of every tenant in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bind(self, context: str, account: int, *, identification: str, since: date) -> bool:
        """Say which bank account an account of the books stands for, for good; False if that was said before.

        `since` is the first day that its statements cover: what took effect before is in the first opening balance.

        Raises:
            TreasuryError: RECONCILIATION_BANK_ACCOUNT_EXISTS, RECONCILIATION_BANK_ACCOUNT_UNKNOWN,
                TREASURY_NOT_A_PERSON or TREASURY_ACCOUNT_UNKNOWN.
        """
        query = "select treasury.bind_bank_account($1, $2, $3, $4)"
        with refusals():
            return bool(await self._database.pool.fetchval(query, context, account, identification, since))

    async def take(
        self, context: str, account: int, data: bytes, statements: Sequence[BankStatement], *, format: str
    ) -> list[Imported]:
        """Take over the statements of a file, all or none; those that stand already count as taken.

        `data` is the file, byte by byte: its digest stays as evidence.

        Raises:
            TreasuryError: STATEMENT_CHANGED, STATEMENT_NOT_CONTINUOUS, STATEMENT_OF_ANOTHER_ACCOUNT,
                STATEMENT_CURRENCY_MISMATCH, RECONCILIATION_BANK_ACCOUNT_UNKNOWN or another of STATEMENT_*.
        """
        check_series(statements)
        digest = hashlib.sha256(data).digest()
        taken = []
        with refusals():
            async with self._database.pool.acquire() as connection, connection.transaction():
                for place, one in enumerate(statements):
                    row = await connection.fetchrow(
                        "select * from treasury.import_statement($1, $2, $3, $4, $5, $6, $7)",
                        context,
                        account,
                        json.dumps(head_of(one)),
                        json.dumps([entry_of(entry) for entry in one.entries]),
                        digest,
                        place,
                        format,
                    )
                    if row is None:
                        raise AssertionError("treasury.import_statement returns one row")
                    taken.append(Imported(account, row["number"], row["replayed"]))
        return taken

    async def statement(self, context: str, account: int, number: int) -> BankStatement:
        """A statement that stands.

        Raises:
            TreasuryError: STATEMENT_UNKNOWN.
        """
        async with self._database.transaction(context) as connection:
            head = await connection.fetchrow(
                "select s.*, b.identification, a.currency from treasury.statement s "
                "join treasury.bank_account b on b.tenant_id = s.tenant_id and b.account_id = s.account_id "
                "join treasury.account a on a.tenant_id = s.tenant_id and a.account_id = s.account_id "
                "where s.account_id = $1 and s.number = $2",
                account,
                number,
            )
            rows = await connection.fetch(
                "select * from treasury.statement_entry where account_id = $1 and number = $2 order by position",
                account,
                number,
            )
        if head is None:
            raise TreasuryError("STATEMENT_UNKNOWN")
        return BankStatement(
            statement=head["statement"],
            account=head["identification"],
            currency=head["currency"],
            opening=head["opening"],
            opened_on=head["opened_on"],
            closing=head["closing"],
            closed_on=head["closed_on"],
            entries=tuple(Entry(**{name: row[name] for name in Entry.__dataclass_fields__}) for row in rows),
            sequence=head["sequence"],
            left_out=head["left_out"],
        )


def head_of(statement: BankStatement) -> dict[str, Any]:
    """A statement without its entries, as the database takes it."""
    return {
        "statement": statement.statement,
        "account": statement.account,
        "currency": statement.currency,
        "opening": statement.opening,
        "openedOn": statement.opened_on.isoformat(),
        "closing": statement.closing,
        "closedOn": statement.closed_on.isoformat(),
        "sequence": statement.sequence,
        "leftOut": statement.left_out,
    }


def entry_of(entry: Entry) -> dict[str, Any]:
    """An entry as the database takes it."""
    return {
        "amount": entry.amount,
        "bookedOn": entry.booked_on.isoformat(),
        "valueOn": None if entry.value_on is None else entry.value_on.isoformat(),
        "reference": entry.reference,
        "endToEnd": entry.end_to_end,
        "transaction": entry.transaction,
        "counterparty": entry.counterparty,
        "description": entry.description,
        "code": entry.code,
        "reversal": entry.reversal,
        "batch": entry.batch,
    }
