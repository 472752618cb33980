"""What demography knows of a population under fixed rates, and what no round of people may break.

Outside truths: the published life expectancies and total fertility of the tables (data/README.md), the root of the
Euler-Lotka equation by SciPy's brentq, and the stationary population of a life table, which keeps its ages.
"""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from scipy.optimize import brentq

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile_people import (
    MEN,
    WOMEN,
    citizens_of_household,
    demography,
    fertility,
    founding,
    life_table,
    root,
    rounds_of_year,
    schedule,
)
from civlab.models.civilisation.phases_people import PEOPLE_PHASES
from civlab.runtime.arrays import Arrays
from civlab.runtime.backend import Backend
from parpour_contracts.scenario.civilisation.people import (
    Health,
    Households,
    Migration,
    PeopleSection,
    Schooling,
)

from .people_harness import MONEY, people_row, recounted, run_round, state, world_of_people

pytestmark = pytest.mark.long
kernel = pytest.mark.kernel
TABLES = ("united-states-1950", "united-states-2017")
PUBLISHED = {"united-states-1950": (65.63, 71.13, 3.0910), "united-states-2017": (75.97, 80.96, 1.7655)}
"""Life expectancy of men and of women, total fertility."""
SETTLED_PEOPLE = PeopleSection(migration=Migration(rate=Decimal(0)))
HARSH = PeopleSection(
    life_table="united-states-1950",
    mortality=Decimal(10),
    total_fertility=Decimal(5),
    households=Households(leave=Decimal(1), partner=Decimal("0.5"), endowment=Decimal(1)),
    migration=Migration(rate=Decimal(1)),
)
ROUNDS = layout.WEEKS // layout.SLOW
YEAR = range(ROUNDS)
CITIZEN = ("born", "household", "traits")


def net_reproduction(section: PeopleSection, growth: float = 1) -> float:
    """Daughters of a newborn girl, discounted by the growth of a round."""
    found, alive, daughters, rounds = demography(section), 1.0, 0.0, rounds_of_year(section)
    for number in range(1, rounds * layout.AGES):
        age = number // rounds
        daughters += growth**-number * alive * float(found.birth[age]) * float(1 - section.boys)
        alive *= 1 - float(found.death[WOMEN][age])
    return daughters


def stationary() -> PeopleSection:
    """A section whose net reproduction is one."""
    published = sum(schedule(SETTLED_PEOPLE.fertility), Decimal(0))
    total = Decimal(str(round(float(published) / net_reproduction(SETTLED_PEOPLE), 9)))
    return SETTLED_PEOPLE.model_copy(update={"total_fertility": total})


def citizens(arrays: Arrays) -> dict[str, np.ndarray]:
    """Columns of the living: born, traits, household and slot."""
    now = state(arrays, *CITIZEN)
    slot = np.flatnonzero(now["household"])
    return {"slot": slot, **{name: now[name][slot].astype("i8") for name in CITIZEN}}


def ages(arrays: Arrays, tick: int) -> np.ndarray:
    """Years of age of the living."""
    return np.asarray((tick + layout.EPOCH - citizens(arrays)["born"]) // layout.WEEKS)


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_published_life_expectancy_and_total_fertility(name: str) -> None:
    for sex in (MEN, WOMEN):
        alive, years = 1.0, 0.0
        for age, chance in enumerate(map(float, life_table(name)[sex])):
            years += alive * (1 - chance * (0.9 if age == 0 else 0.5))
            alive *= 1 - chance
        assert years == pytest.approx(PUBLISHED[name][sex], abs=0.01)
    assert float(sum(schedule(name))) == pytest.approx(PUBLISHED[name][2], abs=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_growth_is_the_root_of_the_euler_lotka_equation(name: str) -> None:
    section = PeopleSection.model_validate({"life_table": name, "fertility": name})
    found, girls = demography(section), float(1 - section.boys)

    def by_years(rate: float) -> float:
        alive, total = 1.0, 0.0
        for age, chance in enumerate(map(float, life_table(name)[WOMEN])):
            half = alive * (1 - chance / 2)
            total += math.exp(-rate * (age + 0.5)) * half * float(fertility(section)[age]) * girls
            alive *= 1 - chance
        return total - 1

    assert float(found.growth) == pytest.approx(
        brentq(lambda growth: net_reproduction(section, growth) - 1, 0.9, 1.1, xtol=1e-15), abs=1e-12
    )
    assert ROUNDS * math.log(float(found.growth)) == pytest.approx(brentq(by_years, -0.1, 0.1), abs=1e-4)


@pytest.mark.parametrize(
    ("hazard", "births", "first", "end"), [(0.01, 0.05, 15, 50), (0.02, 0.2, 18, 45), (0.04, 0.3, 20, 30)]
)
def test_growth_with_one_hazard_and_one_rate_of_births_is_that_of_the_closed_form(
    hazard: float, births: float, first: int, end: int
) -> None:
    """With a hazard m at all ages and daughters at rate b between the ages a and e, the integral of Euler and Lotka is
    b (exp(-(r + m) a) - exp(-(r + m) e)) / (r + m) = 1 (Keyfitz and Caswell, Applied Mathematical Demography)."""
    chance = Decimal(repr(round(1 - math.exp(-hazard), 12)))
    section = PeopleSection.model_validate(
        {
            "life_table": {"kind": "own", "ages": [{"age": 0, "women": chance, "men": chance}]},
            "fertility": {
                "kind": "own",
                "ages": [{"age": first, "births": Decimal(str(births))}, {"age": end, "births": Decimal(0)}],
            },
            "boys": Decimal("0.5"),
        }
    )

    def excess(rate: float) -> float:
        leaving = rate + hazard
        return births / 2 * (math.exp(-leaving * first) - math.exp(-leaving * end)) / leaving - 1

    growth = ROUNDS * math.log(float(demography(section).growth))
    assert growth == pytest.approx(brentq(excess, -0.05, 0.2), abs=2e-4)


@pytest.mark.parametrize(("value", "degree"), [(0, 13), (1, 13), (3**39 - 1, 13), (3**39, 13), (2**800 + 12345, 13)])
def test_whole_roots_are_exact(value: int, degree: int) -> None:
    assert root(value, degree) ** degree <= value < (root(value, degree) + 1) ** degree


@pytest.mark.parametrize("weeks", [1, 2, 4, 13])
def test_a_year_kills_bears_and_changes_as_many_in_rounds_of_any_length(weeks: int) -> None:
    section = PeopleSection.model_validate({"round": weeks})
    rounds, found, row = layout.WEEKS // weeks, demography(section), people_row(section)[0]
    for sex in (MEN, WOMEN):
        for table, chance in zip(life_table(section.life_table)[sex], found.death[sex], strict=True):
            assert float(1 - (1 - chance) ** rounds) == pytest.approx(float(table), abs=1e-15)
    assert [float(chance * rounds) for chance in found.birth] == pytest.approx([float(b) for b in fertility(section)])
    for field, rate in (("leave", 0.15), ("recover", 0.4)):
        assert 1 - (1 - int(row[field]) / 2**63) ** rounds == pytest.approx(1 - (1 - rate / 13) ** 13, abs=1e-12)
    assert 1 - (1 - int(row["worsen"][40]) / 2**63) ** rounds == pytest.approx(1 - (1 - 0.08 / 13) ** 13, abs=1e-12)
    assert int(row["move"][30]) / 2**63 * rounds == pytest.approx(0.05, abs=1e-15)
    assert rounds * math.log(float(found.growth)) == pytest.approx(
        13 * math.log(float(demography(PeopleSection()).growth)), abs=2e-5
    )


@kernel
@pytest.mark.parametrize("weeks", [1, 13])
def test_rounds_of_other_lengths_kill_and_bear_as_the_tables_say(weeks: int, backend: Backend) -> None:
    section = SETTLED_PEOPLE.model_copy(update={"round": weeks})
    arrays = world_of_people([50_000], section, backend=backend, room=1.2)
    found = demography(section)
    expected = np.zeros(2)
    seen = np.zeros(2)
    for number in range(2 * layout.WEEKS // weeks):
        now, age = citizens(arrays), np.minimum(ages(arrays, weeks * (number + 1) - 1), layout.AGES - 1)
        woman = now["traits"] & 1
        chances = np.array(found.death, "f8")
        expected += chances[woman, age].sum(), np.array(found.birth, "f8")[age[woman == 1]].sum()
        vital = run_round(arrays, number)
        seen += vital["deaths"].sum(), vital["births"].sum()
    assert np.abs(seen - expected).max() < 4 * math.sqrt(expected.max())
    assert (np.abs(seen - expected) < 4 * np.sqrt(expected)).all()


@kernel
def test_a_stationary_population_keeps_the_ages_of_its_life_table(backend: Backend) -> None:
    section = stationary()
    arrays = world_of_people([100_000], section, backend=backend, room=1.2)
    stable = np.array([[float(share) for share in of_sex] for of_sex in demography(section).stable]).sum(axis=0)
    expected = np.add.reduceat(stable, range(0, 100, 10))
    number, size = 0, []
    for years in (0, 10, 20):
        while number < years * ROUNDS:
            run_round(arrays, number)
            number += 1
        now = ages(arrays, number * layout.SLOW)
        share = np.bincount(np.minimum(now // 10, 9), minlength=10) / len(now)
        size.append(len(now))
        assert np.abs(share - expected).max() < 0.004, years
    assert float(demography(section).growth) == pytest.approx(1, abs=1e-9)
    assert abs(size[-1] / size[0] - 1) < 0.015


@kernel
def test_deaths_give_the_life_expectancy_of_the_table_and_births_its_fertility(backend: Backend) -> None:
    arrays = world_of_people([100_000], SETTLED_PEOPLE, backend=backend, room=1.2)
    lived, died = np.zeros((2, layout.AGES)), np.zeros((2, layout.AGES))
    births = girls = 0
    for number in range(10 * ROUNDS):
        tick = number * layout.SLOW + layout.SLOW - 1
        before = state(arrays, *CITIZEN)
        vital = run_round(arrays, number)
        after = state(arrays, *CITIZEN)
        slot = np.flatnonzero(before["household"])
        age = np.minimum((tick + layout.EPOCH - before["born"][slot].astype("i8")) // layout.WEEKS, layout.AGES - 1)
        woman = before["traits"][slot] & 1
        gone = (after["household"][slot] == 0) | (after["born"][slot] != before["born"][slot])
        np.add.at(lived, (woman, age), 1)
        np.add.at(died, (woman[gone], age[gone]), 1)
        newborn = np.flatnonzero((after["born"] == tick + layout.EPOCH) & (after["household"] > 0))
        assert len(newborn) == vital["births"].sum()
        assert gone.sum() == vital["deaths"].sum()
        girls += int((after["traits"][newborn] & 1).sum())
        births += len(newborn)
    for sex in (MEN, WOMEN):
        stays = (1 - died[sex] / np.maximum(lived[sex], 1)) ** ROUNDS
        alive = np.concatenate([[1], np.cumprod(stays)[:-1]])
        years = float((alive * (1 + stays) / 2)[:105].sum()) - 0.4 * (1 - stays[0])
        assert years == pytest.approx(PUBLISHED["united-states-2017"][sex], abs=0.6)
    boys = 1 - girls / births
    assert abs(boys - 0.512) < 4 * math.sqrt(0.25 / births)
    expected = sum(lived[WOMEN][age] * float(demography(SETTLED_PEOPLE).birth[age]) for age in range(layout.AGES))
    assert births == pytest.approx(expected, abs=4 * math.sqrt(expected))


def family_faults(arrays: Arrays, tick: int) -> list[str]:
    """What is wrong with households, links and jobs."""
    now, found = state(arrays), citizens(arrays)
    size = np.bincount(found["household"] - 1, minlength=len(now["size"]))
    heads = np.bincount(found["household"][found["traits"] & 64 == 0] - 1, minlength=len(size))
    pairs = np.bincount(found["household"][found["traits"] & 32 > 0] - 1, minlength=len(size))
    adults = np.bincount(
        found["household"][tick + layout.EPOCH - found["born"] >= layout.ADULT * layout.WEEKS] - 1, minlength=len(size)
    )
    employer = now["employer"][found["slot"]].astype("i8")
    jobs = np.zeros((len(now["staff"]) // 3, 3), "i8")
    np.add.at(jobs, (employer[employer > 0] - 1, (found["traits"] >> 1 & 3)[employer > 0]), 1)
    links = np.concatenate([now["origin_a"], now["origin_b"]]).astype("i8")
    own = np.tile(np.arange(1, len(size) + 1), 2)
    empty = now["size"] == 0
    scratch = ("event", "boarding", "queue", "mark", "elder", "fate", "heirs", "first_heir", "boarded", "workforce")
    return [
        name
        for name, right in {
            "size": (size == now["size"]).all(),
            "partners": set(pairs) <= {0, 2} and (pairs <= heads).all(),
            "heads": (heads <= 2).all() and ((heads == 2) == (pairs == 2)).all(),
            "headless": not ((heads == 0) & (adults > 0)).any(),
            "staff": (jobs.reshape(-1) == now["staff"]).all(),
            "dangling": (now["size"][links[links > 0] - 1] > 0).all(),
            "own link": (links[links > 0] != own[links > 0]).all(),
            "vacant household": not any(
                now[n][empty].any() for n in ("deposit", "income", "origin_a", "origin_b", "generation")
            ),
            "vacant citizen": not any(now[n][now["household"] == 0].any() for n in ("born", "traits", "employer")),
            "scratch": not any(now[name].any() for name in scratch),
            "digest": (recounted(arrays) == arrays.backend.download(arrays.column["column_digest"])).all(),
            "fault": not now["fault"].any(),
        }.items()
        if not right
    ]


@kernel
@pytest.mark.parametrize(
    "section",
    [
        PeopleSection(),
        HARSH,
    ],
)
def test_nobody_and_no_money_is_lost_in_rounds(section: PeopleSection, backend: Backend) -> None:
    arrays = world_of_people(
        [3000, 500, 800, 64, 1200, 300], section, backend=backend, room=3, nations=[0, 0, 0, 1, 1, 1]
    )
    assert family_faults(arrays, 0) == []
    before = state(arrays)
    for number in range(3 * ROUNDS):
        vital = {name: int(values.sum()) for name, values in run_round(arrays, number).items()}
        now = state(arrays)
        people, were = (int((columns["household"] > 0).sum()) for columns in (now, before))
        money, was = (int(c["deposit"].sum() + c["treasury"].sum()) for c in (now, before))
        assert family_faults(arrays, 4 * number + 3) == []
        assert people == were + vital["births"] - vital["deaths"]
        assert money == was
        assert vital["arrivals"] == vital["departures"]
        assert vital["estates"] == vital["inherited"] + vital["unclaimed"]
        assert int(now["treasury"].sum()) == int(before["treasury"].sum()) + vital["unclaimed"]
        before = now


@kernel
def test_an_estate_is_parted_to_the_unit_and_the_rest_goes_to_the_first_heir(backend: Backend) -> None:
    section = SETTLED_PEOPLE.model_copy(update={"mortality": Decimal(1)})
    arrays = world_of_people([400], section, backend=backend)
    columns = state(arrays)
    alone = next(
        h for h in np.flatnonzero(columns["size"] == 1) if (columns["origin_a"][h] | columns["origin_b"][h]) == 0
    )
    heirs = np.flatnonzero(columns["size"] >= 2)[[3, 9, 11]]
    for name in ("origin_a", "origin_b"):
        columns[name][columns[name] == alone + 1] = 0
    columns["origin_a"][heirs], columns["origin_b"][heirs] = alone + 1, 0
    people = people_row(section)
    record = people[0]
    record["death"][:] = 0
    record["birth"][:] = record["worsen"][:] = record["seek"][:] = 0
    record["recover"] = record["leave"] = 0
    slot = int(np.flatnonzero(columns["household"] == alone + 1)[0])
    columns["born"][slot] = layout.EPOCH - 105 * layout.WEEKS
    record["death"][:, :, 105] = 1 << 63
    record["befall"][:] = 1 << 63
    arrays.upload({"people": people, **{name: columns[name] for name in ("born", "origin_a", "origin_b")}})
    vital = run_round(arrays, 0)
    now = state(arrays)
    share, rest = divmod(MONEY, 3)
    assert rest == 1
    assert vital["estates"].sum() == vital["inherited"].sum() == MONEY
    assert (now["deposit"][heirs] - MONEY).tolist() == [share + rest, share, share]
    assert now["size"][alone] == now["deposit"][alone] == 0
    assert not now["origin_a"][heirs].any()


@kernel
def test_founders_live_as_their_rates_would_have_brought_them_together(backend: Backend) -> None:
    section = PeopleSection()
    arrays = world_of_people([60_000], section, backend=backend)
    found, now = citizens(arrays), state(arrays)
    age, woman, child = (layout.EPOCH - found["born"]) // 52, found["traits"] & 1, found["traits"] & 64 > 0
    assert (np.diff(found["household"]) >= 0).all()
    assert found["household"][-1] == (now["size"] > 0).sum()
    assert len(age) / found["household"][-1] == pytest.approx(float(citizens_of_household(section)), rel=0.01)
    mothers = np.zeros(len(now["size"]) + 1, "i8")
    mothers[found["household"][(woman == 1) & ~child]] = age[(woman == 1) & ~child]
    gap = mothers[found["household"][child]] - age[child]
    assert gap.min() >= 10
    assert gap.max() < 50
    expected = founding(section)
    for low in range(20, 90, 10):
        heads = (woman == 1) & ~child & (age >= low) & (age < low + 10)
        weights = [float(share) for share in expected.women[low : low + 10]]
        partnered = np.average([float(share) for share in expected.partnered[low : low + 10]], weights=weights)
        assert (found["traits"][heads] & 32 > 0).mean() == pytest.approx(partnered, abs=0.04)
    ill = (found["traits"] >> 3 & 3) == 2
    assert ill[age < 10].mean() < 0.002 < 0.02 < ill[(age >= 50) & (age < 65)].mean() < 0.08
    grown = age >= layout.ADULT
    skills = np.bincount(found["traits"][grown] >> 1 & 3, minlength=3) / grown.sum()
    assert skills == pytest.approx([0.4, 0.35, 0.25], abs=0.01)
    assert not (found["traits"][~grown & (age < 17)] >> 1 & 3).any()
    young = (now["size"] > 0) & ((now["origin_a"] | now["origin_b"]) > 0)
    assert 0.4 < young.sum() / (now["size"] > 0).sum() < 0.7


@kernel
def test_households_stay_as_founders_live_for_as_long_as_rates_do(backend: Backend) -> None:
    arrays = world_of_people([2000] * 20, stationary(), backend=backend, room=1.6)

    def measures() -> list[float]:
        size = state(arrays, "size")["size"]
        shares = np.bincount(size[size > 0], minlength=6)[1:6] / (size > 0).sum()
        return [*shares, (citizens(arrays)["traits"] & 32 > 0).mean()]

    before = measures()
    for number in range(20 * ROUNDS):
        run_round(arrays, number)
    assert measures() == pytest.approx(before, abs=0.03)


@pytest.mark.parametrize("fertile", ["0.1", "10"])
@pytest.mark.parametrize("mortal", ["0.1", "10"])
@pytest.mark.parametrize("leave", ["0.02", "4"])
def test_extreme_rates_have_a_root_and_whole_tables(fertile: str, mortal: str, leave: str) -> None:
    section = PeopleSection(
        total_fertility=Decimal(fertile), mortality=Decimal(mortal), households=Households(leave=Decimal(leave))
    )
    found, row = demography(section), people_row(section)[0]
    assert net_reproduction(section, float(found.growth)) == pytest.approx(1, abs=1e-9)
    assert (np.diff(row["founder"].astype(object)) >= 0).all()
    assert (np.diff(row["founder_health"].astype("i8"), axis=2) >= 0).all()
    assert int(row["founder"][-1]) == 2**64 - 1


@kernel
def test_everybody_has_left_school_with_a_skill_before_work(backend: Backend) -> None:
    section = PeopleSection(schooling=Schooling(basic=Decimal(0), trained=Decimal(0), expert=Decimal(1)))
    arrays = world_of_people([5000], section, backend=backend)
    for number in range(2 * ROUNDS):
        run_round(arrays, number)
        tick = layout.SLOW * (number + 1) - 1
        found = citizens(arrays)
        for later in range(layout.SLOW):
            grown = tick + later + layout.EPOCH - found["born"] >= layout.ADULT * layout.WEEKS
            assert (found["traits"][grown] >> 1 & 3 == 2).all()


def net_arrivals(backend: Backend, *, jobless: bool = False, **columns: list[int]) -> list[int]:
    """Net arrivals in two years by region, of three regions in a row that are alike but for these columns, and for
    nobody in the last having a job."""
    arrays = world_of_people([4000] * 3, PeopleSection(migration=OPEN), backend=backend, room=2, nations=[0, 1, 2])
    if jobless:
        now = state(arrays, "employer", "staff", "region_citizen", "cluster_begin")
        now["employer"][now["region_citizen"][4] :] = 0
        now["staff"][3 * now["cluster_begin"][2] :] = 0
        arrays.upload({name: now[name] for name in ("employer", "staff")})
    arrays.upload({name: np.array(values, arrays.column[name].dtype) for name, values in columns.items()})
    for number in range(2 * ROUNDS):
        run_round(arrays, number)
    moved = state(arrays, "moved")["moved"].reshape(-1, 2).astype("i8")
    return [int(number) for number in moved[:, 0] - moved[:, 1]]


OPEN = Migration(rate=Decimal("0.2"), abroad=Decimal(1), distance=Decimal(1))


@kernel
def test_households_move_to_wages_and_work_and_away_from_warming(backend: Backend) -> None:
    alike = max(map(abs, net_arrivals(backend)))
    richer = net_arrivals(backend, wage=[500, 500, 1000])
    assert richer[2] > 4 * alike
    assert richer[0] < -alike
    dearer = net_arrivals(backend, wage=[500, 500, 1000], level=[10_000, 10_000, 20_000])
    assert max(map(abs, dearer)) == alike
    hotter = net_arrivals(backend, warmth=[0, 0, 6 << 32])
    assert hotter[2] < -2 * alike
    assert hotter[0] > 0
    idle = net_arrivals(backend, jobless=True)
    assert idle[2] < -4 * alike
    assert idle[0] > alike


@kernel
def test_nobody_moves_at_rate_zero_and_borders_and_distance_hold_people_back(backend: Backend) -> None:
    moved = {}
    for name, migration in {
        "still": OPEN.model_copy(update={"rate": Decimal(0)}),
        "open": OPEN,
        "borders": OPEN.model_copy(update={"abroad": Decimal("0.1")}),
        "distance": OPEN.model_copy(update={"distance": Decimal("0.1")}),
    }.items():
        arrays = world_of_people(
            [4000, 4000], PeopleSection(migration=migration), backend=backend, room=2, nations=[0, 1]
        )
        for number in YEAR:
            run_round(arrays, number)
        moved[name] = int(state(arrays)["moved"].sum())
    assert moved["still"] == 0
    assert moved["open"] > 2 * moved["borders"] > 0
    assert moved["open"] > 2 * moved["distance"] > 0


@kernel
def test_members_of_a_batch_live_as_they_would_alone(backend: Backend) -> None:
    together = world_of_people([900, 300], backend=backend, members=2, room=2)
    alone = world_of_people([900, 300], backend=backend, room=2)
    for number in YEAR:
        run_round(together, number)
        run_round(alone, number)
    both, one = state(together), state(alone)
    for name in ("born", "household", "traits", "employer", "deposit", "origin_a", "size", "moved"):
        assert (both[name][: len(one[name])] == one[name]).all(), name
    half = len(both["born"]) // 2
    assert (both["born"][:half] != both["born"][half:]).any()


@kernel
@pytest.mark.parametrize(("fault", "room", "homes"), [("full_citizens", 1.0, 2.0), ("full_households", 2.0, 0.52)])
def test_a_region_without_a_vacant_slot_stops_the_run_by_name(
    fault: str, room: float, homes: float, backend: Backend
) -> None:
    section = PeopleSection(total_fertility=Decimal(4), households=Households(leave=Decimal(4), partner=Decimal(0)))
    arrays = world_of_people([1000], section, backend=backend, room=room, homes=homes)
    for number in range(4 * ROUNDS):
        run_round(arrays, number)
    cell = int(state(arrays)["fault"][0])
    assert layout.FAULTS[(cell & 0xFFFFFFFF) - 1] == fault


@kernel
def test_every_phase_changes_what_it_declares_and_nothing_else(backend: Backend) -> None:
    arrays = world_of_people([2000, 900, 1200], HARSH, backend=backend, room=3, nations=[0, 0, 1])
    changed: dict[str, set[str]] = {phase.name: set() for phase in PEOPLE_PHASES}
    before = state(arrays, *arrays.column)
    for number in range(2 * ROUNDS):
        for phase in PEOPLE_PHASES[3:]:
            arrays.run(phase.kernel, phase.over, layout.SLOW * (number + 1) - 1)
            backend.finish()
            after = state(arrays, *arrays.column)
            changed[phase.name] |= {name for name in after if (after[name] != before[name]).any()}
            before = after
    unseen = {"orphans": {"generation", "origin_a", "origin_b"}, "close": {"origin_b"}, "partners": {"queue"}}
    """Rare in so small a world; the queue of partners is empty again at its end."""
    for phase in PEOPLE_PHASES[3:]:
        declared = set(phase.writes) - {"fault"}
        assert changed[phase.name] <= declared, phase.name
        assert declared - changed[phase.name] <= unseen.get(phase.name, set()), phase.name


CHANGES = {
    "life_table": PeopleSection(life_table="united-states-1950"),
    "mortality": PeopleSection(mortality=Decimal("1.1")),
    "fertility": PeopleSection(fertility="united-states-1950"),
    "total_fertility": PeopleSection(total_fertility=Decimal(2)),
    "boys": PeopleSection(boys=Decimal("0.5")),
    **{f"health.{n}": PeopleSection(health=Health.model_validate({n: Decimal(3)})) for n in Health.model_fields},
    **{
        f"households.{n}": PeopleSection(households=Households.model_validate({n: v}))
        for n, v in {"leave": Decimal(1), "partner": Decimal(1), "gap": 3, "endowment": Decimal(1)}.items()
    },
    **{
        f"migration.{n}": PeopleSection(migration=Migration.model_validate({n: Decimal(1)}))
        for n in Migration.model_fields
    },
    "schooling": PeopleSection(schooling=Schooling(basic=Decimal(1), trained=Decimal(0), expert=Decimal(0))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_changes_what_kernels_read(name: str) -> None:
    assert people_row(CHANGES[name]).tobytes() != people_row(PeopleSection()).tobytes()


def test_shares_of_schooling_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="must sum to 1"):
        Schooling(basic=Decimal("0.5"))
