"""Whether a tenant's payments may be sent, and the count of those that were: kept by the database and outside of it.

Every permission to send is counted in the database first and is on the worker's own disk next; only then is the
provider called. A database that is behind has forgotten payments: its tenant is locked, and people find out which.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from parpour_treasury.payments.calls import Calls
from parpour_treasury.reconciliation.tokens import Token, TokenFile
from parpour_treasury.refusals import TreasuryError

logger = logging.getLogger(__name__)

SENT_BEFORE = "DISPATCH_PAYMENT_SENT"
_LOCKED = "DISPATCH_LOCKED"


class Dispatch:
    """Asks before payments are claimed and sent, and locks where the database has forgotten some."""

    def __init__(self, calls: Calls, tokens: TokenFile, *, at_point: Callable[[str], None]) -> None:
        self._calls = calls
        self._tokens = tokens
        self._at_point = at_point
        self._refused: dict[UUID, str] = {}

    async def allowed(self, tenant: UUID) -> bool:
        """Whether anything of a tenant may be claimed and sent now; locks it if the database has forgotten payments."""
        try:
            token = self._tokens.read(tenant)
            code = await self._first(tenant) if token is None else (await self._open(tenant, token))["code"]
        except TreasuryError as error:
            if not _of_dispatch(error):
                raise
            # Nothing is known of the database: what stands in the way may go away, and nobody has to unlock anything.
            self._tell(tenant, error.code)
            return False
        if code is not None:
            await self._refuse(tenant, code, token)
        elif self._refused.pop(tenant, None) is not None:
            logger.warning("tenant %s: payments are sent again", tenant)
        return code is None

    async def _open(self, tenant: UUID, token: Token | None) -> Any:
        return await self._calls.row("select * from treasury.open_dispatch($1, $2, $3, $4)", tenant, *_fields(token))

    async def _first(self, tenant: UUID) -> str | None:
        """The same of a tenant without a token, which has one afterwards if anything may be sent."""
        async with self._tokens.held(tenant) as held:
            row = await self._open(tenant, held.token)
            if row["code"] is None and held.token is None:
                held.keep(Token(row["epoch"], row["epoch_id"], row["counter"]))
        code: str | None = row["code"]
        return code

    async def begin(self, tenant: UUID, spend: UUID, *, version: int, history: str, due: datetime | None) -> str:
        """Note and count that a payment is about to be sent; returns what the database answers.

        `begun`: send it. `moved`, `stopped`: as the database says. A code: nothing may be sent, or not this payment.

        Raises:
            TreasuryError: DISPATCH_TOKEN_MISSING, if the count cannot be kept: the attempt has begun, and is not made.
        """
        query = "select * from treasury.begin_attempt($1, $2, $3, $4, $5, $6, $7, $8)"
        token: Token | None = None
        async with self._tokens.held(tenant) as held:
            token = held.token
            try:
                row = await self._calls.row(query, tenant, spend, version, history, due, *_fields(token))
            except TreasuryError as error:
                if not _of_dispatch(error):
                    raise
                code = error.code
            else:
                answer: str = row["answer"]
                if answer == "begun":
                    self._at_point("begun")
                    held.keep(Token(row["epoch"], row["epoch_id"], row["counter"]))
                    self._at_point("counted")
                return answer
        if code != SENT_BEFORE:
            await self._refuse(tenant, code, token)
        return code

    async def _refuse(self, tenant: UUID, code: str, token: Token | None) -> None:
        if code != _LOCKED:
            epoch = 0 if token is None else token.epoch
            await self._calls.value("select treasury.lock_dispatch($1, $2, $3)", tenant, code, epoch)
        self._tell(tenant, code)

    def _tell(self, tenant: UUID, code: str) -> None:
        """Once for each change."""
        if self._refused.get(tenant) != code:
            self._refused[tenant] = code
            logger.error("tenant %s: nothing is sent: %s", tenant, code)


def _fields(token: Token | None) -> tuple[int | None, UUID | None, int | None]:
    return (None, None, None) if token is None else (token.epoch, token.epoch_id, token.counter)


def _of_dispatch(error: TreasuryError) -> bool:
    return error.code.startswith("DISPATCH_")
