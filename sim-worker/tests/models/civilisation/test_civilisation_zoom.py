"""Zooming out and in conserves every total, and a crowd obeys the laws by which persons live.

Outside truths: what NumPy counts before and after a change, the published life expectancies and total fertility of the
tables (data/README.md), and the invariants.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from civlab.errors import CivlabError
from civlab.models.civilisation import layout
from civlab.models.civilisation.compile_people import MEN, WOMEN
from civlab.models.civilisation.crowds import crowds
from civlab.models.civilisation.invariants import invariants
from civlab.models.civilisation.model import MODEL
from civlab.models.civilisation.phases_people import PEOPLE_PHASES, PROOF
from civlab.models.civilisation.tables_end import demographic, generation, household, lorenz
from civlab.models.civilisation.zoom import switches
from civlab.runtime.arrays import Arrays
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario.civilisation.people import Households, Migration, PeopleSection
from parpour_contracts.scenario.civilisation.zoom import Zoom

from .civilisations import MeddledWorld, cell, column, compiled, meddled, world_of
from .people_harness import people_row, recounted, world_of_people
from .test_people_laws import PUBLISHED, ROUNDS, SETTLED_PEOPLE, family_faults
from .zooms import columns_of, differences, grown, totals

pytestmark = pytest.mark.kernel

ALL = "zoom: {changes: [{week: 0, to: aggregated}]}\n"
CHANGE = ("zoom", "unlink")
WORLDS = 300 if settings.get_current_profile_name() == "torture" else 12
HARSH = PeopleSection(
    life_table="united-states-1950",
    mortality=Decimal(10),
    total_fertility=Decimal(5),
    households=Households(leave=Decimal(1), partner=Decimal("0.5"), endowment=Decimal(1)),
    migration=Migration(rate=Decimal(1)),
)


def zoomed(*changes: str, **sizes: int) -> World:
    """A world with these changes of zoom."""
    return world_of(compiled(more=f"zoom: {{changes: [{', '.join(changes)}]}}\n", **sizes))


def changed(world: World) -> None:
    """Runs the part of the next tick that changes zooms."""
    for phase in world.model.phases:
        if phase.name in CHANGE:
            world.run_phase(phase)


def regions(world: World) -> int:
    """Regions of the first member."""
    return world.segment("region", 0)[1]


@pytest.mark.parametrize("week", [0, 3, 19, 35, 36, 90])
def test_a_region_that_is_aggregated_keeps_every_total_and_all_that_is_not_its_people(week: int) -> None:
    world = zoomed(f"{{week: {week}, to: aggregated, regions: {{kind: listed, regions: [1, 2, 4]}}}}", ticks=120)
    world.advance(week)
    before, held = columns_of(world.arrays), {c.name: world.download(c.name).copy() for c in MODEL.dynamic}
    changed(world)
    after = columns_of(world.arrays)
    assert after["zoomed"].tolist() == [0, 1, 1, 0, 1, 0]
    for region in range(regions(world)):
        assert differences(totals(before, region, week), totals(after, region, week)) == []
    of_people = {"born", "household", "employer", "traits", "deposit", "income", "size", "generation", "origin_a"}
    of_people |= {"origin_b", "zoomed", "crowd_people", "crowd_homes", "crowd_deposit", "crowd_income"}
    assert all((held[c.name] == world.download(c.name)).all() for c in MODEL.dynamic if c.name not in of_people)
    for name in ("born", "employer", "traits", "household"):
        for region in (1, 2, 4):
            assert not after[name][slice(*after["region_citizen"][2 * region : 2 * region + 2])].any()
    links = np.concatenate([world.download("origin_a"), world.download("origin_b")])
    assert (after["size"][links[links > 0] - 1] > 0).all()
    world.check()


@pytest.mark.parametrize("week", [4, 5, 36, 61, 88, 110])
def test_a_region_that_is_brought_back_keeps_every_total_and_fills_all_its_jobs(week: int) -> None:
    world = zoomed("{week: 3, to: aggregated}", f"{{week: {week}, to: persons}}", ticks=120)
    world.advance(week)
    before = columns_of(world.arrays)
    staff = column(world, "staff").copy()
    changed(world)
    after = columns_of(world.arrays)
    assert not after["zoomed"].any()
    assert not any(after[name].any() for name in after if name.startswith("crowd_"))
    for region in range(regions(world)):
        was, now = totals(before, region, week), totals(after, region, week)
        was["cells"], now["cells"] = (grown(found["cells"], week) for found in (was, now))
        assert differences(was, now) == []
    employer, skill = column(world, "employer")[:, 0].astype("i8"), column(world, "traits")[:, 0] >> 1 & 3
    jobs = np.zeros_like(staff)
    np.add.at(jobs, (employer[employer > 0] - 1, skill[employer > 0]), 1)
    assert (jobs == staff).all()
    world.check()
    for phase in world.model.phases:
        if phase.name not in CHANGE:
            world.run_phase(phase)
    world.tick += 1
    world.advance(world.ticks - world.tick)


def put_in_crowds(arrays: Arrays, *, away: int, back: int | None = None) -> None:
    """Plans that all regions of people alone become crowds in one week, and persons again in another."""
    weeks = [away, *([] if back is None else [back])]
    count = arrays.sizes["region"]
    arrays.sizes["switch"] = count * len(weeks)
    ends = len(weeks) * np.arange(1, count + 1)
    people = arrays.column["people"].copy().view(people_row(PeopleSection()).dtype)
    people["folds"], people["spread"] = 1, 1 << 32
    people["fold_week"][:, 0] = away
    arrays.upload(
        {
            "region_switch": np.stack([ends - len(weeks), ends], axis=1).reshape(-1).astype("u4"),
            "switch_week": np.tile(np.array(weeks, "u4"), count),
            "people": people,
        }
    )


def run_weeks(arrays: Arrays, begin: int, end: int) -> dict[str, int]:
    """Weeks of people alone; what they added up."""
    for tick in range(begin, end):
        for phase in PEOPLE_PHASES:
            arrays.run(phase.kernel, phase.over, tick)
    vital = arrays.column["vital"].reshape(-1, len(layout.VITALS)).sum(axis=0)
    arrays.put("vital", arrays.column["vital"] * 0)
    return dict(zip(layout.VITALS, vital.tolist(), strict=True))


@pytest.mark.parametrize("section", [PeopleSection(), HARSH])
@pytest.mark.parametrize("weeks", [1, 90, 900])
def test_households_that_a_crowd_becomes_are_sound_and_mothers_fit_their_children(
    section: PeopleSection, weeks: int
) -> None:
    arrays = world_of_people([3000, 500, 64, 1200], section, backend=Backend.cpu(1), room=3, nations=[0, 0, 1, 1])
    put_in_crowds(arrays, away=30, back=30 + weeks)
    run_weeks(arrays, 0, 30)
    money = int(arrays.column["deposit"].sum() + arrays.column["treasury"].sum())
    people = int((arrays.column["household"] > 0).sum())
    vital = run_weeks(arrays, 30, 30 + weeks)
    for phase in PEOPLE_PHASES[:3]:
        arrays.run(phase.kernel, phase.over, 30 + weeks)
    assert family_faults(arrays, 30 + weeks) == []
    now = columns_of(arrays)
    assert int((now["household"] > 0).sum()) == people + vital["births"] - vital["deaths"]
    assert int(now["deposit"].sum() + arrays.column["treasury"].sum()) == money
    alive = np.flatnonzero(now["household"])
    home, traits, born = (now[name][alive].astype("i8") for name in ("household", "traits", "born"))
    mother = np.zeros(len(now["size"]) + 1, "i8")
    heads = (traits & 65) == 1
    mother[home[heads]] = born[heads]
    child = traits & 64 > 0
    years = (born[child] - mother[home[child]])[mother[home[child]] > 0] / 52
    assert len(years) > 0.95 * child.sum()
    if section is not HARSH:
        assert ((years > 17) & (years < 43)).mean() > 0.99
    deposits = now["deposit"][now["size"] > 0] / now["size"][now["size"] > 0]
    assert 0.8 < np.log(deposits).std() < 1.2
    assert run_weeks(arrays, 31 + weeks, 39 + weeks)["arrivals"] >= 0
    assert family_faults(arrays, 38 + weeks) == []


def cohort(sex: int, **record: int) -> tuple[Arrays, dict[str, int], np.ndarray]:
    """A crowd into which 260,000 of a sex are born in the course of a year: what it lived through, and how many were
    alive before each round."""
    people = people_row(SETTLED_PEOPLE)
    for name, value in record.items():
        people[0][name] = value
    arrays = world_of_people([64], SETTLED_PEOPLE, backend=Backend.cpu(1))
    arrays.upload({"people": people})
    put_in_crowds(arrays, away=0)
    run_weeks(arrays, 0, 1)
    arrays.put("crowd_people", arrays.column["crowd_people"] * 0)
    arrays.put("vital", arrays.column["vital"] * 0)
    alive = []
    begin = 52 - layout.EPOCH % 52
    for tick in range(begin, begin + 52 * 112):
        arrays.run("civilisation_crowd", "cluster", tick)
        if tick % layout.SLOW == layout.SLOW - 1:
            counts = arrays.column["crowd_people"].reshape(layout.CROWD_YEARS, 2, 4, 3)
            if tick < begin + 52:
                counts[(tick + layout.EPOCH) // 52 % layout.CROWD_YEARS, sex, 0, 0] += 20_000
            alive.append(int(counts[:, sex].sum()))
    vital = arrays.column["vital"].reshape(-1, len(layout.VITALS)).sum(axis=0)
    return arrays, dict(zip(layout.VITALS, vital.tolist(), strict=True)), np.array(alive)


@pytest.mark.parametrize("sex", [MEN, WOMEN])
def test_a_crowd_lives_as_long_as_the_published_table_says(sex: int) -> None:
    _, vital, alive = cohort(sex, birth=0)
    assert alive[ROUNDS - 1] > 258_000
    assert alive[-1] < 100
    assert vital["deaths"] + alive[-1] == 260_000
    assert alive.sum() / ROUNDS / 260_000 == pytest.approx(PUBLISHED["united-states-2017"][sex], abs=0.15)


def test_a_crowd_has_as_many_children_as_the_published_table_says() -> None:
    arrays, vital, _ = cohort(WOMEN, death=0, boys=1 << 31)
    assert vital["births"] / 260_000 == pytest.approx(PUBLISHED["united-states-2017"][2], rel=0.002)
    counts = arrays.column["crowd_people"].reshape(layout.CROWD_YEARS, 2, 4, 3)
    assert int(counts[:, MEN].sum()) == vital["births"]
    learnt = counts[:, WOMEN].sum(axis=(0, 2)).astype("i8")
    assert learnt[0] == 0
    assert (learnt[1:] / 260_000).tolist() == pytest.approx([0.4, 0.35, 0.25], abs=0.001)


def test_the_eldest_of_a_crowd_stay_when_the_ring_of_years_is_full() -> None:
    _, vital, alive = cohort(MEN, death=0, birth=0)
    assert vital["deaths"] == 0
    assert set(alive[ROUNDS - 1 :]) == {260_000}


@st.composite
def schedules(draw: st.DrawFn) -> str:
    """Changes of zoom of a world of six regions and two nations within 40 weeks."""
    weeks = sorted(draw(st.lists(st.integers(0, 39), min_size=1, max_size=8)))
    kinds = st.one_of(
        st.just("{kind: all}"),
        st.sampled_from(["{kind: nation, nation: Nation 0}", "{kind: nation, nation: Last}"]),
        st.integers(0, 6).map("{{kind: largest, number: {}}}".format),
        st.integers(0, 6).map("{{kind: all-but-largest, number: {}}}".format),
        st.lists(st.integers(0, 5), min_size=1).map("{{kind: listed, regions: {}}}".format),
    )
    listed = [
        f"{{week: {week}, to: {draw(st.sampled_from(['aggregated', 'persons']))}, regions: {draw(kinds)}}}"
        for week in weeks
    ]
    spread = draw(st.sampled_from(["0", "1", "3"]))
    return f"zoom: {{spread: {spread}, changes: [{', '.join(listed)}]}}\n"


@pytest.mark.long
@settings(max_examples=WORLDS, deadline=None, suppress_health_check=list(HealthCheck))
@given(more=schedules(), seed=st.integers(0, 2**32), size=st.integers(1000, 2500))
def test_any_schedule_conserves_people_households_and_money_region_by_region(more: str, seed: int, size: int) -> None:
    world = world_of(compiled(more=more, size=size, ticks=44), seed=seed)
    for week in range(world.ticks):
        before = columns_of(world.arrays)
        for phase in world.model.phases:
            if phase.name == "crowd":
                after = columns_of(world.arrays)
                for region in range(regions(world)):
                    was, now = totals(before, region, week), totals(after, region, week)
                    if before["zoomed"][region] > after["zoomed"][region]:
                        was["cells"], now["cells"] = (grown(found["cells"], week) for found in (was, now))
                    assert differences(was, now) == []
            world.run_phase(phase)
        world.tick += 1
        assert MODEL.fault(world) is None
    world.check()
    assert not any(invariants(world, 0)[-1].reshape(-1))


BREAKS = {
    "a coin of a crowd": ("crowd_deposit", 0, 1, None, "money", 1, 0),
    "a coin that a crowd finds": ("crowd_deposit", 0, 1, "spend", "household_sheet", 1, 0),
    "a wage that nobody paid": ("crowd_earned", 0, 9, "budget", "household_sheet", 9, 1),
    "a citizen of a crowd from nowhere": ("crowd_people", 1200, 1, None, "population", 1, 0),
    "a citizen who is lost from the count": ("crowd_tally", 8, -1, "pay", "population", -1, 0),
    "a worker who is not counted": ("census", 3, -1, "audit", "labour", 1, 1),
    "a holder without a job": ("staff", 0, -1, "account", "labour", -1, 0),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_broken_in_a_crowd_stops_the_very_tick(name: str) -> None:
    broken, part, amount, before, invariant, residue, place = BREAKS[name]
    world = meddled(compiled(more=ALL, ticks=12))
    world.advance(6)

    def act(now: World) -> None:
        values = column(now, broken)
        values[0, part] = (int(values[0, part]) + amount) % (1 << 8 * values.itemsize)

    world.acts = {before or MODEL.phases[0].name: act}
    with pytest.raises(CivlabError) as caught:
        world.advance()
    assert caught.value.path == f"member 0, invariant {invariant}" + (f", place {place}" if place else "")
    assert caught.value.message.startswith(f"tick 6: {residue:+d} ")


def test_a_crowd_that_dies_out_leaves_its_money_to_the_treasury() -> None:
    world = meddled(compiled(more=ALL, ticks=12))
    world.advance(2)
    emptied(world)
    held = int(column(world, "crowd_deposit")[0, 0])
    seen = []
    world.acts = {"vitals": lambda now: seen.append(int(column(now, "crowd_deposit")[0, 0]))}
    with pytest.raises(CivlabError, match="population"):
        world.advance(2)
    assert held > 0
    assert seen[-1] == 0
    assert int(column(world, "vital")[0, cell("unclaimed", layout.VITALS)]) == 0


def emptied(world: MeddledWorld) -> None:
    """Takes all citizens and jobs of the first region away."""
    column(world, "crowd_people")[0] = 0
    begin, end = (int(world.arrays.column[name][0]) for name in ("cluster_begin", "cluster_end"))
    column(world, "staff")[begin:end] = 0


def test_tables_of_the_end_hold_everybody_in_either_zoom() -> None:
    world = zoomed("{week: 3, to: aggregated, regions: {kind: all-but-largest, number: 2}}", ticks=30)
    world.advance(world.ticks)
    last = {name: int(values[-1, 0]) for name, values in world.metrics(0, world.ticks).items() if values.ndim == 2}
    table = demographic(world, 0)
    assert [int(values.sum()) for values in table[3:5]] == [last["citizens"], last["employed"]]
    assert sum(int(values.sum()) for values in table[7:]) == last["citizens"]
    number, _, size, minors, generations, _, deposit, income, weight = household(world, 0)
    assert weight.tolist() == [2] * len(number)
    assert len(number) == -(-last["households"] // 2) == len(set(number.tolist()))
    assert int(size.astype("i8").sum()) == pytest.approx(last["citizens"] / 2, rel=0.1)
    assert (minors <= size).all()
    assert generations.max() < 3
    sums = [int(column(world, name).sum()) for name in ("deposit", "crowd_deposit", "income", "crowd_income")]
    table = generation(world, 0)
    held = [last["households"], last["citizens"], sums[0] + sums[1], sums[2] + sums[3]]
    assert [int(values.sum()) for values in table[3:]] == held
    assert int(deposit.sum()) == pytest.approx(held[2] / 2, rel=0.1)
    assert int(income.sum()) == pytest.approx(held[3] / 2, rel=0.1)
    table = lorenz(world, 0)
    assert [int(table[place][-1]) for place in (1, 2, 4)] == [held[0], held[2], held[3]]
    assert crowds(world, 0).region.tolist() == np.flatnonzero(column(world, "zoomed")).tolist()


def planned(*changes: dict[str, object]) -> list[list[int]]:
    """Weeks of change of four regions, of which the third is the largest and the last lies abroad."""
    zoom = Zoom.model_validate({"changes": changes})
    settled, nation = np.array([50, 70, 90, 70]), np.array([0, 0, 0, 1])
    return switches(zoom.changes, settled=settled, nation=nation, names=("Here", "Abroad"))


@pytest.mark.parametrize(
    ("changes", "weeks"),
    [
        ([], [[], [], [], []]),
        ([{"week": 4, "to": "persons"}], [[], [], [], []]),
        ([{"week": 4, "to": "aggregated"}], [[4], [4], [4], [4]]),
        (
            [
                {"week": 0, "to": "aggregated", "regions": {"kind": "all-but-largest", "number": 2}},
                {"week": 9, "to": "persons", "regions": {"kind": "nation", "nation": "Abroad"}},
                {"week": 9, "to": "aggregated", "regions": {"kind": "largest", "number": 1}},
            ],
            [[0], [], [9], [0, 9]],
        ),
        (
            [
                {"week": 7, "to": "aggregated"},
                {"week": 7, "to": "persons", "regions": {"kind": "listed", "regions": [1, 2]}},
            ],
            [[7], [], [], [7]],
        ),
    ],
)
def test_changes_that_change_nothing_are_left_out_and_the_later_of_a_week_holds(
    changes: Sequence[dict[str, object]], weeks: list[list[int]]
) -> None:
    assert planned(*changes) == weeks


def test_a_world_brought_back_without_room_stops_by_name() -> None:
    more = "zoom: {changes: [{week: 1, to: aggregated}, {week: 5, to: persons}]}\n"
    world = world_of(compiled(more=more, ticks=9))
    world.advance(3)
    column(world, "crowd_people")[0, 1200] += 100_000
    with pytest.raises(CivlabError):
        world.advance(3)
    assert "room for people" in MODEL.fault(stuck(more)).message  # type: ignore[union-attr]


def stuck(more: str) -> World:
    """A world that found no room when its crowds were to become persons."""
    world = world_of(compiled(more=more, ticks=9))
    world.advance(5)
    column(world, "crowd_people")[0, 1200] += 100_000
    changed(world)
    return world


def test_digests_of_people_alone_stay_true_in_crowds() -> None:
    arrays = world_of_people([900, 300], HARSH, backend=Backend.cpu(1), room=3)
    put_in_crowds(arrays, away=2, back=150)
    run_weeks(arrays, 0, 170)
    assert (recounted(arrays) == arrays.column["column_digest"]).all()


def test_the_phases_of_zoom_change_what_they_declare_and_nothing_else() -> None:
    arrays = world_of_people([2000, 900], HARSH, backend=Backend.cpu(1), room=3)
    put_in_crowds(arrays, away=20, back=175)
    watched = {phase.name: phase for phase in PEOPLE_PHASES[:3]}
    changed: dict[str, set[str]] = {name: set() for name in watched}
    for tick in range(180):
        for phase in PEOPLE_PHASES:
            before = {name: values.copy() for name, values in arrays.column.items()} if phase.name in watched else {}
            arrays.run(phase.kernel, phase.over, tick)
            if before:
                changed[phase.name] |= {n for n in before if not np.array_equal(before[n], arrays.column[n])}
    unseen = {
        "zoom": {"fault", "staff", "elder", "queue", "first_heir"},
        "unlink": {"origin_a", "origin_b", *PROOF},
        "crowd": {"crowd_deposit", "crowd_income"},
    }
    """No fault or job too many comes up, scratch is empty again, links go with their households, nobody dies out."""
    for name, phase in watched.items():
        assert changed[name] | unseen.get(name, set()) == set(phase.writes), name
        assert changed[name] <= set(phase.writes), name
