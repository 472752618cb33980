"""Other people's accounting programs read our books and come to the same balances."""

from __future__ import annotations

import csv
import fcntl
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest

from parpour_treasury import exports
from parpour_treasury.books import Account, Balance, Journal, Kind
from parpour_treasury.commands import Leg
from parpour_treasury.currencies import EXPONENTS, format_amount
from parpour_treasury.testing import Books

AT = datetime(2026, 1, 1, tzinfo=UTC)
BEANCOUNT = Path(__file__).parent.parent / "beancount" / "requirements.txt"
Export = Callable[[Sequence[Account], Sequence[Journal], Sequence[Balance]], Iterator[str]]


def made_up(journals: int, seed: int) -> tuple[list[Account], list[Journal], list[Balance]]:
    """Accounts, random journals among them, and the balances they come to."""
    draw = random.Random(seed)
    kinds = list(Kind)
    currencies = ["USD", "JPY", "KWD", "CLF"]
    accounts = [
        Account(
            n,
            f"{kinds[n % 5]}:{currencies[n % 4].lower()}:a-{n}",
            "",
            kinds[n % 5],
            currencies[n % 4],
            AT,
            None,
            None,
            None,
            0,
            0,
            0,
        )
        for n in range(1, 41)
    ]
    by_currency = {one: [a for a in accounts if a.currency == one] for one in currencies}
    totals: defaultdict[int, int] = defaultdict(int)
    written = []
    for number in range(1, journals + 1):
        legs: list[Leg] = []
        for currency in draw.sample(currencies, draw.choice([1, 1, 1, 2])):
            chosen = draw.sample(by_currency[currency], draw.randint(2, 5))
            amounts = [draw.choice([-1, 1]) * draw.randint(1, 10 ** draw.randint(1, 12)) for _ in chosen[1:]]
            amounts.append(-sum(amounts))
            legs += [Leg(one.account, amount, currency) for one, amount in zip(chosen, amounts, strict=True) if amount]
        for leg in legs:
            totals[leg.account] += leg.amount
        at = AT + timedelta(minutes=draw.randint(0, 500_000))
        words = draw.choice(
            ["", "rent", 'a "quoted" one', "; comment", "= 5 USD", "two\nlines", "(x) | {y} *", "Zoë ☂"]
        )
        written.append(Journal(number, at, at, "posting", words, "a", UUID(int=1), None, None, tuple(legs), ()))
    balances = [Balance(one.account, one.code, one.kind, one.currency, totals[one.account]) for one in accounts]
    return accounts, written, balances


def run(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@cache
def beancount_environment() -> Path:
    """Folder of beancount's programs: an environment of its own below .venv, made anew when its lock changes."""
    uv = str(Path(sys.executable).with_name("uv"))
    environment = Path(sys.prefix) / "beancount"
    installed = environment / "installed.txt"
    with (Path(sys.prefix) / ".beancount.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists() or installed.read_text() != BEANCOUNT.read_text():
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment], check=True)
            sync: list[str | Path] = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes"]
            subprocess.run([*sync, "--python", environment / "bin" / "python", BEANCOUNT], check=True)
            installed.write_text(BEANCOUNT.read_text())
    return environment / "bin"


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    return run([beancount_environment() / "bean-check", "--no-cache", path])


def hledger_check(path: Path) -> subprocess.CompletedProcess[str]:
    return run(["hledger", "-f", path, "check", "accounts", "commodities"])


def ledger_balance(path: Path) -> subprocess.CompletedProcess[str]:
    return run(["ledger", "-f", path, "--strict", "balance"])


CHECKS = [
    pytest.param(exports.beancount, bean_check, id="beancount"),
    pytest.param(exports.hledger, hledger_check, id="hledger"),
    pytest.param(exports.ledger, ledger_balance, id="ledger"),
]
Check = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("journals", [300, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize(("export", "check"), CHECKS)
def test_a_program_of_others_agrees_with_every_balance(
    tmp_path: Path, export: Export, check: Check, journals: int
) -> None:
    accounts, written, balances = made_up(journals, seed=journals)
    path = tmp_path / "books"
    path.write_text("\n".join(export(accounts, written, balances)) + "\n")
    done = check(path)
    assert (done.returncode, done.stderr[:2000]) == (0, "")


@pytest.mark.parametrize(("export", "check"), CHECKS)
def test_a_balance_that_is_off_by_one_unit_is_found(tmp_path: Path, export: Export, check: Check) -> None:
    accounts, written, balances = made_up(50, seed=1)
    balances[7] = replace(balances[7], balance=balances[7].balance + 1)
    path = tmp_path / "books"
    path.write_text("\n".join(export(accounts, written, balances)) + "\n")
    assert check(path).returncode != 0


def test_hledgers_own_trial_balance_is_ours(tmp_path: Path) -> None:
    accounts, written, balances = made_up(300, seed=5)
    path = tmp_path / "books"
    path.write_text("\n".join(exports.hledger(accounts, written, balances)) + "\n")
    done = run(["hledger", "-f", path, "bal", "--flat", "-N", "-E", "-O", "csv"])
    theirs = dict(list(csv.reader(done.stdout.splitlines()))[1:])
    ours = {
        one.code: "0" if one.balance == 0 else f"{format_amount(one.balance, one.currency)} {one.currency}"
        for one in balances
    }
    assert {code: amount.replace(". ", " ") for code, amount in theirs.items()} == ours
    assert len(EXPONENTS) > 150


@pytest.mark.anyio
async def test_books_from_the_database_are_exported(books: Books, tmp_path: Path) -> None:
    one, two = await books.open("assets:one"), await books.open("income:two", Kind.INCOME)
    for amount in range(1, 20):
        await books.post((one, amount), (two, -amount), at=AT + timedelta(days=amount), description=f"number {amount}")
    accounts = await books.ledger.accounts(books.context)
    lines = exports.beancount(
        accounts, await books.ledger.journals(books.context), await books.ledger.trial_balance(books.context)
    )
    path = tmp_path / "books.beancount"
    path.write_text("\n".join(lines) + "\n")
    assert bean_check(path).returncode == 0
