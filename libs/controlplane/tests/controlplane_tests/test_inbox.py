"""A consumer applies an event once, however often it arrives and whoever else reads it."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from parpour_controlplane.inbox import Inbox
from parpour_controlplane.testing import Place

pytestmark = pytest.mark.anyio
INBOX = Inbox("payouts")


def context(place: Place, tenant: UUID) -> str:
    return place.app.mint(tenant=tenant, actor="system:payouts")


async def test_an_event_is_applied_once_by_each_consumer_in_each_tenant(shared: Place) -> None:
    tenant, other, event = uuid4(), uuid4(), uuid4()
    connection = await asyncpg.connect(shared.dsn())
    for whose, inbox in ((tenant, INBOX), (tenant, Inbox("mail")), (other, INBOX)):
        async with connection.transaction():
            assert await inbox.apply_once(connection, context(shared, whose), event)
        async with connection.transaction():
            assert not await inbox.apply_once(connection, context(shared, whose), event)
    await connection.close()


async def test_what_was_rolled_back_was_not_applied(shared: Place) -> None:
    tenant, event = uuid4(), uuid4()
    connection = await asyncpg.connect(shared.dsn())
    failing = connection.transaction()
    await failing.start()
    assert await INBOX.apply_once(connection, context(shared, tenant), event)
    await failing.rollback()
    assert await INBOX.apply_once(connection, context(shared, tenant), event)
    await connection.close()


async def test_of_many_at_once_one_applies_and_the_others_wait_for_it(shared: Place) -> None:
    tenant, event = uuid4(), uuid4()

    async def apply() -> bool:
        connection = await asyncpg.connect(shared.dsn())
        try:
            async with connection.transaction():
                return await INBOX.apply_once(connection, context(shared, tenant), event)
        finally:
            await connection.close()

    assert sorted(await asyncio.gather(*(apply() for _ in range(8)))) == [False] * 7 + [True]


async def test_a_consumer_has_a_plain_name(shared: Place) -> None:
    connection = await asyncpg.connect(shared.dsn())
    with pytest.raises(asyncpg.CheckViolationError):
        await Inbox("'; drop").apply_once(connection, context(shared, uuid4()), uuid4())
    await connection.close()
