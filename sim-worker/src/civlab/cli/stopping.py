"""Ctrl-C and SIGTERM as a wish to stop: the run writes a checkpoint and ends.

The first signal is a wish, the second of Ctrl-C is an order; SIGTERM is never more than a wish, because whoever
sends it follows with SIGKILL when patience ends, and that is safe too.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType

import click

RUN_STOPS = "stopping at the end of this day; a checkpoint will stand …"


@contextmanager
def stop_on_signals(notice: str = RUN_STOPS) -> Iterator[Event]:
    """An event that the first SIGINT or SIGTERM sets, while the block runs; `notice` is what the user is told then."""
    wish = Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if wish.is_set() and number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        if not wish.is_set():
            click.echo(notice, err=True)
        wish.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield wish
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
