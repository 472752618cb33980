/* Phase `close`: households that ended leave their slots, and every fate is forgotten. */
#include "people.h"

FN void civilisation_close_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(tick)) return;
    const u64 cell = (u64)w->block_region[tile] * VITALS;
    const struct Home h = home_of(w, w->block_member[tile]);
    struct Changes changes = no_changes();
    u64 estates = 0, unclaimed = 0;
    for (u32 at = w->block_begin[tile] + lane; at < w->block_end[tile]; at += lanes) {
        if (w->fate[at] == 0) continue;
        if (w->fate[at] == FATE_ENDED) {
            estates += w->deposit[at];
            unclaimed += w->heirs[at] ? 0 : w->deposit[at];
            remove_household(w, &h, &changes, at);
        }
        w->fate[at] = w->heirs[at] = 0;
        w->first_heir[at] = 0;
    }
    flush_add(w->vital + cell + VITAL_ESTATES, estates);
    flush_add(w->vital + cell + VITAL_UNCLAIMED, unclaimed);
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_close)
