"""Tables of what there is at the end: people by age, firms, households and what they hold, technology.

A million households would make tables that nobody reads, so `household` is an even sample; whatever is counted or added
up comes from all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from civlab.models.civilisation.history import NATION, REGION, nation_of_regions, places
from civlab.models.civilisation.layout import ADULT, AGES, EPOCH, GOODS, SKILLS, WEEKS
from civlab.results.declaration import Table, TableColumn
from civlab.results.inequality import gini, share_of_richest
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
    """A member's living citizens: household, region, age in years and traits, one element each."""

    household: NDArray[np.int64]
    region: NDArray[np.int64]
    age: NDArray[np.int64]
    traits: NDArray[np.int64]
    employed: NDArray[np.bool_]


def people(world: World, number: int) -> People:
    """Who lives in the member now."""
    household = world.member_column("household", number).astype("i8")
    alive = household > 0
    age = (world.tick - 1 + EPOCH - world.member_column("born", number).astype("i8")) // WEEKS
    return People(
        household[alive] - 1,
        regions_of(world, number, "citizen")[alive],
        age[alive],
        world.member_column("traits", number).astype("i8")[alive],
        (world.member_column("employer", number) > 0)[alive],
    )


def regions_of(world: World, number: int, kind: str) -> NDArray[np.int64]:
    """Region of each slot of citizens or households, counted within the member."""
    bounds = world.download(f"region_{kind}").reshape(-1, 2)[world.within("region", number)].astype("i8")
    return np.repeat(np.arange(len(bounds)), bounds[:, 1] - bounds[:, 0])


@dataclass(frozen=True)
class Households:
    """A member's households: number, region, deposit, smoothed weekly income, size, generation, minors, age of its
    eldest head, one element each."""

    number: NDArray[np.int64]
    region: NDArray[np.int64]
    deposit: NDArray[np.uint64]
    income: NDArray[np.uint64]
    size: NDArray[np.int64]
    generation: NDArray[np.int64]
    minors: NDArray[np.int64]
    age: NDArray[np.int64]


def households(world: World, number: int) -> Households:
    """The households of the member now."""
    size = world.member_column("size", number).astype("i8")
    alive = np.flatnonzero(size)
    who = people(world, number)
    heads, minors = np.zeros(len(size), "i8"), np.zeros(len(size), "i8")
    lead = who.traits & CHILD == 0
    np.maximum.at(heads, who.household[lead], who.age[lead])
    np.add.at(minors, who.household[who.age < ADULT], 1)
    return Households(
        alive,
        regions_of(world, number, "household")[alive],
        world.member_column("deposit", number)[alive],
        world.member_column("income", number)[alive],
        size[alive],
        world.member_column("generation", number).astype("i8")[alive],
        minors[alive],
        heads[alive],
    )


def demographic(world: World, number: int) -> Columns:
    """People by nation, sex and age."""
    who, of = people(world, number), nation_of_regions(world, number)
    nations = int(of.max()) + 1
    shape = (nations, len(SEXES), AGES)
    cell = np.ravel_multi_index((of[who.region], who.traits & WOMAN, np.minimum(who.age, AGES - 1)), shape)
    size = nations * len(SEXES) * AGES
    kinds = [
        np.ones(len(cell), bool),
        who.employed,
        who.traits // HEALTH % 4 >= ILL,
        who.traits & PARTNERED > 0,
        *(who.traits // SKILL % 4 == skill for skill in range(len(SKILLS))),
    ]
    return [*places(*shape), *(np.bincount(cell[kind], minlength=size) for kind in kinds)]


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
    found = households(world, number)
    step = -(-len(found.number) // SAMPLE)
    names = ("number", "region", "size", "minors", "generation", "age", "deposit", "income")
    chosen = [getattr(found, name)[::step] for name in names]
    return [*chosen, np.full(len(chosen[0]), step)]


def generation(world: World, number: int) -> Columns:
    """Households by nation, generation and age of their heads."""
    found, of = households(world, number), nation_of_regions(world, number)
    shape = (int(of.max()) + 1, 256, AGES // DECADES + 1)
    keys = np.ravel_multi_index((of[found.region], found.generation, np.minimum(found.age, AGES - 1) // DECADES), shape)
    order = np.argsort(keys, kind="stable")
    classes, first = np.unique(keys[order], return_index=True)
    nation, generations, decade = np.unravel_index(classes, shape)
    counted = (np.ones(len(keys), "i8"), found.size, found.deposit.astype("i8"), found.income.astype("i8"))
    return [nation, generations, DECADES * decade, *(np.add.reduceat(values[order], first) for values in counted)]


def lorenz(world: World, number: int) -> Columns:
    """What the poorest 0, 1, … 100 per cent of the households hold and earn."""
    found = households(world, number)
    counts = np.arange(PARTS + 1) * len(found.number) // PARTS
    columns: list[NDArray[Any]] = [np.arange(PARTS + 1), counts]
    for values in (found.deposit, found.income):
        ordered = np.sort(values)
        sums = np.concatenate([np.zeros(1, "u8"), np.cumsum(ordered)])[counts]
        columns += [sums.astype("i8"), np.append(np.uint64(0), ordered)[counts].astype("i8")]
    return columns


def inequality(world: World, number: int) -> Columns:
    """What needs all households or firms in order: one row."""
    found = households(world, number)
    deposits, incomes = np.sort(found.deposit), np.sort(found.income)
    heads = np.sort(found.income // found.size.astype("u8"))
    middle = (len(deposits) - 1) // 2
    staff = np.sort(world.member_column("staff", number).sum(axis=1))
    figures = (
        gini(deposits),
        gini(incomes),
        gini(heads),
        share_of_richest(deposits, 10),
        share_of_richest(incomes, 10),
        int(deposits[middle]),
        int(incomes[middle]),
        int(staff[-1]),
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
        meaning="one row a member, nation, sex and year of age, at the end",
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
        meaning=f"one row a member and household of an even sample of at most {SAMPLE:,}, at the end",
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
