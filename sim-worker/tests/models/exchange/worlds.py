"""Builds the exchange model's worlds for its tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from civlab.models.exchange.compile import CompiledExchange, compile_exchange
from civlab.models.exchange.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

LAWS = (
    "{law: fixed-amount, amount: 3}",
    "{law: share-of-pair}",
    "{law: share-of-mean}",
    "{law: pooled}",
    "{law: pooled, saving: 0.35}",
)


def document(law: str = "{law: share-of-pair}", *, size: int = 500, money: int = 100, ticks: int = 30) -> str:
    """A scenario document."""
    return (
        f"apiVersion: civlab/v1\nmodel: exchange\ntitle: An economy\nticks: {ticks}\n"
        f"population: {{size: {size}, money: {money}}}\nexchange: {law}\n"
    )


def compiled(law: str = "{law: share-of-pair}", **sizes: int) -> CompiledExchange:
    """A compiled scenario."""
    return compile_exchange(parse_scenario(document(law, **sizes)))


def world_of(scenarios: Sequence[CompiledExchange], backend: Backend, *, seed: int = 7) -> World:
    """A world of one member a scenario, each with its own stream."""
    members = [MemberSpec(number, 40 + number, scenario) for number, scenario in enumerate(scenarios)]
    return World.create(MODEL, members, seed=seed, backend=backend)


def rested(law: str, *, size: int, money: int, ticks: int) -> np.ndarray:
    """The holdings of one economy after so many rounds, as floats."""
    world = world_of([compiled(law, size=size, money=money, ticks=ticks)], Backend.cpu(1))
    world.advance(ticks)
    return world.member_column("money", 0).astype(np.float64)
