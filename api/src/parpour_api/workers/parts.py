"""What each worker does, from its settings to its end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import nats
from nats.aio.client import Client

from parpour_api.logs import LOGGER
from parpour_api.settings import SettingsError, read_file
from parpour_api.workers.settings import WorkerSettings
from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database
from parpour_controlplane.relaying.reconciling import reconcile_all
from parpour_controlplane.relaying.relay import RelayCounts, run_relay
from parpour_controlplane.sealing.keys import read_signing_keys
from parpour_controlplane.sealing.sealer import SealingCounts, run_sealer
from parpour_controlplane.sealing.stores import FolderStore
from parpour_treasury.payments.accounts import MountedAccounts
from parpour_treasury.payments.worker import PaymentCounts, PaymentWorker
from parpour_treasury.providers.egress import MERCURY_HOSTS, STRIPE_HOSTS, Egress, egress_to_doubles
from parpour_treasury.reconciliation.tokens import TokenFile
from parpour_treasury.sweeping import SweepCounts, run_sweeper

INBOX = "_INBOX_relay"
"""What the relay's answers come to; its user at the bus needs to read nothing else."""

RECONCILE_SECONDS = 3600.0
"""Between two comparisons of the database with the stream."""


@dataclass(frozen=True)
class Part:
    """One kind of worker."""

    role: str
    """Its role in the database."""
    counts: Any
    """What its metrics are read from: a dataclass of numbers."""
    run: Callable[[WorkerSettings, Database, ContextMint, asyncio.Event], Awaitable[object]]


def parts() -> dict[str, Part]:
    """Every kind of worker, by the word that starts it."""
    sealing, relaying, sweeping, paying = SealingCounts(), RelayCounts(), SweepCounts(), PaymentCounts()

    async def seal(settings: WorkerSettings, database: Database, mint: ContextMint, stop: asyncio.Event) -> object:
        if not settings.signing_key_files or settings.checkpoints is None:
            raise SettingsError("signing_key_files, checkpoints: the sealer needs both")
        keys = read_signing_keys(settings.signing_key_files)
        store = FolderStore(settings.checkpoints)
        return await run_sealer(database, mint, keys, store, clock=_now, random=os.urandom, stop=stop, counts=sealing)

    async def relay(settings: WorkerSettings, database: Database, mint: ContextMint, stop: asyncio.Event) -> object:
        client = await _connect(settings)
        reconciling = asyncio.create_task(_reconcile_until(stop, database, mint, client))
        try:
            return await run_relay(database, mint, client, clock=time.monotonic, stop=stop, counts=relaying)
        finally:
            reconciling.cancel()
            with suppress(asyncio.CancelledError):
                await reconciling
            await client.close()

    async def pay(settings: WorkerSettings, database: Database, mint: ContextMint, stop: asyncio.Event) -> object:
        if settings.accounts is None or settings.tokens is None:
            raise SettingsError("accounts, tokens: the payment worker needs both folders")
        if not os.access(settings.tokens, os.W_OK | os.X_OK) or not settings.tokens.is_dir():
            raise SettingsError("tokens: no folder that the payment worker can write to")
        egress, doubles = ways_out(settings)
        accounts = MountedAccounts(settings.accounts, egress=egress, endpoints=settings.doubles, doubles=doubles)
        try:
            worker = PaymentWorker(database, mint, accounts, TokenFile(settings.tokens), clock=_now, counts=paying)
            await worker.run(stop)
        finally:
            await accounts.close()
        return paying

    async def sweep(_settings: WorkerSettings, database: Database, mint: ContextMint, stop: asyncio.Event) -> object:
        return await run_sweeper(database, mint, stop=stop, counts=sweeping)

    return {
        "seal": Part("parpour_sealer", sealing, seal),
        "relay": Part("parpour_relay", relaying, relay),
        "pay": Part("parpour_payment", paying, pay),
        "sweep": Part("parpour_sweeper", sweeping, sweep),
    }


def ways_out(settings: WorkerSettings) -> tuple[Egress, Egress]:
    """The payment worker's way to the providers, and the one to their doubles.

    Raises:
        SettingsError: if the doubles' authority cannot be read.
    """
    try:
        doubles = egress_to_doubles(settings.doubles.values(), authority=settings.doubles_authority_file)
    except OSError as error:
        raise SettingsError(f"doubles_authority_file: {type(error).__name__}") from None
    return Egress(STRIPE_HOSTS | MERCURY_HOSTS), doubles


def _now() -> datetime:
    return datetime.now(UTC)


async def _connect(settings: WorkerSettings) -> Client:
    options: dict[str, str] = {}
    if settings.nats_user_file is not None and settings.nats_password_file is not None:
        options["user"] = read_file(settings.nats_user_file, "nats_user_file").decode().strip()
        options["password"] = read_file(settings.nats_password_file, "nats_password_file").decode().strip()

    async def log_error(error: Exception) -> None:
        LOGGER.warning("bus: %s", type(error).__name__)

    return await nats.connect(
        settings.nats_url,
        name="parpour-relay",
        inbox_prefix=INBOX,
        ping_interval=10,
        max_outstanding_pings=2,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        connect_timeout=5,
        error_cb=log_error,
        **options,
    )


async def _reconcile_until(stop: asyncio.Event, database: Database, mint: ContextMint, client: Client) -> None:
    """Compare database and stream now and then, and publish anew what the stream lacks."""
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RECONCILE_SECONDS)
            return
        try:
            async for found in reconcile_all(database.pool, mint, client.jetstream()):
                if not found.agree:
                    LOGGER.error("stream and database differed", extra={"found": repr(found)})
        except Exception as error:  # noqa: BLE001 - whatever it is, the next comparison comes, and publishing goes on
            LOGGER.error("the stream could not be compared: %s", type(error).__name__)
