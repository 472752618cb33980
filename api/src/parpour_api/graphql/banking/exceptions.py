"""Types of matches and of exceptions. Amounts have the bank's sign: what came in is positive."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.types import Info

from parpour_api.graphql.banking.values import (
    EntryPlace,
    ExceptionKind,
    ExceptionProgress,
    MatchRule,
    MovementPlace,
    entry_place,
    movement_place,
)
from parpour_api.graphql.session import Session
from parpour_api.graphql.types import Account, Money, Side, account_of, money, side_of
from parpour_treasury.reconciliation import reading
from parpour_treasury.reconciliation.reconciler import ExceptionState


@strawberry.type(description="Entries of the bank and movements of the books that are the same money.")
class BankMatch:
    """A match. It stands, or was undone for good."""

    number: strawberry.ID
    rule: MatchRule
    explanation: str = strawberry.field(
        description="JSON: what was compared, and which candidates were rejected and why."
    )
    made_at: datetime
    made_by: str
    entries: list[EntryPlace]
    movements: list[MovementPlace]
    undone_at: datetime | None = strawberry.field(description="Since when its parts are open again; null if it stands.")
    undone_by: str | None
    undone_because: str | None

    @classmethod
    def of(cls, row: reading.MatchState) -> BankMatch:
        """The match of a row."""
        return cls(
            number=strawberry.ID(str(row.match)),
            rule=MatchRule(row.rule),
            explanation=row.explanation,
            made_at=row.made_at,
            made_by=row.made_by,
            entries=[entry_place(one) for one in row.entries],
            movements=[movement_place(one) for one in row.movements],
            undone_at=row.undone_at,
            undone_by=row.undone_by,
            undone_because=row.undone_because,
        )


@strawberry.type(description="One line of a journal that was proposed.")
class ProposedLeg:
    """A leg of a proposal."""

    side: Side
    amount: Money = strawberry.field(description="Always above zero.")
    account_number: strawberry.Private[int]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """Its account."""
        return await account_of(info, self.account_number)


@strawberry.type(description="A journal that one person proposes and another confirms.")
class ExceptionProposal:
    """A proposal to close an exception."""

    outcome: ExceptionProgress
    description: str
    legs: list[ProposedLeg]


@strawberry.type(description="What a person must look at: an entry or a movement that has no counterpart.")
class ReconciliationException:
    """An exception as it stands."""

    id: strawberry.ID
    kind: ExceptionKind
    state: ExceptionProgress
    amount: Money = strawberry.field(description="What the entry or the movement moved.")
    entry: EntryPlace | None
    movement: MovementPlace | None
    explanation: str = strawberry.field(description="JSON: why it has no match.")
    opened_at: datetime
    proposal: ExceptionProposal | None
    proposed_by: str | None
    evidence: str | None
    closed_at: datetime | None
    closed_by: str | None
    closing_journal: strawberry.ID | None
    account_number: strawberry.Private[int]

    @strawberry.field
    async def account(self, info: Info) -> Account:
        """The bank's account in the books."""
        return await account_of(info, self.account_number)


def exception_of(row: ExceptionState, currency: str) -> ReconciliationException:
    """The exception of a row."""
    proposal = row.proposal
    return ReconciliationException(
        id=strawberry.ID(str(row.exception)),
        kind=ExceptionKind(row.kind),
        state=ExceptionProgress(row.state),
        amount=money(row.amount, currency),
        entry=None if row.entry is None else entry_place(row.entry),
        movement=None if row.movement is None else movement_place(row.movement),
        explanation=canonical_text(row.explanation),
        opened_at=row.opened_at,
        proposal=None
        if proposal is None
        else ExceptionProposal(
            outcome=ExceptionProgress(proposal["outcome"]),
            description=proposal["description"],
            legs=[
                ProposedLeg(side=side_of(amount), amount=money(abs(amount), unit), account_number=account)
                for account, amount, unit in proposal["legs"]
            ],
        ),
        proposed_by=row.proposed_by,
        evidence=row.evidence,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closing_journal=None if row.closing_journal is None else strawberry.ID(str(row.closing_journal)),
        account_number=row.account,
    )


def canonical_text(value: object) -> str:
    """JSON in one form."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


async def one_exception(session: Session, named: UUID) -> ReconciliationException | None:
    """An exception; None if there is no such one."""
    row = await session.reader.read(lambda connection: reading.exception(connection, named))
    if row is None:
        return None
    account = await session.accounts.load(row.account)
    if account is None:
        raise AssertionError("an exception has an account")
    return exception_of(row, account.currency)
