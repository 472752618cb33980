/* Phase `demand`: adds up the budgets of a market's buyers, and what its sellers offer at which mean price. */
#include "market.h"

FN void civilisation_demand_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    u64 budget = w->budget_households[tile] + w->budget_public[tile], value = 0;
    u128 units = 0;
    (void)tick, (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 firm = m.place.begin; firm < m.place.end; firm++)
        budget += w->order[(u64)firm * GOODS + m.good] + w->invest[(u64)firm * GOODS + m.good];
    for (u32 firm = m.begin; firm < m.end; firm++) {
        w->offered[firm] = cost_of(w->inventory[firm], m.lot, w->price[firm]);
        units += w->inventory[firm], value += w->offered[firm];
    }
    w->budget[tile] = budget;
    w->supply[tile] = value;
    w->offer_price[tile] = units ? (u64)((u128)value * m.lot / units) : 0;
    w->accepted[tile] = w->sought[tile] = 0;
    for (u32 j = 0; j < REACH; j++) w->filled[(u64)tile * REACH + j] = 0;
}

TILE_KERNEL(civilisation_demand)
