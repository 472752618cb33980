"""The world of a civilisation: its map, who lives where, which nations there are, and what fuel lies in the ground.

Only what shapes the map is written down; the map itself is drawn by the seed, so that a document stays short and an
ensemble can hold many worlds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.civilisation.economy import Government
from parpour_contracts.scenario.document import Exact, Section

MOST_REGIONS = 2000
MOST_NATIONS = 8
SHALLOWEST = Decimal("0.9")
"""Most of the map that may be sea: a map has cells for all regions and its sea, and no more."""


class Map(Section):
    """Land and sea as cells of a hexagonal map of equal area; each cell of land is one region."""

    regions: Annotated[int, Field(ge=2, le=MOST_REGIONS)] = 60
    """Regions: cells of land."""
    sea: Annotated[Exact, Field(ge=0, le=SHALLOWEST)] = Decimal("0.5")
    """Share of the map that is sea."""
    straits: Annotated[int, Field(ge=0, le=2)] = 1
    """Most cells of sea from one piece of land to the next; 0 makes one landmass. Regions trade over at most 2."""
    roughness: Annotated[Exact, Field(ge=0, le=1)] = Decimal("0.5")
    """Height of each finer octave of the terrain over that of the coarser one before it."""
    relief: Annotated[int, Field(ge=0, le=8000)] = 2500
    """Height of the highest region above the sea, m."""
    area: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Area of a region, km2."""
    south: Annotated[Exact, Field(ge=-90, le=90)] = Decimal(-10)
    """Latitude of the southern edge, degrees."""
    north: Annotated[Exact, Field(ge=-90, le=90)] = Decimal(65)
    """Latitude of the northern edge, degrees."""
    terrain: Literal["shared", "own"] = "shared"
    """`shared`: all members of an ensemble live on one map; `own`: each member draws its own."""

    @model_validator(mode="after")
    def upright(self) -> Self:
        """North lies north of south."""
        if self.north <= self.south:
            raise ValueError("north must be greater than south")
        return self


class Settlement(Section):
    """How citizens are spread over a nation's regions: Zipf's rank-size law (Gabaix 1999), the best sites first."""

    law: Literal["rank-size"] = "rank-size"
    """Citizens of the region of rank k are in proportion to k^-exponent."""
    exponent: Annotated[Exact, Field(ge=0, le=2)] = Decimal(1)
    """1 is Zipf's law, 0 spreads citizens evenly."""
    minimum: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Least citizens of a region at the start."""


class Nation(Section):
    """One nation: a contiguous part of the map."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    share: Annotated[Exact, Field(gt=0, le=1)]
    """Share of the world's citizens at the start, and about that of its regions."""
    government: Government = Government()
    """What its government takes and gives."""


class Fuel(Section):
    """Fossil fuel in the ground."""

    years: Annotated[Exact, Field(gt=0, le=100_000)] = Decimal(140)
    """Years for which it would last at the use of the start (reserves over production of all fossil fuels, about)."""
    spread: Annotated[Exact, Field(ge=0, le=2)] = Decimal("0.5")
    """Standard deviation of the logarithm of a region's years: deposits are log-normal (Kaufman 1963)."""


class World(Section):
    """Map, settlement, nations and fuel."""

    map: Map = Map()
    settlement: Settlement = Settlement()
    nations: Annotated[tuple[Nation, ...], Field(min_length=1, max_length=MOST_NATIONS, strict=False)] = (
        Nation(name="Nation", share=Decimal(1)),
    )
    """Nations; their shares sum to one."""
    fuel: Fuel = Fuel()

    @model_validator(mode="after")
    def whole(self) -> Self:
        """Shares sum to one, names differ, and there is a region for each nation."""
        total = sum((nation.share for nation in self.nations), Decimal(0))
        if total != 1:
            raise ValueError(f"nations: their shares sum to {total}: make them sum to 1")
        names = [nation.name for nation in self.nations]
        if len(set(names)) != len(names):
            raise ValueError("nations: two have one name: give each its own")
        if len(names) > self.map.regions:
            raise ValueError("nations: a nation would have no region: take more regions or fewer nations")
        return self
