"""Compares the books that were handed over with what the events tell, and with themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from parpour_treasury.auditing.findings import Finding
from parpour_treasury.auditing.telling import Kept, ToldBooks, ToldJournal
from parpour_treasury.books import Account, HoldState, Journal
from parpour_treasury.commands import Leg


class StandingBooks(Protocol):
    """Books as they are compared. Journals may lie in a file: they are gone through once, one after the other."""

    @property
    def accounts(self) -> Sequence[Account]:
        """All of them."""

    @property
    def journals(self) -> Collection[Journal]:
        """By number."""

    @property
    def holds(self) -> Sequence[HoldState]:
        """All of them."""


@dataclass(frozen=True)
class Books:
    """A tenant's books of one moment, all of them."""

    accounts: Sequence[Account]
    journals: Sequence[Journal]
    """By number."""
    holds: Sequence[HoldState]


def compare(books: StandingBooks, told: ToldBooks) -> list[Finding]:
    """Every contradiction between the books and the events, and within either; none if they agree."""
    findings, legs = _journals(books, told)
    return [
        *told.findings,
        *_accounts(books, told),
        *findings,
        *_holds(books, told),
        *_balances(books, told, legs),
    ]


def _accounts(books: StandingBooks, told: ToldBooks) -> Iterator[Finding]:
    there = {account.account: account for account in books.accounts}
    for number, opened in told.accounts.items():
        account = there.get(number)
        if account is None:
            yield Finding("AUDIT_ACCOUNT_MISSING", f"account/{number}", opened.code)
        elif (account.code, account.kind.value, account.currency) != (opened.code, opened.kind, opened.currency):
            both = f"{account.code} {account.kind.value} {account.currency}, opened as {opened}"
            yield Finding("AUDIT_ACCOUNT_CHANGED", f"account/{number}", both)
    for number in there.keys() - told.accounts.keys():
        if f"account/{number}" not in told.erased:
            yield Finding("AUDIT_ACCOUNT_UNTOLD", f"account/{number}", there[number].code)


def _journals(books: StandingBooks, told: ToldBooks) -> tuple[list[Finding], Mapping[int, int]]:
    """What journals contradict, the balances beside their legs included, and what each account's legs come to."""
    findings: list[Finding] = []
    sums: defaultdict[int, int] = defaultdict(int)
    numbers: set[int] = set()
    untold: list[Finding] = []
    agreed = True
    for journal in books.journals:
        number, posted = journal.number, told.journals.get(journal.number)
        numbers.add(number)
        if posted is not None:
            findings += _changed(journal, posted)
        elif f"journal/{number}" not in told.erased:
            untold.append(Finding("AUDIT_JOURNAL_UNTOLD", f"journal/{number}", journal.description))
        for leg, balance in zip(journal.legs, journal.balances, strict=True):
            sums[leg.account] += leg.amount
            if agreed and sums[leg.account] != balance:
                # Whatever follows differs as well.
                agreed = False
                both = f"account {leg.account} came to {sums[leg.account]}, {balance} is written"
                findings.append(Finding("AUDIT_LEG_BALANCE_DIFFERS", f"journal/{number}", both))
    place = next((place for place in range(1, len(numbers) + 1) if place not in numbers), None)
    if place is not None:
        follows = min((number for number in numbers if number > place), default="nothing")
        findings.append(Finding("AUDIT_JOURNAL_GAP", f"journal/{place}", f"{follows} follows {place - 1}"))
    for number, posted in told.journals.items():
        if number not in numbers:
            findings.append(Finding("AUDIT_JOURNAL_MISSING", f"journal/{number}", f"{len(posted.legs)} legs"))
    return [*findings, *untold], sums


def _changed(journal: Journal, posted: ToldJournal) -> Iterator[Finding]:
    place = f"journal/{journal.number}"
    if journal.legs != posted.legs:
        yield Finding("AUDIT_JOURNAL_CHANGED", place, _first_difference(journal.legs, posted.legs))
    elif journal.effective_at != posted.effective_at:
        both = f"effective {journal.effective_at.isoformat()}, posted as {posted.effective_at.isoformat()}"
        yield Finding("AUDIT_JOURNAL_CHANGED", place, both)


def _first_difference(there: Sequence[Leg], posted: Sequence[Leg]) -> str:
    if len(there) != len(posted):
        return f"{len(there)} legs, posted with {len(posted)}"
    place = next(place for place, pair in enumerate(zip(there, posted, strict=True)) if pair[0] != pair[1])
    return f"leg {place + 1}: {_shown(there[place])}, posted as {_shown(posted[place])}"


def _shown(leg: Leg) -> str:
    return f"{leg.amount} {leg.currency} on account {leg.account}"


def _holds(books: StandingBooks, told: ToldBooks) -> Iterator[Finding]:
    there = {hold.hold: hold for hold in books.holds}
    whole = _journals_told(told)
    for number, kept in told.holds.items():
        hold = there.get(number)
        if hold is None:
            yield Finding("AUDIT_HOLD_MISSING", f"hold/{number}", _kept_shown(kept))
        elif whole and _kept_by(hold) != {side: amount for side, amount in kept.items() if amount}:
            both = f"keeps {_kept_shown(_kept_by(hold))}, by the events {_kept_shown(kept)}"
            yield Finding("AUDIT_HOLD_CHANGED", f"hold/{number}", both)
    for number in there.keys() - told.holds.keys():
        if f"hold/{number}" not in told.erased:
            yield Finding("AUDIT_HOLD_UNTOLD", f"hold/{number}", there[number].description)


def _journals_told(told: ToldBooks) -> bool:
    """Whether every journal's event still says what it said; otherwise sums over them mean nothing."""
    return not any(subject.startswith("journal/") for subject in told.erased)


def _kept_by(hold: HoldState) -> Kept:
    kept: defaultdict[tuple[int, int], int] = defaultdict(int)
    if hold.state == "open":
        for leg, settled in zip(hold.legs, hold.settled, strict=True):
            if leg.amount != settled:
                kept[leg.account, 1 if leg.amount > 0 else -1] += abs(leg.amount - settled)
    return dict(kept)


def _kept_shown(kept: Kept) -> str:
    return ", ".join(f"{side * amount} on account {account}" for (account, side), amount in sorted(kept.items())) or "0"


def _balances(books: StandingBooks, told: ToldBooks, legs: Mapping[int, int]) -> Iterator[Finding]:
    """Balances against the legs in the books, and against the events unless some of those were erased."""
    pending: defaultdict[tuple[int, int], int] = defaultdict(int)
    for hold in books.holds:
        for side, amount in _kept_by(hold).items():
            pending[side] += amount
    whole = _journals_told(told)
    for account in books.accounts:
        number = account.account
        came_to = legs.get(number, 0)
        sums = {came_to, told.posted[number]} if whole else {came_to}
        if sums != {account.posted}:
            both = f"{account.posted} is written, the legs come to {came_to}, the events to {told.posted[number]}"
            yield Finding("AUDIT_BALANCE_DIFFERS", f"account/{number}", both)
        kept = (pending[number, 1], pending[number, -1])
        if kept != (account.pending_debit, account.pending_credit):
            both = (
                f"{account.pending_debit} and {account.pending_credit} are written, holds keep {kept[0]} and {kept[1]}"
            )
            yield Finding("AUDIT_PENDING_DIFFERS", f"account/{number}", both)
