"""SIGTERM as a wish: the run is asked to checkpoint and end, and only once.

The signals are blocked and a thread waits for them, because Python delivers a signal between bytecodes of the main
thread alone, which may be seconds deep in a kernel. A blocked signal also reaches process 1 of a container, which
otherwise never sees a signal that it has no handler for.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


class StopWish:
    """Whether the pod was asked to stop. Later signals change nothing."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._timer: threading.Timer | None = None

    def __call__(self) -> bool:
        """Whether to stop at the next opportunity."""
        return self._asked.is_set()

    def listen(self, *, grace_seconds: float, on_wish: Callable[[str], None], on_deadline: Callable[[], None]) -> None:
        """Wait for signals in a thread.

        `on_wish` is called with the signal's name at the first one; `on_deadline` when the process still lives
        `grace_seconds` later, for example because the store does not answer. The signals must be blocked already.
        """

        def wait() -> None:
            while True:
                name = signal.Signals(signal.sigwait(STOP_SIGNALS)).name
                if self._asked.is_set():
                    continue
                self._asked.set()
                self._timer = threading.Timer(grace_seconds, on_deadline)
                self._timer.daemon = True
                self._timer.start()
                on_wish(name)

        threading.Thread(target=wait, name="stop-signals", daemon=True).start()


def block_stop_signals() -> None:
    """Keep the signals for `StopWish`; to be called before any other thread exists, which inherits the mask."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
