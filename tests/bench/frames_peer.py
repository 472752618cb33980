"""mesa-frames in an environment of its own, since it needs NumPy 1: made from its lock, run as a process, read as JSON.

The environment lies below .venv, which git ignores and `make clean` removes, and is made anew when its lock changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure import Action, Sample

HERE = Path(__file__).resolve().parent / "mesa_frames"
LOCK = HERE / "requirements.txt"
VERSION = next(line.split()[0].partition("==")[2] for line in LOCK.open() if line.startswith("mesa-frames=="))
ENVIRONMENT = HERE.parents[2] / ".venv" / "mesa-frames"
PYTHON = "3.11"
"""The version that the lock is made for; NumPy 1 has no wheels for the newest."""
ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class FramesResult:
    """What one run gave: its own times, initialisation excluded, and what each agent holds at the end."""

    sample: Sample
    held: NDArray[np.int64]


@cache
def environment() -> Path:
    """The Python of the environment."""
    python, installed = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed.txt"
    if not installed.exists() or installed.read_text() != LOCK.read_text():
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", PYTHON, str(ENVIRONMENT)], check=True)
        sync = [uv, "pip", "sync", "--quiet", "--compile-bytecode", "--require-hashes"]
        subprocess.run([*sync, "--python", str(python), str(LOCK)], check=True)
        installed.write_text(LOCK.read_text())
    return python


def frames_run(*, agents: int, money: int = 1, rounds: int, at_rest: bool) -> FramesResult:
    """One run in a new process on one thread."""
    script = str(HERE / "boltzmann.py")
    command = [str(environment()), script, f"--agents={agents}", f"--money={money}", f"--rounds={rounds}"]
    if at_rest:
        command.append("--at-rest")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | ONE_THREAD)
    answer = json.loads(done.stdout)
    held = np.repeat(np.arange(len(answer["holders"])), answer["holders"])
    return FramesResult(Sample(answer["cpu"], answer["wall"]), held)


def prepared(*, agents: int, money: int, rounds: int) -> Action:
    """A run that begins at rest, whose result is the sample that it took itself."""
    environment()
    return lambda: frames_run(agents=agents, money=money, rounds=rounds, at_rest=True).sample
