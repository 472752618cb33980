"""The invariants as data: what holds in every tick, by number, name and equation, for documentation, errors and tests.

The names are those of `layout.FAULTS`, in which kernels number them; what a name stands for is written here once. Where
a broken tick breaks several, the audit names the narrowest: the account that does not close before the world's total.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from civlab.models.civilisation.layout import FAULTS

Found = Literal["every tick", "every year", "a round of people", "every full count"]


@dataclass(frozen=True)
class Invariant:
    """One thing that is counted in two ways.

    `equation` is in the words of flows and stocks, those of a tick unless it says otherwise, `places` what the fault's
    place counts from one, `found` when it is counted.
    """

    name: str
    equation: str
    meaning: str
    places: str = ""
    found: Found = "every tick"

    @property
    def number(self) -> int:
        """1 to 18 for I1 to I18; what else stops a run follows."""
        return FAULTS.index(self.name) + 1

    @property
    def label(self) -> str:
        """I1 to I18; S1 and so on for what else stops a run."""
        return f"I{self.number}" if self.number <= NUMBERED else f"S{self.number - NUMBERED}"


NUMBERED = 18
INVARIANTS = (
    Invariant(
        "goods",
        "stores after = stores before + made - used - consumed - built - perished - carried, for each good",
        "goods are made and used up, never found or lost",
        "goods",
    ),
    Invariant(
        "money",
        "deposits of households + cash of firms + treasuries + dividend pools + banks' equity = "
        "base money + loans + public debt",
        "all money is the central bank's or somebody's debt",
    ),
    Invariant(
        "energy",
        "fuel in the ground + fuel and energy in stores + dissipated since the start = "
        "what there was at the start + gained from renewable sources since",
        "joules change their form only, and what is dissipated never comes back",
    ),
    Invariant(
        "carbon",
        "carbon emitted = carbon in the air + carbon taken up, since 1750, in kilograms (place 0); (fuel burnt since "
        "the start - fuel due) * carbon of fuel = carbon of the world's own people, counted and left over (place 1)",
        "carbon is moved, never made, and comes from the fuel that left the stores",
    ),
    Invariant(
        "population",
        "citizens after = citizens before + births - deaths; arrivals = departures (place 0); citizens of all "
        "households = citizens (place 1)",
        "nobody appears but by birth, or vanishes but by death, and everybody lives in one household",
    ),
    Invariant(
        "labour",
        "employees of all firms = citizens with an employer; citizens who may work = employed + seekers",
        "every job has one holder, and every holder one job",
    ),
    Invariant(
        "firm_sheet",
        "cash after = cash before + lent + revenue - wages - contributions - spent - interest - tax on profits - "
        "repaid - paid out, over all firms",
        "firms' accounts close",
    ),
    Invariant(
        "bank_sheet",
        "equity and dividends held after = those before + interest of firms + interest of governments + rescues + paid "
        "out by firms - written off - dividends to households",
        "banks' accounts close, those of the dividends that pass through them too",
    ),
    Invariant(
        "household_sheet",
        "deposits after = deposits before + income - spending - sales tax (place 0); income = wages - income tax + "
        "benefits + pensions + child benefits + dividends (place 1)",
        "households' accounts close, and what firms pay as wages is what citizens receive",
    ),
    Invariant(
        "government_sheet",
        "treasuries less debts after = those before + taxes + contributions - benefits - pensions - child benefits - "
        "purchases - interest - rescues",
        "governments' accounts close",
    ),
    Invariant(
        "trade",
        "sum over nations of sales abroad less purchases abroad since the start = 0",
        "what one nation exports another imports",
    ),
    Invariant(
        "rationing",
        "units sold = units received, share of a budget that is spent <= 1, for each good; firms' revenue = spending "
        "of households, governments and firms (place 0)",
        "a market hands out exactly what it takes in",
        "goods",
    ),
    Invariant(
        "land", "farmed + mined + settled + wild = area, for each region", "land changes its use only", "regions"
    ),
    Invariant("credit", "loans of firms = loans of banks", "a debt of one is a claim of another"),
    Invariant(
        "inheritance",
        "money of households that ended = inherited + fallen to treasuries",
        "estates pass on to the unit",
    ),
    Invariant(
        "negative",
        "amounts below zero = 0: deposits, cash, loans, capital, stores, treasuries, pools, debts, equity, fuel in the "
        "ground",
        "nobody holds less than nothing",
    ),
    Invariant(
        "bounds",
        "1 <= price <= 2^40 for each market, firm, nation and a week's pay; productivity <= 2^10 of the start's",
        "prices, pay and productivity stay within the range for which their products fit; the residue is how far one "
        "is out",
        "regions",
    ),
    Invariant(
        "chain",
        "digest of a column, counted in full = sum of all its changes; a link's head = BLAKE3 of the head before and "
        "the tick's changes",
        "nothing changes but by a phase of the tick, and no tick is left out",
        found="every full count",
    ),
    Invariant(
        "embodied",
        "energy embodied in all stores after = before + primary energy - embodied in what was consumed or built - lost "
        "with what perished",
        "every joule that enters the world is traced into goods and out of them",
    ),
    Invariant("full_citizens", "citizens of a region <= its slots", "there is room for all", found="a round of people"),
    Invariant("full_households", "households of a region <= its slots", "likewise", found="a round of people"),
    Invariant(
        "overflow",
        "every total < 2^127; fuel burnt in a year < 2^80 mJ; a region's flow of a good or of energy in a week <= "
        "3 * 2^62",
        "no counter wraps",
    ),
)
"""In the order of `layout.FAULTS`."""
