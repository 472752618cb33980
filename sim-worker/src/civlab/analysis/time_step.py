"""Whether an ensemble's outcomes depend on the length of a model's time step.

All lengths are points of one ordinary run and share its seeds. Differences are taken seed by seed against the finest
step, because only they have an error that the seeds themselves show; they are then told in units of the spread between
seeds, which is what a user can compare them with. Fewer than three lengths show a difference but no order of
convergence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.outcomes import Outcome, check_outcome, member_values, parse_outcome
from civlab.api import make_spec, scenario_text
from civlab.errors import CivlabError
from civlab.results.reader import Results
from civlab.runs.devices import choose_backend
from civlab.runs.progress import Watcher, unwatched
from civlab.runs.spec import RunSpec
from civlab.runs.whole import WholeRun, claim_place, run_whole
from civlab.store import open_store
from parpour_contracts.scenario.document import Step
from parpour_contracts.simulation import Design, DesignParameter, DesignType

FORMAT = "civlab.time-step/1"
RUN_FOLDER, ANSWER = "run", "time-step.json"
LEVEL = 0.05
"""Chance that any of an answer's differences is called real though seeds alone made it."""
STEEPEST = 16.0
"""Orders of convergence above are told as this."""

Series = NDArray[np.float64]


@dataclass(frozen=True)
class StepQuestion:
    """A check that can be carried out: the run with `seeds` members at each length of the step, and its outcomes.

    `own` is the scenario's own length in ticks.
    """

    spec: RunSpec
    step: Step
    own: int
    seeds: int
    outcomes: tuple[Outcome, ...]
    units: tuple[str, ...]


@dataclass(frozen=True)
class StepDifference:
    """What one length of the step changes, in the outcome's unit: the mean over seeds, its difference from that of the
    finest step with the standard error, the same in spreads (None where seeds do not differ and steps do), and whether
    it is beyond chance."""

    step: int
    mean: float
    difference: float
    error: float
    spreads: float | None
    real: bool


@dataclass(frozen=True)
class StepDependence:
    """How an outcome depends on the step: `spread` is the standard deviation between seeds at the finest step.

    `verdict` is `same` (equal to the last digit), `none` (no difference beyond chance), `shrinks` (real differences get
    smaller as the step does, with the observed order where two of them tell it) or `persists`.
    """

    outcome: str
    unit: str
    spread: float
    steps: tuple[StepDifference, ...]
    order: float | None
    verdict: str


@dataclass(frozen=True)
class StepAnswer:
    """The dependences of all outcomes; `holds` says that none persists and that at the scenario's own step none is more
    than `tolerance` spreads off, really or perhaps by chance: what may be chance needs more seeds."""

    question: StepQuestion
    digest: str
    tolerance: float
    dependences: tuple[StepDependence, ...]

    @property
    def too_large(self) -> tuple[StepDependence, ...]:
        """Outcomes whose difference at the scenario's own step is real and beyond the tolerance."""
        return tuple(each for each in self.dependences if self._beyond(each) and self._at_own(each).real)

    @property
    def undecided(self) -> tuple[StepDependence, ...]:
        """Outcomes whose difference at the scenario's own step is beyond the tolerance and may yet be chance."""
        return tuple(each for each in self.dependences if self._beyond(each) and not self._at_own(each).real)

    @property
    def persisting(self) -> tuple[StepDependence, ...]:
        """Outcomes whose differences do not shrink with the step."""
        return tuple(each for each in self.dependences if each.verdict == "persists")

    @property
    def holds(self) -> bool:
        """Whether the scenario's own step is fine enough."""
        return not (self.too_large or self.undecided or self.persisting)

    def document(self) -> dict[str, Any]:
        """The answer as a JSON object."""
        question = self.question
        return {
            "format": FORMAT,
            "title": question.spec.scenario.title,
            "holds": self.holds,
            "step": {
                "parameter": question.step.path,
                "tick": question.spec.scenario.tick_name,
                "lengths": list(question.step.values),
                "own": question.own,
            },
            "seeds": question.seeds,
            "ticks": question.spec.ticks,
            "tolerance": self.tolerance,
            "run": question.spec.run_hash,
            "digest": self.digest,
            "outcomes": [asdict(each) for each in self.dependences],
        }

    def _at_own(self, each: StepDependence) -> StepDifference:
        return next(found for found in each.steps if found.step == self.question.own)

    def _beyond(self, each: StepDependence) -> bool:
        spreads = self._at_own(each).spreads
        return spreads is None or abs(spreads) > self.tolerance


def make_step_question(
    scenario: str | Path,
    *,
    outcomes: Sequence[str] = (),
    seeds: int = 16,
    seed: int = 0,
    ticks: int | None = None,
    overrides: Mapping[str, str] | None = None,
) -> StepQuestion:
    """The check that these arguments describe; without outcomes, of all headline figures.

    Raises CivlabError STEP_FIXED for a model whose only step is the tick, STEP_SEEDS, STEP_TICKS for a run that no
    length of the step divides, and the codes of scenarios and outcomes.
    """
    text = scenario_text(scenario)
    base = make_spec(text, seed=seed, ticks=ticks, parameters=overrides)
    tick, step = base.scenario.tick_name, base.scenario.step
    if step is None:
        message = (
            f"the rules of the model {base.scenario.model} know no step but the tick, a {tick}: its length cannot be "
            "changed, so whether results depend on it cannot be checked"
        )
        raise CivlabError("STEP_FIXED", "model", message)
    if seeds < 2:
        raise CivlabError("STEP_SEEDS", "members", f"{seeds} seeds show no spread; take two at least")
    whole = math.lcm(*step.values)
    if base.ticks % whole:
        less = f"{base.ticks // whole * whole} or " if base.ticks > whole else ""
        message = (
            f"{base.ticks} {tick}s are no whole number of steps of every length ({_listed(step)} {tick}s); take "
            f"{less}{(base.ticks // whole + 1) * whole}"
        )
        raise CivlabError("STEP_TICKS", "ticks", message)
    named = [each.name for each in base.results.headlines]
    asked = tuple(parse_outcome(each, where="outcome") for each in outcomes or named)
    units = tuple(check_outcome(each, base, where="outcome") for each in asked)
    values = tuple(str(value) for value in step.values)
    spec = make_spec(
        text,
        members=seeds * len(values),
        seed=seed,
        ticks=ticks,
        parameters=overrides,
        design=Design(type=DesignType.LIST, parameters=(DesignParameter(name=step.path, values=values),)),
    )
    return StepQuestion(spec, step, _own(base, step), seeds, asked, units)


def run_step_question(
    question: StepQuestion,
    out: str | Path | None = None,
    *,
    tolerance: float = 1.0,
    force: bool = False,
    backend: str = "auto",
    threads: int | None = None,
    on_progress: Watcher = unwatched,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[WholeRun, StepAnswer | None]:
    """Carry the check out in `out`, or in memory without one; no answer when `stop()` came before the end.

    `tolerance` is in spreads between seeds. Raises CivlabError PLACE_TAKEN when another run stands in `out`'s run
    folder and `force` is not given, STEP_NOT_A_NUMBER and what runs raise.
    """
    device = choose_backend(backend, threads=threads)
    store = open_store("memory://") if out is None else open_store(f"{str(out).rstrip('/')}/{RUN_FOLDER}", create=True)
    claim_place(question.spec, store, force=force)
    every = 0 if out is None else 30
    done = run_whole(question.spec, store, device, checkpoint_every=every, on_progress=on_progress, stop=stop)
    if done.manifest is None:
        return done, None
    answer = answer_step_question(question, Results(store), tolerance=tolerance)
    if out is not None:
        text = json.dumps(answer.document(), indent=2, ensure_ascii=False)
        open_store(out, create=True).put(ANSWER, text.encode() + b"\n")
    return done, answer


def answer_step_question(question: StepQuestion, results: Results, *, tolerance: float) -> StepAnswer:
    """The answer that a complete run of the question gives. Raises CivlabError STEP_NOT_A_NUMBER."""
    count = len(question.outcomes) * (len(question.step.values) - 1)
    found = []
    for outcome, unit in zip(question.outcomes, question.units, strict=True):
        values = member_values(results, outcome).reshape(-1, question.seeds)
        if not np.isfinite(values).all():
            raise CivlabError("STEP_NOT_A_NUMBER", str(outcome), "is no number in some members; choose another outcome")
        found.append(dependence(str(outcome), unit, question.step.values, values, level=LEVEL / count))
    return StepAnswer(question, results.manifest.digest, tolerance, tuple(found))


def dependence(outcome: str, unit: str, lengths: Sequence[int], values: Series, *, level: float) -> StepDependence:
    """How the values [length, seed], the finest step first, depend on the step.

    A difference is real when Student's t of the pairs has less than the chance `level`, two-sided. Where all pairs
    differ by the same, their signs must have less than that chance, unless seeds do not matter at all.
    """
    seeds = values.shape[1]
    spread = float(values[0].std(ddof=1))
    steps = []
    for length, row in zip(lengths, values, strict=True):
        pairs = row - values[0]
        difference, error = float(pairs.mean()), float(pairs.std(ddof=1)) / math.sqrt(seeds)
        by_chance = chance_of_t(difference / error, seeds - 1) if error else 2.0 ** (1 - seeds) if spread else 0.0
        real = difference != 0 and by_chance < level
        spreads = difference / spread if spread else None if difference else 0.0
        steps.append(StepDifference(length, float(row.mean()), difference, error, spreads, real))
    if (values == values[0]).all():
        verdict = "same"
    elif not any(each.real for each in steps):
        verdict = "none"
    else:
        verdict = "shrinks" if _shrink(steps) else "persists"
    return StepDependence(outcome, unit, spread, tuple(steps), observed_order(steps), verdict)


def _shrink(steps: Sequence[StepDifference]) -> bool:
    """Whether every real difference is smaller than that of the next coarser step."""
    shrinking = (
        not finer.real or abs(finer.difference) < abs(coarser.difference) for finer, coarser in pairwise(steps[1:])
    )
    return len(steps) > 2 and all(shrinking)


def observed_order(steps: Sequence[StepDifference]) -> float | None:
    """The p for which the two coarsest differences are as h^p - f^p, h the step and f the finest.

    None without two real differences of one sign of which the coarser is the larger, or where no p > 0 fits.
    """
    if len(steps) < 3 or not (steps[-1].real and steps[-2].real):
        return None
    finest, fine, coarse = (math.log(each.step) for each in (steps[0], steps[-2], steps[-1]))
    ratio = steps[-1].difference / steps[-2].difference
    if ratio <= (coarse - finest) / (fine - finest):
        return None
    low, high = 0.0, STEEPEST
    for _ in range(60):
        middle = (low + high) / 2
        expected = math.expm1(middle * (coarse - finest)) / math.expm1(middle * (fine - finest))
        low, high = (middle, high) if expected < ratio else (low, middle)
    return (low + high) / 2


def chance_of_t(t: float, freedom: int) -> float:
    """Two-sided tail of Student's t for whole degrees of freedom: the finite sums of Abramowitz and Stegun, 26.7.3 and
    26.7.4, good to some 1e-15."""
    angle = math.atan2(abs(t), math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    term = cosine if freedom % 2 else 1.0
    total = 0.0
    for k in range(freedom % 2 + 2, freedom + 1, 2):
        total += term
        term *= cosine * cosine * (k - 1) / k
    inside = 2 / math.pi * (angle + sine * total) if freedom % 2 else sine * total
    return max(0.0, 1 - inside)


def _own(base: RunSpec, step: Step) -> int:
    """The scenario's own length."""
    value: Any = base.scenario
    for part in step.path.split("."):
        value = getattr(value, part)
    assert value in step.values, "the field's values are the step's"
    return int(value)


def _listed(step: Step) -> str:
    *most, last = (str(value) for value in step.values)
    return f"{', '.join(most)} and {last}"
