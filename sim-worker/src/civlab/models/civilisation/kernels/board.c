/* Phase `board`: lists the citizens of the households that move. */
#include "people.h"

FN void civilisation_board_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->cluster_member[tile], tick) || lane != 0 || w->boarded[2 * (u64)tile] == 0) return;
    const struct Region r = region_of(w, tile);
    u32 count = 0;
    (void)lanes;
    FOR_EACH_EVENT(w, &r, EVENT_MOVING, at) {
        w->boarding[r.citizens + count++] = at;
        w->event[at] = 0;
    }
    w->boarded[2 * (u64)tile + 1] = count;
}

TILE_KERNEL(civilisation_board)
