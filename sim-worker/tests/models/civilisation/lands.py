"""Worlds without people and economy: maps, and climates on which only the yearly phase runs.

They lay out no more than these read, so that a map takes milliseconds and a century of climate a hundred calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import numpy as np

from civlab.models.civilisation import layout
from civlab.models.civilisation.compile_land import climate_sets, fill_land, years
from civlab.models.civilisation.geography import survey
from civlab.models.civilisation.layout_economy import SCENARIO
from civlab.models.civilisation.layout_land import LAND, YEAR
from civlab.models.civilisation.layout_people import PEOPLE
from civlab.models.civilisation.metrics import METRICS
from civlab.models.civilisation.phases_land import LAND_PHASES
from civlab.runtime.arrays import Arrays
from civlab.runtime.backend import Backend
from civlab.runtime.model import Model
from parpour_contracts.scenario.civilisation.climate import Climate
from parpour_contracts.scenario.civilisation.world import Map, Nation, World

BURNT = 6 * 10**12
"""mJ of fuel for a citizen and week: 312 GJ a year."""


def never(*_: Any, **__: Any) -> NoReturn:
    """Stands where the whole model has something to do."""
    raise AssertionError("not part of land and climate")


LAND_ALONE = Model(
    name="civilisation",
    kinds=layout.KINDS,
    columns=layout.COLUMNS,
    scalars=layout.SCALARS,
    structures=(SCENARIO, PEOPLE, LAND, YEAR),
    phases=LAND_PHASES,
    chained=layout.CHAINED,
    metrics=METRICS,
    compile=never,
    arrange=never,
    generate=never,
    fault=never,
    constants=layout.CONSTANTS,
    enumerations=layout.ENUMERATIONS,
)


def world_of(*shares: str, **map_fields: Any) -> World:
    """A world of nations with these shares."""
    nations = tuple(Nation(name=f"Nation {k}", share=Decimal(share)) for k, share in enumerate(shares or ("1",)))
    return World(map=Map(**map_fields), nations=nations)


@dataclass
class Lands:
    """A batch of members, each with a map and a climate."""

    arrays: Arrays
    land: np.void
    regions: int

    def of(self, name: str, member: int = 0) -> np.ndarray:
        """A member's elements of a column, one row an entity."""
        column = LAND_ALONE.column(name)
        each = {"region": self.regions, "member": 1}[column.per]
        values = self.arrays.backend.download(self.arrays.column[name]).reshape(-1, each, column.width)[member]
        return np.asarray(values[:, 0] if column.width == 1 else values)

    def put(self, name: str, values: np.ndarray) -> None:
        """Writes a whole column."""
        self.arrays.put(name, self.arrays.backend.upload(values))

    def year(self, number: int) -> None:
        """Runs the phase at the end of a year of the run, 1 the first."""
        self.arrays.run("civilisation_climate", "member", number * layout.WEEKS)


def lands_of(
    world: World,
    climate: Climate | None = None,
    *,
    citizens: int = 100_000,
    seed: int = 1,
    streams: Sequence[int] = (0,),
    ticks: int = 520,
    burnt: int = BURNT,
    backend: Backend | None = None,
) -> Lands:
    """Members of these streams with their maps drawn and their climates spun up."""
    climate = climate or Climate()
    members, regions, nations = len(streams), world.map.regions, len(world.nations)
    lands = np.zeros(1, LAND.dtype())
    fill_land(lands[0], world, climate, citizens=citizens, extracted=BURNT, burnt=burnt)
    rows, sets = years(climate, ticks=ticks), climate_sets(climate)
    sizes = {
        "member": members,
        "tick": ticks,
        "region": members * regions,
        "nation": members * nations,
        "scenario": 1,
        "year": len(rows),
    }
    arrays = Arrays.empty(LAND_ALONE, backend=backend or Backend.cpu(1), seed=seed, sizes=sizes)
    of_member = np.arange(members, dtype="u4")
    arrays.upload(
        {
            "lands": lands,
            "year": rows,
            "member_scenario": np.zeros(members, "u4"),
            "member_stream": np.array(streams, "u4"),
            "member_region": of_member * np.uint32(regions),
            "member_regions": np.full(members, regions, "u4"),
            "member_nation": of_member * np.uint32(nations),
            "member_nations": np.full(members, nations, "u4"),
            "parameters": np.array([sets[stream % len(sets)] for stream in streams], "f8").reshape(-1),
        }
    )
    arrays.allocate_rest()
    survey(arrays)
    arrays.run("civilisation_prepare_climate", "member")
    return Lands(arrays, lands[0], regions)
