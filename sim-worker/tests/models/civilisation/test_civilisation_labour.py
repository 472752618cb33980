"""The market for work: matching is exact and fair, jobs and wages have two sides that agree."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from civlab.models.civilisation.layout import ADULT, EPOCH, FLOWS, VITALS, WEEKS
from civlab.models.civilisation.phases import PHASES
from civlab.runtime.world import World

from .civilisations import cell, column, compiled, meddled, world_of

pytestmark = pytest.mark.kernel

RESTLESS = "economy: {labour: {quit: 0.2, search: 1}}\n"
"""A fifth of all jobs end every week, and all who have none apply."""
UNLIKELY = 1e-6
RETIREMENT, ILL = 65, 2


def test_as_many_are_hired_as_the_short_side_has_in_every_region_and_skill() -> None:
    world = meddled(compiled(regions=12, ticks=12, more=RESTLESS))
    sides = set()

    def look(now: World) -> None:
        firms = column(now, "industry").shape[0]
        seekers, vacancies = column(now, "seeker").astype("i8"), column(now, "vacancy").astype("i8")
        joined, want, staff = (column(now, name).astype("i8") for name in ("joined", "want", "staff"))
        region = np.searchsorted(now.arrays.column["cluster_end"], np.arange(firms), side="right")
        hired, opened = np.zeros_like(seekers), np.zeros_like(seekers)
        np.add.at(hired, region, joined)
        np.add.at(opened, region, np.maximum(want - staff, 0))
        assert (opened == vacancies).all()
        assert (hired == np.minimum(seekers, vacancies)).all()
        assert (joined <= np.maximum(want - staff, 0)).all()
        assert int(column(now, "vital")[:, cell("hires", VITALS)].sum()) == int(hired.sum())
        sides.update(np.sign(seekers - vacancies).reshape(-1).tolist())

    world.acts = {"produce": look}
    world.advance(world.ticks)
    assert sides >= {-1, 1}


def test_all_who_may_work_and_have_no_job_apply_when_everybody_searches() -> None:
    world = meddled(compiled(ticks=6, more=RESTLESS))
    idle: list[np.ndarray] = []

    def before(now: World) -> None:
        traits, born = column(now, "traits")[:, 0], column(now, "born")[:, 0].astype("i8")
        weeks = now.tick + EPOCH - born
        able = (weeks >= ADULT * WEEKS) & (weeks < RETIREMENT * WEEKS) & ((traits >> 3 & 3) < ILL)
        idle.append(able & (column(now, "household")[:, 0] > 0) & (column(now, "employer")[:, 0] == 0))

    def after(now: World) -> None:
        skill = (column(now, "traits")[:, 0] >> 1 & 3) + 1
        assert (column(now, "seeking")[:, 0] == np.where(idle[-1], skill, 0)).all()
        assert idle[-1].any()

    world.acts = {"part": before, "rank": after}
    world.advance(world.ticks)
    assert len(idle) == world.ticks


def test_every_seeker_has_the_same_chance_and_every_vacancy_takes_any() -> None:
    """Chi-square of how often each was hired, and of who was hired by whom, at places drawn without replacement."""
    world = world_of(compiled(size=3000, regions=2, ticks=1200))
    skill, rounds = 1, 600
    tile = world.arrays.column
    region = int(tile["tile_region"][0])
    chosen = np.arange(tile["tile_begin"][0], tile["tile_begin"][0] + 240)
    firms = np.arange(tile["cluster_begin"][region], tile["cluster_end"][region])[:6]
    opened = np.array([1, 2, 5, 10, 22, 20])
    employer, staff = column(world, "employer")[:, 0], column(world, "staff")
    employer[:] = 0
    full = staff.copy()
    hires, pairs = np.zeros(len(chosen)), np.zeros((6, len(firms)))
    for world.tick in range(rounds):
        employer[chosen] = 0
        staff[:] = full
        column(world, "want")[:] = full
        column(world, "want")[firms, skill] += opened.astype("u4")
        column(world, "joined")[:] = 0
        column(world, "seeking")[chosen, 0] = skill + 1
        tile["tile_seekers"][skill] = len(chosen)
        for phase in PHASES:
            if phase.name in ("rank", "hire"):
                world.run_phase(phase)
        hired = np.flatnonzero(employer[chosen])
        assert np.bincount(employer[chosen][hired] - 1, minlength=firms[-1] + 1)[firms].tolist() == opened.tolist()
        hires[hired] += 1
        np.add.at(pairs, (hired * 6 // len(chosen), np.searchsorted(firms, employer[chosen][hired] - 1)), 1)
    share = opened.sum() / len(chosen)
    spread = ((hires - rounds * share) ** 2).sum() / (rounds * share * (1 - share)) * (1 - 1 / len(chosen))
    assert UNLIKELY < stats.chi2.cdf(spread, len(chosen) - 1) < 1 - UNLIKELY
    assert stats.chi2_contingency(pairs).pvalue > UNLIKELY


def test_every_wage_that_is_paid_is_received_and_every_job_has_its_holder() -> None:
    world = meddled(compiled(ticks=10))

    def look(now: World) -> None:
        flow = column(now, "flow").astype("i8").sum(axis=0)
        pay, staff = column(now, "pay").astype("i8"), column(now, "staff").astype("i8")
        employer, skill = column(now, "employer")[:, 0].astype("i8"), column(now, "traits")[:, 0] >> 1 & 3
        at = np.flatnonzero(employer)
        paid = int((pay * staff).sum())
        assert int(flow[cell("wages", FLOWS)]) == int(flow[cell("wages_received", FLOWS)]) == paid > 0
        assert int(pay[employer[at] - 1, skill[at]].sum()) == paid
        held = np.zeros_like(staff)
        np.add.at(held, (employer[at] - 1, skill[at]), 1)
        assert (held == staff).all()

    world.acts = {"record": look}
    world.advance(world.ticks)
