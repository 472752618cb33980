/* Phase `settle`: what a region's buyers paid, parted over the sellers that filled their orders. Payers round down, so
 * the sum is at most what was filled, and nobody is paid more than was accepted. */
#include "market.h"

/* What a nation sold of a good to another one in the year. */
FN u64 *trade_cell(const struct World *w, u32 tick, u32 seller, u32 good, u32 buyer) {
    return (u64 *)w->trade_rows + (((u64)(tick / WEEKS) * w->nations + seller) * GOODS + good) * NATIONS_MOST + buyer;
}

FN void civilisation_settle_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Market m = market_at(w, tile);
    const u64 paid = w->paid_households[tile] + w->paid_public[tile] + w->paid_firms[tile];
    u64 share[REACH], *filled = w->filled + (u64)tile * REACH;
    (void)lanes;
    if (lane || m.good == GOOD_ENERGY) return;
    for (u32 j = 0; j < REACH; j++) share[j] = 0;
    if (paid) split_reach(paid, filled, share);
    for (u32 j = 0; j < REACH; j++) {
        filled[j] = share[j];
        if (share[j] == 0) continue;
        const u32 seller = nation_of_region(w, &m.place.home, region_at(w, &m.place, j));
        if (seller == m.place.nation) continue;
        add_to(w->flow + (u64)seller * FLOWS + FLOW_EXPORTS, share[j]);
        add_to(w->flow + (u64)m.place.nation * FLOWS + FLOW_IMPORTS, share[j]);
        add_to(trade_cell(w, tick, seller, m.good, m.place.number), share[j]);
    }
}

TILE_KERNEL(civilisation_settle)
