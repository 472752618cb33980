"""A keyed work queue: each key is worked on by one worker at a time, however often it is added.

kopf never retries a failed event handler and its worker limit throttles idle workers, so its handlers only add keys
here. A key that is added while it is being worked on is worked on once more afterwards: no change is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Backoff:
    """Exponential delays in seconds: first, twice that, … up to the longest."""

    first: float = 0.2
    longest: float = 60.0

    def delay(self, failures: int) -> float:
        """The delay after so many failures in a row (1 or more)."""
        return min(self.longest, self.first * 2.0 ** min(failures - 1, 30))


@dataclass
class KeyedQueue(Generic[K]):
    """Keys that wait, keys that wait for a time, and keys that are being worked on. Not for several threads."""

    clock: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    _ready: OrderedDict[K, float] = field(default_factory=OrderedDict)
    _delayed: list[tuple[float, int, K]] = field(default_factory=list)
    _due: dict[K, float] = field(default_factory=dict)
    _working: set[K] = field(default_factory=set)
    _dirty: dict[K, float] = field(default_factory=dict)
    _failures: dict[K, int] = field(default_factory=dict)
    _wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    def add(self, key: K) -> None:
        """Work on the key as soon as possible."""
        now = self.clock()
        self._due.pop(key, None)
        if key in self._working:
            self._dirty.setdefault(key, now)
        else:
            self._ready.setdefault(key, now)
            self._wakeup.set()

    def add_after(self, key: K, delay: float) -> None:
        """Work on the key in so many seconds, unless it is added sooner; of two times the earlier holds."""
        due = self.clock() + max(0.0, delay)
        if key in self._ready or key in self._dirty or self._due.get(key, due + 1) <= due:
            return
        self._due[key] = due
        heapq.heappush(self._delayed, (due, next(self._order), key))
        self._wakeup.set()

    async def take(self) -> tuple[K, float]:
        """The next key and how long it waited, in seconds. The key must be given back by `done` or `failed`."""
        while True:
            wait = self._promote()
            if self._ready:
                key, since = self._ready.popitem(last=False)
                self._working.add(key)
                if self._ready:
                    self._wakeup.set()
                return key, self.clock() - since
            self._wakeup.clear()
            # Not wait_for: in Python 3.11 it may swallow a cancellation that meets the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wakeup.wait()

    def done(self, key: K) -> None:
        """The key was worked on; its failures are forgotten."""
        self._failures.pop(key, None)
        self._give_back(key)

    def failed(self, key: K) -> float:
        """Working on the key failed: it comes again after a delay, which is returned."""
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        delay = self.backoff.delay(failures)
        self._dirty.pop(key, None)
        self._give_back(key)
        self.add_after(key, delay)
        return delay

    def _give_back(self, key: K) -> None:
        self._working.discard(key)
        since = self._dirty.pop(key, None)
        if since is not None:
            self._ready.setdefault(key, since)
            self._wakeup.set()

    def _promote(self) -> float | None:
        """Move what is due to the ready keys; the seconds until the next one is due, or None."""
        now = self.clock()
        while self._delayed:
            due, _, key = self._delayed[0]
            if self._due.get(key) != due:
                heapq.heappop(self._delayed)
            elif due <= now:
                heapq.heappop(self._delayed)
                del self._due[key]
                if key in self._working:
                    self._dirty.setdefault(key, due)
                else:
                    self._ready.setdefault(key, due)
            else:
                return due - now
        return None

    @property
    def depth(self) -> int:
        """Keys that are ready and not yet worked on."""
        return len(self._ready) + len(self._dirty)

    @property
    def waiting(self) -> int:
        """Keys that wait for their time."""
        return len(self._due)
