"""The books as the events tell them: every event of the ledger, in order, carried out on plain dictionaries.

This is written without looking at the SQL that writes the books, as far as one team can, since two ways to the same
figures are what an audit is worth.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from parpour_treasury.auditing.findings import Finding
from parpour_treasury.commands import Leg

Kept = dict[tuple[int, int], int]
"""(account, 1 for debits or -1 for credits) to minor units, not signed."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event as an audit needs it."""

    type: str
    subject: str
    payload: Mapping[str, Any] | None
    """None if it was erased."""


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """An account as it was opened; it is never anything else."""

    code: str
    kind: str
    currency: str


@dataclass(frozen=True, slots=True)
class ToldJournal:
    """A journal as it was posted."""

    legs: tuple[Leg, ...]
    effective_at: datetime


@dataclass
class ToldBooks:
    """What all events together come to."""

    accounts: dict[int, OpenedAccount] = field(default_factory=dict)
    journals: dict[int, ToldJournal] = field(default_factory=dict)
    holds: dict[UUID, Kept] = field(default_factory=dict)
    """What each hold still keeps; nothing, once it is closed."""
    posted: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    erased: set[str] = field(default_factory=set)
    """Subjects of events whose payload was erased: what they said cannot be told."""
    findings: list[Finding] = field(default_factory=list)

    def take(self, event: Told) -> None:
        """Carry out one more event. One that is not the ledger's is passed."""
        carry_out = _CARRY_OUT.get(event.type)
        if carry_out is None:
            return
        if event.payload is None:
            self.erased.add(event.subject)
            return
        try:
            carry_out(self, event.subject, event.payload)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            detail = f"{event.type}: {type(error).__name__}: {error}"
            self.findings.append(Finding("AUDIT_EVENT_MALFORMED", event.subject, detail))


def tell(events: Iterable[Told]) -> ToldBooks:
    """The books that these events, which are in their order, amount to."""
    books = ToldBooks()
    for event in events:
        books.take(event)
    return books


def _open_account(books: ToldBooks, _subject: str, said: Mapping[str, Any]) -> None:
    books.accounts[int(said["account"])] = OpenedAccount(said["code"], said["kind"], said["currency"])


def _post(books: ToldBooks, subject: str, said: Mapping[str, Any]) -> None:
    number, legs = int(said["journal"]), _legs(said)
    if number in books.journals:
        books.findings.append(Finding("AUDIT_JOURNAL_REPEATED", subject, f"journal {number}"))
        return
    totals: defaultdict[str, int] = defaultdict(int)
    for leg in legs:
        totals[leg.currency] += leg.amount
        books.posted[leg.account] += leg.amount
    books.journals[number] = ToldJournal(legs, datetime.fromisoformat(said["effectiveAt"]))
    for currency, total in totals.items():
        if total:
            books.findings.append(Finding("AUDIT_JOURNAL_UNBALANCED", subject, f"{currency} sums to {total}"))


def _settle(books: ToldBooks, subject: str, said: Mapping[str, Any]) -> None:
    _post(books, subject, said)
    open_after = said["open"]
    kept = _kept(books, said)
    for leg in _legs(said):
        kept[leg.account, _side(leg.amount)] -= abs(leg.amount)
    if not open_after:
        kept.clear()


def _place(books: ToldBooks, _subject: str, said: Mapping[str, Any]) -> None:
    kept: defaultdict[tuple[int, int], int] = defaultdict(int)
    for leg in _legs(said):
        kept[leg.account, _side(leg.amount)] += abs(leg.amount)
    books.holds[UUID(said["hold"])] = kept


def _close(books: ToldBooks, _subject: str, said: Mapping[str, Any]) -> None:
    _kept(books, said).clear()


def _kept(books: ToldBooks, said: Mapping[str, Any]) -> Kept:
    hold = UUID(said["hold"])
    if f"hold/{hold}" in books.erased:
        return defaultdict(int)
    return books.holds[hold]


def _legs(said: Mapping[str, Any]) -> tuple[Leg, ...]:
    return tuple(Leg(account, amount, currency) for account, amount, currency in said["legs"])


def _side(amount: int) -> int:
    return 1 if amount > 0 else -1


_CARRY_OUT = {
    "treasury.account.opened": _open_account,
    "treasury.journal.posted": _post,
    "treasury.journal.reversed": _post,
    "treasury.hold.placed": _place,
    "treasury.hold.settled": _settle,
    "treasury.hold.voided": _close,
    "treasury.hold.expired": _close,
}
