"""Work and spending of people in the oracle: jobs end and begin, everyone is paid, and households buy."""

from __future__ import annotations

from ..epidemic_oracle import Shuffle
from .economy_oracle_numbers import ONE, part, within
from .economy_oracle_world import ALL_GOODS, ALL_SKILLS, BASE, Citizen, EconomyWorld, Firm, Household, Region

A_FIFTH = ONE // 5


def leave_jobs(e: EconomyWorld) -> dict[Region, list[Citizen]]:
    """Jobs end, by notice or by age; those without one who look for work this week, by region in order."""
    seekers: dict[Region, list[Citizen]] = {}
    for region in e.regions:
        seekers[region] = []
        leavers = []
        words = {four: e.draw("work", four) for four in {citizen.slot // 4 for citizen in region.citizens}}
        for citizen in region.citizens:
            word = words[citizen.slot // 4][citizen.slot % 4]
            able = citizen.stage(e.tick, e.scenario["retirement"]) == "grown" and not citizen.ill
            if citizen.firm:
                if not able or word < citizen.firm.lapse[citizen.skill]:
                    leavers.append(citizen)
            elif able and word < e.scenario["search"]:
                seekers[region].append(citizen)
        for citizen in leavers:
            assert citizen.firm
            citizen.firm.staff[citizen.skill] -= 1
            citizen.firm = None
    return seekers


def hire(e: EconomyWorld, region: Region, seekers: list[Citizen]) -> None:
    """Seekers of a skill in a shuffled order take as many of the vacancies, listed firm by firm, as they are."""
    for skill in ALL_SKILLS:
        jobs: list[Firm] = []
        for firm in region.firms:
            jobs += [firm] * (firm.want[skill] - firm.staff[skill])
        region.nation.flows["vacancies"] += len(jobs)
        here = [citizen for citizen in seekers if citizen.skill == skill]
        e.rules["jobs left open"] += len(jobs) > len(here)
        e.rules["seekers left without"] += len(here) > len(jobs)
        order = Shuffle(e.draw("match", region.number, skill), max(len(here), len(jobs)))
        for rank, citizen in enumerate(here):
            place = order.place(rank)
            if place < len(jobs):
                citizen.firm = jobs[place]
                citizen.firm.staff[skill] += 1


def pay(e: EconomyWorld, region: Region) -> None:
    """Wages less tax, benefits, pensions and what children get reach the households."""
    s, nation = e.scenario, region.nation
    flows, number = nation.flows, nation.number
    region.census.clear()
    for citizen in region.citizens:
        stage = citizen.stage(e.tick, s["retirement"])
        region.census["people"] += 1
        if citizen.firm:
            gross = citizen.firm.pay[citizen.skill]
            tax = part(gross, s["tax_income"][number])
            region.census["employed"] += 1
            flows["taxes_income"] += tax
            citizen.household.earned += gross - tax
            continue
        if stage == "grown":
            region.census["seekers"] += not citizen.ill
        payment, rate = {
            "minors": ("child_benefits", "child_benefit"),
            "retired": ("pensions", "pension"),
            "grown": ("benefits", "benefit"),
        }[stage]
        amount = part(region.wage, s[rate][number])
        flows[payment] += amount
        citizen.household.earned += amount


def eagerness(e: EconomyWorld, region: Region) -> int:
    """Factor on spending, Q32: less when the real rate is above its natural level."""
    nation = region.nation
    beyond = 52 * (nation.policy_rate - nation.inflation - e.scenario["natural_rate"])
    return ONE - within(e.scenario["patience"] * beyond >> 32, -A_FIFTH, A_FIFTH)


def budget(e: EconomyWorld, region: Region, held: int) -> None:
    """Households receive their income and dividends, and set money aside for each good, `held` being all deposits."""
    s, nation = e.scenario, region.nation
    rate = (nation.pool << 40) // held if held else 0
    eager = eagerness(e, region)
    basket = Basket(e, region)
    for h in region.households:
        dividend = h.deposit * rate >> 40
        income = h.earned + dividend
        h.deposit += income
        step = part(abs(income - h.income), s["income_memory"])
        h.income += step if income >= h.income else -step
        wish = part(part(h.income, s["propensity"]) + part(h.deposit, s["wealth_propensity"]), eager)
        e.rules["all money spent"] += wish > h.deposit
        h.budget = basket.parted(e, h, min(wish, h.deposit))
        h.earned = 0
        nation.flows["dividends"] += dividend
        nation.flows["income"] += income
    region.budget_households = [sum(goods) for goods in zip(*(h.budget for h in region.households), strict=True)]


class Basket:
    """What households of a region meet at its shops: needs and tastes at prices that hold sales tax."""

    def __init__(self, e: EconomyWorld, region: Region) -> None:
        s = e.scenario
        tax = s["tax_sales"][region.nation.number]
        net = [s["subsistence"][good] * region.tariff[good] // BASE for good in ALL_GOODS]
        self.need = [need + part(need, tax) for need in net]
        self.taste = s["taste"]
        self.before_tax = (2**64 - 1) // (ONE + tax)

    def parted(self, e: EconomyWorld, household: Household, outlay: int) -> list[int]:
        """Money for each good, before tax: needs first and the rest by tastes, or all needs cut alike."""
        needs = [need * household.size for need in self.need]
        if outlay <= sum(needs):
            e.rules["needs unmet"] += 1
            share = outlay * ONE // sum(needs) if any(needs) else 0
            return [part(part(need, share), self.before_tax) for need in needs]
        rest = outlay - sum(needs)
        return [
            part(need + (rest * taste >> 63), self.before_tax) for need, taste in zip(needs, self.taste, strict=True)
        ]


def spend(e: EconomyWorld, region: Region) -> None:
    """Households pay for what could be filled, and the tax on it."""
    flows, rate = region.nation.flows, e.scenario["tax_sales"][region.nation.number]
    for h in region.households:
        paid = [part(money, fill) for money, fill in zip(h.budget, region.fill, strict=True)]
        tax = sum(part(money, rate) for money in paid)
        h.deposit -= sum(paid) + tax
        flows["taxes_sales"] += tax
        flows["household_spending"] += sum(paid)
        flows["held"] += h.deposit
        for good in ALL_GOODS:
            region.paid_households[good] += paid[good]
