"""What firms do in the oracle's week: plan, pay within their means, make goods, and close their accounts."""

from __future__ import annotations

from .economy_oracle_energy import QUANTUM, affordable, ladder_price
from .economy_oracle_numbers import ONE, part, shared_out, within
from .economy_oracle_world import ALL_GOODS, ALL_SKILLS, BASE, ENERGY, FUEL, EconomyWorld, Firm, Region

MILLION = 1_000_000
CAREFUL = ONE // 4
"""Share of a gap in inputs that is made up in a week."""


def pay_of(e: EconomyWorld, region: Region, skill: int) -> int:
    """Gross weekly pay of a skill."""
    return region.wage * int(e.scenario["efficiency"][skill]) // 256


def with_contributions(e: EconomyWorld, region: Region, wages: int) -> int:
    """What wages cost."""
    return wages + part(wages, e.scenario["contributions"][region.nation.number])


def productivity(e: EconomyWorld, region: Region, industry: int) -> int:
    """Units by an efficiency unit and week: technology, less what the climate takes."""
    skilled = part(e.scenario["productivity"][industry], region.nation.technology)
    return max(skilled * region.left[industry] >> 31, 1)


def toward(base: int, goal: int, have: int, speed: int) -> int:
    """The base and a part of the gap, between nothing and twice the base."""
    gap = part(abs(goal - have), speed)
    return base + min(gap, base) if goal >= have else max(base - gap, 0)


def worth(e: EconomyWorld, f: Firm) -> int:
    """Capital at today's prices and stores at the posted price."""
    lot: int = e.scenario["lot"][f.industry]
    return f.capital * f.region.nation.level // BASE + f.inventory * f.price // lot


def capital_for(e: EconomyWorld, f: Firm, output: int) -> int:
    """Capital by which so much is made at the use of capacity that is aimed at."""
    capacity = e.scenario["capacity"][f.industry]
    return (output * MILLION // capacity) * ONE // e.scenario["use"] if capacity else 0


def plan(e: EconomyWorld, f: Firm) -> None:
    """Output aimed at, staff, orders and credit; the price of the next sales."""
    s, i = e.scenario, f.industry
    goal = part(f.sales, s["cover"][i])
    f.target = toward(f.sales, goal, f.inventory, s["adjustment"])
    if s["capacity"][i]:
        possible = f.capital * s["capacity"][i] // MILLION
        e.rules["target above capacity"] += f.target > possible
        f.target = min(f.target, possible)
    if s["extraction"][i]:
        e.rules["target beyond the ground"] += f.target * s["extraction"][i] > f.region.reserve * s["lot"][i]
        f.target = min(f.target, f.region.reserve * s["lot"][i] // s["extraction"][i])
    plan_staff(e, f)
    money = with_contributions(e, f.region, f.wages) + part(with_contributions(e, f.region, f.wages), s["buffer"])
    money += plan_energy(e, f) + plan_orders(e, f) + plan_investment(e, f)
    usual = part(f.capital * f.region.nation.level // BASE, s["firm_debt"])
    wanted = max(money - f.cash, usual - f.loan, 0)
    bearable = max(part(worth(e, f), s["loan_to_value"]) - f.loan, 0)
    e.rules["credit above the assets' worth"] += wanted > bearable
    e.rules["barred from credit"] += wanted > 0 and f.barred > 0
    f.borrow = 0 if f.barred else min(wanted, bearable)
    f.bank.asked += f.borrow
    f.price = next_price(e, f, goal)
    if s["price_noise"]:
        words = e.draw("price", f.slot)
        move = part(part(f.price, s["price_noise"]), words[0])
        e.rules["prices moved by chance"] += 1
        f.price = f.price + move if words[1] & 1 else max(f.price - move, 1)


def plan_staff(e: EconomyWorld, f: Firm) -> None:
    """Heads by the industry's mix of skills; who is too many may be dismissed."""
    s = e.scenario
    mix, efficiency = s["mix"][f.industry], s["efficiency"]
    mean = sum(m * x * 256 >> 63 for m, x in zip(mix, efficiency, strict=True))
    effort = f.target * 256 // productivity(e, f.region, f.industry) + 1 if f.target else 0
    f.want = shared_out(effort * 256 // max(mean, 1) + 1 if f.target else 0, mix)
    usual = mix.index(max(mix))
    while sum(n * int(x) for n, x in zip(f.want, efficiency, strict=True)) < effort:
        e.rules["heads beyond the mix"] += 1
        f.want[usual] += 1
    f.lapse, f.wages = [], 0
    for skill in ALL_SKILLS:
        there, want = f.staff[skill], f.want[skill]
        if there < want and s["hiring"] < ONE:
            share = (want - there) * int(s["hiring"]) + e.draw("hiring", f.slot, skill)[0]
            e.rules["jobs not advertised"] += share // ONE < want - there
            want = f.want[skill] = there + share // ONE
        excess = (there - want) * ONE // there if there > want else 0
        e.rules["dismissals"] += excess > 0
        f.lapse.append(min(s["quit"] + part(excess, s["layoff"]), ONE - 1))
        f.wages += max(there, want) * pay_of(e, f.region, skill)


def input_wanted(e: EconomyWorld, f: Firm, good: int) -> int:
    """Units for the output and, of energy, for carriage, with a cover."""
    need = f.target * e.scenario["technology"][f.industry][good] // e.scenario["lot"][f.industry]
    if good == ENERGY:
        fuel = f.target * e.scenario["technology"][f.industry][FUEL] // e.scenario["lot"][f.industry]
        need += f.haul + instead_of_fuel(e, f, fuel)
    return toward(need, part(need, e.scenario["input_cover"][good]), f.stock[good], CAREFUL)


def instead_of_fuel(e: EconomyWorld, f: Firm, need: int) -> int:
    """Energy for the fuel that a firm needs and lacks; plants burn fuel or none, fuel firms need none of their own."""
    if f.industry in (FUEL, ENERGY):
        return 0
    e.rules["energy in place of fuel"] += need > f.stock[FUEL]
    return part(max(need - f.stock[FUEL], 0), e.scenario["electric"])


def energy_limit(e: EconomyWorld, f: Firm) -> int:
    """The price up to which the firm bids for energy."""
    return ladder_price(f.region.nation.energy_price, e.scenario["priority"][f.industry])


def plan_energy(e: EconomyWorld, f: Firm) -> int:
    """The bid, and what it may cost."""
    units = input_wanted(e, f, ENERGY)
    f.bid = units // QUANTUM
    return units * energy_limit(e, f) // e.scenario["lot"][ENERGY] + 1 if units else 0


def plan_orders(e: EconomyWorld, f: Firm) -> int:
    """Money for other inputs at the prices last paid."""
    for good in ALL_GOODS:
        units = 0 if good == ENERGY else input_wanted(e, f, good)
        f.order[good] = units * f.region.tariff[good] // e.scenario["lot"][good] + 1 if units else 0
    return sum(f.order)


def plan_investment(e: EconomyWorld, f: Firm) -> int:
    """Money for capital goods: what wears out, and a part of the gap to the capital that sales call for."""
    s = e.scenario
    worn, goal = part(f.capital, s["depreciation"][f.industry]), capital_for(e, f, f.sales)
    gap = part(abs(goal - f.capital), s["building"])
    built = worn + min(gap, max(worn, goal // 52)) if goal >= f.capital else max(worn - gap, 0)
    for good in ALL_GOODS:
        f.invest[good] = (built * s["capital_share"][good] >> 63) * f.region.tariff[good] // BASE
    return sum(f.invest)


def unit_cost(e: EconomyWorld, f: Firm) -> int:
    """Cost of a lot: pay with contributions, inputs, wear."""
    s, i, region = e.scenario, f.industry, f.region
    lot: int = s["lot"][i]
    cost = with_contributions(e, region, region.wage) * lot // productivity(e, region, i)
    for good in ALL_GOODS:
        cost += s["technology"][i][good] * region.tariff[good] // s["lot"][good]
    worn = part(capital_for(e, f, lot), s["depreciation"][i])
    return cost + worn * region.nation.level // BASE


def next_price(e: EconomyWorld, f: Firm, goal: int) -> int:
    """A step towards cost and markup, and one by how full the stores are."""
    s = e.scenario
    aim = part(unit_cost(e, f), s["markup"][f.industry])
    step = min(part(abs(aim - f.price), s["price_speed"]), part(f.price, s["price_bound"]))
    e.rules["bounded price"] += step == part(f.price, s["price_bound"])
    full = part(f.price, s["price_pressure"])
    push = min(full * abs(goal - f.inventory) // goal, full) if goal else 0
    price = f.price + step if aim > f.price else max(f.price - step, 0)
    return max(price + push if goal > f.inventory else price - push, 1)


def cut(e: EconomyWorld, amounts: list[int], money: int, rule: str) -> list[int]:
    """Amounts of money, all scaled down alike to what there is."""
    whole = sum(amounts)
    if whole <= money:
        return amounts
    e.rules[rule] += 1
    return [amount * money // whole for amount in amounts]


def fund(e: EconomyWorld, f: Firm) -> None:
    """The loan comes in, and plans are cut to the money: wages, energy, inputs, capital goods."""
    lot, nation = e.scenario["lot"][ENERGY], f.region.nation
    grant = part(f.borrow, e.granted[f.bank])
    e.rules["credit rationed"] += grant < f.borrow
    nation.flows["cash_before"] += f.cash
    nation.flows["lent"] += grant
    f.loan += grant
    f.cash += grant
    f.bank.made += grant
    money = max(f.cash - with_contributions(e, f.region, f.wages), 0)
    bid = affordable(money, lot, energy_limit(e, f))
    e.rules["cut bid"] += bid < f.bid
    f.bid = min(f.bid, bid)
    money -= f.bid * QUANTUM * energy_limit(e, f) // lot
    f.order = cut(e, f.order, money, "cut orders")
    f.invest = cut(e, f.invest, money - sum(f.order), "cut investment")


def pay_staff(e: EconomyWorld, f: Firm) -> None:
    """The region's pay, or all alike less where money set aside for goods leaves too little."""
    region, flows = f.region, f.region.nation.flows
    aside = f.bid * QUANTUM * energy_limit(e, f) // e.scenario["lot"][ENERGY] + sum(f.order) + sum(f.invest)
    money = max(f.cash - aside, 0)
    full = [pay_of(e, region, skill) for skill in ALL_SKILLS]
    due = with_contributions(e, region, sum(n * pay for n, pay in zip(f.staff, full, strict=True)))
    e.rules["scaled pay"] += due > money
    f.pay = [pay * money // due for pay in full] if due > money else full
    f.wages = sum(n * pay for n, pay in zip(f.staff, f.pay, strict=True))
    cost = with_contributions(e, region, f.wages)
    f.cash -= cost
    flows["wages"] += f.wages
    flows["contributions"] += cost - f.wages


def possible_output(e: EconomyWorld, f: Firm) -> int:
    """The target as far as staff and critical inputs reach."""
    s, i = e.scenario, f.industry
    output = tried_output(e, f)
    e.rules["short of staff"] += output < f.target
    for good in ALL_GOODS:
        need = s["technology"][i][good]
        if need and s["critical"][i][good] and good not in (FUEL, ENERGY):
            inputs = f.stock[good] * s["lot"][i] // need
            e.rules["short of goods"] += inputs < output
            output = min(output, inputs)
    powered = plant(e, f, output) if i == ENERGY else powered_output(e, f, output)
    e.rules["short of energy"] += powered < output
    return powered


def tried_output(e: EconomyWorld, f: Firm) -> int:
    """What the staff can make, no more than the target."""
    effort = sum(n * int(x) for n, x in zip(f.staff, e.scenario["efficiency"], strict=True))
    return min(f.target, effort * productivity(e, f.region, f.industry) // 256)


def plant(e: EconomyWorld, f: Firm, tried: int) -> int:
    """Energy by fuel, as far as there is any, and by what needs none, as much as that is of all that is tried."""
    s = e.scenario
    need = s["technology"][ENERGY][FUEL]
    burnt = f.stock[FUEL] * s["lot"][ENERGY] // need if need else tried
    if burnt >= tried:
        return tried
    e.rules["plants short of fuel"] += 1
    return part(tried, s["without_fuel"]) + part(burnt, ONE - s["without_fuel"])


def powered_output(e: EconomyWorld, f: Firm, wanted: int) -> int:
    """The part of an output for which fuel and energy reach, energy standing in for fuel that is not there."""
    s, i = e.scenario, f.industry
    lot: int = s["lot"][i]
    fuel: int = s["technology"][i][FUEL] if i != FUEL else 0
    energy: int = s["technology"][i][ENERGY]
    if not fuel:
        return min(wanted, f.stock[ENERGY] * lot // energy) if energy else wanted
    fuelled = f.stock[FUEL] * lot // fuel
    if energy and f.stock[ENERGY] * lot // energy <= fuelled:
        return min(wanted, f.stock[ENERGY] * lot // energy)
    mixed = energy + part(fuel, s["electric"])
    if not mixed:
        return min(wanted, fuelled)
    return min(wanted, max((f.stock[ENERGY] + part(f.stock[FUEL], s["electric"])) * lot // mixed, fuelled))


def make(e: EconomyWorld, f: Firm, output: int) -> None:
    """Inputs become output, and their energy goes with it."""
    s, i = e.scenario, f.industry
    lot = s["lot"][i]
    clean = max(tried_output(e, f), output) if i == ENERGY and output else output
    gained = clean * s["renewable"][i] // lot
    instead = instead_of_fuel(e, f, -(-output * s["technology"][i][FUEL] // lot))
    from_ground = output if output * s["extraction"][i] // lot else 0
    e.gained += gained
    energy = (gained + from_ground) // 1000
    for good in ALL_GOODS:
        there = f.stock[good]
        used = min(-(-output * s["technology"][i][good] // lot) + (instead if good == ENERGY else 0), there)
        if not used:
            continue
        moved = f.stock_embodied[good] * used // there
        f.stock[good] -= used
        f.stock_embodied[good] -= moved
        energy += moved
        e.burnt += used if good == FUEL else 0
    f.inventory += output
    f.embodied += energy
    f.region.made[i] += output


def extract(e: EconomyWorld, region: Region) -> None:
    """Fuel firms, one after the other, from the ground that they share."""
    lot, taken = e.scenario["lot"][FUEL], e.scenario["extraction"][FUEL]
    for f in region.of(FUEL):
        output = possible_output(e, f)
        if taken and output * taken // lot > region.reserve:
            e.rules["empty ground"] += 1
            output = region.reserve * lot // taken
        region.reserve -= output * taken // lot
        make(e, f, output)


def close(e: EconomyWorld, f: Firm) -> None:
    """Stores perish; interest, tax, repayment and dividends are paid; a bankrupt loan is cut; capital is renewed."""
    s, i, bank, nation = e.scenario, f.industry, f.bank, f.region.nation
    gone = part(f.inventory, s["perish"][i])
    if gone:
        f.embodied -= f.embodied * gone // f.inventory
        f.inventory -= gone
    interest = part(f.loan, within(nation.policy_rate + s["spread"], 0, ONE // 52))
    unpaid = max(interest - f.cash, 0)
    e.rules["interest on credit"] += unpaid > 0
    f.loan += unpaid
    f.cash += unpaid - interest
    worn = part(f.capital, s["depreciation"][i])
    running = with_contributions(e, f.region, f.wages) + f.spent - sum(f.invest)
    profit = f.revenue - running - worn * nation.level // BASE - interest
    tax = min(part(max(profit, 0), s["tax_profit"][nation.number]), f.cash)
    f.cash -= tax
    repaid = min(part(f.loan, s["repayment"]), f.cash)
    f.cash -= repaid
    f.loan -= repaid
    dividend = part(max(f.cash - part(running, s["buffer"]), 0), s["payout"])
    f.cash -= dividend
    assets = worth(e, f)
    lost = f.loan - part(assets, s["recovery"]) if f.loan > assets + f.cash else 0
    e.rules["failure"] += lost > 0
    f.loan -= lost
    f.barred = s["exclusion"] if lost else max(f.barred - 1, 0)
    f.capital += f.built - worn
    bank.earned += interest
    bank.made += unpaid
    bank.repaid += repaid
    bank.lost += lost
    nation.flows.update(
        {
            "lent": unpaid,
            "interest": interest,
            "repaid": repaid,
            "taxes_profit": tax,
            "paid_out": dividend,
            "write_offs": lost,
            "failures": int(lost > 0),
            "cash": f.cash,
            "revenue": f.revenue,
            "spent": f.spent,
        }
    )
