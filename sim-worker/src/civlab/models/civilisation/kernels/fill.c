/* Phase `fill`: the share of their budgets that a region's buyers can spend, rounded down. */
#include "market.h"

FN void civilisation_fill_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    u64 sum = 0;
    (void)tick, (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 j = 0; j < REACH; j++) sum += w->filled[(u64)tile * REACH + j];
    w->fill[tile] = times_over(sum, Q32_ONE, w->budget[tile]);
    w->unspent[tile] = w->budget[tile] - sum;
}

TILE_KERNEL(civilisation_fill)
