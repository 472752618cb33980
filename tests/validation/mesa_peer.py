"""The Boltzmann wealth model in Mesa: agents take turns in shuffled order, each giving a unit to one drawn at random.

Written as Mesa's tutorial states it, without a grid and without a data collector; agents draw from a list, because to
draw from Mesa's own set of agents costs a copy of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import mesa
import numpy as np
from numpy.typing import NDArray

VERSION = version("mesa")


class Giver(mesa.Agent):  # type: ignore[misc]
    """An agent with some units of wealth."""

    def __init__(self, model: Any, wealth: int) -> None:
        super().__init__(model)
        self.wealth = wealth

    def give(self) -> None:
        """Gives a unit to somebody, the giver included, if there is one to give."""
        if self.wealth > 0:
            receiver = self.random.choice(self.model.everyone)
            self.wealth -= 1
            receiver.wealth += 1


class Economy(mesa.Model):  # type: ignore[misc]
    """All agents."""

    def __init__(self, wealth: Sequence[int], seed: int) -> None:
        super().__init__(seed=seed)
        Giver.create_agents(self, len(wealth), wealth)
        self.everyone = list(self.agents)

    def step(self) -> None:
        """One round."""
        self.agents.shuffle_do("give")


@dataclass(frozen=True)
class MesaRun:
    """A prepared run; `run` computes it."""

    economy: Economy
    rounds: int

    @staticmethod
    def prepare(wealth: NDArray[np.int64], *, rounds: int, seed: int) -> MesaRun:
        """An economy whose agents hold this at first."""
        return MesaRun(Economy(wealth.tolist(), seed), rounds)

    def run(self) -> None:
        """All rounds."""
        for _ in range(self.rounds):
            self.economy.step()

    def held(self) -> NDArray[np.int64]:
        """What each agent holds."""
        return np.array([agent.wealth for agent in self.economy.everyone])
