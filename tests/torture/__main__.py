"""`python -m torture`: run seeds, and name those that do not hold. Each can be run again alone."""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
import traceback
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from torture.running import run_seed
from torture.servers import BATCH, Machines, connected, fleet

TOLD_EVERY = 100


async def torture(machines: Machines, folder: Path, seeds: Sequence[int]) -> list[int]:
    """Run seeds on their servers; returns those that do not hold."""
    broken = []
    async with connected(machines) as servers:
        for seed in seeds:
            try:
                await run_seed(servers, folder / f"seed-{seed}", seed)
            except Exception:  # noqa: BLE001 - whatever it is, it is told, and the next seed comes
                broken.append(seed)
                print(f"seed {seed} does not hold:\n{traceback.format_exc()}", flush=True)
    return broken


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m torture", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=10_000, help="how many")
    options = parser.parse_args()
    # What a dead process has left is collected later, and then told of.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    seeds = range(options.first, options.first + options.seeds)
    broken: list[int] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="torture-") as name, fleet(Path(name)) as every:
        for batch, some in groupby(seeds, lambda seed: seed // BATCH):
            broken += asyncio.run(torture(every.of(batch * BATCH), Path(name), list(some)))
            done = min((batch + 1) * BATCH, seeds.stop) - seeds.start
            if done % TOLD_EVERY == 0:
                took = time.monotonic() - begin
                print(f"{done} seeds in {took:.0f} s, {len(broken)} do not hold", flush=True)
    print(f"{options.seeds} seeds, {len(broken)} do not hold{': ' if broken else ''}{' '.join(map(str, broken))}")
    return bool(broken)


if __name__ == "__main__":
    raise SystemExit(main())
