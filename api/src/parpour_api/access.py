"""Who may ask what: one table of fields and roles. What is not in the table is nobody's.

The whole operation is refused before anything of it is carried out, also where a directive would have skipped the
field.
"""

from __future__ import annotations

from collections.abc import Iterable

from parpour_api.errors import ApiError
from parpour_api.identity.principal import Principal, Role

EVERYONE = frozenset(Role)
READERS = frozenset({Role.OWNER, Role.TREASURER, Role.APPROVER, Role.AUDITOR})
"""Who sees the books: not agents, who learn what they may by asking for it."""
KEEPERS = frozenset({Role.OWNER, Role.TREASURER})
"""Who writes to the books."""
SPENDERS = frozenset({Role.OWNER, Role.TREASURER, Role.APPROVER, Role.AGENT})
"""Who may ask to spend; what a venture's rules allow is another matter."""
APPROVERS = frozenset({Role.OWNER, Role.TREASURER, Role.APPROVER})
"""Who approves what others ask."""

FIELDS: dict[str, frozenset[Role]] = {
    "Query.__typename": EVERYONE,
    "Query.__schema": EVERYONE,
    "Query.__type": EVERYONE,
    "Query.me": EVERYONE,
    "Query.ledger": READERS,
    "Query.account": READERS,
    "Query.accounts": READERS,
    "Query.journal": READERS,
    "Query.journals": READERS,
    "Query.hold": READERS,
    "Query.holds": READERS,
    "Query.trialBalance": READERS,
    "Query.statement": READERS,
    "Query.events": READERS,
    "Query.venture": EVERYONE,
    "Query.envelope": EVERYONE,
    "Query.envelopes": EVERYONE,
    "Query.members": READERS,
    "Query.ruleBooks": READERS,
    "Query.payee": EVERYONE,
    "Query.payees": EVERYONE,
    "Query.spend": EVERYONE,
    "Query.spends": EVERYONE,
    "Query.pendingApprovals": APPROVERS,
    "Query.change": READERS,
    "Query.changes": READERS,
    "Query.explain": EVERYONE,
    "Query.bankAccounts": READERS,
    "Query.bankAccount": READERS,
    "Query.reconciliationException": READERS,
    "Query.paymentLock": READERS,
    "Mutation.__typename": EVERYONE,
    "Mutation.openAccount": KEEPERS,
    "Mutation.limitAccount": KEEPERS,
    "Mutation.closeAccount": KEEPERS,
    "Mutation.postJournal": KEEPERS,
    "Mutation.reverseJournal": KEEPERS,
    "Mutation.placeHold": KEEPERS,
    "Mutation.settleHold": KEEPERS,
    "Mutation.voidHold": KEEPERS,
    "Mutation.lockPeriod": KEEPERS,
    "Mutation.bindBankAccount": KEEPERS,
    "Mutation.reconcile": KEEPERS,
    "Mutation.confirmMatch": KEEPERS,
    "Mutation.undoMatch": KEEPERS,
    "Mutation.resolveException": KEEPERS,
    "Mutation.proposeExceptionJournal": KEEPERS,
    "Mutation.withdrawExceptionJournal": KEEPERS,
    "Mutation.confirmExceptionJournal": KEEPERS,
    "Mutation.lockPayments": KEEPERS,
    "Mutation.reviewProvider": KEEPERS,
    "Mutation.recordFoundPayment": KEEPERS,
    "Mutation.proposeUnlock": KEEPERS,
    "Mutation.confirmUnlock": KEEPERS,
    "Subscription.events": READERS,
    "Mutation.requestSpend": SPENDERS,
    "Mutation.cancelSpend": SPENDERS,
    "Mutation.settleSpend": SPENDERS,
    "Mutation.renewSpend": SPENDERS,
    "Mutation.approveSpend": APPROVERS,
    "Mutation.rejectSpend": APPROVERS,
    "Mutation.proposeMember": KEEPERS,
    "Mutation.proposeEnvelope": KEEPERS,
    "Mutation.proposePayee": KEEPERS,
    "Mutation.proposeRules": KEEPERS,
    "Mutation.proposeRelease": KEEPERS,
    "Mutation.proposeResolution": KEEPERS,
    "Mutation.proposeLimits": KEEPERS,
    "Mutation.confirmChange": KEEPERS,
    "Mutation.declineChange": KEEPERS,
    "Mutation.freezeVenture": READERS,
    "Mutation.throwKillSwitch": EVERYONE,
    "Mutation.holdPayee": READERS,
    "Mutation.revokeMember": KEEPERS,
    "GET /v1/books/export/{language}": READERS,
    "POST /v1/spends": SPENDERS,
    "GET /v1/spends/{spend}": EVERYONE,
    "POST /v1/spends/{spend}/cancel": SPENDERS,
    "POST /v1/spends/{spend}/approve": APPROVERS,
    "POST /v1/spends/{spend}/reject": APPROVERS,
    "POST /v1/statements": KEEPERS,
    "GET /v1/evidence/{account}/{day}": READERS,
}
"""Root fields and HTTP operations, and which roles may use them."""


def allowed(principal: Principal, name: str) -> bool:
    """Whether one of the principal's roles may use a field."""
    return bool(principal.roles & FIELDS.get(name, frozenset()))


def check_allowed(principal: Principal, names: Iterable[str]) -> None:
    """Refuse a principal that may not use every one of some fields.

    Raises:
        ApiError: API_FORBIDDEN.
    """
    for name in names:
        if not allowed(principal, name):
            raise ApiError("API_FORBIDDEN", f"none of the caller's roles may use {name}")
