"""Calibration against truths that we planted, and a search that does not care whether it was interrupted."""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import civlab
from civlab.analysis.calibration import (
    TRIALS,
    Calibration,
    Problem,
    calibrate_problem,
    distance_of,
    make_problem,
    open_study,
    run_trial,
)
from civlab.analysis.keeping import command_text, keep_calibration, result_document
from civlab.analysis.outcomes import Outcome
from civlab.analysis.targets import Goal
from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec
from civlab.runtime.backend import Backend
from parpour_contracts.scenario import override, parse_scenario

EXAMPLES = Path(__file__).parents[3] / "examples"
SEARCHED = """\
parameters:
  - {name: configuration.feedback, minimum: 0.6, maximum: 3}
  - {name: configuration.transfer_deep, minimum: 0.2, maximum: 2}
targets:
  - {metric: warming, from: 70, until: 80, value: 1, tolerance: 0.02}
  - {metric: warming, from: 110, until: 120, value: 1, tolerance: 0.02}
  - {metric: imbalance, from: 110, until: 120, value: 1, tolerance: 0.02}
seed: 3
"""


def with_values(text: str, values: list[float]) -> str:
    """The targets with these values."""
    for value in values:
        text = text.replace("value: 1,", f"value: {value:.6f},", 1)
    return text


def problem_of(scenario: str, *, trials: int, text: str = SEARCHED) -> Problem:
    return make_problem(scenario, text, trials=trials)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CivlabError) as caught:
        act()
    return caught.value.code


ONE_SEARCHED = """\
parameters:
  - {name: configuration.feedback, minimum: 0.6, maximum: 3}
targets:
  - {metric: warming, from: 70, until: 80, value: 1, tolerance: 0.02}
  - {metric: warming, from: 110, until: 120, value: 1, tolerance: 0.02}
trials: 40
"""


@pytest.mark.kernel
def test_a_parameter_that_made_the_targets_is_found_again(warming: str, tmp_path: Path, cpu: Backend) -> None:
    """The truth is ours: the same model ran with a known feedback, which sets the equilibrium warming."""
    made, _ = run_trial(make_problem(warming, ONE_SEARCHED), {"configuration.feedback": "1.2"}, cpu)
    found = calibrate_problem(make_problem(warming, with_values(ONE_SEARCHED, made)), tmp_path, cpu)
    assert found.complete
    assert found.best is not None
    assert found.best.distance < 1
    assert float(found.best.values["configuration.feedback"]) == pytest.approx(1.2, rel=0.03)
    for goal, value in zip(found.problem.targets.goals, found.best.outcomes, strict=True):
        assert abs(value - goal.value) < 2 * goal.tolerance


@pytest.mark.kernel
def test_the_examples_targets_are_what_its_stated_truth_comes_to(cpu: Backend) -> None:
    """examples/calibrate-climate.yaml says with which parameters its targets were made."""
    text = (EXAMPLES / "calibrate-climate.yaml").read_text()
    problem = make_problem(EXAMPLES / "warming-scenario.yaml", text)
    truth = dict(re.findall(r"^# {3}(configuration\.\w+): ([0-9.]+)$", text, re.MULTILINE))
    assert truth.keys() == {each.name for each in problem.targets.ranges}
    outcomes, _ = run_trial(problem, truth, cpu)
    assert distance_of(problem.targets.goals, outcomes) < 1e-3


@pytest.mark.kernel
def test_an_interrupted_search_tries_what_an_undisturbed_one_tries(warming: str, tmp_path: Path, cpu: Backend) -> None:
    problem = problem_of(warming, trials=13)
    undisturbed = calibrate_problem(problem, tmp_path / "a", cpu)
    asked = itertools.count()
    stopped = calibrate_problem(problem, tmp_path / "b", cpu, stop=lambda: next(asked) >= 11)
    assert (len(stopped.trials), stopped.complete) == (11, False)
    journal = tmp_path / "b" / TRIALS
    open_study(optuna, journal).ask()  # what a killed process leaves: a trial that was begun and never told,
    with journal.open("ab") as torn:
        torn.write(b'{"op_code":5,"wor')  # and half a line
    resumed = calibrate_problem(problem, tmp_path / "b", cpu)
    assert resumed.trials == undisturbed.trials
    assert len({tuple(trial.values.items()) for trial in resumed.trials}) == 13
    more = calibrate_problem(replace(problem, targets=problem_of(warming, trials=14).targets), tmp_path / "b", cpu)
    assert more.trials[:13] == resumed.trials
    assert len(more.trials) == 14


@pytest.mark.kernel
def test_what_is_kept_can_be_run_verified_and_read(warming: str, tmp_path: Path, cpu: Backend) -> None:
    scenario, out = tmp_path / "warming.yaml", tmp_path / "out"
    scenario.write_text(warming)
    found = calibrate_problem(problem_of(warming, trials=2), out, cpu)
    store = keep_calibration(found, out, cpu)
    assert store is not None
    assert found.best is not None
    assert json.loads((out / "result.json").read_text()) == result_document(found)
    overrides = yaml.safe_load((out / "best.yaml").read_text())
    assert overrides == dict(found.best.values)
    assert all(isinstance(text, str) for text in overrides.values())
    assert civlab.verify(out / "best", threads=1).holds
    assert civlab.open(out / "best").manifest.digest == found.best.digest
    by_hand = civlab.run(scenario, tmp_path / "by-hand", seed=3, parameters=overrides, threads=1)
    assert by_hand.manifest is not None
    assert by_hand.manifest.digest == found.best.digest
    command = command_text(str(scenario), found, found.best)
    assert command.startswith(f"civlab run {scenario} --seed 3 --members 1 --set configuration.feedback=")
    keep_calibration(found, out, cpu)
    assert override(parse_scenario(warming), overrides)


@pytest.mark.kernel
def test_another_search_in_the_same_folder_is_refused(warming: str, tmp_path: Path, cpu: Backend) -> None:
    calibrate_problem(problem_of(warming, trials=1), tmp_path, cpu)
    other = problem_of(warming, trials=1, text=SEARCHED.replace("seed: 3", "seed: 4"))
    assert code_of(lambda: calibrate_problem(other, tmp_path, cpu)) == "PLACE_TAKEN"
    assert code_of(lambda: calibrate_problem(other, "s3://bucket/x", cpu)) == "OUTPUT_NOT_LOCAL"


@pytest.mark.kernel
@pytest.mark.parametrize("damage", [b"no journal\n\x00\xff\n", b"{}\n", b"[1]\n2\n"])
def test_a_damaged_file_of_trials_is_named(warming: str, tmp_path: Path, cpu: Backend, damage: bytes) -> None:
    (tmp_path / TRIALS).write_bytes(damage)
    with pytest.raises(CivlabError) as refused:
        calibrate_problem(problem_of(warming, trials=1), tmp_path, cpu)
    assert (refused.value.code, refused.value.path) == ("STORE_OBJECT_DAMAGED", str(tmp_path / TRIALS))


@pytest.mark.kernel
def test_parameters_that_the_scenario_refuses_count_as_trials_and_are_never_best(
    warming: str, tmp_path: Path, cpu: Backend
) -> None:
    """An overlay must end after it begins, so about half of these pairs make no scenario."""
    overlay = "pathway: {kind: overlay, begin: 1960, until: 1970, co2: 1, base: {kind: family, name: low}}"
    overlaid = re.sub("pathway: .*", overlay, warming)
    text = """\
parameters:
  - {name: pathway.begin, minimum: 1955, maximum: 2000}
  - {name: pathway.until, minimum: 1955, maximum: 2000}
targets:
  - {figure: final_co2, value: 400, tolerance: 10}
trials: 12
"""
    found = calibrate_problem(make_problem(overlaid, text), tmp_path, cpu)
    refused = [trial for trial in found.trials if math.isinf(trial.distance)]
    assert len(found.trials) == 12
    assert 0 < len(refused) < 12
    assert all("until must be later than begin" in trial.refusal for trial in refused)
    assert found.best is not None
    assert int(found.best.values["pathway.until"]) > int(found.best.values["pathway.begin"])
    assert all(trial["distance"] is None for trial in result_document(found)["trials"] if trial["refusal"])
    again = calibrate_problem(found.problem, tmp_path, cpu)
    assert again.trials == found.trials
    only_refused = Calibration(found.problem, tuple(refused), complete=True)
    assert only_refused.best is None
    assert keep_calibration(only_refused, tmp_path, cpu) is None


@pytest.mark.kernel
def test_a_parameter_is_set_or_searched_but_not_both(warming: str) -> None:
    act = lambda: make_problem(warming, SEARCHED, overrides={"configuration.feedback": "1"})  # noqa: E731
    assert code_of(act) == "RUN_PARAMETER_TWICE"


@pytest.mark.unit
def test_how_many_trials_are_made_is_no_part_of_the_searchs_identity(warming: str) -> None:
    few, many = problem_of(warming, trials=1), problem_of(warming, trials=900)
    assert few.identity() == many.identity()
    assert isinstance(few.base, RunSpec)
    other = make_problem(warming, SEARCHED, overrides={"configuration.efficacy": "1"})
    assert other.identity() != few.identity()


@pytest.mark.unit
def test_the_distance_is_the_weighted_mean_square_in_tolerances() -> None:
    goals = (Goal(Outcome("a"), "", 10.0, 2.0, 1.0), Goal(Outcome("b"), "", 0.0, 0.5, 3.0))
    assert distance_of(goals, [14.0, 0.5]) == pytest.approx((1 * 4 + 3 * 1) / 4)
    assert distance_of(goals, [10.0, 0.0]) == 0


@pytest.mark.unit
@given(found=st.floats(), value=st.floats(-1e30, 1e30), tolerance=st.floats(1e-30, 1e30))
def test_a_distance_is_never_negative_and_never_no_number(found: float, value: float, tolerance: float) -> None:
    assert distance_of((Goal(Outcome("a"), "", value, tolerance, 1.0),), [found]) >= 0


@pytest.mark.kernel
def test_without_the_extra_the_remedy_is_named(
    warming: str, tmp_path: Path, cpu: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert code_of(lambda: calibrate_problem(problem_of(warming, trials=1), tmp_path, cpu)) == "EXTRA_MISSING"
