"""What a calibration leaves in its folder beside the trials: the result, the best parameters as overrides, a picture of
the search, and the best trial as a run of its own.

Overrides are a map of dotted paths to decimal text, which is what `spec.parameters` of a Simulation takes as it stands.
"""

from __future__ import annotations

import json
import math
import shlex
from pathlib import Path
from typing import Any

from civlab.analysis.calibration import FORMAT, Calibration, Trial, calibrate_problem, make_problem
from civlab.analysis.drawing import draw_convergence
from civlab.errors import CivlabError
from civlab.runs.devices import choose_backend
from civlab.runs.whole import claim_place, run_whole
from civlab.runtime.backend import Backend
from civlab.store import Store, open_store

RESULT, OVERRIDES, BEST_RUN = "result.json", "best.yaml", "best"
PICTURES = ("convergence.png", "convergence.svg")


def keep_calibration(calibration: Calibration, out: str | Path, backend: Backend) -> Store | None:
    """Write everything into the search's folder; the best trial's run comes back, None when no trial could be run.

    Raises CivlabError DIGEST_MISMATCH when the best trial does not come again to what it came to.
    """
    place, best = open_store(out, create=True), calibration.best
    place.put(RESULT, json.dumps(result_document(calibration), indent=2, ensure_ascii=False).encode() + b"\n")
    if best is None:
        return None
    place.put(OVERRIDES, overrides_text(calibration, best).encode())
    for name in PICTURES:
        distances = [trial.distance for trial in calibration.trials]
        place.put(name, draw_convergence(distances, form=name.rpartition(".")[2]))
    return _best_run(calibration, best, out, backend)


def _best_run(calibration: Calibration, best: Trial, out: str | Path, backend: Backend) -> Store:
    spec, store = calibration.problem.spec(best.values), open_store(Path(out) / BEST_RUN, create=True)
    claim_place(spec, store, force=True)
    manifest = run_whole(spec, store, backend, checkpoint_every=0).manifest
    if manifest is None or manifest.digest != best.digest:
        message = (
            "the best trial comes to another digest than when it was tried: another version made the trials; "
            "search anew in another place"
        )
        raise CivlabError("DIGEST_MISMATCH", store.url, message)
    return store


def result_document(calibration: Calibration) -> dict[str, Any]:
    """The result as a JSON object; what is no number is null."""
    problem, best = calibration.problem, calibration.best
    return {
        "format": FORMAT,
        "title": problem.base.scenario.title,
        "scenario": problem.base.scenario_hash,
        "complete": calibration.complete,
        "best": None if best is None else _trial_document(best),
        "targets": [
            {
                "outcome": str(goal.outcome),
                "unit": goal.unit,
                "value": goal.value,
                "tolerance": goal.tolerance,
                "weight": goal.weight,
                "found": None if best is None else best.outcomes[place],
            }
            for place, goal in enumerate(problem.targets.goals)
        ],
        "trials": [_trial_document(trial) for trial in calibration.trials],
    }


def _trial_document(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "parameters": dict(trial.values),
        "distance": trial.distance if math.isfinite(trial.distance) else None,
        "outcomes": [value if math.isfinite(value) else None for value in trial.outcomes],
        "digest": trial.digest,
        "refusal": trial.refusal,
    }


def overrides_text(calibration: Calibration, best: Trial) -> str:
    """The best parameters as a YAML map of paths to texts."""
    lines = [
        f"# Overrides of the scenario {calibration.problem.base.scenario_hash}, found by civlab calibrate",
        f"# in {len(calibration.trials)} trials; mean squared distance {best.distance:.6g} tolerances.",
        *(f'{path}: "{text}"' for path, text in best.values.items()),
    ]
    return "\n".join(lines) + "\n"


def command_text(scenario: str, calibration: Calibration, best: Trial) -> str:
    """The command that runs the scenario with the best parameters, as the trial ran it."""
    file = calibration.problem.targets.file
    words = ["civlab", "run", scenario, "--seed", str(file.seed), "--members", str(file.members)]
    for path, text in {**dict(calibration.problem.base.overrides), **best.values}.items():
        words += ["--set", f"{path}={text}"]
    return shlex.join(words)


def calibrate(
    scenario: str | Path,
    targets: str | Path,
    out: str | Path,
    *,
    trials: int | None = None,
    threads: int | None = None,
    backend: str = "auto",
) -> Calibration:
    """Search to the end and keep the result in the folder `out`.

    Raises CivlabError as `make_problem`, `calibrate_problem` and `keep_calibration` do.
    """
    device = choose_backend(backend, threads=threads)
    done = calibrate_problem(make_problem(scenario, targets, trials=trials), out, device)
    keep_calibration(done, out, device)
    return done
