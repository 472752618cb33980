"""Fixtures that every part of civlab's tests shares: a small town whose epidemic takes milliseconds."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import settings

from civlab.runtime.building import build, levels

settings.register_profile("torture", max_examples=1000, deadline=None)

SMALL_TOWN = """\
# Six hundred people with every layer, a hospital that overflows and two introductions.
apiVersion: civlab/v1
model: epidemic
title: A small town
ticks: 40
population:
  size: 600
contacts:
  community:
    degree: {law: poisson, mean: 6}
  household: {weight: 3}
  school: {class_size: 20}
  work: {team_size: 8}
disease:
  r0: 3
hospital:
  beds: 2
introductions:
  - {tick: 0, count: 5}
  - {tick: 9, count: 3}
"""


@pytest.fixture(scope="session")
def small_town() -> str:
    """The scenario document of a town of 600 over 40 ticks."""
    return SMALL_TOWN


@pytest.fixture(scope="session")
def lanes_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All kernels as a GPU runs them, several lanes a tile; compiled once for all workers of a session.

    With less optimisation than the library that they are compared with, which must change no bit either: it compiles in
    half of the time.
    """
    own = tmp_path_factory.getbasetemp()
    target = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "lanes.so"
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            build(levels()[0], target, defines=["CIVLAB_LANES=5u"], options=["-O1"])
    return target
