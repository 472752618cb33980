"""The exchange model's documents: what is accepted, and what is refused with its place and reason."""

from __future__ import annotations

import pytest

from parpour_contracts.scenario import (
    ExchangeScenario,
    ScenarioError,
    builtin_scenario,
    estimate,
    override,
    parameters,
    parse_scenario,
)

pytestmark = pytest.mark.unit

TEXT = builtin_scenario("exchange").replace("{law: share-of-pair}", "{law: pooled, saving: 0.5}")


def test_the_law_has_parameters_that_can_be_overridden() -> None:
    scenario = parse_scenario(TEXT)
    assert isinstance(scenario, ExchangeScenario)
    assert list(parameters(scenario)) == ["ticks", "population.size", "population.money", "exchange.saving"]
    changed = override(scenario, {"population.size": "11", "exchange.saving": "0.9"})
    assert (changed.agents, changed.shrunk(1).agents) == (11, 2)
    assert estimate(changed).bytes < estimate(scenario).bytes


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "words"),
    [
        ("saving: 0.5", "saving: 1", "SCENARIO_OUT_OF_RANGE", "exchange.saving", "less than 1"),
        ("saving: 0.5", "amount: 5", "SCENARIO_UNKNOWN_FIELD", "exchange.amount", "no such field"),
        ("law: pooled", "law: pool", "SCENARIO_OUT_OF_RANGE", "exchange", "pooled"),
        ("size: 100000", "size: 1", "SCENARIO_OUT_OF_RANGE", "population.size", "2"),
        ("money: 1000", "money: 0", "SCENARIO_OUT_OF_RANGE", "population.money", "1"),
        ("money: 1000", "money: 2.5", "SCENARIO_WRONG_TYPE", "population.money", "integer"),
        ("exchange:", "trade:", "SCENARIO_UNKNOWN_FIELD", "trade", "no such field"),
    ],
)
def test_a_bad_field_is_refused_with_its_path_and_reason(old: str, new: str, code: str, path: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(TEXT.replace(old, new))
    assert (caught.value.code, caught.value.path) == (code, path)
    assert words in caught.value.message
