"""An audit of books: silent where they agree with the events, and at the right place where somebody changed either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parpour_treasury.auditing.comparing import Books as Standing
from parpour_treasury.auditing.comparing import compare
from parpour_treasury.auditing.findings import AUDIT_FINDINGS
from parpour_treasury.auditing.snapshot import from_lines, to_lines
from parpour_treasury.auditing.telling import Told, tell
from parpour_treasury.commands import Leg
from parpour_treasury.refusals import TreasuryError
from parpour_treasury.testing import Books, snapshot

pytestmark = pytest.mark.anyio

HOLD = UUID(int=1)


@pytest.fixture
async def audited(books: Books) -> tuple[Standing, list[Told]]:
    """Three accounts, four journals, an open hold of which a part was settled, and a voided one."""
    bank, goods, funding = [await books.open(code) for code in ("bank", "goods", "funding")]
    await books.post((bank, 1000), (funding, -1000))
    await books.post((goods, 30), (bank, -30))
    await books.place((goods, 100), (bank, -100), hold=HOLD)
    await books.settle(HOLD, [40, -40], release=False)
    other, _ = await books.place((goods, 7), (bank, -7))
    await books.void(other)
    await books.reverse(2)
    return await snapshot(books)


def findings(standing: Standing, told: list[Told]) -> set[tuple[str, str]]:
    return {(one.code, one.place) for one in compare(standing, tell(told))}


def with_journal(number: int, /, **changes: Any) -> Callable[[Standing], Standing]:
    def changed(books: Standing) -> Standing:
        journals = [replace(one, **changes) if one.number == number else one for one in books.journals]
        return replace(books, journals=journals)

    return changed


def with_account(number: int, /, **changes: Any) -> Callable[[Standing], Standing]:
    def changed(books: Standing) -> Standing:
        accounts = [replace(one, **changes) if one.account == number else one for one in books.accounts]
        return replace(books, accounts=accounts)

    return changed


def with_hold(**changes: Any) -> Callable[[Standing], Standing]:
    def changed(books: Standing) -> Standing:
        return replace(books, holds=[replace(one, **changes) if one.hold == HOLD else one for one in books.holds])

    return changed


async def test_books_that_nobody_touched_pass(audited: tuple[Standing, list[Told]]) -> None:
    standing, told = audited
    assert compare(standing, tell(told)) == []
    assert [len(standing.accounts), len(standing.journals), len(standing.holds)] == [3, 4, 2]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (with_journal(2, legs=(Leg(2, 31, "USD"), Leg(1, -31, "USD"))), ("AUDIT_JOURNAL_CHANGED", "journal/2")),
        (with_journal(2, legs=(Leg(2, 30, "USD"),), balances=(30,)), ("AUDIT_JOURNAL_CHANGED", "journal/2")),
        (
            with_journal(1, effective_at=datetime(2020, 1, 1, tzinfo=UTC)),
            ("AUDIT_JOURNAL_CHANGED", "journal/1"),
        ),
        (with_journal(3, number=9), ("AUDIT_JOURNAL_GAP", "journal/3")),
        (lambda b: replace(b, journals=b.journals[:-1]), ("AUDIT_JOURNAL_MISSING", "journal/4")),
        (
            lambda b: replace(b, journals=[*b.journals, replace(b.journals[0], number=5)]),
            ("AUDIT_JOURNAL_UNTOLD", "journal/5"),
        ),
        (with_journal(1, balances=(999, -1000)), ("AUDIT_LEG_BALANCE_DIFFERS", "journal/1")),
        (with_account(1, posted=5), ("AUDIT_BALANCE_DIFFERS", "account/1")),
        (with_account(1, pending_credit=0), ("AUDIT_PENDING_DIFFERS", "account/1")),
        (with_account(2, currency="EUR"), ("AUDIT_ACCOUNT_CHANGED", "account/2")),
        (with_account(3, account=4), ("AUDIT_ACCOUNT_UNTOLD", "account/4")),
        (with_account(3, account=4), ("AUDIT_ACCOUNT_MISSING", "account/3")),
        (with_hold(state="voided"), ("AUDIT_HOLD_CHANGED", f"hold/{HOLD}")),
        (with_hold(settled=(41, -41)), ("AUDIT_HOLD_CHANGED", f"hold/{HOLD}")),
        (with_hold(hold=UUID(int=9)), ("AUDIT_HOLD_MISSING", f"hold/{HOLD}")),
        (with_hold(hold=UUID(int=9)), ("AUDIT_HOLD_UNTOLD", f"hold/{UUID(int=9)}")),
    ],
)
async def test_what_was_changed_in_the_books_is_named(
    audited: tuple[Standing, list[Told]], change: Callable[[Standing], Standing], expected: tuple[str, str]
) -> None:
    standing, told = audited
    assert expected in findings(change(standing), told)


def _of(told: list[Told], subject: str) -> Told:
    return next(one for one in told if one.subject == subject)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"legs": [[2, 30, "USD"]]}, "AUDIT_JOURNAL_UNBALANCED"),
        ({"journal": 1}, "AUDIT_JOURNAL_REPEATED"),
        ({"legs": "none"}, "AUDIT_EVENT_MALFORMED"),
    ],
)
async def test_what_contradicts_itself_in_the_events_is_named(
    audited: tuple[Standing, list[Told]], payload: dict[str, Any], expected: str
) -> None:
    standing, told = audited
    two = _of(told, "journal/2")
    changed = [replace(one, payload={**(one.payload or {}), **payload}) if one is two else one for one in told]
    assert (expected, "journal/2") in findings(standing, changed)


async def test_what_was_erased_is_no_contradiction(audited: tuple[Standing, list[Told]]) -> None:
    standing, told = audited
    for subject in ("journal/2", "journal/3", f"hold/{HOLD}", "account/2"):
        event = _of(told, subject)
        assert compare(standing, tell([replace(one, payload=None) if one is event else one for one in told])) == []


async def test_books_are_written_and_read_alike(audited: tuple[Standing, list[Told]]) -> None:
    lines = list(to_lines(audited[0]))
    assert from_lines(lines) == audited[0]
    assert list(to_lines(from_lines(lines))) == lines


@given(st.text() | st.from_regex(r'\{"(account|journal|hold)":\{.*\}\}', fullmatch=True))
def test_lines_that_are_no_books_are_refused(line: str) -> None:
    with pytest.raises(TreasuryError, match=r"AUDIT_BOOKS_MALFORMED: line 1"):
        from_lines([line])


def test_every_finding_is_reached() -> None:
    source = "".join(Path(__file__).with_name(name).read_text() for name in ("test_auditing.py", "test_dossier.py"))
    assert [code for code in AUDIT_FINDINGS if code not in source] == []


async def test_an_hour_of_clock_going_back_changes_nothing(books: Books) -> None:
    """Events of batches that bear one time are carried out all the same."""
    one, two = await books.open("one"), await books.open("two")
    hold, _ = await books.place((one, 5), (two, -5), expires=datetime.now(UTC) + timedelta(hours=1))
    await books.void(hold)
    standing, told = await snapshot(books)
    assert compare(standing, tell(told)) == []
