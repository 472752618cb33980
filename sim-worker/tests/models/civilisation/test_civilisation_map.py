"""Maps of the civilisation: what holds for every one of them, and one drawn by an independent cartographer."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from civlab.models.civilisation.layout import LANDS, REACH, WEEKS, ZONES
from civlab.runtime.backend import Backend
from parpour_contracts.scenario.civilisation.world import World

from .lands import BURNT, Lands, lands_of, world_of
from .map_oracle import DISC, Cartographer

pytestmark = pytest.mark.kernel

CENTRE = REACH // 2


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds of every kind, up to 150 regions."""
    nations = draw(st.integers(1, 8))
    cuts = sorted(draw(st.lists(st.integers(1, 99), min_size=nations - 1, max_size=nations - 1, unique=True)))
    shares = [str(Decimal(high - low) / 100) for low, high in pairwise([0, *cuts, 100])]
    south = draw(st.integers(-90, 80))
    world = world_of(
        *shares,
        regions=draw(st.integers(max(2, nations), 150)),
        sea=Decimal(draw(st.integers(0, 9))) / 10,
        straits=draw(st.integers(0, 2)),
        roughness=Decimal(draw(st.integers(0, 10))) / 10,
        relief=draw(st.integers(0, 8000)),
        area=draw(st.integers(100, 100_000)),
        south=Decimal(south),
        north=Decimal(draw(st.integers(south + 5, 90))),
    )
    settlement = {"exponent": Decimal(draw(st.integers(0, 20))) / 10, "minimum": draw(st.integers(1, 100))}
    return world.model_copy(update={"settlement": world.settlement.model_copy(update=settlement)})


def pieces(reach: np.ndarray, members: np.ndarray, furthest: int) -> int:
    """How many parts some regions fall into, where a step leads to a place of the disc at most so far away."""
    places = [p for p, (q, r) in enumerate(DISC) if max(abs(q), abs(r), abs(q + r)) <= furthest]
    left, found = set(members.tolist()), 0
    while left:
        edge = [left.pop()]
        while edge:
            step = {int(other) - 1 for other in reach[edge.pop(), places] if other} & left
            left -= step
            edge += step
        found += 1
    return found


@settings(max_examples=150, deadline=None)
@given(worlds(), st.integers(0, 2**64 - 1), st.integers(150 * 100, 10**6))
def test_every_map_is_whole_settled_to_the_last_citizen_and_open_to_trade(
    world: World, seed: int, citizens: int
) -> None:
    lands = lands_of(world, citizens=citizens, seed=seed, burnt=0)
    regions, nations = world.map.regions, len(world.nations)
    cell, nation, reach = lands.of("region_cell"), lands.of("region_nation"), lands.of("reach")
    assert len(set(cell.tolist())) == regions
    assert [*zip(nation.tolist(), cell.tolist(), strict=True)] == sorted(zip(nation, cell, strict=True))
    assert set(nation.tolist()) == set(range(nations))
    settled = lands.of("region_settled").astype("i8")
    assert settled.sum() == citizens
    assert settled.min() >= world.settlement.minimum
    assert sum(int(share) for share in lands.of("region_share")) == 2**63
    assert (lands.of("land").astype("i8").sum(axis=1) == world.map.area).all()
    assert (lands.of("region_zone") < len(ZONES)).all()
    assert (reach[:, CENTRE] == np.arange(regions) + 1).all()
    for region in range(regions):
        for place, other in enumerate(reach[region]):
            assert other == 0 or reach[other - 1, REACH - 1 - place] == region + 1
    assert pieces(reach, np.arange(regions), world.map.straits + 1) == 1
    for k in range(nations):
        assert pieces(reach, np.flatnonzero(nation == k), world.map.straits + 1) == 1


EXAMPLES = {
    "without sea": world_of(regions=7, sea=Decimal(0)),
    "two nations": world_of("0.6", "0.4", regions=60),
    "islands": world_of("0.1", "0.5", "0.4", regions=90, straits=2, sea=Decimal("0.8"), terrain="own"),
    "five nations": world_of("0.05", "0.3", "0.2", "0.25", "0.2", regions=80, straits=0, roughness=Decimal("0.9")),
    "south": world_of("0.5", "0.5", regions=40, south=Decimal(-60), north=Decimal(-20), area=300_000),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_map_is_the_one_that_a_plain_cartographer_draws(name: str) -> None:
    lands = lands_of(EXAMPLES[name], seed=11, streams=(5,), citizens=30_000)
    drawn = Cartographer(lands.land, 11, 5)
    assert lands.of("region_cell").tolist() == drawn.regions
    assert lands.of("region_nation").tolist() == [drawn.nation[cell] for cell in drawn.regions]
    assert lands.of("region_height").tolist() == [drawn.metres[cell] for cell in drawn.regions]
    assert [ZONES[zone] for zone in lands.of("region_zone")] == [drawn.zone(cell) for cell in drawn.regions]
    settled = drawn.settled()
    assert lands.of("region_settled").tolist() == [settled[cell] for cell in drawn.regions]
    uses = drawn.used(settled)
    assert lands.of("land").tolist() == [uses[cell] for cell in drawn.regions]
    fuel = [int(low) + (int(high) << 64) for low, high in lands.of("reserve")]
    expected = [drawn.fuel(cell, settled[cell]) for cell in drawn.regions]
    assert fuel == pytest.approx(expected, rel=1e-4)
    number = {cell: region + 1 for region, cell in enumerate(drawn.regions)}
    for region, cell in enumerate(drawn.regions):
        q, r = drawn.axial(cell)
        around = {drawn.axial(other): other for other in drawn.near(cell, 3)} | {(q, r): cell}
        expected_row = [number.get(around.get((q + dq, r + dr), -1), 0) for dq, dr in DISC]
        assert lands.of("reach")[region].tolist() == expected_row


def test_nations_have_their_share_of_the_citizens_to_the_unit_and_of_the_regions_to_one() -> None:
    world = world_of("0.37", "0.33", "0.2", "0.1", regions=200)
    lands = lands_of(world, citizens=1_000_000, seed=3)
    nation = lands.of("region_nation")
    citizens = np.bincount(nation, weights=lands.of("region_settled"))
    assert citizens.tolist() == [370_000, 330_000, 200_000, 100_000]
    assert np.abs(np.bincount(nation) - 200 * np.array([0.37, 0.33, 0.2, 0.1])).max() <= 1


@pytest.mark.parametrize("exponent", ["0", "0.7", "1", "1.3"])
def test_citizens_follow_the_rank_size_law_that_is_asked_for(exponent: str) -> None:
    """Rank-size law with Zipf's exponent 1: Gabaix (1999), Quarterly Journal of Economics 114, 739-767."""
    world = world_of("0.5", "0.5", regions=300)
    law = world.settlement.model_copy(update={"exponent": Decimal(exponent), "minimum": 1})
    lands = lands_of(world.model_copy(update={"settlement": law}), citizens=40_000_000, seed=8)
    for k in range(2):
        sizes = np.sort(lands.of("region_settled")[lands.of("region_nation") == k])[::-1]
        slope = np.polyfit(np.log(np.arange(1, len(sizes) + 1)), np.log(sizes), 1)[0]
        assert slope == pytest.approx(-float(exponent), abs=1e-3)


def test_more_people_live_on_coasts_and_low_and_fewer_near_the_poles() -> None:
    """As in Small and Nicholls (2003) and Cohen and Small (1998)."""
    world = world_of(regions=400)
    coast = high = polar = 0.0
    for seed in range(12):
        lands = lands_of(world, seed=seed, citizens=400_000)
        share = lands.of("region_settled") / 400_000
        reach = lands.of("reach")
        ring = [p for p, (q, r) in enumerate(DISC) if max(abs(q), abs(r), abs(q + r)) == 1]
        at_sea = (reach[:, ring] == 0).any(axis=1)
        coast += float(share[at_sea].sum() / at_sea.mean()) / 12
        height = lands.of("region_height")
        high += float(share[height > np.median(height)].sum()) / 12
        zone = lands.of("region_zone") == ZONES.index("polar")
        polar += float(share[zone].sum() / max(1, zone.sum()) * 400) / 12
    assert coast > 1.5
    assert high < 0.35
    assert polar < 0.3


def test_zones_lie_where_koeppens_do() -> None:
    equator = lands_of(world_of(south=Decimal(-8), north=Decimal(8), relief=500))
    assert set(equator.of("region_zone").tolist()) == {ZONES.index("tropical")}
    pole = lands_of(world_of(south=Decimal(72), north=Decimal(90)))
    assert set(pole.of("region_zone").tolist()) == {ZONES.index("polar")}
    belt = lands_of(world_of(south=Decimal(18), north=Decimal(32), regions=400, area=40_000, relief=500))
    arid = belt.of("region_zone") == ZONES.index("arid")
    assert 0.3 < arid.mean() < 0.9
    plateau = lands_of(world_of(south=Decimal(-8), north=Decimal(8), relief=6000, regions=200))
    height = plateau.of("region_height")
    assert plateau.of("region_zone")[height.argmax()] == ZONES.index("polar")


def test_fuel_lasts_as_long_as_stated_on_average_and_as_unevenly() -> None:
    world = world_of(regions=2000)
    lands = lands_of(world, citizens=2_000_000, seed=4)
    fuel = lands.of("reserve")[:, 0].astype("f8") + lands.of("reserve")[:, 1] * 2.0**64
    years = fuel / (lands.of("region_settled") * float(BURNT) * WEEKS)
    assert years.mean() == pytest.approx(140, rel=4 * 0.533 / math.sqrt(2000))
    assert np.log(years).std() == pytest.approx(0.5, rel=4 / math.sqrt(2 * 2000))
    assert np.log(years).mean() == pytest.approx(math.log(140) - 0.125, abs=4 * 0.5 / math.sqrt(2000))


def columns(lands: Lands, member: int) -> list[bytes]:
    """All that a map decides, of one member."""
    of_regions = [f"region_{name}" for name in ("cell", "nation", "zone", "settled", "share")]
    return [lands.of(name, member).tobytes() for name in (*of_regions, "reach", "land", "reserve")]


def test_a_map_depends_on_no_thread_batch_or_place_and_is_shared_unless_members_have_their_own() -> None:
    own = world_of("0.7", "0.3", regions=80, terrain="own")
    batch = lands_of(own, streams=range(20, 90), seed=6, backend=Backend.cpu(2))
    for member, stream in ((0, 20), (37, 57), (69, 89)):
        assert columns(batch, member) == columns(lands_of(own, streams=(stream,), seed=6), 0)
    assert columns(batch, 0) != columns(batch, 1)
    shared = lands_of(world_of("0.7", "0.3", regions=80), streams=(20, 21), seed=6)
    assert columns(shared, 0) == columns(shared, 1)


def test_the_least_number_of_citizens_bends_the_law_only_where_it_must() -> None:
    world = world_of(regions=100)
    law = world.settlement.model_copy(update={"minimum": 80, "exponent": Decimal("1.5")})
    settled = np.sort(lands_of(world.model_copy(update={"settlement": law}), citizens=10_000).of("region_settled"))
    assert settled[0] == 80
    free = settled[settled > 80][::-1]
    assert 3 <= len(free) < 100
    slope = np.polyfit(np.log(np.arange(1, len(free) + 1)), np.log(free), 1)[0]
    assert slope == pytest.approx(-1.5, abs=0.1)
    assert LANDS == ("farmed", "mined", "settled", "wild")
