"""The account of the start: what all earn, spend and make in a week, closed exactly for every nation.

The world is at rest: what wears out is replaced, households spend what they earn, governments what they take. From the
citizens who work follow all outputs, incomes and purchases as fractions, a citizen and week; rounding comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from civlab.errors import CivlabError
from civlab.models.civilisation.matrices import Matrix, Vector, apply, dot, inverse, less_from_identity
from civlab.models.civilisation.production import PLACES, Production, production_of
from parpour_contracts.scenario.civilisation.economy import GOODS, EconomySection, Government

WEEKS = 52
ACCOUNTS = (*GOODS, "labour", "profits", "households", "government", "capital")
LABOUR, PROFITS, HOUSEHOLDS, GOVERNMENT, CAPITAL = range(len(GOODS), len(ACCOUNTS))


@dataclass(frozen=True)
class Composition:
    """Who the citizens are, as shares of all of them."""

    minors: Fraction
    able: Fraction
    """Of working age and well enough to work."""
    ill: Fraction
    """Of working age and too ill to work."""
    retired: Fraction
    skills: tuple[Fraction, Fraction, Fraction]
    """Basic, trained and expert among the able; they sum to one."""


@dataclass(frozen=True)
class NationAccount:
    """A nation's account, money a citizen and week."""

    wages: Fraction
    contributions: Fraction
    profits: Fraction
    """After wear, before tax and interest."""
    transfers: Fraction
    interest: Fraction
    """Of the public debt, which comes back to households as dividends of banks."""
    taxes_wages: Fraction
    taxes_sales: Fraction
    taxes_profits: Fraction
    consumption: Fraction
    """Before sales tax."""
    purchases: Fraction

    @property
    def income(self) -> Fraction:
        """What households have to spend, sales tax included."""
        return self.consumption + self.taxes_sales


@dataclass(frozen=True)
class WorldAccount:
    """The world's account, money a citizen and week at the prices of the start."""

    production: Production
    output: Vector
    consumption: Fraction
    purchases: Fraction
    investment: Fraction
    nations: tuple[NationAccount, ...]
    shares: Vector
    """Of the citizens, by nation."""

    def mean(self, name: str) -> Fraction:
        """Mean of the nations' accounts."""
        return dot(self.shares, tuple(getattr(nation, name) for nation in self.nations))


def efficiencies(section: EconomySection) -> Vector:
    """Efficiency of the three skills, as the 256ths in which kernels hold it."""
    labour = section.labour
    return tuple(Fraction(round(Fraction(value) * 256), 256) for value in (labour.basic, Fraction(1), labour.expert))


def close_world(
    section: EconomySection, governments: Sequence[Government], shares: Vector, composition: Composition
) -> WorldAccount:
    """The account of the start.

    `shares` are the nations' shares of the citizens. With outputs X = C x_c + G x_g (Leontief's inverse with what wears
    out replaced), labour's cost fixes one equation of C and G and households' budgets the other.

    Raises CivlabError as `production_of` does, and SCENARIO_INVALID with the nation whose taxes do not cover what it
    hands out.
    """
    production = production_of(section)
    profit = production.profit
    replaced = tuple(
        tuple(production.inputs[i][j] + production.investment[i] * production.wear[j] for j in PLACES) for i in PLACES
    )
    total = inverse(less_from_identity(replaced))
    for_consumption, for_government = apply(total, production.consumption), apply(total, production.government)
    employed = composition.able * Fraction(section.firms.employment)
    wages = employed * dot(composition.skills, efficiencies(section)) * section.labour.wage
    mean_rate = dot(shares, tuple(Fraction(government.contributions) for government in governments))
    rate = Fraction(section.credit.natural_rate) + Fraction(section.credit.inflation_target)
    base, of_profit, of_output = Fraction(0), Fraction(0), Fraction(0)
    for share, government in zip(shares, governments, strict=True):
        part = share / (1 + Fraction(government.sales_tax))
        kept = 1 - Fraction(government.profit_tax)
        excess = (Fraction(government.contributions) - mean_rate) * wages
        fixed = wages * (1 - Fraction(government.income_tax)) + handed_out(section, government, composition)
        base += part * (fixed - kept * excess)
        of_profit += part * kept
        of_output += part * rate * Fraction(government.debt)
    consumption, purchases = two_equations(
        (dot(production.labour, for_consumption), dot(production.labour, for_government), (1 + mean_rate) * wages),
        (
            1 - of_profit * dot(profit, for_consumption) - of_output * sum(for_consumption),
            -of_profit * dot(profit, for_government) - of_output * sum(for_government),
            base,
        ),
    )
    output = tuple(consumption * c + purchases * g for c, g in zip(for_consumption, for_government, strict=True))
    profits, made = dot(profit, output), sum(output, Fraction(0))
    nations = []
    for number, government in enumerate(governments):
        excess = (Fraction(government.contributions) - mean_rate) * wages
        transfers = handed_out(section, government, composition)
        nations.append(nation_account(number, government, wages, profits - excess, transfers, rate, made))
    return WorldAccount(
        production, output, consumption, purchases, dot(production.wear, output), tuple(nations), tuple(shares)
    )


Equation = tuple[Fraction, Fraction, Fraction]


def two_equations(first: Equation, second: Equation) -> tuple[Fraction, Fraction]:
    """x and y of a x + b y = c, twice."""
    (a, b, c), (d, e, f) = first, second
    whole = a * e - b * d
    return (c * e - b * f) / whole, (a * f - c * d) / whole


def handed_out(section: EconomySection, government: Government, composition: Composition) -> Fraction:
    """Benefits and pensions, money a citizen and week."""
    idle = composition.able * (1 - Fraction(section.firms.employment)) + composition.ill
    return section.labour.wage * (
        idle * Fraction(government.benefit)
        + composition.retired * Fraction(government.pension)
        + composition.minors * Fraction(government.child_benefit)
    )


def nation_account(
    number: int,
    government: Government,
    wages: Fraction,
    profits: Fraction,
    transfers: Fraction,
    rate: Fraction,
    made: Fraction,
) -> NationAccount:
    """A nation's account; raises CivlabError SCENARIO_INVALID where nothing is left to spend."""
    interest = rate * Fraction(government.debt) * made
    contributions = Fraction(government.contributions) * wages
    taxes_wages, taxes_profits = Fraction(government.income_tax) * wages, Fraction(government.profit_tax) * profits
    income = wages - taxes_wages + transfers + profits - taxes_profits + interest
    consumption = income / (1 + Fraction(government.sales_tax))
    taxes_sales = income - consumption
    purchases = taxes_wages + taxes_sales + taxes_profits + contributions - transfers - interest
    path = f"world.nations.{number}.government"
    if purchases < 0:
        lack = float(-purchases / wages)
        message = f"benefits and interest exceed taxes by {lack:.3f} of wages: raise taxes, or lower benefits or debt"
        raise CivlabError("SCENARIO_INVALID", path, message)
    if profits <= 0:
        message = "contributions so far above all nations' mean leave firms no profit: lower them, or raise the others'"
        raise CivlabError("SCENARIO_INVALID", f"{path}.contributions", message)
    if consumption <= 0:
        raise CivlabError("SCENARIO_INVALID", path, "households would have nothing to spend: lower taxes")
    return NationAccount(
        wages=wages,
        contributions=contributions,
        profits=profits,
        transfers=transfers,
        interest=interest,
        taxes_wages=taxes_wages,
        taxes_sales=taxes_sales,
        taxes_profits=taxes_profits,
        consumption=consumption,
        purchases=purchases,
    )


@dataclass(frozen=True)
class SocialAccounts:
    """A social accounting matrix in whole units of money a week: `cells[row][column]` is paid by column to row."""

    names: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]

    def received(self) -> tuple[int, ...]:
        """Row sums."""
        return tuple(sum(row) for row in self.cells)

    def paid(self) -> tuple[int, ...]:
        """Column sums; equal to the row sums to the unit."""
        return tuple(sum(row[j] for row in self.cells) for j in range(len(self.names)))


def social_accounts(world: WorldAccount, citizens: int) -> SocialAccounts:
    """The world's matrix for so many citizens, every cell within one unit of its exact value."""
    size = len(ACCOUNTS)
    cells = [[Fraction(0)] * size for _ in range(size)]
    production, output = world.production, world.output
    for j in PLACES:
        for i in PLACES:
            cells[i][j] = production.inputs[i][j] * output[j]
        cells[LABOUR][j] = production.labour[j] * output[j]
        cells[CAPITAL][j] = production.wear[j] * output[j]
        cells[PROFITS][j] = production.profit[j] * output[j]
        cells[j][HOUSEHOLDS] = production.consumption[j] * world.consumption
        cells[j][GOVERNMENT] = production.government[j] * world.purchases
        cells[j][CAPITAL] = production.investment[j] * world.investment
    cells[HOUSEHOLDS][LABOUR], cells[GOVERNMENT][LABOUR] = world.mean("wages"), world.mean("contributions")
    cells[GOVERNMENT][PROFITS] = world.mean("taxes_profits")
    cells[HOUSEHOLDS][PROFITS] = world.mean("profits") - world.mean("taxes_profits")
    cells[HOUSEHOLDS][GOVERNMENT] = world.mean("transfers") + world.mean("interest")
    cells[GOVERNMENT][HOUSEHOLDS] = world.mean("taxes_wages") + world.mean("taxes_sales")
    return SocialAccounts(ACCOUNTS, round_circulation(tuple(tuple(v * citizens for v in row) for row in cells)))


def round_circulation(cells: Matrix) -> tuple[tuple[int, ...], ...]:
    """Whole cells, each the floor or the ceiling of its own, whose row sums are the column sums.

    Cells that are not whole are edges of a flow that balances at every account, so each account with one such edge has
    another: while there are any, a cycle of them is pushed until one edge is whole (controlled rounding; Cox 1987,
    Journal of the American Statistical Association 82). Raises ValueError if the account does not balance.
    """
    size = len(cells)
    if any(sum(cells[k]) != sum(row[k] for row in cells) for k in range(size)):
        raise ValueError("the rows and columns of the account differ")
    flow = [list(row) for row in cells]
    while True:
        cycle = find_cycle(flow)
        if cycle is None:
            return tuple(tuple(int(value) for value in row) for row in flow)
        step = min(
            Fraction(-(-flow[i][j] // 1)) - flow[i][j] if forward else flow[i][j] - flow[i][j] // 1
            for i, j, forward in cycle
        )
        for i, j, forward in cycle:
            flow[i][j] += step if forward else -step


def find_cycle(flow: list[list[Fraction]]) -> list[tuple[int, int, bool]] | None:
    """A cycle of cells that are not whole, as (row, column, whether it runs from column to row); None if all are."""
    size = len(flow)
    loose = [(i, j) for i in range(size) for j in range(size) if flow[i][j].denominator != 1]
    if not loose:
        return None
    for i, j in loose:
        if i == j:
            return [(i, j, True)]
    start = loose[0][1]
    seen, trail = {start: 0}, []
    here = start
    used: tuple[int, int] | None = None
    while True:
        i, j = next((i, j) for i, j in loose if here in (i, j) and (i, j) != used)
        used = (i, j)
        forward = j == here
        trail.append((i, j, forward))
        here = i if forward else j
        if here in seen:
            return trail[seen[here] :]
        seen[here] = len(trail)
