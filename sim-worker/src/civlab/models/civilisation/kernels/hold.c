/* Phase `hold`: adds up the deposits by which dividends are shared, after births, deaths and moves have moved them. */
#include "economy.h"

FN void civilisation_hold_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, w->block_region[tile]);
    u64 sum = 0;
    (void)tick;
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes) sum += w->deposit[at];
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_HOLDINGS, sum);
}

TILE_KERNEL(civilisation_hold)
