"""Reads the workers' progress from JetStream, for as long as it takes and whatever happens to the server.

The operator works without the bus: progress then comes from the Job's counts alone. So nothing here raises to the
outside; every fault ends in another try with back-off. Defaults of nats-py that would give up for good are changed.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import nats
from nats.errors import TimeoutError as NatsTimeout
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

from parpour_contracts.messages import ProgressV1
from parpour_contracts.subjects import PROGRESS_FILTER, PROGRESS_STREAM, parse_progress_subject
from parpour_operator.aggregating import ProgressBoard
from parpour_operator.metrics import Metrics
from parpour_operator.queueing import Backoff

logger = logging.getLogger(__name__)

STREAM_BYTES = 64 * 1024**2
STREAM_AGE_SECONDS = 3600.0
"""A worker speaks every two seconds; after an hour of silence its last word helps nobody."""
MESSAGE_BYTES = 4096
BATCH = 256
FETCH_SECONDS = 5.0
PING_SECONDS = 20


class BusAccess:
    """Where the bus is and how to log in: a folder with `url` and either `creds` or `user` and `password`."""

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def options(self) -> dict[str, Any]:
        """Connection options; the files are read anew each time, as Secrets are rotated.

        Raises:
            OSError: if `url` is not there.
        """
        options: dict[str, Any] = {"servers": self._read("url").split(",")}
        if (self._directory / "creds").exists():
            options["user_credentials"] = str(self._directory / "creds")
        elif (self._directory / "user").exists():
            options |= {"user": self._read("user"), "password": self._read("password")}
        return options

    def _read(self, name: str) -> str:
        return (self._directory / name).read_text(encoding="utf-8").strip()


def stream_config(storage: str) -> StreamConfig:
    """The stream that holds the latest message of each shard."""
    return StreamConfig(
        name=PROGRESS_STREAM,
        subjects=[PROGRESS_FILTER],
        max_msgs_per_subject=1,
        max_bytes=STREAM_BYTES,
        max_age=STREAM_AGE_SECONDS,
        max_msg_size=MESSAGE_BYTES,
        discard=DiscardPolicy.OLD,
        storage=StorageType.MEMORY if storage == "memory" else StorageType.FILE,
    )


class ProgressReader:
    """Feeds the board from the stream."""

    def __init__(self, access: BusAccess, *, storage: str, board: ProgressBoard, metrics: Metrics) -> None:
        self._access = access
        self._storage = storage
        self._board = board
        self._metrics = metrics
        self._backoff = Backoff(first=0.5, longest=15.0)
        self._failures = 0

    async def run(self) -> None:
        """Read until cancelled."""
        while True:
            try:
                await self._read()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - a bus that is away must not stop the operator
                self._failures += 1
                self._metrics.bus_connected.set(0)
                level = logging.WARNING if self._failures == 1 else logging.DEBUG
                logger.log(level, "no progress from the bus: %s; trying again", type(error).__name__)
                await asyncio.sleep(self._backoff.delay(self._failures))

    async def _read(self) -> None:
        client = await nats.connect(
            **self._access.options(),
            name="parpour-operator",
            ping_interval=PING_SECONDS,
            max_outstanding_pings=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=1,
            connect_timeout=5,
            error_cb=_log_error,
        )
        try:
            stream = client.jetstream()
            await self._ensure_stream(stream)
            config = ConsumerConfig(
                deliver_policy=DeliverPolicy.LAST_PER_SUBJECT, ack_policy=AckPolicy.NONE, inactive_threshold=60.0
            )
            subscription = await stream.pull_subscribe(PROGRESS_FILTER, stream=PROGRESS_STREAM, config=config)
            self._metrics.bus_connected.set(1)
            self._failures = 0
            while True:
                try:
                    messages = await subscription.fetch(BATCH, timeout=FETCH_SECONDS)
                except NatsTimeout:
                    # Silence, or a consumer that went with a restarted server: only the server knows.
                    await subscription.consumer_info()
                    continue
                for message in messages:
                    self._take(message.subject, message.data)
        finally:
            await client.close()

    async def _ensure_stream(self, stream: Any) -> None:
        config = stream_config(self._storage)
        try:
            await stream.add_stream(config)
        except BadRequestError:
            # It exists with other settings, perhaps an older version's: bring it up to date.
            await stream.update_stream(config)

    def _take(self, subject: str, data: bytes) -> None:
        try:
            run, shard = parse_progress_subject(subject)
            verdict = self._board.hear(run, shard, ProgressV1.from_json(data))
        except ValueError:
            verdict = "refused"
        self._metrics.progress_messages.labels(verdict).inc()


async def _log_error(error: Exception) -> None:
    logger.debug("bus: %s", error)
