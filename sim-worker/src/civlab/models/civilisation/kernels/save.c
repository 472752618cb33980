/* Generation: households hold some weeks of the income that their people bring home. */
#include "economy.h"

FN void civilisation_save_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of(w, w->block_region[tile]);
    const u64 more = p.scenario->dividends[p.number];
    u64 sum = 0, dividends = 0;
    (void)tick;
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes) {
        const u64 dividend = times_q32(w->earned[at], more);
        w->income[at] = w->earned[at] + dividend;
        w->deposit[at] = times_q32(w->income[at], p.scenario->savings);
        w->earned[at] = 0;
        sum += w->deposit[at], dividends += dividend;
    }
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_HELD, sum);
    flush_add(w->flow + (u64)p.nation * FLOWS + FLOW_DIVIDENDS, dividends);
}

TILE_KERNEL(civilisation_save)
