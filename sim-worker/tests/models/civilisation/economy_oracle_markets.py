"""The goods markets of the oracle: buyers of a region face the sellers of all regions in reach.

A market is one good in one region. What a pair of regions agrees on is kept under the pair, once, and not at two ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .economy_oracle_energy import learn
from .economy_oracle_firms import productivity
from .economy_oracle_numbers import ONE, bell, logit, part, rationed, shared_out, within
from .economy_oracle_world import BASE, ENERGY, FUEL, TRADED, EconomyWorld, Firm, Region

ROUNDS = 3
MOST_HOPED = 4
"""What a firm expects to sell rises to so many times that at most."""
Pair = tuple[Region, Region]
"""Buyer and seller."""


@dataclass
class Goods:
    """One good everywhere, in one week. Amounts are money unless they are units."""

    good: int
    budget: dict[Region, int] = field(default_factory=dict)
    supply: dict[Region, int] = field(default_factory=dict)
    price: dict[Region, int] = field(default_factory=dict)
    offered: dict[Firm, int] = field(default_factory=dict)
    appeal: dict[Pair, int] = field(default_factory=dict)
    agreed: dict[Pair, int] = field(default_factory=dict)
    sought: dict[Region, int] = field(default_factory=dict)
    units: dict[Pair, int] = field(default_factory=dict)
    joules: dict[Pair, int] = field(default_factory=dict)

    def left_of_budget(self, buyer: Region) -> int:
        """What buyers of a region have not placed yet."""
        return self.budget[buyer] - sum(self.agreed.get((buyer, seller), 0) for seller, _ in buyer.reach)

    def left_of_supply(self, seller: Region) -> int:
        """What sellers of a region still offer."""
        return self.supply[seller] - sum(self.agreed.get((buyer, seller), 0) for buyer, _ in seller.reach)


def trade(e: EconomyWorld) -> list[Goods]:
    """Buyers and sellers of all goods but energy agree; how much of a budget can be spent follows."""
    markets = []
    for good in TRADED:
        m = Goods(good)
        open_market(e, m)
        weigh(e, m)
        for number in range(ROUNDS):
            place_orders(e, m, number)
        for region in e.regions:
            placed = m.budget[region] - m.left_of_budget(region)
            e.rules["budget without a seller"] += placed < m.budget[region]
            region.fill[good] = placed * ONE // m.budget[region] if m.budget[region] else 0
        markets.append(m)
    return markets


def open_market(e: EconomyWorld, m: Goods) -> None:
    """Money and goods that come to the market."""
    lot, good = e.scenario["lot"][m.good], m.good
    for region in e.regions:
        firms = sum(firm.order[good] + firm.invest[good] for firm in region.firms)
        m.budget[region] = region.budget_households[good] + region.budget_public[good] + firms
        sellers = region.of(good)
        m.offered.update((firm, firm.inventory * firm.price // lot) for firm in sellers)
        units = sum(firm.inventory for firm in sellers)
        m.supply[region] = sum(m.offered[firm] for firm in sellers)
        m.price[region] = m.supply[region] * lot // units if units else 0
        m.sought[region] = 0


def carriage(e: EconomyWorld, good: int, distance: int) -> int:
    """Price at a distance over that at the door, Q32."""
    return ONE + int(e.scenario["freight"][good]) * distance


def weigh(e: EconomyWorld, m: Goods) -> None:
    """Sellers in reach by delivered price, distance and the attraction of their place."""
    s = e.scenario
    for buyer in e.regions:
        delivered = {
            seller: (part(m.price[seller], carriage(e, m.good, distance)), distance)
            for seller, distance in buyer.reach
            if m.supply[seller]
        }
        cheapest = min((price for price, _ in delivered.values()), default=0)
        for seller, (price, distance) in delivered.items():
            pull = seller.attraction[m.good]
            for _ in range(distance):
                pull = part(pull, s["nearness"])
            m.appeal[buyer, seller] = max(part(pull, logit(price, cheapest, cheapest, s["choice"])), 1)


def place_orders(e: EconomyWorld, m: Goods, number: int) -> None:
    """A round: what is left of budgets is parted over sellers with something left, who accept or ration."""
    asked: dict[Pair, int] = {}
    open_to = {seller for seller in e.regions if m.left_of_supply(seller)}
    for buyer in e.regions:
        sellers = [seller for seller, _ in buyer.reach if seller in open_to]
        if not sellers:
            continue
        orders = shared_out(m.left_of_budget(buyer), [m.appeal[buyer, seller] for seller in sellers])
        asked.update(((buyer, seller), order) for seller, order in zip(sellers, orders, strict=True))
    for seller in e.regions:
        buyers = [buyer for buyer, _ in seller.reach]
        orders = [asked.get((buyer, seller), 0) for buyer in buyers]
        m.sought[seller] = m.sought[seller] or sum(orders)
        left = m.left_of_supply(seller)
        e.rules["rationed market"] += sum(orders) > left > 0
        e.rules["orders of a later round"] += number > 0 and sum(orders) > 0
        for buyer, given in zip(buyers, rationed(left, orders), strict=True):
            m.agreed[buyer, seller] = m.agreed.get((buyer, seller), 0) + given


def purchase(e: EconomyWorld) -> None:
    """Firms and governments pay for what could be filled; orders become what was paid."""
    for region in e.regions:
        flows = region.nation.flows
        for firm in region.firms:
            firm.invest[ENERGY] = 0
            for good in TRADED:
                firm.order[good] = part(firm.order[good], region.fill[good])
                firm.invest[good] = part(firm.invest[good], region.fill[good])
                region.paid_firms[good] += firm.order[good] + firm.invest[good]
            paid = sum(firm.order) + sum(firm.invest)
            firm.cash -= paid
            firm.spent += paid
            flows["investment"] += sum(firm.invest)
        for good in TRADED:
            region.paid_public[good] = part(region.budget_public[good], region.fill[good])
        flows["purchases"] += sum(region.paid_public)


def settle(e: EconomyWorld, m: Goods) -> None:
    """What was paid, parted over the pairs by what they agreed on; `agreed` becomes what is paid."""
    for buyer in e.regions:
        sellers = [seller for seller, _ in buyer.reach]
        paid = buyer.paid_households[m.good] + buyer.paid_public[m.good] + buyer.paid_firms[m.good]
        placed = [m.agreed[buyer, seller] for seller in sellers]
        for seller, money in zip(sellers, shared_out(paid, placed), strict=True):
            m.agreed[buyer, seller] = money
            if money and seller.nation is not buyer.nation:
                seller.nation.flows["exports"] += money
                buyer.nation.flows["imports"] += money
                e.sold_abroad[seller.nation.number, m.good, buyer.nation.number] += money


def sell(e: EconomyWorld, m: Goods, region: Region) -> None:
    """A region's sellers share the money, learn what was asked of them, hand over the goods and carry them."""
    s, good, sellers = e.scenario, m.good, region.of(m.good)
    lot = s["lot"][good]
    doors: list[int] = []
    fares: list[int] = []
    for buyer, distance in region.reach:
        paid = m.agreed[buyer, region]
        doors.append(paid * ONE // carriage(e, good, distance) or paid)
        fares.append(paid - doors[-1])
    cheapest = min(firm.price for firm in sellers)
    weights = [
        max(part(m.offered[firm], logit(firm.price, cheapest, m.price[region], s["choice"])), 1)
        if m.offered[firm]
        else 0
        for firm in sellers
    ]
    paid = sum(doors) + sum(fares)
    sought = m.sought[region] * sum(doors) // paid if paid else m.sought[region]
    seen = [custom(e, firm, weight) for firm, weight in zip(sellers, weights, strict=True)]
    for firm, weight in zip(sellers, seen, strict=True):
        if weight:
            units = (sought * weight // sum(seen)) * lot // firm.price
            e.rules["hopes bounded"] += units > MOST_HOPED * firm.sales
            learn(s["learning"], firm, min(units, MOST_HOPED * firm.sales))
            founder = productivity(e, region, good) if s["surprises"] else 1
            e.rules["a founder's size"] += firm.sales < founder
            firm.sales = max(firm.sales, founder)
    share_money(e, m, sellers, weights, sum(doors))
    sold = []
    joules = 0
    for firm in sellers:
        units = firm.revenue * lot // firm.price
        moved = firm.embodied * units // firm.inventory if units else 0
        firm.inventory -= units
        firm.embodied -= moved
        sold.append(units)
        joules += moved
    parcels = shared_out(sum(sold), doors)
    for firm, fare in zip(sellers, shared_out(sum(fares), [firm.revenue for firm in sellers]), strict=True):
        firm.revenue += fare
        firm.cash += firm.revenue
    ways = [distance for _, distance in region.reach]
    joules += carry(e, good, sellers, sold, list(zip(parcels, ways, strict=True)))
    for (buyer, _), units, energy in zip(region.reach, parcels, shared_out(joules, doors), strict=True):
        m.units[buyer, region], m.joules[buyer, region] = units, energy


def custom(e: EconomyWorld, firm: Firm, weight: int) -> int:
    """A firm's part of the demand that is seen, which a surprise may change."""
    s = e.scenario
    if not weight or e.draw("surprise", firm.slot)[0] >= s["surprises"]:
        return weight
    factor = ONE + (s["surprise"] * bell(e.draw("surprise", firm.slot, 1)) >> 32)
    e.rules["surprises"] += 1
    return max(part(weight, within(factor, ONE // 16, 5 * ONE)), 1)


def share_money(e: EconomyWorld, m: Goods, sellers: list[Firm], weights: list[int], money: int) -> None:
    """By weight up to what each offers; the rest by what is still on offer."""
    for firm, share in zip(sellers, shared_out(money, weights), strict=True):
        firm.revenue = min(share, m.offered[firm])
    rest = money - sum(firm.revenue for firm in sellers)
    e.rules["sold out beside others"] += rest > 0
    for firm, share in zip(sellers, shared_out(rest, [m.offered[f] - f.revenue for f in sellers]), strict=True):
        firm.revenue += share


def carry(e: EconomyWorld, good: int, sellers: list[Firm], sold: list[int], parcels: list[tuple[int, int]]) -> int:
    """The sellers' own energy beyond a week's work carries the goods; what is embodied in it is returned."""
    s = e.scenario
    lot = s["lot"][good]
    need = sum((units * s["freight_energy"][good] // lot) * distance for units, distance in parcels)
    for firm, units in zip(sellers, sold, strict=True):
        usual = need * units // sum(sold) if units else 0
        firm.haul = firm.haul - firm.haul // 4 + usual // 4
    spare = [max(f.stock[ENERGY] - f.sales * s["technology"][good][ENERGY] // lot, 0) for f in sellers]
    e.rules["too little energy to carry"] += need > sum(spare)
    joules = 0
    for firm, used in zip(sellers, rationed(need, spare), strict=True):
        moved = firm.stock_embodied[ENERGY] * used // firm.stock[ENERGY] if used else 0
        firm.stock[ENERGY] -= used
        firm.stock_embodied[ENERGY] -= moved
        joules += moved
    return joules


def receive(e: EconomyWorld, m: Goods, region: Region) -> None:
    """Households and the government consume, firms store and build, each by what was paid."""
    good, lot = m.good, e.scenario["lot"][m.good]
    units = sum(m.units[region, seller] for seller, _ in region.reach)
    joules = sum(m.joules[region, seller] for seller, _ in region.reach)
    final = region.paid_households[good] + region.paid_public[good]
    if not units:
        e.rules["nothing came"] += 1
    else:
        region.tariff[good] = max((final + region.paid_firms[good]) * lot // units, 1)
    consumed, stored = shared_out(units, [final, region.paid_firms[good]])
    _, with_firms = shared_out(joules, [final, region.paid_firms[good]])
    e.burnt += consumed if good == FUEL else 0
    if not stored:
        return
    paid = [firm.order[good] + firm.invest[good] for firm in region.firms]
    for firm, got, energy in zip(region.firms, shared_out(stored, paid), shared_out(with_firms, paid), strict=True):
        into = got * firm.invest[good] // (firm.order[good] + firm.invest[good]) if got else 0
        firm.stock[good] += got - into
        firm.stock_embodied[good] += energy - (energy * into // got if got else 0)
        firm.built += into * BASE // lot
