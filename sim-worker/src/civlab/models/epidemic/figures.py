"""The numbers behind the epidemic's charts: what every run has, and attack rates by age, beds and R(t)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from civlab.models.epidemic.results import AGE_GROUPS
from civlab.report.blocks import Block, Blocks, row_groups
from civlab.report.figures import Figures, collect_figures
from civlab.report.spread import Band, Series
from civlab.results.columns import to_numpy
from civlab.results.reader import Results
from civlab.runs.spec import RunSpec
from parpour_contracts.scenario import EpidemicScenario


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
        return self.band(reproduction)

    def cumulative(self) -> Band:
        """All infections so far, by tick."""
        return self.band(lambda block: block["new_infections"].cumsum(axis=1))


def reproduction(block: Block) -> Series:
    """The number of each member of a block, [members, ticks]; not a number where it is left out."""
    flow = block["new_infections"] - block["introduced"]
    stock = block["infectious"]
    ended = np.maximum(1.0, (block["new_infections"].sum(axis=1) - block["exposed"][:, -1]))
    duration = stock.sum(axis=1) / ended
    before = np.concatenate([np.zeros((len(stock), 1)), stock[:, :-1]], axis=1)
    ratio = np.full(stock.shape, np.nan)
    np.divide(flow * duration[:, None], before, out=ratio, where=before >= 10)
    return ratio


def epidemic_figures(results: Results, *, beds: int | None) -> EpidemicFigures:
    """Read what the charts need from a run's tables."""
    common = collect_figures(results, outcome="attack_rate")
    return common.extended(EpidemicFigures, ages=_ages(common.blocks), beds=beds)


def figures_of_run(results: Results, spec: RunSpec) -> EpidemicFigures:
    """The figures of a run, with its beds where all members have as many."""
    assert isinstance(spec.scenario, EpidemicScenario)
    varied = any(parameter.name == "hospital.beds" for parameter in spec.ensemble.design.parameters)
    hospital = spec.scenario.hospital
    return epidemic_figures(results, beds=None if hospital is None or varied else hospital.beds)


def _ages(blocks: Blocks) -> dict[str, Series]:
    """By age group [groups]: persons, infected and dead over all members, with the spread of the attack rate."""
    groups = len(AGE_GROUPS)
    sums = np.zeros((3, groups), np.int64)

    def shares() -> Iterator[Series]:
        for rows in row_groups(blocks.results, "ages", ("persons", "infected", "dead")):
            persons, infected, dead = (to_numpy(column).reshape(-1, groups) for column in rows.columns)
            sums[:] += [values.sum(axis=0) for values in (persons, infected, dead)]
            yield infected / np.maximum(persons, 1)

    spread = blocks.spread(shares())
    members = blocks.results.manifest.members
    return {
        "age_from": np.array(AGE_GROUPS, np.float64),
        "attack": sums[1] / np.maximum(sums[0], 1),
        "low": spread.low,
        "high": spread.high,
        "infected": sums[1] / members,
        "dead": sums[2] / members,
    }
