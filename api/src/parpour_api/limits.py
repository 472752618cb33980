"""How much one caller and one tenant may ask in a time: buckets of points that refill, kept in the process.

An operation takes its cost in points, so a few large queries weigh as much as many small ones. Processes count each for
itself; the sum over all of them is bounded by their number.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable

from parpour_api.errors import ApiError

KEYS_MAX = 20_000
"""Buckets that are kept; the one that was used least recently goes first, and has refilled the longest."""


class Buckets:
    """One bucket a key, each with `burst` points at most, refilled by `rate` points a second."""

    def __init__(self, *, rate: float, burst: float, clock: Callable[[], float], keys_max: int = KEYS_MAX) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._keys_max = keys_max
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, points: float) -> float:
        """Take points; returns 0, or for how many seconds the key must wait if there are not as many. Takes none then.

        More than the burst is never there: then the wait is for a full bucket, and one that is full gives all it has.
        """
        now = self._clock()
        level, since = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + max(0.0, now - since) * self._rate)
        points = min(points, self._burst)
        wait = 0.0 if level >= points else (points - level) / self._rate
        self._levels[key] = (level if wait else level - points, now)
        while len(self._levels) > self._keys_max:
            self._levels.popitem(last=False)
        return wait


class RateLimits:
    """The buckets of principals and of tenants together."""

    def __init__(self, *, principals: Buckets, tenants: Buckets) -> None:
        self._principals = principals
        self._tenants = tenants

    def take(self, *, tenant: Hashable, principal: Hashable, points: float) -> None:
        """Take points from both buckets.

        Raises:
            ApiError: API_RATE_LIMITED.
        """
        wait = self._principals.take(principal, points) or self._tenants.take(tenant, points)
        if wait:
            raise ApiError("API_RATE_LIMITED", retry_after=max(1, math.ceil(wait)))
