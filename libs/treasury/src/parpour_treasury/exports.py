"""Books as plain text for hledger, ledger and beancount, so that programs of others can recompute what we say.

Signs are alike in all of them: a debit is positive. What the languages differ in is how an account is spelt, and that
beancount wants each account opened. Each export ends with one assertion an account, which the program checks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from parpour_treasury.books import Account, Balance, Journal, Kind
from parpour_treasury.currencies import format_amount

ROOTS = {
    Kind.ASSET: "Assets",
    Kind.LIABILITY: "Liabilities",
    Kind.EQUITY: "Equity",
    Kind.INCOME: "Income",
    Kind.EXPENSE: "Expenses",
}
"""The five roots that beancount knows."""


def beancount_account(account: Account) -> str:
    """An account's name in beancount: its kind's root, its words, and its number, which keeps names apart."""
    words = [word for word in re.split(r"[:_]", account.code) if word.lower() != ROOTS[account.kind].lower()]
    return ":".join([ROOTS[account.kind], *(word.capitalize() for word in words), f"A{account.account}"])


def quoted(text: str) -> str:
    """A text within double quotes on one line."""
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def one_line(text: str) -> str:
    """A text that no plain-text journal takes for a comment, a code or a new line."""
    return " ".join(re.sub(r"[;|()\[\]{}*!=\x00-\x1f]", " ", text).split())


def day(at: datetime) -> str:
    """A time's day in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def beancount(accounts: Sequence[Account], journals: Iterable[Journal], balances: Sequence[Balance]) -> Iterator[str]:
    """Lines for beancount. `balances` are those after all `journals`; they are asserted on the day after the last."""
    names = {one.account: beancount_account(one) for one in accounts}
    yield 'option "title" "parpour"'
    for one in accounts:
        yield f"1900-01-01 open {names[one.account]} {one.currency}"
    last = datetime(1900, 1, 1, tzinfo=UTC)
    for journal in journals:
        last = max(last, journal.effective_at)
        yield ""
        yield f"{day(journal.effective_at)} * {quoted(journal.description)}"
        yield f"  number: {journal.number}"
        for leg in journal.legs:
            yield f"  {names[leg.account]}  {format_amount(leg.amount, leg.currency)} {leg.currency}"
    for line in balances:
        amount = format_amount(line.balance, line.currency)
        yield f"{day(last + timedelta(days=1))} balance {names[line.account]}  {amount} ~ 0 {line.currency}"


def hledger(accounts: Sequence[Account], journals: Iterable[Journal], balances: Sequence[Balance]) -> Iterator[str]:
    """Lines for hledger. The last transaction moves nothing and asserts every balance."""
    codes = {one.account: one.code for one in accounts}
    for one in accounts:
        yield f"account {one.code}  ; type: {ROOTS[one.kind][0] if one.kind is not Kind.INCOME else 'R'}"
    for currency in sorted({one.currency for one in accounts}):
        # A decimal mark must stand even where there are no decimals.
        example = format_amount(1000, currency)
        yield f"commodity {example if '.' in example else example + '.'} {currency}"
    yield from _plain(codes, journals, balances)


def ledger(accounts: Sequence[Account], journals: Iterable[Journal], balances: Sequence[Balance]) -> Iterator[str]:
    """Lines for ledger. The last transaction moves nothing and asserts every balance."""
    codes = {one.account: one.code for one in accounts}
    yield from (f"account {one.code}" for one in accounts)
    yield from (f"commodity {currency}" for currency in sorted({one.currency for one in accounts}))
    yield from _plain(codes, journals, balances)


def _plain(codes: dict[int, str], journals: Iterable[Journal], balances: Sequence[Balance]) -> Iterator[str]:
    last = datetime(1900, 1, 1, tzinfo=UTC)
    for journal in journals:
        last = max(last, journal.effective_at)
        yield ""
        yield f"{day(journal.effective_at)} * ({journal.number}) {one_line(journal.description)}".rstrip()
        for leg in journal.legs:
            yield f"    {codes[leg.account]}  {format_amount(leg.amount, leg.currency)} {leg.currency}"
    yield ""
    yield f"{day(last + timedelta(days=1))} * balances"
    for line in balances:
        amount = format_amount(line.balance, line.currency)
        zero = format_amount(0, line.currency)
        yield f"    {codes[line.account]}  {zero} {line.currency} = {amount} {line.currency}"
