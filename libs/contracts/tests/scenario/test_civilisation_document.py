"""The civilisation's documents: what is accepted, and what is refused with its place and reason."""

from __future__ import annotations

import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parpour_contracts.scenario import (
    CivilisationScenario,
    Scenario,
    ScenarioError,
    builtin_scenario,
    canonical,
    estimate,
    json_schema,
    override,
    parameters,
    parse_scenario,
)
from parpour_contracts.scenario.civilisation.document import BYTES_A_CROWD
from parpour_contracts.scenario.civilisation.economy import GOODS
from parpour_contracts.scenario.parse import plain, validate

pytestmark = pytest.mark.unit

TEXT = builtin_scenario("two-nations")
PUBLISHED = "technology: {kind: united-states-2014}"
OWN = "technology: {kind: own, industries: {food: {labour: 0.4, inputs: {food: 0.1}}}}"


def scenario_of(text: str = TEXT) -> CivilisationScenario:
    """The civilisation of a text."""
    scenario = parse_scenario(text)
    assert isinstance(scenario, CivilisationScenario)
    return scenario


def read_again(scenario: CivilisationScenario) -> Scenario:
    """The scenario of the plain values of one."""
    document: Any = plain(scenario)
    return validate(document)


def test_the_builtin_is_the_example_of_the_repository() -> None:
    example = Path(__file__).parents[4] / "examples" / "two-nations.yaml"
    assert example.read_text("utf-8") == TEXT


def test_a_document_of_four_lines_is_a_whole_civilisation() -> None:
    scenario = scenario_of("apiVersion: civlab/v1\nmodel: civilisation\ntitle: Any\nticks: 52\n")
    assert (scenario.agents, scenario.tick_name, scenario.firms) == (100_000, "week", 2000)
    assert len(scenario.world.nations) == 1
    assert canonical(parse_scenario(TEXT)) == canonical(read_again(scenario_of()))


def test_every_number_has_a_meaning_and_can_be_overridden_with_its_own_value() -> None:
    scenario = scenario_of()
    found = parameters(scenario)
    assert {"economy.energy.renewable", "world.nations.1.government.pension", "climate.start"} <= set(found)
    assert [path for path, parameter in found.items() if not parameter.meaning] == []
    assert override(scenario, {path: str(parameter.value) for path, parameter in found.items()}) == scenario


def test_a_shrunk_world_keeps_the_citizens_that_its_regions_and_firms_need() -> None:
    scenario = scenario_of()
    assert scenario.shrunk(10**9) == scenario
    small = scenario.shrunk(1)
    assert small.agents == max(24 * 60, 5 * 9 * 24)
    assert read_again(small) == small
    assert estimate(small).bytes < estimate(scenario).bytes


def test_the_estimate_grows_with_citizens_and_members() -> None:
    small, large = scenario_of(), scenario_of(TEXT.replace("size: 100000", "size: 1000000"))
    assert estimate(small, members=3).bytes == 3 * estimate(small).bytes
    assert 5 < estimate(large).bytes / estimate(small).bytes < 10
    assert estimate(large).bytes / large.agents < 320


DYING = "{age: 0, women: 0.01, men: 0.01}"


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "words"),
    [
        ("share: 0.6", "share: 0.5", "SCENARIO_INVALID", "world.nations", "sum to 0.9"),
        ("regions: 24", "regions: 1", "SCENARIO_OUT_OF_RANGE", "world.map.regions", "2"),
        ("size: 100000", "size: 1200", "SCENARIO_INVALID", "population.size", "1440"),
        ("size: 100000", "size: 999", "SCENARIO_OUT_OF_RANGE", "population.size", "1000"),
        ("room: 0.25", "room: -0.1", "SCENARIO_OUT_OF_RANGE", "population.room", "0"),
        ("ticks: 520", "ticks: 10001", "SCENARIO_OUT_OF_RANGE", "ticks", "10000"),
        ("ticks: 520", "ticks: 520\nstock: -1", "SCENARIO_UNKNOWN_FIELD", "stock", "no such field"),
        ("start: 2020", "start: 2495", "SCENARIO_INVALID", "ticks", "fewer"),
        ("renewable: 0.328", "renewable: .nan", "SCENARIO_WRONG_TYPE", "economy.energy.renewable", "finite number"),
        ("renewable: 0.328", "renewable: .inf", "SCENARIO_WRONG_TYPE", "economy.energy.renewable", "finite number"),
        ("renewable: 0.328", "renewable: 1", "SCENARIO_OUT_OF_RANGE", "economy.energy.renewable", "less than 1"),
        ("renewable: 0.328", "renewables: 0.3", "SCENARIO_UNKNOWN_FIELD", "economy.energy.renewables", "'renewable'"),
        ("pension: 0.4}", "pension: -0.4}", "SCENARIO_OUT_OF_RANGE", "world.nations.0.government.pension", "0"),
        ("wage: 80000", "wage: 80000.5", "SCENARIO_WRONG_TYPE", "economy.labour.wage", "integer"),
        *(
            ("life_table: united-states-2017", f"life_table: {{kind: own, ages: [{steps}]}}", code, path, words)
            for steps, code, path, words in (
                ("{age: 1, women: 0.1, men: 0.1}", "SCENARIO_INVALID", "people.life_table.ages", "begin at 0"),
                (f"{DYING}, {DYING}", "SCENARIO_INVALID", "people.life_table.ages", "each given once"),
                ("{age: 0, women: 0.1, men: 0.01}", "SCENARIO_INVALID", "people.life_table.ages", "15.01% of women"),
                ("{age: 0, women: 1.1, men: 0}", "SCENARIO_OUT_OF_RANGE", "people.life_table.ages.0.women", "1.1"),
                ("{age: 0, woman: 1, men: 0}", "SCENARIO_UNKNOWN_FIELD", "people.life_table.ages.0.woman", "'women'"),
            )
        ),
        *(
            (
                "fertility: united-states-2017",
                f"fertility: {{kind: own, ages: [{steps}]}}",
                "SCENARIO_INVALID",
                path,
                words,
            )
            for steps, path, words in (
                ("{age: 20, births: 0}", "people.fertility.ages", "0 children"),
                ("{age: 20, births: 0.2}", "people.fertility.ages", "18.2 children"),
                ("{age: 20, births: 0.2}, {age: 15, births: 0}", "people.fertility.ages", "15 years come after 20"),
            )
        ),
        (PUBLISHED, "technology: {kind: united-states}", "SCENARIO_OUT_OF_RANGE", "economy.technology", "own"),
        (
            "energy: {",
            "energy: {priority: [food, food, fuel, energy, materials, manufactures, logistics, services, public], ",
            "SCENARIO_INVALID",
            "economy.energy.priority",
            "once",
        ),
        (
            "labour: {",
            "firms: {number: 100}\n  labour: {",
            "SCENARIO_INVALID",
            "economy.firms.number",
            "need 216 firms",
        ),
        (
            PUBLISHED,
            PUBLISHED + "\n  demand: {investment: {energy: 0.1, manufactures: 0.9}}",
            "SCENARIO_INVALID",
            "economy.demand.investment",
            "nothing can be built of it",
        ),
        (
            PUBLISHED,
            PUBLISHED + "\n  demand: {consumption: {food: 0.5, services: 0.4}}",
            "SCENARIO_INVALID",
            "economy.demand.consumption",
            "sum to 0.9",
        ),
        (
            PUBLISHED,
            PUBLISHED + "\n  demand: {government: {servces: 1}}",
            "SCENARIO_UNKNOWN_FIELD",
            "economy.demand.government.servces",
            "'services'",
        ),
        (
            PUBLISHED,
            OWN.replace("labour", "labr"),
            "SCENARIO_UNKNOWN_FIELD",
            "economy.technology.industries.food.labr",
            "'labour'",
        ),
        (
            PUBLISHED,
            OWN.replace("{food: 0.1}", "{food: -0.1}"),
            "SCENARIO_OUT_OF_RANGE",
            "economy.technology.industries.food.inputs.food",
            "0",
        ),
        (
            PUBLISHED,
            OWN.replace("labour: 0.4", "labour: 0.4, capital: 0.001"),
            "SCENARIO_INVALID",
            "economy.technology.industries.food.capital",
            "at least",
        ),
        (
            PUBLISHED,
            OWN.replace("labour: 0.4", "labour: 0"),
            "SCENARIO_OUT_OF_RANGE",
            "economy.technology.industries.food.labour",
            "0.01",
        ),
    ],
)
def test_a_bad_field_is_refused_with_its_path_and_reason(old: str, new: str, code: str, path: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(TEXT.replace(old, new, 1))
    assert (caught.value.code, caught.value.path) == (code, path)
    assert words in caught.value.message


def test_the_schema_names_every_good_as_a_key_of_demand() -> None:
    demand = json_schema("civilisation")["$defs"]["Demand"]["properties"]["consumption"]
    assert list(demand["anyOf"][0]["propertyNames"]["enum"]) == list(GOODS)


def places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of all values of a document."""
    below: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list | tuple):
        below = list(enumerate(value))
    return [path, *(place for key, item in below for place in places(item, (*path, key)))]


def outcome(document: Any) -> Scenario | ScenarioError:
    """The scenario of a document, or why it is refused."""
    try:
        return validate(document)
    except ScenarioError as fault:
        return fault


WHOLE = plain(scenario_of())
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from([Decimal(0), Decimal(1), Decimal("-0.1"), "", "own", "food", [], {}, ["food"], {"food": 1}]),
    st.text(max_size=5),
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_stands_in_a_field_is_either_accepted_or_refused_with_a_code_and_a_reason(data: st.DataObject) -> None:
    document = copy.deepcopy(WHOLE)
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(places(document)[1:]))
        holder: Any = document
        for key in above:
            holder = holder[key]
        if isinstance(holder, tuple):
            continue
        if data.draw(st.booleans()) or not isinstance(holder, dict):
            holder[last] = data.draw(ANYTHING)
        else:
            holder[data.draw(st.text(min_size=1, max_size=8))] = data.draw(ANYTHING)
    found = outcome(document)
    if isinstance(found, ScenarioError):
        assert found.code.startswith("SCENARIO_")
        assert found.message
    else:
        assert estimate(found).bytes > 0
        assert canonical(found)


SIXTY = "apiVersion: civlab/v1\nmodel: civilisation\ntitle: Sixty regions\nticks: 52\n"
ZOOMS = """\
zoom:
  changes:
    - {week: 0, to: aggregated, regions: {kind: all-but-largest, number: 2}}
    - {week: 52, to: persons, regions: {kind: nation, nation: Nation}}
    - {week: 60, to: aggregated, regions: {kind: listed, regions: [0, 59]}}
"""


def test_changes_of_zoom_are_read_and_cost_memory_for_crowds() -> None:
    scenario = parse_scenario(SIXTY + ZOOMS)
    assert isinstance(scenario, CivilisationScenario)
    assert [change.week for change in scenario.zoom.changes] == [0, 52, 60]
    assert scenario.zoom.changes[0].regions.kind == "all-but-largest"
    plain = parse_scenario(SIXTY)
    assert scenario.estimate().bytes - plain.estimate().bytes == 60 * BYTES_A_CROWD
    assert canonical(scenario) != canonical(plain)


@pytest.mark.parametrize(
    ("found", "instead", "words"),
    [
        ("nation: Nation", "nation: Elsewhere", "there is no nation Elsewhere: name one of Nation"),
        ("[0, 59]", "[0, 60]", "there is no region 60: the last one is 59"),
        ("week: 60", "week: 51", "list them in the order of their weeks"),
    ],
)
def test_changes_of_what_is_not_there_or_out_of_order_are_refused(found: str, instead: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(SIXTY + ZOOMS.replace(found, instead))
    assert caught.value.code == "SCENARIO_INVALID"
    assert words in str(caught.value)
