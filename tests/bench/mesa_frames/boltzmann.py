"""The Boltzmann wealth model in mesa-frames, timed: bench.frames_peer runs it in an environment of its own.

Written for the release's AgentSetPolars with one expression a round, which is several times faster than the masked
assignments of its README; what it prints is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
import polars as pl
from mesa_frames import AgentSetPolars, ModelDF


class Givers(AgentSetPolars):  # type: ignore[misc]
    """Agents with some units of wealth."""

    def __init__(self, model: ModelDF, wealth: np.ndarray) -> None:
        super().__init__(model)
        self.add(pl.DataFrame({"unique_id": np.arange(len(wealth)), "wealth": wealth}))

    def step(self) -> None:
        """All who have a unit give one to agents drawn at random, themselves included, at the same time."""
        self.select(pl.col("wealth") > 0)
        seed = int(self.model.random.integers(2**31))
        receivers = self.index.sample(n=len(self.active_agents), with_replacement=True, seed=seed)
        income = receivers.value_counts(name="income")
        given = (pl.col("wealth") > 0).cast(pl.Int64)
        self.agents: pl.DataFrame = self.agents.join(income, on="unique_id", how="left", maintain_order="left").select(
            "unique_id", wealth=pl.col("wealth") - given + pl.col("income").fill_null(0)
        )


def main() -> None:
    """Reads the case, runs it and prints seconds and holdings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, required=True)
    parser.add_argument("--money", type=int, default=1, help="units of each agent at first, or on average")
    parser.add_argument("--at-rest", action="store_true", help="begin with the geometric law instead of equal holdings")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    case = parser.parse_args()
    model = ModelDF(seed=case.seed)
    wealth = np.full(case.agents, case.money)
    if case.at_rest:
        wealth = model.random.geometric(1 / (1 + case.money), case.agents) - 1
    givers = Givers(model, wealth)
    model.agents += givers
    elapsed, cpu = time.perf_counter(), time.process_time()
    for _ in range(case.rounds):
        model.step()
    cpu, elapsed = time.process_time() - cpu, time.perf_counter() - elapsed
    held = model.get_agents_of_type(Givers).agents["wealth"].to_numpy()
    print(json.dumps({"cpu": cpu, "wall": elapsed, "holders": np.bincount(held).tolist()}))


if __name__ == "__main__":
    main()
