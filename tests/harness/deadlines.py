"""Waiting for a fact that no event announces, with a deadline and a useful last word."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Fact = TypeVar("Fact")


def until(look: Callable[[], Fact | None], *, what: str, seconds: float = 60.0, pause: float = 0.2) -> Fact:
    """The first result of `look` that is not None or False.

    Raises:
        AssertionError: naming `what` did not come about in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s still waiting for: {what}")
        time.sleep(pause)
