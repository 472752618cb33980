/* Phase `follow`: every citizen follows its household into the one that this merged into, and learns whether it moves. */
#include "crowd.h"

FN void civilisation_follow_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->tile_member[tile], tick) || is_crowd(w, w->tile_region[tile])) return;
    const struct Home h = home_of(w, w->tile_member[tile]);
    struct Changes changes = no_changes();
    for (u32 at = w->tile_begin[tile] + lane; at < w->tile_end[tile]; at += lanes) {
        if (w->household[at] == 0) continue;
        const u32 household = household_now(w, &h, w->household[at]);
        CHANGE(w, &h, &changes, HOUSEHOLD, household, citizen, at, household - h.first_household + 1);
        w->event[at] = w->mark[household] ? EVENT_MOVING : 0;
    }
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_follow)
