"""Calibration: the parameters with which a model comes nearest to given targets, searched by Optuna.

Trials stand in a journal that Optuna's own tools open (SQLite would cost more time than a small model's run). The
sampler is seeded anew for each trial from the search's seed and the number of trials behind it, so a search that was
interrupted and goes on tries the same parameters as one that was not. The exact texts of a trial's parameters, its
outcomes and its run's digest are kept with it: Optuna itself keeps floats.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from civlab.analysis.extra import library
from civlab.analysis.outcomes import member_values
from civlab.analysis.targets import Goal, Targets, fit_targets, parse_targets, targets_text
from civlab.api import make_spec, scenario_text
from civlab.design.bits import keyed_words
from civlab.errors import CivlabError
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from civlab.runs.whole import run_whole
from civlab.runtime.backend import Backend
from civlab.store import open_store
from civlab.store.sealed import seal
from parpour_contracts.scenario import parameters as parameters_of

FORMAT = "civlab.calibration/1"
IDENTITY, TRIALS = "calibration.json", "trials.journal"
STUDY = "civlab"
LOCK_SECONDS = 3
"""After so long the lock of a journal is that of a killed process: it is held for single lines."""
KEPT = "civlab"
"""The attribute of a trial in which we keep what is exact."""


@dataclass(frozen=True)
class Trial:
    """One set of parameters that was tried: its texts by path, the outcomes in the order of the targets, the mean
    squared distance in tolerances (infinite where the scenario refused the parameters), and its run's digest."""

    number: int
    values: Mapping[str, str]
    outcomes: tuple[float, ...]
    distance: float
    digest: str
    refusal: str = ""


@dataclass(frozen=True)
class Problem:
    """A calibration that can be carried out: `base` is the scenario's run without the varied parameters."""

    text: str
    base: RunSpec
    targets: Targets

    @property
    def trials(self) -> int:
        """Trials to make, those that stand included."""
        return self.targets.file.trials

    def spec(self, values: Mapping[str, str]) -> RunSpec:
        """The run of a trial: all trials share seed and members, so they differ by their parameters alone."""
        return make_spec(
            self.text,
            members=self.targets.file.members,
            seed=self.targets.file.seed,
            parameters={**dict(self.base.overrides), **values},
        )

    def identity(self) -> dict[str, Any]:
        """What decides every trial; how many are made is no part of it."""
        file = self.targets.file.model_dump(mode="json", by_alias=True, exclude={"trials"})
        return {"format": FORMAT, "scenario": self.base.scenario_hash, "targets": file}


@dataclass(frozen=True)
class Calibration:
    """A search as far as it went: its trials in order, and whether all were made."""

    problem: Problem
    trials: tuple[Trial, ...]
    complete: bool

    @property
    def best(self) -> Trial | None:
        """The first of the nearest trials; None while no trial could be run."""
        runnable = [trial for trial in self.trials if math.isfinite(trial.distance)]
        return min(runnable, key=lambda trial: trial.distance, default=None)


TrialWatcher = Callable[[Trial, Trial | None], None]
"""Told each new trial, and the best so far."""


def unwatched(_trial: Trial, _best: Trial | None) -> None:
    """A watcher that looks away."""


def make_problem(
    scenario: str | Path,
    targets: str | Path,
    *,
    trials: int | None = None,
    ticks: int | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Problem:
    """The calibration of a scenario to a targets file (a path, or a text of several lines), checked.

    `trials` replaces the file's number. Raises CivlabError with the codes of scenarios and of `parse_targets` and
    `fit_targets`, and RUN_PARAMETER_TWICE for a parameter that is both set and varied.
    """
    file = parse_targets(targets if isinstance(targets, str) and "\n" in targets else targets_text(targets))
    if trials is not None:
        file = file.model_copy(update={"trials": trials})
    text = scenario_text(scenario)
    base = make_spec(text, members=file.members, seed=file.seed, ticks=ticks, parameters=overrides)
    fitted = fit_targets(file, base)
    twice = dict(base.overrides).keys() & {each.name for each in fitted.ranges}
    for name in sorted(twice):
        raise CivlabError(
            "RUN_PARAMETER_TWICE", name, "is set for the whole search and varied by it; keep one of the two"
        )
    return Problem(text, base, fitted)


def calibrate_problem(
    problem: Problem,
    out: str | Path,
    backend: Backend,
    *,
    on_trial: TrialWatcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> Calibration:
    """Search in the folder `out`, going on from the trials that stand there, until all are made or `stop()` is true.

    Raises CivlabError PLACE_TAKEN when another calibration stands there, OUTPUT_NOT_LOCAL for a place that is no
    folder, EXTRA_MISSING and what runs raise. A trial whose parameters the scenario refuses counts as made.
    """
    optuna = library("optuna")
    claim(problem, out)
    study = open_study(optuna, Path(out) / TRIALS)
    done = standing_trials(optuna, study)
    while len(done) < problem.trials and not stop():
        done.append(_try(optuna, study, problem, backend, after=len(done)))
        on_trial(done[-1], Calibration(problem, tuple(done), complete=False).best)
    return Calibration(problem, tuple(done), complete=len(done) >= problem.trials)


def claim(problem: Problem, out: str | Path) -> None:
    """Make a folder this calibration's own. Raises CivlabError PLACE_TAKEN or OUTPUT_NOT_LOCAL."""
    if "://" in str(out):
        raise CivlabError("OUTPUT_NOT_LOCAL", str(out), "a search keeps its trials in a file; give a folder")
    store = open_store(out, create=True)
    try:
        store.put_once(IDENTITY, seal(problem.identity(), readable=True))
    except CivlabError as fault:
        if fault.code != "STORE_CONFLICT":
            raise
        message = "holds a calibration with another scenario, seed or targets; choose another place, or delete that one"
        raise CivlabError("PLACE_TAKEN", store.url, message) from None


def open_study(optuna: ModuleType, file: Path) -> Any:
    """Optuna's study in a journal, made if it is not there. Raises CivlabError STORE_OBJECT_DAMAGED.

    A last line that a killed process left unfinished is cut off: its trial was never told.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = library("optuna.storages.journal")
    if file.exists():
        whole = file.read_bytes().rpartition(b"\n")
        os.truncate(file, len(whole[0] + whole[1]))
    try:
        lock = journal.JournalFileOpenLock(str(file), grace_period=LOCK_SECONDS)
        storage = optuna.storages.JournalStorage(journal.JournalFileBackend(str(file), lock_obj=lock))
        return optuna.create_study(storage=storage, study_name=STUDY, load_if_exists=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        message = "is no journal of trials; delete it to search anew, or search in another place"
        raise CivlabError("STORE_OBJECT_DAMAGED", str(file), message) from None


def standing_trials(optuna: ModuleType, study: Any) -> list[Trial]:
    """The trials that were made, in order; one that a killed process left half done is closed and not counted."""
    trials: list[Trial] = []
    for each in study.get_trials(deepcopy=False):
        if each.state == optuna.trial.TrialState.RUNNING:
            study.tell(each.number, state=optuna.trial.TrialState.FAIL)
        elif each.state != optuna.trial.TrialState.FAIL:
            kept = each.user_attrs[KEPT]
            distance = math.inf if each.value is None else float(each.value)
            trials.append(_trial(len(trials), kept, distance))
    return trials


def _trial(number: int, kept: Mapping[str, Any], distance: float) -> Trial:
    return Trial(number, kept["values"], tuple(kept["outcomes"]), distance, kept["digest"], kept["refusal"])


def _try(optuna: ModuleType, study: Any, problem: Problem, backend: Backend, *, after: int) -> Trial:
    """Make the trial that comes after so many."""
    seed = keyed_words(f"calibration-sampler:{after}", problem.targets.file.seed, 1)[0] >> 32
    study.sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    asked = study.ask()
    values = _proposal(asked, problem)
    kept: dict[str, Any] = {"values": values, "outcomes": [], "digest": "", "refusal": ""}
    distance = math.inf
    try:
        kept["outcomes"], kept["digest"] = run_trial(problem, values, backend)
        distance = distance_of(problem.targets.goals, kept["outcomes"])
    except CivlabError as fault:
        if not fault.code.startswith("SCENARIO_"):
            raise
        kept["refusal"] = str(fault)
    asked.set_user_attr(KEPT, kept)
    if math.isfinite(distance):
        study.tell(asked, distance)
    else:
        study.tell(asked, state=optuna.trial.TrialState.PRUNED)
    return _trial(after, kept, distance)


def _proposal(asked: Any, problem: Problem) -> dict[str, str]:
    """The parameters that the sampler proposes, as exact texts."""
    known = parameters_of(problem.base.scenario)
    values = {}
    for each, scale in zip(problem.targets.ranges, problem.targets.scales, strict=True):
        low, high = Decimal(each.minimum or 0), Decimal(each.maximum or 0)
        if known[each.name].kind == "integer":
            values[each.name] = str(asked.suggest_int(each.name, int(low), int(high)))
            continue
        proposed = Fraction(asked.suggest_float(each.name, float(low), float(high)))
        share = (proposed - Fraction(low)) / (Fraction(high) - Fraction(low))
        values[each.name] = scale(min(max(share, Fraction(0)), Fraction(1)))
    return values


def run_trial(problem: Problem, values: Mapping[str, str], backend: Backend) -> tuple[list[float], str]:
    """The mean outcomes over the members of one run, held in memory, and its digest."""
    store = open_store("memory://")
    manifest = run_whole(problem.spec(values), store, backend, checkpoint_every=0).manifest
    assert manifest is not None, "nothing told it to stop"
    results = Results(store)
    means = [float(member_values(results, goal.outcome).mean()) for goal in problem.targets.goals]
    return means, manifest.digest


def distance_of(goals: Sequence[Goal], outcomes: Sequence[float]) -> float:
    """The weighted mean of the squared distances from the targets, in tolerances: 1 is within them on the whole.

    An outcome that is no number makes it infinite.
    """
    misses = [(found - goal.value) / goal.tolerance for goal, found in zip(goals, outcomes, strict=True)]
    weighted = sum(goal.weight * miss * miss for goal, miss in zip(goals, misses, strict=True))
    distance = weighted / sum(goal.weight for goal in goals)
    return distance if math.isfinite(distance) else math.inf
