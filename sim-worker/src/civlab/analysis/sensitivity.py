"""A sensitivity analysis from its question to its answer: an ordinary run over SALib's points, then indices.

The run lies in `run/` below the analysis' place, so it is resumed, verified and opened as any run is; the answer's
files lie beside it. All points share their random numbers, replicate by replicate, so what differs between points is
the parameters' doing, and the outcome at a point is the mean of its replicates.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.drawing import draw_indices
from civlab.analysis.indices import Indices, sensitivity_indices
from civlab.analysis.outcomes import Outcome, check_outcome, member_values, parse_outcome
from civlab.analysis.ranges import checked_ranges
from civlab.analysis.sampling import Method, Sample, listed_design, sample_points
from civlab.api import make_spec, scenario_text
from civlab.results.reader import Results
from civlab.runs.devices import choose_backend
from civlab.runs.progress import Watcher, unwatched
from civlab.runs.spec import RunSpec
from civlab.runs.whole import WholeRun, claim_place, run_whole
from civlab.store import open_store
from parpour_contracts.scenario import parameters
from parpour_contracts.simulation import DesignParameter

FORMAT = "civlab.sensitivity/1"
RUN_FOLDER = "run"
ANSWER, PICTURES = "sensitivity.json", ("sensitivity.png", "sensitivity.svg")


@dataclass(frozen=True)
class Question:
    """A sensitivity analysis that can be asked: the run that it needs, and what is made of it."""

    spec: RunSpec
    sample: Sample
    outcome: Outcome
    unit: str
    replicates: int


@dataclass(frozen=True)
class Answer:
    """Indices by parameter; `mean` and `deviation` are the outcome's over the points, `chance` the share of the
    members' variance that lies between the replicates of a point (None without replicates)."""

    question: Question
    digest: str
    mean: float
    deviation: float
    chance: float | None
    indices: Indices

    def document(self) -> dict[str, Any]:
        """The answer as a JSON object."""
        question = self.question
        return {
            "format": FORMAT,
            "title": question.spec.scenario.title,
            "method": question.sample.method.value,
            "outcome": str(question.outcome),
            "unit": question.unit,
            "run": question.spec.run_hash,
            "digest": self.digest,
            "points": len(question.sample.unit),
            "replicates": question.replicates,
            "ranges": {each.name: [each.minimum, each.maximum] for each in question.sample.ranges},
            "mean": self.mean,
            "deviation": self.deviation,
            "chance": self.chance,
            "parameters": [asdict(index) for index in self.indices],
        }


def make_question(
    scenario: str | Path,
    ranges: Sequence[DesignParameter],
    *,
    method: Method | str = Method.SOBOL,
    samples: int = 64,
    outcome: str,
    seed: int = 0,
    replicates: int = 1,
    ticks: int | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Question:
    """The analysis that these arguments describe, checked.

    Raises CivlabError with the codes of scenarios, designs and outcomes, RANGE_MALFORMED, SENSITIVITY_SAMPLES or
    EXTRA_MISSING.
    """
    text = scenario_text(scenario)
    base = make_spec(text, seed=seed, ticks=ticks, parameters=overrides)
    asked = parse_outcome(outcome, where="outcome")
    unit = check_outcome(asked, base, where="outcome")
    known = parameters(base.scenario)
    scales = checked_ranges(ranges, known, where=lambda index, _field: f"parameter {ranges[index].name}")
    sample = sample_points(Method(method), ranges, samples=samples, seed=seed)
    spec = make_spec(
        text,
        members=len(sample.unit) * replicates,
        seed=seed,
        ticks=ticks,
        parameters=overrides,
        design=listed_design(sample, scales),
    )
    return Question(spec, sample, asked, unit, replicates)


def run_question(
    question: Question,
    out: str | Path,
    *,
    force: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    checkpoint_every: int = 30,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[WholeRun, Answer | None]:
    """Carry the analysis out in `out`, going on with what stands there; no answer when `stop()` came before the end.

    Raises CivlabError PLACE_TAKEN when another run stands in `out`'s run folder and `force` is not given,
    SENSITIVITY_NO_VARIANCE, SENSITIVITY_NOT_A_NUMBER and what runs raise.
    """
    device = choose_backend(backend, threads=threads)
    store = open_store(place_of_run(out), create=True)
    claim_place(question.spec, store, force=force)
    done = run_whole(
        question.spec, store, device, checkpoint_every=checkpoint_every, on_progress=on_progress, stop=stop
    )
    if done.manifest is None:
        return done, None
    answer = answer_question(question, Results(store))
    place = open_store(out, create=True)
    place.put(ANSWER, json.dumps(answer.document(), indent=2, ensure_ascii=False).encode() + b"\n")
    for name in PICTURES:
        place.put(name, draw_indices(answer.indices, axis=axis_of(question), form=name.rpartition(".")[2]))
    return done, answer


def answer_question(question: Question, results: Results) -> Answer:
    """The answer that a complete run of the question gives."""
    members = member_values(results, question.outcome).reshape(-1, question.replicates)
    points = members.mean(axis=1)
    return Answer(
        question=question,
        digest=results.manifest.digest,
        mean=float(points.mean()),
        deviation=float(points.std(ddof=1)),
        chance=share_of_chance(members),
        indices=sensitivity_indices(question.sample, points, seed=question.spec.seed),
    )


def share_of_chance(members: NDArray[np.float64]) -> float | None:
    """The share of the variance of [points, replicates] that lies within points; None for one replicate.

    It is the estimate of a one-way analysis of variance with random effects: the mean variance within a point over its
    sum with the variance of the points' true means.
    """
    if members.shape[1] < 2:
        return None
    within = float(members.var(axis=1, ddof=1).mean())
    between = max(0.0, float(members.mean(axis=1).var(ddof=1)) - within / members.shape[1])
    return within / (within + between) if within + between else None


def place_of_run(out: str | Path) -> str:
    """Where the analysis' run lies."""
    return f"{str(out).rstrip('/')}/{RUN_FOLDER}"


def axis_of(question: Question) -> str:
    """What the indices' axis shows."""
    if question.sample.method is Method.SOBOL:
        return f"share of the variance of {question.outcome}"
    unit = f", {question.unit}" if question.unit else ""
    return f"effect of the whole range on {question.outcome}{unit}"


def sensitivity(
    scenario: str | Path, out: str | Path, ranges: Mapping[str, tuple[object, object]], **options: Any
) -> Answer:
    """Ask and answer at once: `ranges` gives (low, high) by parameter, `options` are those of `make_question`.

    Raises CivlabError as `make_question` and `run_question` do.
    """
    spans = [DesignParameter(name=name, minimum=str(low), maximum=str(high)) for name, (low, high) in ranges.items()]
    _, answer = run_question(make_question(scenario, spans, **options), out)
    assert answer is not None, "nothing told it to stop"
    return answer
