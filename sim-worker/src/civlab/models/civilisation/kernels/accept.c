/* Phase `accept`: a region's sellers accept what they are asked for, or ration what they have left among the askers. */
#include "market.h"

FN void civilisation_accept_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    u64 asked[REACH], share[REACH], all = 0;
    (void)tick, (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 j = 0; j < REACH; j++) {
        const u32 buyer = region_at(w, &m.place, j);
        asked[j] = buyer == NOWHERE ? 0 : w->asked[buyer_cell(&m, buyer, j)];
        all += asked[j];
    }
    const u64 left = w->supply[tile] - w->accepted[tile], total = least(all, left);
    if (w->sought[tile] == 0) w->sought[tile] = all;
    if (total == 0) return;
    if (total < all) split_reach(total, asked, share);
    for (u32 j = 0; j < REACH; j++) {
        const u64 given = total < all ? share[j] : asked[j];
        if (given) w->filled[buyer_cell(&m, region_at(w, &m.place, j), j)] += given;
    }
    w->accepted[tile] += total;
}

TILE_KERNEL(civilisation_accept)
