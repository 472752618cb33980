"""What an event said can be erased, in one tenant, and nothing else about it can ever be changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from parpour_controlplane.database import Database, open_database
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.events import erase_payload, events_about
from parpour_controlplane.testing import Place

from .sealing_of import Sealing, sealing

pytestmark = pytest.mark.anyio


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


@pytest.fixture
async def service(here: Sealing) -> AsyncIterator[Database]:
    async with open_database(here.place.dsn(), connections=2) as database:
        yield database


def context(here: Sealing) -> str:
    return here.place.app.mint(tenant=here.tenant, actor="user:ann")


async def test_an_erased_payload_is_gone_and_the_chain_still_verifies(here: Sealing, service: Database) -> None:
    transaction = await here.writer.begin(here.tenant)
    event = await here.writer.event(here.tenant, payload='{"secret": "Zoë"}')
    await transaction.commit()
    sealer = here.sealer()
    await sealer.round()
    assert "Zoë" in (await here.export()).read_text()
    before = await here.verify()
    assert await erase_payload(service.pool, context(here), event, reason="she asked for it")
    assert not await erase_payload(service.pool, context(here), event, reason="again")
    await sealer.round()
    row = await here.writer.connection.fetchrow(
        "select e.payload, s.salt from controlplane.event e "
        "join controlplane.sealed_event s using (tenant_id, event_id) where e.event_id = $1",
        event,
    )
    assert row is not None
    assert tuple(row) == (None, None)
    assert "Zoë" not in (await here.export()).read_text()
    after = await here.verify()
    assert (before.erased, after.events, after.erased) == (0, 2, 1)
    async with service.transaction(context(here)) as connection:
        (told,) = await events_about(connection, f"event/{event}")
        assert told.type == "controlplane.payload.erased"
        assert told.payload == {"event": str(event), "position": 1, "reason": "she asked for it"}
        assert told.actor == "user:ann"
        (erased,) = await events_about(connection, "thing/1")
        assert erased.payload is None


async def test_nobody_erases_in_another_tenant_or_what_is_not_there(here: Sealing, service: Database) -> None:
    (event,) = await here.writer.write(here.tenant)
    with pytest.raises(ControlPlaneError) as caught:
        await erase_payload(service.pool, context(here), event, reason="too early")
    assert caught.value.code == "EVENT_NOT_SEALED"
    await here.sealer().round()
    theirs = here.place.app.mint(tenant=uuid4(), actor="user:eve")
    for whose, which in ((theirs, event), (context(here), uuid4())):
        with pytest.raises(ControlPlaneError) as caught:
            await erase_payload(service.pool, whose, which, reason="mine now")
        assert caught.value.code == "EVENT_NOT_SEALED"
    for reason in ("", "x" * 501):
        with pytest.raises(ControlPlaneError) as caught:
            await erase_payload(service.pool, context(here), event, reason=reason)
        assert caught.value.code == "EVENT_MALFORMED"
    with pytest.raises(ControlPlaneError) as caught:
        await erase_payload(service.pool, "nonsense", event, reason="mine")
    assert caught.value.code == "CONTEXT_REFUSED"
    for pool in (here.pool, here.relaying):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await erase_payload(pool, context(here), event, reason="mine")
    assert (await here.verify()).erased == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update controlplane.event set payload = '{}'",
        "update controlplane.event set payload = null, actor = 'x'",
        "update controlplane.event set occurred_at = now(), payload = null",
        "update controlplane.event set taint = '{}', payload = null",
        "delete from controlplane.event",
        "truncate controlplane.event",
        "update controlplane.sealed_event set salt = sha256('')",
        "update controlplane.sealed_event set salt = null, leaf = commitment",
        "update controlplane.sealed_event set salt = null, position = 7",
        "delete from controlplane.sealed_event",
        "truncate controlplane.sealed_event",
        "update controlplane.block set count = 2",
        "delete from controlplane.block",
        "update controlplane.chain_head set position = 0",
        "update controlplane.chain_head set relayed = -1",
        "update controlplane.chain_head set epoch = 0",
        "delete from controlplane.chain_head",
        "update controlplane.inbox set consumer = 'x'",
        "delete from controlplane.inbox",
    ],
)
async def test_all_else_stays_as_it_was_written(here: Sealing, statement: str) -> None:
    await here.writer.write(here.tenant)
    await here.sealer().round()
    with pytest.raises(asyncpg.PostgresError, match=r"IMMUTABLE|chain_head"):
        await here.writer.connection.execute(statement)


async def test_an_event_is_written_with_its_payload(here: Sealing) -> None:
    transaction = await here.writer.begin(here.tenant)
    with pytest.raises(asyncpg.PostgresError, match="EVENT_MALFORMED"):
        await here.writer.connection.execute(
            "insert into controlplane.event (tenant_id, type, version, occurred_at, actor, correlation, subject) "
            "values ($1, 'a.b.c', 1, now(), 'x', $1, 'x')",
            here.tenant,
        )
    await transaction.rollback()
