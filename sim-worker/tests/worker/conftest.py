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
from typing import Any, TypeVar

import nats
import pytest
from hypothesis import settings

from parpour_contracts.messages import ProgressV1, Termination
from parpour_contracts.run import RunDocument, RunIdentity
from parpour_contracts.scenario import BUILTIN
from parpour_contracts.simulation import Backend, Ensemble
from parpour_contracts.subjects import PROGRESS_FILTER, PROGRESS_STREAM
from parpour_controlplane.testing import free_port

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

T = TypeVar("T")

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

    def ask(self, act: Callable[[Any], Awaitable[T]]) -> T:
        """Do something as the operator's user."""

        async def run() -> T:
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


@dataclass
class Worker:
    """One worker process, as a pod would run it."""

    process: subprocess.Popen[bytes]
    log: Path
    termination_file: Path

    def text(self) -> str:
        """All that it has logged."""
        return self.log.read_text()

    def wait_for(self, words: str) -> None:
        """Wait until it has logged the words."""
        until(lambda: words in self.text() or self.process.poll() is not None, what=f"the log to say {words!r}")
        assert words in self.text(), self.text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Its exit code."""
        return self.process.wait(DEADLINE_SECONDS)

    def termination(self) -> Termination:
        """Its last word."""
        word = Termination.parse(self.termination_file.read_text())
        assert word is not None
        return word


@dataclass
class Pods:
    """Starts worker processes for one run document."""

    folder: Path
    document: RunDocument
    environment: dict[str, str] = field(default_factory=dict)
    started: list[Worker] = field(default_factory=list)

    def start(self, *arguments: str, index: int = 0, **environment: str) -> Worker:
        """Start `civlab-worker` with these arguments."""
        number = len(self.started)
        run_file = self.folder / f"run-{number}.json"
        run_file.write_bytes(self.document.canonical())
        log, termination = self.folder / f"log-{number}", self.folder / f"termination-{number}"
        base = {
            **os.environ,
            "CIVLAB_RUN": str(run_file),
            "CIVLAB_BUS": str(self.folder / "no-bus"),
            "CIVLAB_TERMINATION_LOG": str(termination),
            "CIVLAB_THREADS": "1",
            "JOB_COMPLETION_INDEX": str(index),
        }
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "civlab.worker.main", *arguments],
                stdout=out,
                stderr=out,
                env={**base, **self.environment, **environment},
            )
        self.started.append(Worker(process, log, termination))
        return self.started[-1]

    def run(self, *arguments: str, index: int = 0, **environment: str) -> tuple[int, Termination]:
        """Start one and wait for its exit code and last word."""
        worker = self.start(*arguments, index=index, **environment)
        return worker.end(), worker.termination()

    def digest(self) -> str:
        """Collect the run; its digest."""
        code, word = self.run("collect")
        assert code == 0, word
        assert word.digest is not None
        return word.digest

    def elsewhere(self, store: str) -> Pods:
        """The same run with another store."""
        document = self.document.model_copy(update={"store": store})
        return Pods(self.folder, document, dict(self.environment), self.started)


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Pods]:
    """A run of two members, long enough to be interrupted, in a local folder."""
    document = RunDocument(
        run=RunIdentity(uid="run-1", namespace="default", name="epidemic"),
        scenario=BUILTIN["epidemic-contact"],
        parameters={"population.size": "60000"},
        seed=7,
        ticks=180,
        ensemble=Ensemble(members=2),
        backend=Backend.CPU,
        checkpoint_every_ticks=20,
        store=str(tmp_path / "store" / "run-1"),
    )
    pods = Pods(tmp_path, document)
    yield pods
    for worker in pods.started:
        if worker.process.poll() is None:
            worker.process.kill()
            worker.process.wait()


ACCESS, SECRET = "worker-access", "worker-secret-7f3a9c"


@dataclass
class S3Server:
    """A versitygw over a folder that can be killed and started again on the same port."""

    folder: Path
    program: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "bucket").mkdir(exist_ok=True)
        with (self.folder.parent / "s3.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--port", f"127.0.0.1:{self.port}", "posix", str(self.folder)],
                stdout=log,
                stderr=log,
                env={**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET},
            )
        until(lambda: answers(self.port), what="versitygw")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def environment(self, *, secret: str = SECRET) -> dict[str, str]:
        """What the store's Secret gives to a pod."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }


@pytest.fixture
def s3_server(tmp_path: Path) -> Iterator[S3Server]:
    """A running S3 server with one bucket named bucket."""
    from parpour_devcluster.binaries import ensure

    folder = tmp_path / "s3"
    folder.mkdir()
    server = S3Server(folder, ensure("versitygw"))
    server.start()
    yield server
    server.kill()
