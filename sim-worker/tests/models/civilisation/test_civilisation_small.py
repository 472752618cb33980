"""Small worlds live: every firm begins with somebody, plans never round staff below the work, and sellers of energy see
what was bid in vain, so that no industry of few hands ends all others."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from civlab.models.civilisation.compile import CompiledCivilisation
from civlab.models.civilisation.layout import ADULT, EPOCH, GOODS, SKILLS, WEEKS
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario.civilisation.economy import BASE_PRICE

from .civilisations import column, compiled, meddled, world_of
from .economy_oracle_numbers import shared_out

pytestmark = pytest.mark.kernel

ENERGY = GOODS.index("energy")
RETIREMENT, ILL = 65, 2
QUANTUM = 1024
"""mJ."""


def able_by_skill(world: World) -> np.ndarray:
    """Citizens who may work at the start, [regions, skills]."""
    bounds = world.arrays.column["region_citizen"].reshape(-1, 2)
    traits, born = column(world, "traits")[:, 0], column(world, "born")[:, 0].astype("i8")
    weeks = EPOCH - born
    able = (column(world, "household")[:, 0] > 0) & (weeks >= ADULT * WEEKS) & (weeks < RETIREMENT * WEEKS)
    able &= (traits >> 3 & 3) < ILL
    skill = traits >> 1 & 3
    return np.array([[int((able & (skill == k))[a:b].sum()) for k in range(len(SKILLS))] for a, b in bounds])


def jobs_by_industry(employed: int, shares: list[int], firms: list[int]) -> list[int]:
    """By largest remainders; one job a firm at least, taken from the industries that have more."""
    if employed < sum(firms):
        return shared_out(employed, firms)
    jobs = shared_out(employed, shares)
    lack = sum(max(need - there, 0) for there, need in zip(jobs, firms, strict=True))
    taken = shared_out(lack, [max(there - need, 0) for there, need in zip(jobs, firms, strict=True)])
    return [max(there, need) - less for there, need, less in zip(jobs, firms, taken, strict=True)]


@pytest.mark.parametrize("citizens", [60, 130, 900])
def test_a_regions_jobs_are_its_industries_shares_with_one_for_each_firm(citizens: int) -> None:
    scenario = compiled(size=12 * max(citizens, 84), regions=12, more="  settlement: {minimum: 60}\n")
    world, record = world_of(scenario), scenario.record[0]
    ends = world.arrays.column["cluster_end"]
    industry, staff = column(world, "industry")[:, 0], column(world, "staff").astype("i8")
    region = np.searchsorted(ends, np.arange(len(industry)), side="right")
    for number, able in enumerate(able_by_skill(world)):
        here = region == number
        employed = [int(count) * int(record["employed"]) >> 32 for count in able]
        firms = [int((here & (industry == good)).sum()) for good in range(len(GOODS))]
        found = [int(staff[here & (industry == good)].sum()) for good in range(len(GOODS))]
        assert found == jobs_by_industry(sum(employed), record["employment"].tolist(), firms)
        assert staff[here].sum(axis=0).tolist() == employed
        assert sum(employed) < sum(firms) or staff[here].sum(axis=1).min() >= 1


def test_a_region_of_many_gives_each_industry_its_mix_of_skills() -> None:
    """Within one part in fifty of the account's mix; the people drawn differ from it by as much."""
    scenario = compiled(size=60_000, regions=2, nations=1)
    world, record = world_of(scenario), scenario.record[0]
    industry, staff = column(world, "industry")[:, 0], column(world, "staff").astype("i8")
    for good in range(len(GOODS)):
        there = staff[industry == good].sum(axis=0)
        assert there / there.sum() == pytest.approx(record["mix"][good].astype("f8") / 2**63, abs=0.02)


def test_firms_of_an_industry_begin_with_sizes_by_paretos_law() -> None:
    """Beyond the median the mean log less the median's is 1 / exponent, 0.943 by default; three standard errors."""
    world = world_of(compiled(size=80_000, regions=2, nations=1, more="economy: {firms: {number: 600}}\n"))
    settled = column(world, "region_settled")[:, 0]
    end = int(world.arrays.column["cluster_end"][0])
    here = slice(0, end) if settled[0] > settled[1] else slice(end, None)
    industry, staff = column(world, "industry")[here, 0], column(world, "staff")[here].sum(axis=1).astype("f8")
    beyond = staff[industry == GOODS.index("services")] - 1
    tail = np.log(beyond / np.median(beyond))[beyond > np.median(beyond)]
    assert len(tail) > 50
    assert tail.mean() == pytest.approx(0.943, abs=3 * 0.943 / len(tail) ** 0.5)
    assert tail.mean() > 0.75, "a lognormal law of the same spread has 0.75"


def test_the_staff_of_a_plan_is_enough_for_its_target_and_hardly_more() -> None:
    scenario = compiled(size=2400, regions=12, ticks=30)
    world, record = meddled(scenario), scenario.record[0]
    efficiency = record["efficiency"].astype("i8")

    def look(now: World) -> None:
        want, target = column(now, "want").astype("i8"), column(now, "target")[:, 0]
        industry = column(now, "industry")[:, 0]
        ends = now.arrays.column["cluster_end"]
        region = np.searchsorted(ends, np.arange(len(industry)), side="right")
        nation = column(now, "region_nation")[:, 0][region]
        left = column(now, "yield")[region, industry]
        assert (want[target == 0] == 0).all()
        for firm in np.flatnonzero(target):
            skilled = (
                int(record["productivity"][industry[firm]]) * int(column(now, "technology")[nation[firm], 0]) >> 32
            )
            hour = max(skilled * int(left[firm]) >> 31, 1)
            units = int((want[firm] * efficiency).sum()) * hour // 256
            assert units >= int(target[firm])
            most = Fraction(256 * int(target[firm]), hour * int(efficiency.min())) + 1 + len(SKILLS)
            assert want[firm].sum() <= most

    world.acts = {"lend": look}
    world.advance(20)


def call_with(inventory: int, bids: int) -> tuple[World, int, int]:
    """A world of one nation after its call: one seller has stores; another, which has none, and its expected sales."""
    world = meddled(compiled(size=1200, regions=2, nations=1, ticks=6))
    sellers = np.flatnonzero(column(world, "industry")[:, 0] == ENERGY)
    before = int(column(world, "sales")[sellers[1], 0])

    def act(now: World) -> None:
        for name in ("budget_households", "budget_public"):
            column(now, name)[:, ENERGY] = 0
        column(now, "bid")[:, 0] = 0
        column(now, "cash")[:, 0] = 2**50
        column(now, "bid")[0, 0] = bids
        column(now, "inventory")[sellers, 0] = 0
        column(now, "inventory")[sellers[0], 0] = inventory * QUANTUM
        column(now, "inventory")[sellers[1], 0] = QUANTUM - 1
        column(now, "price")[sellers, 0] = 1

    def stop(_: World) -> None:
        raise StopIteration

    world.acts = {"bid": act, "settle": stop}
    with pytest.raises(StopIteration):
        world.advance()
    return world, int(sellers[1]), before


def test_a_seller_with_less_than_a_quantum_expects_more_when_energy_is_bid_for_in_vain() -> None:
    """By a tenth, the default `learning`, of the way to four times what it expected."""
    world, seller, before = call_with(inventory=1000, bids=10**13)
    learning = int(world.members[0].scenario.record[0]["learning"])
    most = 4 * (before // QUANTUM + 1) * QUANTUM
    assert int(column(world, "sales")[seller, 0]) == before + ((most - before) * learning >> 32)


def test_a_seller_with_less_than_a_quantum_expects_no_less_when_nothing_is_bid_for_in_vain() -> None:
    world, seller, before = call_with(inventory=10**6, bids=1000)
    assert int(column(world, "sales")[seller, 0]) == before


def test_energy_bid_for_in_vain_is_unmet_at_the_price_at_which_it_was_wanted() -> None:
    """A firm bids for ten times the stores, whatever the price: all steps trade alike, so the lowest is the call's."""
    world, _, _ = call_with(inventory=10**9, bids=10**10)
    lot = int(world.members[0].scenario.record[0]["lot"][ENERGY])
    due = (10**10 - 10**9) * QUANTUM * (BASE_PRICE // 2) // lot
    assert int(column(world, "unspent")[:, ENERGY].astype("i8").sum()) == due


@pytest.mark.long
@pytest.mark.parametrize("citizens", [100, 200])
def test_worlds_of_few_citizens_a_region_do_not_collapse(citizens: int) -> None:
    """Each of them did within ten years when heads were rounded by skill and idle sellers lost heart."""
    members, regions, weeks = 8, 10, 208
    scenario = compiled(size=citizens * regions, regions=regions, ticks=weeks)
    assert survivors(scenario, members, weeks) == members


def survivors(scenario: CompiledCivilisation, members: int, weeks: int) -> int:
    """Members that make half as much a head in the last quarter as in the first, and employ 7 in 10, at least."""
    specs = [MemberSpec(number, number, scenario) for number in range(members)]
    world = World.create(MODEL, specs, seed=1, backend=Backend.cpu(1))
    world.advance(weeks)
    found = {name: values.astype("f8") for name, values in world.metrics(0, weeks).items()}
    made = found["product_real"] / found["citizens"]
    idle = found["unemployed"] / (found["employed"] + found["unemployed"])
    lives = (made[-13:].mean(axis=0) > made[:13].mean(axis=0) / 2) & (idle[-13:].mean(axis=0) < 0.3)
    return int(lives.sum())
