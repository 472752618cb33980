"""Banks, governments and central banks of the oracle."""

from __future__ import annotations

from .economy_oracle_numbers import ONE, bell, part, shared_out, toward_zero, within
from .economy_oracle_world import ALL_GOODS, BASE, Bank, EconomyWorld, Nation, Region

CASH_WEEKS = 4
"""Weeks of purchases that a government holds."""
MEMORY = 26
"""Weeks over which expectations are smoothed."""
PAY_OUT_WEEKS = 13
HIGHEST_ENERGY = 8
"""Times the price level that energy may cost about which the ladder is built."""
LEAST_LADDER = 256


def lend(e: EconomyWorld, bank: Bank) -> None:
    """The share of each request that is granted, Q32: all, or what the bank's capital bears."""
    bearable = max(max(bank.equity, 0) * ONE // e.scenario["capital_ratio"] - bank.lent, 0)
    e.granted[bank] = bearable * ONE // bank.asked if bank.asked > bearable else ONE
    bank.asked = 0


def purchases(e: EconomyWorld, nation: Nation) -> None:
    """Public purchases, parted over regions by people and over goods."""
    people = sum(region.census["people"] for region in nation.regions)
    for region in nation.regions:
        here = (nation.purchases * (ONE + nation.swing) >> 32) * region.census["people"] // people if people else 0
        region.budget_public = [here * share >> 63 for share in e.scenario["public_share"]]


def close_bank(e: EconomyWorld, bank: Bank, coupon: int) -> tuple[int, int]:
    """Capital takes up interest and losses; what the state must add, and what is paid out."""
    bank.lent += bank.made - bank.repaid - bank.lost
    bank.equity += bank.earned + coupon - bank.lost
    rescue = max(-bank.equity, 0)
    e.rules["rescue"] += rescue > 0
    bank.equity += rescue
    dividend = max(bank.equity - 3 * part(bank.lent, e.scenario["capital_ratio"]), 0) // PAY_OUT_WEEKS
    e.rules["bank pays out"] += dividend > 0
    bank.equity -= dividend
    bank.made = bank.repaid = bank.earned = bank.lost = 0
    return rescue, dividend


def close_state(e: EconomyWorld, nation: Nation, coupons: int, rescue: int) -> None:
    """What a month's purchases lack is borrowed; what is beyond two of them pays debt back."""
    flows, month = nation.flows, CASH_WEEKS * nation.purchases
    taxes = sum(flows[name] for name in ("taxes_income", "taxes_sales", "taxes_profit", "contributions"))
    costs = sum(flows[name] for name in ("benefits", "pensions", "child_benefits", "purchases"))
    held = nation.treasury + taxes - costs - coupons
    borrowed = max(month - held, 0)
    back = min(max(held - 2 * month, 0), nation.debt + rescue)
    e.rules["state borrows"] += borrowed > 0
    e.rules["state pays back"] += back > 0
    nation.treasury = held + borrowed - back
    nation.debt += rescue + borrowed - back
    flows.update({"interest_public": coupons, "rescues": rescue})


def close_nation(e: EconomyWorld, nation: Nation) -> None:
    """The week's end of a nation."""
    flows = nation.flows
    for region in nation.regions:
        for good in ALL_GOODS:
            flows["output"] += region.made[good] * region.tariff[good] // e.scenario["lot"][good]
            flows["output_real"] += region.made[good] * BASE // e.scenario["lot"][good]
    coupons = part(nation.debt, within(nation.policy_rate, 0, ONE))
    results = [
        close_bank(e, bank, coupon)
        for bank, coupon in zip(nation.banks, shared_out(coupons, [1] * len(nation.banks)), strict=True)
    ]
    close_state(e, nation, coupons, sum(rescue for rescue, _ in results))
    nation.pool += flows["paid_out"] + sum(dividend for _, dividend in results) - flows["dividends"]
    nation.abroad += flows["exports"] - flows["imports"]
    set_course(e, nation)
    for region in nation.regions:
        set_wage(e, region)


def price_level(e: EconomyWorld, nation: Nation) -> int:
    """Price of the founders' basket, regions by their people."""
    s = e.scenario
    basket: list[int] = [s["subsistence"][good] + (s["wage"] * s["taste"][good] >> 64) for good in ALL_GOODS]
    people = sum(region.census["people"] for region in nation.regions)
    if not people or not any(basket):
        return BASE
    prices = [
        (sum(amount * price for amount, price in zip(basket, region.tariff, strict=True)) // sum(basket), region)
        for region in nation.regions
    ]
    return max(sum(price * region.census["people"] for price, region in prices) // people, 1)


def change(before: int, after: int) -> int:
    """Relative change within a tenth either way, Q32."""
    return within(toward_zero((after - before) * ONE, max(before, 1)), -(ONE // 10), ONE // 10)


def smoothed(before: int, now: int) -> int:
    """A step of one part in MEMORY."""
    return before + toward_zero(now - before, MEMORY)


def grown(amount: int, rate: int) -> int:
    """The amount and its growth, one at least."""
    return max(amount + (amount * rate >> 32), 1)


def set_course(e: EconomyWorld, nation: Nation) -> None:
    """Expectations, Taylor's rule, technology, and what the state will buy."""
    s, flows = e.scenario, nation.flows
    level = price_level(e, nation)
    target = s["inflation_target"]
    pull = s["credibility"] * (target - nation.inflation) >> 32
    nation.inflation = smoothed(nation.inflation, change(nation.level, level)) + toward_zero(pull, MEMORY)
    output = smoothed(nation.output, flows["output_real"])
    nation.growth = smoothed(nation.growth, change(nation.output, output))
    nation.level, nation.output = level, output
    rule = s["natural_rate"] + nation.inflation
    rule += (s["rate_inflation"] * (nation.inflation - target) >> 32) + (s["rate_growth"] * nation.growth >> 32)
    rate = (s["rate_memory"] * nation.policy_rate >> 32) + ((ONE - s["rate_memory"]) * rule >> 32)
    e.rules["rate at its bound"] += not 0 <= rate <= ONE // 104
    nation.policy_rate = within(rate, 0, ONE // 104)
    leap = s["leap"] * bell(e.draw("leap", nation.number)) >> 32
    nation.technology = grown(nation.technology, s["progress"] + leap)
    nation.purchases = next_purchases(e, nation)
    if not s["purchases_fixed"][nation.number]:
        kept = s["swing_memory"] * nation.swing >> 32
        moved = kept + (s["swing"] * bell(e.draw("swing", nation.number)) >> 32)
        e.rules["swing at its bound"] += not -ONE // 2 <= moved <= ONE // 2
        nation.swing = within(moved, -ONE // 2, ONE // 2)
    if flows["energy_volume"]:
        price, last = flows["call_price"], nation.energy_price
        step = (last - price) // 4 if price < last else -((price - last + 3) // 4)
        e.rules["bounded energy price"] += last - step > HIGHEST_ENERGY * level
        nation.energy_price = max(min(last - step, HIGHEST_ENERGY * level), LEAST_LADDER)


def next_purchases(e: EconomyWorld, nation: Nation) -> int:
    """Towards a share of the wages of usual employment, less where the debt is beyond its target; or as they are."""
    s, flows, number = e.scenario, nation.flows, nation.number
    if s["purchases_fixed"][number]:
        return nation.purchases
    workers, employed = workforce(nation)
    usual = workers * (ONE - s["unemployment"]) // ONE
    goal = part(flows["wages"] * usual // employed if employed else 0, s["public_size"][number])
    aimed = max(flows["output"] * 52 * s["debt_target"][number] // ONE, 1)
    burden = within(-(s["debt_speed"] * change(aimed, nation.debt) >> 32), -(ONE // 100), ONE // 100)
    return grown(smoothed(nation.purchases, goal), burden)


def workforce(nation: Nation) -> tuple[int, int]:
    """Who may work, and who of them does."""
    employed = sum(region.census["employed"] for region in nation.regions)
    return employed + sum(region.census["seekers"] for region in nation.regions), employed


def set_wage(e: EconomyWorld, region: Region) -> None:
    """Pay follows prices and technology, and unemployment in the region beyond its usual rate."""
    s, census = e.scenario, region.census
    able = census["employed"] + census["seekers"]
    idle = census["seekers"] * ONE // able if able else 0
    rise = region.nation.inflation + s["progress"] + (s["wage_flexibility"] * (s["unemployment"] - idle) >> 32)
    e.rules["bounded pay"] += not -(ONE // 400) <= rise <= ONE // 200
    region.wage = grown(region.wage, within(rise, -(ONE // 400), ONE // 200))
