/* Phase `margin`: what each region bids and offers at the limits at which the call's volume runs out. */
#include "calling.h"

FN void civilisation_margin_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, tile);
    const struct Call c = call_of(w, p.nation);
    u64 bids = 0, asks = 0;
    (void)tick;
    if (lane == 0) {
        bids += budget_margin(&p, &c, w->budget_households[market_of(tile, GOOD_ENERGY)]);
        bids += budget_margin(&p, &c, w->budget_public[market_of(tile, GOOD_ENERGY)]);
    }
    for (u32 firm = p.begin + lane; firm < p.end; firm += lanes) {
        bids += firm_margin(w, &p, &c, firm);
        asks += offer_margin(w, &c, firm);
    }
    flush_add(w->bid_margin + tile, bids);
    flush_add(w->ask_margin + tile, asks);
}

TILE_KERNEL(civilisation_margin)
