"""A process of its own that runs a spec and says how far its memory rose: the test's measuring device.

The kernel keeps the highest resident size of a process (VmHWM in /proc, man 5 proc). A tiny run of the same model comes
first, so that what the program takes whatever it simulates is told apart from what the run takes.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path
from typing import Any

from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.backend import Backend
from civlab.store import open_store
from parpour_contracts.simulation import Ensemble


def highest() -> int:
    """The highest resident size so far, bytes."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def spec_of(order: dict[str, Any], parameters: dict[str, str], members: int) -> RunSpec:
    """The spec of an order with these parameters."""
    return RunSpec.create(
        order["text"],
        overrides=parameters,
        ticks=order["ticks"],
        ensemble=Ensemble(members=members),
        transmissions=order["transmissions"],
    )


def main(order: dict[str, Any]) -> None:
    """Run the tiny one, then the one that is measured, and print both heights."""
    backend, folder = Backend.cpu(2), Path(order["folder"])
    run_whole(spec_of(order, order["tiny"], 1), open_store(folder / order["until"], create=True), backend)
    program = highest()
    looks = itertools.count(1)
    outcome = run_whole(
        spec_of(order, order["parameters"], order["members"]),
        open_store(folder / "measured", create=True),
        backend,
        checkpoint_every=2,
        memory=1 << 40,
        stop=lambda: order["until"] == "stop" and next(looks) > order["ticks"] // 2,
    )
    print(json.dumps({"program": program, "peak": highest(), "resumed": outcome.resumed_ticks}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
