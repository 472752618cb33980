"""How much memory a scenario takes, before anything is allocated.

The operator plans shards and refuses with it what cannot fit; civlab's tests hold the real allocation to it. The
counts are upper bounds: mean degrees come with a margin for their scatter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

from parpour_contracts.scenario.document import (
    Community,
    EpidemicScenario,
    FixedLaw,
    Law,
    NegativeBinomialLaw,
    PoissonLaw,
)

BYTES_AN_AGENT = 41
"""Columns of an agent without its contacts, places and claims included."""
BYTES_AN_EDGE = 8
"""A contact, and its stub while the graph is made."""
BYTES_A_TILE = 32_000
"""Counters of one tile while the population is made; a tile is at most 4,096 agents."""
BYTES_A_MEMBER = 60_000
"""A compiled scenario and the cells of a member."""
BYTES_A_MEMBER_TICK = 192
"""History of the metrics and the day's plan."""


@dataclass(frozen=True)
class Estimate:
    """Upper bounds for `members` worlds in one batch: bytes on the device, agents, directed contacts."""

    bytes: int
    agents: int
    edges: int


def mean_and_variance(law: Law) -> tuple[Decimal, Decimal]:
    """Mean and variance of a law, exact but for the division of a table."""
    if isinstance(law, FixedLaw):
        return Decimal(law.value), Decimal(0)
    if isinstance(law, PoissonLaw):
        return law.mean, law.mean
    if isinstance(law, NegativeBinomialLaw):
        return law.mean, law.mean + law.mean**2 / law.dispersion
    total = sum(law.weights.values(), Decimal(0))
    mean = sum((value * weight for value, weight in law.weights.items()), Decimal(0)) / total
    square = sum((value**2 * weight for value, weight in law.weights.items()), Decimal(0)) / total
    return mean, max(square - mean**2, Decimal(0))


def estimate_edges(community: Community | None, agents: int) -> int:
    """Directed contacts of the community layer: the mean and ten standard deviations, plus one."""
    if community is None:
        return 0
    mean, variance = mean_and_variance(community.degree)
    return math.ceil(mean * agents + 10 * (variance * agents).sqrt()) + 1


def estimate(scenario: EpidemicScenario, members: int = 1) -> Estimate:
    """Bytes, agents and directed contacts of `members` replicates of the scenario held at once."""
    agents = scenario.population.size
    padded = (agents // 64 + 1) * 64
    edges = estimate_edges(scenario.contacts.community, agents)
    tiles = -(-padded // 4096)
    size = (
        padded * BYTES_AN_AGENT
        + edges * BYTES_AN_EDGE
        + tiles * BYTES_A_TILE
        + BYTES_A_MEMBER
        + scenario.ticks * BYTES_A_MEMBER_TICK
    )
    return Estimate(bytes=size * members, agents=agents * members, edges=edges * members)
