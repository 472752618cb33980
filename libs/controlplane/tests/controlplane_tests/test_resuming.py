"""After a restore a history goes on when people say so, never by itself, and everybody can see that it did."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from parpour_controlplane.chain.checkpoints import Checkpoint
from parpour_controlplane.chain.faults import ChainFault
from parpour_controlplane.errors import ControlPlaneError
from parpour_controlplane.sealing import resuming
from parpour_controlplane.sealing.resuming import Resumed
from parpour_controlplane.sealing.sealer import SealingPace
from parpour_controlplane.testing import Place

from .sealing_of import KEY, NEXT_KEY, Sealing, sealing, set_back

pytestmark = pytest.mark.anyio

SAID = {"by": "user:ann", "reason": "a disk was lost"}
TOLD = "select event_id, payload from controlplane.event where tenant_id = $1 and type = 'controlplane.history.resumed'"


@pytest.fixture
async def here(place: Place, tmp_path: Path) -> AsyncIterator[Sealing]:
    async with sealing(place, tmp_path) as made:
        yield made


async def grown(here: Sealing, *sizes: int) -> None:
    """Blocks of so many events each, and a checkpoint after each."""
    sealer = here.sealer()
    for size in sizes:
        await here.writer.write(here.tenant, size)
        assert await sealer.round() == size
    await sealer.finish()


async def refused(here: Sealing, code: str, **options: object) -> None:
    with pytest.raises(ControlPlaneError) as caught:
        await here.resuming(**options).resume(here.tenant, **SAID)
    assert caught.value.code == code


async def told(here: Sealing) -> list[dict[str, object]]:
    return [json.loads(row["payload"]) for row in await here.writer.connection.fetch(TOLD, here.tenant)]


async def test_a_history_goes_on_from_what_the_backup_had(here: Sealing) -> None:
    await grown(here, 3, 2, 4)
    await set_back(here, 2)
    (waiting,) = await here.writer.write(here.tenant)
    running = here.sealer(pace=SealingPace(lease=60.0, sign=0.0, rest=0.0))
    assert await running.round() == 0
    assert "CHAIN_ROLLED_BACK" in running.counts.last_error
    resumed = await here.resuming().resume(here.tenant, **SAID)
    number, last = here.store.last(here.tenant)
    assert last is not None
    assert resumed == Resumed(here.tenant, 6, 9, last.hash.hex())
    assert (number, last.head.size, last.previous) == (4, 5, here.store.read(here.tenant)[2].hash)
    assert await running.round() == 2, "the sealer that was refused goes on"
    await running.finish()
    assert (6, waiting) in await here.places()
    (said,) = await told(here)
    assert said == {"checkpoint": resumed.checkpoint, "first": 6, "last": 9, **SAID}
    with pytest.raises(ChainFault, match="CHAIN_RESUMED: checkpoint 4: events 6 to 9"):
        await here.verify()
    verified = await here.verify(accepted=[str(resumed.checkpoint)])
    assert (verified.events, verified.blocks, [one.head.size for one in verified.resumptions]) == (7, 3, [5])


async def test_a_history_that_lost_everything_begins_anew(here: Sealing) -> None:
    await grown(here, 3)
    await set_back(here, 0)
    resumed = await here.resuming().resume(here.tenant, **SAID)
    assert (resumed.first, resumed.last) == (1, 3)
    sealer = here.sealer()
    assert await sealer.round() == 1
    assert (await here.verify(accepted=[str(resumed.checkpoint)])).events == 1


async def test_looking_tells_what_would_be_lost_and_writes_nothing(here: Sealing) -> None:
    await grown(here, 3, 2)
    await set_back(here, 1)
    dump = "select * from controlplane.chain_head"
    before = (here.store.last(here.tenant), await here.writer.connection.fetch(dump))
    assert await here.resuming().examine(here.tenant) == Resumed(here.tenant, 4, 5, None)
    assert (here.store.last(here.tenant), await here.writer.connection.fetch(dump)) == before
    assert await told(here) == []


async def test_where_nothing_is_behind_there_is_nothing_to_resume(here: Sealing) -> None:
    await refused(here, "HISTORY_NOT_BEHIND")
    await grown(here, 3)
    await refused(here, "HISTORY_NOT_BEHIND")
    busy = here.sealer(pace=SealingPace(lease=60.0, sign=60.0))
    await here.writer.write(here.tenant)
    await busy.round()
    await refused(here, "HISTORY_NOT_BEHIND")
    with pytest.raises(ControlPlaneError, match="HISTORY_NOT_BEHIND"):
        await here.resuming().examine(here.tenant)
    assert {one.resumption for one in here.store.read(here.tenant)} == {None}


async def test_a_database_beside_what_was_signed_is_not_resumed(here: Sealing) -> None:
    """Behind the last checkpoint, and another than an earlier one says."""
    await grown(here, 3, 2, 4)
    await set_back(here, 2)
    async with here.writer.connection.transaction():
        await here.writer.connection.execute("set local session_replication_role = replica")
        await here.writer.connection.execute(
            "update controlplane.block set head_root = sha256(head_root) where number = 2"
        )
    await refused(here, "CHAIN_FORKED")
    with pytest.raises(ChainFault, match="CHAIN_FORKED"):
        await here.resuming().examine(here.tenant)
    assert here.store.last(here.tenant)[0] == 3


async def test_a_backup_of_what_a_resumption_let_go_of_is_beside_what_came_since(here: Sealing) -> None:
    """Though it agrees with every checkpoint that it can be compared with, it lacks more than what comes after it."""
    await grown(here, 1, 1, 1, 1)
    execute = here.writer.connection.execute
    await execute("create table given_up as select * from controlplane.block")
    await set_back(here, 1)
    await here.resuming().resume(here.tenant, **SAID)
    await here.writer.write(here.tenant, 4)
    sealer = here.sealer()
    await sealer.round()
    await sealer.finish()
    await grown(here, 1, 1)
    assert [one.head.size for one in here.store.read(here.tenant)] == [1, 2, 3, 4, 1, 6, 7, 8]
    async with here.writer.connection.transaction():
        await execute("set local session_replication_role = replica")
        await execute("delete from controlplane.block")
        await execute("insert into controlplane.block select * from given_up")
    await set_back(here, 3)
    await refused(here, "CHAIN_FORKED")
    await set_back(here, 1)
    assert await here.resuming().examine(here.tenant) == Resumed(here.tenant, 2, 8, None)


class Dying:
    """A store or pool that dies before or after one call of a name."""

    def __init__(self, real: object, name: str, *, after: bool, words: str = "") -> None:
        self._real, self._name, self._after, self._words = real, name, after, words

    def __getattr__(self, name: str) -> object:
        method = getattr(self._real, name)
        if name != self._name:
            return method
        if name == "put":
            return self._put
        return self._call

    def _put(self, number: int, checkpoint: Checkpoint) -> None:
        if self._after:
            self._real.put(number, checkpoint)  # type: ignore[attr-defined]
        raise Died

    async def _call(self, query: str, *arguments: object) -> object:
        if self._words not in query:
            return await self._real.fetchval(query, *arguments)  # type: ignore[attr-defined]
        if self._after:
            await self._real.fetchval(query, *arguments)  # type: ignore[attr-defined]
        raise Died


class Died(Exception):
    """The process is no more."""


@pytest.mark.parametrize("again", ["the command", "the sealer", "a sealer that starts"])
@pytest.mark.parametrize(
    ("name", "after", "resumptions"),
    [("put", False, 0), ("put", True, 1), ("fetchval", False, 1), ("fetchval", True, 1)],
)
async def test_whoever_dies_leaves_one_resumption_and_one_event_to_those_who_come_next(
    here: Sealing, monkeypatch: pytest.MonkeyPatch, name: str, after: bool, resumptions: int, again: str
) -> None:
    await grown(here, 2, 2)
    await set_back(here, 1)
    if name == "put":
        dying = here.resuming(store=Dying(here.store, "put", after=after))
    else:
        dying = here.resuming(calls=Dying(here.pool, "fetchval", after=after, words="tell_resumption"))
    with pytest.raises(Died):
        await dying.resume(here.tenant, **SAID)
    assert sum(one.resumption is not None for one in here.store.read(here.tenant)) == resumptions
    if again == "the command" or not resumptions:
        resumed = await here.resuming().resume(here.tenant, **SAID)
        assert (resumed.first, resumed.last, resumed.before) == (3, 4, bool(resumptions))
    sealer = here.sealer()
    if again == "a sealer that starts":
        await sealer.hand_over()
    else:
        await here.writer.write(here.tenant)
    while await sealer.round():
        pass
    await sealer.finish()
    assert len(await told(here)) == 1
    resumption = next(one for one in here.store.read(here.tenant) if one.resumption is not None)
    places = await here.places()
    assert len(places) == (3 if again == "a sealer that starts" else 4)
    assert (await here.verify(accepted=[resumption.hash.hex()])).events == len(places)
    # However often it is asked for.
    await refused(here, "HISTORY_NOT_BEHIND")


async def test_of_two_that_resume_one_is_told_that_it_was_late(here: Sealing) -> None:
    await grown(here, 2, 2)
    await set_back(here, 1)

    class Paused:
        """A store at which somebody else was faster."""

        def __getattr__(self, name: str) -> object:
            return getattr(here.store, name)

        def put(self, number: int, checkpoint: Checkpoint) -> None:
            here.store.put(number, checkpoint)
            here.store.put(number, checkpoint)

    await refused(here, "RESUMPTION_OVERTAKEN", store=Paused())
    assert len(here.store.read(here.tenant)) == 3


async def test_another_process_that_has_the_tenant_is_waited_for(
    here: Sealing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await grown(here, 2, 2)
    await set_back(here, 1)
    taken = "update controlplane.chain_head set held_until = clock_timestamp() + make_interval(secs => $1)"
    monkeypatch.setattr(resuming, "TRY_SECONDS", 0.01)
    monkeypatch.setattr(resuming, "TRIES", 3)
    await here.writer.connection.execute(taken, 60.0)
    await refused(here, "SEALER_BUSY")
    monkeypatch.setattr(resuming, "TRIES", 200)
    await here.writer.connection.execute(taken, 0.1)
    assert (await here.resuming().resume(here.tenant, **SAID)).last == 4


@pytest.mark.parametrize(
    "said", [{"by": " "}, {"by": "x" * 201}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "\x1b[2J"}, {"by": "\0"}]
)
async def test_what_is_said_is_text_with_bounds(here: Sealing, said: dict[str, str]) -> None:
    await grown(here, 2, 2)
    await set_back(here, 1)
    with pytest.raises(ControlPlaneError, match="RESUMPTION_MALFORMED"):
        await here.resuming().resume(here.tenant, **{**SAID, **said})
    longest = await here.resuming().resume(here.tenant, by="é" * 200, reason="ß" * 500)
    assert longest.checkpoint is not None


async def test_everybody_who_is_behind_is_found(here: Sealing) -> None:
    await grown(here, 2, 2)
    other = uuid4()
    await here.writer.write(other)
    sealer = here.sealer()
    await sealer.round()
    await sealer.finish()
    assert await here.resuming().behind() == []
    await set_back(here, 1)
    assert await here.resuming().behind() == [here.tenant]
    await here.resuming().resume(here.tenant, **SAID)
    assert await here.resuming().behind() == [here.tenant], "until something was signed after it"
    await here.sealer().round()
    assert await here.resuming().behind() == []


async def test_the_key_whose_turn_it_is_signs_and_hands_over_afterwards(here: Sealing) -> None:
    await grown(here, 2, 2)
    await set_back(here, 1)
    await refused(here, "SIGNING_KEY_MISSING", keys=(NEXT_KEY,))
    resumed = await here.resuming(keys=(KEY, NEXT_KEY)).resume(here.tenant, **SAID)
    sealer = here.sealer(keys=(KEY, NEXT_KEY))
    while await sealer.round():
        pass
    await sealer.finish()
    signed = [one.key_id for one in here.store.read(here.tenant)][2:]
    assert signed == [KEY.key_id, KEY.key_id, NEXT_KEY.key_id]
    assert (await here.verify(accepted=[str(resumed.checkpoint)])).events == 3


async def test_a_database_that_is_set_back_again_is_resumed_again(here: Sealing) -> None:
    await grown(here, 2, 2)
    found: list[str] = []
    for _ in range(3):
        await set_back(here, 1)
        found.append(str((await here.resuming().resume(here.tenant, **SAID)).checkpoint))
        sealer = here.sealer()
        while await sealer.round():
            pass
        await sealer.finish()
    assert (await here.verify(accepted=found)).events == 3
    with pytest.raises(ChainFault, match="CHAIN_RESUMED"):
        await here.verify(accepted=found[:-1])


async def test_only_the_tenants_sealer_tells_of_a_resumption(here: Sealing) -> None:
    await grown(here, 1)
    call = "select controlplane.tell_resumption($1, $2, sha256('x'), 1, 2, 'user:ann', 'x')"
    mint = here.place.sealer.mint(tenant=here.tenant, actor="system:sealer")
    with pytest.raises(asyncpg.PostgresError, match="SEALER_STALE"):
        await here.pool.fetchval(call, mint, 99)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await here.relaying.fetchval(call, here.place.relay.mint(tenant=here.tenant, actor="system:relay"), 99)
    other = here.place.sealer.mint(tenant=uuid4(), actor="system:sealer")
    for forged in ("", mint[1:], mint.replace(str(here.tenant), str(uuid4()))):
        with pytest.raises(asyncpg.PostgresError, match="CONTEXT_"):
            await here.pool.fetchval(call, forged, 1)
    with pytest.raises(asyncpg.PostgresError, match="SEALER_STALE"):
        await here.pool.fetchval(call, other, 1)


async def test_two_who_tell_at_once_write_one_event(here: Sealing) -> None:
    await grown(here, 1)
    mint = here.place.sealer.mint(tenant=here.tenant, actor="system:sealer")
    row = await here.pool.fetchrow("select * from controlplane.take_chain($1, null, 5)", mint)
    assert row is not None
    call = "select controlplane.tell_resumption($1, $2, sha256('x'), 1, 2, 'user:ann', 'x')"
    answers = await asyncio.gather(*(here.pool.fetchval(call, mint, row["epoch"]) for _ in range(4)))
    assert sorted(answers) == [False, False, False, True]
    assert len(await told(here)) == 1
