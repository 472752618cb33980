"""Whatever the treasury writes as an event is of a declared type, and says what that type says."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from parpour_contracts.eventtypes import EventTypeError, EventTypes
from parpour_controlplane.testing import Place
from parpour_treasury import MIGRATIONS
from parpour_treasury.eventtypes import AREAS, EVENT_TYPES
from parpour_treasury.spending.states import Step
from parpour_treasury.testing import Books

pytestmark = pytest.mark.anyio
TYPES = EventTypes(EVENT_TYPES)


async def everything(books: Books) -> None:
    """Do whatever the ledger can do."""
    bank, funding, spare = (
        await books.open("bank", minimum=0),
        await books.open("funding", maximum=10**12),
        await books.open("spare"),
    )
    await books.ledger.limit_account(books.context, spare, minimum=None, maximum=5)
    await books.ledger.close_account(books.context, spare)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    posted = await books.post((bank, 100), (funding, -100), at=yesterday, description="Zoë ☂ \"'\\")
    assert posted.journal is not None
    await books.ledger.lock_period(books.context, until=yesterday + timedelta(hours=1))
    await books.reverse(posted.journal)
    await books.post((bank, 100), (funding, -100))
    hold, _ = await books.place((bank, -50), (funding, 50))
    await books.settle(hold, (-10, 10), release=False)
    await books.settle(hold, (-10, 10))
    hold, _ = await books.place((bank, -5), (funding, 5))
    await books.void(hold)
    await books.place((bank, -5), (funding, 5), expires=datetime.now(UTC) + timedelta(seconds=0.1))
    await asyncio.sleep(0.15)
    await books.post((bank, 1), (funding, -1))


async def test_every_event_of_the_ledger_says_what_its_type_says(books: Books, place: Place) -> None:
    await everything(books)
    async with books.ledger._database.transaction(books.context) as connection:
        rows = await connection.fetch("select type, version, payload::text as payload from controlplane.event")
    for row in rows:
        TYPES.validate(row["type"], row["version"], json.loads(row["payload"]))
    assert {row["type"] for row in rows} == {one.name for one in AREAS["Ledger"]}


def written_types(text: str) -> set[str]:
    """Types that SQL can write: every text of such a form, and what two functions put together."""
    whole = set(re.findall(r"'(treasury\.[a-z]+\.[a-z]+)'", text))
    begun = set(re.findall(r"'(treasury\.[a-z]+\.)' \|\|", text))
    assert begun == {"treasury.spend.", "treasury.exception."}
    closed = {one for pair in re.findall(r"outcome not in \('([a-z]+)', '([a-z-]+)'\)", text) for one in pair}
    noted = set(re.findall(r"note_exception\(tenant, [^,']+, '([a-z]+)'", text)) | closed
    return (
        whole
        | {f"treasury.spend.{step}" for step in Step}
        | {f"treasury.exception.{step.replace('-', '')}" for step in noted}
    )


def test_every_type_that_the_database_can_write_is_declared_and_no_other() -> None:
    written = written_types("".join(one.text for one in MIGRATIONS if one.component == "treasury"))
    assert written == {one.name for one in EVENT_TYPES}


async def test_what_the_ledger_does_not_say_is_invalid(books: Books) -> None:
    for payload in ({}, {"account": "7"}, {"account": 7.0}, {"account": 7, "more": None}):
        with pytest.raises(EventTypeError, match="EVENT_PAYLOAD_INVALID"):
            TYPES.validate("treasury.account.closed", 1, payload)
