"""The climate of a civilisation: which climate answers, what the rest of the world emits, and what warming costs.

The model's own people emit by the fuel that they burn, times the people for whom a citizen stands; the rest of the
world follows a pathway, from which the model's own share at the start is taken off so that nobody is counted twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from parpour_contracts.scenario.climate import (
    LAST_YEAR,
    ChosenConfiguration,
    Family,
    ImpulseConfiguration,
    Pathway,
    PublishedConfiguration,
    Zones,
)
from parpour_contracts.scenario.document import Exact, Section, Share

EARLIEST = 1850
"""First year of a run; before it the climate is spun up from 1750."""
MOST_PEOPLE = 10**7

Configuration = Annotated[
    PublishedConfiguration | ChosenConfiguration | ImpulseConfiguration, Field(discriminator="kind")
]


class CropLosses(Section):
    """Share of harvests lost for a kelvin of global warming since the start, by zone.

    Zhao and others (2017): wheat 6.0 %, rice 3.2 %, maize 7.4 %, soybean 3.1 % a kelvin, without adaptation.
    """

    tropical: Share = Decimal("0.053")
    """Tropical land: rice and maize."""
    arid: Share = Decimal("0.067")
    """Dry land: wheat and maize."""
    temperate: Share = Decimal("0.049")
    """Temperate land: all four."""
    continental: Share = Decimal("0.06")
    """Continental and boreal land: wheat."""
    polar: Share = Decimal(0)
    """Polar land: next to nothing grows."""


class HeatLosses(Section):
    """Share of work in the open lost to heat for a kelvin of global warming since the start, by zone.

    After ILO (2019): from 1995 to 2030 the hours lost rise from 4.3 to 5.8 % in India and from 1.4 to 2.2 % in the
    world, four fifths of them in the open; the world warms by about 0.6 K in between.
    """

    tropical: Share = Decimal("0.035")
    """Tropical land."""
    arid: Share = Decimal("0.03")
    """Dry land."""
    temperate: Share = Decimal("0.005")
    """Temperate land."""
    continental: Share = Decimal("0.002")
    """Continental and boreal land."""
    polar: Share = Decimal(0)
    """Polar land."""


class Climate(Section):
    """Climate, its causes and its costs."""

    start: Annotated[int, Field(ge=EARLIEST, le=LAST_YEAR)] = 2020
    """Year of the first tick."""
    configuration: Configuration = PublishedConfiguration(kind="fair-1.4.1")
    """Which climate answers."""
    pathway: Pathway = Family(kind="family", name="middle")
    """What the world emits: all of it before the start, the rest of the world from then on."""
    coupling: Literal["both", "emissions", "none"] = "both"
    """`both`: fuel burnt warms the climate and warming costs output; `emissions`: only the former; `none`: neither."""
    people_per_citizen: Annotated[int, Field(ge=1, le=MOST_PEOPLE)] = 1
    """People for whom a citizen stands: factor of the carbon that is emitted."""
    carbon: Annotated[Exact, Field(ge=0, le=100)] = Decimal(20)
    """Carbon of the fuel, kg a GJ, to the gram: oil 20, coal 25.8, gas 15.3 (IPCC 2006, volume 2, table 1.3)."""
    zones: Zones = Zones()
    """Regional pattern of warming."""
    tipping: Literal["on", "silent"] = "on"
    """`silent`: elements tip but do not add to the warming."""
    sea_level: Literal["vermeer-rahmstorf-2009", "rahmstorf-2007"] = "vermeer-rahmstorf-2009"
    """Law of the sea level."""
    damages: Literal["howard-sterner-2017", "dice-2016r", "weitzman-2012"] = "howard-sterner-2017"
    """Damage function of all goods but food."""
    crops: CropLosses = CropLosses()
    heat: HeatLosses = HeatLosses()
    lag: Annotated[int, Field(ge=1, le=100)] = 3
    """Years in which output follows the warming: each year the gap between them closes by one part in so many."""
    clearing: Share = Decimal("0.01")
    """Share of wild land that is farmed anew each year for each whole of the harvest that is lost."""
