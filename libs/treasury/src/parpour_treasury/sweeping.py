"""The sweeper: what nobody came back for expires, also in tenants that nobody writes to.

It sees across tenants which holds and requests are due and nothing more of them, and expires them in the tenant's name.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from parpour_controlplane.context import ContextMint
from parpour_controlplane.database import Database, is_transient
from parpour_controlplane.migrations import sql
from parpour_treasury.ledger import Ledger

ACTOR = "system:sweeper"

PAUSE_SECONDS = 5.0
"""Between two looks: what is due counts as expired at once wherever it matters, so nobody waits for the sweeper."""

_DUE = sql("parpour_treasury", "queries/tenants_to_sweep.sql")

logger = logging.getLogger(__name__)


@dataclass
class SweepCounts:
    """What a sweeper has done; for metrics."""

    expired: int = 0
    failed: int = 0
    last_error: str = ""


class Sweeper:
    """Sweeps every tenant of one database, in sessions of the role parpour_sweeper."""

    def __init__(self, database: Database, mint: ContextMint, *, counts: SweepCounts | None = None) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._mint = mint
        self.counts = counts or SweepCounts()

    async def round(self) -> int:
        """Expire all that is due now; returns how much."""
        expired = 0
        for row in await self._database.pool.fetch(_DUE):
            while swept := await self._ledger.sweep(self._mint.mint(tenant=row["tenant_id"], actor=ACTOR)):
                expired += swept
        self.counts.expired += expired
        return expired


async def run_sweeper(
    database: Database, mint: ContextMint, *, stop: asyncio.Event, counts: SweepCounts | None = None
) -> SweepCounts:
    """Sweep until `stop` is set."""
    sweeper = Sweeper(database, mint, counts=counts)
    while not stop.is_set():
        try:
            await sweeper.round()
        except Exception as error:
            if not is_transient(error):
                raise
            sweeper.counts.failed += 1
            sweeper.counts.last_error = type(error).__name__
            logger.warning("the database is away: %s", type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE_SECONDS)
    return sweeper.counts
