"""The document of a calibration: which parameters may vary, what the model should come to, and how long is searched.

It is read by the strict YAML reader of scenarios, so its numbers are exact and its faults are named by code, field and
remedy as a scenario's are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from civlab.analysis.outcomes import Outcome, check_outcome
from civlab.analysis.ranges import checked_ranges
from civlab.errors import CivlabError
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import ScenarioError, parameters
from parpour_contracts.scenario.document import Exact, Section, Tick
from parpour_contracts.scenario.parse import first_fault
from parpour_contracts.scenario.text import read
from parpour_contracts.simulation import DESIGN_LIMIT, MEMBER_LIMIT, DesignParameter

MOST_TARGETS = 64
MOST_TRIALS = 100_000
LARGEST_FILE = 1 << 20
LARGEST, SMALLEST = 10**30, Decimal("1e-30")

CODES = {
    "SCENARIO_UNKNOWN_FIELD": "TARGETS_UNKNOWN_FIELD",
    "SCENARIO_MISSING_FIELD": "TARGETS_MISSING_FIELD",
    "SCENARIO_WRONG_TYPE": "TARGETS_WRONG_VALUE",
    "SCENARIO_OUT_OF_RANGE": "TARGETS_WRONG_VALUE",
    "SCENARIO_INVALID": "TARGETS_WRONG_VALUE",
}
"""What a fault of a scenario is called in a targets file; every other one is TARGETS_MALFORMED."""

Figure = Annotated[Exact, Field(ge=-LARGEST, le=LARGEST)]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[a-z0-9_.\[\]-]+$")]


class Varied(Section):
    """A parameter that the search may set, and its range."""

    name: Name
    """Dotted path."""
    minimum: Figure
    """Least value."""
    maximum: Figure
    """Greatest value."""


class Target(Section):
    """One thing that the model should come to: a headline figure, or a metric's mean over the ticks [from, until)."""

    figure: Name | None = None
    """Headline figure."""
    metric: Name | None = None
    """Metric."""
    from_tick: Annotated[Tick | None, Field(alias="from")] = None
    """First tick of the metric's mean; 0 when it is left out."""
    until: Tick | None = None
    """Tick after its last; the run's end when it is left out."""
    value: Figure
    """What it should be."""
    tolerance: Annotated[Exact, Field(ge=SMALLEST, le=LARGEST)]
    """The distance that counts as one, in the unit of the value."""
    weight: Annotated[Exact, Field(ge=SMALLEST, le=LARGEST)] = Decimal(1)
    """Weight of this target among all."""

    @model_validator(mode="after")
    def one_thing(self) -> Self:
        """Exactly one of figure and metric; ticks belong to a metric."""
        if (self.figure is None) == (self.metric is None):
            raise ValueError("name exactly one of figure and metric")
        if self.figure is not None and (self.from_tick is not None or self.until is not None):
            raise ValueError("a headline figure has no ticks: leave from and until out, or name a metric")
        return self

    def outcome(self, ticks: int) -> Outcome:
        """The outcome in a run of so many ticks."""
        if self.metric is None:
            return Outcome(self.figure or "")
        return Outcome(self.metric, (self.from_tick or 0, ticks if self.until is None else self.until))


class TargetsFile(Section):
    """A whole targets file."""

    parameters: Annotated[tuple[Varied, ...], Field(min_length=1, max_length=DESIGN_LIMIT, strict=False)]
    """What may vary."""
    targets: Annotated[tuple[Target, ...], Field(min_length=1, max_length=MOST_TARGETS, strict=False)]
    """What the model should come to."""
    trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)] = 100
    """Parameter sets to try."""
    members: Annotated[int, Field(ge=1, le=MEMBER_LIMIT)] = 1
    """Worlds a trial; an outcome is their mean."""
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    """Seed of the search and of the worlds, which all trials share."""


@dataclass(frozen=True)
class Goal:
    """A target as numbers: the outcome, its unit and what it should be."""

    outcome: Outcome
    unit: str
    value: float
    tolerance: float
    weight: float


@dataclass(frozen=True)
class Targets:
    """A targets file that fits a scenario: ranges, how a fraction of each becomes text, and goals."""

    file: TargetsFile
    ranges: tuple[DesignParameter, ...]
    scales: tuple[Callable[[Fraction], str], ...]
    goals: tuple[Goal, ...]


def targets_text(file: str | Path) -> str:
    """A targets file's text. Raises CivlabError TARGETS_NOT_FOUND or TARGETS_MALFORMED."""
    try:
        data = Path(file).read_bytes()[: LARGEST_FILE + 1]
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise CivlabError("TARGETS_MALFORMED", str(file), "is not a text in UTF-8") from None
    except (OSError, ValueError):
        raise CivlabError("TARGETS_NOT_FOUND", str(file), "cannot be read; give a YAML file of targets") from None


def parse_targets(text: str) -> TargetsFile:
    """The targets file that a YAML document describes.

    Raises CivlabError TARGETS_MALFORMED, TARGETS_UNKNOWN_FIELD, TARGETS_MISSING_FIELD or TARGETS_WRONG_VALUE with the
    dotted path of the field.
    """
    try:
        value = read(text)
        if not isinstance(value, dict):
            raise CivlabError("TARGETS_MALFORMED", "", "the document must be a map with parameters and targets")
        return TargetsFile.model_validate(value)
    except ScenarioError as fault:
        raise CivlabError(CODES.get(fault.code, "TARGETS_MALFORMED"), fault.path, fault.message) from None
    except ValidationError as error:
        first = first_fault(error, TargetsFile)
        raise CivlabError(CODES[first.code], first.path, first.message) from None


def fit_targets(file: TargetsFile, spec: RunSpec) -> Targets:
    """The targets for a run of the scenario.

    Raises CivlabError with the field's path: SCENARIO_UNKNOWN_PARAMETER, OUTCOME_UNKNOWN (both with the nearest name),
    SCENARIO_OUT_OF_RANGE, SCENARIO_WRONG_TYPE, DESIGN_DUPLICATE_PARAMETER, OUTCOME_WINDOW or RANGE_MALFORMED.
    """
    ranges = tuple(
        DesignParameter(name=each.name, minimum=str(each.minimum), maximum=str(each.maximum))
        for each in file.parameters
    )
    scales = checked_ranges(ranges, parameters(spec.scenario), where=_place)
    return Targets(file, ranges, scales, tuple(_goals(file.targets, spec)))


def _place(index: int, field: str) -> str:
    return f"parameters.{index}.{field}" if field else f"parameters.{index}"


def _goals(targets: Sequence[Target], spec: RunSpec) -> list[Goal]:
    goals = []
    for place, target in enumerate(targets):
        field = "figure" if target.metric is None else "metric"
        outcome = target.outcome(spec.ticks)
        unit = check_outcome(outcome, spec, where=f"targets.{place}.{field}")
        goals.append(Goal(outcome, unit, float(target.value), float(target.tolerance), float(target.weight)))
    return goals
