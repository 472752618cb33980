"""Asking the authority, for GraphQL and for plain HTTP alike: what was asked, what became of it, who may be told what.

Asks go through the process's one authority, so those of many callers share a commit.
"""

from __future__ import annotations

from datetime import datetime

from parpour_api.graphql.session import Session
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.spending.asks import Approve, Ask, RequestSpend, SpendOutcome
from parpour_treasury.spending.register import Spend
from parpour_treasury.spending.states import State

NOT_OF_A_DECISION = frozenset({"TREASURY_SPEND_STATE", "TREASURY_ROLE_MISSING", "TREASURY_NOT_A_PERSON"})
"""Why an approval does not count, whatever the spend's state."""


async def asked(session: Session, ask: Ask) -> tuple[SpendOutcome, Spend]:
    """The outcome of an ask that was decided, and the spend as it left it.

    It was carried out, or refused by a decision that was recorded.

    Raises:
        TreasuryError: if nothing was decided.
    """
    principal = session.principal
    await session.reader.close()
    outcome = await session.service.authority.submit(principal.tenant, principal.actor, ask)
    if not was_decided(ask, outcome):
        outcome.raise_for_refusal()
    await session.written()
    if outcome.row is None:
        raise AssertionError("what was decided has its spend")
    return outcome, outcome.row


def was_decided(ask: Ask, outcome: SpendOutcome) -> bool:
    """Whether there is a decision to tell about: the spend goes on, or this very ask made it refused."""
    if outcome.accepted:
        return True
    if not isinstance(ask, RequestSpend | Approve) or outcome.state != State.REFUSED:
        return False
    return outcome.codes[0] not in NOT_OF_A_DECISION


def stepped_up(session: Session) -> datetime:
    """When the person who asks last proved to be one.

    Raises:
        TreasuryError: TREASURY_STEP_UP_NEEDED, if the token does not say.
    """
    at = session.principal.authenticated_at
    if at is None:
        raise TreasuryError("TREASURY_STEP_UP_NEEDED", detail="authenticate again: the token does not say when you did")
    return at
