"""Tables of a civilisation against a second count of its columns in plain Python, and headlines by definition."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civlab.models.civilisation.history import integers, wide, wide_sum
from civlab.models.civilisation.layout import (
    ADULT,
    AGES,
    EPOCH,
    FAULTS,
    GOODS,
    LANDS,
    REACH,
    REGION_ROWS,
    SKILLS,
    WEEKS,
    ZONES,
)
from civlab.models.civilisation.metrics import METRICS
from civlab.models.civilisation.results import RESULTS, figures
from civlab.results.columns import to_arrow, to_texts
from civlab.results.outcome import batch_outcome
from civlab.results.schema import WIDE, table_schemas
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario

from .civilisations import column, compiled, document, world_of

pytestmark = pytest.mark.kernel

MEMBERS, TICKS, NATIONS, REGIONS = 2, 110, 2, 6
YEARS, QUARTERS = -(-TICKS // WEEKS), -(-TICKS // REGION_ROWS)
FOOD, ENERGY, FUEL = (GOODS.index(name) for name in ("food", "energy", "fuel"))
Rows = dict[str, list[Any]]


@pytest.fixture(scope="module")
def world() -> World:
    """Two worlds of two nations after two years and some weeks."""
    made = world_of(compiled(ticks=TICKS), compiled(ticks=TICKS))
    made.advance(TICKS)
    made.check()
    return made


def rows_of(world: World, name: str, member: int = 1) -> Rows:
    """A table's rows for one member, by column, in Python's own numbers and texts."""
    table = next(table for table in RESULTS.tables if table.name == name)
    found: Rows = {}
    for declared, values in zip(table.columns, table.rows(world, member), strict=True):
        if declared.type == WIDE:
            found[declared.name] = integers(np.asarray(values))
        elif declared.labels:
            found[declared.name] = [declared.labels[int(place)] for place in values]
        else:
            found[declared.name] = np.asarray(values).tolist()
    return found


def where(rows: Rows, wanted: str, **keys: Any) -> list[Any]:
    """Values of a column where others have given values."""
    return [
        value for place, value in enumerate(rows[wanted]) if all(rows[name][place] == key for name, key in keys.items())
    ]


def only(rows: Rows, wanted: str, **keys: Any) -> Any:
    """The one value of a column where others have given values."""
    (value,) = where(rows, wanted, **keys)
    return value


def held(world: World, name: str, member: int = 1) -> list[list[int]]:
    """A column's elements by entity."""
    return [[int(value) for value in part] for part in column(world, name, member)]


def region_of(world: World, kind: str, member: int = 1) -> list[int]:
    """Region of every slot of citizens or households, from the plan's segments."""
    first, count = world.segment(kind, member)
    bounds = world.download(f"region_{kind}").reshape(-1, 2)[world.within("region", member)]
    owner = [-1] * count
    for region, (begin, end) in enumerate(bounds.astype("i8") - first):
        owner[begin:end] = [region] * int(end - begin)
    return owner


def nation_of(world: World, member: int = 1) -> list[int]:
    """Nation of each region."""
    return [nation for (nation,) in held(world, "region_nation", member)]


def test_every_table_has_the_columns_and_the_rows_that_are_declared(world: World) -> None:
    scenario = parse_scenario(document(ticks=TICKS))
    schemas = table_schemas(METRICS, RESULTS, (), on_request=True)
    for table in RESULTS.tables:
        values = table.rows(world, 0)
        assert len(values) == len(table.columns), table.name
        assert len({len(part) for part in values}) == 1, table.name
        for declared, part in zip(table.columns, values, strict=True):
            array = to_texts(part, declared.labels) if declared.labels else to_arrow(part, declared.type)
            assert array.type == schemas[table.name].field(declared.name).type
            if pa.types.is_integer(declared.type):
                assert np.array_equal(part, np.asarray(array)), f"{table.name}.{declared.name} is too narrow"
        most = table.most_rows(scenario) if table.most_rows else TICKS
        assert len(values[0]) <= most, table.name
        assert table.meaning.startswith("one row a member")


def test_the_last_week_of_nations_is_what_their_columns_hold(world: World) -> None:
    nation, finance, region = (rows_of(world, name) for name in ("nation", "finance", "region"))
    of, owner = nation_of(world), region_of(world, "household")
    citizens = region_of(world, "citizen")
    deposits: Counter[int] = Counter()
    for slot, (money,) in enumerate(held(world, "deposit")):
        deposits[of[owner[slot]]] += money
    people = Counter(of[citizens[slot]] for slot, (household,) in enumerate(held(world, "household")) if household)
    banks = world.download("bank_nation").tolist()
    first, count = world.segment("bank", 1)
    equity: Counter[int] = Counter()
    for bank, (capital,) in zip(banks[first : first + count], held(world, "equity"), strict=True):
        equity[bank] += capital
    for number in range(NATIONS):
        last = {"tick": TICKS - 1, "nation": number}
        for table, metric, name in (
            (finance, "treasury", "treasury"),
            (finance, "debt", "debt"),
            (finance, "pool", "pool"),
            (nation, "price_level", "level"),
            (nation, "policy_rate", "policy_rate"),
            (nation, "energy_price", "energy_price"),
        ):
            assert only(table, metric, **last) == held(world, name)[number][0]
        inside = [place for place in range(REGIONS) if of[place] == number]
        workers = [only(region, "employed", quarter=QUARTERS - 1, region=place) for place in inside]
        pay = [held(world, "wage")[place][0] for place in inside]
        mean = sum(a * b for a, b in zip(workers, pay, strict=True)) // sum(workers)
        assert only(nation, "wage", **last) == mean
        assert only(finance, "deposits", **last) == deposits[number]
        assert only(finance, "equity", **last) == equity[number]
        assert only(nation, "citizens", **last) == people[number]


def test_nations_add_up_to_the_world_in_every_week(world: World) -> None:
    nation, finance = rows_of(world, "nation"), rows_of(world, "finance")
    metrics = world.metrics(0, TICKS)
    for name in ("citizens", "births", "deaths", "employed", "product", "consumption", "failures"):
        weekly = [sum(where(nation, name, tick=tick)) for tick in range(TICKS)]
        assert weekly == metrics[name][:, 1].tolist(), name
    loans = [sum(where(finance, "loans", tick=tick)) for tick in range(TICKS)]
    assert loans == integers(metrics["loans"][:, 1])
    sold = [sum(where(nation, "energy_sold", tick=tick)) for tick in range(TICKS)]
    assert sold == integers(metrics["energy_sold"][:, 1])


def test_the_last_quarter_of_regions_is_what_their_columns_hold(world: World) -> None:
    region = rows_of(world, "region")
    owner = region_of(world, "citizen")
    people = Counter(owner[slot] for slot, (household,) in enumerate(held(world, "household")) if household)
    width = int(world.members[1].scenario.lands["width"][0])
    for place in range(REGIONS):
        last = {"quarter": QUARTERS - 1, "region": place}
        assert only(region, "citizens", **last) == people[place]
        cell = held(world, "region_cell")[place][0]
        assert (only(region, "row", **last), only(region, "column", **last)) == divmod(cell, width)
        assert only(region, "nation", **last) == nation_of(world)[place]
        assert only(region, "wage", **last) == held(world, "wage")[place][0]
        assert only(region, "zone", **last) == ZONES[held(world, "region_zone")[place][0]]
        assert [only(region, name, **last) for name in LANDS] == held(world, "land")[place]
        assert only(region, "reserve", **last) == integers(column(world, "reserve", 1)[place : place + 1])[0]
        assert only(region, "warming", **last) == held(world, "warmth")[place][0] / 2**32
        left = sum(held(world, "yield")[place]) / len(GOODS) / 2**31
        assert only(region, "damage", **last) == pytest.approx(1 - left, abs=1e-9)
        assert only(region, "weeks", **last) == TICKS - REGION_ROWS * (QUARTERS - 1)


def test_flows_of_regions_and_markets_add_up_to_what_the_world_counted(world: World) -> None:
    region, market, moves = rows_of(world, "region"), rows_of(world, "market"), rows_of(world, "migration")
    metrics = world.metrics(0, TICKS)
    assert sum(region["births"]) == metrics["births"][:, 1].sum()
    assert sum(region["deaths"]) == metrics["deaths"][:, 1].sum()
    assert sum(moves["citizens"]) == metrics["moves"][:, 1].sum() > 0
    for place, (came, left) in enumerate(held(world, "moved")):
        assert sum(where(region, "arrivals", region=place)) == sum(where(moves, "citizens", destination=place)) == came
        assert sum(where(region, "departures", region=place)) == sum(where(moves, "citizens", origin=place)) == left
    output = integers(metrics["output"][:, 1])
    assert sum(region["output"]) == sum(output)
    burnt = sum(where(market, "used", good="fuel")) + sum(where(market, "consumed", good="fuel"))
    assert burnt == sum(integers(metrics["fuel_burnt"][:, 1]))
    spent = sum(market["households"])
    finance, nation = rows_of(world, "finance"), rows_of(world, "nation")
    assert spent == sum(nation["consumption"]) - sum(finance["taxes_sales"]) == sum(region["consumption"])
    assert sum(region["income"]) == sum(finance["income"])
    assert sum(market["public"]) == sum(nation["purchases"])


def test_moves_lead_to_regions_within_reach(world: World) -> None:
    moves, reach = rows_of(world, "migration"), held(world, "reach")
    for origin, destination in zip(moves["origin"], moves["destination"], strict=True):
        assert origin != destination
        assert origin + 1 in reach[destination]


def test_goods_and_prices_are_those_of_the_firms_and_regions(world: World) -> None:
    goods, market = rows_of(world, "goods"), rows_of(world, "market")
    stock = [0] * len(GOODS)
    for (industry,), (inventory,), stores in zip(
        held(world, "industry"), held(world, "inventory"), held(world, "stock"), strict=True
    ):
        stock[industry] += inventory
        for good, units in enumerate(stores):
            stock[good] += units
    for good, name in enumerate(GOODS):
        assert only(goods, "stock", year=YEARS - 1, good=name) == stock[good]
        for place in range(REGIONS):
            tariff = held(world, "tariff")[place][good]
            assert only(market, "price", year=YEARS - 1, region=place, good=name) == tariff
        for year in range(YEARS):
            made = only(goods, "made", year=year, good=name)
            assert made == sum(where(market, "made", year=year, good=name))


def test_trade_is_what_nations_exported_and_imported(world: World) -> None:
    trade, nation = rows_of(world, "trade"), rows_of(world, "nation")
    assert len(trade["money"]) == YEARS * NATIONS * (NATIONS - 1) * len(GOODS)
    for year in range(YEARS):
        weeks = range(year * WEEKS, min(TICKS, (year + 1) * WEEKS))
        for number in range(NATIONS):
            sold = sum(only(nation, "exports", tick=tick, nation=number) for tick in weeks)
            bought = sum(only(nation, "imports", tick=tick, nation=number) for tick in weeks)
            assert sum(where(trade, "money", year=year, exporter=number)) == sold > 0
            assert sum(where(trade, "money", year=year, importer=number)) == bought


def test_energy_by_year_is_that_of_regions_markets_and_calls(world: World) -> None:
    energy, region, market = (rows_of(world, name) for name in ("energy", "region", "market"))
    nation, of = rows_of(world, "nation"), nation_of(world)
    for year in range(YEARS):
        quarters = [quarter for quarter in range(QUARTERS) if quarter // 4 == year]
        weeks = range(year * WEEKS, min(TICKS, (year + 1) * WEEKS))
        for number in range(NATIONS):
            keys = {"year": year, "nation": number}
            inside = [place for place in range(REGIONS) if of[place] == number]
            for name in ("extracted", "gained", "embodied_new", "embodied_used", "embodied_lost"):
                flows = [only(region, name, quarter=q, region=place) for q in quarters for place in inside]
                assert only(energy, name, **keys) == sum(flows)
            ends = [only(region, "reserve", quarter=quarters[-1], region=place) for place in inside]
            assert only(energy, "reserve", **keys) == sum(ends)
            for name in ("made", "used", "consumed", "carried", "perished"):
                flows = [only(market, name, year=year, region=place, good="energy") for place in inside]
                assert only(energy, name, **keys) == sum(flows)
            amounts = [only(nation, "energy_sold", tick=tick, nation=number) for tick in weeks]
            prices = [only(nation, "energy_price", tick=tick, nation=number) for tick in weeks]
            assert only(energy, "sold", **keys) == sum(amounts)
            paid = sum(price * amount for price, amount in zip(prices, amounts, strict=True))
            assert only(energy, "price", **keys) == paid // sum(amounts)


def test_zones_are_the_sums_and_means_of_their_regions(world: World) -> None:
    climate, region = rows_of(world, "climate"), rows_of(world, "region")
    for year in range(YEARS):
        quarters = [quarter for quarter in range(QUARTERS) if quarter // 4 == year]
        for zone in set(region["zone"]):
            inside = [place for place in range(REGIONS) if only(region, "zone", quarter=0, region=place) == zone]
            keys = {"year": year, "zone": zone}
            people = [only(region, "citizens", quarter=quarters[-1], region=place) for place in inside]
            warmth = [only(region, "warming", quarter=quarters[-1], region=place) for place in inside]
            assert only(climate, "citizens", **keys) == sum(people)
            assert only(climate, "regions", **keys) == len(inside)
            mean = sum(a * b for a, b in zip(people, warmth, strict=True)) / sum(people)
            assert only(climate, "warming", **keys) == pytest.approx(mean)
            for name in ("output", "income", "births", "deaths"):
                flows = [only(region, name, quarter=q, region=place) for q in quarters for place in inside]
                assert only(climate, name, **keys) == sum(flows)
            wild = [only(region, "wild", quarter=quarters[-1], region=place) for place in inside]
            assert only(climate, "wild", **keys) == sum(wild)


def test_the_pyramid_counts_every_citizen_by_what_they_are(world: World) -> None:
    demographic = rows_of(world, "demographic")
    of, owner = nation_of(world), region_of(world, "citizen")
    found: dict[str, Counter[tuple[int, str, int]]] = defaultdict(Counter)
    for slot, ((household,), (born,), (traits,), (employer,)) in enumerate(
        zip(*(held(world, name) for name in ("household", "born", "traits", "employer")), strict=True)
    ):
        if household == 0:
            continue
        key = (
            of[owner[slot]],
            "woman" if traits & 1 else "man",
            min((TICKS - 1 + EPOCH - born) // WEEKS, AGES - 1),
        )
        found["citizens"][key] += 1
        found["employed"][key] += employer > 0
        found["ill"][key] += (traits >> 3 & 3) >= 2
        found["partnered"][key] += traits >> 5 & 1
        found[SKILLS[traits >> 1 & 3]][key] += 1
    keys = list(zip(demographic["nation"], demographic["sex"], demographic["age"], strict=True))
    assert len(keys) == len(set(keys)) == NATIONS * 2 * AGES
    for name, counter in found.items():
        assert demographic[name] == [counter[key] for key in keys], name


def heads_and_minors(world: World) -> tuple[dict[int, int], Counter[int]]:
    """Age of the eldest head, and number of minors, by household."""
    heads: dict[int, int] = {}
    minors: Counter[int] = Counter()
    for (household,), (born,), (traits,) in zip(
        *(held(world, name) for name in ("household", "born", "traits")), strict=True
    ):
        age = (TICKS - 1 + EPOCH - born) // WEEKS
        if household and not traits & 64:
            heads[household - 1] = max(heads.get(household - 1, 0), age)
        if household and age < ADULT:
            minors[household - 1] += 1
    return heads, minors


def test_sampled_households_and_generations_are_those_of_the_columns(world: World) -> None:
    sample, generations = rows_of(world, "household"), rows_of(world, "generation")
    heads, minors = heads_and_minors(world)
    columns = [held(world, name) for name in ("size", "generation", "deposit", "income")]
    owner, of = region_of(world, "household"), nation_of(world)
    found: dict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    listed = []
    for slot, ((size,), (generation,), (deposit,), (income,)) in enumerate(zip(*columns, strict=True)):
        if size == 0:
            continue
        listed.append((slot, owner[slot], size, minors[slot], generation, heads[slot], deposit, income))
        sums = found[of[owner[slot]], generation, heads[slot] // 10 * 10]
        for place, value in enumerate((1, size, deposit, income)):
            sums[place] += value
    step = sample["weight"][0]
    names = ("household", "region", "size", "minors", "generation", "age", "deposit", "income")
    assert list(zip(*(sample[name] for name in names), strict=True)) == listed[::step]
    assert (step - 1) * len(sample["weight"]) < len(listed) <= step * len(sample["weight"])
    keys = zip(*(generations[name] for name in ("nation", "generation", "age_from")), strict=True)
    totals = zip(*(generations[name] for name in ("households", "citizens", "deposits", "income")), strict=True)
    assert {key: list(part) for key, part in zip(keys, totals, strict=True)} == dict(found)


def test_inequality_is_exact_by_its_definition(world: World) -> None:
    lorenz, measures = rows_of(world, "lorenz"), rows_of(world, "inequality")
    alive = [slot for slot, (size,) in enumerate(held(world, "size")) if size]
    for name, sums, ends, column_name in (
        ("gini", "deposits", "deposit", "deposit"),
        ("income_gini", "incomes", "income", "income"),
    ):
        column = held(world, column_name)
        values = sorted(column[slot][0] for slot in alive)
        apart = int(np.abs(np.subtract.outer(np.array(values), np.array(values))).sum())
        exact = Fraction(apart, 2 * len(values) * sum(values))
        assert measures[name] == [int(exact * 1_000_000 + Fraction(1, 2))]
        for percent, count in zip(lorenz["percent"], lorenz["households"], strict=True):
            assert count == percent * len(values) // 100
            assert lorenz[sums][percent] == sum(values[:count])
            assert lorenz[ends][percent] == (values[count - 1] if count else 0)
    column = held(world, "deposit")
    deposits = sorted(column[slot][0] for slot in alive)
    rich = Fraction(sum(deposits[-(len(deposits) // 10) :]), sum(deposits))
    assert measures["top_tenth"] == [int(rich * 1_000_000 + Fraction(1, 2))]
    assert measures["median"] == [deposits[(len(deposits) - 1) // 2]]


def test_firms_are_those_of_the_columns_each_in_its_region(world: World) -> None:
    firm = rows_of(world, "firm")
    for name in ("price", "sales", "capital", "cash", "loan", "inventory", "embodied", "bank"):
        assert firm[name] == [value for (value,) in held(world, name)], name
    assert firm["industry"] == [GOODS[industry] for (industry,) in held(world, "industry")]
    assert firm["staff"] == [sum(staff) for staff in held(world, "staff")]
    owner = region_of(world, "citizen")
    for slot, (employer,) in enumerate(held(world, "employer")):
        assert employer == 0 or firm["region"][employer - 1] == owner[slot]


def test_events_are_the_weeks_in_which_something_went_wrong(world: World) -> None:
    event, nation, finance = rows_of(world, "event"), rows_of(world, "nation"), rows_of(world, "finance")
    rows = list(zip(event["tick"], event["nation"], event["kind"], event["amount"], strict=True))
    assert rows == sorted(rows, key=lambda row: row[:2])
    expected = {
        (tick, number, kind, amount)
        for table, kinds in ((nation, ("failures", "energy_short")), (finance, ("write_offs", "rescues", "unclaimed")))
        for kind in kinds
        for tick, number, amount in zip(table["tick"], table["nation"], table[kind], strict=True)
        if amount
    }
    assert set(rows) == expected
    assert len(rows) == len(expected) > 0


def test_every_invariant_is_counted_anew_and_holds(world: World) -> None:
    invariant = rows_of(world, "invariant")
    assert invariant["invariant"] == list(FAULTS[:18])
    assert all("=" in equation for equation in invariant["equation"])
    assert invariant["residue"] == [0] * 18
    counted = dict(zip(invariant["invariant"], invariant["counted"], strict=True))
    everybody = sum(household > 0 for (household,) in held(world, "household"))
    assert counted["population"] == everybody
    assert counted["land"] == sum(map(sum, held(world, "land")))
    assert counted["credit"] == sum(loan for (loan,) in held(world, "loan"))
    assert counted["chain"] == len(world.model.dynamic)


@pytest.mark.parametrize(
    ("name", "place", "broken"),
    [
        ("deposit", 3, {"money", "household_sheet"}),
        ("cash", 3, {"money", "firm_sheet"}),
        ("loan", 3, {"money", "credit"}),
        ("debt", 1, {"money", "government_sheet"}),
        ("equity", 0, {"money", "bank_sheet"}),
        ("inventory", 0, {"goods"}),
        ("reserve", 0, {"energy"}),
        ("carbon", 1, {"carbon"}),
        ("staff", 0, {"labour"}),
        ("land", 0, {"land"}),
    ],
)
def test_what_appears_from_nowhere_is_counted_as_a_residue(
    name: str, place: int, broken: set[str], world: World
) -> None:
    cells = column(world, name, 1)
    before = cells.copy()
    cells.reshape(-1)[place] += 5
    invariant = rows_of(world, "invariant")
    cells[:] = before
    residues = dict(zip(invariant["invariant"], invariant["residue"], strict=True))
    found = {label for label, residue in residues.items() if residue}
    assert found == broken
    assert {abs(residues[label]) for label in broken} == {5}


def test_headlines_are_what_they_say(world: World) -> None:
    outcome = batch_outcome(world, RESULTS.tables, first=0)
    found = {name: int(values[1]) for name, values in figures(outcome).items()}
    assert set(found) == {headline.name for headline in RESULTS.headlines}
    values = {name: np.asarray(value[:, 1], dtype=object) for name, value in world.metrics(0, TICKS).items()}
    year, before = slice(TICKS - WEEKS, TICKS), slice(TICKS - 2 * WEEKS, TICKS - WEEKS)
    idle, busy = values["unemployed"][year].sum(), values["employed"][year].sum()
    assert found["unemployment"] == round(Fraction(idle * 10**6, idle + busy))
    product = Fraction(values["product_real"][year].sum())
    assert found["growth"] == pytest.approx(10**6 * (product / values["product_real"][before].sum() - 1), abs=1)
    heads = Fraction(values["citizens"][year].sum(), WEEKS)
    assert found["product"] == round(product / heads)
    level = values["price_level"]
    assert found["inflation"] == pytest.approx(10**6 * (level[-1] / level[-1 - WEEKS] - 1), abs=1)
    debt = sum(integers(world.metrics(TICKS - 1, TICKS)["public_debt"][:, 1]))
    assert found["public_debt"] == pytest.approx(10**6 * Fraction(debt, values["product"][year].sum()), abs=1)
    assert found["warming"] == round(1000 * values["warming"][-1])
    assert found["citizens"] == values["citizens"][-1]
    assert outcome.agents.tolist() == [6000, 6000]


@pytest.mark.parametrize("ticks", [1, 2, 14, 53])
def test_short_runs_have_all_tables(ticks: int) -> None:
    world = world_of(compiled(ticks=ticks))
    world.advance(ticks)
    outcome = batch_outcome(world, RESULTS.tables, first=0)
    found = figures(outcome)
    assert all(len(values) == 1 for values in found.values())
    assert rows_of(world, "invariant", 0)["residue"] == [0] * 18
    assert len(rows_of(world, "region", 0)["citizens"]) == REGIONS * -(-ticks // REGION_ROWS)
    assert sum(rows_of(world, "market", 0)["weeks"]) == ticks * REGIONS * len(GOODS)


@given(st.lists(st.integers(-(2**126), 2**126), min_size=1, max_size=40))
def test_numbers_of_128_bits_add_up_without_rounding(numbers: list[int]) -> None:
    cells = wide(numbers)
    assert integers(cells) == numbers
    (total,) = integers(wide_sum(cells, 0)[None])
    assert (total - sum(numbers)) % 2**128 == 0


def test_the_disc_of_arrivals_has_its_own_region_in_the_middle(world: World) -> None:
    for place, reach in enumerate(held(world, "reach")):
        assert reach[REACH // 2] == place + 1
    came = world.member_rows("arrival_rows", 1)
    assert not came[:, :, REACH // 2].any()
