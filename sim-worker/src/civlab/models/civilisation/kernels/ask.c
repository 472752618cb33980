/* Phase `ask`: a region's buyers part what they have left over the sellers in reach who have something left. */
#include "market.h"

FN void civilisation_ask_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    const u64 *filled = w->filled + (u64)tile * REACH, *appeal = w->appeal + (u64)tile * REACH;
    u64 weight[REACH], left = w->budget[tile], all = 0;
    u64 *asked = w->asked + (u64)tile * REACH;
    (void)tick, (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 j = 0; j < REACH; j++) {
        const u32 seller = appeal[j] ? region_at(w, &m.place, j) : NOWHERE;
        const u64 market = market_of(seller == NOWHERE ? 0 : seller, m.good);
        const int open = seller != NOWHERE && w->accepted[market] < w->supply[market];
        weight[j] = open ? appeal[j] : 0;
        left -= filled[j], all += weight[j];
        asked[j] = 0;
    }
    if (left && all) split_reach(left, weight, asked);
}

TILE_KERNEL(civilisation_ask)
