"""The progress reader against a real NATS server that comes, goes and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nats
import pytest
from nats.js.client import JetStreamContext

from parpour_contracts.messages import ProgressV1
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.simulation import Ensemble
from parpour_contracts.subjects import progress_subject
from parpour_controlplane.testing import free_port
from parpour_operator.aggregating import ProgressBoard
from parpour_operator.bus import BusAccess, ProgressReader
from parpour_operator.metrics import Metrics
from parpour_operator.observing import Job, Key
from parpour_operator.testing.memory import START, Clock

pytestmark = pytest.mark.anyio


@dataclass
class Server:
    """A NATS server with JetStream on loopback."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        binary = str(Path(sys.executable).with_name("nats-server"))
        arguments = ["-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(self.folder / "store")]
        self.process = subprocess.Popen([binary, *arguments], stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path, free_port())
    (tmp_path / "url").write_text(f"{made.url}\n")
    made.start()
    yield made
    if made.process is not None:
        made.kill()


@dataclass
class Listening:
    """A reader that runs, and what it feeds."""

    board: ProgressBoard
    metrics: Metrics

    def heard(self, verdict: str) -> float:
        labels = {"verdict": verdict}
        return self.metrics.registry.get_sample_value("parpour_operator_progress_messages_total", labels) or 0.0

    @property
    def connected(self) -> bool:
        return self.metrics.registry.get_sample_value("parpour_operator_bus_connected") == 1


@contextlib.asynccontextmanager
async def listening(server: Server) -> AsyncIterator[Listening]:
    board = ProgressBoard(clock=Clock().seconds, interval=10.0)
    job = Job(name="demo-shards", uid="j", created=START, ready=2, active=2)
    document = RunDocument(
        run=RunIdentity(uid="u"), scenario="", ticks=100, ensemble=Ensemble(members=2), shards=2, store="s3://a/b"
    )
    board.track("u", Key("team", "demo"), document, job)
    made = Listening(board, Metrics())
    reader = ProgressReader(BusAccess(str(server.folder)), storage="file", board=board, metrics=made.metrics)
    task = asyncio.create_task(reader.run())
    try:
        yield made
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=1)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110 - what is waited for is a counter
            await asyncio.sleep(0.02)


def message(shard: int, ticks_done: int) -> bytes:
    return ProgressV1(
        run="u",
        shard=shard,
        shards=2,
        state="Running",
        members=1,
        members_done=0,
        ticks_done=ticks_done,
        ticks_total=100,
        agent_updates=1000,
        busy_milliseconds=10,
        at=START,
    ).canonical()


@contextlib.asynccontextmanager
async def publisher(server: Server) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(server.url, connect_timeout=5)
    try:
        yield client.jetstream()
    finally:
        await client.close()


async def test_the_latest_message_of_each_shard_reaches_the_board(server: Server) -> None:
    async with listening(server) as made:
        await until(lambda: made.connected)
        async with publisher(server) as stream:
            for ticks in (10, 20):
                for shard in (0, 1):
                    await stream.publish(progress_subject(run="u", shard=shard), message(shard, ticks))
        await until(lambda: made.heard("taken") >= 4)
        (due,) = made.board.due(now=START)
        assert due.progress.summary == "20 %"


@pytest.mark.long
async def test_a_restarted_operator_learns_what_was_said_before(server: Server) -> None:
    async with listening(server) as made:
        await until(lambda: made.connected)
        async with publisher(server) as stream:
            for ticks in (10, 30):
                await stream.publish(progress_subject(run="u", shard=0), message(0, ticks))
    async with listening(server) as again:
        await until(lambda: again.heard("taken") >= 1)
        (due,) = again.board.due(now=START)
        assert due.progress.ticks_done == 30


async def test_noise_is_counted_and_harms_nothing(server: Server) -> None:
    async with listening(server) as made:
        await until(lambda: made.connected)
        async with publisher(server) as stream:
            await stream.publish("platform.progress.u.0", b"\xff not json")
            await stream.publish("platform.progress.u.zero", message(0, 1))
            await stream.publish("platform.progress.u.1", message(0, 1))
            await stream.publish("platform.progress.stranger.0", message(0, 1))
            await stream.publish("platform.progress.u.0", message(0, 7))
        await until(lambda: made.heard("taken") == 1)
        assert (made.heard("refused"), made.heard("unknown")) == (3, 1)


@pytest.mark.long
@pytest.mark.parametrize("storage_lost", [False, True])
async def test_a_killed_server_is_waited_for_and_its_stream_is_made_again(server: Server, storage_lost: bool) -> None:
    async with listening(server) as made:
        await until(lambda: made.connected)
        server.kill()
        if storage_lost:
            (server.folder / "store").rename(server.folder / "lost")
        server.start()

        async def heard_again() -> None:
            while made.heard("taken") == 0:
                with contextlib.suppress(nats.errors.Error, OSError):
                    async with publisher(server) as stream:
                        await stream.publish(progress_subject(run="u", shard=1), message(1, 50), timeout=1)
                await asyncio.sleep(0.2)

        async with asyncio.timeout(60):
            await heard_again()


async def test_a_bus_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path, 1)
    async with listening(server) as made:
        await asyncio.sleep(0.1)
        assert not made.connected
        (tmp_path / "url").write_text("nats://127.0.0.1:1\n")
        await asyncio.sleep(1)
        assert not made.connected
