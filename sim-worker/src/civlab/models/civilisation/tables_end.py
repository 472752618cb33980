"""Tables of what there is at the end: people by age, firms, households and what they hold, technology.

A million households would make tables that nobody reads, so `household` is an even sample; whatever is counted or added
up comes from all of them, some slots at a time: a list of everyone would take more memory than the world itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.crowds import demographic_of_crowds, homes_of_crowds
from civlab.models.civilisation.history import NATION, REGION, nation_of_regions, places
from civlab.models.civilisation.layout import ADULT, AGES, EPOCH, GOODS, SKILLS, WEEKS
from civlab.results.declaration import Table, TableColumn
from civlab.results.inequality import gini, parts, share_of_richest, sums_between
from civlab.runtime.world import World

Columns = Sequence[NDArray[Any]]
SAMPLE = 2500
"""Most households of a member's sample."""
PARTS = 100
"""Steps of the Lorenz curve."""
DECADES = 10
"""Years of a class of ages."""
SEXES = ("man", "woman")
WOMAN, SKILL, HEALTH, PARTNERED, CHILD = 1, 2, 8, 32, 64
"""Weights of the parts of a citizen's traits."""
ILL = 2


@dataclass(frozen=True)
class People:
    """Some of a member's citizens who live one by one: household, region, age in years and traits, one element each."""

    household: NDArray[np.int64]
    region: NDArray[np.int64]
    age: NDArray[np.int64]
    traits: NDArray[np.int64]
    employed: NDArray[np.bool_]


def people(world: World, number: int) -> Iterator[People]:
    """Who lives in the member now, the citizens of some slots at a time."""
    columns = [world.member_column(name, number) for name in ("household", "born", "traits", "employer")]
    ends = ends_of_regions(world, number, "citizen")
    for part in parts(len(columns[0])):
        alive = np.flatnonzero(columns[0][part])
        household, born, traits, employer = (column[part][alive].astype("i8") for column in columns)
        yield People(
            household - 1,
            np.searchsorted(ends, part.start + alive, side="right"),
            (world.tick - 1 + EPOCH - born) // WEEKS,
            traits,
            employer > 0,
        )


def ends_of_regions(world: World, number: int, kind: str) -> NDArray[np.int64]:
    """Where the slots of citizens or households of each region end, counted within the member."""
    bounds = world.download(f"region_{kind}").reshape(-1, 2)[world.within("region", number)].astype("i8")
    return np.cumsum(bounds[:, 1] - bounds[:, 0])


def at_home(world: World, number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """By slot of a household: age of its eldest head in years, and how many minors live in it."""
    slots = world.segment("household", number)[1]
    heads, minors = np.zeros(slots, "u1"), np.zeros(slots, "u1")
    for who in people(world, number):
        lead = who.traits & CHILD == 0
        np.maximum.at(heads, who.household[lead], who.age[lead].astype("u1"))
        np.add.at(minors, who.household[who.age < ADULT], np.uint8(1))
    return heads, minors


def in_order(world: World, number: int, name: str, *, by_head: bool = False) -> NDArray[np.uint64]:
    """A column of the households that there are now, ascending, those of crowds among them; `by_head` divides it by
    their citizens."""
    size = world.member_column("size", number)
    living, homes = size > 0, homes_of_crowds(world, number)
    values: NDArray[np.uint64] = np.concatenate([world.member_column(name, number)[living], homes.each(name)])
    if by_head:
        values //= np.concatenate([size[living].astype("u8"), homes.each("size")])
    values.sort()
    return values


def demographic(world: World, number: int) -> Columns:
    """People by nation, sex and age."""
    of = nation_of_regions(world, number)
    shape = (int(of.max()) + 1, len(SEXES), AGES)
    counts = np.zeros((4 + len(SKILLS), math.prod(shape)), "i8")
    for who in people(world, number):
        cell = np.ravel_multi_index((of[who.region], who.traits & WOMAN, np.minimum(who.age, AGES - 1)), shape)
        kinds = [
            np.ones(len(cell), bool),
            who.employed,
            who.traits // HEALTH % 4 >= ILL,
            who.traits & PARTNERED > 0,
            *(who.traits // SKILL % 4 == skill for skill in range(len(SKILLS))),
        ]
        counts += [np.bincount(cell[kind], minlength=counts.shape[1]) for kind in kinds]
    counts += demographic_of_crowds(world, number, of).reshape(counts.shape[1], -1).T
    return [*places(*shape), *counts]


def firm(world: World, number: int) -> Columns:
    """Firms."""
    counts = world.download("cluster_end").astype("i8") - world.download("cluster_begin")
    of = np.repeat(np.arange(world.segment("region", number)[1]), counts[world.within("region", number)])
    columns = [world.member_column(name, number) for name in ("industry", "bank")]
    staff = world.member_column("staff", number).sum(axis=1)
    names = ("price", "sales", "capital", "cash", "loan", "inventory", "embodied")
    return [np.arange(len(of)), of, *columns, staff, *(world.member_column(name, number) for name in names)]


def household(world: World, number: int) -> Columns:
    """An even sample of the households."""
    heads, minors = at_home(world, number)
    size, homes = world.member_column("size", number), homes_of_crowds(world, number)
    alive = np.flatnonzero(size)
    step = -(-(len(alive) + homes.total) // SAMPLE)
    places_chosen = np.arange(0, len(alive) + homes.total, step)
    chosen, in_crowds = alive[places_chosen[places_chosen < len(alive)]], places_chosen[places_chosen >= len(alive)]
    region = np.searchsorted(ends_of_regions(world, number, "household"), chosen, side="right")
    generation, *money = (world.member_column(name, number)[chosen] for name in ("generation", "deposit", "income"))
    columns = (chosen, region, size[chosen], minors[chosen], generation, heads[chosen], *money)
    more = homes.some(in_crowds - len(alive))
    return [*map(np.concatenate, zip(columns, more, strict=True)), np.full(len(places_chosen), step)]


def generation(world: World, number: int) -> Columns:
    """Households by nation, generation and age of their heads."""
    heads, _ = at_home(world, number)
    of, ends = nation_of_regions(world, number), ends_of_regions(world, number, "household")
    columns = [world.member_column(name, number) for name in ("generation", "size", "deposit", "income")]
    shape = (int(of.max()) + 1, 256, AGES // DECADES + 1)
    sums = np.zeros((4, math.prod(shape)), "i8")
    for part in parts(len(heads)):
        alive = np.flatnonzero(columns[1][part])
        generations, *added = (column[part][alive].astype("i8") for column in columns)
        nation = of[np.searchsorted(ends, part.start + alive, side="right")]
        decade = np.minimum(heads[part][alive], AGES - 1) // DECADES
        cell = np.ravel_multi_index((nation, generations, decade), shape)
        for total, values in zip(sums, (np.ones(len(cell), "i8"), *added), strict=True):
            np.add.at(total, cell, values)
    for region, cell_generation, age, *counted in homes_of_crowds(world, number).by_generation():
        cell = np.ravel_multi_index((of[region], cell_generation, min(age, AGES - 1) // DECADES), shape)
        sums[:, cell] += counted
    classes = np.flatnonzero(sums[0])
    nation, generations, decade = np.unravel_index(classes, shape)
    return [nation, generations, DECADES * decade, *sums[:, classes]]


def lorenz(world: World, number: int) -> Columns:
    """What the poorest 0, 1, … 100 per cent of the households hold and earn."""
    columns: list[NDArray[Any]] = []
    for name in ("deposit", "income"):
        ordered = in_order(world, number, name)
        counts = np.arange(PARTS + 1) * len(ordered) // PARTS
        columns = columns or [np.arange(PARTS + 1), counts]
        greatest = np.where(counts > 0, ordered[counts - 1], 0)
        columns += [np.append(0, np.cumsum(sums_between(ordered, counts))), greatest.astype("i8")]
    return columns


def inequality(world: World, number: int) -> Columns:
    """What needs all households or firms in order: one row."""
    deposits = in_order(world, number, "deposit")
    middle = (len(deposits) - 1) // 2
    of_deposits = gini(deposits), share_of_richest(deposits, 10), int(deposits[middle])
    del deposits
    incomes = in_order(world, number, "income")
    of_incomes = gini(incomes), share_of_richest(incomes, 10), int(incomes[middle])
    del incomes
    figures = (
        of_deposits[0],
        of_incomes[0],
        gini(in_order(world, number, "income", by_head=True)),
        of_deposits[1],
        of_incomes[1],
        of_deposits[2],
        of_incomes[2],
        int(world.member_column("staff", number).sum(axis=1).max()),
    )
    return [np.array([figure]) for figure in figures]


def technology(world: World, number: int) -> Columns:
    """What goes into a lot of each good."""
    record = world.members[number].scenario.record[0]
    industry, good = places(len(GOODS), len(GOODS))
    return [
        industry,
        good,
        record["lot"][industry],
        record["lot"][good],
        record["technology"].reshape(-1),
        record["intensity"][industry],
        record["intensity"][good],
        record["renewable"][industry],
        record["extraction"][industry],
    ]


MEASURES = (
    TableColumn("gini", pa.int64(), "millionths", "Gini coefficient of the households' deposits"),
    TableColumn("income_gini", pa.int64(), "millionths", "Gini coefficient of their incomes after income tax"),
    TableColumn("head_gini", pa.int64(), "millionths", "Gini coefficient of their incomes by citizen"),
    TableColumn("top_tenth", pa.int64(), "millionths", "share of all deposits that the richest tenth holds"),
    TableColumn("income_top_tenth", pa.int64(), "millionths", "share of all incomes that the best-paid tenth has"),
    TableColumn("median", pa.int64(), "money", "median deposit, the lower of two"),
    TableColumn("income_median", pa.int64(), "money", "median income of a week, the lower of two"),
    TableColumn("largest_firm", pa.int64(), "citizens", "employees of the largest firm"),
)
INDUSTRY = TableColumn("industry", pa.string(), "", "the industry, by the good that it makes", GOODS)
TABLES = (
    Table(
        "demographic",
        (
            NATION,
            TableColumn("sex", pa.string(), "", "woman or man", SEXES),
            TableColumn("age", pa.uint8(), "years", f"completed years of age; {AGES - 1} and more are one"),
            TableColumn("citizens", pa.int64(), "citizens", "citizens"),
            TableColumn("employed", pa.int64(), "citizens", "of them with a job"),
            TableColumn("ill", pa.int64(), "citizens", "of them too ill to work"),
            TableColumn("partnered", pa.int64(), "citizens", "of them with a partner"),
            *(TableColumn(skill, pa.int64(), "citizens", f"of them of {skill} skill") for skill in SKILLS),
        ),
        rows=demographic,
        most_rows=lambda scenario: len(scenario.world.nations) * len(SEXES) * AGES,
        meaning="one row a member, nation, sex and year of age, at the end; in an aggregated region jobs and partners "
        "are spread evenly over the ages that may have them",
    ),
    Table(
        "firm",
        (
            TableColumn("firm", pa.uint32(), "", "firm, counted from 0: region by region, industry by industry"),
            REGION,
            INDUSTRY,
            TableColumn("bank", pa.uint16(), "", "its bank"),
            TableColumn("staff", pa.int64(), "citizens", "employees"),
            TableColumn("price", pa.int64(), "money a lot", "posted price before sales tax"),
            TableColumn("sales", pa.int64(), "units", "weekly demand that it expects"),
            TableColumn("capital", pa.int64(), "base money", "fixed capital at base prices"),
            TableColumn("cash", pa.int64(), "money", "what it holds"),
            TableColumn("loan", pa.int64(), "money", "what it owes"),
            TableColumn("inventory", pa.int64(), "units", "unsold output"),
            TableColumn("embodied", pa.int64(), "J", "primary energy embodied in the unsold output"),
        ),
        rows=firm,
        most_rows=lambda scenario: scenario.firms,
        meaning="one row a member and firm, at the end",
    ),
    Table(
        "household",
        (
            TableColumn("household", pa.uint32(), "", "slot of the household within the member"),
            REGION,
            TableColumn("size", pa.uint8(), "citizens", "citizens of the household"),
            TableColumn("minors", pa.uint8(), "citizens", f"of them below {ADULT} years"),
            TableColumn("generation", pa.uint8(), "", "generations since the founders"),
            TableColumn("age", pa.uint8(), "years", "age of its eldest head"),
            TableColumn("deposit", pa.int64(), "money", "what it holds"),
            TableColumn("income", pa.int64(), "money", "smoothed weekly income after income tax"),
            TableColumn("weight", pa.uint32(), "households", "households for which this one stands"),
        ),
        rows=household,
        most_rows=lambda _scenario: SAMPLE,
        meaning=f"one row a member and household of an even sample of at most {SAMPLE:,}, at the end; those of an "
        "aggregated region are taken to be alike",
    ),
    Table(
        "generation",
        (
            NATION,
            TableColumn("generation", pa.uint8(), "", "generations since the founders"),
            TableColumn("age_from", pa.uint8(), "years", f"least age of the heads; a class has {DECADES} years"),
            TableColumn("households", pa.int64(), "households", "households"),
            TableColumn("citizens", pa.int64(), "citizens", "their citizens"),
            TableColumn("deposits", pa.int64(), "money", "what they hold together"),
            TableColumn("income", pa.int64(), "money", "their income of a week after income tax"),
        ),
        rows=generation,
        most_rows=lambda scenario: len(scenario.world.nations) * 256,
        meaning="one row a member, nation, generation and class of ages that has households, at the end",
    ),
    Table(
        "lorenz",
        (
            TableColumn("percent", pa.uint8(), "%", "the poorest so many per cent of the households, at the end"),
            TableColumn("households", pa.int64(), "households", "how many they are"),
            TableColumn("deposits", pa.int64(), "money", "what those with the least deposits hold together"),
            TableColumn("deposit", pa.int64(), "money", "the greatest deposit among them"),
            TableColumn("incomes", pa.int64(), "money", "what those with the least incomes earn a week together"),
            TableColumn("income", pa.int64(), "money", "the greatest income among them"),
        ),
        rows=lorenz,
        most_rows=lambda _scenario: PARTS + 1,
        meaning="one row a member and per cent of its households, from the poorest: Lorenz curves at the end",
    ),
    Table(
        "inequality",
        MEASURES,
        rows=inequality,
        meaning="one row a member: what needs the households or firms in order, at the end",
    ),
    Table(
        "technology",
        (
            INDUSTRY,
            TableColumn("input", pa.string(), "", "a good that goes in", GOODS),
            TableColumn("lot", pa.int64(), "units", "units of the industry's good in a lot"),
            TableColumn("input_lot", pa.int64(), "units", "units of the input in a lot"),
            TableColumn("units", pa.int64(), "units", "units of the input for a lot of the good"),
            TableColumn("intensity", pa.int64(), "J", "primary energy embodied in a lot of the good at the start"),
            TableColumn("input_intensity", pa.int64(), "J", "primary energy embodied in a lot of the input, likewise"),
            TableColumn("renewable", pa.int64(), "mJ", "energy gained from renewable sources for a lot of the good"),
            TableColumn("extraction", pa.int64(), "mJ", "fuel taken from the ground for a lot of the good"),
        ),
        rows=technology,
        most_rows=lambda _scenario: len(GOODS) ** 2,
        meaning="one row a member, industry and input: what goes into a lot, and the energy embodied in it",
    ),
)
