"""The progress bus against a real server that comes, goes and refuses."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from civlab.worker.bus import ProgressBus, connection_options
from parpour_contracts.messages import ProgressV1

from .conftest import NatsServer

SUBJECT = "platform.progress.run-1.0"


def word(ticks: int) -> ProgressV1:
    return ProgressV1(
        run="run-1",
        shard=0,
        shards=1,
        state="Running",
        members=2,
        members_done=0,
        ticks_done=ticks,
        ticks_total=100,
        agent_updates=ticks * 1000,
        busy_milliseconds=ticks,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def wait_for_ticks(server: NatsServer, ticks: int) -> None:
    deadline = time.monotonic() + 30
    while (last := server.last(SUBJECT)) is None or last.ticks_done != ticks:
        assert time.monotonic() < deadline, f"the stream holds {last}, not {ticks} ticks"
        time.sleep(0.05)


@pytest.mark.unit
def test_a_word_reaches_the_stream_before_close_returns(nats_server: NatsServer, tmp_path: Path) -> None:
    bus = ProgressBus(nats_server.mounted(tmp_path / "bus"), name="test")
    bus.start()
    bus.offer(word(1))
    bus.offer(word(2))
    bus.close(seconds=30)
    last = nats_server.last(SUBJECT)
    assert last is not None
    assert last.ticks_done == 2


@pytest.mark.unit
def test_the_same_word_twice_is_one_message(nats_server: NatsServer, tmp_path: Path) -> None:
    for _ in range(2):
        bus = ProgressBus(nats_server.mounted(tmp_path / "bus"), name="test")
        bus.start()
        bus.offer(word(7))
        bus.close(seconds=30)
    assert nats_server.messages() == 1


@pytest.mark.unit
def test_a_killed_server_costs_words_but_the_latest_arrives_when_it_is_back(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    bus = ProgressBus(nats_server.mounted(tmp_path / "bus"), name="test")
    bus.start()
    bus.offer(word(1))
    wait_for_ticks(nats_server, 1)
    nats_server.kill()
    for ticks in range(2, 50):
        bus.offer(word(ticks))
    nats_server.start()
    wait_for_ticks(nats_server, 49)
    assert nats_server.messages() <= 4
    bus.close(seconds=10)


@pytest.mark.unit
def test_a_bus_that_appears_later_is_found(nats_server: NatsServer, tmp_path: Path) -> None:
    folder = tmp_path / "bus"
    bus = ProgressBus(folder, name="test")
    bus.start()
    bus.offer(word(3))
    nats_server.mounted(folder)
    wait_for_ticks(nats_server, 3)
    bus.close(seconds=10)


@pytest.mark.unit
def test_without_a_bus_close_does_not_wait(tmp_path: Path) -> None:
    bus = ProgressBus(tmp_path / "nothing", name="test")
    bus.start()
    bus.offer(word(1))
    bus.close(seconds=30)
    assert "progress-bus" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.long
@pytest.mark.unit
def test_a_wrong_password_is_logged_once_and_without_it(
    nats_server: NatsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = nats_server.mounted(tmp_path / "bus")
    (folder / "password").write_text("not-the-word-0")
    bus = ProgressBus(folder, name="test")
    bus.start()
    bus.offer(word(1))
    bus.close(seconds=2)
    lines = [record.getMessage() for record in caplog.records if record.name == "civlab.worker.bus"]
    assert any("Authorization Violation" in line for line in lines)
    assert len(lines) == len(set(lines))
    assert not any("not-the-word-0" in line for line in lines)


@pytest.mark.unit
def test_credentials_come_from_the_mounted_files(tmp_path: Path) -> None:
    assert connection_options(tmp_path) is None
    (tmp_path / "url").write_text("nats://a:4222, nats://b:4222\n")
    (tmp_path / "user").write_text("worker\n")
    (tmp_path / "password").write_text("word\n")
    assert connection_options(tmp_path) == {
        "servers": ["nats://a:4222", "nats://b:4222"],
        "user": "worker",
        "password": "word",
        "inbox_prefix": "_INBOX_worker",
    }
    (tmp_path / "creds").write_text("creds")
    assert connection_options(tmp_path) == {
        "servers": ["nats://a:4222", "nats://b:4222"],
        "user_credentials": str(tmp_path / "creds"),
    }
