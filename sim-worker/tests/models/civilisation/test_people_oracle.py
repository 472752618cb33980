"""The kernels of a round of people agree with an independent world of objects, bit for bit, round after round."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from civlab.runtime.backend import Backend, CpuBackend, load
from parpour_contracts.scenario.civilisation.people import Households, Migration, PeopleSection

from .people_harness import recounted, run_round, state, world_of_people
from .people_oracle import PeopleOracle

pytestmark = pytest.mark.kernel

HARSH = PeopleSection(
    life_table="united-states-1950",
    mortality=Decimal(10),
    total_fertility=Decimal(4),
    households=Households(leave=Decimal("0.3"), partner=Decimal("0.3"), endowment=Decimal("0.3")),
    migration=Migration(rate=Decimal("0.5")),
)
"""Many die young, which leaves widows, orphans and several heirs."""
CLOSE = PeopleSection(
    total_fertility=Decimal(10),
    households=Households(leave=Decimal(4), partner=Decimal(1), gap=60),
    migration=Migration(rate=Decimal("0.1"), distance=Decimal(1), abroad=Decimal(1)),
)
"""Villages where siblings would marry if that were allowed."""


def agree(backend: Backend, section: PeopleSection, settled: Sequence[int], rounds: int) -> PeopleOracle:
    """Runs both and compares all columns after every round."""
    arrays = world_of_people(settled, section, backend=backend, seed=2**35 + 9, room=4, nations=[0, 0, 1, 1])
    arrays.upload({"warmth": np.array([0, 1 << 32, 0, 1 << 31], "i8"), "wage": np.array([500, 560, 650, 480], "u8")})
    arrays.upload({"column_digest": recounted(arrays)})
    columns = {name: arrays.backend.download(values).copy() for name, values in arrays.column.items()}
    oracle = PeopleOracle(columns, seed=2**35 + 9, stream=0)
    totals = dict.fromkeys(oracle.vital[0], 0)
    for number in range(rounds):
        vital = run_round(arrays, number)
        oracle.round(section.round * (number + 1) - 1)
        now = state(arrays)
        for name, values in oracle.state().items():
            assert now[name].tolist() == values, (number, name)
        for name in totals:
            totals[name] += int(vital[name].sum())
            assert totals[name] == sum(of_region[name] for of_region in oracle.vital), (number, name)
    assert (recounted(arrays) == backend.download(arrays.column["column_digest"])).all()
    return oracle


def test_every_round_of_people_is_that_of_the_oracle(backend: Backend) -> None:
    oracle = agree(backend, PeopleSection(), [300, 200, 500, 150], 26)
    assert all(sum(region[name] for region in oracle.vital) > 10 for name in ("births", "deaths", "arrivals"))


def test_rounds_with_orphans_widows_and_several_heirs_are_those_of_the_oracle(backend: Backend) -> None:
    oracle = agree(backend, HARSH, [300, 200, 500, 150], 40)
    assert all(oracle.rules[rule] > 1 for rule in ("widowed", "succeeded", "orphaned", "paired", "co-heirs"))


def test_rounds_of_close_villages_are_those_of_the_oracle(backend: Backend) -> None:
    oracle = agree(backend, CLOSE, [60, 40, 50, 30], 65)
    assert all(oracle.rules[rule] > 2 for rule in ("kin", "paired", "left"))


@pytest.mark.long
@pytest.mark.parametrize(("weeks", "rounds"), [(1, 60), (2, 40), (13, 12)])
def test_rounds_of_other_lengths_are_those_of_the_oracle(weeks: int, rounds: int, backend: Backend) -> None:
    section = HARSH.model_copy(update={"round": weeks})
    oracle = agree(backend, section, [300, 200, 500, 150], rounds)
    assert all(sum(region[name] for region in oracle.vital) > 10 for name in ("births", "deaths", "arrivals"))
    assert oracle.rules["paired"]


@pytest.mark.long
def test_lanes_of_a_tile_change_nothing_that_happens_to_people(lanes_library: Path) -> None:
    agree(CpuBackend(load(str(lanes_library)), 2), HARSH, [300, 200, 500, 150], 13)
