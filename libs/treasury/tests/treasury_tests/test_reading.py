"""Pages of books: from either end they say what the whole list says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from parpour_controlplane.events import page_of_events
from parpour_controlplane.testing import Place, seal
from parpour_treasury import reading
from parpour_treasury.books import Kind
from parpour_treasury.testing import Books

pytestmark = pytest.mark.anyio


async def filled(books: Books) -> datetime:
    """Five accounts, seven journals a day apart, four holds; returns when the first took effect."""
    for number in range(5):
        await books.open(f"a{number}", Kind.EQUITY if number % 2 else Kind.ASSET)
    begin = datetime.now(UTC) - timedelta(days=8)
    for number in range(7):
        await books.post((1, number + 1), (2, -number - 1), at=begin + timedelta(days=number))
    for _ in range(4):
        await books.place((3, 1), (4, -1))
    return begin


Numbers = Callable[[int, int, bool], Awaitable[list[int]]]


async def walked(page: Numbers, *, backward: bool) -> list[int]:
    """All numbers, page by page from one end."""
    found: list[int] = []
    after, before = 0, reading.NUMBER_END
    while numbers := await page(after, before, backward):
        found = numbers + found if backward else found + numbers
        after, before = (after, numbers[0]) if backward else (numbers[-1], before)
    return found


@pytest.mark.parametrize("backward", [False, True])
async def test_pages_from_either_end_say_what_the_list_says(books: Books, backward: bool) -> None:
    await filled(books)
    async with books.database.transaction(books.context) as connection:

        async def accounts(after: int, before: int, backward: bool) -> list[int]:
            rows = await reading.page_of_accounts(connection, after=after, before=before, limit=2, backward=backward)
            return [row.account for row in rows]

        async def journals(after: int, before: int, backward: bool) -> list[int]:
            rows = await reading.page_of_journals(connection, after=after, before=before, limit=2, backward=backward)
            return [row.number for row in rows]

        assert await walked(accounts, backward=backward) == list(range(1, 6))
        assert await walked(journals, backward=backward) == list(range(1, 8))


async def test_holds_are_read_by_id_from_either_end(books: Books) -> None:
    await filled(books)
    async with books.database.transaction(books.context) as connection:
        first, end = reading.FIRST_ID, reading.LAST_ID
        ids = [one.hold for one in await reading.page_of_holds(connection, after=first, before=end, limit=9)]
        assert ids == sorted(ids)
        assert len(ids) == 4
        last = await reading.page_of_holds(connection, after=first, before=end, limit=2, backward=True)
        assert [one.hold for one in last] == ids[2:]
        between = await reading.page_of_holds(connection, after=ids[0], before=ids[3], limit=9)
        assert [one.hold for one in between] == ids[1:3]


async def test_balances_movements_and_the_head_agree_with_the_ledger(books: Books) -> None:
    begin = await filled(books)
    at = begin + timedelta(days=3)
    trial = await books.ledger.trial_balance(books.context, effective=at)
    async with books.database.transaction(books.context) as connection:
        head = await reading.head(connection)
        assert head is not None
        assert (head.accounts, head.journals, head.locked_until) == (5, 7, None)
        page = await reading.page_of_balances(
            connection, after=0, before=reading.NUMBER_END, limit=9, effective=at, recorded=None
        )
        assert sorted(page, key=lambda one: one.code) == trial
        balances = await reading.balances_of(connection, [1, 2, 99], effective=at, recorded=None)
        assert balances == {1: 1 + 2 + 3 + 4, 2: -(1 + 2 + 3 + 4), 99: 0}
        assert (await reading.accounts_of(connection, [3, 99])).keys() == {3}
        found: list[int] = []
        place = None
        while rows := await reading.page_of_movements(
            connection, 1, since=begin, until=begin + timedelta(days=5), after=place, limit=2
        ):
            found += [row.movement.amount for row in rows]
            place = (rows[-1].movement.effective_at, rows[-1].movement.journal, rows[-1].position)
    whole = await books.ledger.statement(books.context, 1, since=begin, until=begin + timedelta(days=5))
    assert found == [one.amount for one in whole.movements] == [1, 2, 3, 4, 5]


async def test_events_are_read_in_pages_and_by_subject(place: Place, books: Books) -> None:
    await filled(books)
    async with books.database.transaction(books.context) as connection:
        assert await page_of_events(connection, books.context, limit=9) == [], "nothing has its place yet"
    await seal(place)
    async with books.database.transaction(books.context) as connection:
        everything = await page_of_events(connection, books.context, limit=99)
        assert [one.position for one in everything] == list(range(1, 5 + 7 + 4 + 1))

        async def positions(after: int, before: int, backward: bool) -> list[int]:
            rows = await page_of_events(
                connection, books.context, after=after, before=before, limit=3, backward=backward
            )
            return [row.position for row in rows]

        for backward in (False, True):
            assert await walked(positions, backward=backward) == [one.position for one in everything]
        for backward in (False, True):
            named = await page_of_events(connection, books.context, subject="journal/3", limit=9, backward=backward)
            assert [one.event.type for one in named] == ["treasury.journal.posted"]
            assert named[0] in everything
        opened = await page_of_events(
            connection, books.context, subject="account/2", after=everything[-1].position, limit=9
        )
        assert opened == []


async def test_a_tenant_without_books_has_no_head(books: Books) -> None:
    nobody = books.mint.mint(tenant=UUID(int=404), actor="user:x")
    async with books.database.transaction(nobody) as connection:
        assert await reading.head(connection) is None
