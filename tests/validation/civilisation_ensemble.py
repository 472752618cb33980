"""Ensembles of civilisations, and what of them is held against facts of economies: quarters, years, firms.

The documents say no more than the worlds' size, so that what is judged is the model as it comes. Worlds are as small as
they can be: with fewer than about 1,000 citizens a region, firms' least staff of one shows in unemployment, and where
an industry of a region has a dozen firms, none can be far larger than the others. Weeks are added up to quarters,
because people act in rounds of four weeks and the climate in rounds of a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from civlab.analysis.burn_in import mser
from civlab.models.civilisation.compile import compile_civilisation
from civlab.models.civilisation.layout import GOODS, SKILLS, WEEKS
from civlab.models.civilisation.model import MODEL
from civlab.runtime.arrays import MemberSpec
from civlab.runtime.backend import Backend
from civlab.runtime.world import World
from parpour_contracts.scenario import parse_scenario
from validation.economic_statistics import Values

MEMBERS = 100
LEAST_STAFF = 20
"""Employees from which on a firm's growth is looked at, as in the samples of Bottazzi and Secchi."""
QUARTER = 13


@dataclass(frozen=True)
class Size:
    """How large the worlds are, and how long they are looked at."""

    citizens: int
    regions: int
    years: int

    def document(self) -> str:
        """A scenario of two nations in which all else is the default."""
        return f"""\
apiVersion: civlab/v1
model: civilisation
title: A small world of two nations
ticks: {self.years * WEEKS}
population: {{size: {self.citizens}}}
world:
  map: {{regions: {self.regions}}}
  nations:
    - {{name: First, share: 0.5}}
    - {{name: Second, share: 0.5}}
"""


SMALL = Size(citizens=7000, regions=4, years=22)
"""For what nations do in the course of time."""
LARGE = Size(citizens=60_000, regions=2, years=3)
"""For how large firms become: each nation is one market of 600 firms."""
SERIES = (
    "citizens", "employed", "unemployed", "vacancies", "hires", "product", "product_real", "consumption", "investment",
    "price_level", "wage",
)  # fmt: skip


@dataclass(frozen=True)
class Firms:
    """All firms at the ends of years: [years, firms]."""

    member: NDArray[np.int64]
    """Member of each firm, [firms]."""
    industry: NDArray[np.int64]
    """Industry of each firm, [firms]."""
    staff: Values
    """Employees."""
    sales: Values
    """Weekly demand that is expected, lots."""

    def of(self, members: NDArray[np.int64]) -> Firms:
        """The firms of some members, whose numbers are kept."""
        there = np.isin(self.member, members)
        return Firms(self.member[there], self.industry[there], self.staff[:, there], self.sales[:, there])

    def growth(self) -> tuple[Values, Values]:
        """Sizes, and growth of expected sales in the year after, of firms with 20 employees or more; less the mean of
        the member's industry in the year."""
        known = (self.staff[:-1] >= LEAST_STAFF) & (self.sales[1:] > 0)
        rate = np.log(np.where(known, self.sales[1:], 1.0) / np.where(known, self.sales[:-1], 1.0))
        place = self.member * len(GOODS) + self.industry
        kind = (place + np.arange(len(rate))[:, None] * (place.max() + 1))[known]
        rate, size = rate[known], self.sales[:-1][known]
        mean = np.bincount(kind, rate) / np.maximum(np.bincount(kind), 1)
        return size, rate - mean[kind]


@dataclass(frozen=True)
class Ensemble:
    """Weekly series by name, f64 [weeks, members], the firms, and the households' deposits at the end by member."""

    weeks: dict[str, Values]
    firms: Firms
    deposits: Sequence[Values]

    @property
    def members(self) -> int:
        """How many."""
        return len(self.deposits)

    def of(self, members: NDArray[np.int64]) -> Ensemble:
        """Some members."""
        weeks = {name: values[:, members] for name, values in self.weeks.items()}
        return Ensemble(weeks, self.firms.of(members), [self.deposits[number] for number in members])

    def since(self, year: int) -> Ensemble:
        """The same without the years before."""
        firms = Firms(self.firms.member, self.firms.industry, self.firms.staff[year:], self.firms.sales[year:])
        return Ensemble({name: values[year * WEEKS :] for name, values in self.weeks.items()}, firms, self.deposits)

    def total(self, name: str, span: int = QUARTER) -> Values:
        """A series added up over spans of weeks."""
        weeks = self.weeks[name]
        sums: Values = weeks[: len(weeks) // span * span].reshape(-1, span, weeks.shape[1]).sum(axis=1)
        return sums

    def unemployment(self, span: int = QUARTER) -> Values:
        """Share of those who may work."""
        idle = self.total("unemployed", span)
        return idle / (idle + self.total("employed", span))

    def vacancies(self, span: int = QUARTER) -> Values:
        """Jobs open and not filled by the end of their week, over these and those filled: a rate of job openings."""
        left = self.total("vacancies", span) - self.total("hires", span)
        return left / (left + self.total("employed", span))

    def growth(self, name: str, span: int = QUARTER) -> Values:
        """Change of the logarithm from one span to the next."""
        return np.diff(np.log(self.total(name, span)), axis=0)

    def real(self, name: str, span: int = QUARTER) -> Values:
        """Money over the price level, by spans."""
        return self.total(name, span) / self.total("price_level", span)


def simulate(size: Size = SMALL, *, members: int = MEMBERS, seed: int = 1, backend: Backend | None = None) -> Ensemble:
    """All members in one batch, on one thread unless a backend is given."""
    scenario = parse_scenario(size.document())
    compiled = compile_civilisation(scenario)
    specs = [MemberSpec(index=number, stream=number, scenario=compiled) for number in range(members)]
    world = World.create(MODEL, specs, seed=seed, backend=backend or Backend.cpu(1))
    staff, sales = [], []
    for _ in range(size.years):
        world.advance(WEEKS)
        staff.append(world.download("staff").reshape(-1, len(SKILLS)).sum(axis=1).astype("f8"))
        sales.append(world.download("sales") / compiled.record["lot"][0][world.download("industry")])
    counts = [world.segment("firm", number)[1] for number in range(members)]
    firms = Firms(
        np.repeat(np.arange(members), counts), world.download("industry").astype("i8"), np.array(staff), np.array(sales)
    )
    metrics = world.metrics(0, size.years * WEEKS)
    deposits = [
        world.member_column("deposit", number)[world.member_column("size", number) > 0].astype("f8")
        for number in range(members)
    ]
    return Ensemble({name: metrics[name].astype("f8") for name in SERIES}, firms, deposits)


def burn_in(ensemble: Ensemble) -> dict[str, tuple[int, bool]]:
    """Where the mean of the ensemble settles by MSER-5, in weeks, and whether the run is long enough to tell; of series
    without a trend."""
    weekly = {
        "unemployment": ensemble.unemployment(1),
        "vacancies": ensemble.vacancies(1),
        "inflation": ensemble.growth("price_level", 1),
        "investment": ensemble.total("investment", 1) / ensemble.total("product", 1),
    }
    found = {name: mser(series.mean(axis=1)) for name, series in weekly.items()}
    return {name: (rule.tick, rule.found) for name, rule in found.items()}
