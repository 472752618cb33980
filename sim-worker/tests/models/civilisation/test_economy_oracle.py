"""The kernels of the economy's week agree with an independent world of objects, to the unit, week after week."""

from __future__ import annotations

from pathlib import Path

import pytest

from civlab.models.civilisation.compile import compile_civilisation
from civlab.runtime.backend import Backend, CpuBackend, load
from parpour_contracts.scenario import parse_scenario

from .civilisations import compiled, document
from .economy_harness import DoubleRun
from .economy_oracle import EconomyOracle

pytestmark = pytest.mark.kernel

SEED = 2**35 + 9
EXHAUSTED = """\
  settlement: {minimum: 40}
  fuel: {years: 0.1, spread: 0.5}
economy:
  energy: {renewable: 0}
  firms: {number: 300, dispersion: 0.2, debt: 0.9, cash: 2, buffer: 2, learning: 0.3, building: 0.01,
    payout: 0.5,
    surprises: 0.3, surprise: 4}
  prices: {speed: 0.3, bound: 0.03, pressure: 0.02, choice: 30, freight: 0.5, nearness: 0.7}
  labour: {quit: 0.02, flexibility: 3, progress: 0.1}
  households: {wealth: 0, savings: 0, patience: 4, memory: 0.2}
  credit:
    {banks: 3, capital_ratio: 0.02, loan_to_value: 1, repayment: 0.05, recovery: 0.1, spread: 0.2, smoothing: 0.3,
     debt_speed: 0.1}
  shocks: {technology: 0.01, purchases: 0.09}
climate: {lag: 1}
"""
"""Fuel, without which there is no energy, runs out within months; firms begin deep in debt, banks with little capital,
households with nothing saved."""
WITHOUT_CAPITAL = """\
  settlement: {minimum: 40}
economy:
  technology:
    kind: own
    industries:
      food: {labour: 0.5, inputs: {food: 0.1, energy: 0.05}}
      energy: {labour: 0.6, inputs: {food: 0.1}}
      services: {labour: 0.7, inputs: {energy: 0.02}, capital: 0.5, wear: 0.1, cover: 0.3, perish: 0.9}
      manufactures: {labour: 0.6, inputs: {energy: 0.05}}
  demand:
    consumption: {food: 0.5, services: 0.5}
    investment: {manufactures: 1}
    government: {food: 1}
  firms: {number: 80}
  prices: {noise: 0.03}
  labour: {hiring: 0.4}
"""
"""Four goods, three of them made by labour alone; prices stray, and firms hire slowly."""

OF_EVERY_WORLD = {
    "short of staff", "dismissals", "jobs left open", "seekers left without", "bid in vain", "rationed market",
    "orders of a later round", "budget without a seller", "needs unmet", "state borrows", "surprises",
}  # fmt: skip
OF_HARD_TIMES = {
    "target above capacity", "short of goods", "short of energy", "cut bid", "cut orders", "cut investment",
    "scaled pay", "credit above the assets' worth", "credit rationed", "interest on credit", "failure", "rescue",
    "bank pays out", "energy rationed at the margin", "offers rationed at the margin", "no energy traded",
    "empty ground", "nothing came", "sold out beside others", "hopes bounded", "too little energy to carry",
    "all money spent", "bounded price", "bounded pay", "rate at its bound", "sold out of energy",
    "heads beyond the mix", "barred from credit",
    "energy in place of fuel", "plants short of fuel", "target beyond the ground", "a founder's size",
    "swing at its bound",
}  # fmt: skip


def taken(oracle: EconomyOracle) -> set[str]:
    """The branches of the rules that were taken more than once."""
    return {rule for rule, times in oracle.rules.items() if times > 1}


def test_every_week_of_an_ordinary_world_is_that_of_the_oracle(backend: Backend) -> None:
    more = "economy: {firms: {number: 150}}\n"
    run = DoubleRun.begin(compiled(size=2000, regions=4, more=more), seed=SEED, backend=backend)
    run.agree(32)
    assert OF_EVERY_WORLD - taken(run.oracles[0]) == set()
    assert run.oracles[0].sold_abroad


@pytest.mark.long
def test_every_week_of_a_world_that_runs_out_of_fuel_and_credit_is_that_of_the_oracle(backend: Backend) -> None:
    run = DoubleRun.begin(compiled(size=2000, regions=4, more=EXHAUSTED), seed=SEED, backend=backend)
    run.agree(54)
    oracle = run.oracles[0]
    assert (OF_EVERY_WORLD | OF_HARD_TIMES) - taken(oracle) == set()
    assert any(share < 1 << 31 for region in oracle.regions for share in region.left), "the climate has cost something"


@pytest.mark.long
def test_every_week_of_a_world_that_goes_on_without_fuel_is_that_of_the_oracle(backend: Backend) -> None:
    more = "  settlement: {minimum: 40}\n  fuel: {years: 0.05, spread: 0.2}\n"
    run = DoubleRun.begin(compiled(size=1000, regions=2, more=more, ticks=120), seed=SEED, backend=backend)
    run.agree(60)
    assert {"plants short of fuel", "energy in place of fuel"} - taken(run.oracles[0]) == set()
    assert "no energy traded" not in taken(run.oracles[0])


def test_every_week_of_neighbours_in_a_batch_is_that_of_their_oracles(backend: Backend) -> None:
    text = document(size=1000, regions=3, nations=3)
    steady = text.replace("{name: Last,", "{name: Last, government: {purchases: fixed},")
    worlds = (
        compiled(size=1000, regions=3, nations=1, more=WITHOUT_CAPITAL),
        compile_civilisation(parse_scenario(steady)),
    )
    run = DoubleRun.begin(*worlds, seed=SEED, backend=backend)
    run.agree(14)
    assert {"jobs not advertised", "prices moved by chance"} <= taken(run.oracles[0])


@pytest.mark.long
@pytest.mark.long
def test_lanes_of_a_tile_change_nothing_in_the_economy(lanes_library: Path) -> None:
    lanes = CpuBackend(load(str(lanes_library)), 2)
    DoubleRun.begin(compiled(size=1500, regions=4, more=EXHAUSTED), seed=SEED, backend=lanes).agree(8)
