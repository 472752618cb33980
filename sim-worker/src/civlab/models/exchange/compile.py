"""Compiles an exchange scenario into the integers that kernels read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import blake3
import numpy as np

from civlab.models.exchange.layout import LAWS, SCENARIO
from parpour_contracts.scenario import ExchangeScenario, Scenario, canonical
from parpour_contracts.scenario.exchange import FixedAmountLaw, PooledLaw


@dataclass(frozen=True)
class CompiledExchange:
    """A scenario as kernels read it: one `Scenario` record, read-only."""

    digest: bytes
    ticks: int
    population: int
    record: np.ndarray


def compile_exchange(scenario: Scenario) -> CompiledExchange:
    """The compiled form; raises TypeError for another model's document.

    Its digest is BLAKE3 over the canonical document and the compiled bytes.
    """
    if not isinstance(scenario, ExchangeScenario):
        raise TypeError(f"a document of the model {scenario.model} is no exchange")
    return compiled(scenario)


@lru_cache(maxsize=1024)
def compiled(scenario: ExchangeScenario) -> CompiledExchange:
    """The compiled form of one document; the last are kept, since an ensemble's members mostly share one."""
    law = scenario.exchange
    record = np.zeros(1, SCENARIO.dtype())
    record["mean"] = scenario.population.money
    record["population"] = scenario.population.size
    record["law"] = LAWS.index(law.law)
    if isinstance(law, FixedAmountLaw):
        record["amount"] = law.amount
    if isinstance(law, PooledLaw):
        record["saving"] = int(Fraction(law.saving) * 2**64)
    record.flags.writeable = False
    digest = blake3.blake3(canonical(scenario) + record.tobytes()).digest()
    return CompiledExchange(digest, scenario.ticks, scenario.population.size, record)
