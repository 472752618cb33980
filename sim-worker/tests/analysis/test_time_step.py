"""Time-step checks against errors whose law is known, Student's t by SciPy, and a small civilisation.

A first-order error C (h - 1) over the finest step of 1 must come out as order 1, a second-order one as order 2, seeds
alone as chance, and a jump that no refinement removes as one that persists.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student

from civlab.analysis.time_step import (
    StepAnswer,
    answer_step_question,
    chance_of_t,
    dependence,
    make_step_question,
    run_step_question,
)
from civlab.errors import CivlabError
from civlab.results.reader import open_results
from parpour_contracts.scenario import MODELS, builtin_scenario, parameters, parse_scenario

LENGTHS = (1, 2, 4, 13)
LEVEL = 0.01
TOWN = """\
apiVersion: civlab/v1
model: civilisation
title: Two small nations
ticks: 52
population: {size: 1000}
world: {map: {regions: 2}}
"""


def seeds_of(error: dict[int, float], *, seeds: int = 40, noise: float = 0.01) -> np.ndarray:
    """Values [length, seed]: what each seed has of its own, this error of the step, and a little noise."""
    generator = np.random.default_rng(5)
    own = generator.normal(10, 1, seeds)
    return np.array([own + error[length] + noise * generator.normal(0, 1, seeds) for length in LENGTHS])


@pytest.mark.parametrize("freedom", [1, 2, 3, 7, 8, 15, 40])
@pytest.mark.parametrize("t", [0.0, 0.3, -2.0, 5.0, 30.0])
def test_the_chance_of_a_t_is_scipys(t: float, freedom: int) -> None:
    assert chance_of_t(t, freedom) == pytest.approx(2 * student.sf(abs(t), freedom), abs=1e-13)


@pytest.mark.parametrize("order", [1, 2])
def test_an_error_of_a_known_order_shrinks_by_that_order(order: int) -> None:
    values = seeds_of({h: 0.1 * (h**order - 1) for h in LENGTHS}, noise=0.001)
    found = dependence("figure", "", LENGTHS, values, level=LEVEL)
    assert found.verdict == "shrinks"
    assert found.order == pytest.approx(order, abs=0.02)
    assert found.steps[3].difference == pytest.approx(0.1 * (13**order - 1), rel=0.01)
    assert found.steps[3].spreads == pytest.approx(found.steps[3].difference / found.spread)
    assert 0.8 < found.spread < 1.2


def test_seeds_alone_are_chance_and_equal_values_the_same() -> None:
    values = seeds_of(dict.fromkeys(LENGTHS, 0.0), noise=1)
    assert dependence("figure", "", LENGTHS, values, level=LEVEL).verdict == "none"
    equal = dependence("figure", "", LENGTHS, np.array([values[0]] * 4), level=LEVEL)
    assert (equal.verdict, equal.order) == ("same", None)


def test_a_jump_that_refinement_does_not_remove_persists() -> None:
    found = dependence("figure", "", LENGTHS, seeds_of({1: 0, 2: 1, 4: 1, 13: 0.9}), level=LEVEL)
    assert found.verdict == "persists"
    assert found.order is None


def test_equal_shifts_of_few_seeds_may_be_chance() -> None:
    for seeds, real in ((3, False), (30, True)):
        counts = np.arange(seeds, dtype=float)
        found = dependence("figure", "", (1, 2), np.array([counts, counts + 1]), level=LEVEL)
        assert (found.steps[1].error, found.steps[1].real) == (0, real)


def test_a_difference_where_seeds_do_not_differ_is_real_and_without_spreads() -> None:
    found = dependence("figure", "", (1, 2), np.array([[3.0] * 4, [4.0] * 4]), level=LEVEL)
    assert (found.steps[1].real, found.steps[1].spreads, found.spread) == (True, None, 0)


def test_a_model_that_declares_a_step_has_it_as_a_parameter_and_any_other_is_refused(savers: str, warming: str) -> None:
    documents = {"civilisation": TOWN, "climate": warming, "epidemic": builtin_scenario("epidemic"), "exchange": savers}
    assert set(documents) == set(MODELS)
    for document in documents.values():
        scenario = parse_scenario(document)
        if scenario.step is None:
            with pytest.raises(CivlabError) as refused:
                make_step_question(document)
            assert (refused.value.code, refused.value.path) == ("STEP_FIXED", "model")
            assert scenario.tick_name in refused.value.message
            continue
        known = parameters(scenario)[scenario.step.path]
        assert known.value in scenario.step.values
        values = scenario.step.values
        assert list(values) == sorted(set(values))
        assert [known.minimum, known.maximum] == [Decimal(values[0]), Decimal(values[-1])]


def test_runs_that_are_no_whole_number_of_steps_and_lone_seeds_are_refused() -> None:
    for options, code, path in (
        ({"ticks": 100}, "STEP_TICKS", "ticks"),
        ({"ticks": 51}, "STEP_TICKS", "ticks"),
        ({"seeds": 1}, "STEP_SEEDS", "members"),
        ({"outcomes": ["births"]}, "OUTCOME_UNKNOWN", "outcome"),
    ):
        with pytest.raises(CivlabError) as refused:
            make_step_question(TOWN, **options)
        assert (refused.value.code, refused.value.path) == (code, path)


@pytest.mark.long
@pytest.mark.kernel
def test_a_civilisation_is_run_at_every_length_with_the_same_seeds(tmp_path: Path) -> None:
    question = make_step_question(TOWN, outcomes=["citizens", "births@0..52"], seeds=3, seed=4)
    done, answer = run_step_question(question, tmp_path / "kept", threads=1)
    assert isinstance(answer, StepAnswer)
    assert done.members == 12
    results = open_results(tmp_path / "kept" / "run")
    members = results.arrow("members", ["stream", "parameter:people.round"]).to_pydict()
    assert members["stream"] == [0, 1, 2] * 4
    assert [int(value) for value in members["parameter:people.round"]] == [1] * 3 + [2] * 3 + [4] * 3 + [13] * 3
    births = results.arrow("timeseries", ["births"]).column(0).to_numpy().reshape(4, 3, 52)
    found = answer.dependences[1]
    assert [step.mean for step in found.steps] == pytest.approx(births.mean(axis=(1, 2)).tolist())
    for length, of_seeds in zip(LENGTHS, births, strict=True):
        weeks = np.flatnonzero(of_seeds.sum(axis=0))
        assert (weeks % length == length - 1).all()
        assert len(weeks) > (20 if length == 1 else 0.4 * 52 / length)
    assert json.loads((tmp_path / "kept" / "time-step.json").read_text()) == json.loads(json.dumps(answer.document()))
    assert answer_step_question(question, results, tolerance=1.0) == answer
