/* Phase `appeal`: how a region's buyers weigh the sellers in reach: by delivered price, by nearness, as in the
 * gravity law of trade (Tinbergen 1962), and by an attraction of the place that balances the start. */
#include "market.h"

FN void civilisation_appeal_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    u64 price[REACH], cheapest = U64_LARGEST;
    (void)tick, (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 j = 0; j < REACH; j++) {
        const u32 seller = region_at(w, &m.place, j);
        price[j] = seller == NOWHERE || w->supply[market_of(seller, m.good)] == 0
                       ? 0
                       : times_q32(w->offer_price[market_of(seller, m.good)], carriage(&m, j));
        if (price[j]) cheapest = least(cheapest, price[j]);
    }
    for (u32 j = 0; j < REACH; j++) {
        u64 *weight = w->appeal + (u64)tile * REACH + j;
        *weight = 0;
        if (price[j] == 0) continue;
        u64 pull = w->attraction[market_of(region_at(w, &m.place, j), m.good)];
        for (u32 cell = disc_distance(j); cell > 0; cell--) pull = times_q32(pull, m.place.scenario->nearness);
        *weight = most(times_q32(pull, logit_weight(price[j], cheapest, cheapest, m.place.scenario->choice)), 1);
    }
}

TILE_KERNEL(civilisation_appeal)
