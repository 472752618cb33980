"""The economic section of a civilisation: technology, rules of firms and households, credit, and what governments take.

Only what a user may want to turn is here; the published tables behind the defaults ship with civlab. Rates are a year
unless they say otherwise, and the compiler takes one part in 52 of them for a week.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from parpour_contracts.scenario.document import Exact, Section, Share

Good = Literal["food", "fuel", "energy", "materials", "manufactures", "construction", "logistics", "services", "public"]
GOODS: tuple[Good, ...] = get_args(Good)
MOST_FIRMS = 1_000_000
LEAST_CAPITAL = Decimal("0.01")
BASE_PRICE = 10_000
"""Price of a lot of every good at the start, in minor units of money."""

Rate = Annotated[Exact, Field(ge=0, le=1)]
"""Share a year."""
Weekly = Annotated[Exact, Field(ge=0, le=1)]
"""Share a week."""
Weeks = Annotated[Exact, Field(ge=0, le=520)]
Amount = Annotated[Exact, Field(ge=0, le=1000)]
Shares = dict[Good, Share]


def whole(shares: dict[Good, Decimal] | None, name: str) -> None:
    """Raises ValueError unless the shares sum to one."""
    if shares is not None and sum(shares.values(), Decimal(0)) != 1:
        total = sum(shares.values(), Decimal(0))
        raise ValueError(f"{name}: the shares sum to {total}: make them sum to 1")


class Industry(Section):
    """How one good is made, per lot of it at the prices of the start."""

    inputs: dict[Good, Amount] = {}
    """Lots of each good used up."""
    labour: Annotated[Exact, Field(ge=Decimal("0.01"), lt=1)]
    """Cost of labour, contributions included, as a share of the price."""
    capital: Annotated[Exact, Field(ge=0, le=100)] = Decimal(0)
    """Capital as years of output."""
    wear: Rate = Decimal(0)
    """Share of capital that wears out in a year."""
    cover: Annotated[Exact, Field(ge=0, le=52)] | None = None
    """Weeks of sales that firms want in store; None: as of the good by default."""
    perish: Weekly | None = None
    """Share of unsold output lost in a week; None: as of the good by default."""

    @model_validator(mode="after")
    def enough_capital(self) -> Self:
        """Where there is capital, it is some days of output at least."""
        if 0 < self.capital < LEAST_CAPITAL:
            raise ValueError(f"capital: give none, or at least {LEAST_CAPITAL} years of output")
        return self


class PublishedTechnology(Section):
    """Made of a published national table."""

    kind: Literal["united-states-2014"]


class OwnTechnology(Section):
    """Technology of your own; a good that is left out cannot be made, so nobody may want it."""

    kind: Literal["own"]
    industries: Annotated[dict[Good, Industry], Field(min_length=1)]


Technology = Annotated[PublishedTechnology | OwnTechnology, Field(discriminator="kind")]


class Demand(Section):
    """What money is spent on; without shares, what the published table shows."""

    consumption: Shares | None = None
    """Shares of goods in households' spending at mean income."""
    investment: Shares | None = None
    """Shares of goods in capital; energy cannot be part of it."""
    government: Shares | None = None
    """Shares of goods in public purchases."""

    @model_validator(mode="after")
    def sums(self) -> Self:
        """Each set of shares sums to one."""
        for name in ("consumption", "investment", "government"):
            whole(getattr(self, name), name)
        if self.investment is not None and self.investment.get("energy"):
            raise ValueError(
                "investment: energy is used up as it is delivered, so nothing can be built of it: give its share to "
                "other goods"
            )
        return self


class Energy(Section):
    """How energy is won, and who gets it first."""

    renewable: Annotated[Exact, Field(ge=0, lt=1)] = Decimal("0.328")
    """Share of energy that needs no fuel. United States 2014, nuclear power included: 1,343 of 4,094 TWh."""
    efficiency: Annotated[Exact, Field(gt=0, lt=1)] = Decimal("0.374")
    """Energy delivered for the fuel burnt, and energy that stands in for fuel that an industry lacks. United States
    2014: 9.38 of 25.1 quadrillion Btu."""
    losses: Annotated[Exact, Field(ge=0, lt=1)] = Decimal("0.05")
    """Fuel lost on its way from the ground, over what is delivered."""
    priority: Annotated[tuple[Good, ...], Field(min_length=len(GOODS), max_length=len(GOODS), strict=False)] = (
        "public", "energy", "fuel", "food", "logistics", "materials", "manufactures", "services", "construction",
    )  # fmt: skip
    """Industries in the order in which they are served when energy is short."""

    @model_validator(mode="after")
    def each_once(self) -> Self:
        """Every industry has one place in the order."""
        if len(set(self.priority)) != len(GOODS):
            raise ValueError("priority: name each of the nine industries once")
        return self


class Firms(Section):
    """Firms: how many, and by what rules they plan."""

    number: Annotated[int, Field(ge=18, le=MOST_FIRMS)] | None = None
    """Firms of the world; without it one for 50 citizens, at least one a region and industry."""
    dispersion: Annotated[Exact, Field(ge=0, le=3)] = Decimal("0.943")
    """Standard deviation of the logarithm of their sizes at the start, which follow Pareto's law with an exponent of
    one over it: 1.06 (Axtell 2001)."""
    employment: Annotated[Exact, Field(ge=Decimal("0.1"), le=1)] = Decimal("0.94")
    """Share of those who can work for whom the start's plans have a job."""
    use: Annotated[Exact, Field(ge=Decimal("0.1"), le=1)] = Decimal("0.8")
    """Use of capacity that is aimed at; Federal Reserve G.17: 79.6 % in the mean of 1972-2022."""
    learning: Weekly = Decimal("0.1")
    """Weight of the last week in expected sales."""
    surprises: Weekly = Decimal("0.01")
    """Chance that a week's demand surprises a firm: customers come to it or leave it for others of its market, so that
    shares of a market wander, whatever a firm's size (Gibrat 1931)."""
    surprise: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1.5")
    """Standard deviation of a surprise, over the week's demand."""
    adjustment: Weekly = Decimal("0.1")
    """Share of a gap in stores that is made up in a week."""
    building: Weekly = Decimal("0.003")
    """Share of a gap in capital that is made up in a week."""
    buffer: Weeks = Decimal(4)
    """Weeks of costs that a firm keeps as money."""
    payout: Weekly = Decimal("0.25")
    """Share of money beyond need that is paid out in a week."""
    cash: Weeks = Decimal("4.5")
    """Weeks of costs that a firm holds at the start."""
    debt: Share = Decimal("0.1")
    """Loan over capital that firms keep."""


class Prices(Section):
    """How prices move, and how buyers answer."""

    speed: Weekly = Decimal("0.1")
    """Share of the gap to cost and markup that is made up in a week."""
    bound: Weekly = Decimal("0.01")
    """Most that a price changes in a week for that."""
    pressure: Weekly = Decimal("0.002")
    """Rise of a price in a week in which stores are empty."""
    noise: Weekly = Decimal(0)
    """Most that a price moves up or down by chance in a week, each firm's on its own; all moves alike."""
    choice: Annotated[Exact, Field(ge=0, le=1000)] = Decimal(10)
    """Intensity of choice between sellers' relative prices; 0: buyers do not look at prices."""
    nearness: Share = Decimal("0.5")
    """Share of a seller's weight that is left by a cell of distance, prices apart (gravity law; Tinbergen 1962)."""
    freight: Annotated[Exact, Field(ge=0, le=100)] = Decimal(1)
    """Factor on the cost of carriage."""


class Labour(Section):
    """Work and pay."""

    wage: Annotated[int, Field(ge=1000, le=10_000_000)] = 80_000
    """Weekly pay of a trained employee at the start, minor units."""
    basic: Annotated[Exact, Field(ge=Decimal("0.1"), le=16)] = Decimal("0.69")
    """Efficiency and pay of a basic employee over a trained one's: United States 2014, 488 of 710 dollars a week."""
    expert: Annotated[Exact, Field(ge=Decimal("0.1"), le=16)] = Decimal("1.68")
    """Efficiency and pay of an expert over a trained employee's: 1,193 of 710 dollars a week."""
    quit: Weekly = Decimal("0.0053")
    """Chance that a job ends by itself in a week: quits and other separations, 2.3 % a month (JOLTS 2014)."""
    search: Weekly = Decimal("0.3")
    """Chance that a seeker applies in a week."""
    hiring: Weekly = Decimal(1)
    """Share of a lack of staff that is advertised in a week, by chance where it is no whole number of jobs."""
    layoff: Weekly = Decimal("0.03")
    """Share of an excess of staff that is dismissed in a week: half of it in 23 weeks (Hamermesh 1993, Labor Demand:
    half in one quarter or two)."""
    flexibility: Annotated[Exact, Field(ge=0, le=10)] = Decimal("0.2")
    """Rise of pay in a year by unemployment below its target: slope of the wage Phillips curve."""
    unemployment: Share = Decimal("0.06")
    """Unemployment at which pay follows prices and productivity."""
    progress: Rate = Decimal("0.01")
    """Growth of labour productivity in a year."""


class Saving(Section):
    """How households save; the share of income that is spent follows, so that the start is at rest."""

    wealth: Annotated[Exact, Field(ge=0, le=52)] = Decimal("0.1")
    """Share of wealth spent in a year; 52 spends all of it every week."""
    savings: Annotated[Exact, Field(ge=0, le=520)] = Decimal(26)
    """Weeks of income that a household owns at the start."""
    patience: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1")
    """Fall of spending by the yearly real rate of interest beyond its natural level: the elasticity of substitution
    over time (Havranek 2015 finds about one half in the mean of studies)."""
    memory: Weekly = Decimal("0.1")
    """Weight of the last week in smoothed income."""


class Credit(Section):
    """Banks and the central bank's rule."""

    banks: Annotated[int, Field(ge=1, le=64)] = 2
    """Banks of a nation."""
    capital_ratio: Annotated[Exact, Field(gt=0, lt=1)] = Decimal("0.03")
    """Equity over loans that a bank must keep (Poledna et al. 2023)."""
    loan_to_value: Share = Decimal("0.6")
    """Most that a firm may owe over the value of its assets (Poledna et al. 2023)."""
    repayment: Annotated[Exact, Field(ge=0, le=4)] = Decimal("0.2")
    """Share of a loan that is paid back in a year: 5 % a quarter (Poledna et al. 2023)."""
    recovery: Share = Decimal("0.5")
    """Share of a failed firm's assets that its loan keeps (Poledna et al. 2023)."""
    exclusion: Annotated[int, Field(ge=0, le=520)] = 52
    """Weeks for which no bank lends to a firm that failed (exclusion as in Chatterjee et al. 2007, Econometrica 75; a
    year of it is this model's own choice)."""
    spread: Rate = Decimal("0.02")
    """What firms pay above the policy rate."""
    natural_rate: Rate = Decimal("0.01")
    """Real rate of interest at rest."""
    credibility: Annotated[Exact, Field(ge=0, le=10)] = Decimal("1")
    """Pull of the target on expected inflation, over that of the inflation that was seen."""
    inflation_target: Rate = Decimal("0.02")
    """What the central bank aims at."""
    smoothing: Weekly = Decimal("0.984")
    """Weight of last week's policy rate: 0.79 a quarter (Clarida, Gali and Gertler 2000)."""
    inflation: Annotated[Exact, Field(ge=0, le=10)] = Decimal("0.5")
    """Answer of the policy rate to inflation beyond its target (Taylor 1993)."""
    growth: Annotated[Exact, Field(ge=0, le=10)] = Decimal("0.5")
    """Answer of the policy rate to growth (Taylor 1993, with growth for the gap as in Poledna et al. 2023)."""
    debt_speed: Weekly = Decimal("0.01")
    """Answer of public purchases in a week to a debt beyond its target."""


class Shocks(Section):
    """What befalls whole nations by chance, each for itself. A deviation of 0 turns a shock off."""

    technology: Annotated[Exact, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.002")
    """Standard deviation of the chance by which labour productivity grows more or less in a week, and stays so:
    0.72 % a quarter (King and Rebelo 1999)."""
    purchases: Annotated[Exact, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.0114")
    """Standard deviation of the chance by which public purchases move in a week: 0.53 % of output a quarter (exogenous
    spending of Smets and Wouters 2007), where purchases are 13 % of output."""
    memory: Weekly = Decimal("0.99766")
    """Share of such a move that is left after a week: 0.97 after a quarter (Smets and Wouters 2007)."""


class Government(Section):
    """What a nation's government takes and gives; its purchases are what that leaves."""

    income_tax: Annotated[Exact, Field(ge=0, lt=1)] = Decimal("0.25")
    """Share of wages, employees' contributions to social insurance included."""
    sales_tax: Annotated[Exact, Field(ge=0, le=2)] = Decimal("0.07")
    """Share of households' spending before tax."""
    profit_tax: Annotated[Exact, Field(ge=0, lt=1)] = Decimal("0.2")
    """Share of firms' profits."""
    contributions: Annotated[Exact, Field(ge=0, le=2)] = Decimal("0.07")
    """Share of wages, paid by firms on top of them."""
    benefit: Share = Decimal("0.35")
    """Weekly benefit of a citizen of working age without work, over a trained employee's pay."""
    pension: Share = Decimal("0.4")
    """Weekly pension over a trained employee's pay."""
    child_benefit: Share = Decimal("0.03")
    """Weekly benefit for a child over a trained employee's pay."""
    debt: Annotated[Exact, Field(ge=0, le=10)] = Decimal("0.35")
    """Public debt over the output of a year, at the start and aimed at."""
    purchases: Literal["follow", "fixed"] = "follow"
    """What it buys: `follow` lets purchases go with wages, employment and debt; `fixed` keeps those of the start, in
    money."""


class EconomySection(Section):
    """Technology, demand and the rules of all who trade."""

    technology: Technology = PublishedTechnology(kind="united-states-2014")
    demand: Demand = Demand()
    energy: Energy = Energy()
    firms: Firms = Firms()
    prices: Prices = Prices()
    labour: Labour = Labour()
    households: Saving = Saving()
    credit: Credit = Credit()
    shocks: Shocks = Shocks()
