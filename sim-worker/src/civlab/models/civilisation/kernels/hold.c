/* Phase `hold`: adds up the deposits by which dividends are shared, after births, deaths and moves have moved them. */
#include "crowd_money.h"

#define AHEAD 1024u /* deposits that are asked for before they are added */

FN void civilisation_hold_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, w->block_region[tile]);
    u64 sum = 0;
    (void)tick;
    if (is_crowd(w, p.region)) {
        if (lane == 0 && is_first_block(w, p.region, tile))
            add_to(w->flow + (u64)p.nation * FLOWS + FLOW_HOLDINGS, w->crowd_deposit[crowd_of(&p.home, p.region)]);
        return;
    }
    for (u32 at = w->block_begin[tile] + 8 * lane; at < w->block_end[tile]; at += 8 * lanes) {
        const u64 *deposit = w->deposit + at;
        will_read(deposit + AHEAD);
        for (u32 k = 0; k < 8; k++) sum += deposit[k];
    }
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_HOLDINGS, sum);
}

TILE_KERNEL(civilisation_hold)
