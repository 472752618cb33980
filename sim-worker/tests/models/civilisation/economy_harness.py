"""Runs kernels and the economy's oracle side by side: each week the kernels take the climate's year and the round of
people first, the oracle takes over what those left, and both go on to the week's end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile import CompiledCivilisation
from civlab.models.civilisation.history import trade
from civlab.models.civilisation.metrics import NATION_METRICS
from civlab.models.civilisation.model import MODEL
from civlab.models.civilisation.phases import STAGES
from civlab.runtime.backend import Backend
from civlab.runtime.columns import metric_cells
from civlab.runtime.phases import Phase
from civlab.runtime.world import World

from .civilisations import specs
from .economy_oracle import EconomyOracle

DYNAMIC = [column.name for column in MODEL.dynamic]
KEPT = [column.name for column in layout.STATE if column.role in ("static", "dynamic")]
OF_OTHERS = {name for stage in ("climate", "people") for phase in STAGES[stage] for name in phase.writes} & set(DYNAMIC)
"""What the climate's year and the rounds of people change."""
FIRST = STAGES["plan"][0].name
"""With this phase the economy's week begins."""
CELLS = metric_cells(NATION_METRICS)
WIDE = {metric.name for metric in NATION_METRICS if metric.dtype == "i16"}


def values_of(world: World, name: str, number: int) -> list[Any]:
    """A member's column, entity after entity."""
    values: list[Any] = world.member_column(name, number).reshape(-1).tolist()
    return values


def columns_of(world: World, number: int) -> dict[str, list[Any]]:
    """A member's columns, and where its regions' entities lie, counted within the member."""
    found = {name: values_of(world, name, number) for name in (*KEPT, "bank_nation")}
    regions = world.within("region", number)
    firms = np.stack([world.download("cluster_begin"), world.download("cluster_end")], axis=1)
    for kind, slots in (
        ("firm", firms),
        ("citizen", world.download("region_citizen").reshape(-1, 2)),
        ("household", world.download("region_household").reshape(-1, 2)),
    ):
        first, _ = world.segment(kind, number)
        found[f"region_{kind}"] = [int(slot) - first for slot in slots[regions].reshape(-1)]
    return found


class DoubleRun(World):
    """A world with an oracle for each member."""

    fused = False
    oracles: Sequence[EconomyOracle] = ()

    @classmethod
    def begin(cls, *scenarios: CompiledCivilisation, seed: int, backend: Backend) -> DoubleRun:
        """Both at tick 0."""
        run = cls.create(MODEL, specs(scenarios), seed=seed, backend=backend)
        assert isinstance(run, DoubleRun)
        run.oracles = [
            EconomyOracle(
                columns_of(run, number),
                {name: member.scenario.record[0][name].tolist() for name in member.scenario.record.dtype.names or ()},
                seed=seed,
                stream=member.stream,
            )
            for number, member in enumerate(run.members)
        ]
        return run

    def run_phase(self, phase: Phase) -> None:
        """The phase; before the economy's first one the oracles learn what others have left."""
        if phase.name == FIRST:
            self.backend.finish()
            for number, oracle in enumerate(self.oracles):
                oracle.after_others({name: values_of(self, name, number) for name in OF_OTHERS})
        super().run_phase(phase)

    def agree(self, weeks: int) -> None:
        """So many weeks of both, which must be the same; AssertionError names the week, the member and the column."""
        for _ in range(weeks):
            self.advance()
            for number, oracle in enumerate(self.oracles):
                oracle.week(self.tick - 1)
                self.compare_columns(number)
                self.compare_metrics(number)
        for number in range(len(self.oracles)):
            self.compare_trade(number)
        self.check()

    def compare_columns(self, number: int) -> None:
        """Every dynamic column of a member."""
        state = self.oracles[number].state()
        for name in DYNAMIC:
            there = values_of(self, name, number)
            assert there == state[name], (self.tick, number, name, different(there, state[name]))

    def compare_metrics(self, number: int) -> None:
        """What was told of the week of each of a member's nations."""
        rows = self.rows("nation_rows", self.tick - 1, self.tick)[0]
        for row, nation in zip(rows[self.within("nation", number)], self.oracles[number].nations, strict=True):
            for name, value in self.oracles[number].told(nation).items():
                assert metric(row, name) == value, (self.tick, number, nation.number, name, metric(row, name), value)

    def compare_trade(self, number: int) -> None:
        """What nations sold to each other since the start, by good."""
        sold = trade(self, number).sum(axis=0)
        places = [tuple(map(int, place)) for place in np.argwhere(sold)]
        assert {place: int(sold[place]) for place in places} == self.oracles[number].sold_abroad, number


def metric(row: np.ndarray, name: str) -> int:
    """A metric of a nation's row."""
    at = CELLS[name]
    if name in WIDE:
        return (int(row[at]) & 0xFFFFFFFFFFFFFFFF) + (int(row[at + 1]) << 64)
    return int(row[at])


def different(there: Sequence[int], expected: Sequence[int]) -> list[tuple[int, int, int]]:
    """The first places where two columns differ: place, kernels' value, oracle's value."""
    pairs = enumerate(zip(there, expected, strict=True))
    return [(place, one, other) for place, (one, other) in pairs if one != other][:5]
