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
    "Subscription.events": READERS,
    "GET /v1/books/export/{language}": READERS,
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
