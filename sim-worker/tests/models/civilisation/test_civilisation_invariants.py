"""Every invariant stops the run when it is broken on purpose: by its name, at its place and with the exact residue."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from civlab.errors import CivlabError
from civlab.models.civilisation import layout
from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.generate import limit_regions
from civlab.models.civilisation.layout import FAULTS, GOODS, LANDS, SLOW, VITALS, WEEKS
from civlab.models.civilisation.model import MODEL
from civlab.models.civilisation.proofs import INVARIANTS
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

from .civilisations import Act, MeddledWorld, cell, column, compiled, document, meddled, specs, world_of

pytestmark = pytest.mark.kernel

BEFORE = 6
"""Ticks done before an invariant is broken: one round of people is among them, and the next tick has none."""
FIRST = MODEL.phases[0].name


@dataclass(frozen=True)
class Break:
    """How an invariant is broken, and what is to be reported; `before` is the phase that the act comes before."""

    act: Act
    invariant: str
    residue: int
    place: int = 0
    before: str = FIRST
    ticks: int = BEFORE


def bits(world: World, name: str) -> np.ndarray:
    """A column of integers as the kernels' unsigned ones."""
    values = column(world, name)
    return values.view(f"u{values.itemsize}")


def add(name: str, amount: int = 1, *, row: int = 0, part: int = 0) -> Act:
    """Adds to one element of a column, modulo its range."""

    def act(world: World) -> None:
        values = bits(world, name)
        values[row, part] = (int(values[row, part]) + amount) % (1 << 8 * values.itemsize)

    return act


def put(name: str, value: int, *, row: int = 0, part: int = 0) -> Act:
    """Sets one element of a column."""

    def act(world: World) -> None:
        bits(world, name)[row, part] = value

    return act


def both(*acts: Act) -> Act:
    """One act after another."""

    def act(world: World) -> None:
        for one in acts:
            one(world)

    return act


def living(world: World) -> int:
    """A household that stands."""
    return int(np.flatnonzero(column(world, "size")[:, 0])[0])


def to_living(name: str, amount: int) -> Act:
    """Adds to a household that stands."""
    return lambda world: add(name, amount, row=living(world))(world)


def born_of_nothing(world: World) -> None:
    """A child stands in a vacant slot of the first region."""
    household = column(world, "household")[:, 0]
    slot = int(np.flatnonzero(household == 0)[0])
    household[slot] = household[household > 0][0]
    column(world, "born")[slot] = layout.EPOCH
    column(world, "traits")[slot] = 0


def dismissed_unknown(world: World) -> None:
    """A citizen loses a job of which the firm knows nothing."""
    employer = column(world, "employer")[:, 0]
    employer[np.flatnonzero(employer)[0]] = 0


def into_debt(name: str, row: Callable[[World], int] = lambda _: 0, part: int = 0) -> Act:
    """Makes an amount 50 below zero and gives what it was, and that much more, to the next one."""

    def act(world: World) -> None:
        values = bits(world, name)
        at = row(world)
        amount = int(values[at, part])
        values[at, part] = 2**64 - 50
        values[at + 1, part] += np.uint64(amount + 50)

    return act


def industry(world: World, good: int) -> int:
    """A firm that makes the good."""
    return int(np.flatnonzero(column(world, "industry")[:, 0] == good)[0])


def store(good: int, amount: int = 1) -> Act:
    """Adds to the output in store of a firm that makes the good."""
    return lambda world: add("inventory", amount, row=industry(world, good))(world)


ESTATES = cell("estates", VITALS)
LIMITS = layout.HIGHEST_PRICE
WHOLE = 2**32
CARBON_OF_FUEL = int(compiled().lands["carbon_factor"][0])
"""Grams of carbon a GJ, all people counted for whom a citizen stands: 10^-15 kg a mJ."""
BREAKS = {
    **{f"a unit of {good} in store": Break(store(k), "goods", 1, k + 1) for k, good in enumerate(GOODS)},
    **{f"a unit of {good} bought": Break(add("stock", part=k), "goods", 1, k + 1) for k, good in enumerate(GOODS)},
    "a unit of food lost in the market": Break(store(0, -3), "goods", -3, 1, "account"),
    "a coin of a household": Break(to_living("deposit", 1), "money", 1),
    "a coin of a firm": Break(add("cash"), "money", 1),
    "a coin of a treasury": Break(add("treasury"), "money", 1),
    "a coin of a pool": Break(add("pool"), "money", 1),
    "a coin of a bank": Break(add("equity"), "money", 1),
    "a coin of the central bank": Break(add("base_money"), "money", -1),
    "a public debt": Break(add("debt"), "money", -1),
    "a joule in the ground": Break(add("reserve"), "energy", 1),
    "a joule gained from nothing": Break(add("book_energy", 7, part=2), "energy", -7),
    "a kilogram of carbon": Break(add("carbon"), "carbon", 1),
    "a kilogram of carbon at the turn of a year": Break(add("carbon", 5, part=1), "carbon", -5, ticks=WEEKS),
    "fuel whose carbon nobody counts": Break(add("carbon_due", -9), "carbon", 9 * CARBON_OF_FUEL, 1),
    "fuel burnt that no store gave": Break(add("book_burnt", 4), "carbon", 4 * CARBON_OF_FUEL, 1),
    "carbon of one's own that no fuel gave": Break(add("carbon_own", 2), "carbon", -2 * 10**15, 1),
    "less than a kilogram of it": Break(add("carbon_rest", 3), "carbon", -3, 1),
    "a place at a table for nobody": Break(to_living("size", 1), "population", 1, 1),
    "a citizen from nowhere": Break(born_of_nothing, "population", 1),
    "a citizen who was not counted": Break(add("book_people", -2), "population", 2),
    "an arrival without departure": Break(add("vital", part=cell("arrivals", VITALS)), "population", 1, before="audit"),
    "a job without its holder": Break(dismissed_unknown, "labour", 1),
    "a holder without a job": Break(add("staff", -1), "labour", -1, before="account"),
    "a worker who is not counted": Break(
        add("census", -1, part=cell("seekers", layout.HEADS)), "labour", 1, 1, before="audit"
    ),
    "a coin that a firm finds": Break(add("cash"), "firm_sheet", 1, before="purchase"),
    "a coin from a firm to a household": Break(
        both(add("cash", -1), to_living("deposit", 1)), "firm_sheet", -1, before="spend"
    ),
    "a coin that a bank finds": Break(add("equity"), "bank_sheet", 1, before="audit"),
    "a coin from a pool to a treasury": Break(
        both(add("pool", -4), add("treasury", 4)), "bank_sheet", -4, before="audit"
    ),
    "a coin that a household finds": Break(to_living("deposit", 1), "household_sheet", 1, before="spend"),
    "a wage that nobody paid": Break(to_living("earned", 9), "household_sheet", 9, 1, before="budget"),
    "a coin that a treasury finds": Break(add("treasury"), "government_sheet", 1, before="audit"),
    "a debt that is forgiven": Break(add("debt", -1), "government_sheet", 1, before="audit"),
    "an export that nobody imports": Break(add("abroad"), "trade", 1),
    "an import that nobody exports": Break(add("abroad", -3, row=1), "trade", -3),
    "a payment that reaches nobody": Break(add("revenue", -1), "rationing", -1, before="account"),
    "a lot that arrives unsent": Break(
        add("flow_goods", 1, part=cell("received", layout.GOODS_FLOWS) * len(GOODS) + 3), "rationing", -1, 4, "audit"
    ),
    "a square kilometre": Break(add("land", row=4, part=cell("wild", LANDS)), "land", 1, 5),
    "a square kilometre lost at the turn of a year": Break(
        add("land", -1, row=2, part=cell("farmed", LANDS)), "land", -1, 3, ticks=WEEKS
    ),
    "a loan without a lender": Break(add("loan"), "credit", 1),
    "a claim without a debtor": Break(add("lent"), "credit", -1),
    "an estate without an heir": Break(add("vital", part=ESTATES), "inheritance", 1, before="audit"),
    "a household in debt": Break(into_debt("deposit", living), "negative", 1, before="spend"),
    "a firm in debt": Break(into_debt("cash"), "negative", 1, before="account"),
    "a store below zero": Break(into_debt("stock", part=3), "negative", 1, before="account"),
    "a treasury below zero": Break(into_debt("treasury"), "negative", 1, before="audit"),
    "a bank below zero": Break(into_debt("equity"), "negative", 1, before="audit"),
    "fuel below zero": Break(put("reserve", 2**64 - 1, row=3, part=1), "negative", 1, before="audit"),
    "a price of nothing": Break(put("tariff", 0, row=2, part=5), "bounds", -1, 3, "audit"),
    "a price beyond all bounds": Break(put("tariff", LIMITS + 8, row=1), "bounds", 8, 2, "audit"),
    "more than a whole budget": Break(put("fill", WHOLE + 2, row=5, part=6), "rationing", 2, 7, "audit"),
    "a posted price beyond all bounds": Break(put("price", LIMITS + 3, row=9), "bounds", 3, before="account"),
    "a wage beyond all bounds": Break(put("wage", LIMITS + 1, row=4), "bounds", 1, 5, "audit"),
    "a price level of nothing": Break(put("level", 0, row=1), "bounds", -1, before="audit"),
    "a price of energy beyond all bounds": Break(put("energy_price", LIMITS + 6), "bounds", 6, before="audit"),
    "productivity beyond all bounds": Break(put("technology", 4 * LIMITS + 7), "bounds", 7, before="audit"),
    "a joule embodied in nothing": Break(add("embodied"), "embodied", 1),
    "a joule that leaves a good": Break(add("stock_embodied", -1, part=3), "embodied", -1, before="account"),
}


def stopped(world: MeddledWorld, ticks: int = 1) -> CivlabError:
    """How the next tick ends."""
    with pytest.raises(CivlabError) as caught:
        world.advance(ticks)
    return caught.value


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_on_purpose_stops_the_very_tick_by_name_place_and_residue(name: str) -> None:
    broken = BREAKS[name]
    world = meddled(compiled(ticks=WEEKS + 2))
    world.advance(broken.ticks)
    world.acts = {broken.before: broken.act}
    error = stopped(world)
    place = f", place {broken.place}" if broken.place else ""
    assert error.code == ("PRICES_UNBOUNDED" if broken.invariant == "bounds" else "CONSERVATION_BROKEN")
    assert error.path == f"member 0, invariant {broken.invariant}{place}"
    assert error.message.startswith(f"tick {broken.ticks}: {broken.residue:+d} ")


def test_each_invariant_has_its_number_its_equation_and_a_test_that_breaks_it() -> None:
    assert tuple(invariant.name for invariant in INVARIANTS) == FAULTS
    assert [invariant.label for invariant in INVARIANTS[:18]] == [f"I{number}" for number in range(1, 19)]
    assert all(invariant.equation and invariant.meaning for invariant in INVARIANTS)
    in_sums = {invariant.name for invariant in INVARIANTS} - {"chain", "overflow", "full_citizens", "full_households"}
    assert {broken.invariant for broken in BREAKS.values()} == in_sums


def test_of_several_members_the_broken_one_is_named_and_the_rest_goes_on_untouched() -> None:
    world = meddled(*[compiled()] * 3)
    world.advance(BEFORE)
    store(3, 5)(world)
    column(world, "treasury", 2)[1, 0] += np.uint64(11)
    error = stopped(world)
    assert error.path == "member 0, invariant goods, place 4"
    faults = world.download("fault")
    assert [bool(fault) for fault in faults] == [True, False, True]


def test_the_first_broken_tick_is_reported_though_more_follow() -> None:
    world = meddled(compiled())
    world.advance(BEFORE)
    add("abroad", 4)(world)
    error = stopped(world, 9)
    assert error.path == "member 0, invariant trade"
    assert error.message.startswith(f"tick {BEFORE}: +4 more")


@pytest.mark.parametrize("name", [declared.name for declared in MODEL.dynamic])
def test_a_bit_that_flips_in_any_column_of_the_state_breaks_the_chain_by_the_columns_name(name: str) -> None:
    world = world_of(*[compiled(more="zoom: {changes: [{week: 0, to: aggregated}]}\n")] * 2)
    world.advance(2)
    values = column(world, name, 1)
    values.view("u1").reshape(-1)[-values.itemsize] ^= 1
    with pytest.raises(CivlabError) as caught:
        world.snapshot()
    assert (caught.value.code, caught.value.path) == ("CHAIN_BROKEN", f"member 1, column {name}")


def test_money_that_moves_between_households_behind_the_ticks_back_is_found_by_the_full_count() -> None:
    world = world_of(compiled())
    world.advance(BEFORE)
    deposit, size = column(world, "deposit")[:, 0], column(world, "size")[:, 0]
    rich, poor = np.flatnonzero((size > 0) & (deposit > 100))[:2]
    deposit[rich] -= 100
    deposit[poor] += 100
    world.advance(2)
    with pytest.raises(CivlabError) as caught:
        world.snapshot()
    assert (caught.value.code, caught.value.path) == ("CHAIN_BROKEN", "member 0, column deposit")


def test_a_saved_state_that_was_changed_is_refused() -> None:
    world = world_of(compiled())
    world.advance(BEFORE)
    saved = world.snapshot()
    saved.columns["cash"][7] += 1
    with pytest.raises(CivlabError) as caught:
        World.restore(MODEL, world.members, seed=7, backend=Backend.cpu(1), snapshot=saved)
    assert caught.value.code == "CHAIN_BROKEN"


def test_every_link_of_the_chain_goes_into_the_digest() -> None:
    ends = []
    for act in (lambda _: None, add("head"), add("phase_digest")):
        world = meddled(compiled())
        world.advance(BEFORE)
        world.acts = {"chain": act}
        world.advance()
        world.acts = {}
        world.advance(2)
        ends.append(world.member_digests()[0])
    assert len(set(ends)) == 3


def test_a_total_that_leaves_its_range_stops_the_run_by_name() -> None:
    world = meddled(compiled())
    world.advance(BEFORE)
    world.acts = {"audit": put("count_goods", 1 << 31, part=3)}
    error = stopped(world)
    assert (error.code, error.path) == ("CONSERVATION_BROKEN", "member 0, invariant overflow")
    assert "a total would leave its range" in error.message


def test_more_fuel_than_can_be_counted_as_carbon_stops_the_run_by_name() -> None:
    world = meddled(compiled(ticks=WEEKS + 1))
    world.advance(WEEKS)
    put("carbon_due", 1 << 16, part=1)(world)
    assert stopped(world).path == "member 0, invariant overflow"


def test_births_without_room_stop_the_run_in_their_round() -> None:
    town = document(size=5000, regions=2, ticks=156, nations=1, more="people: {total_fertility: 10}\n")
    world = world_of(compile_civilisation(parse_scenario(town.replace("{size: 5000}", "{size: 5000, room: 0}"))))
    with pytest.raises(CivlabError) as caught:
        world.advance(world.ticks)
    assert (caught.value.code, caught.value.path) == ("WORLD_FULL", "member 0")
    tick = int(re.findall(r"tick (\d+)", caught.value.message)[0])
    assert "room for people" in caught.value.message
    assert tick % SLOW == SLOW - 1


def test_a_start_without_room_for_its_households_stops() -> None:
    section = "people: {households: {leave: 4, partner: 0}, total_fertility: 0.9}\n"
    town = document(size=20_000, regions=2, ticks=4, nations=1, more=section)
    world = world_of(compile_civilisation(parse_scenario(town.replace("{size: 20000}", "{size: 20000, room: 0}"))))
    with pytest.raises(CivlabError) as caught:
        world.advance()
    assert caught.value.code == "WORLD_FULL"
    assert "room for households" in caught.value.message


def test_a_flow_beyond_its_range_stops_the_run_before_it_can_wrap() -> None:
    world = meddled(compiled(regions=6))
    world.advance(BEFORE)
    world.acts = {"audit": put("flow_goods", layout.HIGHEST_FLOW + 1, row=2, part=5)}
    assert stopped(world).path == "member 0, invariant overflow"


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_region_with_more_citizens_than_its_flows_of_fuel_can_hold_is_refused(beyond: int) -> None:
    """At 250 GJ of fuel a citizen and year, 2^63 mJ a week are those of 1.8 million."""
    scenario = compiled(size=40_000_000, regions=6)
    extracted = int(scenario.lands["fuel_use"][0])
    largest = 2**63 // extracted + beyond
    assert 1_500_000 < largest < 2_500_000
    settled, of_member = np.array([5, largest, 7, 8]), np.array([0, 1, 1, 1])
    members = specs([compiled(), scenario])
    if not beyond:
        limit_regions(members, settled, of_member)
        return
    with pytest.raises(CivlabError, match=f"a region has {largest} citizens") as caught:
        limit_regions(members, settled, of_member)
    assert (caught.value.code, caught.value.path) == ("WORLD_TOO_LARGE", "population.size")
