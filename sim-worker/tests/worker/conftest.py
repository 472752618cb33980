"""Real servers and real worker processes for the worker's tests."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
import pytest
from parpour_contracts.messages import ProgressV1
from parpour_contracts.subjects import PROGRESS_FILTER, PROGRESS_STREAM

DEADLINE_SECONDS = 60.0
CONFIG = """
listen: "127.0.0.1:{port}"
jetstream {{ store_dir: "{folder}" }}
authorization {{
  users: [
    {{ user: operator, password: operator-word }}
    {{ user: worker, password: worker-word-9x,
       permissions: {{ publish: ["platform.progress.>"], subscribe: ["_INBOX_worker.>"] }} }}
  ]
}}
"""


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], object], *, what: str, seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for a fact of another process, which has no event to wait for."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def answers(port: int) -> bool:
    """Whether something accepts connections on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class NatsServer:
    """A nats-server with JetStream that can be killed and started again on the same port and folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        config = self.folder / "nats.conf"
        config.write_text(CONFIG.format(port=self.port, folder=self.folder / "jetstream"))
        program = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        assert program
        with (self.folder / "nats.log").open("ab") as log:
            self.process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
        until(lambda: answers(self.port), what="nats-server")

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def ask(self, act: Callable[[Any], Awaitable[Any]]) -> Any:
        """Do something as the operator's user."""

        async def run() -> Any:
            client = await nats.connect(f"nats://127.0.0.1:{self.port}", user="operator", password="operator-word")
            try:
                return await act(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(run())

    def add_stream(self) -> None:
        self.ask(lambda js: js.add_stream(name=PROGRESS_STREAM, subjects=[PROGRESS_FILTER], max_msgs_per_subject=1))

    def last(self, subject: str) -> ProgressV1 | None:
        """The last progress that the stream holds for a subject."""

        async def read(js: Any) -> ProgressV1 | None:
            try:
                message = await js.get_last_msg(PROGRESS_STREAM, subject)
            except nats.js.errors.NotFoundError:
                return None
            return ProgressV1.from_json(message.data)

        return self.ask(read)

    def messages(self) -> int:
        """How many messages the stream ever took."""

        async def read(js: Any) -> int:
            return int((await js.stream_info(PROGRESS_STREAM)).state.last_seq)

        return self.ask(read)

    def mounted(self, folder: Path) -> Path:
        """A folder such as a pod mounts from the bus Secret."""
        folder.mkdir(exist_ok=True)
        (folder / "url").write_text(f"nats://127.0.0.1:{self.port}\n")
        (folder / "user").write_text("worker")
        (folder / "password").write_text("worker-word-9x")
        return folder


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A running server with the progress stream in it."""
    folder = tmp_path / "nats"
    folder.mkdir()
    server = NatsServer(folder)
    server.start()
    server.add_stream()
    yield server
    server.kill()
