"""The API behind a PgBouncer that pools sessions: the ledger keeps its books, and tenants stay apart."""

from __future__ import annotations

import asyncio

import pytest

from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.testing import Place, pooled

from .building import Caller, open_api

pytestmark = pytest.mark.anyio


async def kept(caller: Caller, amounts: list[str]) -> None:
    """Books that add up to what was posted, asked for while others ask for theirs."""
    bank, funding = await caller.open("bank"), await caller.open("funding", "EQUITY")
    await asyncio.gather(*(caller.post(bank, funding, amount) for amount in amounts))
    data = await caller.ask(
        "query($id: ID!) { account(id: $id) { balance { amount } } ledger { journals } }", {"id": bank}
    )
    assert data["account"]["balance"]["amount"] == f"{sum(map(int, amounts))}.00"
    assert data["ledger"]["journals"] == str(len(amounts))


async def test_books_are_kept_and_tenants_stay_apart_behind_a_pooler_of_sessions(place: Place) -> None:
    with pooled(place, "session", sessions=4) as pooler:
        async with open_api(place, database=pooler.dsn(), connections=3) as api:
            callers = [await api.venture() for _ in range(3)]
            await asyncio.gather(
                *(kept(one, [str(n + 1) for n in range(number, 8)]) for number, one in enumerate(callers))
            )


async def test_an_api_behind_a_pooler_that_loses_statements_does_not_start(place: Place) -> None:
    from parpour_api.app import running
    from parpour_api.identity.tokens import RevokedList
    from parpour_api.metrics import Metrics

    from .building import Keyring, settings_for

    with pooled(place, "transaction") as pooler:
        parts = running(
            settings_for(place, database=pooler.dsn()),
            secret=b"s" * 32,
            password=None,
            fetch=Keyring().fetch,
            revocations=RevokedList(),
            metrics=Metrics(),
        )
        with pytest.raises(ControlPlaneError, match="DATABASE_POOLER_UNFIT"):
            async with parts:
                pass
