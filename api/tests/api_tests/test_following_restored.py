"""Who followed a database that is lost is told to begin again, and gets what came at the same positions since."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from parpour_controlplane.database import open_database
from parpour_controlplane.sealing.resuming import Resuming
from parpour_controlplane.sealing.stores import FolderStore
from parpour_controlplane.testing import SIGNING_KEYS, Place, Postgres, seal
from parpour_treasury import MIGRATIONS

from .building import Api, Caller, open_api
from .sockets import EVENTS, connected, following

pytestmark = pytest.mark.anyio

LIST = """query($first: Int, $last: Int, $after: String, $before: String) {
    events(first: $first, last: $last, after: $after, before: $before) { edges { cursor node { position id } } } }"""
HAVING = "subscription($after: ID!, $event: ID) { events(after: $after, afterEvent: $event) { position id } }"


async def grown(caller: Caller, place: Place, store: FolderStore, *codes: str) -> None:
    """Let things happen, sealed and signed."""
    for code in codes:
        await caller.open(code)
    await seal(place, store)


@dataclass
class Restored:
    """A tenant whose third and fourth event are lost, and what was known of them."""

    api: Api
    caller: Caller
    place: Place
    store: FolderStore
    known: list[Any]
    """Edges of the list, before the database was lost."""


@pytest.fixture
async def restored(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Restored]:
    place, store = await postgres.make_place(MIGRATIONS), FolderStore(tmp_path / "checkpoints")
    async with open_api(place) as api:
        first = await api.venture()
        await grown(first, place, store, "one", "two")
    backup = await postgres.copy(place)
    async with open_api(place) as api:
        caller = api.caller(first.tenant)
        await grown(caller, place, store, "three", "four")
        known = (await caller.ask(LIST))["events"]["edges"]
    async with open_database(backup.dsn("parpour_sealer"), connections=1) as database:
        resuming = Resuming(database.pool, backup.sealer, SIGNING_KEYS, store, clock=lambda: datetime.now(UTC))
        await resuming.resume(first.tenant, by="Ann Lee", reason="the disk failed")
    async with open_api(backup) as api:
        caller = api.caller(first.tenant)
        await grown(caller, backup, store)
        yield Restored(api, caller, backup, store, known)


async def test_a_follower_who_is_ahead_is_told_where_to_begin_again(restored: Restored) -> None:
    caller = restored.caller
    async with following(caller, restored.api, after="4") as socket:
        refusal = await socket.refusal()
        assert refusal["extensions"]["code"] == "API_POSITION_UNKNOWN"
        assert "the history has come to position 3; if a backup was restored, begin again" in refusal["message"]
        last = '{ events(subject: "history", last: 1) { nodes { position type payload } } }'
        ((told,),) = [one["nodes"] for one in (await caller.ask(last)).values()]
        said = json.loads(told["payload"])
        assert (told["type"], told["position"]) == ("controlplane.history.resumed", "3")
        assert (said["first"], said["last"], said["by"]) == (3, 4, "Ann Lee")
        socket.subscribe(after=str(said["first"] - 1))
        assert [one["position"] for one in await socket.events(1)] == ["3"]
        await grown(caller, restored.place, restored.store, "other")
        (event,) = await socket.events(1)
        assert (event["position"], json.loads(event["payload"])["code"]) == ("4", "other")


async def test_a_follower_who_names_the_event_does_not_go_on_behind_others(restored: Restored) -> None:
    """By then the history is as long as it was, so a position alone tells nothing."""
    caller = restored.caller
    await grown(caller, restored.place, restored.store, "a", "b")
    lost, left = restored.known[3]["node"], restored.known[1]["node"]
    assert (lost["position"], left["position"]) == ("4", "2")
    async with connected(restored.api) as socket:
        await socket.begin(caller.token)
        socket.subscribe(HAVING, after="4", event=lost["id"])
        refusal = await socket.refusal()
        assert refusal["extensions"]["code"] == "API_POSITION_UNKNOWN"
        assert "another event stands at position 4; if a backup was restored, begin again" in refusal["message"]
        for name, place, event in (("2", "4", left["id"]), ("3", "99", lost["id"]), ("4", "4", "x")):
            socket.subscribe(HAVING, name=name, after=place, event=event)
            assert await socket.refused() == "API_POSITION_UNKNOWN"
        socket.subscribe(HAVING, name="5", after="2", event=left["id"].upper())
        found = await socket.events(3)
        assert [one["position"] for one in found] == ["3", "4", "5"]
    async with connected(restored.api) as socket:
        await socket.begin(caller.token)
        socket.subscribe(HAVING, after="4", event=found[1]["id"])
        assert [one["position"] for one in await socket.events(1)] == ["5"]
        socket.subscribe(EVENTS, name="2", after="4")
        assert [one["position"] for one in await socket.events(1)] == ["5"], "who does not ask is told nothing"


async def test_a_cursor_of_a_lost_event_is_refused_whatever_stands_there_now(restored: Restored) -> None:
    caller, cursors = restored.caller, [one["cursor"] for one in restored.known]
    for _ in range(2):
        for lost in cursors[2:]:
            assert await caller.codes(LIST, {"after": lost}) == ["API_POSITION_UNKNOWN"]
            assert await caller.codes(LIST, {"last": 2, "before": lost}) == ["API_POSITION_UNKNOWN"]
        await grown(caller, restored.place, restored.store, f"more{_}")
    after = (await caller.ask(LIST, {"after": cursors[1]}))["events"]["edges"]
    assert [one["node"]["position"] for one in after] == ["3", "4", "5"]
    before = (await caller.ask(LIST, {"last": 2, "before": after[1]["cursor"]}))["events"]["edges"]
    assert [one["node"]["position"] for one in before] == ["2", "3"]
