"""The numbers behind the epidemic's charts: what every run has, and attack rates by age, beds and R(t)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from civlab.models.epidemic.layout import LAYERS
from civlab.report.figures import Band, Figures, Series, band, collect_figures
from civlab.results.columns import to_numpy
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import EpidemicScenario

METRICS_DRAWN = (
    "new_infections",
    "susceptible",
    "exposed",
    "infectious",
    "hospital",
    "recovered",
    "dead",
    "introduced",
    "doses",
    *(f"infected_{layer}" for layer in LAYERS),
)


@dataclass(frozen=True)
class EpidemicFigures(Figures):
    """`ages` holds one value an age group; `beds` is None where members differ or there is no hospital."""

    ages: Mapping[str, Series]
    beds: int | None

    def reproduction(self) -> Band:
        """An instantaneous reproduction number by tick.

        New infections (introductions apart) times the mean time spent infectious, over those who were infectious at
        the end of the tick before: the moment estimate of Fraser (PLoS ONE 2, e758, 2007) without smoothing. Ticks
        with fewer than ten infectious persons are left out of a member's series.
        """
        flow = self.series["new_infections"] - self.series["introduced"]
        stock = self.series["infectious"]
        ended = np.maximum(1.0, (self.series["new_infections"].sum(axis=1) - self.series["exposed"][:, -1]))
        duration = stock.sum(axis=1) / ended
        before = np.concatenate([np.zeros((len(stock), 1)), stock[:, :-1]], axis=1)
        ratio = np.full(stock.shape, np.nan)
        np.divide(flow * duration[:, None], before, out=ratio, where=before >= 10)
        return band(ratio)


def epidemic_figures(results: Results, *, beds: int | None) -> EpidemicFigures:
    """Read what the charts need from a run's tables."""
    common = collect_figures(results, metrics=METRICS_DRAWN, outcome="attack_rate")
    return common.extended(EpidemicFigures, ages=_ages(results), beds=beds)


def figures_of_run(results: Results, spec: RunSpec) -> EpidemicFigures:
    """The figures of a run, with its beds where all members have as many."""
    assert isinstance(spec.scenario, EpidemicScenario)
    varied = any(parameter.name == "hospital.beds" for parameter in spec.ensemble.design.parameters)
    hospital = spec.scenario.hospital
    return epidemic_figures(results, beds=None if hospital is None or varied else hospital.beds)


def _ages(results: Results) -> dict[str, Series]:
    """By age group [groups]: persons, infected and dead over all members, with the spread of the attack rate."""
    table = results.arrow("ages")
    groups = len(set(table.column("age_from").to_pylist()))
    values: dict[str, Any] = {
        name: to_numpy(table.column(name)).reshape(-1, groups).astype(np.float64)
        for name in ("age_from", "persons", "infected", "dead")
    }
    persons = np.maximum(values["persons"], 1.0)
    shares = values["infected"] / persons
    low, high = np.percentile(shares, (5, 95), axis=0)
    return {
        "age_from": values["age_from"][0],
        "attack": values["infected"].sum(axis=0) / np.maximum(values["persons"].sum(axis=0), 1.0),
        "low": low,
        "high": high,
        "infected": values["infected"].mean(axis=0),
        "dead": values["dead"].mean(axis=0),
    }
