"""The scenario document of the civilisation model: people, a map of nations, an economy and a climate, week by week.

Every section has defaults that stand for a world like the United States of 2014, so that a document only says what is
different; what no single section shows is checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from parpour_contracts.scenario.civilisation.climate import Climate
from parpour_contracts.scenario.civilisation.economy import GOODS, EconomySection
from parpour_contracts.scenario.civilisation.people import PeopleSection, Round
from parpour_contracts.scenario.civilisation.world import World
from parpour_contracts.scenario.civilisation.zoom import ListedRegions, RegionsOfNation, Zoom
from parpour_contracts.scenario.climate import LAST_YEAR
from parpour_contracts.scenario.document import MAXIMUM_TICKS, Estimate, Exact, Scenario, Section, Step

LEAST_POPULATION, MAXIMUM_POPULATION = 1000, 50_000_000
CITIZENS_A_FIRM = 50
LEAST_CITIZENS_A_FIRM = 5
WEEKS = 52
FIRST_PATHWAY_YEAR = 1750
SLOTS_ROUNDED = 128
"""Slots that rounding up can add to a region's segment."""

BYTES_A_CITIZEN = 18
"""A slot of a citizen, tiles included."""
BYTES_A_HOUSEHOLD = 76
BYTES_A_FIRM = 850
BYTES_A_REGION = 19_000
"""With its markets, the cell of the map and two cells of sea."""
BYTES_A_CROWD = 12_600
"""Of a region that may be aggregated."""
BYTES_A_NATION = 5_000
BYTES_A_BANK = 80
BYTES_A_MEMBER = 40_000
"""Cells of a member and a compiled scenario."""
BYTES_A_TICK, BYTES_A_NATION_TICK, BYTES_A_REGION_QUARTER = 420, 430, 240
BYTES_A_MEMBER_YEAR, BYTES_A_NATION_YEAR, BYTES_A_REGION_YEAR = 150, 580, 1_660
QUARTER = 13
BYTES_A_YEAR = 48
BYTES_COPIED_A_HOUSEHOLD = 12
"""What a household holds, sorted or on its way to or from a checkpoint, who heads it and how many minors it has."""
BYTES_COPIED_A_FIRM = 120
"""A firm's row of the table of firms."""


class CivilisationPopulation(Section):
    """How many citizens, and how many more there is room for."""

    size: Annotated[int, Field(ge=LEAST_POPULATION, le=MAXIMUM_POPULATION)] = 100_000
    """Citizens at the start."""
    room: Annotated[Exact, Field(ge=0, le=20, decimal_places=3)] = Decimal("0.25")
    """Room in each region for more citizens and households, as a share of those at the start; a run that needs more
    stops."""


class CivilisationScenario(Scenario):
    """A civilisation that conserves money, goods, energy, carbon and people (a tick is a week, 52 to the year)."""

    tick_name: ClassVar[str] = "week"
    agents_path: ClassVar[str | None] = "population.size"
    step: ClassVar[Step | None] = Step("people.round", get_args(Round))
    effort: ClassVar[int] = 5
    units: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("ticks", "round", "savings", "cash", "buffer", "exclusion"), "weeks"),
        "week": "weeks",
        "size": "citizens",
        "minimum": "citizens",
        "people_per_citizen": "people",
        "number": "firms",
        "wage": "money/week",
        "start": "yr",
        "years": "yr",
        "lag": "yr",
        "gap": "yr",
        "retirement": "yr",
        "area": "km2",
        "relief": "m",
        "carbon": "kg/GJ",
        "south": "deg",
        "north": "deg",
    }

    model: Literal["civilisation"]
    ticks: Annotated[int, Field(ge=1, le=MAXIMUM_TICKS)]
    """Weeks to simulate."""
    population: CivilisationPopulation = CivilisationPopulation()
    world: World = World()
    people: PeopleSection = PeopleSection()
    economy: EconomySection = EconomySection()
    climate: Climate = Climate()
    zoom: Zoom = Zoom()

    @property
    def agents(self) -> int:
        """Citizens of one member at the start."""
        return self.population.size

    @property
    def firms(self) -> int:
        """Firms of one member."""
        least = len(GOODS) * self.world.map.regions
        return self.economy.firms.number or max(least, self.population.size // CITIZENS_A_FIRM)

    @property
    def least_citizens(self) -> int:
        """Citizens without whom regions or firms would stand empty."""
        regions = self.world.map.regions * self.world.settlement.minimum
        firms = self.economy.firms.number or len(GOODS) * self.world.map.regions
        return max(LEAST_POPULATION, regions, LEAST_CITIZENS_A_FIRM * firms)

    def shrunk(self, agents: int) -> Self:
        """The same world with fewer citizens, as many as its regions and firms need at least."""
        size = min(self.agents, max(agents, self.least_citizens))
        return self.model_copy(update={"population": self.population.model_copy(update={"size": size})})

    def estimate(self) -> Estimate:
        """Upper bounds for one member."""
        regions, nations = self.world.map.regions, len(self.world.nations)
        rounding = SLOTS_ROUNDED * regions
        more = 1 + self.population.room
        citizens = int(self.agents * more) + rounding
        households = int(self.agents * more * 3) // 4 + rounding
        cells = int(regions / (1 - self.world.map.sea)) + 1
        years = self.climate.start - FIRST_PATHWAY_YEAR + self.ticks // WEEKS + 2
        history = (
            self.ticks * (BYTES_A_TICK + nations * BYTES_A_NATION_TICK)
            + (self.ticks // QUARTER + 1) * regions * BYTES_A_REGION_QUARTER
            + (self.ticks // WEEKS + 1)
            * (BYTES_A_MEMBER_YEAR + nations * BYTES_A_NATION_YEAR + regions * BYTES_A_REGION_YEAR)
        )
        size = (
            citizens * BYTES_A_CITIZEN
            + households * BYTES_A_HOUSEHOLD
            + (self.firms + SLOTS_ROUNDED) * BYTES_A_FIRM
            + regions * (BYTES_A_REGION + (BYTES_A_CROWD if self.zoom.changes else 0))
            + cells * SLOTS_ROUNDED
            + nations * (BYTES_A_NATION + self.economy.credit.banks * BYTES_A_BANK)
            + BYTES_A_MEMBER
            + years * BYTES_A_YEAR
            + history
        )
        copies = households * BYTES_COPIED_A_HOUSEHOLD + self.firms * BYTES_COPIED_A_FIRM + history
        return Estimate(bytes=size, agents=self.agents, copies=copies)

    @model_validator(mode="after")
    def peopled(self) -> Self:
        """Every region has its least citizens, every industry a firm in every region, and every firm employees."""
        regions, firms = self.world.map.regions, self.firms
        if firms < len(GOODS) * regions:
            raise ValueError(
                f"economy.firms.number: {regions} regions need {len(GOODS) * regions} firms, one an industry: "
                "raise it, or take fewer regions"
            )
        if self.population.size < self.least_citizens:
            raise ValueError(
                f"population.size: {regions} regions and {firms} firms need {self.least_citizens} citizens: "
                "raise it, or take fewer regions or firms"
            )
        return self

    @model_validator(mode="after")
    def zoomed_on_what_there_is(self) -> Self:
        """Changes of zoom name nations and regions of this world."""
        names = {nation.name for nation in self.world.nations}
        for place, change in enumerate(self.zoom.changes):
            chosen, path = change.regions, f"zoom.changes.{place}.regions"
            if isinstance(chosen, RegionsOfNation) and chosen.nation not in names:
                raise ValueError(f"{path}: there is no nation {chosen.nation}: name one of {', '.join(sorted(names))}")
            if isinstance(chosen, ListedRegions) and max(chosen.regions) >= self.world.map.regions:
                last = self.world.map.regions - 1
                raise ValueError(f"{path}: there is no region {max(chosen.regions)}: the last one is {last}")
        return self

    @model_validator(mode="after")
    def within_the_data(self) -> Self:
        """The run ends with the pathways' data."""
        last = self.climate.start + -(-self.ticks // WEEKS)
        if last > LAST_YEAR:
            raise ValueError(f"ticks: the run would end in {last}, the pathways' data in {LAST_YEAR}: take fewer ticks")
        return self
