"""The energy call of the oracle: every nation's price is found by trying all steps of its ladder.

Orders keep their limits and are looked at one by one at each price; only the shares at the margin go by largest
remainders, first over regions, then over households, the government and firms, then over firms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from civlab.models.civilisation.layout import LADDER

from .economy_oracle_numbers import ONE, part, shared_out
from .economy_oracle_world import ENERGY, EconomyWorld, Firm, Nation, Region

QUANTUM = 1024
"""mJ of the units that are called."""
LAST = LADDER // 2
"""Step of the price of the last call."""


def ladder_price(last: int, step: int) -> int:
    """Price of a step: from half the last price to one and a half times it."""
    return max(last * (LAST + step) // LADDER, 1)


def affordable(money: int, lot: int, price: int) -> int:
    """Quanta that money buys."""
    return money * lot // price // QUANTUM


@dataclass
class Order:
    """What one buyer wants at every price, or what one seller offers: `wanted[step]` at the price of a step."""

    wanted: list[int]
    got: int = 0


@dataclass
class Site:
    """A region's part in the call."""

    households: Order
    government: Order
    firms: dict[Firm, Order]
    sellers: dict[Firm, Order]
    final: int = 0
    bought: int = 0
    sold: int = 0
    embodied: int = 0
    offered: dict[Firm, int] = field(default_factory=dict)


def sites_of(e: EconomyWorld, nation: Nation) -> dict[Region, Site]:
    """All orders of a nation."""
    lot, prices = e.scenario["lot"][ENERGY], [ladder_price(nation.energy_price, step) for step in range(LADDER)]

    def fixed_sum(money: int) -> Order:
        return Order([affordable(money, lot, price) for price in prices])

    def up_to(firm: Firm) -> Order:
        limit = e.scenario["priority"][firm.industry]
        return Order([firm.bid] * (limit + 1) + [0] * (LADDER - limit - 1))

    def from_price(firm: Firm) -> Order:
        begins = next((step for step in range(LADDER) if prices[step] >= firm.price), LADDER - 1)
        return Order([0] * begins + [firm.inventory // QUANTUM] * (LADDER - begins))

    return {
        region: Site(
            fixed_sum(region.budget_households[ENERGY]),
            fixed_sum(region.budget_public[ENERGY]),
            {firm: up_to(firm) for firm in region.firms},
            {firm: from_price(firm) for firm in region.of(ENERGY)},
        )
        for region in nation.regions
    }


def beyond(order: Order, step: int) -> int:
    """What a buyer still wants at the next price above a step."""
    return order.wanted[step + 1] if step + 1 < LADDER else 0


def below(order: Order, step: int) -> int:
    """What a seller offers already at the next price below a step."""
    return order.wanted[step - 1] if step else 0


def call(e: EconomyWorld, nation: Nation) -> None:
    """Clears the nation's call, hands energy over and takes the money of firms."""
    sites = sites_of(e, nation)
    buyers = [o for site in sites.values() for o in (site.households, site.government, *site.firms.values())]
    sellers = [order for site in sites.values() for order in site.sellers.values()]
    demand = [sum(step) for step in zip(*(order.wanted for order in buyers), strict=True)]
    supply = [sum(step) for step in zip(*(order.wanted for order in sellers), strict=True)]
    traded = [min(pair) for pair in zip(demand, supply, strict=True)]
    price_step = min(range(LADDER), key=lambda step: (-traded[step], abs(demand[step] - supply[step]), step))
    volume = nation.flows["energy_volume"] = traded[price_step]
    nation.flows["energy_wanted"] = demand[min(price_step, LAST)]
    nation.flows["call_price"] = ladder_price(nation.energy_price, price_step)
    e.rules["no energy traded"] += volume == 0
    last_bid = max(step for step in range(LADDER) if demand[step] >= volume)
    last_ask = min(step for step in range(LADDER) if supply[step] >= volume)
    serve_buyers(e, sites, last_bid, volume - (demand[last_bid + 1] if last_bid + 1 < LADDER else 0))
    serve_sellers(e, sites, last_ask, volume - (supply[last_ask - 1] if last_ask else 0))
    for region, site in sites.items():
        deliver(e, region, site)
    pool(e, nation, sites)


def serve_buyers(e: EconomyWorld, sites: dict[Region, Site], step: int, left: int) -> None:
    """All that is wanted above the last step, and a share of what is wanted at that step alone."""

    def marginal(order: Order) -> int:
        return order.wanted[step] - beyond(order, step)

    groups = [[[site.households], [site.government], list(site.firms.values())] for site in sites.values()]
    weights = [[sum(marginal(order) for order in group) for group in groups_here] for groups_here in groups]
    e.rules["energy rationed at the margin"] += left < sum(map(sum, weights))
    for groups_here, here, units in zip(groups, weights, shared_out(left, list(map(sum, weights))), strict=True):
        for group, share in zip(groups_here, shared_out(units, here), strict=True):
            for order, extra in zip(group, shared_out(share, [marginal(o) for o in group]), strict=True):
                order.got = beyond(order, step) + extra
                e.rules["bid in vain"] += order.got < order.wanted[min(step, LAST)]


def serve_sellers(e: EconomyWorld, sites: dict[Region, Site], step: int, left: int) -> None:
    """All that is offered below the last step, and a share of what is offered from that step on."""
    weights = [[order.wanted[step] - below(order, step) for order in site.sellers.values()] for site in sites.values()]
    e.rules["offers rationed at the margin"] += left < sum(map(sum, weights))
    for site, here, units in zip(sites.values(), weights, shared_out(left, list(map(sum, weights))), strict=True):
        for order, extra in zip(site.sellers.values(), shared_out(units, here), strict=True):
            order.got = below(order, step) + extra


def deliver(e: EconomyWorld, region: Region, site: Site) -> None:
    """Firms pay and store; sellers hand over; what households can spend of their budget follows."""
    lot: int = e.scenario["lot"][ENERGY]
    price = region.nation.flows["call_price"]

    def cost(quanta: int) -> int:
        return quanta * QUANTUM * price // lot

    site.final = site.households.got + site.government.got
    site.bought = site.final
    region.paid_public[ENERGY] = cost(site.government.got)
    budget = region.budget_households[ENERGY]
    region.fill[ENERGY] = cost(site.households.got) * ONE // budget if budget else 0
    for firm, order in site.firms.items():
        firm.cash -= cost(order.got)
        firm.spent += cost(order.got)
        firm.stock[ENERGY] += order.got * QUANTUM
        region.paid_firms[ENERGY] += cost(order.got)
        site.bought += order.got
    for firm, order in site.sellers.items():
        site.offered[firm] = firm.inventory
        units = order.got * QUANTUM
        moved = firm.embodied * units // firm.inventory if units else 0
        firm.inventory -= units
        firm.embodied -= moved
        site.sold += order.got
        site.embodied += moved


def pool(e: EconomyWorld, nation: Nation, sites: dict[Region, Site]) -> None:
    """Embodied energy goes from all who sold to all who bought; sellers learn what was asked of them."""
    s = e.scenario
    e.energy_expected[nation] = sum(seller.sales // QUANTUM + 1 for site in sites.values() for seller in site.sellers)
    embodied = shared_out(sum(s.embodied for s in sites.values()), [site.bought for site in sites.values()])
    for site, joules in zip(sites.values(), embodied, strict=True):
        bids = [order.got for order in site.firms.values()]
        _, for_firms = shared_out(joules, [site.final, sum(bids)])
        for firm, share in zip(site.firms, shared_out(for_firms, bids), strict=True):
            firm.stock_embodied[ENERGY] += share
        for firm, order in site.sellers.items():
            learn(s["learning"], firm, asked_of(e, nation, firm, order.got, site.offered[firm] // QUANTUM))
    e.energy_sold[nation] = {region: site.sold for region, site in sites.items()}
    e.quanta.update({firm: order.got for site in sites.values() for firm, order in site.sellers.items()})


def asked_of(e: EconomyWorld, nation: Nation, firm: Firm, sold: int, offered: int) -> int:
    """Units asked of a seller: what it sold, its part of what was bid in vain; what it expected if it sold all."""

    def expects(seller: Firm) -> int:
        return seller.sales // QUANTUM + 1

    in_vain = max(nation.flows["energy_wanted"] - nation.flows["energy_volume"], 0)
    part_of_it = in_vain * expects(firm) // e.energy_expected[nation]
    e.rules["hopes of energy bounded"] += sold + part_of_it > 4 * expects(firm)
    asked = min(sold + part_of_it, 4 * expects(firm)) * QUANTUM
    e.rules["sold out of energy"] += sold == offered and asked < firm.sales
    return max(asked, firm.sales) if sold == offered else asked


def learn(learning: int, firm: Firm, asked: int) -> None:
    """Expected sales move towards what was asked for."""
    step = part(abs(asked - firm.sales), learning)
    firm.sales = max(firm.sales + step if asked >= firm.sales else firm.sales - step, 1)


def remit(e: EconomyWorld, nation: Nation) -> None:
    """What all buyers of energy paid goes to regions by what they sold, and to their firms likewise."""
    sold = e.energy_sold[nation]
    money = sum(
        paid[ENERGY] for region in sold for paid in (region.paid_households, region.paid_public, region.paid_firms)
    )
    for region, here in zip(sold, shared_out(money, list(sold.values())), strict=True):
        sellers = region.of(ENERGY)
        for firm, revenue in zip(sellers, shared_out(here, [e.quanta[firm] for firm in sellers]), strict=True):
            firm.revenue = revenue
            firm.cash += revenue
        if nation.flows["energy_volume"]:
            region.tariff[ENERGY] = nation.flows["call_price"]
