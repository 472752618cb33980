"""Compiles the demographic section into chances of a round and into the tables from which founders are drawn.

Founders come from the stable population of exactly the round-by-round process that the kernels run, so that a run
does not begin with a wave that its own rates would not make. All is decimals of forty digits and integers.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from functools import cache, lru_cache
from importlib.resources import files
from itertools import accumulate

import numpy as np

from civlab.models.civilisation.layout import ADULT, AGES, WEEKS
from civlab.models.civilisation.layout_people import DISTANCES, HEALTHS, HOME
from parpour_contracts.scenario.civilisation.people import OwnFertility, OwnLifeTable, PeopleSection

DIGITS = Context(prec=40)
Q63, Q64, Q31, Q30, Q32 = 1 << 63, 1 << 64, 1 << 31, 1 << 30, 1 << 32
FOUR_WEEKS = 4
"""Rates a year are chances of four weeks, 13 to the year, first; those of another round follow by compounding."""
WOMEN, MEN = 1, 0
SEEK_FULL, SEEK_END = 50, 80
MOVE_FULL, MOVE_LEAST = 35, 65
MATCHED = Decimal("0.9")
"""Share of seekers among founders' past that found somebody; it only shapes the start."""
OLDER = tuple((gap, Decimal(min(gap + 2, 6 - gap) + 1) / 25) for gap in range(-2, 7))
"""Years that founding husbands are older, and their weights: two draws of 0 … 4 years, less two."""

Row = Sequence[Decimal]


@dataclass(frozen=True)
class Demography:
    """What a section means, by year of age; chances a round unless they say otherwise.

    `death[sex][age]` is the mean over health, `stable[sex][age]` the share of all citizens, `growth` the factor by
    which a stable population grows in a round.
    """

    death: tuple[tuple[Decimal, ...], tuple[Decimal, ...]]
    birth: tuple[Decimal, ...]
    growth: Decimal
    stable: tuple[tuple[Decimal, ...], tuple[Decimal, ...]]


def rows(name: str) -> list[list[str]]:
    """The rows of a data file without its heading."""
    text = (files("civlab.models.civilisation") / "data" / name).read_text("utf-8")
    return list(csv.reader(text.splitlines()))[1:]


def steps(ages: Sequence[tuple[int, Decimal]]) -> tuple[Decimal, ...]:
    """A value for each year of age from steps by first age; nothing before the first."""
    found = [Decimal(0)] * AGES
    for first, value in ages:
        found[first:] = [value] * (AGES - first)
    return tuple(found)


@cache
def life_table(table: str | OwnLifeTable) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
    """Chance of death within a year of men and of women by age; the last age is open."""
    if isinstance(table, OwnLifeTable):
        return steps([(step.age, step.men) for step in table.ages]), steps(
            [(step.age, step.women) for step in table.ages]
        )
    lines = rows(f"life_table_{table.replace('-', '_')}.csv")
    return tuple(Decimal(row[2]) for row in lines), tuple(Decimal(row[1]) for row in lines)


@cache
def schedule(table: str | OwnFertility) -> tuple[Decimal, ...]:
    """Births of a woman in a year by age."""
    if isinstance(table, OwnFertility):
        return steps([(step.age, step.births) for step in table.ages])
    found = [Decimal(0)] * AGES
    for first, last, births in rows(f"fertility_{table.replace('-', '_')}.csv"):
        for age in range(int(first), int(last) + 1):
            found[age] = Decimal(births) / 1000
    return tuple(found)


def fertility(section: PeopleSection) -> tuple[Decimal, ...]:
    """Births of a woman in a year by age, scaled to the total that the section asks for."""
    given = schedule(section.fertility)
    if section.total_fertility is None:
        return given
    total = sum(given, Decimal(0))
    return tuple(DIGITS.divide(DIGITS.multiply(births, section.total_fertility), total) for births in given)


def root(value: int, degree: int) -> int:
    """The greatest integer whose `degree`-th power is at most `value`, by Newton's method from above."""
    if value <= 0:
        return 0
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def rounds_of_year(section: PeopleSection) -> int:
    """Rounds of a year."""
    return WEEKS // section.round


def of_round(chance: Decimal, rounds: int) -> Decimal:
    """The chance of one of so many rounds that comes to this chance in a year: 1 - (1 - q)^(1/rounds), to 63 bits."""
    survives = 1 - min(Fraction(chance), Fraction(1))
    scaled = survives.numerator * Q63**rounds // survives.denominator
    return Decimal(Q63 - root(scaled, rounds)) / Q63


def compounded(rate: Decimal, section: PeopleSection) -> Decimal:
    """The chance of a round of what ends a state, such as an illness: p = rate / 13 in 4 weeks, 1 - (1 - p)^(n/4) in n.

    So as many have left the state after a year whatever the round. What may befall again and again (births, thoughts of
    a move) is shared out evenly over the rounds of a year instead, which keeps how often it does.
    """
    chance = min(rate / (WEEKS // FOUR_WEEKS), Decimal(1))
    if section.round == FOUR_WEEKS:
        return chance
    return 1 - ((1 - chance) ** section.round).sqrt().sqrt()


def stable_shares(
    death: tuple[tuple[Decimal, ...], tuple[Decimal, ...]], growth: Decimal, boys: Decimal, rounds: int
) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
    """Share of all citizens by sex and year of age in the stable population that grows by `growth` in each of a year's
    rounds."""
    found = []
    for sex, born in ((MEN, boys), (WOMEN, 1 - boys)):
        alive, by_age = born, []
        for age in range(AGES):
            here = Decimal(0)
            for _ in range(rounds):
                here += alive
                alive = alive * (1 - death[sex][age]) / growth
            by_age.append(here)
        found.append(by_age)
    total = sum(found[MEN], Decimal(0)) + sum(found[WOMEN], Decimal(0))
    return tuple(share / total for share in found[MEN]), tuple(share / total for share in found[WOMEN])


def euler_lotka(death: Row, birth: Row, girls: Decimal, rounds: int) -> Decimal:
    """The growth factor of a round: the root of sum_j growth^-j L(j-1) m(j) = 1 over a woman's rounds of life j.

    L is the share of girls alive after so many rounds and m the daughters of a round. Newton's method on the logarithm
    of the sum against that of the growth, which is nearly a straight line. Zero where no daughters are born.
    """
    alive, weights = Decimal(1), []
    for round_of_life in range(1, rounds * AGES):
        age = round_of_life // rounds
        weights.append(alive * birth[age] * girls)
        alive *= 1 - death[age]
    if not any(weights):
        return Decimal(0)
    shrinking = Decimal(0)
    for _ in range(60):
        inverse, value, slope = shrinking.exp(), Decimal(0), Decimal(0)
        for weight in reversed(weights):
            slope = slope * inverse + value
            value = value * inverse + weight
        step = value.ln() + shrinking
        shrinking -= step / (1 + slope * inverse / value)
        if abs(step) < Decimal("1e-30"):
            break
    return (-shrinking).exp()


@lru_cache(maxsize=256)
def demography(section: PeopleSection) -> Demography:
    """Chances of a round, the growth of the stable population and its ages."""
    with localcontext(DIGITS):
        published = life_table(section.life_table)
        rounds = rounds_of_year(section)
        men, women = (
            tuple(of_round(chance * section.mortality, rounds) for chance in published[sex]) for sex in (MEN, WOMEN)
        )
        birth = tuple(births / rounds for births in fertility(section))
        growth = euler_lotka(women, birth, 1 - section.boys, rounds)
        growth = growth if growth > 0 else Decimal(1)
        return Demography((men, women), birth, growth, stable_shares((men, women), growth, section.boys, rounds))


def q(value: Decimal, one: int) -> int:
    """A chance in fixed point, rounded down and at most one whole."""
    return min(int(Fraction(value) * one), one)


def worsening(section: PeopleSection) -> tuple[Decimal, ...]:
    """Chance of a round that health falls by one step, by age."""
    return tuple(compounded(section.health.onset * age / 40, section) for age in range(AGES))


def mixed(mix: Row, factors: Row) -> Decimal:
    """Mean of the factors by a mix of health."""
    return sum((share * factor for share, factor in zip(mix, factors, strict=True)), Decimal(0))


def lived(mix: Row, deaths: Row, worsen: Decimal, recover: Decimal) -> list[Decimal]:
    """The mix of health of the survivors of one round; one event a citizen, death before the others."""
    after = [share * (1 - chance) for share, chance in zip(mix, deaths, strict=True)]
    down = [share * min(worsen, 1 - chance) for share, chance in zip(mix, deaths, strict=True)]
    up = [share * min(recover, 1 - chance) for share, chance in zip(mix, deaths, strict=True)]
    after[0] += up[1] - down[0]
    after[1] += down[0] + up[2] - down[1] - up[1]
    after[2] += down[1] - up[2]
    total = sum(after, Decimal(0))
    return [share / total for share in after] if total > 0 else [Decimal(1), Decimal(0), Decimal(0)]


def by_health(section: PeopleSection, chances: Row) -> tuple[list[list[Decimal]], list[list[Decimal]]]:
    """Chances of death by age and health, and the mix of health by age.

    The chances of a year of age are in the ratio 1 : f : f^2, and with the mean mix of that year they average the life
    table's chance.
    """
    factors = [section.health.frailty**step for step in range(HEALTHS)]
    recover, rounds = compounded(section.health.recovery, section), rounds_of_year(section)
    mix = [Decimal(1), Decimal(0), Decimal(0)]
    deaths, mixes = [], []
    for age, worsen in enumerate(worsening(section)):
        mean = mix
        for _ in range(2):
            base = chances[age] / mixed(mean, factors)
            of_age = [min(base * factor, Decimal(1)) for factor in factors]
            now, total = list(mix), [Decimal(0)] * HEALTHS
            for _ in range(rounds):
                total = [had + share for had, share in zip(total, now, strict=True)]
                now = lived(now, of_age, worsen, recover)
            mean = [share / rounds for share in total]
        deaths.append(of_age)
        mixes.append(mean)
        mix = now
    return deaths, mixes


def falling(age: int, full: int, end: int, least: Decimal) -> Decimal:
    """One up to `full` years, then on a straight line to `least` at `end`."""
    if age <= full:
        return Decimal(1)
    return max(least, 1 - (1 - least) * Decimal(age - full) / (end - full))


def seeking(section: PeopleSection) -> list[Decimal]:
    """Chance that a single looks for a partner in a year, by age."""
    return [
        section.households.partner * falling(age, SEEK_FULL, SEEK_END, Decimal(0)) if age >= ADULT else Decimal(0)
        for age in range(AGES)
    ]


def at_home(section: PeopleSection) -> list[Decimal]:
    """Share of those of an age who have not left their first household."""
    stays = (1 - compounded(section.households.leave, section)) ** rounds_of_year(section)
    found = [Decimal(1)] * AGES
    for age in range(ADULT, AGES):
        begun = stays ** (age - ADULT)
        found[age] = (begun + begun * stays) / 2 if age < HOME else Decimal(0)
    return found


@dataclass(frozen=True)
class Founding:
    """Heads of households as shares of all citizens, by age, and what stands around them."""

    women: list[Decimal]
    men: list[Decimal]
    """Men who head a household without a partner."""
    partnered: list[Decimal]
    """Share of the women who have a partner."""
    keep: list[Decimal]
    """Children alive and at home for each birth so many years ago; may exceed one a little, which makes up for children
    whose mother has died or lives with her own."""
    kin: list[Decimal]
    """Share of those of an age whose mother is alive."""


def founding(section: PeopleSection) -> Founding:
    """How founders live together, from the same rates by which they would have come to live so."""
    with localcontext(DIGITS):
        found = demography(section)
        home, seek, births = at_home(section), seeking(section), fertility(section)
        rounds = rounds_of_year(section)
        stays = [[(1 - chance) ** rounds for chance in found.death[sex]] for sex in (MEN, WOMEN)]
        women = [share * (1 - part) for share, part in zip(found.stable[WOMEN], home, strict=True)]
        partnered = [Decimal(0)] * AGES
        for age in range(ADULT, AGES - 1):
            single = 1 - partnered[age]
            now = partnered[age] * stays[MEN][min(age + 2, AGES - 1)] + single * seek[age] * MATCHED
            partnered[age + 1] = now * (1 - home[age]) / (1 - home[age + 1])
        men = [share * (1 - part) for share, part in zip(found.stable[MEN], home, strict=True)]
        for age, share in enumerate(women):
            for gap, weight in OLDER:
                husband = min(max(age + gap, ADULT), AGES - 1)
                men[husband] -= share * partnered[age] * weight
        everyone = [a + b for a, b in zip(*found.stable, strict=True)]
        mothers = [
            sum((women[age] * births[age - back] for age in range(max(back, ADULT), AGES)), Decimal(0))
            for back in range(HOME)
        ]
        keep = [everyone[back] * home[back] / mothers[back] if mothers[back] else Decimal(0) for back in range(HOME)]
        alive = list(accumulate(stays[WOMEN], lambda had, stay: had * stay, initial=Decimal(1)))
        weights = [births[age] * share for age, share in enumerate(found.stable[WOMEN])]
        total = sum(weights, Decimal(0))
        kin = [
            sum(
                (
                    weight * alive[age + past] / alive[age]
                    for age, weight in enumerate(weights)
                    if age + past < AGES and weight
                ),
                Decimal(0),
            )
            / total
            for past in range(AGES)
        ]
        return Founding(women, [max(share, Decimal(0)) for share in men], partnered, keep, kin)


def cumulative(weights: Row, one: int) -> list[int]:
    """Cumulative shares rounded down; the last is one less than a whole."""
    total = sum(weights, Decimal(0))
    upto = [int(Fraction(part) / Fraction(total) * one) for part in accumulate(weights)]
    return [min(part, one - 1) for part in upto[:-1]] + [one - 1]


def citizens_of_household(section: PeopleSection) -> Fraction:
    """Mean size of a founding household: citizens over heads of households."""
    found = founding(section)
    return 1 / Fraction(sum(found.women, Decimal(0)) + sum(found.men, Decimal(0)))


def fill_people(row: np.void, section: PeopleSection) -> None:
    """Fills one People record."""
    for name, value in compiled(section).items():
        row[name] = value


@lru_cache(maxsize=256)
def compiled(section: PeopleSection) -> dict[str, np.ndarray | int]:
    """The fields of the record by name."""
    with localcontext(DIGITS):
        fields = {**rates(section), **founders(section), **moves(section)}
    return {**fields, "befall": befalling(fields)}


def befalling(fields: dict[str, np.ndarray | int]) -> np.ndarray:
    """At least the sum of the chances of whoever is of an age, out of season and in it; two wholes at most."""
    found = np.zeros((2, AGES), "u8")
    death, birth, worsen, seek, move = (
        np.asarray(fields[name]) for name in ("death", "birth", "worsen", "seek", "move")
    )
    for age in range(AGES):
        common = int(death[:, :, age].max()) + int(birth[age]) + int(worsen[age]) + int(fields["recover"])
        for season in range(2):
            head = int(move[age]) + season * int(seek[age])
            found[season, age] = min(common + max(int(fields["leave"]), head), Q64 - 1)
    return found


def rates(section: PeopleSection) -> dict[str, np.ndarray | int]:
    """Chances of a round, and what happens at birth and at school."""
    found = demography(section)
    deaths = [by_health(section, found.death[sex])[0] for sex in (MEN, WOMEN)]
    death = [[[q(of_age[step], Q63) for of_age in deaths[sex]] for sex in (MEN, WOMEN)] for step in range(HEALTHS)]
    school, homes = section.schooling, section.households
    return {
        "death": np.array(death, "u8"),
        "birth": np.array([q(chance, Q63) for chance in found.birth], "u8"),
        "worsen": np.array([q(chance, Q63) for chance in worsening(section)], "u8"),
        "recover": q(compounded(section.health.recovery, section), Q63),
        "leave": q(compounded(homes.leave, section), Q63),
        "seek": np.array([q(chance, Q63) for chance in seeking(section)], "u8"),
        "skill": np.array([q(school.basic, Q31), q(school.basic + school.trained, Q31)], "u4"),
        "boys": q(section.boys, Q31),
        "endowment": q(homes.endowment, Q31),
        "gap": homes.gap * WEEKS,
        "round": section.round,
    }


def founders(section: PeopleSection) -> dict[str, np.ndarray | int]:
    """The tables of generation."""
    found = founding(section)
    mixes = [by_health(section, demography(section).death[sex])[1] for sex in (MEN, WOMEN)]
    health = [[[q(mix[0], Q31), q(mix[0] + mix[1], Q31)] for mix in mixes[sex]] for sex in (MEN, WOMEN)]
    return {
        "founder": np.array(cumulative([*found.women, *found.men], Q64), "u8"),
        "founder_health": np.array(health, "u4"),
        "partnered": np.array([q(share, Q31) for share in found.partnered], "u4"),
        "bear": np.array([q(births, Q31) for births in fertility(section)], "u4"),
        "keep": np.array([min(int(Fraction(share) * Q30), 4 * Q30 - 1) for share in found.keep], "u4"),
        "kin": np.array([q(share, Q31) for share in found.kin], "u4"),
    }


def moves(section: PeopleSection) -> dict[str, np.ndarray | int]:
    """Moves between regions."""
    answer, rounds = section.migration, rounds_of_year(section)
    quarter = Decimal("0.25")
    by_age = [answer.rate / rounds * falling(age, MOVE_FULL, MOVE_LEAST, quarter) for age in range(AGES)]
    return {
        "move": np.array([q(chance, Q63) for chance in by_age], "u8"),
        "answer_wage": int(Fraction(answer.wage) * Q32),
        "answer_unemployment": int(Fraction(answer.unemployment) * Q32),
        "answer_warmth": int(Fraction(answer.warmth) * Q32),
        "near": np.array([q(answer.distance**cells if cells else Decimal(1), Q31) for cells in range(DISTANCES)], "u4"),
        "abroad": q(answer.abroad, Q31),
    }
