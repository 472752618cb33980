"""Worlds of the exchange model for its comparison with peers: one document, changed by what a case varies."""

from __future__ import annotations

from civlab.models.exchange.compile import compile_exchange
from civlab.models.exchange.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

ONE_UNIT = "{law: fixed-amount, amount: 1}"


def world_of(
    *, agents: int, money: int = 1, rounds: int, law: str = ONE_UNIT, members: int = 1, seed: int = 1
) -> World:
    """A world on one thread at round 0: so many members of one economy, each with its own stream."""
    text = (
        f"apiVersion: civlab/v1\nmodel: exchange\ntitle: An economy\nticks: {rounds}\n"
        f"population: {{size: {agents}, money: {money}}}\nexchange: {law}\n"
    )
    compiled = compile_exchange(parse_scenario(text))
    specs = [MemberSpec(index=number, stream=number, scenario=compiled) for number in range(members)]
    return World.create(MODEL, specs, seed=seed, backend=Backend.cpu(threads=1))
