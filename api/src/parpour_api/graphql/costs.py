"""What fields cost in points before anything is carried out; see `documents` for how they add up."""

from __future__ import annotations

PAGE = 50
"""Items of a page where a caller does not say."""

LIST_ITEMS = 4
"""Items that a list without pages is taken to have: most journals have two to four legs."""

INTROSPECTION_POINTS = 100
MUTATION_POINTS = 10
"""Of any mutation that has no weight of its own."""

WEIGHTS: dict[str, int] = {
    "Query.ledger": 1,
    "Query.events": 20,
    "Subscription.events": 20,
    "Account.balance": 1,
    "TrialBalanceLine.balance": 2,
    "Statement.opening": 2,
    "Statement.closing": 2,
    "Mutation.lockPeriod": 100,
    "Mutation.freezeVenture": 100,
    "Mutation.holdPayee": 100,
    "Mutation.revokeMember": 100,
    "Query.spends": 5,
    "Query.pendingApprovals": 10,
    "Query.explain": 5,
    "Spend.decisions": 4,
    "Spend.journals": 4,
    "SpendDecision.replays": 2,
    "BankStatement.check": 100,
    "Mutation.reconcile": 500,
    "Mutation.reviewProvider": 200,
}
"""Points beside those of the objects: for what the database adds up."""
