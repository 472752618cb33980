"""The scenario document of the exchange model: agents who trade money in random pairs under a stated law.

Money is whole units, so the largest economy allowed still has a total that fits 63 bits; how finely a law's fractions
are resolved is the mean holding, which the document states.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from parpour_contracts.scenario.document import MAXIMUM_TICKS, Estimate, Exact, Scenario, Section

MAXIMUM_POPULATION = 50_000_000
MAXIMUM_MONEY = 10**9
BYTES_AN_AGENT = 8
BYTES_A_TILE = 12
BYTES_A_MEMBER = 1_000
"""A compiled scenario, the cells of a member and its padding."""
BYTES_A_MEMBER_TICK = 64
"""History of the metrics."""
BYTES_COPIED_AN_AGENT = 8
"""What all agents hold, once more: sorted, or on its way to or from a checkpoint."""


class ExchangePopulation(Section):
    """Who trades, and what each agent holds at first."""

    size: Annotated[int, Field(ge=2, le=MAXIMUM_POPULATION)]
    """Agents; of an odd number, one drawn anew each round does not trade."""
    money: Annotated[int, Field(ge=1, le=MAXIMUM_MONEY)] = 1000
    """Money of each agent at the start, hence the mean for ever: the temperature of the stationary law."""


class FixedAmountLaw(Section):
    """One of the two, by a fair coin, pays the other a fixed amount, if it can."""

    law: Literal["fixed-amount"]
    amount: Annotated[int, Field(ge=1, le=MAXIMUM_MONEY)] = 1
    """Money paid."""


class ShareOfPairLaw(Section):
    """One of the two, by a fair coin, pays the other a random share of the pair's mean holding, if it can."""

    law: Literal["share-of-pair"]


class ShareOfMeanLaw(Section):
    """One of the two, by a fair coin, pays the other a random share of the mean holding of all, if it can."""

    law: Literal["share-of-mean"]


class PooledLaw(Section):
    """Both save a share of what they hold, pool the rest, and part the pool at random."""

    law: Literal["pooled"]
    saving: Annotated[Exact, Field(ge=0, lt=1)] = Decimal(0)
    """Share that each keeps out of the pool: the saving propensity."""


Law = Annotated[FixedAmountLaw | ShareOfPairLaw | ShareOfMeanLaw | PooledLaw, Field(discriminator="law")]


class ExchangeScenario(Scenario):
    """An economy of random pairwise exchange, round by round (a tick is a round in which everyone meets once)."""

    tick_name: ClassVar[str] = "round"
    agents_path: ClassVar[str | None] = "population.size"
    units: ClassVar[Mapping[str, str]] = {"ticks": "rounds", "size": "agents", "money": "money", "amount": "money"}

    model: Literal["exchange"]
    ticks: Annotated[int, Field(ge=1, le=MAXIMUM_TICKS)]
    """Rounds to simulate."""
    population: ExchangePopulation
    exchange: Law
    """How a pair trades."""

    @property
    def agents(self) -> int:
        """Agents of one member."""
        return self.population.size

    def shrunk(self, agents: int) -> Self:
        """The same economy with fewer agents."""
        size = max(2, min(agents, self.agents))
        return self.model_copy(update={"population": self.population.model_copy(update={"size": size})})

    def estimate(self) -> Estimate:
        """Bytes and agents of one member."""
        padded = (self.agents // 64 + 1) * 64
        size = (
            padded * BYTES_AN_AGENT
            + -(-padded // 4096) * BYTES_A_TILE
            + BYTES_A_MEMBER
            + self.ticks * BYTES_A_MEMBER_TICK
        )
        copies = padded * BYTES_COPIED_AN_AGENT + self.ticks * BYTES_A_MEMBER_TICK
        return Estimate(bytes=size, agents=self.agents, copies=copies)
