"""The climate as a world: counted carbon, and results that depend on nothing but scenario and member."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from civlab.errors import CivlabError
from civlab.models.climate.compile import CompiledClimate
from civlab.models.climate.layout import COLUMNS, STATE
from civlab.models.climate.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.building import levels
from civlab.runtime.world import World

pytestmark = pytest.mark.kernel

MakeWorld = Callable[..., World]
CompileFamily = Callable[..., CompiledClimate]

KILOGRAMS_A_GIGATONNE_OF_CO2 = 12.011e12 / 44.009


def digests(world: World) -> list[bytes]:
    """Of all members after the whole run."""
    world.advance(world.ticks)
    return world.member_digests()


def test_every_kilogram_emitted_is_in_the_air_or_taken_up(make_world: MakeWorld) -> None:
    world = make_world(members=5)
    total = np.zeros(5, np.int64)
    for _ in range(300):
        world.advance()
        total += world.metrics(world.tick - 1, world.tick)["emissions"][0]
        air, sinks = world.download("carbon_atmosphere"), world.download("carbon_sinks")
        assert np.array_equal(total, air + sinks)
        physics = sum(world.download(f"carbon_{box}") for box in range(4)) * KILOGRAMS_A_GIGATONNE_OF_CO2
        assert np.abs(physics - air).max() < 0.6, "half a kilogram, and what f64 loses in this sum"


def test_lost_carbon_stops_the_run_by_name(make_world: MakeWorld) -> None:
    world = make_world()
    world.advance(3)
    sinks = world.download("carbon_sinks").copy()
    sinks[1] += 1
    world.arrays.put("carbon_sinks", sinks)
    with pytest.raises(CivlabError, match=r"carbon was not conserved in tick 3") as caught:
        world.advance()
    assert caught.value.code == "CONSERVATION_BROKEN"
    assert "member 1" in str(caught.value)


def test_a_changed_column_breaks_the_chain(make_world: MakeWorld) -> None:
    world = make_world()
    world.advance(3)
    world.download("temperature_deep")[2] += 1e-9
    with pytest.raises(CivlabError) as caught:
        world.check()
    assert caught.value.code == "CHAIN_BROKEN"
    assert "temperature_deep" in str(caught.value)


@pytest.mark.long
def test_digests_depend_on_no_thread_batch_level_or_lane(make_world: MakeWorld, lanes_library: Path) -> None:
    found = digests(make_world(members=11))
    assert digests(make_world(members=11, threads=2)) == found
    assert digests(make_world(members=4)) == found[:4]
    for level in levels():
        assert digests(make_world(members=11, backend=Backend.cpu(1, level=level))) == found
    assert digests(make_world(members=11, backend=CpuBackend(load(str(lanes_library)), 1))) == found


def test_a_restored_world_goes_on_as_if_it_had_not_stopped(make_world: MakeWorld) -> None:
    world = make_world()
    world.advance(120)
    restored = World.restore(MODEL, world.members, seed=1, backend=Backend.cpu(1), snapshot=world.snapshot())
    restored.advance(180)
    assert restored.member_digests() == digests(make_world())


def test_members_of_several_scenarios_come_out_as_they_do_alone(
    make_world: MakeWorld, compile_family: CompileFamily
) -> None:
    low, middle = compile_family("low"), compile_family("middle")
    members = [MemberSpec(k, k, scenario) for k, scenario in enumerate((low, middle, middle, low))]
    mixed = World.create(MODEL, members, seed=1, backend=Backend.cpu(1))
    assert digests(mixed)[1:3] == digests(make_world(members=3))[1:3]


def test_warming_of_2019_is_that_of_the_observations_and_the_families_keep_their_order(make_world: MakeWorld) -> None:
    """IPCC AR6 WG1 SPM A.1.2: 1.06 K (0.88 to 1.21) over 2010-2019 above 1850-1900; SPM table 1 for 2081-2100."""
    ends = []
    for family in ("low", "overshoot", "middle", "high"):
        world = make_world(family, 351, members=841)
        world.advance(351)
        warming = world.metrics(0, 351)["temperature"]
        recent = warming[260:270].mean(axis=0) - warming[100:151].mean(axis=0)
        assert 0.88 < np.median(recent) < 1.21
        ends.append(float(np.median(warming[331:351].mean(axis=0) - warming[100:151].mean(axis=0))))
    assert ends == sorted(ends)
    assert 1.3 < ends[0] < 2.4
    assert 2.1 < ends[2] < 3.5
    assert 3.3 < ends[3] < 5.7


def test_an_element_tips_only_beyond_its_threshold_and_stays_so(make_world: MakeWorld) -> None:
    world = make_world("overshoot", 751, members=841)
    world.advance(751)
    peak = world.metrics(0, 751)["warming"].max(axis=0)
    corals = world.download("tipping_coral_reefs")
    assert (corals[peak < 1.5] < 0).all()
    assert (corals > 0).any()
    final = world.metrics(750, 751)["warming"][0]
    assert ((corals > 0) & (final < 1.5) & (peak > 1.5)).any()


def test_emissions_that_keep_the_start_in_balance_change_nothing(make_world: MakeWorld) -> None:
    world = make_world("none")
    world.advance(300)
    assert np.abs(world.metrics(0, 300)["temperature"]).max() < 1e-12


def test_every_column_of_the_state_has_eight_bytes_and_lies_beside_the_next() -> None:
    at = COLUMNS.index(STATE[0])
    assert COLUMNS[at : at + len(STATE)] == STATE
    assert {np.dtype(column.dtype).itemsize for column in STATE} == {8}


def test_a_wide_ensemble_repeats_the_published_sets_in_turn(compile_family: CompileFamily) -> None:
    compiled = compile_family()
    few = replace(compiled, sets=compiled.sets[:2])
    world = World.create(MODEL, [MemberSpec(k, k, few) for k in range(5)], seed=1, backend=Backend.cpu(1))
    world.advance(50)
    warming = world.metrics(49, 50)["warming"][0]
    assert warming[0] == warming[2] == warming[4]
    assert warming[1] == warming[3]
    assert warming[0] != warming[1]
