"""What the users of the installed bus may do: the configuration that the chart renders, served by the real server."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest
import yaml
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import ConsumerConfig

from parpour_contracts.subjects import EVENTS_STREAM, event_subject, events_of
from parpour_controlplane.relaying.publishing import Message, ensure_stream, publish
from parpour_controlplane.testing import free_port
from parpour_devcluster import binaries

pytestmark = pytest.mark.cluster  # needs the built helm, not a running cluster

ROOT = Path(__file__).resolve().parents[2]
VALUES = Path(__file__).parent / "values" / "treasury.yaml"
SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
TENANT = UUID(int=7)


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """Address of a server with the chart's configuration, and the users' passwords."""
    folder, port = tmp_path_factory.mktemp("bus"), free_port()
    command = [str(binaries.ensure("helm")), "template", "parpour", str(ROOT / "charts" / "parpour")]
    done = subprocess.run(
        [*command, "--kube-version", "1.35.4", "--values", str(VALUES)], capture_output=True, text=True, check=True
    )
    documents = {
        (one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(done.stdout) if one is not None
    }
    users = documents["Secret", "parpour-nats-users"]["stringData"]
    text = documents["ConfigMap", "parpour-nats"]["data"]["nats.conf"]
    text = re.sub(r"^listen: .*$", f"listen: 127.0.0.1:{port}", text, flags=re.MULTILINE)
    text = re.sub(r"^http: .*$", "", text, flags=re.MULTILINE).replace("/data", str(folder / "data"))
    (folder / "nats.conf").write_text(text)
    for name in ("platform-users.conf", "worker-users.conf"):
        (folder / name).write_text(users[name])
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(SERVER), "-c", str(folder / "nats.conf")], stdout=log, stderr=log)
    try:
        yield f"nats://127.0.0.1:{port}", {name: users[f"{name}Password"] for name in ("operator", "relay", "worker")}
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def connected(bus: tuple[str, dict[str, str]], user: str) -> Any:
    """A client of one user, as its part connects."""
    options = {} if user == "operator" else {"inbox_prefix": f"_INBOX_{user}"}
    deadline = time.monotonic() + 10
    while True:
        try:
            client = await nats.connect(
                bus[0], user=user, password=bus[1][user], allow_reconnect=False, error_cb=_ignore, **options
            )
            break
        except (OSError, Error):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
    try:
        yield client
    finally:
        await client.close()


async def _ignore(error: Exception) -> None:
    """What a client is not allowed comes here, and the test sees that no answer does."""


async def refused(client: Client, subject: str) -> bool:
    """Whether a request is not even delivered."""
    try:
        await client.request(subject, b"{}", timeout=0.4)
    except Error:
        return True
    return False


def messages(count: int) -> list[Message]:
    subject = event_subject(tenant=TENANT, type="treasury.journal.posted")
    return [Message(subject, b"{}", f"{TENANT}:{place}", place, b"leaf", False) for place in range(1, count + 1)]


def test_the_relay_publishes_reads_and_deletes_events_and_nothing_else(bus: tuple[str, dict[str, str]]) -> None:
    async def go() -> None:
        async with connected(bus, "relay") as client:
            stream = client.jetstream()
            await ensure_stream(stream)
            assert await publish(client, stream, messages(3)) == 0
            assert await publish(client, stream, messages(3)) == 3
            config = ConsumerConfig(inactive_threshold=5)
            reader = await stream.pull_subscribe(events_of(TENANT), stream=EVENTS_STREAM, config=config)
            fetched = await reader.fetch(3, timeout=5)
            assert len(fetched) == 3
            await fetched[0].ack()
            await stream.delete_consumer(EVENTS_STREAM, (await reader.consumer_info()).name)
            assert await stream.delete_msg(EVENTS_STREAM, 1)
            info = await stream.stream_info(EVENTS_STREAM, subjects_filter=events_of(TENANT))
            assert list(info.state.subjects.values()) == [2]
            for subject in (f"$JS.API.STREAM.DELETE.{EVENTS_STREAM}", "$JS.API.STREAM.INFO.PROGRESS"):
                assert await refused(client, subject)

    asyncio.run(go())


def test_the_operator_keeps_its_stream_and_touches_no_event(bus: tuple[str, dict[str, str]]) -> None:
    async def go() -> None:
        async with connected(bus, "relay") as relay:
            await ensure_stream(relay.jetstream())
        async with connected(bus, "operator") as client:
            await client.jetstream().add_stream(name="PROGRESS", subjects=["platform.progress.>"])
            subject = messages(1)[0].subject
            for denied in (subject, f"$JS.API.STREAM.DELETE.{EVENTS_STREAM}", f"$JS.API.STREAM.PURGE.{EVENTS_STREAM}"):
                assert await refused(client, denied)
            await client.jetstream().delete_stream("PROGRESS")

    asyncio.run(go())


def test_workers_see_no_event(bus: tuple[str, dict[str, str]]) -> None:
    async def go() -> None:
        async with connected(bus, "worker") as client:
            assert await refused(client, messages(1)[0].subject)
            assert await refused(client, f"$JS.API.STREAM.INFO.{EVENTS_STREAM}")

    asyncio.run(go())
