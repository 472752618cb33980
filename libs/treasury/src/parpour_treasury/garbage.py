"""When a process that carries out batches looks for garbage in cycles."""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 20, 50)
"""Objects made and not dropped, and younger passes, before a pass over each generation."""


def collect_seldom() -> None:
    """Let a process look for cycles seldom, and never among what it has loaded so far.

    A batch makes thousands of objects that all live until it is answered and then go by their counts. With Python's own
    thresholds that sets off passes over all of them, between an answer of the database and the next batch: a tenth
    of the time of a busy ledger.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
