/* Phase `close`: households that ended leave their slots, and every fate is forgotten. */
#include "crowd.h"

struct Estates {
    u64 all, unclaimed; /* money */
};

FN void close_household(const struct World *w, const struct Home *h, u32 at, struct Estates *estates,
                        struct Changes *changes) {
    if (w->fate[at] == FATE_ENDED) {
        estates->all += w->deposit[at];
        estates->unclaimed += w->heirs[at] ? 0 : w->deposit[at];
        remove_household(w, h, changes, at);
        w->heirs[at] = 0, w->first_heir[at] = 0; /* nobody else has heirs */
    }
    w->fate[at] = 0;
}

FN void civilisation_close_tile(const struct World *w, u32 tick, u32 tile, u32 lane, u32 lanes) {
    if (!is_round(w, w->block_member[tile], tick) || is_crowd(w, w->block_region[tile])) return;
    const u64 cell = (u64)w->block_region[tile] * VITALS;
    const struct Home h = home_of(w, w->block_member[tile]);
    struct Changes changes = no_changes();
    struct Estates estates = {0, 0};
    for (u32 run = w->block_begin[tile] + 16 * lane; run < w->block_end[tile]; run += 16 * lanes) {
        if (no_fates(w->fate + run)) continue;
        for (u32 at = run; at < run + 16; at++)
            if (w->fate[at]) close_household(w, &h, at, &estates, &changes);
    }
    flush_add(w->vital + cell + VITAL_ESTATES, estates.all);
    flush_add(w->vital + cell + VITAL_UNCLAIMED, estates.unclaimed);
    flush_changes(w, h.member, PHASE_PEOPLE, &changes);
}

TILE_KERNEL(civilisation_close)
