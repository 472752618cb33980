"""Closes reservations whose resource is gone: the finalizer keeps one until it is settled, unless someone removes that.

Nobody can say any more how long such a run took, so it is charged what its workers could have run since the money was
reserved: taking a finalizer away by hand must not be a way to run for nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from parpour_contracts.funding import OpenReservation, Settlement
from parpour_contracts.simulation import KIND
from parpour_operator.children import GRACE_SECONDS
from parpour_operator.observing import Key
from parpour_operator.spending import whole_seconds
from parpour_operator.treasury import FundingApi, FundingRefused, all_open

logger = logging.getLogger(__name__)

ORPHAN_SECONDS = 300.0
"""A reservation younger than this is left alone."""


async def sweep(
    treasury: FundingApi,
    read: Callable[[Key], Awaitable[Any]],
    *,
    namespaces: tuple[str, ...],
    now: datetime,
) -> int:
    """Settle what belongs to no Simulation that is there; how many there were.

    Raises:
        FundingUnavailable: the sweep goes on another time.
    """
    swept = 0
    for page in await all_open(treasury):
        for one in page.items:
            if one.kind != KIND or (namespaces and one.namespace not in namespaces):
                continue
            if (now - one.opened_at).total_seconds() < ORPHAN_SECONDS:
                continue
            raw = await read(Key(one.namespace, one.name))
            if raw is None or raw["metadata"]["uid"] != str(one.uid):
                swept += await _settle(treasury, one, now)
    return swept


async def _settle(treasury: FundingApi, one: OpenReservation, now: datetime) -> int:
    seconds = min(whole_seconds(one.opened_at, now), one.deadline_seconds + GRACE_SECONDS)
    used = Settlement(worker_seconds=seconds * one.workers, measured=False, reason="Orphaned")
    try:
        await treasury.settle(one.venture, one.reservation, used)
    except FundingRefused as error:
        logger.warning("reservation %s of %s/%s: %s", one.reservation, one.namespace, one.name, error)
        return 0
    logger.warning("reservation %s: Simulation %s/%s is gone; settled", one.reservation, one.namespace, one.name)
    return 1
