"""What crowds are made of, for tables and audits: citizens by region, age and class, and their households.

A crowd knows no person. Tables count its citizens by age as its kernels do, take jobs and partners to be as common in
every age that may have them, and its households to be alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.models.civilisation.generate import largest_remainder
from civlab.models.civilisation.layout import ADULT, AGES, CROWD_YEARS, EPOCH, HOMES, SKILLS, WEEKS
from civlab.models.civilisation.layout_people import HEALTHS
from civlab.runtime.world import World

LEARNT = len(SKILLS) + 1
MINOR, ILL = 0, 2
ADDED = ("size", "deposit", "income")


@dataclass(frozen=True)
class Crowds:
    """A member's crowds now, one row each.

    `citizens` are by age, sex, schooling (0 minors, else the skill plus one) and health, int64 [crowds, 111, 2, 4, 3];
    `staff` by skill, int64 [crowds, 3].
    """

    region: NDArray[np.int64]
    citizens: NDArray[np.int64]
    staff: NDArray[np.int64]
    households: NDArray[np.int64]
    couples: NDArray[np.int64]
    generations: NDArray[np.int64]
    deposit: NDArray[np.uint64]
    income: NDArray[np.uint64]


def crowds(world: World, number: int) -> Crowds:
    """The crowds of a member."""
    region = np.flatnonzero(world.member_column("zoomed", number))
    there = world.segment("crowd", number)[1] > 0
    rows = {
        name: world.member_column(name, number)[region] if there else np.zeros((0, width), dtype)
        for name, width, dtype in (
            ("crowd_people", CROWD_YEARS * 2 * LEARNT * HEALTHS, "u4"),
            ("crowd_homes", len(HOMES), "u8"),
            ("crowd_deposit", 1, "u8"),
            ("crowd_income", 1, "u8"),
        )
    }
    homes = rows["crowd_homes"].astype("i8")
    return Crowds(
        region,
        by_age(rows["crowd_people"].astype("i8").reshape(-1, CROWD_YEARS, 2, LEARNT, HEALTHS), world.tick - 1),
        staff_of_regions(world, number)[region],
        homes[:, HOMES.index("households")],
        homes[:, HOMES.index("couples")],
        homes[:, HOMES.index("generations")],
        rows["crowd_deposit"].reshape(-1),
        rows["crowd_income"].reshape(-1),
    )


def by_age(counts: NDArray[np.int64], tick: int) -> NDArray[np.int64]:
    """Counts by place of the ring, [crowds, 128, …], as counts by completed years of age, [crowds, 111, …]."""
    newest, weeks = divmod(tick + EPOCH, WEEKS)
    found = np.zeros((len(counts), AGES, *counts.shape[2:]), "i8")
    for back in range(CROWD_YEARS):
        here = counts[:, (newest - back) % CROWD_YEARS]
        older = here * (weeks + 1) // WEEKS
        if back == ADULT:
            older = np.where(np.arange(LEARNT)[:, None] == MINOR, 0, here)
        if back == 0:
            older = here
        found[:, min(back, AGES - 1)] += older
        found[:, min(max(back - 1, 0), AGES - 1)] += here - older
    return found


def staff_of_regions(world: World, number: int) -> NDArray[np.int64]:
    """Employees by region and skill, int64 [regions, 3]."""
    within = world.within("region", number)
    first = world.segment("firm", number)[0]
    begin = world.download("cluster_begin")[within].astype("i8") - first
    staff = world.member_column("staff", number).astype("i8")
    return np.add.reduceat(staff, begin, axis=0)


def demographic_of_crowds(world: World, number: int, nation: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the demographic table counts, of crowds only: int64 [nations, 2, 111, kinds], the kinds being citizens,
    employed, ill, partnered and the skills; `nation` is that of each region."""
    found = crowds(world, number)
    nations = int(nation.max()) + 1
    table = np.zeros((nations, 2, AGES, 4 + len(SKILLS)), "i8")
    for place in range(nations):
        here = nation[found.region] == place
        people = found.citizens[here].sum(axis=0).transpose(1, 0, 2, 3)
        cells = table[place]
        cells[..., 0] = people.sum(axis=(2, 3))
        cells[..., 2] = people[..., ILL].sum(axis=2)
        cells[..., 4:] = people[..., 1:, :].sum(axis=3)
        cells[..., 4] += people[..., MINOR, :].sum(axis=2)
        for skill, jobs in enumerate(found.staff[here].sum(axis=0)):
            able = people[..., skill + 1, :ILL].sum(axis=2) * (np.arange(AGES) < retirement(world, number))
            if jobs:
                cells[..., 1] += largest_remainder(int(jobs), able.reshape(-1)).reshape(2, AGES)
        adults = people[..., 1:, :].sum(axis=(2, 3))
        couples = int(found.couples[here].sum())
        for sex in range(2):
            if couples:
                cells[sex, :, 3] = largest_remainder(couples, adults[sex])
    return table


def retirement(world: World, number: int) -> int:
    """Years at which the member's citizens retire."""
    return int(world.members[number].scenario.record[0]["retirement"])


@dataclass(frozen=True)
class Homes:
    """The households of a member's crowds, which are taken to be alike: each has a whole part of what its crowd has,
    the first ones one more where that does not divide.

    `first` is the slot of a crowd's first household if it had one; `held` what its households have together, by name.
    """

    region: NDArray[np.int64]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    age: NDArray[np.int64]
    held: Mapping[str, NDArray[np.int64]]

    @property
    def total(self) -> int:
        """All of them."""
        return int(self.count.sum())

    def part(self, name: str, crowd: NDArray[np.int64], k: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the k-th households of some crowds have."""
        whole, rest = np.divmod(self.held[name][crowd], self.count[crowd])
        return np.asarray(whole + (k < rest))

    def where(self, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The crowds of households that are numbered side by side, and their places in them."""
        ends = np.cumsum(self.count)
        crowd = np.searchsorted(ends, places, side="right")
        return crowd, places - (ends - self.count)[crowd]

    def each(self, name: str) -> NDArray[np.uint64]:
        """What every household has, crowd by crowd."""
        return self.part(name, *self.where(np.arange(self.total))).astype("u8")

    def some(self, places: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Number, region, size, minors, generation, age of the head, deposit and income of the households at places."""
        crowd, k = self.where(places)
        size, minors, generation, deposit, income = (
            self.part(name, crowd, k) for name in ("size", "minors", "generation", "deposit", "income")
        )
        return [self.first[crowd] + k, self.region[crowd], size, minors, generation, self.age[crowd], deposit, income]

    def by_generation(self) -> Iterator[tuple[int, ...]]:
        """Region, generation, age of the head, households, citizens, deposits and income, by what they have alike."""
        for crowd, count in enumerate(self.count.tolist()):
            generation, later = divmod(int(self.held["generation"][crowd]), count) if count else (0, 0)
            for more, begin, end in ((1, 0, later), (0, later, count)):
                if begin < end:
                    sums = [self.among(name, crowd, end) - self.among(name, crowd, begin) for name in ADDED]
                    place = int(self.region[crowd]), generation + more, int(self.age[crowd])
                    yield (*place, end - begin, *sums)

    def among(self, name: str, crowd: int, first: int) -> int:
        """What a crowd's first households have together."""
        whole, rest = divmod(int(self.held[name][crowd]), int(self.count[crowd]))
        return first * whole + min(first, rest)


def homes_of_crowds(world: World, number: int) -> Homes:
    """The households of a member's crowds."""
    found = crowds(world, number)
    bounds = world.download("region_household").reshape(-1, 2)[world.within("region", number)].astype("i8")
    adults = found.citizens[:, ADULT:].sum(axis=(2, 3, 4))
    return Homes(
        found.region,
        bounds[found.region, 0] - world.segment("household", number)[0],
        found.households,
        (adults * np.arange(ADULT, AGES)).sum(axis=1) // np.maximum(adults.sum(axis=1), 1),
        {
            "size": found.citizens.sum(axis=(1, 2, 3, 4)),
            "minors": found.citizens[:, :ADULT].sum(axis=(1, 2, 3, 4)),
            "generation": found.generations,
            "deposit": found.deposit.astype("i8"),
            "income": found.income.astype("i8"),
        },
    )
