"""The yearly stage of the climate: FaIR's path where nobody burns fuel, exact carbon, and what warming costs."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile_land import EXPOSURE, KG_CARBON_A_GTCO2, sine
from civlab.models.civilisation.layout import FAULTS, GOODS, LANDS, WEEKS, ZONES
from civlab.models.civilisation.phases_land import LAND_PHASES
from civlab.models.climate.compile import compile_climate
from civlab.models.climate.model import MODEL as CLIMATE
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend, CpuBackend, load
from civlab.runtime.building import levels
from civlab.runtime.world import World
from parpour_contracts.scenario import ScenarioError, parse_scenario
from parpour_contracts.scenario.civilisation.climate import Climate
from parpour_contracts.scenario.climate import ChosenConfiguration, Family, ImpulseConfiguration, Overlay

from .lands import BURNT, Lands, lands_of, world_of

pytestmark = pytest.mark.kernel

FOOD = GOODS.index("food")
SMALL = world_of(regions=40)


def climate_of(family: str = "middle", **fields: Any) -> Climate:
    """A climate under a family of pathways."""
    return Climate(pathway=Family(kind="family", name=family), **fields)  # type: ignore[arg-type]


def set_due(lands: Lands, millijoules: int) -> None:
    """So much fuel burnt, as the economy leaves it."""
    limbs = np.array([millijoules & 0xFFFFFFFFFFFFFFFF, millijoules >> 64], "u8")
    lands.put("carbon_due", np.tile(limbs, lands.arrays.sizes["member"]))


def alone(family: str, ticks: int, streams: list[int], configuration: str = "{kind: fair-1.4.1}") -> World:
    """The climate model from 1750 on."""
    compiled = compile_climate(
        parse_scenario(  # type: ignore[arg-type]
            f"apiVersion: civlab/v1\nmodel: climate\ntitle: A climate\nticks: {ticks}\nconfiguration: {configuration}\n"
            f"pathway: {{kind: family, name: {family}}}\n"
        )
    )
    members = [MemberSpec(number, stream, compiled) for number, stream in enumerate(streams)]
    world = World.create(CLIMATE, members, seed=1, backend=Backend.cpu(1))
    world.advance(ticks)
    return world


@pytest.mark.parametrize(
    ("family", "configuration", "section"),
    [
        ("middle", "{kind: fair-1.4.1}", None),
        ("high", "{kind: fair-1.4.1}", None),
        ("overshoot", "{kind: fair, feedback: 1.1}", ChosenConfiguration(kind="fair", feedback=Decimal("1.1"))),
        ("low", "{kind: impulse-response}", ImpulseConfiguration(kind="impulse-response")),
    ],
)
def test_without_emissions_of_its_own_the_climate_is_the_climate_models_from_1850_to_2100(
    family: str, configuration: str, section: Any
) -> None:
    """The climate model agrees with FaIR 2.2 within 2e-8 K (tests/validation); here it is the same to the last bit."""
    streams = [0, 400, 840]
    fields = {"configuration": section} if section else {}
    lands = lands_of(SMALL, climate_of(family, start=1850, **fields), streams=streams, ticks=250 * WEEKS, burnt=0)
    reference = alone(family, 350, streams, configuration)
    series = reference.metrics(0, 350)
    for year in range(250):
        if year:
            lands.year(year)
        row = 1850 - 1750 + year - 1
        found = [float(lands.of("warming", member)[0]) for member in range(3)]
        assert found == series["warming"][row].tolist()
        assert [float(lands.of("sea_level", m)[0]) for m in range(3)] == series["sea_level"][row].tolist()
        assert [int(lands.of("carbon", m)[0, 1]) for m in range(3)] == series["carbon_atmosphere"][row].tolist()
    assert max(found) > 1


def test_an_own_share_replaces_a_part_of_the_pathway_and_more_fuel_warms() -> None:
    """Own people who burn what they burnt at the start keep to a flat pathway."""
    flat = Overlay(kind="overlay", base=Family(kind="family", name="none"), begin=2020, until=2100, co2=Decimal(40))
    climate = Climate(pathway=flat, people_per_citizen=8_000)
    yearly = 100_000 * WEEKS * BURNT
    share = Fraction(8_000 * yearly * 20, 10**12) / (40 * KG_CARBON_A_GTCO2)
    assert 0.3 < share < 0.6
    warming = []
    for coupling, times in (("none", 1), ("emissions", 1), ("emissions", 0), ("emissions", 2)):
        section = climate.model_copy(update={"coupling": coupling})
        lands = lands_of(SMALL, section, citizens=100_000, ticks=51 * WEEKS)
        assert float(lands.land["own_share"]) == (0.0 if coupling == "none" else float(share))
        for year in range(1, 51):
            set_due(lands, times * yearly)
            lands.year(year)
        warming.append(float(lands.of("warming")[0]))
    pathway, once, never, twice = warming
    assert once == pytest.approx(pathway, abs=1e-12)
    assert never < once - 0.05
    assert once < twice - 0.05


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 2**76), min_size=1, max_size=6),
    st.integers(1, 10**5),
    st.integers(0, 26_000),
)
def test_no_carbon_is_lost_or_made(burnt: list[int], people: int, grams: int) -> None:
    climate = climate_of(people_per_citizen=people, carbon=Decimal(grams) / 1000)
    lands = lands_of(SMALL, climate, burnt=0)
    before = int(lands.of("carbon")[0, 0])
    years = lands.arrays.column["year"]["co2"][climate.start - 1750 :]
    pathway = 0
    for year, fuel in enumerate(burnt):
        set_due(lands, fuel)
        lands.year(year + 1)
        pathway += round(float(years[year]) * (12.011e12 / 44.009))
    own, rest = int(lands.of("carbon_own")[0]), int(lands.of("carbon_rest")[0])
    assert own * 10**15 + rest == sum(burnt) * people * grams
    assert lands.of("carbon_due").tolist() == [[0, 0]]
    emitted, air, sinks = (int(part) for part in lands.of("carbon")[0])
    assert emitted == air + sinks
    assert emitted - before == own + pathway
    assert int(lands.of("fault")[0]) == 0


def test_fuel_beyond_80_bits_stops_the_run_by_name() -> None:
    lands = lands_of(SMALL, burnt=0)
    set_due(lands, 2**80)
    lands.year(1)
    cell = int(lands.of("fault")[0])
    assert FAULTS[(cell & 0xFFFFFFFF) - 1] == "overflow"
    assert 0xFFFFFFFF - (cell >> 32) == WEEKS


def test_people_who_would_emit_more_than_the_world_are_refused() -> None:
    with pytest.raises(ScenarioError, match="let a citizen stand for fewer people") as refused:
        lands_of(SMALL, climate_of(people_per_citizen=10**6), citizens=1_000_000)
    assert refused.value.path == "climate.people_per_citizen"


def left(climate: Climate, zone: str, good: str, start: float, now: float) -> float:
    """Share of output that is left in the end, by the formulas of model.md, as yet without new fields."""
    since = max(0.0, now - start)
    work = max(0.0, 1 - float(getattr(climate.heat, zone)) * float(EXPOSURE[GOODS.index(good)]) * since)
    if good == "food":
        return work * max(0.0, 1 - float(getattr(climate.crops, zone)) * since)
    return min(work, left_by_law(climate.damages, now) / left_by_law(climate.damages, start), 1.0)


def left_by_law(name: str, warming: float) -> float:
    """Share of gross output that a damage function leaves: DICE-2016R, Howard and Sterner (2017), Weitzman (2012)."""
    if name == "weitzman-2012":
        return float(1 / (1 + (warming / 20.46) ** 2 + (warming / 6.081) ** 6.754))
    return 1 - {"dice-2016r": 0.00236, "howard-sterner-2017": 0.007438}[name] * warming**2


@pytest.mark.parametrize("damages", ["dice-2016r", "howard-sterner-2017", "weitzman-2012"])
def test_output_falls_by_crops_heat_and_the_damage_function_of_each_zone(damages: str) -> None:
    climate = climate_of("high", damages=damages, lag=1, clearing=Decimal(0))
    lands = lands_of(world_of(regions=300), climate, burnt=0, ticks=80 * WEEKS)
    start = float(lands.of("warming")[0])
    zones = [ZONES[zone] for zone in lands.of("region_zone")]
    assert set(zones) == set(ZONES)
    assert (lands.of("yield") == 2**31).all()
    for year in range(1, 81):
        lands.year(year)
    now = float(lands.of("warming")[0])
    assert now - start > 2
    found = lands.of("yield") / 2**31
    for region, zone in enumerate(zones):
        expected = [left(climate, zone, good, start, now) for good in GOODS]
        assert found[region] == pytest.approx(expected, abs=1e-9)
        factor = float(getattr(climate.zones, zone))
        assert lands.of("warmth")[region] / 2**32 == pytest.approx(factor * now, abs=1e-9)
    assert found[:, FOOD].min() < 0.85 < found[:, FOOD].max()


def test_output_follows_the_warming_with_its_lag() -> None:
    fast, slow = (
        lands_of(SMALL, climate_of("high", lag=lag, clearing=Decimal(0)), burnt=0, ticks=30 * WEEKS) for lag in (1, 8)
    )
    level = slow.of("yield")[:, FOOD].astype("i8")
    for year in range(1, 31):
        fast.year(year)
        slow.year(year)
        gap = fast.of("yield")[:, FOOD].astype("i8") - level
        level = level + np.sign(gap) * (np.abs(gap) // 8)
        assert slow.of("yield")[:, FOOD].tolist() == level.tolist()
    assert (slow.of("yield")[:, FOOD] >= fast.of("yield")[:, FOOD]).all()


@pytest.mark.parametrize("coupling", ["none", "emissions"])
def test_an_economy_that_is_not_coupled_loses_nothing(coupling: str) -> None:
    lands = lands_of(SMALL, climate_of("high", coupling=coupling), burnt=0, ticks=60 * WEEKS)
    before = lands.of("land").copy()
    for year in range(1, 61):
        lands.year(year)
    assert (lands.of("yield") == 2**31).all()
    assert (lands.of("land") == before).all()
    assert float(lands.of("warming")[0]) > 2


def test_lost_harvests_turn_wild_land_into_fields_that_make_up_for_some_of_them() -> None:
    still, clearing = (
        lands_of(SMALL, climate_of("high", clearing=Decimal(share)), burnt=0, ticks=80 * WEEKS)
        for share in ("0", "0.02")
    )
    before = clearing.of("land").astype("i8")
    for year in range(1, 81):
        still.year(year)
        clearing.year(year)
        assert (clearing.of("land").astype("i8").sum(axis=1) == 20_000).all()
    after = clearing.of("land").astype("i8")
    farmed, wild = LANDS.index("farmed"), LANDS.index("wild")
    hurt = clearing.of("yield")[:, FOOD] < 2**31
    assert (after[hurt][:, farmed] > before[hurt][:, farmed]).all()
    assert (after[:, farmed] - before[:, farmed] == before[:, wild] - after[:, wild]).all()
    assert (clearing.of("yield")[:, FOOD] >= still.of("yield")[:, FOOD]).all()
    assert (still.of("land") == before).all()


def test_ticks_within_a_year_and_the_first_of_all_change_nothing() -> None:
    lands = lands_of(SMALL, burnt=0)
    set_due(lands, 10**15)
    before = lands.of("warming").tolist(), lands.of("carbon_due").tolist()
    for tick in (0, 1, 51, 53, 103):
        lands.arrays.run("civilisation_climate", "member", tick)
    assert (lands.of("warming").tolist(), lands.of("carbon_due").tolist()) == before


def after_some_years(streams: list[int], backend: Backend) -> Lands:
    """Members whose climates have gone on for eight years."""
    lands = lands_of(SMALL, climate_of("high"), streams=streams, burnt=0, backend=backend)
    for year in range(1, 9):
        lands.year(year)
    return lands


@pytest.mark.long
def test_maps_and_climates_depend_on_no_thread_batch_level_or_lane(lanes_library: Path) -> None:
    names = [column.name for column in layout.STATE if column.per in ("region", "member")]
    streams = list(range(70))
    batch = after_some_years(streams, Backend.cpu(2))
    assert batch.of("warming", 40) != batch.of("warming", 41)
    backends = [Backend.cpu(1, level=level) for level in levels()]
    for backend in (*backends, CpuBackend(load(str(lanes_library)), 1)):
        single = after_some_years([41], backend)
        for name in names:
            assert batch.of(name, 41).tobytes() == single.of(name).tobytes(), name


@pytest.mark.parametrize(
    ("degrees", "known"), [("0", 0), ("30", 0.5), ("-90", -1), ("45", 0.5**0.5), ("60", 0.75**0.5)]
)
def test_the_sine_of_a_latitude_is_exact(degrees: str, known: float) -> None:
    assert float(sine(Decimal(degrees))) == known


def recounted(lands: Lands) -> np.ndarray:
    """Digests of the regions' and the member's columns, counted in full."""
    lands.arrays.allocate("column_recount")
    for kind in ("region", "member"):
        lands.arrays.run(f"civilisation_recount_{kind}", "member")
    return np.array(lands.arrays.backend.download(lands.arrays.column["column_recount"]))


def test_the_digest_follows_what_a_year_changes_and_no_more_changes_than_is_declared() -> None:
    lands = lands_of(SMALL, climate_of("high"), burnt=0)
    lands.put("column_digest", recounted(lands))
    columns, download = lands.arrays.column, lands.arrays.backend.download
    changed: set[str] = set()
    for year in range(1, 9):
        set_due(lands, 123 * 10**18 + year)
        lands.put("column_digest", recounted(lands))
        before = {name: download(values).tobytes() for name, values in columns.items()}
        lands.year(year)
        changed |= {name for name, values in columns.items() if download(values).tobytes() != before[name]}
        assert download(columns["column_digest"]).tolist() == recounted(lands).tolist()
    assert changed == set(LAND_PHASES[0].writes) - {"fault"}
