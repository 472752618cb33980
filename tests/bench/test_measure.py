"""The benchmarks' arithmetic: turns are taken, ratios are paired, goals are judged on the median."""

from __future__ import annotations

from functools import partial

import pytest

from bench.measure import Action, Sample, figure, interleaved, ratios, report, timed, unmeasured


@pytest.mark.unit
def test_cases_take_turns_and_each_round_begins_with_another() -> None:
    order: list[str] = []

    def prepare(name: str) -> Action:
        return partial(order.append, name)

    samples = interleaved({name: partial(prepare, name) for name in ("a", "b")}, rounds=2)
    assert order == ["a", "b", "b", "a"]
    assert {name: len(listed) for name, listed in samples.items()} == {"a": 2, "b": 2}


@pytest.mark.unit
def test_a_run_that_measured_itself_is_taken_at_its_word() -> None:
    own = Sample(cpu=3.0, wall=4.0)
    assert timed(lambda: own) == own
    assert timed(lambda: sum(range(1000))).cpu < 3


@pytest.mark.unit
def test_ratios_are_taken_within_rounds() -> None:
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


@pytest.mark.unit
@pytest.mark.parametrize(("at_least", "at_most", "goal", "met"), [(2, None, "≥ 2", True), (None, 2, "≤ 2", False)])
def test_a_goal_is_judged_on_the_median(at_least: float | None, at_most: float | None, goal: str, met: bool) -> None:
    judged = figure("rate", "1/s", [1.0, 3.0, 3.0], at_least=at_least, at_most=at_most)
    assert (judged.median, judged.least, judged.greatest) == (3.0, 1.0, 3.0)
    assert (judged.goal, judged.met) == (goal, met)


@pytest.mark.unit
def test_what_was_not_measured_has_a_row_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    report("Rates", [unmeasured("on a device", "1/s", "no device", at_least=3)], as_json=False)
    assert "not measured: no device" in capsys.readouterr().out
