"""A process that collects seldom still collects."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import gc, weakref
from parpour_treasury.garbage import THRESHOLDS, collect_seldom

class Node:
    pass

def cycle(alive):
    node = Node()
    node.itself = node
    alive.add(node)

dropped = weakref.WeakSet()
collect_seldom()
most = 0
for _ in range(4 * THRESHOLDS[0]):
    cycle(dropped)
    most = max(most, len(dropped))
print(gc.get_freeze_count() > 1000, THRESHOLDS[0] // 4 < most < 2 * THRESHOLDS[0])
"""


def test_cycles_go_and_what_was_loaded_is_left_alone() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout.split() == ["True", "True"]
