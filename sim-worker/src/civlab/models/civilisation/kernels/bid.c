/* Phase `bid`: the orders of the energy call, added up on the nation's ladder of prices.
 *
 * Firms bid a quantity up to the limit of their industry's priority, so that in a shortage the higher ones are served
 * first. Households and governments spend a fixed sum: their demand falls with the price. Sellers offer their stores
 * from their posted prices on. */
#include "economy.h"

/* The regional budgets that are spent on energy whatever its price: households' and the government's. */
FN void bid_budget(const struct World *w, const struct Place *p, u64 budget, u32 lane, u32 lanes) {
    const u64 lot = p->scenario->lot[GOOD_ENERGY], last = w->energy_price[p->nation];
    u64 *demand = w->ladder_demand + (u64)p->nation * LADDER;
    for (u32 step = lane; step < LADDER; step += lanes) {
        const u64 here = affordable_quanta(budget, lot, last, step);
        const u64 above = step + 1 < LADDER ? affordable_quanta(budget, lot, last, step + 1) : 0;
        if (here > above) add_to(demand + step, here - above);
    }
}

FN void civilisation_bid_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    const u64 last = w->energy_price[p.nation];
    u64 *demand = w->ladder_demand + (u64)p.nation * LADDER, *supply = w->ladder_supply + (u64)p.nation * LADDER;
    (void)tick;
    bid_budget(w, &p, w->budget_households[market_of(tile, GOOD_ENERGY)], lane, lanes);
    bid_budget(w, &p, w->budget_public[market_of(tile, GOOD_ENERGY)], lane, lanes);
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        const u32 industry = w->industry[firm];
        if (w->bid[firm]) add_to(demand + p.scenario->priority[industry], w->bid[firm]);
        if (industry != GOOD_ENERGY) continue;
        add_to(supply + ladder_step(last, w->price[firm]), w->inventory[firm] >> QUANTUM_SHIFT);
        add_to(w->call + (u64)p.nation * CALLS + CALL_EXPECTED, quanta_expected(w, firm));
    }
}

TILE_KERNEL(civilisation_bid)
