"""Tells the bus where the shard stands, without ever holding up the work.

Only the latest word is kept: a slow or absent bus costs older ones, never memory or time. The client's own
reconnection is off and this module connects anew instead, reading the mounted files each time, because that one path
also covers credentials that were rotated and a connection that the server closed for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from pathlib import Path
from typing import Any

import nats
from blake3 import blake3
from nats.js.api import Header

from parpour_contracts.messages import ProgressV1
from parpour_contracts.subjects import progress_subject

log = logging.getLogger(__name__)

PING_SECONDS = 20
CONNECT_SECONDS = 5
ACK_SECONDS = 5.0
PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to connect or to publish; the last one repeats."""

COMPLAINTS = 20
"""Most different lines about one outage."""


def connection_options(folder: Path) -> dict[str, Any] | None:
    """Options for the client from a mounted Secret: `url`, and `creds` or `user` with `password`.

    Answers come to an inbox under the user's own name, so that the server can keep users from each other's.
    None when the folder holds no `url`: then there is no bus (yet).
    """
    url = _text(folder / "url")
    if not url:
        return None
    options: dict[str, Any] = {"servers": [part.strip() for part in url.split(",") if part.strip()]}
    if (folder / "creds").is_file():
        options["user_credentials"] = str(folder / "creds")
    elif user := _text(folder / "user"):
        options["user"] = user
        options["password"] = _text(folder / "password")
        options["inbox_prefix"] = f"_INBOX_{user}"
    return options


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


class ProgressBus:
    """Publishes the latest progress of one shard in a thread of its own."""

    def __init__(self, folder: Path, *, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._latest: ProgressV1 | None = None
        self._closing = False
        self._loop = asyncio.new_event_loop()
        self._word = asyncio.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="progress-bus", daemon=True)
        self._pause = 0
        self._told: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def offer(self, progress: ProgressV1) -> None:
        """Make this the next word to be sent; one that was still waiting is dropped."""
        with self._lock:
            self._latest = progress
        self._loop.call_soon_threadsafe(self._word.set)

    def close(self, *, seconds: float) -> None:
        """Send what is waiting if the bus takes it within `seconds`, and end the thread."""
        self._closing = True
        self._loop.call_soon_threadsafe(self._wake_to_end)
        self._thread.join(seconds)
        if self._thread.is_alive() and self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
            self._thread.join(seconds)

    def _wake_to_end(self) -> None:
        self._end.set()
        self._word.set()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._run())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    async def _run(self) -> None:
        while not self._finished():
            try:
                await self._session()
            except Exception as fault:  # noqa: BLE001 - whatever the bus does, the simulation goes on
                self._tell(f"the bus does not answer ({type(fault).__name__}: {fault}); work goes on without it")
            if not self._finished():
                await self._rest()

    async def _session(self) -> None:
        options = connection_options(self._folder)
        if options is None:
            if self._closing:
                self._take()
            self._tell(f"no bus is configured in {self._folder}; work goes on without it")
            return
        lost = asyncio.Event()

        async def on_loss() -> None:
            lost.set()
            self._word.set()

        async def on_error(fault: Exception) -> None:
            self._tell(f"the bus reports: {fault}")

        client = await nats.connect(
            **options,
            name=self._name,
            allow_reconnect=False,
            connect_timeout=CONNECT_SECONDS,
            ping_interval=PING_SECONDS,
            closed_cb=on_loss,
            disconnected_cb=on_loss,
            error_cb=on_error,
        )
        try:
            await self._publish_until(lost, client)
        finally:
            await client.close()

    async def _publish_until(self, lost: asyncio.Event, client: Any) -> None:
        stream = client.jetstream()
        while not lost.is_set():
            word = self._take()
            if word is None:
                if self._closing:
                    return
                await self._word.wait()
                self._word.clear()
                continue
            try:
                await self._publish(stream, word)
            except Exception:
                self._put_back(word)
                raise
            self._pause = 0
            self._told.clear()

    @staticmethod
    async def _publish(stream: Any, word: ProgressV1) -> None:
        payload = word.canonical()
        headers = {Header.MSG_ID.value: blake3(payload).hexdigest()}
        subject = progress_subject(run=word.run, shard=word.shard)
        acknowledged = await stream.publish_async(subject, payload, headers=headers, wait_stall=ACK_SECONDS)
        await asyncio.wait_for(acknowledged, ACK_SECONDS)

    async def _rest(self) -> None:
        seconds = PAUSES[min(self._pause, len(PAUSES) - 1)]
        self._pause += 1
        if self._closing:
            await asyncio.sleep(PAUSES[0])
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._end.wait(), seconds)

    def _finished(self) -> bool:
        return self._closing and self._latest is None

    def _take(self) -> ProgressV1 | None:
        with self._lock:
            word, self._latest = self._latest, None
            return word

    def _put_back(self, word: ProgressV1) -> None:
        with self._lock:
            if self._latest is None:
                self._latest = word

    def _tell(self, message: str) -> None:
        if message not in self._told and len(self._told) < COMPLAINTS:
            self._told.add(message)
            log.warning("%s", message)
