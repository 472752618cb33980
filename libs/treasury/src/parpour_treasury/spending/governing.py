"""Changing what decides about money: bootstrap, proposals and confirmations, and what one person may stop at once.

These calls are rare, so each is a transaction of its own, under the ledger's lock. Every method takes the context of
the one who acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from parpour_controlplane.database import Database
from parpour_treasury.calling import call
from parpour_treasury.commands import check_time
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.changes import (
    Body,
    EnvelopeBody,
    MemberBody,
    PayeeBody,
    body_text,
    change_digest,
    kind_of,
)
from parpour_treasury.spending.rules import RuleBook

REASON_MAX = 1000
"""Characters."""


class Governance:
    """Rules, members, envelopes and payees of every tenant of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bootstrap(
        self,
        context: str,
        *,
        members: Sequence[MemberBody],
        rules: RuleBook,
        envelopes: Sequence[EnvelopeBody],
        payees: Sequence[PayeeBody] = (),
    ) -> bool:
        """Give a tenant its first members, rules, envelopes and payees; False, and no change, if it has rules.

        Envelopes come after the one around them. First payees do not cool off.

        Raises:
            TreasuryError: TREASURY_TWO_PEOPLE_NEEDED, TREASURY_LEDGER_UNKNOWN, TREASURY_ENVELOPE_IN_USE or
                TREASURY_ENVELOPE_UNKNOWN.
        """
        rows = ("[" + ",".join(body_text(one) for one in bodies) + "]" for bodies in (members, envelopes, payees))
        people, places, partners = rows
        query = "select treasury.bootstrap($1, $2, $3, $4, $5)"
        return bool(await call(self._database, query, context, people, rules.canonical().decode(), places, partners))

    async def propose(self, context: str, change: UUID, body: Body) -> datetime:
        """Propose a change under an id of the caller's; returns until when it can be confirmed.

        The same again changes nothing.

        Raises:
            TreasuryError: TREASURY_MEMBER_UNKNOWN, TREASURY_MEMBER_REVOKED, TREASURY_NOT_A_PERSON,
                TREASURY_ROLE_MISSING, or TREASURY_IDEMPOTENCY_KEY_REUSED.
        """
        query = "select treasury.propose($1, $2, $3, $4, $5)"
        until: datetime = await call(
            self._database, query, context, change, kind_of(body), body_text(body), change_digest(change, body)
        )
        return until

    async def confirm(self, context: str, change: UUID, *, digest: bytes, authenticated_at: datetime) -> None:
        """Confirm and apply a change, as another person than who proposed it.

        Raises:
            TreasuryError: TREASURY_CHANGE_UNKNOWN, TREASURY_CHANGE_CLOSED, TREASURY_CHANGE_OWN, TREASURY_CHANGE_STALE,
                TREASURY_APPROVAL_MISMATCH, TREASURY_STEP_UP_NEEDED, TREASURY_ROLE_MISSING,
                TREASURY_TWO_PEOPLE_NEEDED, or what its kind is refused with.
        """
        check_time(authenticated_at, "authenticatedAt")
        await self._decide(context, change, digest, True, authenticated_at)

    async def decline(self, context: str, change: UUID, *, digest: bytes) -> None:
        """Reject a change; who proposed it may as well.

        Raises:
            TreasuryError: TREASURY_CHANGE_UNKNOWN, TREASURY_CHANGE_CLOSED, TREASURY_APPROVAL_MISMATCH or
                TREASURY_ROLE_MISSING.
        """
        await self._decide(context, change, digest, False, None)

    async def freeze(self, context: str, *, reason: str) -> bool:
        """Freeze the venture at once; False if it is frozen already.

        Raises:
            TreasuryError: TREASURY_MEMBER_UNKNOWN, TREASURY_MEMBER_REVOKED, TREASURY_NOT_A_PERSON or
                TREASURY_ROLE_MISSING.
        """
        return bool(await call(self._database, "select treasury.freeze_venture($1, $2)", context, check_reason(reason)))

    async def throw_kill_switch(self, context: str, *, reason: str) -> bool:
        """Stop all spending of the venture, whoever says so, machines as well; False if it is stopped already."""
        return bool(
            await call(self._database, "select treasury.throw_kill_switch($1, $2)", context, check_reason(reason))
        )

    async def hold_payee(self, context: str, payee: UUID, *, reason: str) -> bool:
        """Stop spending on a payee at once; False if it is stopped already.

        Raises:
            TreasuryError: TREASURY_PAYEE_UNKNOWN, or as `freeze`.
        """
        return bool(
            await call(self._database, "select treasury.hold_payee($1, $2, $3)", context, payee, check_reason(reason))
        )

    async def revoke(self, context: str, actor: str, *, reason: str) -> bool:
        """Revoke an account at once; False if it is revoked already.

        Raises:
            TreasuryError: TREASURY_MEMBER_UNKNOWN, or as `freeze`.
        """
        return bool(
            await call(self._database, "select treasury.revoke($1, $2, $3)", context, actor, check_reason(reason))
        )

    async def _decide(
        self, context: str, change: UUID, digest: bytes, confirm: bool, authenticated_at: datetime | None
    ) -> None:
        query = "select treasury.decide_change($1, $2, $3, $4, $5)"
        await call(self._database, query, context, change, digest, confirm, authenticated_at)


def check_reason(reason: str) -> str:
    """A reason, if it can be kept.

    Raises:
        TreasuryError: TREASURY_COMMAND_MALFORMED.
    """
    if not 1 <= len(reason) <= REASON_MAX or not reason.isprintable():
        detail = f"1 to {REASON_MAX} printable characters"
        raise TreasuryError("TREASURY_COMMAND_MALFORMED", field="reason", detail=detail)
    return reason
