"""Plain holds of spends are placed as `carry_out` would have placed them; what it would refuse, it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parpour_controlplane.testing import Place
from parpour_treasury.batches import Request, encode
from parpour_treasury.commands import Hold, Leg
from parpour_treasury.testing import Books

if TYPE_CHECKING:
    from asyncpg import Connection, Record

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MOST = 2**62 - 1
ACCOUNTS = {"open": 1, "limited": 2, "closed": 3, "yen": 4, "unknown": 9}
PLACE = f"select treasury.place_holds({', '.join(f'${place}' for place in range(1, 14))})"
CARRY_OUT = f"select * from treasury.carry_out({', '.join(f'${place}' for place in range(1, 19))})"
WRITTEN = {
    "holds": "select * from treasury.hold where tenant_id = $1 order by hold_id",
    "legs": "select * from treasury.hold_leg where tenant_id = $1 order by hold_id, position",
    "requests": "select * from treasury.request where tenant_id = $1 order by key",
    "accounts": "select * from treasury.account where tenant_id = $1 order by account_id",
    "events": "select type, version, occurred_at, actor, correlation, subject, payload::text, taint "
    "from controlplane.event where tenant_id = $1 order by ordinal",
}


@dataclass(frozen=True)
class Placing:
    """A hold that a spend would place."""

    debit: str
    credit: str
    amount: int
    currency: str
    seconds: int
    """From now until it expires."""


placings = st.builds(
    Placing,
    debit=st.sampled_from(["open"] * 4 + list(ACCOUNTS)),
    credit=st.sampled_from(["open", "limited", "limited", "limited", *ACCOUNTS]),
    amount=st.sampled_from([1, 7, 40, 60, 100, 101, MOST // 2, MOST]),
    currency=st.sampled_from(["USD"] * 7 + ["JPY"]),
    seconds=st.sampled_from([60] * 7 + [0]),
)


@dataclass(frozen=True)
class Ledger:
    """Accounts with limits, and a session of their owner."""

    session: Connection[Record]
    tenant: UUID

    async def written(self) -> dict[str, list[Record]]:
        """All that a hold writes."""
        return {name: await self.session.fetch(query, self.tenant) for name, query in WRITTEN.items()}

    async def try_out(self, query: str, *arguments: Any) -> tuple[Record, dict[str, list[Record]]]:
        """What a function says, and what is there after it, before it is undone."""
        attempt = self.session.transaction()
        await attempt.start()
        try:
            told = await self.session.fetchrow(query, self.tenant, NOW, *arguments)
            assert told is not None
            return told, await self.written()
        finally:
            await attempt.rollback()


@pytest.fixture
async def ledger(place: Place, books: Books) -> AsyncIterator[Ledger]:
    """In one transaction, which is never committed."""
    numbers = [await books.open("one"), await books.open("two", minimum=0), await books.open("three")]
    numbers.append(await books.open("four", currency="JPY"))
    assert numbers == [1, 2, 3, 4]
    await books.post((2, 100), (1, -100))
    session = await asyncpg.connect(place.dsn("parpour_migrator"))
    async with session.transaction():
        await session.execute("set local role parpour_owner")
        await session.execute("select set_config('parpour.tenant', $1, true)", str(books.tenant))
        await session.execute("update treasury.account set closed_at = now() where account_id = 3")
        yield Ledger(session, books.tenant)
    await session.close()


def columns(batch: Sequence[Placing]) -> tuple[list[UUID], list[Any]]:
    """Spends, and the columns of their commands."""
    requests = []
    for number, one in enumerate(batch, start=1):
        legs = (
            Leg(ACCOUNTS[one.debit], one.amount, one.currency),
            Leg(ACCOUNTS[one.credit], -one.amount, one.currency),
        )
        hold = Hold(
            key=f"spend/{number}",
            correlation=UUID(int=number),
            hold=UUID(int=100 + number),
            legs=legs,
            description=f'the "{number}"\n',
            expires_at=NOW + timedelta(seconds=one.seconds),
        )
        requests.append(Request.of(hold, actor=f"user:{number}"))
    return [UUID(int=number) for number in range(1, len(batch) + 1)], list(encode(requests))


def of_place_holds(columns: Sequence[Any], *, key: str | None = None, hold: UUID | None = None) -> list[Any]:
    """The columns that `place_holds` takes; a key or a hold that is given stands for those of the batch."""
    actors, keys, digests, _, _, descriptions, correlations, holds, expires, *_ = columns
    holds, keys = [hold] if hold else holds, [key] if key else keys
    return [actors, keys, digests, descriptions, correlations, holds, expires, *columns[-3:]]


async def compare(ledger: Ledger, batch: Sequence[Placing]) -> bool:
    """Whether the batch is plain; both ways, if it is, have to leave the same."""
    spends, given_columns = columns(batch)
    before = await ledger.written()
    answer, after = await ledger.try_out(CARRY_OUT, spends, *given_columns)
    plain, placed = await ledger.try_out(PLACE, spends, *of_place_holds(given_columns))
    assert plain[0] is not any(answer["codes"])
    assert placed == (after if plain[0] else before)
    return bool(plain[0])


@pytest.mark.parametrize(
    ("batch", "plain"),
    [
        ([Placing("open", "limited", 100, "USD", 60)], True),
        ([Placing("open", "limited", 60, "USD", 60), Placing("open", "limited", 40, "USD", 60)], True),
        ([Placing("open", "limited", 60, "USD", 60), Placing("open", "limited", 41, "USD", 60)], False),
        ([Placing("open", "limited", 101, "USD", 60)], False),
        ([Placing("open", "closed", 1, "USD", 60)], False),
        ([Placing("open", "yen", 1, "USD", 60)], False),
        ([Placing("yen", "yen", 1, "JPY", 60)], True),
        ([Placing("open", "unknown", 1, "USD", 60)], False),
        ([Placing("open", "limited", 1, "USD", 0)], False),
        ([Placing("open", "open", MOST, "USD", 60), Placing("open", "open", MOST, "USD", 60)], False),
    ],
)
async def test_what_is_plain_is_placed_and_nothing_else(ledger: Ledger, batch: list[Placing], plain: bool) -> None:
    assert await compare(ledger, batch) is plain


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(batch=st.lists(placings, min_size=1, max_size=5))
async def test_a_batch_is_placed_as_carry_out_would(ledger: Ledger, batch: list[Placing]) -> None:
    await compare(ledger, batch)


async def test_a_hold_that_stands_and_a_key_that_was_used_are_not_plain(ledger: Ledger) -> None:
    spends, given_columns = columns([Placing("open", "limited", 1, "USD", 60)])
    assert await ledger.session.fetchval(PLACE, ledger.tenant, NOW, spends, *of_place_holds(given_columns))
    before = await ledger.written()
    for again in (of_place_holds(given_columns, hold=UUID(int=500)), of_place_holds(given_columns, key="another")):
        plain, after = await ledger.try_out(PLACE, spends, *again)
        assert (plain[0], after) == (False, before)
