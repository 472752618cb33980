"""An independent week of the economy: plain Python integers, objects in place of columns, one rule after the other.

It starts from what the kernels generated and takes the rounds of people and the climate's year from them, since those
have oracles of their own; everything else of a week is worked out here, and every column must come out the same.
"""

from __future__ import annotations

from .economy_oracle_energy import call, remit
from .economy_oracle_firms import close, extract, fund, make, pay_staff, plan, possible_output
from .economy_oracle_markets import purchase, receive, sell, settle, trade
from .economy_oracle_nations import close_nation, lend, purchases, workforce
from .economy_oracle_people import budget, hire, leave_jobs, pay, spend
from .economy_oracle_world import ALL_GOODS, BASE, ENERGY, FUEL, EconomyWorld, Nation, limbs, nothing, whole

OF_THE_WEEK = ("paid_households", "paid_public", "paid_firms", "made")
FLOWS_TOLD = (
    "output", "output_real", "purchases", "investment", "exports", "imports", "failures", "holdings", "income", "wages",
    "contributions", "taxes_income", "taxes_sales", "taxes_profit", "benefits", "pensions", "child_benefits",
    "dividends", "revenue", "spent", "lent", "repaid", "interest", "write_offs", "paid_out", "interest_public",
    "rescues", "vacancies",
)  # fmt: skip
"""Metrics of a nation that are a flow of the same name."""


class EconomyOracle(EconomyWorld):
    """One member, lived on week by week."""

    def week(self, tick: int) -> None:
        """All that follows the rounds of people."""
        self.tick = tick
        self.begin()
        for firm in self.firms:
            plan(self, firm)
        for bank in self.banks:
            lend(self, bank)
        for firm in self.firms:
            fund(self, firm)
        seekers = leave_jobs(self)
        for region in self.regions:
            hire(self, region, seekers[region])
        self.work()
        for nation in self.nations:
            call(self, nation)
        self.market()
        for firm in self.firms:
            close(self, firm)
        for nation in self.nations:
            close_nation(self, nation)
        self.keep_books()

    def begin(self) -> None:
        """A clean slate for what belongs to one week."""
        self.burnt = self.gained = 0
        for nation in self.nations:
            nation.flows.clear()
            nation.flows["holdings"] = sum(h.deposit for region in nation.regions for h in region.households)
        for region in self.regions:
            for name in OF_THE_WEEK:
                setattr(region, name, nothing())
        for firm in self.firms:
            firm.spent = firm.revenue = firm.built = 0

    def work(self) -> None:
        """Firms pay and make; households learn what they have and decide what to buy."""
        for firm in self.firms:
            pay_staff(self, firm)
            if firm.industry != FUEL:
                make(self, firm, possible_output(self, firm))
        for region in self.regions:
            extract(self, region)
            pay(self, region)
            budget(self, region, region.nation.flows["holdings"])
        for nation in self.nations:
            purchases(self, nation)

    def market(self) -> None:
        """Goods are ordered, paid, handed over and received."""
        markets = trade(self)
        for region in self.regions:
            spend(self, region)
        purchase(self)
        for nation in self.nations:
            remit(self, nation)
        for m in markets:
            settle(self, m)
            for region in self.regions:
                sell(self, m, region)
            for region in self.regions:
                receive(self, m, region)

    def keep_books(self) -> None:
        """What is in all stores, and what energy has come to: what is gone is what is missing."""
        c = self.columns
        stores = [sum(firm.stock[good] for firm in self.firms) for good in ALL_GOODS]
        for firm in self.firms:
            stores[firm.industry] += firm.inventory
        there, gained, _ = whole(c["book_energy"])
        gained += self.gained
        ground = sum(region.reserve for region in self.regions)
        c["book_goods"] = limbs(stores)
        c["book_energy"] = limbs([there, gained, there + gained - ground - stores[FUEL] - stores[ENERGY]])
        c["book_embodied"] = limbs([sum(firm.embodied + sum(firm.stock_embodied) for firm in self.firms)])
        c["book_people"] = [sum(region.census["people"] for region in self.regions)]
        c["book_burnt"] = limbs([whole(c["book_burnt"])[0] + self.burnt])
        c["carbon_due"] = limbs([whole(c["carbon_due"])[0] + self.burnt])

    def told(self, nation: Nation) -> dict[str, int]:
        """Metrics of a nation's week."""
        flows = nation.flows
        final = flows["household_spending"] + flows["taxes_sales"]
        product = final + flows["purchases"] + flows["investment"]
        workers, employed = workforce(nation)
        return {
            **{name: flows[name] for name in FLOWS_TOLD},
            "citizens": sum(region.census["people"] for region in nation.regions),
            "households": sum(len(region.households) for region in nation.regions),
            "employed": employed,
            "unemployed": workers - employed,
            "product": product,
            "product_real": product * BASE // nation.level,
            "consumption": final,
            "price_level": nation.level,
            "wage": sum(r.wage * r.census["employed"] for r in nation.regions) // max(employed, 1),
            "policy_rate": nation.policy_rate,
            "energy_price": nation.energy_price,
            "energy_sold": flows["energy_volume"] * 1024,
            "energy_short": max(flows["energy_wanted"] - flows["energy_volume"], 0) * 1024,
            "deposits": flows["held"],
            "cash": sum(firm.cash for firm in nation.firms),
            "treasury": nation.treasury,
            "pool": nation.pool,
            "equity": sum(bank.equity for bank in nation.banks),
            "loans": sum(bank.lent for bank in nation.banks),
            "debt": nation.debt,
        }
