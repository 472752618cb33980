/* Generation: every agent gets the same money. */
#include "economy.h"

FN void exchange_endow_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    const struct Place p = place_of_tile(w, tile);
    (void)tick;
    for (u32 at = p.begin + lane; at < p.end; at += lanes) w->money[at] = p.scenario->mean;
}

TILE_KERNEL(exchange_endow)
