"""What an analysis looks at: one number a member, either a headline figure or a metric's mean over some ticks.

A window is part of the outcome's text (`warming@240..260`), so that a shell, a targets file and a report name the same
thing in the same way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.streaming import blocks
from civlab.errors import CivlabError
from civlab.results.columns import to_floats
from civlab.results.reader import Results
from civlab.results.schema import MEMBERS
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario.errors import nearest

FORM = re.compile(r"(?P<name>[a-z][a-z0-9_]*)(@(?P<first>[0-9]{1,9})\.\.(?P<until>[0-9]{1,9}))?")


@dataclass(frozen=True)
class Outcome:
    """A headline figure, or with `window` a metric's mean over the ticks [first, until)."""

    name: str
    window: tuple[int, int] | None = None

    def __str__(self) -> str:
        return self.name if self.window is None else f"{self.name}@{self.window[0]}..{self.window[1]}"


def parse_outcome(text: str, *, where: str) -> Outcome:
    """The outcome that a text names: `NAME`, or `NAME@FIRST..UNTIL`. Raises CivlabError OUTCOME_MALFORMED."""
    match = FORM.fullmatch(text)
    if match is None:
        message = f"{text[:80]!r} is neither a headline figure (gini) nor a metric with its ticks (warming@240..260)"
        raise CivlabError("OUTCOME_MALFORMED", where, message)
    window = None if match["first"] is None else (int(match["first"]), int(match["until"]))
    return Outcome(match["name"], window)


def check_outcome(outcome: Outcome, spec: RunSpec, *, where: str) -> str:
    """The outcome's unit, if the run has the outcome.

    Raises CivlabError OUTCOME_UNKNOWN with the nearest name, or OUTCOME_WINDOW for ticks that the run does not have.
    """
    kind = "headline figure" if outcome.window is None else "metric"
    units = {
        item.name: item.unit for item in (spec.results.headlines if outcome.window is None else spec.model.metrics)
    }
    if outcome.name not in units:
        hint = nearest(outcome.name, units) or f"; there are {', '.join(units)}"
        message = f"the model {spec.scenario.model} has no {kind} {outcome.name!r}{hint}"
        raise CivlabError("OUTCOME_UNKNOWN", where, message)
    if outcome.window is not None:
        first, until = outcome.window
        if not first < until <= spec.ticks:
            message = f"ticks {first}..{until} are not within the run's 0..{spec.ticks}; the last one named is left out"
            raise CivlabError("OUTCOME_WINDOW", where, message)
    return units[outcome.name]


def member_values(results: Results, outcome: Outcome) -> NDArray[np.float64]:
    """The outcome of every member of a complete run, f64 [members]."""
    if outcome.window is None:
        return to_floats(results.arrow(MEMBERS, [outcome.name]).column(0))
    ticks = slice(*outcome.window)
    return np.concatenate([block[:, ticks].mean(axis=1) for block in blocks(results, outcome.name)])
