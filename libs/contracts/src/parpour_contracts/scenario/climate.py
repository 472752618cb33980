"""The scenario document of the climate model: which climate, which emissions, and which laws answer them.

Published parameter sets and pathways are names, whose data ship with civlab. A pathway is composed like an expression:
families are its atoms, splice, blend and overlay its operations, so that a document says what was done to the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import Estimate, Exact, Scenario, Section

FIRST_YEAR, LAST_YEAR = 1750, 2500
"""What the data of the pathways cover."""
DICE_YEARS = 5
PUBLISHED_SETS = 841
"""Members of the published ensemble fair-1.4.1."""
DEEPEST_PATHWAY = 8
BYTES_A_MEMBER = 4_000
"""Columns of a member and its compiled scenario."""
BYTES_A_MEMBER_TICK = 192
"""History of the metrics, and the year's emissions."""

Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR + 1)]
Positive = Annotated[Exact, Field(gt=0, le=10**6)]


class PublishedConfiguration(Section):
    """FaIR calibration 1.4.1: 841 constrained parameter sets, one a member."""

    kind: Literal["fair-1.4.1"]
    set: Annotated[int, Field(ge=0, lt=PUBLISHED_SETS)] | None = None
    """The set of every member by its place in the published table; without it, members take the sets in turn."""


class ChosenConfiguration(Section):
    """FaIR with numbers of your own; the defaults are a fit to the mean of CMIP6 models."""

    kind: Literal["fair"]
    heat_capacity_surface: Positive = Decimal("2.632438882")
    """Heat capacity of the surface layer, W yr m-2 K-1."""
    heat_capacity_middle: Positive = Decimal("9.262194928")
    """Heat capacity of the middle layer, W yr m-2 K-1."""
    heat_capacity_deep: Positive = Decimal("52.92769715")
    """Heat capacity of the deep layer, W yr m-2 K-1."""
    feedback: Positive = Decimal("1.876253552")
    """Climate feedback, W m-2 K-1; stabilising is positive."""
    transfer_middle: Positive = Decimal("5.15359085")
    """Heat transfer from surface to middle layer, W m-2 K-1."""
    transfer_deep: Positive = Decimal("0.643546006")
    """Heat transfer from middle to deep layer, W m-2 K-1."""
    efficacy: Annotated[Exact, Field(gt=0, le=10)] = Decimal("1.285458434")
    """Efficacy of deep-ocean heat uptake."""
    gamma: Annotated[Exact, Field(gt=0, le=100)] = Decimal(2)
    """Rate at which forcing reaches the layers, a year."""
    iirf_0: Annotated[Exact, Field(ge=0, le=100)] = Decimal(29)
    """100-year integral of the airborne fraction of CO2 at the start, yr."""
    iirf_uptake: Annotated[Exact, Field(ge=-1, le=1)] = Decimal("0.00846")
    """Its change by uptake, yr per GtCO2."""
    iirf_temperature: Annotated[Exact, Field(ge=-20, le=20)] = Decimal(4)
    """Its change by warming, yr per K."""
    iirf_airborne: Annotated[Exact, Field(ge=-1, le=1)] = Decimal("0.000819")
    """Its change by what is airborne, yr per GtCO2."""
    co2_baseline: Annotated[Exact, Field(ge=100, le=1000)] = Decimal("278.3")
    """Concentration of CO2 at the start, ppm."""
    co2_scale: Annotated[Exact, Field(ge=0, le=5)] = Decimal(1)
    """Scale of CO2's forcing."""
    ch4_scale: Annotated[Exact, Field(ge=0, le=5)] = Decimal(1)
    """Scale of CH4's forcing."""
    n2o_scale: Annotated[Exact, Field(ge=0, le=5)] = Decimal(1)
    """Scale of N2O's forcing."""
    other_scale: Annotated[Exact, Field(ge=0, le=5)] = Decimal(1)
    """Scale of the prescribed forcing of everything else."""


class ImpulseConfiguration(Section):
    """The fixed impulse response of Joos and others (2013): lifetimes of CO2 that do not change."""

    kind: Literal["impulse-response"]


class DiceConfiguration(Section):
    """Carbon and temperature of DICE-2016R, in steps of five years from its state of 2015."""

    kind: Literal["dice-2016r"]
    sensitivity: Annotated[Exact, Field(gt=0, le=20)] = Decimal("3.1")
    """Equilibrium warming of doubled CO2, K."""


Configuration = Annotated[
    PublishedConfiguration | ChosenConfiguration | ImpulseConfiguration | DiceConfiguration,
    Field(discriminator="kind"),
]

FAMILIES: Mapping[str, str] = {
    "low": "ssp126",
    "middle": "ssp245",
    "high": "ssp585",
    "overshoot": "ssp534-over",
}
"""The four families, each by the pathway that stands for it."""
FamilyName = Literal[
    "low", "middle", "high", "overshoot",
    "ssp119", "ssp126", "ssp245", "ssp370", "ssp434", "ssp460", "ssp534-over", "ssp585",
    "dice-2016r-baseline", "none",
]  # fmt: skip


class Family(Section):
    """A published pathway; `none` emits what keeps the start in balance."""

    kind: Literal["family"]
    name: FamilyName
    """Family (low, middle, high, overshoot) or pathway by its name."""


class Splice(Section):
    """One pathway before a year, another from it on."""

    kind: Literal["splice"]
    before: Pathway
    """Before the year."""
    after: Pathway
    """From the year on."""
    year: Year
    """First year of the second pathway."""


class Blend(Section):
    """From one pathway to another by a weight that rises evenly between two years."""

    kind: Literal["blend"]
    first: Pathway
    """Until the ramp begins."""
    second: Pathway
    """Gains weight along the ramp."""
    begin: Year
    """Year in which the ramp begins, at weight zero."""
    end: Year
    """Year in which it ends, at the full weight."""
    weight: Annotated[Exact, Field(ge=0, le=1)] = Decimal(1)
    """Weight of the second pathway after the ramp."""

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """The ramp does not end before it begins."""
        if self.end < self.begin:
            raise ValueError("end must not be earlier than begin")
        return self


class Overlay(Section):
    """A pathway with so much more or less in each of some years."""

    kind: Literal["overlay"]
    base: Pathway
    """What is changed."""
    begin: Year
    """First year of the change."""
    until: Year
    """Year after its last."""
    co2: Annotated[Exact, Field(ge=-(10**6), le=10**6)] = Decimal(0)
    """GtCO2 a year, added."""
    ch4: Annotated[Exact, Field(ge=-(10**6), le=10**6)] = Decimal(0)
    """Mt CH4 a year, added."""
    n2o: Annotated[Exact, Field(ge=-(10**6), le=10**6)] = Decimal(0)
    """Mt N2O a year, added."""
    forcing: Annotated[Exact, Field(ge=-100, le=100)] = Decimal(0)
    """W m-2, added to the prescribed forcing."""

    @model_validator(mode="after")
    def ordered(self) -> Self:
        """The change lasts at least a year."""
        if self.until <= self.begin:
            raise ValueError("until must be later than begin")
        return self


class Point(Section):
    """What is emitted in one year. A gas without a number emits what keeps the start in balance, as in `none`."""

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    """The year."""
    co2: Annotated[Exact, Field(ge=-(10**6), le=10**6)]
    """GtCO2 a year."""
    ch4: Annotated[Exact, Field(ge=0, le=10**6)] | None = None
    """Mt CH4 a year."""
    n2o: Annotated[Exact, Field(ge=0, le=10**6)] | None = None
    """Mt N2O a year."""
    forcing: Annotated[Exact, Field(ge=-100, le=100)] = Decimal(0)
    """Prescribed forcing besides these gases, W m-2."""


class Course(Section):
    """A pathway of your own: straight lines between points, and as at the nearest point before and after them."""

    kind: Literal["own"]
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=LAST_YEAR - FIRST_YEAR + 1, strict=False)]
    """The points, by year."""

    @model_validator(mode="after")
    def in_order(self) -> Self:
        """Years rise, and a gas is given at all points or at none."""
        for before, after in pairwise(self.points):
            if after.year <= before.year:
                raise ValueError(f"points: {after.year} comes after {before.year}: order them by year, each given once")
            for gas in ("ch4", "n2o"):
                if (getattr(before, gas) is None) != (getattr(after, gas) is None):
                    raise ValueError(f"points: {gas} is given at some points: give it at all of them or at none")
        return self


Pathway = Annotated[Family | Splice | Blend | Overlay | Course, Field(discriminator="kind")]


def depth(pathway: Pathway) -> int:
    """Levels of composition."""
    parts = [
        getattr(pathway, name) for name in ("before", "after", "first", "second", "base") if hasattr(pathway, name)
    ]
    return 1 + max((depth(part) for part in parts), default=0)


class Zones(Section):
    """Warming of each zone's land for a kelvin of global warming; the defaults follow Leduc and others (2016)."""

    tropical: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1.0")
    """Tropical land (Köppen A)."""
    arid: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1.3")
    """Dry land (Köppen B)."""
    temperate: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1.3")
    """Temperate land (Köppen C)."""
    continental: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1.8")
    """Continental and boreal land (Köppen D)."""
    polar: Annotated[Exact, Field(ge=0, le=10)] = Decimal("2.0")
    """Polar land (Köppen E)."""


class ClimateScenario(Scenario):
    """A whole climate scenario; numbers are integers or exact decimals, never floats."""

    model: Literal["climate"]
    ticks: Annotated[int, Field(ge=1, le=LAST_YEAR - FIRST_YEAR + 1)]
    """Steps: years, or periods of five years with DICE-2016R."""
    start: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = FIRST_YEAR
    """First year."""
    configuration: Configuration = PublishedConfiguration(kind="fair-1.4.1")
    """Which climate answers."""
    pathway: Pathway
    """What is emitted."""
    zones: Zones = Zones()
    """Regional pattern."""
    tipping: Literal["on", "silent"] = "on"
    """`silent`: elements tip but do not add to the warming."""
    sea_level: Literal["vermeer-rahmstorf-2009", "rahmstorf-2007"] = "vermeer-rahmstorf-2009"
    """Semi-empirical law of the sea level, from 1880 on."""
    damages: Literal["dice-2016r", "howard-sterner-2017", "weitzman-2012"] = "dice-2016r"
    """Damage function."""

    tick_name: ClassVar[str] = "year"
    agents_path: ClassVar[str | None] = None
    effort: ClassVar[int] = 100
    units: ClassVar[Mapping[str, str]] = {
        "ticks": "yr",
        "start": "yr",
        "year": "yr",
        "begin": "yr",
        "end": "yr",
        "until": "yr",
        "co2": "GtCO2/yr",
        "ch4": "Mt/yr",
        "n2o": "Mt/yr",
        "forcing": "W m-2",
        "sensitivity": "K",
    }

    @property
    def years_a_tick(self) -> int:
        """Years of one tick."""
        return DICE_YEARS if isinstance(self.configuration, DiceConfiguration) else 1

    @property
    def agents(self) -> int:
        """One climate."""
        return 1

    def estimate(self) -> Estimate:
        """Upper bounds for one member."""
        history = self.ticks * BYTES_A_MEMBER_TICK
        return Estimate(bytes=BYTES_A_MEMBER + history, agents=1, copies=history)

    @model_validator(mode="after")
    def within_the_data(self) -> Self:
        """The run ends with the data, DICE-2016R begins where its state is known, and no pathway nests too deep."""
        last = self.start + self.years_a_tick * self.ticks
        if last > LAST_YEAR + 1:
            raise ValueError(f"the run would end in {last}, the pathways' data end after {LAST_YEAR}: take fewer ticks")
        if isinstance(self.configuration, DiceConfiguration) and self.start != 2015:
            raise ValueError("DICE-2016R starts from its state of 2015: set start to 2015")
        if depth(self.pathway) > DEEPEST_PATHWAY:
            raise ValueError(f"a pathway is composed of at most {DEEPEST_PATHWAY} levels")
        return self


for section in (Splice, Blend, Overlay):
    section.model_rebuild()
ClimateScenario.model_rebuild()
